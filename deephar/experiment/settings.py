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
from collections.abc import Callable

import keras

from deephar.checkpoints import KNOWN, Published, get, load_weights, recognise
from deephar.models import reception
from deephar.utils.numbers import crop_side, natural, positive_int

logger = logging.getLogger(__name__)

MODEL_FILE = "model.json"


@dataclasses.dataclass(frozen=True)
class Setting:
    """One property of a network: the recipe's value, what may be, what it means."""

    default: int | str
    help: str
    type: Callable[[str], int | str] = str
    choices: tuple[str, ...] | None = None


RECEPTION = {
    "size": Setting(256, "side of the crop, px", crop_side),
    "blocks": Setting(8, "prediction blocks", positive_int),
    "context": Setting(2, "context maps of each joint", natural),
    "ksize": Setting(5, "kernel of the blocks' separable convolutions", positive_int),
    "stem": Setting("inception", "entry flow", choices=reception.STEMS),
    "joint_probability": Setting(
        "sigmoid",
        "confidence: sigmoid of a map's maximum (CVPR'18), or its best 2x2 window",
        choices=("sigmoid", "window"),
    ),
}
"""The MPII network of the paper; the keys are flags of the scripts."""

RECEPTION_DEFAULTS = {name: setting.default for name, setting in RECEPTION.items()}


def reception_settings(
    args: argparse.Namespace, model_file: pathlib.Path | None = None
) -> dict:
    """Settings of the 2D pose network.

    Weights named as in the table of published files are found or fetched, and
    `args.weights` becomes their path. Their settings are the table's, as are those of
    a published file under any other name that has no model.json beside it.

    Args:
        args: parsed arguments of `add_reception_arguments`, with `weights`.
        model_file: a model.json to read instead of what the weights are known by.

    Raises:
        ValueError: if the model.json beside the weights cannot be read, has an unknown
            key or a value that may not be; or if the weights are known to be of
            another kind of network.
        OSError: if published weights cannot be fetched.
    """
    settings = dict(RECEPTION_DEFAULTS)
    if model_file is not None:
        settings.update(_read_model_file(model_file))
    elif args.weights is not None:
        settings.update(_settings_of_weights(args))
    flags = {name: getattr(args, name) for name in RECEPTION}
    settings.update({k: v for k, v in flags.items() if v is not None})
    return settings


def _settings_of_weights(args: argparse.Namespace) -> dict:
    path = pathlib.Path(args.weights)
    if args.weights in KNOWN and not path.exists():
        settings = _published_settings(KNOWN[args.weights])
        args.weights = str(get(args.weights))
        return settings
    if not path.exists() and not path.suffix:
        raise FileNotFoundError(
            f"{path}: is neither a file nor the name of published weights, which are "
            f"{', '.join(KNOWN)}"
        )
    if (path.parent / MODEL_FILE).is_file():
        return _read_model_file(path.parent / MODEL_FILE)
    published, certain = recognise(path)
    if published is None:
        return {}
    if not certain and published.md5 is not None and path.is_file():
        logger.warning("%s: its md5 is not that of the published file", path)
    logger.info("%s: taken for the published weights %s", path, published.name)
    return _published_settings(published)


def _published_settings(published: Published) -> dict:
    network = published.network
    shape = network.arguments
    if network.builder != "reception.build" or shape["dim"] != 2:
        raise ValueError(
            f"{published.file}: holds the published weights {published.name}, of the "
            f"network {network.builder} ({published.figure or published.dataconf}); "
            "these scripts run the 2D pose network of MPII"
        )
    return {
        "size": shape["input_shape"][0],
        "blocks": shape["num_blocks"],
        "context": shape["num_context_per_joint"],
        "ksize": shape["ksize"][0],
        "joint_probability": shape["joint_probability"],
    }


def _read_model_file(path: pathlib.Path) -> dict:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: must hold one object. Received: {settings!r}")
    unknown = sorted(set(settings) - set(RECEPTION))
    if unknown:
        raise ValueError(f"{path}: unknown keys {unknown}; known are {list(RECEPTION)}")
    for name, value in settings.items():
        _check_value(path, name, value)
    return settings


def _check_value(path: pathlib.Path, name: str, value: object) -> None:
    setting = RECEPTION[name]
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


def build_reception(
    settings: dict, num_joints: int = 16, weights: str | None = None
) -> keras.Model:
    """Builds the 2D pose network of the settings and loads its weights.

    Args:
        settings: what `reception_settings` returns.
        num_joints: joints of the layout.
        weights: a weights file that must fit; None leaves the network untrained.
    """
    model = reception.build(
        (settings["size"], settings["size"], 3),
        num_joints,
        dim=2,
        num_context_per_joint=settings["context"],
        num_blocks=settings["blocks"],
        ksize=(settings["ksize"], settings["ksize"]),
        joint_probability=settings["joint_probability"],
        stem=settings["stem"],
    )
    logger.info("network: %s, %d parameters", settings, model.count_params())
    if weights is not None:
        load_weights(model, weights)
        logger.info("weights loaded from %s", weights)
    return model
