"""Objects of NumPy's .npz files, read without running what their pickles ask for."""

import os
import pathlib
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np

from deephar.utils.pickles import read_pickle

_GROWTH, _FLOOR = 100, 1 << 20
"""A compressed member may be at most so many times its size in the file and so many
bytes larger; recordings of people and key points are less than ten times."""

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError),
    *(NotImplementedError, SyntaxError, tokenize.TokenError),
    *(OSError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
"""What NumPy's and Python's readers raise of a file that is damaged."""


def restricted_npz_object(path: str | os.PathLike, name: str) -> Any:
    """Reads a pickled object of a .npz file, without running what a pickle may hold.

    Args:
        path: The file.
        name: The object's name in it.

    Returns:
        What was saved, made of dictionaries, lists, texts, numbers and arrays (see
        `restricted_load`); an array of objects if more than one was saved.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if it is damaged, has no such object, or the object
            is made of anything else or far larger than its part of the file.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        content = _object(path, f"{name}.npy")
    except _BROKEN as error:
        raise ValueError(
            f"{path} must be a whole .npz file with the object {name}. "
            f"Received: {str(error) or type(error).__name__}"
        ) from error
    return content.item() if content.shape == () else content


def _object(path: pathlib.Path, member: str) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
        if info.file_size > _GROWTH * info.compress_size + _FLOOR:
            raise ValueError(
                f"{info.file_size} bytes, compressed to {info.compress_size}"
            )
        with archive.open(info) as file:
            version = np.lib.format.read_magic(file)
            if version not in _HEADERS:
                raise ValueError(f"a header of the version {version}")
            shape, _, dtype = _HEADERS[version](file)
            if not dtype.hasobject:
                raise ValueError(f"an array of {dtype}, not an object")
            data = file.read()
    content, end = read_pickle(data)
    if end != len(data):
        raise ValueError(f"something behind the object, at byte {end} of {len(data)}")
    if not isinstance(content, np.ndarray) or content.shape != shape:
        raise ValueError(f"what is no array of objects of the shape {shape}")
    return content
