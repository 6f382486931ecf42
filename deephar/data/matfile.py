"""Reads MATLAB files, with errors that name file and reason; writes them whole."""

import io
import os
import pathlib
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from deephar.utils.fs import whole_path

_UNREADABLE = (
    MatReadError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What scipy raises, here or there, for files that are cut short or are no .mat."""


def read_mat(
    path: str | os.PathLike,
    names: tuple[str, ...],
    optional: tuple[str, ...] = (),
    **options,
) -> dict:
    """Reads variables of a MATLAB file (version 4 to 7.2).

    Args:
        path: The file.
        names: Variables to read; other variables are not decoded.
        optional: Variables to read where the file has them.
        **options: Further arguments of `scipy.io.loadmat`.

    Returns:
        {name: value}.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is cut short, is no MATLAB file, or lacks a variable.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no annotation file: {os.fspath(path)}")
    wanted = [*names, *optional]
    try:
        content = scipy.io.loadmat(path, variable_names=wanted, **options)
    except _UNREADABLE as error:
        raise ValueError(
            f"{os.fspath(path)} must be a whole MATLAB file. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    absent = [name for name in names if name not in content]
    if absent:
        raise ValueError(
            f"{os.fspath(path)} must hold the variables {', '.join(names)}. "
            f"Received: a file without {', '.join(absent)}"
        )
    return {name: content[name] for name in wanted if name in content}


# The text at the head of a file, without the time of day that scipy puts there: the
# same content gives the same bytes.
_HEADER = b"MATLAB 5.0 MAT-file, deephar annotations".ljust(116)


def save_mat(path: str | os.PathLike, content: Mapping[str, Any]) -> None:
    """Writes variables to a MATLAB 5 file, compressed; it appears whole or not at all.

    Args:
        path: The file to write; its folder must exist.
        content: {name: value}, as `scipy.io.savemat` takes it.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder of `path` must exist. Received: path={str(path)!r}"
        )
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, dict(content), do_compression=True)
    with whole_path(path) as draft:
        draft.write_bytes(_HEADER + buffer.getvalue()[len(_HEADER) :])


def struct_array(rows: Sequence[Mapping[str, Any]], fields: Iterable[str]) -> Any:
    """Returns the MATLAB struct array (1, n) of n dictionaries with these fields."""
    array = np.empty((1, len(rows)), dtype=[(name, object) for name in fields])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row[name] for name in array.dtype.names)
    return array


def column_of(structs: Any, name: str, optional: bool = False) -> list:
    """Lists a field of MATLAB structs that were read without squeezing.

    Args:
        structs: Struct array, or cell array of single structs, of any shape. Anything
            without elements is an empty one.
        name: The field.
        optional: Whether the structs may lack it; then empty arrays are listed.

    Raises:
        ValueError: if the structs have no such field or are no structs.
    """
    if not np.size(structs):
        return []
    names = getattr(structs.dtype, "names", None)
    if names is None and structs.dtype == object:
        return [
            item for cell in structs.ravel() for item in column_of(cell, name, optional)
        ]
    if names is not None and name not in names and optional:
        return [np.empty(0)] * np.size(structs)
    if names is None or name not in names:
        raise ValueError(
            f"expected structs with the field {name!r}. Received: "
            f"{'fields ' + ', '.join(names) if names else structs.dtype}"
        )
    return list(structs[name].ravel())


def list_of(value: Any) -> list:
    """List of a MATLAB struct array that loadmat squeezed: 0, 1 or several."""
    if value is None:
        return []
    return list(np.atleast_1d(np.asarray(value, dtype=object)))


def text_of(value: Any) -> str:
    """Text of a MATLAB char array that was read without squeezing."""
    return str(value.item()) if np.size(value) == 1 else ""


def texts_of(cells: Any) -> tuple[str, ...]:
    """Texts of a cell array that was read without squeezing."""
    return tuple(text_of(cell) for cell in np.ravel(cells))


def cells_of(texts: Iterable[str]) -> Any:
    """Returns the cell array (1, n) of n texts."""
    return np.array([list(texts)], dtype=object)
