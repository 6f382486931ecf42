"""The shape of a network: the recipe's, then the weights', then the flags'.

Training writes `model.json` beside its weights; evaluation and prediction read it, so
that the size of the network need not be typed again. Published weights have theirs in
the table of `deephar.checkpoints`.
"""

import argparse
import dataclasses
import json
import logging
import pathlib

from deephar.checkpoints import KNOWN, Published, get, recognise
from deephar.config import DataConfig
from deephar.experiment.networks import (
    NETWORKS,
    Family,
    default_settings,
    family_of,
    published_settings,
)

logger = logging.getLogger(__name__)

MODEL_FILE = "model.json"
_NETWORK = "network"
_BEFORE = "mpii"
"""The network of a model.json that does not name one: there was no other."""


def add_network_arguments(
    parser: argparse.ArgumentParser, network: str | None = None
) -> None:
    """Adds the flags that shape a network.

    Their default is None, so that `network_settings` can tell a flag that was given
    from one that `model.json` or the recipe decides.

    Args:
        parser: the script's parser.
        network: a name of NETWORKS; None for the flags of all.
    """
    group = parser.add_argument_group(
        "network", f"without a flag: {MODEL_FILE} beside --weights, else the paper's"
    )
    recipes = [NETWORKS[network]] if network else NETWORKS.values()
    added = set()
    for recipe in recipes:
        for name, setting in recipe.settings.items():
            if name in added:
                continue
            added.add(name)
            group.add_argument(
                "--" + name.replace("_", "-"),
                type=setting.type,
                choices=setting.choices,
                help=f"{setting.help} (paper: {setting.default})",
            )


def network_settings(
    args: argparse.Namespace, network: str, model_file: pathlib.Path | None = None
) -> dict:
    """Settings of a network, with its name under "network".

    Weights named as in the table of published files are found or fetched, and
    `args.weights` becomes their path. Their settings are the table's, as are those of
    a published file under any other name that has no model.json beside it. So it is
    with `args.pose_weights`, those of the pose part of a merged network; its other
    settings are the recipe's.

    Args:
        args: parsed arguments of `add_network_arguments`, with `weights`, and
            `pose_weights` where the script has it.
        network: a name of NETWORKS.
        model_file: a model.json to read instead of what the weights are known by.

    Raises:
        ValueError: if the model.json beside the weights cannot be read, has an unknown
            key or a value that may not be; if the weights are known to be of another
            kind of network; or if a flag is given that this network has not.
        OSError: if published weights cannot be fetched.
    """
    recipe = NETWORKS[network]
    settings = default_settings(network)
    if model_file is not None:
        settings.update(_read_model_file(model_file, network))
    else:
        if getattr(args, "pose_weights", None) is not None:
            args.pose_weights, known = _known(args.pose_weights, recipe.pose_part)
            settings.update(known)
        if args.weights is not None:
            args.weights, known = _known(args.weights, network)
            settings.update(known)
    settings.update(_flags(args, network))
    return {**settings, _NETWORK: network}


def sized(dataconf: DataConfig, settings: dict, augmented: bool = True) -> DataConfig:
    """A data set's configuration for a network: its crop, and its step in time.

    Args:
        dataconf: of the paper. The rectangles that hide a part of the crop grow and
            shrink with the crop.
        settings: what `network_settings` returns. A step other than that of `dataconf`
            is the only one, in training too.
        augmented: whether training draws what `dataconf` has to draw from.
    """
    side = settings["size"]
    changes = {"crop_resolution": (side, side)}
    if dataconf.geoocclusion is not None:
        unit = side / dataconf.crop_resolution[0]
        sides = {max(1, round(unit * one)) for one in dataconf.geoocclusion}
        changes["geoocclusion"] = sorted(sides)
    step = settings.get("step", dataconf.fixed_subsampling)
    if step != dataconf.fixed_subsampling:
        changes |= {"subsampling": (step,), "fixed_subsampling": step}
    dataconf = dataclasses.replace(dataconf, **changes)
    return dataconf if augmented else dataconf.without_augmentation()


def network_of(model_file: pathlib.Path) -> str:
    """Name of the network that a model.json describes.

    Raises:
        ValueError: if the file cannot be read as one.
    """
    return _read_any_model_file(model_file)[_NETWORK]


def given_flags(args: argparse.Namespace) -> dict:
    """The flags of `add_network_arguments` that were given, of whatever network."""
    names = dict.fromkeys(n for r in NETWORKS.values() for n in r.settings)
    flags = {name: getattr(args, name, None) for name in names}
    return {name: value for name, value in flags.items() if value is not None}


def _flags(args: argparse.Namespace, network: str) -> dict:
    flags, known = given_flags(args), NETWORKS[network].settings
    for name in flags:
        if name not in known:
            raise ValueError(
                f"--{name.replace('_', '-')}: {NETWORKS[network].about} has no such "
                f"property; it has {', '.join(known)}"
            )
    return flags


def _known(weights: str, network: str) -> tuple[str, dict]:
    """The path of weights, and the settings that they are known to have."""
    path = pathlib.Path(weights)
    if weights in KNOWN and not path.exists():
        settings = _published_settings(KNOWN[weights], network)
        return str(get(weights)), settings
    if not path.exists() and not path.suffix:
        raise FileNotFoundError(
            f"{path}: is neither a file nor the name of published weights, which are "
            f"{', '.join(KNOWN)}"
        )
    if (path.parent / MODEL_FILE).is_file():
        return weights, _read_model_file(path.parent / MODEL_FILE, network)
    published, certain = recognise(path)
    if published is None:
        return weights, {}
    if not certain and published.md5 is not None and path.is_file():
        logger.warning("%s: its md5 is not that of the published file", path)
    logger.info("%s: taken for the published weights %s", path, published.name)
    return weights, _published_settings(published, network)


def _published_settings(published: Published, network: str) -> dict:
    if family_of(published.network) != NETWORKS[network].family:
        raise ValueError(
            f"{published.file}: holds the published weights {published.name}, of the "
            f"network {published.network.builder} "
            f"({published.figure or published.dataconf}); this is for "
            f"{_describe(network)}"
        )
    return published_settings(published.network)


def _read_model_file(path: pathlib.Path, network: str) -> dict:
    settings = _read_any_model_file(path)
    if NETWORKS[settings[_NETWORK]].family != NETWORKS[network].family:
        raise ValueError(
            f"{path}: is of {_describe(settings[_NETWORK])}; this is for "
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
    network = settings.setdefault(_NETWORK, _BEFORE)
    if network not in NETWORKS:
        raise ValueError(
            f"{path}: `{_NETWORK}` must be one of {', '.join(NETWORKS)}. "
            f"Received: {network!r}"
        )
    known = [_NETWORK, *NETWORKS[network].settings]
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise ValueError(f"{path}: unknown keys {unknown}; known are {known}")
    for name in settings.keys() - {_NETWORK}:
        _check_value(path, network, name, settings[name])
    return settings


def _check_value(path: pathlib.Path, network: str, name: str, value: object) -> None:
    setting = NETWORKS[network].settings[name]
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
