"""What the tables and curves of evaluations are made with."""

import os
import pathlib
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deephar.evaluation.receipts import GENERATED
from deephar.utils.fonts import give_letters

GROUPS = {
    "head": ("head", "neck"),
    "shoulder": ("r_shoul", "l_shoul"),
    "elbow": ("r_elb", "l_elb"),
    "wrist": ("r_wrist", "l_wrist"),
    "hip": ("r_hip", "l_hip"),
    "knee": ("r_knee", "l_knee"),
    "ankle": ("r_ankle", "l_ankle"),
}
"""The rows of the papers' tables: a body part and the joints that it averages."""

POSE_SCORES = {
    "pckh": ("PCKh@0.5", "mpii", "MPII validation"),
    "pck": ("PCK@0.2 of the torso", "penn", "Penn Action test frames"),
}
"""The scores of poses that a cut can have: their name, and the data set they are of, by
its key in receipts and in words."""

CURVES = {
    "pckh": ("PCKh@0.5 (%)", 100, 100),
    "accuracy": ("accuracy (%)", 100, 100),
    "mpjpe": ("MPJPE (mm)", 1, None),
    "pck_torso": ("PCK@0.2 of the torso (%)", 100, 100),
    "ap": ("AP (%)", 100, 100),
    "pck": ("PCK@0.2 of the box (%)", 100, 100),
}
"""Scores that trainings watch: name with unit, factor to that unit, top of the axis."""


def percent(value: float | None) -> str:
    """A share in percent with one decimal; "-" for None."""
    return "-" if value is None else f"{100 * value:.1f}"


def group_scores(per_joint: dict[str, float]) -> dict[str, float]:
    """PCKh by body part, as the papers' tables list it.

    Args:
        per_joint: PCKh by joint name, in [0, 1].

    Returns:
        The mean over the joints of each part of `GROUPS`.
    """
    return {
        part: float(np.mean([per_joint[name] for name in names]))
        for part, names in GROUPS.items()
    }


def block_names(scores: dict) -> list[str]:
    """What tables call the prediction blocks: 1, 2, ..., or 1 (dp1_pb1), ...

    Args:
        scores: of poses, with "blocks"; "block_names" has the names of the network's
            outputs where they tell more than their number.
    """
    blocks = scores["blocks"]
    count = len(blocks if isinstance(blocks, list) else next(iter(blocks.values())))
    numbers = [str(i + 1) for i in range(count)]
    names = scores.get("block_names")
    if names is None:
        return numbers
    return [f"{i} ({name})" for i, name in zip(numbers, names, strict=True)]


def receipt_list(scores: dict) -> str:
    """Markdown list of the receipt of an evaluation, "" where there is none."""
    receipt = scores.get("receipt", {})
    return "\n".join(f"- {key}: {_line(str(value))}" for key, value in receipt.items())


def _line(text: str) -> str:
    """A text of one line."""
    return " ".join(text.splitlines())


def origin_notes(scores: dict) -> list[str]:
    """What stands first beside the papers' figures where the data are generated."""
    origin = scores.get("receipt", {}).get("origin")
    origins = origin.values() if isinstance(origin, Mapping) else [origin]
    note = "These data are generated; the papers' figures are of real people."
    return [note] if GENERATED in origins else []


class Drawing(str):
    """Markdown of a picture beside the page, which knows the figure that it is of.

    Args:
        path: the picture's file.
        caption: what it shows.
        figure: the figure, of which the file is.

    Attributes:
        name: the file's name.
        figure: the figure.
    """

    name: str
    figure: Figure

    def __new__(cls, path: str | os.PathLike, caption: str, figure: Figure):
        name = pathlib.Path(path).name
        self = super().__new__(cls, f"![{caption}]({name})")
        self.name, self.figure = name, figure
        return self


def markdown_table(rows: list[list[str]]) -> str:
    """Markdown table of rows of cells, the first of them the head.

    A cell is one line: where a name in it is not, its ends of lines become spaces.
    """
    rows = [[_line(cell).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    text = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def figure(
    xlabel: str, ylabel: str, size: tuple[float, float] = (6, 4)
) -> tuple[Axes, Callable]:
    """Axes to draw on, and a function that saves the figure and returns it."""
    figure = Figure(figsize=size, dpi=110)
    axes = figure.add_subplot()
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3)

    def save(path: str | os.PathLike) -> Figure:
        give_letters(figure)
        figure.savefig(path, bbox_inches="tight")
        return figure

    return axes, save
