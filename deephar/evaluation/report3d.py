"""The report of an evaluation of 3D poses: tables, curves and drawn predictions."""

import pathlib
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from deephar.data.human36m_format import ACTION_LABELS
from deephar.evaluation.cases import (
    People,
    add_space,
    extremes,
    mean_distances,
)
from deephar.evaluation.papers import PAPER_H36M
from deephar.evaluation.pose3d import FIGURES, PosePredictions3D, strict_poses
from deephar.evaluation.report import finish_report
from deephar.evaluation.tables import (
    Drawing,
    block_names,
    figure,
    markdown_table,
    origin_notes,
    receipt_list,
)
from deephar.pages import Page
from deephar.utils.camera import camera_deserialize
from deephar.utils.pose import INVALID

ORIGINAL = (
    "The original's evaluation takes the true depth of the root, of all blocks the one "
    "that is best on these very frames, and an approximate inverse of the lens; the "
    "paper's figures are of that kind. Strictly, the depth of the root comes from the "
    "length of the training subjects' bones, the block is the last, the inverse is "
    "exact, and a picture that cannot be read counts as joints that lie at the root, "
    "or as the mean of the others where that is larger."
)
"""Why its figure differs from the strict one."""


def mm(value: float | None) -> str:
    """An error in mm with one decimal; "-" for None and NaN."""
    return "-" if value is None or np.isnan(value) else f"{value:.1f}"


def error_table(scores: dict, untrained: dict | None = None) -> str:
    """Markdown table of every figure, over samples and actions, beside the paper's.

    Args:
        scores: what `score_mpjpe` returns.
        untrained: the same of the network before training, for one more column.
    """
    head = ["error (mm)", "mean of frames", "mean of actions"]
    head += ["untrained"] * (untrained is not None) + ["CVPR 2018 paper"]
    rows = [head]
    names = {
        **FIGURES,
        "mpjpe": "MPJPE, strict",
        "p_mpjpe": "P-MPJPE, strict",
        "n_mpjpe": "N-MPJPE, strict",
        "mpjpe_original": f"MPJPE, as the original (block {scores['best_block']})",
    }
    papers = [PAPER_H36M["single_crop"], PAPER_H36M["multi_crop"]]
    paper = "{:.1f}, one crop; {:.1f}, several".format(*papers)
    for key, name in names.items():
        row = [name, mm(scores[key]), mm(scores["actions_mean"][key])]
        if untrained is not None:
            row.append(mm(untrained[key]))
        rows.append([*row, paper if key == "mpjpe_original" else "-"])
    return markdown_table(rows)


def action_table(scores: dict) -> str:
    """Markdown table of the errors by action, the paper's (several crops) beside."""
    keys = ("mpjpe", "p_mpjpe", "mpjpe_root_depth", "mpjpe_original")
    rows = [["action", "frames", *(FIGURES[key] for key in keys), "CVPR 2018 paper"]]
    for name, values in scores["per_action"].items():
        row = [name, str(values["samples"]), *(mm(values[key]) for key in keys)]
        rows.append([*row, mm(PAPER_H36M["actions"].get(name))])
    mean = [mm(scores["actions_mean"][key]) for key in keys]
    rows.append(["mean of actions", "-", *mean, mm(PAPER_H36M["multi_crop"])])
    return markdown_table(rows)


def block_table(scores: dict) -> str:
    """Markdown table of every figure after every prediction block, mean of frames."""
    rows = [["block", *FIGURES.values()]]
    blocks = zip(*(scores["blocks"][key] for key in FIGURES), strict=True)
    rows += [
        [name, *map(mm, values)]
        for name, values in zip(block_names(scores), blocks, strict=True)
    ]
    return markdown_table(rows)


def findings(scores: dict) -> str:
    """What was looked at, and how well the root's depth was found, as Markdown."""
    text = (
        f"{scores['samples']} frames; {scores['unreadable']} with unreadable pictures, "
        "counted as joints that all lie at the root, or as the mean of the others "
        "where that is larger."
    )
    if scores.get("absent"):
        text += f" {scores['absent']} frames of the protocol are not annotated."
    found = mm(scores["root_depth_error"])
    return f"{text} Strictly the root's depth was off by {found} mm (median)."


def plot_blocks(path, scores: dict) -> Figure:
    """Draws the errors over the prediction blocks."""
    axes, save = figure("prediction block", "error (mm)")
    for key, name in FIGURES.items():
        values = scores["blocks"][key]
        axes.plot(np.arange(1, len(values) + 1), values, "o-", label=name)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return save(path)


def error_parts(
    scores: dict, untrained: dict | None = None, level: str = "##"
) -> list[str]:
    """What was looked at, and the tables, as parts of a Markdown page.

    Args:
        scores: what `score_mpjpe` returns.
        untrained: the same of the network before training.
        level: begins the headings.
    """
    return [
        findings(scores),
        error_table(scores, untrained),
        ORIGINAL,
        f"{level} By action",
        action_table(scores),
        f"{level} By block",
        block_table(scores),
    ]


def error_page(scores: dict, untrained: dict | None = None) -> list[str]:
    """The parts of evaluation.md.

    Args:
        scores: what `score_mpjpe` returns, with the receipt under "receipt".
        untrained: the same of the network before training.
    """
    return [
        "# 3D pose estimation, Human3.6M",
        receipt_list(scores),
        *origin_notes(scores),
        *error_parts(scores, untrained),
    ]


def space_cases(
    predictions: PosePredictions3D, poselayout, bones: np.ndarray
) -> tuple[np.ndarray, Callable[[Page], None]]:
    """What a page shows of poses in space.

    Args:
        predictions, poselayout, bones: as of `score_mpjpe`.

    Returns:
        The error of every sample `(samples,)`, mm, NaN where there is none; and what
        puts the worst and best poses on a page, to be turned.
    """
    truth, found = strict_poses(predictions, poselayout, bones)
    errors = mean_distances(np.nan_to_num(truth, nan=INVALID), found)
    errors = np.where(predictions.readable, errors, np.nan)

    def add(page: Page) -> None:
        page.heading("Poses in space")
        page.text(
            "What was predicted, in colours, over the truth in grey, both about the "
            "root: the worst, then the best."
        )
        for chosen in extremes(errors):
            captions = [
                f"{key}: {ACTION_LABELS[predictions.action[key]]}, {errors[key]:.0f} mm"
                for key in chosen
            ]
            add_space(page, truth[chosen], found[chosen], captions, poselayout)

    return errors, add


def write_report_3d(
    folder,
    scores: dict,
    predictions: PosePredictions3D,
    dataset,
    mode: int,
    run_folder: pathlib.Path | None = None,
    untrained: dict | None = None,
) -> pathlib.Path:
    """Writes report.md with its pictures, and report.html, where poses turn.

    Args:
        folder: where to; made if it is not there.
        scores, untrained: as of `error_page`; "bones_mm" is needed too.
        predictions: what `predict_poses_3d` returns.
        dataset: the data set that was evaluated.
        mode: the mode that was evaluated.
        run_folder: the training's run folder, for its curves.

    Returns:
        The path of report.html.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plot_blocks(folder / "blocks.png", scores)
    drawing = Drawing("blocks.png", "error over the blocks", drawn)
    parts = [*error_page(scores, untrained), drawing]
    bones = np.array(scores["bones_mm"])
    errors, add_space_cases = space_cases(predictions, dataset.poselayout, bones)
    poses = predictions.poses[-1][..., :2].astype(np.float64)
    seen = poses, _truth_in_pictures(predictions), predictions.readable
    people = People(dataset, mode, *seen, errors, "{:.0f} mm")
    cases = [add_space_cases]
    return finish_report(folder, parts, people, run_folder, "mpjpe", cases)


def _truth_in_pictures(predictions: PosePredictions3D) -> np.ndarray:
    """The true joints `(samples, joints, 2)` in px."""
    truth = [
        camera_deserialize(camera).project(pose)[:, :2]
        for camera, pose in zip(predictions.camera, predictions.truth, strict=True)
    ]
    return np.nan_to_num(np.stack(truth), nan=INVALID)
