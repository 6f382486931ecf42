"""Checkpoints of temporal lifting: VideoPose3D's files, from and to our models.

A checkpoint is a file of PyTorch with

    epoch, lr           epochs that are done, the learning rate of the next
    random_state        order of the labelled data; random_state_semi of the unlabelled
    optimizer           Adam's moments, for the parameters in PyTorch's order
    model_pos           weights of the pose network; model_traj of the trajectory's
    deephar             what only this program needs, plain values: `network` (arguments
                        of models.lifting.build), and what a training adds

of which all but model_pos may be absent or None.
"""

import dataclasses
import importlib
import logging
import math
import os
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from deephar.checkpoints.lifting_optimizer import load_optimizer_state, optimizer_state
from deephar.checkpoints.lifting_own import check_own
from deephar.checkpoints.lifting_weights import (
    Tensors,
    checked_tensors,
    load_state_dict,
    state_dict,
)
from deephar.checkpoints.messages import short
from deephar.checkpoints.pytorch import read_pytorch, write_pytorch

__all__ = [
    "NETWORKS",
    "LiftingCheckpoint",
    "load_network",
    "load_optimizer_state",
    "load_state_dict",
    "network_arguments",
    "optimizer_state",
    "read_lifting",
    "save_network",
    "state_dict",
    "write_lifting",
]

logger = logging.getLogger(__name__)

NETWORKS = ("model_pos", "model_traj")
"""The networks that a checkpoint has weights of."""

_KERNEL_SIDES = 3
_REALS = (int, float)
_ARGUMENTS: dict[str, tuple[type, ...]] = {
    "num_joints_in": (int,),
    "in_features": (int,),
    "num_joints_out": (int,),
    "filter_widths": (list, tuple),
    "channels": (int,),
    "dropout": _REALS,
    "causal": (bool,),
    "dense": (bool,),
}
"""The arguments of models.lifting.build, all of which a description has."""
_UNTOLD = ("dropout", "causal", "dense")
"""Those that weights do not tell."""


@dataclasses.dataclass
class LiftingCheckpoint:
    """What a checkpoint holds; None for what it does not.

    Attributes:
        epoch: epochs that are done.
        lr: learning rate of the next epoch.
        random_state: of the order of the labelled data.
        optimizer: PyTorch's dictionary, see `optimizer_state`.
        model_pos: weights of the pose network by PyTorch's names.
        model_traj: those of the trajectory network.
        random_state_semi: of the order of the unlabelled data.
        deephar: plain values that only this program knows.
    """

    epoch: int = 0
    lr: float | None = None
    random_state: np.random.RandomState | None = None
    optimizer: Mapping | None = None
    model_pos: Tensors | None = None
    model_traj: Tensors | None = None
    random_state_semi: np.random.RandomState | None = None
    deephar: dict[str, Any] = dataclasses.field(default_factory=dict)


_KINDS: dict[str, type | tuple[type, ...]] = {
    "epoch": int,
    "lr": float,
    "random_state": np.random.RandomState,
    "optimizer": Mapping,
    "model_pos": Mapping,
    "model_traj": Mapping,
    "random_state_semi": np.random.RandomState,
    "deephar": Mapping,
}


def read_lifting(path: str | os.PathLike) -> LiftingCheckpoint:
    """Reads a checkpoint, ours or the original's; what else it holds is passed over.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if it is no checkpoint of a lifting network, or as
            `read_pytorch`.
    """
    values = read_pytorch(path)
    if not isinstance(values, Mapping) or not isinstance(
        values.get("model_pos"), Mapping
    ):
        raise ValueError(
            f"{path}: must be a checkpoint with the weights model_pos. "
            f"Received: {_keys_of(values)}"
        )
    found = {}
    for name, kind in _KINDS.items():
        value = values.get(name)
        if value is None:
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(
                f"{path}: {name} must be {kind.__name__}. "
                f"Received: {type(value).__name__}"
            )
        found[name] = value
    if found.get("epoch", 0) < 0 or not 0 < found.get("lr", 1.0) < math.inf:
        raise ValueError(f"{path}: epoch and lr must be numbers of a training")
    others = [str(name) for name in values if name not in _KINDS]
    if others:
        logger.warning("%s: passes over %s", path, short(sorted(others)))
    for name in NETWORKS:
        if name in found:
            found[name] = checked_tensors(found[name], name, path)
    checkpoint = LiftingCheckpoint(**found)
    try:
        network_arguments(checkpoint)
        check_own(checkpoint.deephar)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return checkpoint


def write_lifting(path: str | os.PathLike, checkpoint: LiftingCheckpoint) -> None:
    """Writes a checkpoint in the zip form, whole or not at all; the original loads it.

    What is None is left out: the original takes a trajectory network that is None for
    one to load.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: as `write_pytorch`.
    """
    names = [field.name for field in dataclasses.fields(checkpoint)]
    values = {name: getattr(checkpoint, name) for name in names}
    write_pytorch(path, {k: v for k, v in values.items() if v is not None})


def load_network(model: keras.Model, path: str | os.PathLike, key: str) -> None:
    """Sets the weights of a network from a checkpoint: of its part `key`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if it has no such part or not that of this network;
            the network is unchanged.
    """
    if key not in NETWORKS:
        raise ValueError(
            f"`key` must be one of {', '.join(NETWORKS)}. Received: {key=}"
        )
    checkpoint = read_lifting(path)
    tensors = getattr(checkpoint, key)
    if tensors is None:
        raise ValueError(f"{path}: has no weights {key}")
    try:
        ours = _settings_of(model)
    except ValueError as error:
        raise ValueError(f"{path}: is of a network of lifting: {error}") from error
    told = network_arguments(checkpoint)
    for name in ("causal", "dense"):
        if told.get(name, ours[name]) != ours[name]:
            raise ValueError(
                f"{path}: is of a network with {name}={told[name]}. "
                f"Received: `model` with {name}={ours[name]}"
            )
    load_state_dict(model, tensors, path)


def save_network(model: keras.Model, path: str | os.PathLike) -> None:
    """Writes the weights of a network, and what it is, as a checkpoint's model_pos.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it is no network of `models.lifting`.
    """
    network = _settings_of(model)
    own = {"network": network | {"filter_widths": list(network["filter_widths"])}}
    write_lifting(path, LiftingCheckpoint(model_pos=state_dict(model), deephar=own))


def _settings_of(model: keras.Model) -> dict[str, Any]:
    """What a network is, as its builder tells, which is looked up as it is needed."""
    return importlib.import_module("deephar.models.lifting").settings(model)


def network_arguments(
    found: LiftingCheckpoint | Tensors, dense: bool = False
) -> dict[str, Any]:
    """The arguments of `models.lifting.build` that a checkpoint or weights tell.

    Weights alone do not tell a causal network from another, nor a dense one from one
    of wider kernels: `causal`, `dense` and `dropout` are returned for checkpoints that
    this program wrote.

    Args:
        found: The checkpoint, or its weights of one network.
        dense: Whether the network is dense, where a checkpoint does not tell.

    Raises:
        ValueError: if the weights are of no lifting network, or the checkpoint
            describes another one.
    """
    own, tensors = {}, found
    if isinstance(found, LiftingCheckpoint):
        own, tensors = _description(found), found.model_pos
    kernels, count = [], 0
    while f"layers_conv.{2 * count}.weight" in tensors:
        kernels.append(_kernel_shape(tensors, f"layers_conv.{2 * count}.weight")[2])
        count += 1
    channels, inputs, first = _kernel_shape(tensors, "expand_conv.weight")
    outputs = _kernel_shape(tensors, "shrink.weight")[0]
    features = own.get("in_features", 2)
    kernels = [first, *kernels]
    widths = _widths_of_dense(kernels) if own.get("dense", dense) else kernels
    if inputs % features or outputs % 3:
        raise ValueError(
            f"weights must be for key points of {features} numbers and joints of 3. "
            f"Received: {inputs} inputs, {outputs} outputs"
        )
    arguments = {
        "num_joints_in": inputs // features,
        "in_features": features,
        "num_joints_out": outputs // 3,
        "filter_widths": tuple(widths),
        "channels": channels,
        **{name: own[name] for name in _UNTOLD if name in own},
    }
    if own and (own != arguments or _kernels(**own) != kernels):
        raise _other_network(own)
    return arguments


def _keys_of(values: Any) -> str:
    if not isinstance(values, Mapping):
        return type(values).__name__
    return f"the keys {short([str(key) for key in values])}"


def _kernel_shape(tensors: Tensors, name: str) -> tuple[int, int, int]:
    tensor = tensors.get(name)
    if tensor is None or tensor.ndim != _KERNEL_SIDES or 0 in tensor.shape:
        found = "none" if tensor is None else tensor.shape
        raise ValueError(
            "weights of a lifting network must have kernels (out, in, width). "
            f"Received: {name}={found}"
        )
    return tensor.shape


def _widths_of_dense(kernels: list[int]) -> list[int]:
    """The filter widths of a dense network, from the widths of its kernels."""
    widths, reach = [kernels[0]], kernels[0]
    for kernel in kernels[1:]:
        widths.append((kernel - 1) // reach + 1)
        reach *= widths[-1]
    return widths


def _kernels(filter_widths: Sequence[int], dense: bool, **more) -> list[int]:
    """The widths of the kernels of a network."""
    reaches = [math.prod(filter_widths[:n]) for n in range(len(filter_widths))]
    return [
        (width - 1) * reach + 1 if dense else width
        for width, reach in zip(filter_widths, reaches, strict=True)
    ]


def _description(checkpoint: LiftingCheckpoint) -> dict[str, Any]:
    """What a checkpoint says of its network: all arguments of the builder, or none."""
    own = checkpoint.deephar.get("network", {})
    if not isinstance(own, Mapping):
        raise _other_network(own)
    if not own:
        return {}
    right = own.keys() == _ARGUMENTS.keys()
    right = right and all(
        type(own[name]) in kinds for name, kinds in _ARGUMENTS.items()
    )
    right = right and own["in_features"] > 0 and 0 <= own["dropout"] < 1
    if not right or any(type(width) is not int for width in own["filter_widths"]):
        raise _other_network(own)
    return {**own, "filter_widths": tuple(own["filter_widths"])}


def _other_network(own: Any) -> ValueError:
    return ValueError(
        f"describes another network than its weights: {reprlib.repr(own)}"
    )
