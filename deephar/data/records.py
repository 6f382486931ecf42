"""Checks of the values that annotation files hold.

Writers are strict. Readers let pass, and count (`Tolerated`), what the original reads
without harm: one odd video must not make a whole file useless.
"""

import collections
import json
import logging
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from deephar.utils.messages import shown

logger = logging.getLogger(__name__)

FARTHEST = 1e6
"""No picture is as large: a box with a greater number is damaged, px."""
_NAMES = 3
"""So many names of odd videos are logged, for each kind."""
_BITS = 1023
"""Integers below two to this power are numbers that NumPy can hold as floats."""


def read_json(path: str | os.PathLike) -> Any:
    """Reads a JSON file; a mark at its beginning, as Windows writes it, is no harm.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no JSON.
    """
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8-sig"))
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path} must be a whole JSON file. {error}") from error


def are_numbers(value: Any, shape: tuple[int, ...]) -> bool:
    """Tells whether a value is real numbers of a shape: lists, tuples or arrays.

    Texts and truth values are none. No more is looked at than the shape has, for what
    a file nests may be endless.
    """
    if isinstance(value, np.ndarray | np.generic):
        return value.shape == shape and value.dtype.kind in "iuf"
    if not shape:
        small = type(value) is int and value.bit_length() < _BITS
        return small or type(value) is float
    if not isinstance(value, list | tuple) or len(value) != shape[0]:
        return False
    return all(are_numbers(one, shape[1:]) for one in value)


def numbers(
    owner: str, name: str, value: Any, shape: tuple[int, ...], finite: bool = True
) -> np.ndarray:
    """Returns what `are_numbers` takes as a float64 array.

    Args:
        finite: Whether NaN and infinity are refused.

    Raises:
        ValueError: if it is anything else.
    """
    if are_numbers(value, shape):
        array = np.array(value, dtype=np.float64)
        if not finite or np.isfinite(array).all():
            return array
    count = " x ".join(map(str, shape))
    length = f" of length {len(value)}" if isinstance(value, list | tuple) else ""
    raise ValueError(
        f"`{name}` of {owner} must be {count} {'finite ' if finite else ''}numbers. "
        f"Received: {name}={shown(value)}{length}"
    )


def text(owner: str, name: str, value: Any) -> str:
    """Returns a text; ValueError if it is empty or none."""
    if not isinstance(value, str) or not value:
        raise ValueError(
            f"`{name}` of {owner} must be a text. Received: {name}={shown(value)}"
        )
    return str(value)


def shaped(
    owner: str, name: str, value: Any, shape: tuple[int | None, ...], dtype: type
) -> np.ndarray:
    """Returns `value` as an array of the shape, where None stands for any length.

    Raises:
        ValueError: if it has another shape or is no array of numbers.
    """
    try:
        array = np.asarray(value, dtype=dtype)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"`{name}` of {owner} must hold numbers. {error}") from error
    fits = array.ndim == len(shape) and all(
        want is None or want == have
        for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        lengths = ", ".join("n" if size is None else str(size) for size in shape)
        raise ValueError(
            f"`{name}` of {owner} must have the shape ({lengths}"
            f"{',' if len(shape) == 1 else ''}). Received: {name}.shape={array.shape}"
        )
    return array


def check_keys(owner: str, record: Any, keys: Sequence[str]) -> None:
    """Raises ValueError unless a record is a dictionary that has all `keys`."""
    if not isinstance(record, dict):
        raise ValueError(
            f"{owner} must be a dictionary with {', '.join(keys)}. "
            f"Received: {type(record).__name__}"
        )
    lacking = [key for key in keys if key not in record]
    if lacking:
        raise ValueError(
            f"{owner} must have {', '.join(keys)}. "
            f"Received: none named {', '.join(lacking)}"
        )


class Tolerated:
    """What a reader has let pass: {what: names of the videos}."""

    def __init__(self):
        self._names: dict[str, list[str]] = collections.defaultdict(list)

    def add(self, what: str, name: str) -> None:
        """Notes that a video has what `what` says."""
        self._names[what].append(name)

    def log(self, path: str | os.PathLike) -> None:
        """Logs one line of all that was noted, if anything was."""
        parts = []
        for what, names in self._names.items():
            some = ", ".join(names[:_NAMES])
            more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
            parts.append(f"{what} in {len(names)} ({some}{more})")
        if parts:
            logger.warning("%s: read all the same: %s", path, "; ".join(parts))


def frame_numbers(owner: str, value: Any) -> np.ndarray:
    """Returns numbers of frames (n,): integers of at least 0 in any order.

    Raises:
        ValueError: if they are anything else.
    """
    frames = shaped(owner, "frames", value, (None,), np.float64)
    whole = np.isfinite(frames) & (frames == np.round(frames)) & (frames >= 0)
    if not whole.all():
        raise ValueError(
            f"`frames` of {owner} must be integers of at least 0. "
            f"Received: {frames[~whole][0]} at place {int(np.argmin(whole))}"
        )
    return frames.astype(np.int64)


def check_rising(owner: str, frames: np.ndarray) -> None:
    """Raises ValueError unless numbers of frames (n,) begin above 0 and rise."""
    if len(frames) and frames[0] < 1:
        raise ValueError(
            f"`frames` of {owner} must be integers of at least 1. "
            f"Received: {frames[0]} at place 0"
        )
    steps = np.diff(frames)
    if (steps <= 0).any():
        i = int(np.argmax(steps <= 0))
        raise ValueError(
            f"`frames` of {owner} must rise. Received: {frames[i + 1]} after "
            f"{frames[i]}"
        )


def note_order(owner: str, frames: np.ndarray, tolerated: Tolerated) -> None:
    """Notes numbers of frames that `check_rising` refuses."""
    if len(frames) and (np.min(frames) < 1 or (np.diff(frames) <= 0).any()):
        tolerated.add("numbers of frames that do not rise from 1", owner)


def picture_size(owner: str, value: Any) -> tuple[int, int]:
    """Returns a picture's (w, h), px.

    Raises:
        ValueError: if they are not two positive integers.
    """
    size = numbers(owner, "size", value, (2,))
    if not ((size == np.round(size)) & (size > 0)).all():
        raise ValueError(
            f"`size` of {owner} must be positive integers. Received: {size.tolist()}"
        )
    return int(size[0]), int(size[1])


def first_size(
    owner: str, widths: Sequence, heights: Sequence, tolerated: Tolerated
) -> tuple[int, int]:
    """Returns the (w, h) of a sequence's first frame, px; notes others that differ."""
    sizes = [
        (float(np.ravel(w)[0]), float(np.ravel(h)[0]))
        for w, h in zip(widths, heights, strict=True)
    ]
    if len(set(sizes)) > 1:
        tolerated.add("frames of several sizes, of which the first is taken,", owner)
    return picture_size(owner, sizes[0])


def finite(owner: str, name: str, value: np.ndarray, what: str) -> None:
    """Raises ValueError if an array (n, ...) has a frame that is not finite."""
    bad = ~np.isfinite(value.reshape(len(value), -1)).all(axis=1)
    if bad.any():
        raise ValueError(
            f"`{name}` of {owner} must be finite{what}. Received: NaN or infinity in "
            f"{int(bad.sum())} of {len(value)} frames, first at place "
            f"{int(np.argmax(bad))}"
        )
