"""The report of a network of both tasks: actions of clips, and poses of people."""

import dataclasses

from deephar.evaluation import report, report3d
from deephar.evaluation.action_report import action_parts
from deephar.evaluation.tables import origin_notes, receipt_list


@dataclasses.dataclass(frozen=True)
class Tasks:
    """What the two tasks of an evaluation are scored on.

    Attributes:
        actions: the data set of actions.
        people: whose poses.
        flag: flag of the folder of their data set.
    """

    actions: str
    people: str
    flag: str


TASKS = {
    "penn_multitask": Tasks("Penn Action", "MPII's validation people", "--mpii"),
    "ntu_multitask": Tasks(
        "NTU RGB+D", "Human3.6M's validation subjects, S9 and S11", "--h36m"
    ),
}
"""By the kind of evaluation."""

WAYS = {
    "actions": ("one clip a video", ""),
    "actions_multi_clip": ("many clips a video", "_multi_clip"),
}
"""The scores of actions: how the videos are looked at, and how the pictures of the
report end."""


def multitask_page(folder, scores: dict, paper: float | None = None) -> list[str]:
    """The parts of evaluation.md; draws its pictures.

    Args:
        folder: where to; it is there.
        scores: "receipt", "actions" and "actions_multi_clip" as of `score_actions`,
            "pose" as of `score_pckh` or `score_mpjpe`; None for what was not scored.
        paper: the paper's accuracy in [0, 1], if there is one to compare with.
    """
    tasks = TASKS[scores["receipt"]["evaluation"]]
    parts = [f"# Actions and poses: {tasks.actions}", receipt_list(scores)]
    parts += origin_notes(scores)
    for key, (words, name) in WAYS.items():
        parts.append(f"## Actions, {words}")
        if scores[key] is None:
            parts.append("Not scored: --clips leaves them out.")
        else:
            parts += action_parts(folder, scores[key], paper, "###", name)
    parts.append(f"## Poses of {tasks.people}")
    parts += _pose_parts(scores["pose"], tasks.flag)
    return parts


def _pose_parts(scores: dict | None, flag: str) -> list[str]:
    if scores is None:
        return [f"Not scored: {flag} names no folder."]
    if "mpjpe" in scores:
        return report3d.error_parts(scores, level="###")
    return [
        report.people_found(scores),
        report.pckh_table(scores),
        "### By joint",
        report.joint_table(scores),
        "### By block",
        report.block_table(scores),
    ]
