"""What weights are known to be of: by the table of published files, or a model.json.

Training writes `model.json` beside its weights, and the command convert-weights beside
what it writes.
"""

import argparse
import json
import logging
import pathlib
from collections.abc import Iterable

from deephar.checkpoints import KNOWN, Published, get, recognise
from deephar.networks.published import (
    family_of,
    network_like,
    published_settings,
    settings_of,
)
from deephar.networks.recipes import (
    CLASSES,
    LAYOUT,
    NETWORKS,
    REPLACED,
    Family,
)
from deephar.networks.shipped import SHIPPED, shipped_path
from deephar.utils.layouts import describe_layout, layout_from
from deephar.utils.numbers import names

logger = logging.getLogger(__name__)

MODEL_FILE = "model.json"
NAMED = (*KNOWN, *SHIPPED)
"""Weights that have a name: published ones, and those that come with the package."""

NETWORK = "network"
"""Key of the network's name in a model.json."""
_BEFORE = "mpii"
"""The network of a model.json that does not name one: there was no other."""


def check_there(weights: str | pathlib.Path) -> None:
    """Refuses what is neither a file nor the name of weights.

    Raises:
        FileNotFoundError: if it is neither.
    """
    path = pathlib.Path(weights)
    if str(weights) not in NAMED and not path.is_file():
        raise FileNotFoundError(
            f"{path}: is neither a file nor the name of weights, which are "
            f"{', '.join(NAMED)}"
        )


def find_weights(weights: str, network: str) -> str:
    """The path of weights for a network; a published name is found or fetched.

    Raises:
        ValueError: if the weights are known to be of another kind of network.
        OSError: if published weights cannot be fetched.
    """
    return known_settings(weights, network)[0]


def chosen_network(weights: str | None, networks: Iterable[str]) -> str:
    """The one of some networks that weights are known to be of, or else the first."""
    first, *_ = networks
    if weights is None:
        return first
    published, _, beside = _known_by(shipped_path(weights))
    if published is None and beside is None:
        return first
    known = network_like(published.network) if published else network_of(beside)
    return first if known is None else one_like(known, networks)


def one_like(network: str, networks: Iterable[str]) -> str:
    """A network if it is one of some; else one that shares its weights, or the first.

    Whether weights fit is another's to tell.
    """
    family, names = NETWORKS[network].family, list(networks)
    alike = [name for name in names if NETWORKS[name].family == family]
    return network if network in names else [*alike, names[0]][0]


def what_is_known(weights: str | pathlib.Path) -> tuple[str, dict] | None:
    """What tells of which network a file of weights is, and what it tells.

    Returns:
        In words what tells it, and the settings, with the network's name under
        "network", the recipe's where nothing else is said; None if nothing tells.

    Raises:
        ValueError: if the model.json beside the file cannot be read as one.
    """
    published, certain, beside = _known_by(str(weights))
    if published is not None:
        how = "its md5" if certain else "its name, but not its md5"
        return f"the table of published files, by {how}", settings_of(published)
    if beside is None:
        return None
    return str(beside), _whole(_read_any_model_file(beside))


def replaced_heads(weights: str | pathlib.Path) -> list[str]:
    """The heads that a training made anew, as the model.json beside its weights says.

    Raises:
        ValueError: as of `what_is_known`.
    """
    published, _, beside = _known_by(str(weights))
    if published is not None or beside is None:
        return []
    return _read_any_model_file(beside).get(REPLACED, [])


def network_of(model_file: pathlib.Path) -> str:
    """Name of the network that a model.json describes.

    Raises:
        ValueError: if the file cannot be read as one.
    """
    return _read_any_model_file(model_file)[NETWORK]


def describes(model_file: pathlib.Path, settings: dict) -> bool:
    """Whether a model.json is of a network of these settings.

    Raises:
        ValueError: if the file cannot be read as one.
    """
    return _whole(_read_any_model_file(model_file)) == _whole(settings)


def _whole(settings: dict) -> dict:
    """The settings, and the recipe's for the others, but for those weights settle."""
    recipe = NETWORKS[settings[NETWORK]].settings
    defaults = {n: one.default for n, one in recipe.items() if not one.settled}
    return {**defaults, **_of_shape(settings)}


def _of_shape(settings: dict) -> dict:
    """The settings without what they tell of the training."""
    return {name: value for name, value in settings.items() if name != REPLACED}


def known_settings(weights: str, network: str, many: bool = False) -> tuple[str, dict]:
    """The path of weights, and the settings that they are known to have."""
    weights = shipped_path(weights)
    published, certain, beside = _known_by(weights)
    if beside is not None and published is None:
        return weights, _of_shape(read_model_file(beside, network))
    if published is None:
        return weights, {}
    settings = _published_settings(published, network, many)
    path = pathlib.Path(weights)
    if weights == published.name and not path.is_file():
        return str(get(weights)), settings
    if beside is not None:
        logger.warning("%s: is of other weights than %s", beside, path.name)
    if not certain and published.md5 is not None and path.is_file():
        logger.warning("%s: its md5 is not that of the published file", path)
    logger.info("%s: taken for the published weights %s", path, published.name)
    return weights, settings


def check_classes(weights: str, network: str, classes: str) -> None:
    """Refuses to call the actions of weights by other names than they have learnt.

    Args:
        weights: the file.
        network: the network's name.
        classes: the names, with commas between them.

    Raises:
        ValueError: if the weights are known to be of others, or of these in another
            order. Capitals do not matter.
    """
    known = known_settings(weights, network)[1].get("classes")
    if known is not None and known.lower() != classes.lower():
        raise ValueError(
            f"{weights}: is of the classes {known}. Received: the classes {classes}"
        )


def _known_by(
    weights: str,
) -> tuple[Published | None, bool, pathlib.Path | None]:
    """What weights are known by.

    Returns:
        Their row in the table of published files, if that is it; whether their name in
        the table, or their content, says so; and a model.json that lies beside.
    """
    path = pathlib.Path(weights)
    if weights in KNOWN and not path.is_file():
        return KNOWN[weights], True, None
    if not path.exists() and not path.suffix:
        check_there(weights)
    published, certain = recognise(path)
    beside = path.parent / MODEL_FILE
    if not beside.is_file():
        return published, certain, None
    return (published if certain else None), certain, beside


def _published_settings(published: Published, network: str, many: bool) -> dict:
    if family_of(published.network) != NETWORKS[network].family:
        raise ValueError(
            f"{published.file}: holds the published weights {published.name}, of the "
            f"network {published.network.builder} "
            f"({published.figure or published.dataconf}); this is for "
            f"{_describe(network)}"
        )
    return published_settings(published, many)


def read_model_file(path: pathlib.Path, network: str) -> dict:
    """The settings of a model.json, as far as it has them, and the network's name.

    Args:
        path: the file.
        network: a name of NETWORKS, whose kind the file's must be.

    Raises:
        ValueError: if it is of another kind of network, has an unknown key, or a value
            that may not be.
        OSError: if it cannot be read.
    """
    settings = _read_any_model_file(path)
    if NETWORKS[settings[NETWORK]].family != NETWORKS[network].family:
        raise ValueError(
            f"{path}: is of {_describe(settings[NETWORK])}; this is for "
            f"{_describe(network)}"
        )
    return settings


def _describe(network: str) -> str:
    family: Family = NETWORKS[network].family
    return f"{NETWORKS[network].about} ({family.joints} joints, {family.dim}D)"


def _read_any_model_file(path: pathlib.Path) -> dict:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: must hold one object. Received: {settings!r}")
    network = settings.setdefault(NETWORK, _BEFORE)
    if network not in NETWORKS:
        raise ValueError(
            f"{path}: `{NETWORK}` must be one of {', '.join(NETWORKS)}. "
            f"Received: {network!r}"
        )
    usual = NETWORKS[network].settings
    others = [LAYOUT, *[CLASSES] * NETWORKS[network].family.merged, REPLACED]
    known = list(dict.fromkeys([NETWORK, *usual, *others]))
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise ValueError(f"{path}: unknown keys {unknown}; known are {known}")
    for name in settings.keys() - {NETWORK}:
        check = _checked if name in usual else _UNCOMMON[name]
        settings[name] = check(path, network, name, settings[name])
    return settings


def _checked_layout(path: pathlib.Path, network: str, name: str, value: object):
    try:
        layout = layout_from(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: `{name}`: {error}") from error
    if layout.dim != NETWORKS[network].family.dim:
        raise ValueError(
            f"{path}: `{name}` must be of {NETWORKS[network].family.dim}D, as "
            f"{network}. Received: {layout.dim}D"
        )
    return describe_layout(layout)


def _checked_texts(path: pathlib.Path, _: str, name: str, value: object):
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{path}: `{name}` must be texts. Received: {value!r}")
    return value


def _checked_classes(path: pathlib.Path, _: str, name: str, value: object):
    try:
        return names(value if isinstance(value, str) else "")
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"{path}: `{name}` {error}") from error


_UNCOMMON = {
    LAYOUT: _checked_layout,
    REPLACED: _checked_texts,
    CLASSES: _checked_classes,
}
"""What is no setting of every recipe, or of none."""


def _checked(path: pathlib.Path, network: str, name: str, value: object):
    setting = NETWORKS[network].settings[name]
    if type(value) is int and type(setting.default) is float:
        value = float(value)
    if type(value) is not type(setting.default):
        kind = type(setting.default).__name__
        raise ValueError(f"{path}: `{name}` must be {kind}. Received: {value!r}")
    if setting.choices is not None and value not in setting.choices:
        raise ValueError(
            f"{path}: `{name}` must be one of {setting.choices}. Received: {value!r}"
        )
    try:
        setting.type(str(value))
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"{path}: `{name}` {error}") from error
    return value
