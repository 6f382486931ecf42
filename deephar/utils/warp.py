"""Resampling of a picture by an affine matrix: once, and only where it is looked at.

Matrices are (3, 3) and act on columns (x, y, 1) in px; the centre of the first pixel is
at (0.5, 0.5). Sizes are (w, h). All heavy work is Pillow's and OpenCV's, which let
other threads run meanwhile.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR

_LONGEST = 32_000
"""The most rows or columns that OpenCV's warp reads, rounded down."""


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
    resampler = Resampler(matrix, size, picture_size(image), antialias)
    if resampler.box is None:
        return resampler.black()
    if not isinstance(image, np.ndarray):
        part = image.crop(resampler.box)
        part = part if part.mode == "RGB" else part.convert("RGB")
        return resampler(np.asarray(part), resampler.box[:2])
    return resampler(image)


class Resampler:
    """What `warp` does, for a picture of which only a part has been decoded.

    Args:
        matrix: (3, 3), from px of the picture to px of the result.
        size: (w, h) of the result, px.
        picture: (w, h) of the whole picture, px.
        antialias: As in `warp`.

    Attributes:
        box: (x1, y1, x2, y2), the whole px of the picture that the result is made of;
            None where it lies outside the picture.

    Raises:
        ValueError: `size` is empty, or the matrix is of another shape or singular.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        size: Sequence[int],
        picture: Sequence[int],
        antialias: bool = True,
    ):
        self.size = width, height = int(size[0]), int(size[1])
        if width < 1 or height < 1:
            raise ValueError(f"`size` must be at least (1, 1). Received: size={size}")
        self._inverse = a, b, c, d, e, f = _inverse(matrix)
        xs = (c, c + a * width, c + b * height, c + a * width + b * height)
        ys = (f, f + d * width, f + e * height, f + d * width + e * height)
        x1, y1, x2, y2 = (
            round(edge, 6) for edge in (min(xs), min(ys), max(xs), max(ys))
        )
        self._window = x1, y1, x2, y2
        columns, rows = picture
        straight = abs(b) * height + abs(d) * width < 1e-6
        too_large = (x2 - x1) * (y2 - y1) > 4 * columns * rows + 2**20
        self._resizes = antialias and straight and not too_large
        step = math.sqrt(abs(a * e - b * d))
        self._factor = max(1, int(step)) if antialias and not self._resizes else 1
        self.box = None
        if x1 < columns and y1 < rows and x2 > 0 and y2 > 0:
            margin = 0 if self._resizes else 2 * self._factor
            self.box = (
                max(math.floor(x1) - margin, 0),
                max(math.floor(y1) - margin, 0),
                min(math.ceil(x2) + margin, columns),
                min(math.ceil(y2) + margin, rows),
            )

    def __call__(
        self, pixels: np.ndarray, corner: Sequence[int] = (0, 0)
    ) -> np.ndarray:
        """Returns the result, uint8 (h, w, 3).

        Args:
            pixels: uint8 (rows, cols, 3), RGB: the picture, or a part of it that covers
                `box`. The result does not depend on how much more it holds.
            corner: (x, y) of the part's first pixel in the picture.
        """
        if self.box is None:
            return self.black()
        x1, y1, x2, y2 = self.box
        x, y = corner
        part = pixels[y1 - y : y2 - y, x1 - x : x2 - x]
        return self._resize(part) if self._resizes else self._transform(part)

    def black(self) -> np.ndarray:
        """Returns a black result, uint8 (h, w, 3)."""
        return np.zeros((self.size[1], self.size[0], 3), np.uint8)

    def _resize(self, part):
        """Stretches a window of whole or broken px, averaging where it shrinks."""
        x, y = math.floor(self._window[0]), math.floor(self._window[1])
        outer = x, y, math.ceil(self._window[2]), math.ceil(self._window[3])
        image = Image.fromarray(np.ascontiguousarray(part))
        if outer != self.box:
            dx, dy = self.box[0] - x, self.box[1] - y
            image = image.crop((-dx, -dy, outer[2] - x - dx, outer[3] - y - dy))
        box = tuple(
            edge - start for edge, start in zip(self._window, (x, y, x, y), strict=True)
        )
        result = np.asarray(image.resize(self.size, BILINEAR, box=box))
        a, _, _, _, e, _ = self._inverse
        if a > 0 and e > 0:
            return result
        return np.ascontiguousarray(
            result[:: -1 if e < 0 else 1, :: -1 if a < 0 else 1]
        )

    def _transform(self, part):
        """Averages blocks of `factor` x `factor` px, then interpolates bilinearly."""
        if self._factor > 1:
            image = Image.fromarray(np.ascontiguousarray(part))
            part = np.asarray(image.reduce(self._factor))
        rows, columns = (-(-side // _LONGEST) for side in part.shape[:2])
        part = part[::rows, ::columns]
        sx, sy = self._factor * columns, self._factor * rows
        a, b, c, d, e, f = self._inverse
        x1, y1 = self.box[:2]
        inverse = np.array(  # between the centres of pixels: OpenCV's start at 0
            [
                [a / sx, b / sx, ((a + b) / 2 + c - x1) / sx - 0.5],
                [d / sy, e / sy, ((d + e) / 2 + f - y1) / sy - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(part, inverse, self.size, flags=flags)


def picture_size(image):
    if isinstance(image, np.ndarray):
        return image.shape[1], image.shape[0]
    return image.size


def _inverse(matrix):
    """Returns the two rows of the inverse of an affine matrix, as six numbers."""
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.shape == (3, 3):
        (a, b, c), (d, e, f) = matrix[:2].tolist()
        determinant = a * e - b * d
        if abs(determinant) > 1e-12:
            a, b, d, e = (v / determinant for v in (e, -b, -d, a))
            return a, b, -(a * c + b * f), d, e, -(d * c + e * f)
    raise ValueError(
        f"`matrix` must be an invertible (3, 3) matrix. Received: matrix={matrix}"
    )


def source_step(matrix: np.ndarray) -> float:
    """Returns the px of the picture, along a side, that fall on one of the result."""
    (a, b), (d, e) = matrix[:2, :2].tolist()
    return abs(a * e - b * d) ** -0.5
