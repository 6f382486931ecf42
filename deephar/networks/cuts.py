"""Networks that end after some of their predictions: their settings and weights.

A network predicts again and again, each time better and later. Cut after prediction K
it is a smaller network of the same kind, of the same weights:

networks of poses   the first K of their blocks, or of SPNet's predictions
merged networks     p1 ... pK, v1 ... vK, and m by pK and vK; every block of the part
                    that looks at frames stays, for its last one tells the pose that
                    all of these are made from. The weights by which pK and vK are added
                    begin as those of the plain sum: the ones learned are for p4 and v4
SPNets of actions   the first K predictions, and those of actions among them; before the
                    first of these it is a network of poses
"""

from collections.abc import Iterator, Mapping
from typing import Any

import keras

from deephar.checkpoints.layout import PARTS
from deephar.models import spnet
from deephar.models.clip_head import merging_layers
from deephar.networks.known_weights import NETWORK
from deephar.networks.recipes import LAYOUT, NETWORKS

_, CLIP_HEAD = PARTS

CUT_FROM = "cut_from"
"""Key of what a network's settings were before it was cut, where they differ: those of
the weights that it takes its own from. A model.json never has it: what is there is a
network of its own."""
CUT_OF_ACTIONS = frozenset({"predictions", "pyramids", "action_pyramids"})
"""The settings of networks of actions that a cut changes."""


def count_cuts(settings: Mapping[str, Any]) -> int:
    """How many predictions a network can be cut after."""
    family = NETWORKS[settings[NETWORK]].family
    if family.architecture == "spnet":
        whole = spnet.get_num_predictions(settings["pyramids"], settings["levels"])
        return settings.get("predictions") or whole
    return settings["predictions" if family.merged else "blocks"]


def cut_settings(settings: Mapping[str, Any], block: int) -> dict[str, Any]:
    """The settings of a network that is cut.

    Args:
        settings: the network's, of `weights_settings` or `network_settings`.
        block: the prediction after which it ends, from 1.

    Raises:
        ValueError: if the network has not so many.
    """
    settings, count = own_settings(settings), count_cuts(settings)
    if not 1 <= block <= count:
        raise ValueError(
            f"`block` must lie in 1 ... {count}, the predictions of "
            f"{NETWORKS[settings[NETWORK]].about}. Received: block={block}"
        )
    family = NETWORKS[settings[NETWORK]].family
    if family.architecture == "spnet":
        return _cut_pyramids(settings, block)
    return {**settings, ("predictions" if family.merged else "blocks"): block}


def _cut_pyramids(settings: dict, block: int) -> dict:
    """The settings of an SPNet that is cut, with as many pyramids as are left."""
    each = settings["levels"] - 1
    pyramids = -(-block // each)
    part = 0 if block == pyramids * each else block
    cut = {**settings, "pyramids": pyramids, "predictions": part}
    if not NETWORKS[settings[NETWORK]].family.merged:
        return cut
    acting = [p for p in settings["action_pyramids"].split(",") if int(p) <= pyramids]
    if acting:
        return {**cut, "action_pyramids": ",".join(acting)}
    name = NETWORKS[settings[NETWORK]].pose_part
    kept = {n: v for n, v in cut.items() if n in {*NETWORKS[name].settings, LAYOUT}}
    return {**kept, NETWORK: name}


def first_actions(settings: Mapping[str, Any]) -> int:
    """The first prediction of an SPNet that tells actions, from 1."""
    first = int(settings["action_pyramids"].partition(",")[0])
    return (first - 1) * (settings["levels"] - 1) + 1


def cut_of(settings: Mapping[str, Any], block: int) -> dict[str, Any]:
    """As `cut_settings`, with what they were before, if they differ, under CUT_FROM."""
    cut = cut_settings(settings, block)
    before = {n: v for n, v in whole_settings(settings).items() if cut.get(n) != v}
    return {**cut, CUT_FROM: before} if before else cut


def own_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a network itself, without what it is cut from."""
    return {name: value for name, value in settings.items() if name != CUT_FROM}


def whole_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of what a network is cut from; its own if it is not cut."""
    return {**own_settings(settings), **settings.get(CUT_FROM, {})}


def copy_cut_weights(source: keras.Model, target: keras.Model) -> None:
    """Gives a network that is cut the weights of the whole one, layer by layer.

    The layers that add the last maps of a merged network stay as they are.

    Args:
        source: the whole network.
        target: a network of `cut_settings`, built.

    Raises:
        ValueError: if the source lacks a layer of the target, or has it in another
            shape. Nothing is copied then.
    """
    if len(source.input_shape) != len(target.input_shape):
        spnet.copy_pose_weights(source, target)
        return
    found, pairs, anew = dict(_layers(source)), [], _anew(source, target)
    for path, layer in _layers(target):
        if any(layer is one for one in anew):
            continue
        theirs = (
            [tuple(w.shape) for w in found[path].weights] if path in found else None
        )
        if theirs != [tuple(w.shape) for w in layer.weights]:
            raise ValueError(
                "`source` must have the layers of the network that is cut from it. "
                f"Received: a source with another {path}, of shapes {theirs}"
            )
        pairs.append((layer, found[path]))
    for layer, other in pairs:
        layer.set_weights(other.get_weights())


def _anew(source: keras.Model, target: keras.Model) -> list[keras.Layer]:
    """The layers of a merged network that depend on which predictions are its last."""
    heads = [x for m in (source, target) for x in m.layers if x.name == CLIP_HEAD]
    if len(heads) < 2 or len(heads[0].outputs) == len(heads[1].outputs):
        return []
    return merging_layers(heads[1])


def _layers(model: keras.Model, at: str = "") -> Iterator[tuple[str, keras.Layer]]:
    """The layers that have weights, by path, those of models within among them."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, f"{at}{layer.name}/")
        elif layer.weights:
            yield f"{at}{layer.name}", layer
