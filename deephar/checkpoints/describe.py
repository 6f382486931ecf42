"""What a weights file holds, without a model."""

import pathlib

import h5py

from deephar.checkpoints.hdf5 import opened, reading
from deephar.checkpoints.keras2 import root_of
from deephar.checkpoints.known import md5_of

_OPTIMIZER = "optimizer"


def describe(path):
    """Layout, number of tensors and values, types, size and md5 of a weights file.

    Returns:
        {"file", "layout": "Keras 2" or "Keras 3", "tensors", "values", "dtypes",
        "bytes", "md5"}; an optimizer's variables are not counted.

    Raises:
        OSError: the file is missing, truncated or not HDF5.
    """
    path, found = pathlib.Path(path), []

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and name.split("/")[0] != _OPTIMIZER:
            found.append(item)

    with opened(path) as file, reading(path):
        root = root_of(file)
        (file if root is None else root).visititems(visit)
        return {
            "file": str(path),
            "layout": "Keras 3" if root is None else "Keras 2",
            "tensors": len(found),
            "values": sum(item.size for item in found),
            "dtypes": sorted({str(item.dtype) for item in found}),
            "bytes": path.stat().st_size,
            "md5": md5_of(path),
        }
