"""Weights from and to files: strict, loud, and all or nothing.

Three kinds of file are read, told apart by their content: the original's HDF5 files
(`keras2`), Keras 3's `.weights.h5` (`keras3`) and, of temporal lifting, VideoPose3D's
checkpoints of PyTorch (`lifting`). Every tensor of a file must have its
place in the model and every variable of the model its tensor. A file is read and
checked whole before anything is assigned, so a refused file leaves the model as it was.
"""

import errno
import logging
import math
import os
import pathlib
import shutil

import keras

from deephar.checkpoints import keras2, keras3, lifting
from deephar.checkpoints.describe import describe
from deephar.checkpoints.download import get
from deephar.checkpoints.hdf5 import opened, reading
from deephar.checkpoints.known import KNOWN, Network, Published, md5_of, recognise
from deephar.checkpoints.pytorch import is_pytorch

__all__ = [
    "KNOWN",
    "Network",
    "Published",
    "describe",
    "get",
    "load_weights",
    "md5_of",
    "recognise",
    "save_weights",
]

logger = logging.getLogger(__name__)

_SUFFIXES = (".h5", ".hdf5")
_CHECKPOINT = ".bin"
_BYTES_AROUND = 4096
"""What HDF5 writes around a tensor, generously."""


def load_weights(model, path, by_name=False, key=None):
    """Sets all weights of a model from a file.

    Whether layers are frozen makes no difference. Load before a function that calls
    the model is traced: a file may also set the positions of the 1-D soft-argmax.

    How a model must name its parts to fit a file of the original: see `layout`.

    Args:
        model: A built functional model.
        path: File in the Keras 2 layout, of the Keras 3 form, or a checkpoint of
            VideoPose3D or of our own training, for networks of `models.lifting`.
        by_name: Match the top-level layers by name, in any order, instead of by order.
            Within a layer the order always counts. Keras 2 files only.
        key: Whose weights of a checkpoint: "model_pos", or "model_traj" for the network
            of the trajectory; None for model_pos. Checkpoints only.

    Raises:
        FileNotFoundError, OSError: the file is missing, truncated or not HDF5.
        ValueError: the file and the model do not agree in every tensor, or a value is
            not finite. The message names the file and the first difference; the model
            is unchanged.
    """
    path = pathlib.Path(path)
    _check_built(model)
    if is_pytorch(path):
        if by_name:
            raise ValueError(f"{path}: `by_name` is only for files of Keras 2.")
        lifting.load_network(model, path, key or lifting.NETWORKS[0])
        return
    if key is not None:
        raise ValueError(f"{path}: `key` is only for checkpoints. Received: {key=}")
    with opened(path) as file, reading(path):
        root = keras2.root_of(file)
        if root is not None:
            assignment = _plan_keras2(model, root, path, by_name)
        elif "layers" in file:
            if by_name:
                raise ValueError(f"{path}: `by_name` is only for files of Keras 2.")
            assignment = keras3.plan(model, file, path)
        else:
            raise ValueError(
                f"{path}: holds no weights: neither an attribute layer_names (Keras 2) "
                "nor a group layers (Keras 3)."
            )
    assignment()


def _plan_keras2(model, root, path, by_name):
    """Plans by the strict rule; a published file may have other names of layers.

    The original itself reads its files by order alone. Which tensor is whose is thus
    certain where the md5 says that a file is one of those, and only there.
    """
    try:
        return keras2.plan(model, root, path, by_name)
    except ValueError as error:
        published, certain = recognise(path)
        if by_name or not certain:
            raise
        assignment = keras2.plan(model, root, path, by_name, names_count=False)
        logger.warning(
            "%s But it is the published %s: read by order", error, published.name
        )
        return assignment


def save_weights(model, path, short_kernels=False):
    """Writes all weights of a model, at once or not at all.

    Args:
        model: A built functional model.
        path: `NAME.weights.h5` is written in the Keras 3 form; another `.h5` or
            `.hdf5` in the Keras 2 layout, constants included, which the original
            code loads; `.bin` as a checkpoint, which VideoPose3D loads.
        short_kernels: Whether kernels are rounded to float16, which halves the file;
            of `NAME.weights.h5` only.

    Raises:
        FileNotFoundError: there is no such folder.
        OSError: the disk has no room for the file.
        ValueError: for another ending, or a network that is not of `models.lifting`
            for `.bin`; for `short_kernels` where they cannot be.
    """
    path = pathlib.Path(path)
    _check_built(model)
    of_keras3 = path.name.endswith(keras3.SUFFIX)
    if short_kernels and not of_keras3:
        raise ValueError(
            f"`short_kernels` is for files {keras3.SUFFIX}. Received: path={path}"
        )
    if path.suffix == _CHECKPOINT:
        lifting.save_network(model, path)
        return
    if path.suffix not in _SUFFIXES:
        raise ValueError(
            f"`path` must end in {keras3.SUFFIX} (Keras 3), {' or '.join(_SUFFIXES)} "
            f"(Keras 2) or {_CHECKPOINT} (PyTorch). Received: path={path}"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}")
    _check_room(model, path)
    more = {"short_kernels": True} if short_kernels else {}
    write = keras3.write if of_keras3 else keras2.write
    folder = path.parent / f".{path.name}.part"
    shutil.rmtree(folder, ignore_errors=True)  # what a death may have left
    folder.mkdir()
    try:
        write(model, folder / path.name, **more)
        os.replace(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_room(model, path):
    """Refuses what the disk has no room for: HDF5 would crash when the process ends."""
    sizes = [math.prod(variable.shape) * 4 for variable in model.weights]
    needed = sum(sizes) + _BYTES_AROUND * len(sizes)
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise OSError(
            errno.ENOSPC, f"no room for {needed} bytes, {free} are free", str(path)
        )


def _check_built(model):
    if not isinstance(model, keras.Model) or not model.built:
        raise ValueError(f"`model` must be a built keras.Model. Received: {model=}")
