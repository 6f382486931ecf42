"""Networks for prediction: by name or by file, on a device, in a precision."""

import contextlib
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras

from deephar.frameworks import device_names, processor
from deephar.networks.building import build_network, cut_network
from deephar.networks.cuts import cut_settings, first_actions
from deephar.networks.known_weights import MODEL_FILE
from deephar.networks.recipes import NETWORKS
from deephar.networks.settings import weights_settings
from deephar.networks.shipped import SMALL_ACTION, SMALL_POSE
from deephar.utils.machine import CHOSEN_PRECISIONS

DEFAULT_POSE, DEFAULT_ACTION = SMALL_POSE.name, SMALL_ACTION.name
"""Weights that are taken where none are given."""

_KINDS = ("cpu", "gpu")


class Loaded(NamedTuple):
    """A network with its weights.

    Attributes:
        model: the network.
        settings: what is known of it, with its name under "network".
        about: what it is, for records: weights, network, block, device, precision.
    """

    model: keras.Model
    settings: dict[str, Any]
    about: dict[str, Any]


def load(
    weights: str,
    networks: str | Sequence[str],
    device: str | None,
    precision: str,
    block: int | None = None,
) -> Loaded:
    """Builds the network that weights are of, and loads them.

    Args:
        weights: a file, beside which a model.json may lie, or a name.
        networks: as of `networks.weights_settings`.
        device: as of `on_device`; variables are made there.
        precision: one of CHOSEN_PRECISIONS; Keras' policy is as before afterwards.
        block: cut the network there, as of `networks.cut_network`; None for all of it.

    Raises:
        OSError: if there are no such weights, or they cannot be read or fetched.
        ValueError: if they are of another kind of network, also when it is cut, or
            there is no such block, device or precision.
    """
    check_device(device)
    precision = _chosen(precision, device)
    path, settings = weights_settings(weights, networks)
    with on_device(device), _policy(precision):
        model = _built(path, settings)
        if block is not None:
            model, settings = _cut(model, settings, block, networks)
    about = {"weights": str(weights), "network": settings["network"], "block": block}
    return Loaded(model, settings, {**about, "device": device, "precision": precision})


def _built(path: str, settings: dict) -> keras.Model:
    """The whole network; where it does not fit, tells what its settings were."""
    try:
        return build_network(settings["network"], settings, path)
    except ValueError as error:
        if pathlib.Path(path).with_name(MODEL_FILE).is_file():
            raise
        raise ValueError(
            f"{error} No {MODEL_FILE} lies beside the file: it was taken for "
            f"{NETWORKS[settings['network']].about}, of its usual size."
        ) from error


def _cut(model: keras.Model, settings: dict, block: int, networks) -> tuple:
    """The network cut at a block; refused if it no longer is one of some."""
    left = cut_settings(settings, block)
    if left["network"] not in ([networks] if isinstance(networks, str) else networks):
        raise ValueError(
            "`block` must leave a prediction of actions: it must be at least "
            f"{first_actions(settings)}. Received: block={block}"
        )
    return cut_network(model, settings, block)


def on_device(device: str | None) -> contextlib.AbstractContextManager:
    """Where Keras computes: "cpu", "gpu", "gpu:1"; None for where it would anyway."""
    return contextlib.nullcontext() if device is None else keras.device(device)


def check_device(device: str | None) -> None:
    """Refuses a device that is not there.

    Raises:
        ValueError: if it is not, or is none of the names of `on_device`.
    """
    if device is None:
        return
    kind, _, number = device.partition(":")
    if kind not in _KINDS or (":" in device and not number.isdecimal()):
        raise ValueError(
            "`device` must be cpu or gpu, or the number of one, as gpu:1. "
            f"Received: device={device!r}"
        )
    there = device_names(kind)
    if f"{kind}:{int(number or 0)}" not in there:
        backend, none = keras.backend.backend(), f"no {kind}"
        raise ValueError(
            f"`device` must be one that {backend} sees here, and it sees "
            f"{', '.join(there) or none}. Received: device={device!r}"
        )


@contextlib.contextmanager
def _policy(precision: str) -> Iterator[None]:
    """The precision of the layers that are built within."""
    before = keras.config.dtype_policy()
    name = "float32" if precision == "float32" else f"mixed_{precision}"
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _chosen(precision: str, device: str | None) -> str:
    """The precision that is meant, on a device."""
    if precision not in CHOSEN_PRECISIONS:
        raise ValueError(
            f"`precision` must be one of {', '.join(CHOSEN_PRECISIONS)}. "
            f"Received: precision={precision!r}"
        )
    if precision != "auto":
        return precision
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            'precision="auto" needs TensorFlow, which tells the processor. '
            f"Received: the backend {keras.backend.backend()}"
        )
    return processor((device or "").startswith("cpu")).precision
