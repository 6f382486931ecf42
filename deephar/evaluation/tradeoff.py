"""Score against time of networks that are cut after each of their predictions.

Of several networks, and every prediction that they can be cut after: what it scores and
what it costs, and which of all these no other beats, the Pareto front.
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deephar.evaluation.cuts import draw_curve
from deephar.evaluation.tables import markdown_table, percent
from deephar.pages.histograms import literal

_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")
_FRONT = "#444444"


@dataclasses.dataclass(frozen=True)
class Cut:
    """A network that ends after a prediction, and what is known of it.

    Attributes:
        network: what the weights are called.
        block: the prediction, from 1.
        parameters: its size.
        score: in [0, 1].
        milliseconds: by batch size, those of one crop or clip in every timed call.
    """

    network: str
    block: int
    parameters: int
    score: float
    milliseconds: dict[int, np.ndarray]

    def median(self, size: int) -> float:
        """Milliseconds of the median call at a batch size."""
        return float(np.median(self.milliseconds[size]))

    def to_dict(self) -> dict:
        """As JSON takes it: of the times the median, the lowest and the highest."""
        times = {
            size: {"median": self.median(size), "lowest": low, "highest": high}
            for size, some in self.milliseconds.items()
            for low, high in [(float(some.min()), float(some.max()))]
        }
        return {**vars(self), "milliseconds": times}


def pareto_front(times: Sequence[float], scores: Sequence[float]) -> np.ndarray:
    """Which of some points no other beats.

    A point is beaten if another is as fast and as good, and faster or better.

    Args:
        times: less is better.
        scores: more is better.

    Returns:
        `(points,)` bool.

    Raises:
        ValueError: if they are not as many.
    """
    times, scores = np.asarray(times, float), np.asarray(scores, float)
    if times.shape != scores.shape or times.ndim != 1:
        raise ValueError(
            "`times` and `scores` must be two lists of one length. "
            f"Received: shapes {times.shape} and {scores.shape}"
        )
    no_worse = (times[:, None] <= times) & (scores[:, None] >= scores)
    better = (times[:, None] < times) | (scores[:, None] > scores)
    return ~(no_worse & better).any(axis=0)


def fronts(cuts: Sequence[Cut]) -> dict[int, list[bool]]:
    """Which cuts are on the Pareto front, by batch size."""
    scores = [cut.score for cut in cuts]
    return {
        size: pareto_front([cut.median(size) for cut in cuts], scores).tolist()
        for size in cuts[0].milliseconds
    }


def tradeoff_table(cuts: Sequence[Cut], score: str, unit: str) -> str:
    """Markdown table with a row for each cut; a star marks the Pareto front.

    Args:
        cuts: of one or several networks.
        score: what the score is called.
        unit: what a time is of: "crop" or "clip".
    """
    marks = fronts(cuts)
    rows = [["network", "predictions", "parameters", f"{score} (%)"]]
    rows[0] += [f"ms a {unit}, batch {size} (range)" for size in marks]
    for number, cut in enumerate(cuts):
        row = [cut.network, str(cut.block), f"{cut.parameters:,}", percent(cut.score)]
        for size, front in marks.items():
            times = cut.milliseconds[size]
            text = f"{cut.median(size):.2f} ({times.min():.2f} to {times.max():.2f})"
            row.append(text + " \\*" * front[number])
        rows.append(row)
    return markdown_table(rows)


def tradeoff_page(
    path: pathlib.Path, cuts: Sequence[Cut], score: str, unit: str, about: str
) -> str:
    """Draws the picture, and returns the page that shows it, in Markdown.

    Args:
        path: PNG to write, beside which the page will lie.
        cuts, score, unit: as of `tradeoff_table`.
        about: where the figures come from.
    """
    plot_tradeoff(path, cuts, score, unit)
    parts = ["# Score against time", f"{about} \\*: on the Pareto front."]
    parts += [
        tradeoff_table(cuts, score, unit),
        f"![{score} against time]({path.name})",
    ]
    return "\n\n".join(parts) + "\n"


def plot_tradeoff(
    path: str | os.PathLike, cuts: Sequence[Cut], score: str, unit: str
) -> None:
    """Draws score against time, a panel for each batch size.

    A line joins the cuts of a network, whose points are numbered by prediction; the bar
    of a point has the middle half of its times. Points on the Pareto front have a ring,
    and a dotted line leads from one to the next.

    Args:
        path: PNG to write.
        cuts, score, unit: as of `tradeoff_table`.
    """
    marks = fronts(cuts)
    width = 5.2 * len(marks)
    drawn = Figure(figsize=(max(width, 6), 4.4), dpi=110, layout="constrained")
    panels = drawn.subplots(1, len(marks), sharey=True, squeeze=False)[0]
    for axes, (size, front) in zip(panels, marks.items(), strict=True):
        _draw(axes, cuts, size, front)
        axes.set_xlabel(f"ms a {unit}, batch {size}")
    panels[0].set_ylabel(f"{score} (%)")
    panels[-1].legend(loc="lower right", fontsize=8)
    drawn.savefig(path)


def _draw(axes: Axes, cuts: Sequence[Cut], size: int, front: list[bool]) -> None:
    """The panel of a batch size."""
    names = list(dict.fromkeys(cut.network for cut in cuts))
    for name, color in zip(names, _colors(len(names)), strict=True):
        own = [cut for cut in cuts if cut.network == name]
        x, y = [cut.median(size) for cut in own], [100 * cut.score for cut in own]
        quarters = [np.percentile(cut.milliseconds[size], (25, 75)) for cut in own]
        style = {"label": literal(name), "color": color}
        draw_curve(
            axes, x, np.transpose(quarters), y, [cut.block for cut in own], **style
        )
    best = [cut for cut, chosen in zip(cuts, front, strict=True) if chosen]
    best.sort(key=lambda cut: cut.median(size))
    x, y = [cut.median(size) for cut in best], [100 * cut.score for cut in best]
    ring = {"markerfacecolor": "none", "markersize": 10, "color": _FRONT}
    axes.plot(x, y, "o:", linewidth=1, label="Pareto front", **ring)
    axes.grid(alpha=0.3)
    axes.margins(y=0.12)


def _colors(count: int) -> list[str]:
    return [_COLORS[i % len(_COLORS)] for i in range(count)]
