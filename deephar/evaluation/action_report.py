"""The report of an evaluation of actions: tables, confusions, curves, mistakes."""

import pathlib
import re

import numpy as np
from matplotlib.figure import Figure

from deephar.evaluation.report import plot_training
from deephar.evaluation.tables import (
    Drawing,
    figure,
    markdown_table,
    origin_notes,
    percent,
    receipt_list,
)
from deephar.pages.histograms import literal
from deephar.utils.fonts import give_letters
from deephar.utils.outputs import APART, DECIDING, deciding

ORIGINAL = (
    "The original reports the output that is best on the test videos themselves, and "
    "its loop over many clips counts a video as right that is too short for one clip "
    "or cannot be read: of such a video neither label nor scores are ever set, and the "
    "largest of both is then the first."
)
"""Why its figure differs from the strict one."""

_PARTS = {
    **{f"p{i}": "pose only" for i in range(1, 5)},
    **{f"v{i}": "appearance only" for i in range(1, 5)},
    DECIDING: "merged",
    **dict(zip(APART, ("pose, as merged", "appearance, as merged"), strict=True)),
}
"""What the outputs of a merged network look at."""
_BOTH = "pose and appearance"
"""What those of SPNet look at."""
_SPNET = re.compile(r"act\d+_a\d+")
_WAYS = (
    ("outputs", "strict"),
    ("outputs_shortened", "short ones by a shortened clip"),
    ("outputs_original", "as the original counts"),
)
_MOST_NAMES = 20
_LIGHT, _DARK = "#fefefe", "#101010"
"""Of counts on the squares of a confusion matrix, whatever a page's own colours."""


def accuracy_table(
    scores: dict, paper: float | None = None, original: bool = True
) -> str:
    """Markdown table of the last output of each part of the network: the ablation.

    The parts of a merged network are pose, appearance and both; SPNet has one part.

    Args:
        scores: what `score_actions` returns.
        paper: the paper's accuracy in [0, 1], if there is one to compare with.
        original: whether the original has an evaluation of these videos, and so a way
            to count and a figure in the paper.
    """
    ways = _ways(original)
    rows = [["accuracy (%)", *(name for _, name in ways), *["paper"] * original]]
    counts = deciding(list(scores["outputs"]))
    for name, outputs in _parts(scores).items():
        output = outputs[-1]
        row = [percent(scores[way][output]) for way, _ in ways]
        reported = [percent(paper if output == counts else None)] * original
        rows.append([f"{name} ({output})", *row, *reported])
    if not original:
        return markdown_table(rows)
    best = ["best output on these videos", "-", "-"]
    rows.append(best + [f"{percent(scores['accuracy_best_output'])}", percent(paper)])
    return markdown_table(rows)


def output_table(scores: dict, original: bool = True) -> str:
    """Markdown table of the accuracy of every output; args as of `accuracy_table`."""
    ways = _ways(original)
    rows = [["output", *(name + " (%)" for _, name in ways)]]
    for output in scores["outputs"]:
        rows.append([output, *(percent(scores[way][output]) for way, _ in ways)])
    return markdown_table(rows)


def _ways(original: bool) -> tuple[tuple[str, str], ...]:
    return _WAYS if original else _WAYS[:-1]


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


def confusion_table(scores: dict, output: str | None = None) -> str:
    """Markdown table of confusions: a row for each true action, counts of answers.

    Args:
        scores: what `score_actions` returns.
        output: one of "confusions_apart"; None for the output that counts.
    """
    counts = _confusions(scores, output).tolist()
    head = [f"{output or deciding(list(scores['outputs']))}: true action"]
    rows = [[*head, *scores["labels"], "no answer that counts"]]
    for label, row in zip(scores["labels"], counts, strict=True):
        rows.append([label, *(str(round(count)) for count in row)])
    return markdown_table(rows)


def _confusions(scores: dict, output: str | None) -> np.ndarray:
    counts = scores["confusion"] if output is None else scores["confusions_apart"]
    return np.array(counts if output is None else counts[output], np.float64)


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


def plot_confusion(path, scores: dict, output: str | None = None) -> Figure:
    """Draws the confusions: rows are true actions, in shares of their videos.

    Args:
        path: PNG to write.
        scores: what `score_actions` returns.
        output: one of "confusions_apart"; None for the output that counts.
    """
    counts = _confusions(scores, output)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(3 + 0.28 * len(counts), 16)
    drawn = Figure(figsize=(size + 1, size), dpi=110)
    axes = drawn.add_subplot()
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    ticks = {"fontsize": 8 if len(counts) <= 20 else 6}
    names = list(map(literal, scores["labels"]))
    axes.set_yticks(range(len(counts)), names, **ticks)
    columns = [*names, "none"]
    axes.set_xticks(range(len(columns)), columns, rotation=90, **ticks)
    axes.set_xlabel("answer (none: not read, or too short)")
    axes.set_ylabel("true action")
    if len(counts) <= 20:
        for (row, column), count in np.ndenumerate(counts.astype(int)):
            if count:
                color = _LIGHT if shares[row, column] > 0.5 else _DARK
                axes.text(
                    *(column, row, str(count)),
                    **{"ha": "center", "va": "center", "fontsize": 7, "color": color},
                )
    drawn.colorbar(image, label="% of the action's videos", shrink=0.8)
    give_letters(drawn)
    drawn.savefig(path, bbox_inches="tight")
    return drawn


def plot_outputs(path, scores: dict) -> Figure:
    """Draws the accuracy over the blocks that predict actions.

    Of a merged network the strict accuracy of pose and of appearance, and of both; of
    SPNet the strict one and that of the original.
    """
    axes, save = figure("block", "accuracy (%)")
    parts = _parts(scores)
    curves = {name: _curve(scores, "outputs", of) for name, of in parts.items()}
    if _BOTH in parts:
        original = _curve(scores, "outputs_original", parts[_BOTH])
        curves = {"strict": curves[_BOTH], "as the original counts": original}
        axes.set_xticks(range(1, len(original) + 1), parts[_BOTH], fontsize=8)
        axes.set_xlabel("output")
        axes.tick_params("x", rotation=45 * (len(original) > 4))
    else:
        axes.xaxis.get_major_locator().set_params(integer=True)
        for name, style in zip((DECIDING, *APART), ("--", ":", "-."), strict=True):
            if name in scores["outputs"]:
                (value,), label = curves.pop(_PARTS[name]), f"{_PARTS[name]} ({name})"
                axes.axhline(value, color="k", linestyle=style, label=label)
    for (name, values), style in zip(curves.items(), ("o-", "s--"), strict=True):
        axes.plot(range(1, len(values) + 1), values, style, label=name)
    axes.set_ylim(0, 102)
    axes.legend()
    return save(path)


def _curve(scores: dict, way: str, outputs: list[str]) -> list[float]:
    return [100 * scores[way][output] for output in outputs]


def _parts(scores: dict) -> dict[str, list[str]]:
    """The names of the outputs in order, by what they look at."""
    outputs = list(scores["outputs"])
    if all(map(_SPNET.fullmatch, outputs)):
        return {_BOTH: outputs}
    parts = {}
    for output in outputs:
        parts.setdefault(_PARTS[output], []).append(output)
    return parts


def action_parts(
    folder,
    scores: dict,
    paper: float | None = None,
    level: str = "##",
    name: str = "",
    original: bool = True,
) -> list[str]:
    """What was looked at, the tables and the pictures, as parts of a Markdown page.

    Draws confusion.png and outputs.png; where there are confusions of pose and
    appearance apart, confusion_mmm.png and confusion_mmmvvv.png too.

    Args:
        folder: where to; it is there.
        scores: what `score_actions` returns.
        paper: the paper's accuracy in [0, 1], if there is one to compare with.
        level: begins the headings.
        name: ends the names of the pictures, where a page has several of each.
        original: as of `accuracy_table`.
    """
    folder = pathlib.Path(folder)
    confusion, outputs = f"confusion{name}.png", f"outputs{name}.png"
    confused = plot_confusion(folder / confusion, scores)
    by_output = plot_outputs(folder / outputs, scores)
    apart = [confusion_table(scores)] if scores["confusions_apart"] else []
    for output in scores["confusions_apart"]:
        drawn = f"confusion_{output}{name}.png"
        of = plot_confusion(folder / drawn, scores, output)
        apart.append(confusion_table(scores, output))
        caption = f"confusions of {_PARTS[output]} ({output})"
        apart.append(Drawing(drawn, caption, of))
    return [
        findings(scores),
        accuracy_table(scores, paper, original),
        *[ORIGINAL] * original,
        f"{level} By output",
        output_table(scores, original),
        Drawing(outputs, "accuracy by output", by_output),
        f"{level} By action",
        class_table(scores),
        Drawing(confusion, "confusions", confused),
        *apart,
    ]


def action_page(
    folder,
    scores: dict,
    paper: float | None = None,
    run_folder=None,
    original: bool = True,
) -> list[str]:
    """The parts of evaluation.md; draws its pictures, confusion.png and outputs.png.

    Args:
        folder: where to; it is there.
        scores: what `score_actions` returns, with the receipt under "receipt".
        paper: the paper's accuracy in [0, 1], if there is one to compare with.
        run_folder: the training's run folder, for its curve (training.png).
        original: as of `accuracy_table`.

    Returns:
        The parts, of which none is empty.
    """
    folder = pathlib.Path(folder)
    parts = [
        "# Action recognition",
        receipt_list(scores),
        *origin_notes(scores),
        *action_parts(folder, scores, paper, original=original),
    ]
    curve = folder / "training.png"
    if run_folder is not None and plot_training(curve, run_folder, "accuracy"):
        parts += ["## Training", "![loss and accuracy over the epochs](training.png)"]
    return [part for part in parts if part]
