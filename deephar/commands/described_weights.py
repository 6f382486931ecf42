"""What weights are of, for `info`: the file, the network, and whether they fit."""

import json
import pathlib
from collections.abc import Mapping

import keras

from deephar import checkpoints
from deephar.checkpoints.download import state_of, weights_folder
from deephar.checkpoints.lifting import NETWORKS as LIFTING_PARTS
from deephar.checkpoints.lifting import network_arguments, read_lifting
from deephar.checkpoints.pytorch import is_pytorch
from deephar.models import lifting
from deephar.networks import (
    NETWORKS,
    SHIPPED,
    build_network,
    count_cuts,
    cut_network,
    cut_settings,
    load_network,
    poselayout,
    replaced_heads,
    what_is_known,
)
from deephar.networks.classes import class_names
from deephar.networks.lifting import build_lifting, load_lifting
from deephar.networks.published import settings_of

RECEIPT = "receipt.json"
"""Beside weights: where they come from."""
_UNKNOWN = (
    "nothing tells: its md5 is not a published one, and no model.json lies beside it"
)


def describe_weights(weights: str, block: int | None = None) -> dict:
    """Describes weights.

    Args:
        weights: a file, a published name or that of weights that come with the package.
        block: describe the network cut there; None for all of it.

    Returns:
        "weights", as given; of a file what `checkpoints.describe` returns, and the
        "receipt" beside it; "told by", what tells the network, "network", "about",
        "settings", "cuts", "joints", "axes", "actions"; "replaced", the heads that
        its training made anew, if any; "parameters", and "fits", whether the file fits
        the network, with "error" if it does not. Of a published file that is not there:
        "fetch", where it can be had.

    Raises:
        FileNotFoundError: if it is neither a file nor a name.
        OSError, ValueError: if it cannot be read as weights, or cannot be cut there.
    """
    published = checkpoints.KNOWN.get(weights)
    path = pathlib.Path(weights)
    if published is not None and not path.is_file():
        path = weights_folder() / published.file
        if not path.is_file():
            absent = {"file": str(path), "fetch": published.address or published.drive}
            network = _network(
                "the table of published files", settings_of(published), block
            )
            return {"weights": weights, **absent, **network}
        state = {"md5 is": state_of(published)}
    else:
        state = {}
        if weights in SHIPPED and not path.is_file():
            path = SHIPPED[weights].path
    lifts = is_pytorch(path)
    if lifts and block is not None:
        raise ValueError(f"--block: {path} is of lifting, which predicts once")
    of = _of_lifting(path) if lifts else _of_network(path, block)
    found = {"weights": weights, **checkpoints.describe(path), **state, **of}
    receipt = path.parent / RECEIPT
    if receipt.is_file():
        found["receipt"] = json.loads(receipt.read_text(encoding="utf-8"))
    return found


def _of_lifting(path: pathlib.Path) -> dict:
    checkpoint = read_lifting(path)
    settings = network_arguments(checkpoint)
    models = build_lifting(checkpoint, settings)
    frames = lifting.receptive_field(settings["filter_widths"])
    return {
        "told by": "the file itself",
        "network": "lifting",
        "about": f"temporal lifting, {frames} frames for a pose",
        "holds": list(LIFTING_PARTS[: len(models)]),
        "settings": settings,
        **_fit(models[0], lambda: load_lifting(models, path)),
    }


def _of_network(path: pathlib.Path, block: int | None) -> dict:
    known = what_is_known(path)
    if known is None:
        return {"told by": _UNKNOWN}
    told_by, settings = known
    network = settings["network"]
    model = build_network(network, settings)
    new = replaced_heads(path)
    found = {
        **_network(told_by, settings, block),
        **({"replaced": new} if new else {}),
        **_fit(model, lambda: load_network(model, path, network)),
    }
    if block is not None:
        found["parameters"] = cut_network(model, settings, block)[0].count_params()
    return found


def _network(told_by: str, settings: Mapping, block: int | None) -> dict:
    cuts = count_cuts(settings)
    if block is not None:
        settings = cut_settings(settings, block)
    recipe = NETWORKS[settings["network"]]
    layout = poselayout(settings)
    found = {
        "told by": told_by,
        "network": settings["network"],
        "about": recipe.about,
        "settings": {
            name: value
            for name, value in settings.items()
            if name not in ("network", "layout")
        },
        "cuts": cuts,
        "joints": list(layout.joint_names),
        "axes": "xyz"[: layout.dim],
    }
    if recipe.family.merged:
        found["actions"] = list(class_names(settings))
    return found


def _fit(model: keras.Model, load) -> dict:
    """Whether a file fits a network, told by loading it."""
    found = {"parameters": model.count_params()}
    try:
        load()
    except ValueError as error:
        return {**found, "fits": False, "error": str(error)}
    return {**found, "fits": True}
