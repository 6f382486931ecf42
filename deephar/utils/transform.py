"""One affine matrix for the picture and for the points in it.

Points are (x, y) in px with the origin at the picture's top left corner: the centre of
the first pixel is (0.5, 0.5). Matrices are (3, 3) and act on columns (x, y, 1). Sizes
are (w, h).

`T` collects a chain of crops, resizes, rotations and flips as a matrix and touches the
picture only when asked for it; `deephar.utils.warp` then resamples it, once.

Source: interface and matrices of dluvizon/deephar's utils/transform.py.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from deephar.utils.warp import picture_size, warp

BILINEAR = Image.Resampling.BILINEAR


class AffineTransform:
    """An affine matrix `afmat` (3, 3) that grows by one step with every call."""

    def __init__(self):
        self.afmat = np.eye(3)

    def _apply(self, t: np.ndarray) -> None:
        self.afmat = np.dot(t, self.afmat)

    def scale(self, w: float, h: float) -> None:
        """Multiplies x by `w` and y by `h`."""
        t = np.eye(3)
        t[0, 0] = w
        t[1, 1] = h
        self._apply(t)

    def translate(self, x: float, y: float) -> None:
        """Adds `x` and `y`."""
        t = np.eye(3)
        t[0, 2] = x
        t[1, 2] = y
        self._apply(t)

    def rotate(self, angle: float, center: Sequence[float]) -> None:
        """Rotates by `angle` degrees about `center` (x, y)."""
        self.translate(-center[0], -center[1])
        self.rotate_center(angle)
        self.translate(center[0], center[1])

    def rotate_center(self, angle: float) -> None:
        """Rotates by `angle` degrees about (0, 0), counter-clockwise as one sees it."""
        radians = angle * np.pi / 180
        cosine, sine = np.cos(radians), np.sin(radians)
        t = np.eye(3)
        t[0, :2] = cosine, sine
        t[1, :2] = -sine, cosine
        self._apply(t)

    def affine_hflip(self) -> None:
        """Mirrors x about 0."""
        t = np.eye(3)
        t[0, 0] = -1
        self._apply(t)


class T(AffineTransform):
    """A picture and the matrix that brings it where the calls so far have put it.

    Args:
        img: PIL picture, uint8 array (rows, cols, 3), or None to transform points
            only.
        img_size: (w, h) of the picture, px; needed where `img` is None.

    Attributes:
        afmat: Matrix from the picture's px to the present frame.
        size: (w, h) of the present frame, px.
        hflip: Whether the present frame is mirrored.
    """

    def __init__(self, img, img_size: Sequence[int] | None = None):
        super().__init__()
        self.img = img
        self.hflip = False
        self._normalized = False
        if img is not None:
            self._size = picture_size(img)
        elif img_size is not None:
            self._size = tuple(img_size)
        else:
            raise ValueError(
                "`img_size` must be given where `img` is None. Received: img_size=None"
            )

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def resize(self, size: Sequence[int], resample: int = BILINEAR) -> None:
        """Stretches the frame to `size` (w, h), px. `resample` must be bilinear."""
        _check_bilinear(resample)
        self.scale(size[0] / self.size[0], size[1] / self.size[1])
        self._size = (int(size[0]), int(size[1]))

    def normalize_affinemap(self) -> None:
        """Makes `afmat` end in [0, 1] instead of px; the picture stays as it is.

        To be called last: the other steps count in px.
        """
        self.scale(1 / self.size[0], 1 / self.size[1])
        self._normalized = True

    def crop(self, box: Sequence[float]) -> None:
        """Cuts out `box` (x1, y1, x2, y2), px; outside the picture it is black."""
        x1, y1, x2, y2 = (round(edge) for edge in box)
        if x2 <= x1 or y2 <= y1:
            raise ValueError(
                f"`box` must hold at least one pixel. Received: box={tuple(box)}"
            )
        self.translate(-box[0], -box[1])
        self._size = (x2 - x1, y2 - y1)

    def rotate_crop(
        self,
        angle: float,
        center: Sequence[float] | None,
        winsize: Sequence[float],
        resample: int = BILINEAR,
    ) -> None:
        """Rotates the picture, then cuts out a window about a point of it.

        The window's corners are truncated to whole px of the rotated picture, as the
        original does; the matrix says which window it has become.

        Args:
            angle: Degrees, counter-clockwise.
            center: (x, y) of the window's centre before rotation, px; None for the
                picture's centre.
            winsize: (w, h) of the window, px.
            resample: Must be bilinear.
        """
        _check_bilinear(resample)
        width, height = self.size
        if center is None:
            center = (width / 2, height / 2)
        if angle != 0:
            self.rotate(angle, center)
        corners = np.array([[0, width, 0, width], [0, 0, height, height]])
        corners = transform_2d_points(self.afmat, corners)
        self.translate(-corners[0].min(), -corners[1].min())
        x, y = transform_2d_points(self.afmat, np.array(center[:2]))
        half_w, half_h = winsize[0] / 2, winsize[1] / 2
        box = (x - half_w, y - half_h, x + half_w, y + half_h)
        self.crop([int(edge) for edge in box])

    def crop_resize_rotate(
        self,
        center: Sequence[float] | None,
        winsize: Sequence[float],
        resolution: Sequence[int],
        angle: float,
    ) -> None:
        """Does `rotate_crop` and `resize` to `resolution` (w, h), px, in one call.

        The original's MPII loader calls this method, but its class lacks it.
        """
        self.rotate_crop(angle, center, winsize)
        self.resize(resolution)

    def horizontal_flip(self) -> None:
        """Mirrors the frame."""
        self.affine_hflip()
        self.translate(self.size[0], 0)
        self.hflip = not self.hflip

    def asarray(self, dtype=np.float32) -> np.ndarray:
        """Returns the present frame (h, w, 3), [0, 255]; black where `img` is None."""
        if self.img is None:
            return np.zeros((self.size[1], self.size[0], 3), dtype)
        matrix = self.afmat
        if self._normalized:
            matrix = np.diag([*self.size, 1.0]) @ matrix
        return warp(self.img, matrix, self.size).astype(dtype, copy=False)


def _check_bilinear(resample):
    if resample != BILINEAR:
        raise ValueError(
            f"`resample` must be PIL.Image.BILINEAR. Received: resample={resample}"
        )


def transform_2d_points(
    A: np.ndarray, x: np.ndarray, transpose: bool = False, inverse: bool = False
) -> np.ndarray:
    """Applies an affine matrix to points.

    Args:
        A: Matrix (3, 3).
        x: Points (2, points), or (points, 2) with `transpose`, or one point (2,).
        transpose: Whether the points are rows.
        inverse: Whether to apply the inverse of `A`.

    Returns:
        float64 array of the shape of `x`.

    Raises:
        ValueError: The points do not have two coordinates.
    """
    x = np.asarray(x)
    columns = x[:, None] if x.ndim == 1 else (x.T if transpose else x)
    if columns.ndim != 2 or len(columns) != 2:
        raise ValueError(
            f"`x` must hold points of two coordinates. Received: x.shape={x.shape}, "
            f"transpose={transpose}"
        )
    matrix = np.linalg.inv(A) if inverse else np.asarray(A)
    ones = np.ones((1, columns.shape[1]))
    y = np.dot(matrix, np.concatenate([columns, ones]))[:2]
    if x.ndim == 1:
        return y[:, 0]
    return y.T if transpose else y


def transform_pose_sequence(
    A: np.ndarray, poses: np.ndarray, inverse: bool = True
) -> np.ndarray:
    """Applies affine matrices to poses, without changing either.

    Args:
        A: One matrix (3, 3), or one for each pose (samples, 3, 3).
        poses: Array (samples, points, 2).
        inverse: Whether to apply the inverse of `A`.

    Returns:
        float64 array (samples, points, 2).

    Raises:
        ValueError: A shape is another, or the numbers of samples differ.
    """
    A, poses = np.asarray(A, dtype=np.float64), np.asarray(poses)
    if poses.ndim != 3 or poses.shape[-1] != 2:
        raise ValueError(
            f"`poses` must have the shape (samples, points, 2). "
            f"Received: poses.shape={poses.shape}"
        )
    if A.shape not in ((3, 3), (len(poses), 3, 3)):
        raise ValueError(
            f"`A` must have the shape (3, 3) or ({len(poses)}, 3, 3). "
            f"Received: A.shape={A.shape}"
        )
    matrix = np.linalg.inv(A) if inverse else A
    rotation, shift = matrix[..., :2, :2], matrix[..., None, :2, 2]
    return poses @ np.swapaxes(rotation, -1, -2) + shift


def normalize_channels(
    frame: np.ndarray,
    channel_power: float | Sequence[float] = 1,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Brings a picture from [0, 255] to [-1, 1], with an exponent in between.

    Args:
        frame: Array (..., 3) of uint8 (fast: a table look-up) or of numbers.
        channel_power: Exponent of the values in [0, 1], one or three.
        out: Where to write the result: a contiguous float32 array of the same shape;
            None for a new one.

    Returns:
        float32 array of the same shape, `out` if it was given.

    Raises:
        ValueError: `channel_power` is neither one number nor three, or `out` is no
            such array.
    """
    power = np.asarray(channel_power, dtype=np.float64)
    if power.shape not in ((), (3,)):
        raise ValueError(
            f"`channel_power` must be one number or three. "
            f"Received: channel_power={channel_power}"
        )
    frame = np.asarray(frame)
    if out is None:
        out = np.empty(frame.shape, np.float32)
    elif (out.shape, out.dtype, out.flags.c_contiguous) != (
        *(frame.shape, np.float32, True),
    ):
        raise ValueError(
            f"`out` must be a contiguous float32 array {frame.shape}. "
            f"Received: {out.dtype} {out.shape}"
        )
    if frame.dtype == np.uint8 and frame.size:
        levels = np.arange(256)[:, None] / 255
        table = (2 * levels**power - 1).astype(np.float32)
        rows = (-1, 1, table.shape[1])
        cv2.LUT(frame.reshape(rows), table[None], out.reshape(rows))
        return out
    np.divide(frame, np.float32(255), out=out, casting="unsafe")
    if np.any(power != 1):
        np.power(out, power.astype(np.float32), out=out)
    out -= np.float32(0.5)
    out *= np.float32(2)
    return out
