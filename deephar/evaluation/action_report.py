"""The report of an evaluation of actions: tables, confusions, curves, mistakes."""

import pathlib

import numpy as np
from matplotlib.figure import Figure

from deephar.evaluation.report import plot_training
from deephar.evaluation.tables import figure, markdown_table, percent

ORIGINAL = (
    "The original reports the output that is best on the test videos themselves, and "
    "its loop over many clips counts a video as right that is too short for one clip "
    "or cannot be read: of such a video neither label nor scores are ever set, and the "
    "largest of both is then the first."
)
"""Why its figure differs from the strict one."""

_PARTS = (("p", "pose only"), ("v", "appearance only"), ("m", "merged"))
_WAYS = (
    ("outputs", "strict"),
    ("outputs_shortened", "short ones by a shortened clip"),
    ("outputs_original", "as the original counts"),
)
_MOST_NAMES = 20


def accuracy_table(scores: dict, paper: float | None = None) -> str:
    """Markdown table of the last outputs, pose, appearance and both: the ablation.

    Args:
        scores: what `score_actions` returns.
        paper: the paper's accuracy in [0, 1], if there is one to compare with.
    """
    rows = [["accuracy (%)", *(name for _, name in _WAYS), "paper"]]
    for letter, name in _PARTS:
        output = _of_part(scores, letter)[-1]
        row = [percent(scores[way][output]) for way, _ in _WAYS]
        rows.append(
            [f"{name} ({output})", *row, percent(paper if letter == "m" else None)]
        )
    best = ["best output on these videos", "-", "-"]
    rows.append(best + [f"{percent(scores['accuracy_best_output'])}", percent(paper)])
    return markdown_table(rows)


def output_table(scores: dict) -> str:
    """Markdown table of the accuracy of every output."""
    rows = [["output", *(name + " (%)" for _, name in _WAYS)]]
    for output in scores["outputs"]:
        rows.append([output, *(percent(scores[way][output]) for way, _ in _WAYS)])
    return markdown_table(rows)


def class_table(scores: dict) -> str:
    """Markdown table of the strict accuracy by action, and the commonest mistake."""
    rows = [["action", "videos", "accuracy (%)", "most often taken for"]]
    counts = np.array(scores["confusion"])
    names = [*scores["labels"], "no answer that counts"]
    for number, label in enumerate(scores["labels"]):
        wrong = counts[number].copy()
        wrong[number] = 0
        mistake = f"{names[wrong.argmax()]} ({wrong.max()})" if wrong.any() else "-"
        share = percent(scores["per_action"][label])
        rows.append([label, str(counts[number].sum()), share, mistake])
    return markdown_table(rows)


def findings(scores: dict) -> str:
    """What was looked at, and by name what is wrong with the videos, as Markdown."""
    looks = "many clips" if scores["multi_clip"] else "one clip"
    looks += " each, also mirrored" if scores["flip"] else " each"
    lines = [f"{scores['videos']} videos, {looks}; {scores['clips']} clips in all."]
    for key, name in (
        ("unreadable", "with pictures that cannot be read, counted as wrong"),
        ("too_short", "too short for a clip, strictly counted as wrong"),
        ("not_finite", "with scores that are not finite, counted as wrong"),
    ):
        names = scores[key]
        if names:
            more = f" and {len(names) - _MOST_NAMES} more" * (len(names) > _MOST_NAMES)
            shown = ", ".join(names[:_MOST_NAMES]) + more
            lines.append(f"- {len(names)} {name}: {shown}")
    if scores["unboxed"]:
        lines.append(
            f"- {scores['unboxed']} looks without a box in the file: the data set's own"
        )
    return "\n".join([lines[0], "", *lines[1:]]).rstrip()


def plot_confusion(path, scores: dict) -> None:
    """Draws the confusions: rows are true actions, in shares of their videos.

    Args:
        path: PNG to write.
        scores: what `score_actions` returns.
    """
    counts = np.array(scores["confusion"], np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(3 + 0.28 * len(counts), 16)
    drawn = Figure(figsize=(size + 1, size), dpi=110)
    axes = drawn.add_subplot()
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    ticks = {"fontsize": 8 if len(counts) <= 20 else 6}
    axes.set_yticks(range(len(counts)), scores["labels"], **ticks)
    columns = [*scores["labels"], "none"]
    axes.set_xticks(range(len(columns)), columns, rotation=90, **ticks)
    axes.set_xlabel("answer (none: not read, or too short)")
    axes.set_ylabel("true action")
    if len(counts) <= 20:
        for (row, column), count in np.ndenumerate(counts.astype(int)):
            if count:
                color = "white" if shares[row, column] > 0.5 else "black"
                axes.text(
                    *(column, row, str(count)),
                    **{"ha": "center", "va": "center", "fontsize": 7, "color": color},
                )
    drawn.colorbar(image, label="% of the action's videos", shrink=0.8)
    drawn.savefig(path, bbox_inches="tight")


def plot_outputs(path, scores: dict) -> None:
    """Draws the strict accuracy over the blocks, of pose and of appearance."""
    axes, save = figure("block", "accuracy (%)")
    for letter, name in _PARTS[:2]:
        values = [100 * scores["outputs"][o] for o in _of_part(scores, letter)]
        axes.plot(range(1, len(values) + 1), values, "o-", label=name)
    merged = 100 * scores["accuracy"]
    axes.axhline(merged, color="k", linestyle="--", label="merged")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(0, 102)
    axes.legend()
    save(path)


def _of_part(scores: dict, letter: str) -> list[str]:
    """The names of a part's outputs, in order."""
    return [output for output in scores["outputs"] if output.startswith(letter)]


def action_page(
    folder, scores: dict, paper: float | None = None, run_folder=None
) -> list[str]:
    """The parts of evaluation.md; draws its pictures, confusion.png and outputs.png.

    Args:
        folder: where to; it is there.
        scores: what `score_actions` returns, with the receipt under "receipt".
        paper: the paper's accuracy in [0, 1], if there is one to compare with.
        run_folder: the training's run folder, for its curve (training.png).

    Returns:
        The parts, of which none is empty.
    """
    folder = pathlib.Path(folder)
    plot_confusion(folder / "confusion.png", scores)
    plot_outputs(folder / "outputs.png", scores)
    parts = [
        "# Action recognition",
        "\n".join(f"- {k}: {v}" for k, v in scores.get("receipt", {}).items()),
        findings(scores),
        accuracy_table(scores, paper),
        ORIGINAL,
        "## By output",
        output_table(scores),
        "![accuracy by output](outputs.png)",
        "## By action",
        class_table(scores),
        "![confusions](confusion.png)",
    ]
    curve = folder / "training.png"
    if run_folder is not None and plot_training(curve, run_folder, "accuracy"):
        parts += ["## Training", "![loss and accuracy over the epochs](training.png)"]
    return [part for part in parts if part]
