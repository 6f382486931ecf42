"""Histograms and bars for pages, drawn with matplotlib, imported on the first call."""

from collections.abc import Mapping, Sequence

import numpy as np

BAR = "#4a86cf"
"""Colour of bars, seen on white and on black."""
SECOND = "#e0913a"
"""Colour of what stands out."""
_PARTS = {1: (BAR,), 2: (BAR, SECOND), 3: (BAR, "#a9c7ee", SECOND)}
"""Colours of the parts of a bar."""
_WIDTH = 5.0
_LINE = 0.21
"""Height of a bar with its name, inches."""
_LETTER = 0.072
"""Width of a letter of a name, inches."""
_BELOW, _RIGHT = 0.5, 0.1
"""Margins, inches."""
_MOST_SINGLE = 40
"""Whole numbers of so narrow a range have a bar each."""
_MOST_BARS = 30
_ROOM = 3
"""The axis of whole numbers reaches so far to both sides of their median."""


def histogram(values: Sequence[float], label: str, of: str):
    """Draws how often values occur.

    Whole numbers of a narrow range have a bar each, other values 30 bars together, or
    fewer where they are few. A dashed line is the median.

    Args:
        values: Finite numbers, at least one.
        label: What they are, and their unit.
        of: What is counted.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there are no values or one is not finite.
    """
    values = np.asarray(values, dtype=float)
    if not values.size or not np.isfinite(values).all():
        raise ValueError(
            "`values` must be finite numbers, at least one. "
            f"Received: {values.size} values"
        )
    figure, axes = _figure(2.5)
    whole = (values == np.rint(values)).all()
    if whole and np.ptp(values) < _MOST_SINGLE:
        edges = np.arange(values.min(), values.max() + 2) - 0.5
    else:
        bins = min(_MOST_BARS, int(np.ceil(2 * np.sqrt(values.size))))
        edges = np.histogram_bin_edges(values, bins)
    gap = 0.86 if whole and len(edges) < _MOST_SINGLE else 0.94
    axes.hist(values, edges, color=BAR, rwidth=gap)
    middle = np.median(values)
    axes.axvline(middle, color=SECOND, linewidth=1.2, linestyle="--")
    if whole:
        axes.xaxis.get_major_locator().set_params(integer=True)
        least = middle - _ROOM if edges[0] < 0 else max(middle - _ROOM, -0.5)
        axes.set_xlim(min(edges[0], least), max(edges[-1], middle + _ROOM))
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.ticklabel_format(axis="y", scilimits=(-4, 5))
    axes.set_xlabel(label)
    axes.set_ylabel(of)
    return figure


def bars(counts: Mapping[str, float], label: str):
    """Draws a bar for every name, the first at the top, and its number.

    Args:
        counts: Numbers by name, at least one.
        label: What they count.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    return stacked_bars({name: [number] for name, number in counts.items()}, label)


def stacked_bars(
    parts: Mapping[str, Sequence[float]],
    label: str,
    names: Sequence[str] = (),
    most: float | None = None,
):
    """Draws a bar for every name that is made of one to three parts.

    Args:
        parts: For every name the lengths of its parts, at least one name.
        label: What they measure.
        names: What the parts are, for the legend; none for no legend.
        most: End of the axis; None for that of the longest bar.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is nothing to draw, or parts are not one to three.
    """
    sizes = {len(one) for one in parts.values()}
    if len(sizes) != 1 or not sizes <= {1, 2, 3}:
        raise ValueError(
            "`parts` must have one to three numbers for each name. "
            f"Received: {dict(list(parts.items())[:3])}"
        )
    lengths = np.array(list(parts.values()), dtype=float)
    rows = np.arange(len(lengths))
    shown = [literal(_short(name)) for name in parts]
    left = 0.15 + _LETTER * max(map(len, shown))
    top = 0.3 if names else 0.1
    figure, axes = _figure(_BELOW + top + _LINE * (len(rows) + 0.4), left, top)
    ends = lengths.cumsum(axis=1)
    for number, color in enumerate(_PARTS[lengths.shape[1]]):
        start = ends[:, number] - lengths[:, number]
        title = names[number] if names else None
        axes.barh(rows, lengths[:, number], 0.72, start, color=color, label=title)
    most = most or max(float(ends[:, -1].max()), 1.0) * 1.12
    _write_ends(axes, ends[:, -1].tolist(), most / 100)
    axes.set_yticks(rows, shown, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, most)
    if (lengths == np.rint(lengths)).all():
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(label)
    axes.tick_params(axis="y", length=0)
    if names:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1)}
        axes.legend(frameon=False, fontsize=8, ncols=3, **place)
    return figure


def literal(name: str) -> str:
    """A name as matplotlib draws it: in one line, what is in $ not as a formula."""
    return " ".join(name.splitlines()).replace("$", r"\$")


def _write_ends(axes, ends: Sequence[float], gap: float) -> None:
    """Writes beside each bar how long it is."""
    for row, end in enumerate(ends):
        text = f"{end:.0f}" if round(end, 6).is_integer() else f"{end:.1f}"
        axes.text(end + gap, row, text, va="center", fontsize=7.5)


def _short(name: str, most: int = 34) -> str:
    """A name beside a bar."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _figure(height: float, left: float = 0.62, top: float = 0.12):
    """A figure of a height with margins for its texts, inches, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure((_WIDTH, height))
    axes = figure.add_axes(
        (
            *(left / _WIDTH, _BELOW / height),
            *(1 - (left + _RIGHT) / _WIDTH, 1 - (_BELOW + top) / height),
        )
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_size(9)
    axes.yaxis.label.set_size(9)
    return figure, axes
