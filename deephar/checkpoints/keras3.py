"""Keras 3's own weight files, `NAME.weights.h5`, without an optimizer.

What such a file must hold is asked of Keras itself: the model is written once beside,
and the two files are compared before Keras reads the given one.

The forms of weightless layers that a Keras 2 file tells by its constants, such as the
positions of the 1-D soft-argmax, are an attribute of the file. Files that Keras alone
wrote lack it and leave the forms as they are.

Kernels may stand in 16 bits, which halves a file; they are read as what the model has.
"""

import json
import pathlib
import tempfile
from collections import Counter

import h5py
import keras
import numpy as np

from deephar.checkpoints.layout import options_of, select_options
from deephar.checkpoints.messages import OTHER_NETWORK, short

SUFFIX = ".weights.h5"
_OPTIONS = "deephar_options"
_OPTIMIZER = "optimizer"
_SHORT, _FULL = "float16", "float32"


def write(model, path, short_kernels=False):
    """Writes a model's weights.

    Args:
        model: A built model.
        path: The file.
        short_kernels: Whether float32 tensors of two axes and more are rounded to
            float16. Biases and the statistics of batch norms stay float32.

    Raises:
        ValueError: a value is too large for float16.
    """
    _weights_of(model).save_weights(path)
    if short_kernels:
        _shorten(path)
    options = {key: option for key, (_, option) in options_of(model).items()}
    if options:
        with h5py.File(path, "a") as file:
            file.attrs[_OPTIONS] = json.dumps(options)


def _shorten(path):
    with h5py.File(path, "a") as file:
        found = []
        file.visititems(lambda name, item: found.append((name, item)))
        kernels = [
            (name, item[...])
            for name, item in found
            if isinstance(item, h5py.Dataset) and item.ndim > 1 and item.dtype == _FULL
        ]
    kept = {}
    for name, value in kernels:
        with np.errstate(over="ignore"):
            kept[name] = value.astype(_SHORT)
        if not np.isfinite(kept[name]).all():
            raise ValueError(
                f"{path}: {name} holds values beyond float16, up to "
                f"{np.abs(value).max():g}"
            )
    short = path.with_name(f"short_{path.name}")
    with h5py.File(path, "r") as file, h5py.File(short, "w") as target:
        _copy(file, target, kept)
    short.replace(path)


def _copy(source, target, replaced, at=""):
    """Copies groups, tensors and attributes, some tensors by other values."""
    target.attrs.update(source.attrs)
    for name, item in source.items():
        path = f"{at}{name}"
        if isinstance(item, h5py.Group):
            _copy(item, target.create_group(name), replaced, f"{path}/")
        elif path in replaced:
            target.create_dataset(name, data=replaced[path]).attrs.update(item.attrs)
        else:
            source.copy(item, target, name)


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
    options = _options(model, file, path)
    return lambda: _load(model, path, options)


def _weights_of(model):
    """The same layers and variables as a model without optimizer and metrics."""
    if not hasattr(model, "inputs") or not model.inputs:
        return model
    return keras.Model(model.inputs, model.outputs)


def _entries(file):
    """What a file holds: ({path: dtype and shape}, {path of a layer: its name})."""
    tensors, layers = {}, {}

    def visit(path, item):
        if path.split("/")[0] == _OPTIMIZER or path == "vars":
            return
        if isinstance(item, h5py.Dataset):
            tensors[path] = f"{item.dtype}{tuple(item.shape)}"
        elif "name" in item.attrs:
            layers[path.removesuffix("/vars")] = str(item.attrs["name"])

    file.visititems(visit)
    return tensors, layers


def _compare(expected, received, path):
    (tensors, layers), (their_tensors, their_layers) = expected, received
    if tensors.keys() != their_tensors.keys():
        ours = _named(tensors, layers)
        # Older releases of Keras do not write the names of layers.
        theirs = _named(their_tensors, their_layers or layers)
        if ours.keys() == theirs.keys():
            ours, theirs = tensors, their_tensors
        raise ValueError(
            f"{path}: is of another model. Missing: {short(_lacking(ours, theirs))}. "
            f"Only in the file: {short(_lacking(theirs, ours))}. {OTHER_NETWORK}."
        )
    named = {key: name for key, name in layers.items() if key in their_layers}
    theirs = their_tensors | their_layers
    for key, value in (tensors | named).items():
        if theirs[key] not in (value, value.replace(_FULL, _SHORT)):
            where = f"{_label(key, layers)} ({key})" if key in tensors else key
            raise ValueError(
                f"{path}: {where} must be {value}. Received: {theirs[key]}. "
                f"{OTHER_NETWORK}."
            )


def _named(tensors, layers):
    return {_label(key, layers): value for key, value in tensors.items()}


def _label(key, layers):
    """Where a tensor lies, by the names of its layers: rBlock2/conv2d_3/0."""
    parts, words = key.split("/"), []
    for i, part in enumerate(parts):
        if part not in ("layers", "vars"):
            words.append(layers.get("/".join(parts[: i + 1]), part))
    return "/".join(words)


def _lacking(ours, theirs):
    """What `theirs` has not: whole blocks, the largest first, then single tensors."""
    blocks = Counter(label.split("/")[0] for label in ours)
    known = {label.split("/")[0] for label in theirs}
    whole = [f"{x} (tensors: {n})" for x, n in blocks.most_common() if x not in known]
    parts = [label for label in ours if label.split("/")[0] in known]
    return whole + [f"{x} {ours[x]}" for x in sorted(parts) if x not in theirs]


def _check_finite(file, path):
    def visit(name, item):
        if not isinstance(item, h5py.Dataset) or item.dtype.kind != "f":
            return
        if name.split("/")[0] != _OPTIMIZER and not np.isfinite(item[...]).all():
            raise ValueError(f"{path}: {name} holds values that are not finite.")

    file.visititems(visit)


def _options(model, file, path):
    layers = options_of(model)
    options = json.loads(file.attrs.get(_OPTIONS, "{}"))
    for key, option in options.items():
        if key not in layers or option not in layers[key][0].published_kernels():
            raise ValueError(f"{path}: {_OPTIONS} has {key}: {option}. {OTHER_NETWORK}")
    return [(layers[key][0], option) for key, option in options.items()]


def _load(model, path, options):
    before = [v.numpy() for v in model.weights]
    try:
        _weights_of(model).load_weights(path)
    except (OSError, ValueError, KeyError):
        for variable, value in zip(model.weights, before, strict=True):
            variable.assign(value)
        raise
    select_options(model, options)
