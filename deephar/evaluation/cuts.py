"""Time and score of a network that is cut after each of its predictions.

A network that predicts again and again can be stopped early: it then computes less and
knows less. `time_in_turn` measures what each cut costs, `cut_page` and `plot_cuts` show
that beside what it scores.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deephar.evaluation.tables import POSE_SCORES, markdown_table, percent, receipt_list

NO_ACTION = "no action"


def time_in_turn(
    runs: Sequence[Callable[[], object]], repeats: int, warm: int = 2
) -> np.ndarray:
    """Times several functions, each in turn, so that a noisy machine is fair to them.

    Args:
        runs: what is timed; each returns only when its work is done.
        repeats: rounds that count; every round calls each function once, the odd ones
            in the opposite order.
        warm: calls of each function before, that do not count.

    Returns:
        `(functions, repeats)`, seconds.

    Raises:
        ValueError: if `repeats` is below 1.
    """
    if repeats < 1:
        raise ValueError(f"`repeats` must be at least 1. Received: {repeats=}")
    for run in runs:
        for _ in range(warm):
            run()
    seconds = np.empty((len(runs), repeats))
    order = list(range(len(runs)))
    for number in range(repeats):
        for index in order if number % 2 == 0 else reversed(order):
            start = time.perf_counter()
            runs[index]()
            seconds[index, number] = time.perf_counter() - start
    return seconds


def speed(seconds: np.ndarray, frames: int) -> dict:
    """What the times of one function say of its speed.

    Args:
        seconds: `(repeats,)`, of one call each.
        frames: frames that a call computes.

    Returns:
        `{"frames_per_second", "ms_per_frame", "ms_per_frame_quartiles"}`: of the median
        call, and the quarters of the calls that were faster and slower (lower, upper).
    """
    milliseconds = 1000 * np.asarray(seconds) / frames
    low, median, high = map(float, np.percentile(milliseconds, (25, 50, 75)))
    return {
        "frames_per_second": 1000 / median,
        "ms_per_frame": median,
        "ms_per_frame_quartiles": [low, high],
    }


def pose_score(scores: dict) -> str:
    """Which of POSE_SCORES the cuts have."""
    return next(name for name in POSE_SCORES if name in scores["cuts"][0])


def cut_table(scores: dict) -> str:
    """Markdown table with a row for each cut.

    Args:
        scores: `{"cuts": [{"prediction", "pose", "action" or None, "parameters",
            "frames_per_second", "ms_per_frame", "ms_per_frame_quartiles", "pckh" or
            "pck", "accuracy" or None}]}`, and those of the original, "..._original".
    """
    score = pose_score(scores)
    head = ["prediction", "outputs", "parameters", "frames/s", "ms a frame"]
    head += ["quartiles", f"{POSE_SCORES[score][0]} (%)", "accuracy (%)"]
    rows = [head]
    for cut in scores["cuts"]:
        names = f"{cut['pose']}, {cut['action'] or NO_ACTION}"
        low, high = cut["ms_per_frame_quartiles"]
        rows.append(
            [
                str(cut["prediction"]),
                names,
                f"{cut['parameters']:,}",
                f"{cut['frames_per_second']:.1f}",
                f"{cut['ms_per_frame']:.2f}",
                f"{low:.2f} to {high:.2f}",
                percent(cut[score]),
                percent(cut["accuracy"]) if cut["action"] else NO_ACTION,
            ]
        )
    return markdown_table(rows)


def plot_cuts(path, scores: dict) -> None:
    """Draws the score of each cut against its time: poses, and actions.

    Args:
        path: PNG to write.
        scores: as of `cut_table`.
    """
    drawn = Figure(figsize=(10, 4), dpi=110, layout="constrained")
    poses, actions = drawn.subplots(1, 2, sharex=True)
    score = pose_score(scores)
    acting = [cut for cut in scores["cuts"] if cut["action"]]
    _draw(
        poses, scores["cuts"], score, f"poses: {', '.join(POSE_SCORES[score][::2])} (%)"
    )
    _draw(actions, acting, "accuracy", "actions: strict accuracy (%)")
    if not acting:
        center = {"ha": "center", "va": "center", "transform": actions.transAxes}
        actions.text(0.5, 0.5, "no cut predicts an action", **center)
    drawn.savefig(path)


def _draw(axes: Axes, cuts: list[dict], score: str, label: str) -> None:
    """One curve, its points numbered by prediction, with the quartiles of the time."""
    axes.set_xlabel("ms a frame")
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    if not cuts:
        axes.set_ylim(0, 100)
        return
    times = np.array([cut["ms_per_frame"] for cut in cuts])
    quartiles = np.array([cut["ms_per_frame_quartiles"] for cut in cuts]).T
    values = [100 * cut[score] for cut in cuts]
    draw_curve(axes, times, quartiles, values, [cut["prediction"] for cut in cuts])
    axes.set_ylim(max(min(values) - 10, -3), min(max(values) + 10, 105))


def draw_curve(
    axes: Axes,
    times: Sequence[float],
    quartiles: np.ndarray,
    values: Sequence[float],
    numbers: Sequence[int],
    **style,
) -> None:
    """Draws scores against time, points with their numbers and middle of their times.

    Args:
        axes: where to; times begin at 0.
        times: the medians.
        quartiles: `(2, points)`, lower and upper.
        values: the scores.
        numbers: what the points are called.
        style: more of `Axes.errorbar`.
    """
    spread = np.abs(quartiles - np.asarray(times))
    look = {"fmt": "o-", "capsize": 2, "markersize": 4}
    line, *_ = axes.errorbar(times, values, xerr=spread, **look, **style)
    place = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
    for x, y, number in zip(times, values, numbers, strict=True):
        axes.annotate(str(number), (x, y), fontsize=8, color=line.get_color(), **place)
    axes.set_xlim(left=0)


def cut_page(scores: dict) -> list[str]:
    """The parts of evaluation.md, whose picture is speed.png.

    Args:
        scores: as of `cut_table`, with "device", "batch_size" (clips), "frames" of a
            clip, "repeats", "cores", "precision" and "receipt".
    """
    clips = scores["batch_size"]
    score, _, people = POSE_SCORES[pose_score(scores)]
    return [
        "# Time and score by prediction",
        receipt_list(scores),
        f"On {scores['device']}, {scores['cores']} cores, in {scores['precision']}: "
        f"{clips} clip{'s' * (clips > 1)} of {scores['frames']} frames a step; median "
        f"and quartiles of {scores['repeats']} steps, the cuts in turn.",
        cut_table(scores),
        f"{score}: {people}. Accuracy: strict, of one clip a video; a prediction "
        "without an action has none. Both are of a prediction's own outputs.",
        "![score against time](speed.png)",
    ]
