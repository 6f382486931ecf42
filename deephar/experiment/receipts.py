"""Receipts of results: command, date, data, network and weights, as far as known."""

import datetime
import json
import pathlib
from collections.abc import Mapping

from deephar.checkpoints import recognise
from deephar.experiment.origins import origin_of
from deephar.experiment.run import command
from deephar.networks.cuts import CUT_FROM
from deephar.networks.known_weights import NETWORK
from deephar.networks.recipes import other_settings
from deephar.utils.fs import md5_of

BEST, LAST, SCORES = "weights_best.", "weights_last.", "scores.json"
"""How a training's weights are called, and its scores by epoch beside them."""
CHOSEN = (
    f"the best epoch by the scores of the training ({SCORES}); on the data that those "
    "were made on, the figures are too good: weights_last.weights.h5 is not chosen"
)
"""What a receipt says of such weights."""


def receipt(
    weights: str | None,
    data: str | Mapping[str, str],
    *,
    evaluation: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> dict:
    """Where a result comes from, in words and figures.

    Args:
        weights: the weights file.
        data: folder of the data, or its file of annotations; or by name where there
            are several.
        evaluation: the kind of evaluation, one of `evaluation.results.KINDS` or
            OTHER_KINDS; None for what is none (predictions, boxes).
        settings: the network's, what `network_settings` returned.

    Returns:
        `{"command", "date", "data", "origin", "weights", "weights_md5", "published",
        "evaluation", "network", "other_settings"}`: "date" is ISO 8601 with the time of
        day; "origin" what `origin_of` says of the data, by name where there are several
        folders; "published" the name of the published weights whose md5 these have;
        "other_settings" those that are not the paper's. Weights that a training chose
        by its scores, or that began with such, have "weights_chosen", which says so; of
        a network that is cut "cut_from" has the settings of the whole that differ.
    """
    known = {
        "command": command(),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "data": str(data),
        "origin": None,
        "weights": weights,
        "weights_md5": None,
        "published": None,
        "evaluation": evaluation,
        "network": None if settings is None else settings[NETWORK],
        "other_settings": None if settings is None else other_settings(settings),
    }
    if settings is not None and CUT_FROM in settings:
        known[CUT_FROM] = settings[CUT_FROM]
    if isinstance(data, Mapping):
        known["data"] = {name: str(folder) for name, folder in data.items()}
        known["origin"] = {name: origin_of(folder) for name, folder in data.items()}
    else:
        known["origin"] = origin_of(data)
    if weights is not None:
        path = pathlib.Path(weights)
        known["weights_md5"] = md5_of(path)
        published, certain = recognise(path)
        known["published"] = published.name if certain else None
        chosen = why_chosen(path)
        if chosen is not None:
            known["weights_chosen"] = chosen
    return known


def why_chosen(weights: pathlib.Path) -> str | None:
    """Why weights count as chosen by the scores of a training.

    They do if they are a training's best weights, by name or as a copy beside them, or
    if the training beside them began with such, by the flags on record. What was moved
    away from its run folder, or converted, cannot be told.

    Args:
        weights: the file.

    Returns:
        The reason; None if nothing says that they were chosen.
    """
    if _is_best(weights):
        return CHOSEN
    seen, waiting = {weights.parent.resolve()}, _first_weights(weights.parent)
    while waiting:
        first = waiting.pop()
        if _is_best(first):
            return f"the training began with {first}, which is {CHOSEN}"
        folder = first.parent.resolve()
        if folder not in seen:
            seen.add(folder)
            waiting += _first_weights(folder)
    return None


def _is_best(weights: pathlib.Path) -> bool:
    """Whether weights are a training's best ones; the last ones no score chose."""
    folder = weights.parent
    if weights.name.startswith(LAST) or not (folder / SCORES).is_file():
        return False
    if weights.name.startswith(BEST):
        return True
    best = [path for path in folder.glob(f"{BEST}*") if path.is_file()]
    return weights.is_file() and md5_of(weights) in map(md5_of, best)


def _first_weights(folder: pathlib.Path) -> list[pathlib.Path]:
    """The weights that the trainings of a run folder began with."""
    found = []
    for record in sorted(folder.glob("arguments_train_*.json")):
        flags = json.loads(record.read_text(encoding="utf-8"))
        found += [flags.get(name) for name in ("weights", "pose_weights")]
    return [pathlib.Path(path) for path in found if path]
