"""Reads MATLAB files with errors that name the file and the reason."""

import os
import struct
import zlib

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


def read_mat(path: str | os.PathLike, names: tuple[str, ...], **options) -> dict:
    """Reads variables of a MATLAB file (version 4 to 7.2).

    Args:
        path: The file.
        names: Variables to read; other variables are not decoded.
        **options: Further arguments of `scipy.io.loadmat`.

    Returns:
        {name: value}.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is cut short, is no MATLAB file, or lacks a variable.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no annotation file: {os.fspath(path)}")
    try:
        content = scipy.io.loadmat(path, variable_names=list(names), **options)
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
    return {name: content[name] for name in names}
