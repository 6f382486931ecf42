"""Figures of the papers' tables: bars by body part and action, score against speed."""

import pathlib
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deephar.evaluation.paper_tables import H36M_CROPS, TEST, Line, paper_rows
from deephar.evaluation.papers import PAPER_H36M
from deephar.evaluation.receipts import UNKNOWN
from deephar.evaluation.results import MEAN_ACTIONS, TOTAL
from deephar.evaluation.tables import GROUPS

GENERATED = "measured on generated data: not comparable with the paper"
_PAPER = ("black", "white")
_HATCH = "///"


def draw_figures(folder: pathlib.Path, lines: Sequence[Line]) -> dict[str, str]:
    """Draws what was measured; a figure of earlier times that is not drawn is removed.

    Args:
        folder: where to; it is there.
        lines: what `paper_tables.fill` returns.

    Returns:
        What the pictures show, by name of the file: TABLE.png of the owners' data,
        TABLE_generated.png of generated data.
    """
    drawn = {}
    for table, (draw, text) in _FIGURES.items():
        for generated in (False, True):
            path = folder / f"{table}{'_generated' * generated}.png"
            chosen = [
                line
                for line in lines
                if line.table == table and line.measured and line.shown
                if line.generated == generated
            ]
            path.unlink(missing_ok=True)
            if chosen:
                draw(path, chosen, generated)
                drawn[path.name] = f"{text}, {GENERATED}" if generated else text
    return drawn


def _draw_mpii(path: pathlib.Path, lines: Sequence[Line], generated: bool) -> None:
    names = [*GROUPS, TOTAL]
    paper = {
        row: value for (_, part, row), value in paper_rows().items() if part == TEST
    }
    series = _Series(names)
    if not generated:
        series.add("paper, test people, 7 crops, mirrored", paper, _PAPER)
    _draw_bars(path, series, lines, generated, "PCKh@0.5 (%)", 100)


def _draw_human36m(path: pathlib.Path, lines: Sequence[Line], generated: bool) -> None:
    there = dict.fromkeys(line.row for line in lines)
    papers = PAPER_H36M["actions"]
    names = [name for name in papers if name in there or not generated]
    others = [name for name in there if name not in papers and "mean" not in name]
    paper = {
        row: value
        for (_, part, row), value in paper_rows().items()
        if part == H36M_CROPS
    }
    series = _Series([*names, *others, MEAN_ACTIONS])
    if not generated:
        series.add("paper, several crops", paper, _PAPER)
    _draw_bars(path, series, lines, generated, "MPJPE (mm)", None)


class _Series:
    """Bars to be drawn side by side for the same names."""

    def __init__(self, names: list[str]):
        self.names, self.bars = names, []

    def add(self, label: str, values: dict, colors: tuple, hatch: str = "") -> None:
        heights = [values.get(name) for name in self.names]
        heights = [np.nan if height is None else height for height in heights]
        if not np.isnan(heights).all():
            self.bars.append((label, heights, colors, hatch))


def _draw_bars(
    path: pathlib.Path,
    series: _Series,
    lines: Sequence[Line],
    generated: bool,
    ylabel: str,
    top: float | None,
) -> None:
    """Bars of the paper, and of every part: strict, and as the original counts."""
    for number, part in enumerate(dict.fromkeys(line.part for line in lines)):
        rows = {line.row: line.measured for line in lines if line.part == part}
        color = f"C{number}"
        strict = {row: one.strict for row, one in rows.items()}
        original = {row: one.original for row, one in rows.items()}
        if any(one.origin == UNKNOWN for one in rows.values()):
            part += " (data of unknown origin)"
        series.add(f"{part}: strict", strict, (color, color))
        label = f"{part}: as the original counts"
        series.add(label, original, (color, "white"), _HATCH)
    drawn = Figure(figsize=(10, 4.5), dpi=110, layout="constrained")
    axes = drawn.add_subplot()
    width = 0.84 / len(series.bars)
    places = np.arange(len(series.names))
    for number, (label, heights, (edge, face), hatch) in enumerate(series.bars):
        where = places + (number - (len(series.bars) - 1) / 2) * width
        style = {"edgecolor": edge, "facecolor": face, "hatch": hatch, "label": label}
        bars = axes.bar(where, heights, 0.92 * width, **style)
        if len(series.bars) * len(places) <= 40:
            axes.bar_label(bars, fmt="%.0f", fontsize=7, padding=1)
    turned = {"rotation": 35, "ha": "right"} if len(places) > 9 else {}
    axes.set_xticks(places, series.names, **turned)
    axes.set_ylabel(ylabel)
    axes.set_ylim(0, top and 1.04 * top)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    drawn.legend(loc="outside lower center", fontsize=8, ncols=2)
    _entitle(axes, generated)
    drawn.savefig(path)


def _draw_speed(path: pathlib.Path, lines: Sequence[Line], generated: bool) -> None:
    """Score of every cut against its speed: poses, and actions."""
    drawn = Figure(figsize=(10, 4.5), dpi=110, layout="constrained")
    panels = drawn.subplots(1, 2, sharex=True)
    scores = [line.row.split(": ", 1)[1] for line in lines]
    for axes, actions in zip(panels, (False, True), strict=True):
        kinds = [s for s in dict.fromkeys(scores) if (s == "accuracy") == actions]
        pairs = list(zip(lines, scores, strict=True))
        for part in dict.fromkeys(line.part for line in lines):
            for kind in kinds:
                chosen = [
                    li for li, score in pairs if li.part == part and score == kind
                ]
                _draw_cuts(axes, chosen, f"{part}: {kind}")
        axes.set_xlabel("frames a second")
        axes.set_ylabel("actions (%)" if actions else "poses (%)")
        axes.set_ylim(0, 104)
        axes.grid(alpha=0.3)
        if kinds:
            axes.legend(fontsize=8, loc="lower left")
    panels[0].set_xlim(left=0)
    drawn.suptitle(_title(generated, lines), fontsize=9)
    drawn.savefig(path)


def _draw_cuts(axes: Axes, lines: Sequence[Line], label: str) -> None:
    """A curve through the cuts, their points numbered by prediction."""
    points = [
        (one.more["frames_per_second"], one.strict, one.more["prediction"])
        for one in (line.measured for line in lines)
        if one.strict is not None
    ]
    if not points:
        return
    x, y, numbers = zip(*points, strict=True)
    axes.plot(x, y, "o-", markersize=4, label=label)
    for place, number in zip(zip(x, y, strict=True), numbers, strict=True):
        offset = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
        axes.annotate(str(number), place, fontsize=8, **offset)


def _title(generated: bool, lines: Sequence[Line]) -> str:
    machines = dict.fromkeys(str(line.measured.more["device"]) for line in lines)
    text = f"on {'; '.join(machines)}; points are numbered by prediction"
    return f"{text}\nscores {GENERATED}" if generated else text


def _entitle(axes: Axes, generated: bool) -> None:
    if generated:
        axes.set_title(GENERATED, fontsize=9)


_FIGURES: dict[str, tuple[Callable, str]] = {
    "mpii": (_draw_mpii, "PCKh by body part"),
    "human36m": (_draw_human36m, "MPJPE by action"),
    "speed": (_draw_speed, "score against frames a second"),
}
