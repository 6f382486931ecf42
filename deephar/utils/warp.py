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

_TAPS = 4
"""Shrunk by more than twice this, a picture is averaged in blocks before the filter."""
_LONGEST = 32_000
"""The most rows or columns that OpenCV's warp reads, rounded down."""


def one_thread_a_picture() -> None:
    """Keeps OpenCV, in this whole process, from dividing a picture among threads.

    For programs in which several workers make pictures at once: there OpenCV's own
    threads gain nothing and cost a fifth of the processor time.
    """
    cv2.setNumThreads(1)


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
        # Px of the picture, along its rows and columns, that a px of the result covers.
        self._steps = math.hypot(a, b), math.hypot(d, e)
        self._factors = 1, 1
        if antialias:
            self._factors = tuple(max(1, int(step / _TAPS)) for step in self._steps)
        self._antialias = antialias
        self.box = None
        columns, rows = picture
        if x1 < columns and y1 < rows and x2 > 0 and y2 > 0:
            margin_x, margin_y = (
                math.ceil(step) + 2 * factor + 2 if antialias else 2
                for step, factor in zip(self._steps, self._factors, strict=True)
            )
            outer = (
                math.floor(x1) - margin_x,
                math.floor(y1) - margin_y,
                math.ceil(x2) + margin_x,
                math.ceil(y2) + margin_y,
            )
            x1, y1 = max(outer[0], 0), max(outer[1], 0)
            x2, y2 = min(outer[2], columns), min(outer[3], rows)
            self.box = x1, y1, x2, y2
            # Black px beside the picture that a filter mixes into it.
            self._rim = (
                min(y1 - outer[1], margin_y),
                min(outer[3] - y2, margin_y),
                min(x1 - outer[0], margin_x),
                min(outer[2] - x2, margin_x),
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
        if not self._antialias:
            return self._transform(part, x1, y1)
        part = self._smooth(self._reduced(part))
        return self._transform(part, x1 - self._rim[2], y1 - self._rim[0])

    def black(self) -> np.ndarray:
        """Returns a black result, uint8 (h, w, 3)."""
        return np.zeros((self.size[1], self.size[0], 3), np.uint8)

    def _reduced(self, part):
        """The part and its rim; of a much larger picture blocks of px are averaged.

        A rim of whole blocks comes after the averaging: before it, the rim of a
        picture that hardly shows would fill the memory.
        """
        if self._factors == (1, 1):
            return _framed(part, self._rim)
        columns, rows = self._factors
        top, bottom, left, right = self._rim
        below = min(bottom, -(part.shape[0] + top) % rows)
        beside = min(right, -(part.shape[1] + left) % columns)
        part = _framed(part, (top % rows, below, left % columns, beside))
        part = np.asarray(Image.fromarray(part).reduce(self._factors))
        down, across = -((below - bottom) // rows), -((beside - right) // columns)
        return _framed(part, (top // rows, down, left // columns, across))

    def _smooth(self, part):
        """Averages over what a px of the result covers.

        With the bilinear interpolation that follows it comes to Pillow's triangle,
        which the original shrinks with.
        """
        steps = zip(self._steps, self._factors, strict=True)
        row, column = (_filter(step / factor) for step, factor in steps)
        if len(row) == len(column) == 1:
            return part
        return cv2.sepFilter2D(part, -1, row, column, borderType=cv2.BORDER_REPLICATE)

    def _transform(self, part, x1, y1):
        """Interpolates bilinearly between pixels; the first is (x1, y1)."""
        rows, columns = (-(-side // _LONGEST) for side in part.shape[:2])
        part = part[::rows, ::columns]
        sx, sy = self._factors[0] * columns, self._factors[1] * rows
        a, b, c, d, e, f = self._inverse
        inverse = np.array(  # between the centres of pixels: OpenCV's start at 0
            [
                [a / sx, b / sx, ((a + b) / 2 + c - x1) / sx - 0.5],
                [d / sy, e / sy, ((d + e) / 2 + f - y1) / sy - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(part, inverse, self.size, flags=flags)


def _framed(part, rim):
    """A picture with black px beside it: above, below, left and right."""
    return cv2.copyMakeBorder(part, *rim, cv2.BORDER_CONSTANT) if any(rim) else part


def _filter(step: float) -> np.ndarray:
    """Returns weights that widen bilinear interpolation to a triangle of 2 x `step` px.

    A triangle of a whole width is filtered exactly; between two of them their mixture
    has the triangle's variance.
    """
    if step < 1.001:
        return np.ones(1)
    narrow = int(step)
    share = (step**2 - narrow**2) / (2 * narrow + 1)
    places = np.abs(np.arange(-narrow, narrow + 1))
    weights = (1 - share) * np.maximum(narrow - places, 0) / narrow**2
    return weights + share * (narrow + 1 - places) / (narrow + 1) ** 2


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
