"""Checks of the values that the annotation files of sequences hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np


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


def frame_numbers(owner: str, value: Any) -> np.ndarray:
    """Returns numbers of frames (n,): integers from 1 that rise.

    Raises:
        ValueError: if they are anything else.
    """
    numbers = shaped(owner, "frames", value, (None,), np.float64)
    whole = np.isfinite(numbers) & (numbers == np.round(numbers)) & (numbers >= 1)
    if not whole.all():
        raise ValueError(
            f"`frames` of {owner} must be integers of at least 1. "
            f"Received: {numbers[~whole][0]} at place {int(np.argmin(whole))}"
        )
    steps = np.diff(numbers)
    if (steps <= 0).any():
        i = int(np.argmax(steps <= 0))
        raise ValueError(
            f"`frames` of {owner} must rise. "
            f"Received: {numbers[i + 1]:.0f} after {numbers[i]:.0f}"
        )
    return numbers.astype(np.int64)


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


def common_size(owner: str, widths: Sequence, heights: Sequence) -> tuple[int, int]:
    """Returns the (w, h) that all frames of a sequence share, px.

    Raises:
        ValueError: if the frames differ in size.
    """
    sizes = {
        (np.ravel(w)[0], np.ravel(h)[0]) for w, h in zip(widths, heights, strict=True)
    }
    if len(sizes) != 1:
        raise ValueError(
            f"all frames of {owner} must have one size. Received: "
            f"{sorted((int(w), int(h)) for w, h in sizes)}"
        )
    return picture_size(owner, sizes.pop())


def finite(owner: str, name: str, value: np.ndarray, what: str) -> None:
    """Raises ValueError if an array (n, ...) has a frame that is not finite."""
    bad = ~np.isfinite(value.reshape(len(value), -1)).all(axis=1)
    if bad.any():
        raise ValueError(
            f"`{name}` of {owner} must be finite{what}. Received: NaN or infinity in "
            f"{int(bad.sum())} of {len(value)} frames, first at place "
            f"{int(np.argmax(bad))}"
        )
