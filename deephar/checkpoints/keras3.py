"""Keras 3's own weight files, `NAME.weights.h5`, without an optimizer.

What such a file must hold is asked of Keras itself: the model is written once beside,
and the two files are compared before Keras reads the given one.
"""

import pathlib
import tempfile

import h5py
import keras
import numpy as np

SUFFIX = ".weights.h5"
_OPTIMIZER = "optimizer"
_SHOWN = 3


def write(model, path):
    """Writes a model's weights."""
    _weights_of(model).save_weights(path)


def plan(model, file, path):
    """Checks a file whole: names, shapes and values.

    Returns:
        A function that loads it.

    Raises:
        ValueError: file and model do not agree.
    """
    if not path.name.endswith(SUFFIX):
        raise ValueError(f"{path}: a Keras 3 weight file must end in {SUFFIX}.")
    with tempfile.TemporaryDirectory() as folder:
        template = pathlib.Path(folder) / f"template{SUFFIX}"
        write(model, template)
        with h5py.File(template, "r") as expected:
            _compare(_entries(expected), _entries(file), path)
            _check_finite(file, path)
    return lambda: _load(model, path)


def _weights_of(model):
    """The same layers and variables as a model without optimizer and metrics."""
    if not hasattr(model, "inputs") or not model.inputs:
        return model
    return keras.Model(model.inputs, model.outputs)


def _entries(file):
    """What a file holds: ({path: dtype and shape}, {path: name of the layer})."""
    tensors, layers = {}, {}

    def visit(path, item):
        if path.split("/")[0] == _OPTIMIZER or path == "vars":
            return
        if isinstance(item, h5py.Dataset):
            tensors[path] = f"{item.dtype}{tuple(item.shape)}"
        elif "name" in item.attrs:
            layers[path] = str(item.attrs["name"])

    file.visititems(visit)
    return tensors, layers


def _compare(expected, received, path):
    (tensors, layers), (their_tensors, their_layers) = expected, received
    missing = sorted(tensors.keys() - their_tensors.keys())
    extra = sorted(their_tensors.keys() - tensors.keys())
    if missing or extra:
        raise ValueError(
            f"{path}: is of another model. Missing: {_short(missing)}. "
            f"Only in the file: {_short(extra)}."
        )
    # Older releases of Keras do not write the names of layers.
    named = {key: name for key, name in layers.items() if key in their_layers}
    theirs = their_tensors | their_layers
    for key, value in (tensors | named).items():
        if theirs[key] != value:
            raise ValueError(f"{path}: {key} must be {value}. Received: {theirs[key]}")


def _check_finite(file, path):
    def visit(name, item):
        if not isinstance(item, h5py.Dataset) or item.dtype.kind != "f":
            return
        if name.split("/")[0] != _OPTIMIZER and not np.isfinite(item[...]).all():
            raise ValueError(f"{path}: {name} holds values that are not finite.")

    file.visititems(visit)


def _load(model, path):
    before = [v.numpy() for v in model.weights]
    try:
        _weights_of(model).load_weights(path)
    except (OSError, ValueError, KeyError):
        for variable, value in zip(model.weights, before, strict=True):
            variable.assign(value)
        raise


def _short(names):
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none"
