"""Networks that begin with the weights of others: of other joints, of other actions.

What depends on joints or actions is found by building: a tensor does if its shape is
another one in a network of more of them. Only these may differ; of them, joints and
actions of one name keep their channels, and the others are as in a network that has
learned nothing.
"""

import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from deephar.networks.building import build_network, new_network
from deephar.networks.classes import class_names
from deephar.networks.cuts import whole_settings
from deephar.networks.known_weights import known_settings
from deephar.networks.recipes import (
    CLASSES,
    LAYOUT,
    NETWORKS,
    default_settings,
    poselayout,
    with_layout,
)
from deephar.utils.layouts import custom_layout

logger = logging.getLogger(__name__)

_MORE_JOINTS = 4
"""As many as make no other layers: clip heads have joints by fours."""


def start_network(
    settings: Mapping[str, Any], weights: str | None, **more
) -> tuple[keras.Model, list[str]]:
    """Builds a network that begins with weights of other joints or other actions.

    Args:
        settings: of the network, what `network_settings` returns, with the joints and
            actions that it is to learn.
        weights: file of a network of equal settings but for joints and actions, of
            which it must be known what they are, or that they are the recipe's; None
            for a network that has learned nothing.
        more: as of `build_network`.

    Returns:
        The network, and the names of what is new in it, whole or in part, with what it
        kept: "RegMap1/conv2d (kept 3 of 5 joints)"; empty where all of it is loaded.

    Raises:
        OSError, ValueError: as of `build_network`: all but that must fit.
    """
    network = settings["network"]
    if weights is None:
        return build_network(network, settings, **more), []
    source = _settings_of(weights, settings)
    changes = _changes(source, settings)
    if not changes:
        return build_network(network, settings, weights, **more), []
    loaded = build_network(network, source, weights, **more)
    model = build_network(network, settings, **more)
    places = [
        _places(loaded, change, new_network(network, change.probe, **more))
        for change in changes
    ]
    new = _copy(loaded, model, changes, places)
    if not new:
        raise ValueError(
            f"{weights}: nothing of its network depends on "
            f"{' and '.join(one.what for one in changes)}"
        )
    for one in changes:
        kept = [name for name in one.theirs if name in one.ours]
        said = (weights, one.what, ", ".join(kept) or "none")
        logger.info("%s: %s that keep their channels: %s", *said)
    logger.info("heads that are new: %s", "; ".join(new))
    return model, new


class _Change:
    """Joints or actions that differ.

    Args:
        what: "joints" or "actions".
        theirs, ours: names in the weights' network and in the new one, in their order.
        probe: settings of a network as the weights', with more of them.
        context: context maps of each joint, where these follow all joints' own maps.
    """

    def __init__(
        self,
        what: str,
        theirs: Sequence[str],
        ours: Sequence[str],
        probe: dict,
        context: int = 0,
    ):
        self.what, self.theirs, self.ours = what, list(theirs), list(ours)
        self.probe, self.context = probe, context

    @property
    def kept(self) -> int:
        """How many of ours they have too."""
        return len(set(self.ours) & set(self.theirs))

    def rows(self, length: int) -> tuple[list[int], list[int]]:
        """Channels of ours, and of theirs in an axis of `length`, that are kept."""
        sets = length // len(self.theirs)
        pairs = [
            (self.ours.index(name), place)
            for place, name in enumerate(self.theirs)
            if name in self.ours
        ]
        ours, theirs = [], []
        for one, other in pairs:
            ours += self._channels(one, len(self.ours), sets)
            theirs += self._channels(other, len(self.theirs), sets)
        return ours, theirs

    def _channels(self, place: int, count: int, sets: int) -> list[int]:
        if sets == 1 + self.context:
            first = count + place * self.context
            return [place, *range(first, first + self.context)]
        return [part * count + place for part in range(sets)]


def _settings_of(weights: str | pathlib.Path, settings: Mapping[str, Any]) -> dict:
    """The settings of the network of weights: their joints and actions, all else ours.

    Raises:
        ValueError: if they are known to have another shape than the settings.
    """
    network, whole = settings["network"], whole_settings(settings)
    path, known = known_settings(str(weights), whole["network"])
    recipe = NETWORKS[whole["network"]].settings
    for name, setting in recipe.items():
        own = setting.of_data or setting.settled or name in ("actions", "size")
        if not own and known.get(name, whole[name]) != whole[name]:
            raise ValueError(
                f"{path}: is of a network with {name} {known[name]}, and only joints "
                f"and actions may be others. Received: {name} {whole[name]}"
            )
    others = {n: v for n, v in settings.items() if n not in (LAYOUT, CLASSES)}
    theirs = {"actions": default_settings(network).get("actions"), **known}
    names = (LAYOUT, CLASSES, "actions")
    return others | {n: theirs[n] for n in names if theirs.get(n) is not None}


def _changes(source: dict, settings: Mapping[str, Any]) -> list[_Change]:
    """What differs between the weights' network and ours."""
    before, now = poselayout(source), poselayout(settings)
    changes = []
    if list(before.joint_names) != list(now.joint_names):
        count = before.num_joints + _MORE_JOINTS
        more = custom_layout([f"joint {i}" for i in range(count)], dim=before.dim)
        probe = with_layout(source, more)
        names = before.joint_names, now.joint_names
        changes.append(_Change("joints", *names, probe, source.get("context", 0)))
    if NETWORKS[settings["network"]].family.merged:
        labels = class_names(source), class_names(settings)
        if labels[0] != labels[1]:
            probe = {n: v for n, v in source.items() if n != CLASSES}
            probe["actions"] = source["actions"] + 1
            changes.append(_Change("actions", *labels, probe))
    return changes


def _places(
    loaded: keras.Model, change: _Change, probe: keras.Model
) -> dict[str, list[int]]:
    """The axes of each tensor that depend on what changes, by its path."""
    more = {one.path: one.shape for one in probe.weights}
    places = {}
    for one in loaded.weights:
        pairs = zip(one.shape, more[one.path], strict=True)
        places[one.path] = [axis for axis, (a, b) in enumerate(pairs) if a != b]
    return places


def _copy(
    loaded: keras.Model,
    model: keras.Model,
    changes: Sequence[_Change],
    places: Sequence[dict[str, list[int]]],
) -> list[str]:
    """Copies what both have; returns what is new, whole or in part."""
    theirs, new = {one.path: one.numpy() for one in loaded.weights}, {}
    for variable in model.weights:
        value, target = theirs[variable.path], variable.numpy()
        source, ours = ([[*range(n)] for n in one.shape] for one in (value, target))
        kept = []
        for change, axes in zip(changes, places, strict=True):
            for axis in axes[variable.path]:
                ours[axis], source[axis] = change.rows(value.shape[axis])
            if axes[variable.path]:
                kept.append(f"kept {change.kept} of {len(change.ours)} {change.what}")
        if kept:
            layer = variable.path.rpartition("/")[0]
            new[f"{layer} ({', '.join(kept)})"] = None
        target[np.ix_(*ours)] = value[np.ix_(*source)]
        variable.assign(target)
    return list(new)
