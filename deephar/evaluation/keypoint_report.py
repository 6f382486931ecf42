"""The report of an evaluation of people with boxes: tables and drawn predictions."""

import math
import pathlib
from collections.abc import Callable
from typing import Any

from deephar.evaluation.cases import People, add_people_space
from deephar.evaluation.pose import PosePredictions
from deephar.evaluation.report import finish_report, people_found
from deephar.evaluation.tables import (
    block_names,
    markdown_table,
    percent,
    receipt_list,
)
from deephar.utils.modes import VALID_MODE

_OKS = {
    "ap": "AP, mean of the thresholds",
    "ap50": "AP at 0.50",
    "ap75": "AP at 0.75",
    "ap_medium": "AP, medium people",
    "ap_large": "AP, large people",
    "ar": "AR, mean of the thresholds",
    "ar50": "AR at 0.50",
    "ar75": "AR at 0.75",
    "ar_medium": "AR, medium people",
    "ar_large": "AR, large people",
}


def oks_table(scores: dict) -> str:
    """Markdown table of what `score_oks` returns."""
    count = scores["keypoints"]
    rows = [[f"key points: {count}, windows around the true boxes", "OKS (%)"]]
    rows += [[name, _percent(scores[key])] for key, name in _OKS.items()]
    return markdown_table(rows)


def pck_table(scores: dict) -> str:
    """Markdown table of PCK by joint, from what `score_pck` returns."""
    rows = [["joint", f"PCK@{scores['threshold']:g} of the box (%)"]]
    joints = scores["per_joint"].items()
    rows += [[name, _percent(value)] for name, value in joints]
    return markdown_table([*rows, ["all", _percent(scores["pck"])]])


def pck_block_table(scores: dict) -> str:
    """Markdown table of PCK after every prediction block."""
    rows = [["block", f"PCK@{scores['threshold']:g} of the box (%)"]]
    blocks = zip(block_names(scores), scores["blocks"], strict=True)
    return markdown_table(rows + [[name, _percent(value)] for name, value in blocks])


def head_table(scores: dict) -> str:
    """Markdown table of PCKh by joint, of "by_head" of `score_custom`."""
    title = f"PCKh@{scores['threshold']:g} (%), people: {scores['people']}"
    joints = scores["per_joint"].items()
    rows = [["joint", title], *([name, _percent(value)] for name, value in joints)]
    return markdown_table([*rows, ["all", _percent(scores["pckh"])]])


def sigma_table(scores: dict) -> str:
    """Markdown table of OKS in boxes, of "by_sigmas" of `score_custom`."""
    names = {"oks": "mean", "oks50": "at least 0.50", "oks75": "at least 0.75"}
    rows = [["OKS by the layout's sigmas and the box", "(%)"]]
    rows += [[name, _percent(scores[key])] for key, name in names.items()]
    return markdown_table(rows)


def _percent(value: float | None) -> str:
    """As `percent`; "-" also for NaN, where nothing counts."""
    return percent(None if value is None or math.isnan(value) else value)


def keypoint_page(scores: dict) -> list[str]:
    """The tables of an evaluation.

    Args:
        scores: what `score_pck` returns; or what `score_oks` does, with that of
            `score_pck` under "by_box"; or what `score_custom` does.
    """
    pck = scores.get("by_box", scores)
    parts = [oks_table(scores)] if "ap" in scores else []
    parts += [pck_table(pck), pck_block_table(pck)]
    if "by_head" in scores:
        parts.append(head_table(scores["by_head"]))
    if "by_sigmas" in scores:
        parts.append(sigma_table(scores["by_sigmas"]))
    return [people_found(pck), *parts]


def write_keypoint_report(
    folder: pathlib.Path,
    scores: dict,
    found: PosePredictions,
    people,
    run_folder: pathlib.Path | None = None,
    space: tuple[Any, Callable] | None = None,
) -> pathlib.Path:
    """Writes report.md with its pictures, and report.html.

    Args:
        folder: where to; it is there.
        scores: as of `keypoint_page`, with the receipt under "receipt".
        found: what `predict_poses` returned.
        people: the data set that was evaluated.
        run_folder: the training's run folder, for its curves.
        space: of poses in space `dataset` and `predict` of `cases.add_people_space`.

    Returns:
        The path of report.html.
    """
    parts = ["# Pose estimation, people with boxes", receipt_list(scores)]
    seen = found.poses[-1], found.truth, found.readable
    drawn = People(people, VALID_MODE, *seen)
    monitor = "ap" if "ap" in scores else "pck"
    parts += keypoint_page(scores)
    cases = []
    if space is not None:
        cases.append(lambda page: add_people_space(page, drawn, *space))
    return finish_report(folder, parts, drawn, run_folder, monitor, cases)
