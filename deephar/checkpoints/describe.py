"""What a weights file holds, without a model."""

import pathlib

import h5py

from deephar.checkpoints.hdf5 import opened, reading
from deephar.checkpoints.keras2 import root_of
from deephar.checkpoints.known import md5_of
from deephar.checkpoints.lifting import NETWORKS, read_lifting
from deephar.checkpoints.pytorch import is_pytorch

_OPTIMIZER = "optimizer"


def describe(path):
    """Layout, number of tensors and values, types, size and md5 of a weights file.

    Returns:
        {"file", "layout": "Keras 2", "Keras 3" or "PyTorch", "tensors", "values",
        "dtypes", "bytes", "md5"}; an optimizer's variables are not counted.

    Raises:
        OSError: the file is missing, truncated or not HDF5.
        ValueError: it is no whole checkpoint of a lifting network, if it is PyTorch's.
    """
    path = pathlib.Path(path)
    if is_pytorch(path):
        checkpoint = read_lifting(path)
        weights = [getattr(checkpoint, name) or {} for name in NETWORKS]
        found = [tensor for one in weights for tensor in one.values()]
        return _described(path, "PyTorch", found)
    found = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and name.split("/")[0] != _OPTIMIZER:
            found.append(item)

    with opened(path) as file, reading(path):
        root = root_of(file)
        (file if root is None else root).visititems(visit)
        return _described(path, "Keras 3" if root is None else "Keras 2", found)


def _described(path, layout, found):
    return {
        "file": str(path),
        "layout": layout,
        "tensors": len(found),
        "values": sum(item.size for item in found),
        "dtypes": sorted({str(item.dtype) for item in found}),
        "bytes": path.stat().st_size,
        "md5": md5_of(path),
    }
