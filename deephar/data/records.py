"""Checks of the values that the annotation files of sequences hold.

Writers are strict. Readers let pass, and count (`Tolerated`), what the original reads
without harm: one odd video must not make a whole file useless.
"""

import collections
import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

logger = logging.getLogger(__name__)

_NAMES = 3
"""So many names of odd videos are logged, for each kind."""


def shaped(
    owner: str, name: str, value: Any, shape: tuple[int | None, ...], dtype: type
) -> np.ndarray:
    """Returns `value` as an array of the shape, where None stands for any length.

    Raises:
        ValueError: if it has another shape or is no array of numbers.
    """
    try:
        array = np.asarray(value, dtype=dtype)
    except (TypeError, ValueError) as error:
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
    numbers = shaped(owner, "frames", value, (None,), np.float64)
    whole = np.isfinite(numbers) & (numbers == np.round(numbers)) & (numbers >= 0)
    if not whole.all():
        raise ValueError(
            f"`frames` of {owner} must be integers of at least 0. "
            f"Received: {numbers[~whole][0]} at place {int(np.argmin(whole))}"
        )
    return numbers.astype(np.int64)


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
    size = shaped(owner, "size", value, (2,), np.float64)
    if not (np.isfinite(size) & (size == np.round(size)) & (size > 0)).all():
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
