"""Weights of temporal lifting between our models and VideoPose3D's checkpoints.

Kernels are PyTorch's transposed: (out, in, width) there, (width, in, out) here.
"""

import collections
import os
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from deephar.checkpoints.messages import OTHER_NETWORK, short

_BATCHES = "num_batches_tracked"
_PARALLEL = "module."
"""Before every name in files of models that PyTorch spread over several GPUs."""
_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_CONV = {"weight": "kernel", "bias": "bias"}
_TRAINED = ("weight", "bias")

Tensors = Mapping[str, np.ndarray]


def state_dict(model: keras.Model, batches: int = 0) -> collections.OrderedDict:
    """The weights of a lifting network by PyTorch's names, in PyTorch's order.

    Args:
        model: Of `models.lifting`, not a folded one.
        batches: Steps of training so far, which batch norms of PyTorch count.

    Raises:
        ValueError: if it is another network.
    """
    tensors = collections.OrderedDict()
    for name, layer in _modules(model):
        for tensor, variable in _variables(layer):
            tensors[f"{name}.{tensor}"] = to_pytorch(variable)
        if _is_batch_norm(name):
            tensors[f"{name}.{_BATCHES}"] = np.array(batches, np.int64)
    return tensors


def load_state_dict(
    model: keras.Model, tensors: Tensors, path: str | os.PathLike
) -> None:
    """Sets all weights of a lifting network, or none.

    Args:
        model: Of `models.lifting`, not a folded one.
        tensors: Weights by PyTorch's names.
        path: Their file, for messages.

    Raises:
        ValueError: naming the file and the tensor, if one is missing, left over, of
            another shape or not finite; the model is unchanged.
    """
    tensors = checked_tensors(tensors, "the weights", path)
    try:
        modules = _modules(model)
    except ValueError as error:
        raise ValueError(f"{path}: is of a network of lifting: {error}") from error
    wanted = {
        f"{name}.{tensor}": variable
        for name, layer in modules
        for tensor, variable in _variables(layer)
    }
    counted = {f"{name}.{_BATCHES}" for name, _ in modules if _is_batch_norm(name)}
    missing = [name for name in wanted if name not in tensors]
    extra = [name for name in tensors if name not in wanted and name not in counted]
    if missing or extra:
        raise ValueError(
            f"{path}: is of another model. Missing: {short(missing)}. "
            f"Only in the file: {short(extra)}. {OTHER_NETWORK}."
        )
    values = {
        name: from_pytorch(tensors[name], variable, f"{path}: {name}")
        for name, variable in wanted.items()
    }
    for name, value in values.items():
        if name.endswith("running_var") and value.min() < 0:
            raise ValueError(f"{path}: {name} holds negative variances.")
    for name, variable in wanted.items():
        variable.assign(values[name])


def parameters(models: Sequence[keras.Model]) -> list[keras.Variable]:
    """The trained variables of models, in the order of PyTorch's parameters."""
    return [
        variable
        for model in models
        for _, layer in _modules(model)
        for tensor, variable in _variables(layer)
        if tensor in _TRAINED
    ]


def _modules(model: keras.Model) -> list[tuple[str, keras.layers.Layer]]:
    """Layers with weights by PyTorch's names, in PyTorch's order."""
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    convs = sum(name.startswith("layers_conv_") for name in layers)
    names = ["expand_bn", "shrink", "expand_conv"]
    names += [f"layers_conv.{number}" for number in range(convs)]
    names += [f"layers_bn.{number}" for number in range(convs)]
    if {name.replace(".", "_") for name in names} != set(layers):
        raise ValueError(
            "`model` must be a network of `models.lifting`, not folded. "
            f"Received: {model.name} with the layers {short(list(layers))}"
        )
    return [(name, layers[name.replace(".", "_")]) for name in names]


def _is_batch_norm(name: str) -> bool:
    return name.rpartition("_")[2].startswith("bn")


def _variables(layer: keras.layers.Layer) -> list[tuple[str, keras.Variable]]:
    """Variables of a layer with PyTorch's names."""
    names = _CONV if hasattr(layer, "kernel") else _BATCH_NORM
    found = [(name, getattr(layer, ours, None)) for name, ours in names.items()]
    return [(name, variable) for name, variable in found if variable is not None]


def to_pytorch(variable: keras.Variable) -> np.ndarray:
    """The numbers of a variable as PyTorch has them, which transposes kernels."""
    value = keras.ops.convert_to_numpy(variable)
    return np.array(value.transpose(), np.float32, order="C")


def from_pytorch(tensor: np.ndarray, variable: keras.Variable, name: str):
    """The numbers of a tensor for a variable; ValueError if it is not of its form."""
    shape = tuple(variable.shape)[::-1]
    if tensor.shape != shape or tensor.dtype.kind != "f":
        raise ValueError(
            f"{name} must be of the shape {shape}, in floating point. "
            f"Received: {tensor.shape}, {tensor.dtype}. {OTHER_NETWORK}."
        )
    with np.errstate(over="ignore"):
        value = tensor.transpose().astype(np.float32)
    if not np.isfinite(value).all():
        raise ValueError(f"{name} holds values that are not finite.")
    return value


def checked_tensors(tensors: Mapping, name: str, path) -> dict[str, np.ndarray]:
    """Tensors by their names without "module.", where it stands before every name.

    Raises:
        ValueError: naming the file, if anything else is among them.
    """
    for key, value in tensors.items():
        if not isinstance(key, str) or not isinstance(value, np.ndarray):
            raise ValueError(
                f"{path}: {name} must have tensors by name. "
                f"Received: {key!r:.80}: {type(value).__name__}"
            )
    if tensors and all(key.startswith(_PARALLEL) for key in tensors):
        return {key.removeprefix(_PARALLEL): one for key, one in tensors.items()}
    return dict(tensors)
