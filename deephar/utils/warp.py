"""Resampling of a picture by an affine matrix: once, and only where it is looked at.

Matrices are (3, 3) and act on columns (x, y, 1) in px; the centre of the first pixel is
at (0.5, 0.5). Sizes are (w, h). All heavy work is Pillow's.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR


def draft(picture: Image.Image, matrix: np.ndarray, slack: float = 1.0) -> np.ndarray:
    """Has an opened JPEG decoded at 1/2, 1/4 or 1/8 where a matrix shrinks it so far.

    That takes a fraction of the time and is itself an average over pixels. Other
    pictures stay as they are.

    Args:
        picture: PIL picture that is opened and not yet loaded.
        matrix: (3, 3), from px of the picture to px of the result.
        slack: how many times smaller than the result wants it the picture may become.

    Returns:
        The matrix from px of what will be decoded.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    step = slack * _source_step(matrix)
    if step < 2:
        return matrix
    width, height = picture.size
    least = (max(1, int(width / step)), max(1, int(height / step)))
    reply = picture.draft(None, least)
    if reply is None:
        return matrix
    _, (_, _, drafted_width, drafted_height) = reply
    return matrix @ np.diag([width / drafted_width, height / drafted_height, 1.0])


def warp(
    image, matrix: np.ndarray, size: Sequence[int], antialias: bool = True
) -> np.ndarray:
    """Resamples a picture once, through an affine matrix.

    Args:
        image: PIL picture of any mode or uint8 array (rows, cols, 3).
        matrix: (3, 3), from px of `image` to px of the result.
        size: (w, h) of the result, px.
        antialias: Average over all pixels that fall on one of the result (a shrunk
            picture without it sparkles); without it each is interpolated bilinearly
            between its four neighbours.

    Returns:
        uint8 array (h, w, 3), RGB, black where the result looks outside `image`.

    Raises:
        ValueError: `size` is empty, or the matrix is of another shape or singular.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    width, height = (int(side) for side in size)
    if width < 1 or height < 1:
        raise ValueError(f"`size` must be at least (1, 1). Received: size={size}")
    if matrix.shape != (3, 3) or not abs(np.linalg.det(matrix[:2, :2])) > 1e-12:
        raise ValueError(
            f"`matrix` must be an invertible (3, 3) matrix. Received: matrix={matrix}"
        )
    inverse = np.linalg.inv(matrix)
    corners = inverse[:2] @ np.array(
        [[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]]
    )
    (x1, y1), (x2, y2) = corners.min(axis=1), corners.max(axis=1)
    window = np.round([x1, y1, x2, y2], 6)
    straight = abs(inverse[0, 1]) * height + abs(inverse[1, 0]) * width < 1e-6
    picture_w, picture_h = picture_size(image)
    if window[0] >= picture_w or window[1] >= picture_h or (window[2:] <= 0).any():
        return np.zeros((height, width, 3), np.uint8)
    too_large = (x2 - x1) * (y2 - y1) > 4 * picture_w * picture_h + 2**20
    if antialias and straight and not too_large:
        result = _resize_window(image, window, (width, height))
        rows, cols = (-1 if inverse[i, i] < 0 else 1 for i in (1, 0))
        return np.ascontiguousarray(np.asarray(result)[::rows, ::cols])
    factor = max(1, int(_source_step(matrix))) if antialias else 1
    return _transform_window(image, inverse, window, (width, height), factor)


def _resize_window(image, window, size):
    """Stretches a window of whole or broken px to `size`."""
    outer = [*np.floor(window[:2]).astype(int), *np.ceil(window[2:]).astype(int)]
    part = _cut(image, outer)
    box = tuple(window - np.tile(outer[:2], 2))
    return part.resize(size, BILINEAR, box=box)


def _transform_window(image, inverse, window, size, factor):
    """Averages blocks of `factor` x `factor` px, then interpolates a rotated window."""
    margin = 2 * factor
    width, height = picture_size(image)
    x1, y1 = np.maximum(np.floor(window[:2]).astype(int) - margin, 0)
    x2, y2 = np.minimum(np.ceil(window[2:]).astype(int) + margin, (width, height))
    part = _cut(image, (x1, y1, x2, y2))
    if factor > 1:
        part = part.reduce(factor)
    to_part = np.diag([1 / factor, 1 / factor, 1.0])
    to_part[:2, 2] = -x1 / factor, -y1 / factor
    coefficients = tuple((to_part @ inverse)[:2].ravel())
    part = part.transform(size, Image.Transform.AFFINE, coefficients, BILINEAR)
    return np.array(part)


def _cut(image, box):
    """Returns `box` of a picture as a PIL picture, RGB, black outside."""
    width, height = picture_size(image)
    x1, y1 = max(box[0], 0), max(box[1], 0)
    x2, y2 = min(box[2], width), min(box[3], height)
    if isinstance(image, np.ndarray):
        part = Image.fromarray(np.ascontiguousarray(image[y1:y2, x1:x2]))
    else:
        part = image.crop((x1, y1, x2, y2))
    if part.mode != "RGB":
        part = part.convert("RGB")
    if (x1, y1, x2, y2) == tuple(box):
        return part
    return part.crop((box[0] - x1, box[1] - y1, box[2] - x1, box[3] - y1))


def picture_size(image):
    if isinstance(image, np.ndarray):
        return image.shape[1], image.shape[0]
    return image.size


def _source_step(matrix):
    """Returns the px of the picture, along a side, that fall on one of the result."""
    return abs(np.linalg.det(matrix[:2, :2])) ** -0.5
