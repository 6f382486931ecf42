"""Reads MATLAB files, with errors that name file and reason; writes them whole."""

import io
import os
import pathlib
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import scipy.io
from scipy.io.matlab import MatReadError

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
_HEADER = b"MATLAB 5.0 MAT-file, MPII annotations".ljust(116)


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
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(_HEADER + buffer.getvalue()[len(_HEADER) :])
    os.replace(partial, path)
