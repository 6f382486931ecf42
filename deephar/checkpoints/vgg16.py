"""ImageNet weights for the VGG-16 entry flow, from the files of keras.applications.

The first three blocks of VGG-16 are taken by the names of their layers; the blocks 4
and 5 and the classifier of the file have no place in the network and are passed over.
Keras 1 and 2 HDF5 files (as published) and Keras 3's .weights.h5 are read.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", ICLR 2015; the file and its md5 are those of keras.applications.vgg16.
"""

import logging
import pathlib
from dataclasses import dataclass

import h5py
import numpy as np

from deephar.checkpoints.download import fetch
from deephar.checkpoints.hdf5 import opened, reading
from deephar.checkpoints.keras2 import root_of

logger = logging.getLogger(__name__)

IMAGENET = "imagenet"
"""Stands for the published file, which is downloaded if it is not there."""

USED = tuple(
    f"block{block}_conv{conv}"
    for block, count in ((1, 2), (2, 2), (3, 3))
    for conv in range(1, count + 1)
)
"""Layers of VGG-16 that the entry flow has."""

PASSED_OVER = (
    *(f"block{block}_conv{conv}" for block in (4, 5) for conv in (1, 2, 3)),
    *("fc1", "fc2", "predictions"),
)
"""Layers of VGG-16 that have no place in the network."""


@dataclass(frozen=True)
class _File:
    """What a download asks of a published file."""

    name: str
    file: str
    address: str
    md5: str


_PUBLISHED = _File(
    name=IMAGENET,
    file="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    address="https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    md5="6d6bbae143d832006294945121d1f1fc",
)


def load_vgg16_weights(model, source, folder=None):
    """Sets the entry flow of a network with stem="vgg16" to VGG-16's weights.

    Args:
        model: A model of `models.reception` built with stem="vgg16".
        source: A file of VGG-16, with or without its classifier, or "imagenet" for
            that of keras.applications.
        folder: Where "imagenet" lies or is put; None is `download.weights_folder()`.

    Raises:
        FileNotFoundError, OSError: the file is missing, truncated, not HDF5, or cannot
            be downloaded; the message says how to fetch it by hand.
        ValueError: the model has no such entry flow, or the file is not of VGG-16, or
            a tensor of the three blocks is missing, of another shape or not finite. The
            message names the file and the layer; the model is unchanged.
    """
    layers = _entry_flow(model)
    path = pathlib.Path(fetch(_PUBLISHED, folder) if source == IMAGENET else source)
    with opened(path) as file, reading(path):
        tensors = _tensors(file, path)
        values = [
            (layer, *_checked(layer, tensors.get(layer.name), path)) for layer in layers
        ]
    for layer, kernel, bias in values:
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
    others = [name for name in PASSED_OVER if name in tensors]
    logger.info(
        "%s: %d layers set; passed over: %s",
        path,
        len(layers),
        ", ".join(others) or "none",
    )


def _entry_flow(model):
    """The convolutions of VGG-16 in the network, in the order of `USED`."""
    stems = [layer for layer in model.layers if layer.name == "Stem"]
    layers = {inner.name: inner for stem in stems for inner in stem.layers}
    absent = [name for name in USED if name not in layers]
    if absent:
        raise ValueError(
            '`model` must have the entry flow stem="vgg16". Received: a model without '
            f"the layers Stem/{', '.join(absent)}"
        )
    return [layers[name] for name in USED]


def _tensors(file, path):
    """The tensors of every layer of a file that has any: {name: [dataset, ...]}."""
    root = root_of(file)
    if root is not None:
        names = [_text(name) for name in root.attrs["layer_names"]]
        found = {name: _of_keras2(root, name, path) for name in names}
    elif "layers" in file:
        found = _of_keras3(file)
    else:
        raise ValueError(
            f"{path}: holds no weights: neither an attribute layer_names (Keras 2) nor "
            "a group layers (Keras 3)."
        )
    found = {name: tensors for name, tensors in found.items() if tensors}
    strange = sorted(set(found) - {*USED, *PASSED_OVER})
    if strange:
        raise ValueError(
            f"{path}: must be a file of VGG-16. Received: a file with the layers "
            f"{', '.join(strange[:3])}"
        )
    return found


def _of_keras2(root, name, path):
    group = root.get(name)
    if not isinstance(group, h5py.Group):
        raise ValueError(f"{path}: has no group of the layer {name}.")
    tensors = [group.get(_text(weight)) for weight in group.attrs["weight_names"]]
    if not all(isinstance(tensor, h5py.Dataset) for tensor in tensors):
        raise ValueError(f"{path}: the layer {name} lacks a tensor that it names.")
    return tensors


def _of_keras3(file):
    """Keras 3 numbers its layers and writes their names beside."""
    found = {}
    for key, group in file["layers"].items():
        variables = group.get("vars", {})
        name = _text(getattr(variables, "attrs", {}).get("name", key))
        found[name] = [variables[number] for number in sorted(variables)]
    return found


def _checked(layer, tensors, path):
    """Kernel and bias of a layer, read and checked."""
    shapes = [tuple(layer.kernel.shape), tuple(layer.bias.shape)]
    received = None if tensors is None else [tensor.shape for tensor in tensors]
    if received != shapes:
        received = "no such layer" if received is None else received
        raise ValueError(
            f"{path}: {layer.name} must have a kernel and a bias of the shapes "
            f"{shapes}. Received: {received}"
        )
    values = [np.asarray(tensor[...], np.float32) for tensor in tensors]
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError(f"{path}: {layer.name} holds values that are not finite.")
    return values


def _text(name):
    return name.decode() if isinstance(name, bytes) else str(name)
