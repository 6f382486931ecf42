"""What a run folder tells of a training: curves, scores, settings; and as a page."""

import csv
import json
import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from deephar.evaluation.lifting import training_figures
from deephar.evaluation.tables import CURVES
from deephar.pages import Page

LOSSES, SCORES, MODEL = "losses.csv", "scores.json", "model.json"
TRAINING_PAGE = "training.html"
_REPLACED = "replaced"
_FALLS = ("mpjpe", "p_mpjpe", "n_mpjpe", "loss")
"""Scores of which the smallest is best."""
_LOG_FROM = 20
"""Curves that span so many times their smallest value have a logarithmic axis."""
_SIZE = (6, 3.4)
Rows = list[dict[str, float]]


def read_losses(folder: pathlib.Path) -> Rows:
    """The rows of losses.csv, epochs counted from 1; none where there is no file."""
    path = pathlib.Path(folder) / LOSSES
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = [
            {name: float(value) if value else math.nan for name, value in row.items()}
            for row in csv.DictReader(file)
        ]
    shift = 1 - rows[0]["epoch"] if rows else 0
    return [{**row, "epoch": row["epoch"] + shift} for row in rows]


def read_scores(folder: pathlib.Path) -> dict[int, dict]:
    """The figures of scores.json by epoch; none where there is no file."""
    path = pathlib.Path(folder) / SCORES
    if not path.is_file():
        return {}
    scores = json.loads(path.read_text(encoding="utf-8"))
    return {int(epoch): figures for epoch, figures in scores.items()}


def add_training(page: Page, folder: str | pathlib.Path) -> bool:
    """Puts the curves and scores of a training on a page.

    Args:
        page: the page.
        folder: its run folder.

    Returns:
        False if the folder holds no losses, and nothing was put there.
    """
    folder = pathlib.Path(folder)
    rows, scores = read_losses(folder), read_scores(folder)
    if not rows:
        return False
    page.heading("Training")
    page.text(_course(rows, scores))
    drawn = _figures(rows, scores)
    page.figures([(figure, words[:1].upper() + words[1:]) for figure, words in drawn])
    if scores:
        _add_scores(page, scores)
    return True


def write_training_page(folder: str | pathlib.Path) -> pathlib.Path | None:
    """Writes training.html to the run folder of a training.

    Returns:
        Its path; None if no epoch is over, and nothing was written.
    """
    folder = pathlib.Path(folder)
    page = Page(f"Training: {folder.resolve().name}", _network(folder))
    if not add_training(page, folder):
        return None
    _add_settings(page, folder)
    return page.write(folder / TRAINING_PAGE)


def _network(folder: pathlib.Path) -> str:
    path = folder / MODEL
    if not path.is_file():
        return ""
    settings = json.loads(path.read_text(encoding="utf-8"))
    told = {name: _shortly(name, value) for name, value in settings.items()}
    return ", ".join(f"{name} {value}" for name, value in told.items() if value)


def _shortly(name: str, value: Any) -> str:
    """A setting in a few words; "" of what has a place of its own."""
    if isinstance(value, Mapping):
        return f"{value.get('name', '')} of {len(value.get('joints', ()))} joints"
    return "" if name == _REPLACED else str(value)


def _add_settings(page: Page, folder: pathlib.Path) -> None:
    """The network's new heads, and the command and flags of trainings on record."""
    model, records = folder / MODEL, sorted(folder.glob("arguments_train_*.json"))
    settings = json.loads(model.read_text("utf-8")) if model.is_file() else {}
    if records or _REPLACED in settings:
        page.heading("Settings")
    if _REPLACED in settings:
        page.text("Heads that were new: " + "; ".join(settings[_REPLACED]) + ".")
    for path in records:
        flags = json.loads(path.read_text(encoding="utf-8"))
        page.code(str(flags.pop("command", path.stem)))
        page.facts(flags, folded="Every flag")


def _course(rows: Rows, scores: Mapping[int, dict]) -> str:
    text = f"{len(rows)} epoch{'s' * (len(rows) > 1)}."
    monitor = _monitor(rows)
    if monitor is None or not scores:
        return text
    best = best_epoch(scores, monitor)
    if best is None:
        return f"{text} No {_name(monitor)} is finite."
    factor = _scale(monitor)
    chosen = {"the last": max(scores), "the best": best}
    chosen = {epoch: words for words, epoch in chosen.items()}
    told = [
        f"{factor * scores[epoch][monitor]:.1f} at epoch {epoch}, {words}"
        for epoch, words in sorted(chosen.items())
    ]
    return f"{text} {_name(monitor)}: {'; '.join(told)}."


def best_epoch(scores: Mapping[int, dict], monitor: str) -> int | None:
    """The epoch with the best score, as trainings choose it; None if none is finite."""
    values = {epoch: figures.get(monitor) for epoch, figures in scores.items()}
    known = {e: v for e, v in values.items() if v is not None and math.isfinite(v)}
    if not known:
        return None
    return (min if monitor in _FALLS else max)(known, key=known.get)


def _monitor(rows: Rows) -> str | None:
    """The score that the training watched, by its column."""
    watched = [name for row in rows for name in row if name.startswith("val_")]
    return watched[0].removeprefix("val_") if watched else None


def _name(monitor: str) -> str:
    return CURVES[monitor][0] if monitor in CURVES else monitor


def _scale(monitor: str) -> float:
    return CURVES[monitor][1] if monitor in CURVES else 1


def _figures(rows: Rows, scores: Mapping[int, dict]) -> Iterator[tuple[Figure, str]]:
    """Yields (figure, caption): losses, every score that is known, learning rate."""
    lifting = list(training_figures(rows))
    yield from ((figure, caption) for _, caption, figure in lifting)
    losses = [name for name in rows[0] if "loss" in name]
    if not lifting and losses:
        yield _curves("loss", rows, losses), "Loss over the epochs"
    for monitor in CURVES:
        points = [
            {"epoch": epoch, monitor: _scale(monitor) * figures[monitor]}
            for epoch, figures in scores.items()
            if figures.get(monitor) is not None
        ]
        if points:
            best = best_epoch(scores, monitor)
            drawn = _curves(_name(monitor), points, [monitor], CURVES[monitor][2], best)
            marked = ", the best marked" * (best is not None)
            yield drawn, f"{_name(monitor)} on the validation data{marked}"
    if "learning_rate" in rows[0]:
        yield _curves("learning rate", rows, ["learning_rate"]), "Learning rate"


def _curves(
    unit: str,
    rows: Sequence[Mapping[str, float]],
    names: Sequence[str],
    top: float | None = None,
    marked: int | None = None,
) -> Figure:
    figure = Figure(figsize=_SIZE)
    axes = figure.add_subplot(xlabel="epoch", ylabel=unit)
    axes.grid(alpha=0.3)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    epochs = [row["epoch"] for row in rows]
    margin = 0.05 * (epochs[-1] - epochs[0]) or 0.5
    axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
    style = "o-" if len(rows) < 40 else "-"
    values = {name: [row.get(name, math.nan) for row in rows] for name in names}
    for name, curve in values.items():
        axes.plot(epochs, curve, style, markersize=4, label=name)
    known = [v for curve in values.values() for v in curve if math.isfinite(v)]
    if top is not None:
        axes.set_ylim(0, top)
    elif known and min(known) > 0 and max(known) > _LOG_FROM * min(known):
        axes.set_yscale("log")
    elif len(set(known)) == 1:
        axes.set_ylim(0, 2 * known[0] or 1)
    if marked is not None:
        place = values[names[0]][epochs.index(marked)]
        star = {"color": "tab:red", "markersize": 13, "clip_on": False, "zorder": 3}
        axes.plot(marked, place, "*", **star)
    if len(names) > 1:
        axes.legend(fontsize=8, ncols=1 + len(names) // 9)
    return figure


def _add_scores(page: Page, scores: Mapping[int, dict]) -> None:
    """Tables of the last epoch's scores, of every task where there are several."""
    last = scores[max(scores)]
    for figures in last.get("scores", {"": last}).values():
        for key, words in (("per_joint", "joint"), ("per_action", "action")):
            values = figures.get(key)
            if values:
                rows = [(label, *_cells(value)) for label, value in values.items()]
                page.heading(f"By {words}, epoch {max(scores)}", 3)
                page.table((words, *_columns(values, _measure(figures))), rows)


def _measure(figures: Mapping[str, object]) -> str:
    """What the figures of a task are, with its unit."""
    known = (_name(monitor) for monitor in CURVES if monitor in figures)
    return next(known, "%")


def _columns(values: Mapping[str, object], measure: str) -> list[str]:
    one = next(iter(values.values()))
    return list(one) if isinstance(one, dict) else [measure]


def _cells(value) -> list[str]:
    """A share in percent, or a row of figures as they are."""
    if isinstance(value, dict):
        return [
            f"{one:.1f}" if isinstance(one, float) else one for one in value.values()
        ]
    known = value is not None and math.isfinite(value)
    return [f"{100 * value:.1f}" if known else "-"]
