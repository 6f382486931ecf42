"""The settings of a network: the recipe's, then the weights', then the flags'.

Training writes `model.json` beside its weights; evaluation and prediction read it, so
that the size of the network need not be typed again, and that nobody is tested on what
the network has learnt from. Published weights have theirs in the table of
`deephar.checkpoints`.
"""

import argparse
import dataclasses
import json
import logging
import pathlib
from collections.abc import Iterable

from deephar.checkpoints import KNOWN, Published, get, recognise
from deephar.config import DataConfig
from deephar.experiment.networks import (
    NETWORKS,
    Family,
    Setting,
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
    """Adds the flags of a network's settings.

    Their default is None, so that `network_settings` can tell a flag that was given
    from one that `model.json` or the recipe decides.

    Args:
        parser: the script's parser.
        network: a name of NETWORKS; None for the flags that shape any of them.
    """
    group = parser.add_argument_group(
        "network", f"without a flag: {MODEL_FILE} beside --weights, else the paper's"
    )
    recipes = [NETWORKS[network]] if network else NETWORKS.values()
    added = set()
    for recipe in recipes:
        for name, setting in recipe.settings.items():
            if name in added or not setting.flag or (setting.of_data and not network):
                continue
            added.add(name)
            _add_flag(group, name, setting)


def add_protocol_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--protocol`, the split of NTU, where `add_network_arguments` does not."""
    _add_flag(parser, "protocol", NETWORKS["ntu"].settings["protocol"])


def _add_flag(parser, name: str, setting: Setting) -> None:
    parser.add_argument(
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
    a file with the md5 of a published one, whatever lies beside it; a model.json goes
    before a mere file name. So it is with `args.pose_weights`, those of the pose part
    of a merged network; its other settings are the recipe's. A step that a flag names
    is the only one that training draws, of this stage and the later ones.

    Args:
        args: parsed arguments of `add_network_arguments`, with `weights`, and
            `pose_weights` and `multi_clip` where the script has them.
        network: a name of NETWORKS.
        model_file: a model.json to read instead of what the weights are known by.

    Raises:
        ValueError: if the model.json beside the weights cannot be read, has an unknown
            key or a value that may not be; if the weights are known to be of another
            kind of network; if a flag is given that this network has not, or that
            gainsays what the weights settle, as `--protocol`.
        OSError: if published weights cannot be fetched.
    """
    settings, settled = default_settings(network), {}
    for source, known in _sources(args, network, model_file):
        _settle(settled, source, known, network)
        settings.update(known)
    flags = _flags(args, network)
    _settle(settled, "the command line", flags, network)
    if "step" in flags:
        flags["drawn_steps"] = "one"
    settings.update(flags)
    return {**settings, _NETWORK: network}


def find_weights(weights: str, network: str) -> str:
    """The path of weights for a network; a published name is found or fetched.

    Raises:
        ValueError: if the weights are known to be of another kind of network.
        OSError: if published weights cannot be fetched.
    """
    return _known(weights, network)[0]


def _sources(args, network: str, model_file: pathlib.Path | None):
    """What weights and model.json say: where it is said, and the settings."""
    if model_file is not None:
        return [(str(model_file), _read_model_file(model_file, network))]
    found, many = [], getattr(args, "multi_clip", False)
    if getattr(args, "pose_weights", None) is not None:
        part = NETWORKS[network].pose_part
        args.pose_weights, known = _known(args.pose_weights, part)
        found.append((args.pose_weights, known))
    if args.weights is not None:
        args.weights, known = _known(args.weights, network, many)
        found.append((args.weights, known))
    for name, setting in NETWORKS[network].settings.items():
        for source, known in found:
            if setting.settled and name not in known:
                logger.warning("%s: nothing says its %s", source, name)
    return found


def _settle(settled: dict, source: str, known: dict, network: str) -> None:
    """Puts what a source settles beside what others did; refuses another value."""
    for name, setting in NETWORKS[network].settings.items():
        if not setting.settled or name not in known:
            continue
        value, first = settled.setdefault(name, (known[name], source))
        if value != known[name]:
            raise ValueError(
                f"{first}: is of {name} {value}, and videos of its training are for "
                f"the test of {known[name]}. Received: {name} {known[name]} "
                f"({source})"
            )


def sized(dataconf: DataConfig, settings: dict, augmented: bool = True) -> DataConfig:
    """A data set's configuration for a network: its crop, and its step in time.

    No rectangle hides a part of the crop: what the original draws for Human3.6M it
    never uses.

    Args:
        dataconf: of the paper.
        settings: what `network_settings` returns. Its step is that of evaluations, and
            the only one that training draws if `drawn_steps` says so.
        augmented: whether training draws what `dataconf` has to draw from.
    """
    side = settings["size"]
    changes = {"crop_resolution": (side, side), "geoocclusion": None}
    if "step" in settings:
        changes["fixed_subsampling"] = settings["step"]
        if settings["drawn_steps"] == "one":
            changes["subsampling"] = (settings["step"],)
    dataconf = dataclasses.replace(dataconf, **changes)
    return dataconf if augmented else dataconf.without_augmentation()


def network_of(model_file: pathlib.Path) -> str:
    """Name of the network that a model.json describes.

    Raises:
        ValueError: if the file cannot be read as one.
    """
    return _read_any_model_file(model_file)[_NETWORK]


def given_flags(args: argparse.Namespace) -> dict:
    """The flags that were given of those that shape a network, of whatever network."""
    settings = [item for r in NETWORKS.values() for item in r.settings.items()]
    return _given(args, [name for name, setting in settings if not setting.of_data])


def _given(args: argparse.Namespace, names: Iterable[str]) -> dict:
    flags = {name: getattr(args, name, None) for name in names}
    return {name: value for name, value in flags.items() if value is not None}


def _flags(args: argparse.Namespace, network: str) -> dict:
    known = NETWORKS[network].settings
    for name in given_flags(args):
        if name not in known:
            raise ValueError(
                f"--{name.replace('_', '-')}: {NETWORKS[network].about} has no such "
                f"property; it has {', '.join(known)}"
            )
    return _given(args, [name for name, setting in known.items() if setting.flag])


def _known(weights: str, network: str, many: bool = False) -> tuple[str, dict]:
    """The path of weights, and the settings that they are known to have."""
    path = pathlib.Path(weights)
    if weights in KNOWN and not path.exists():
        settings = _published_settings(KNOWN[weights], network, many)
        return str(get(weights)), settings
    if not path.exists() and not path.suffix:
        raise FileNotFoundError(
            f"{path}: is neither a file nor the name of published weights, which are "
            f"{', '.join(KNOWN)}"
        )
    published, certain = recognise(path)
    beside = path.parent / MODEL_FILE
    if not certain and beside.is_file():
        return weights, _read_model_file(beside, network)
    if published is None:
        return weights, {}
    if beside.is_file():
        logger.warning("%s: is of other weights than %s", beside, path.name)
    if not certain and published.md5 is not None and path.is_file():
        logger.warning("%s: its md5 is not that of the published file", path)
    logger.info("%s: taken for the published weights %s", path, published.name)
    return weights, _published_settings(published, network, many)


def _published_settings(published: Published, network: str, many: bool) -> dict:
    if family_of(published.network) != NETWORKS[network].family:
        raise ValueError(
            f"{published.file}: holds the published weights {published.name}, of the "
            f"network {published.network.builder} "
            f"({published.figure or published.dataconf}); this is for "
            f"{_describe(network)}"
        )
    return published_settings(published, many)


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
