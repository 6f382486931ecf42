"""Looking at people through windows of a picture: several crops, refined windows.

`locate` cuts windows out of decoded pictures, asks a predictor of crops, brings the
joints back to the pictures' pixels with the matrices of the picture pipeline, and can
look several times: through moved and scaled windows whose predictions are averaged
(multi-crop), and through a new window around the joints that the last look found
(iterative box refinement).

Source of the refinement: `refine_pred` of dluvizon/deephar's exp/common/mpii_tools.py,
which calls a method that none of its data sets has.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from deephar.utils.camera import DEPTH_RANGE
from deephar.utils.transform import T, normalize_channels, transform_2d_points

SINGLE_CROP = ((1.0, 0.0, 0.0),)
"""The window alone: its scale, and its shift (x, y) in sides of the window."""

MULTI_CROP = (
    *SINGLE_CROP,
    *((0.9, 0.0, 0.0), (1.1, 0.0, 0.0)),
    *((1.0, -0.04, 0.0), (1.0, 0.04, 0.0), (1.0, 0.0, -0.04), (1.0, 0.0, 0.04)),
)
"""The window, two scales of it and four shifts. The paper says "multi-crop" and not
which crops; these are ours: scales well inside those of MPII's training (0.7 to 1.3),
shifts of 10 px in a crop of 256."""

REFINE_MARGIN = 1.5
"""Side of a refined window over the extent of the joints, as in the original. MPII's
own windows have 1.59 (median of its 2958 validation people; 1.43 of those whose joints
are all labelled)."""

REFINE_KEEP = 0.8
"""Part of a refined window's centre that stays the given window's, as in the original:
for windows that are known to show the person."""

SURE = 0.5
"""Confidence above which a joint says where the person is."""

_MIN_JOINTS = 4
_LEAST_WEIGHT = 1e-6


class Window(NamedTuple):
    """An upright window of a picture.

    Attributes:
        center: (x, y), px.
        size: (w, h), px.
    """

    center: tuple[float, float]
    size: tuple[float, float]

    @classmethod
    def of_box(cls, box: Sequence[float]) -> "Window":
        """The window that is a box (x1, y1, x2, y2), px."""
        x1, y1, x2, y2 = box
        return cls(((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(x1, y1, x2, y2), px."""
        (x, y), (width, height) = self.center, self.size
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def changed(self, scale: float, x: float, y: float) -> "Window":
        """Scaled about its centre, then shifted by (x, y) sides of this window."""
        (cx, cy), (width, height) = self.center, self.size
        return Window(
            (cx + x * width, cy + y * height), (scale * width, scale * height)
        )


class Located(NamedTuple):
    """What `locate` found.

    Attributes:
        joints: `(blocks, people, joints, dim + 1)` float64: x, y in px of the person's
            picture, in 3D then z in mm behind the depth at which the network puts the
            root, and confidence.
        windows: the last window of every person.
    """

    joints: np.ndarray
    windows: list[Window]


def crop(
    picture: Image.Image, window: Window, resolution: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts a window out of a picture, as the data sets do.

    Args:
        picture: decoded picture in mode RGB.
        window: where; black outside the picture.
        resolution: (w, h) of the crop, px.

    Returns:
        The crop `(h, w, 3)` float32 in [-1, 1], and the matrix `(3, 3)` from px of the
        picture to [0, 1] of the crop.
    """
    transform = T(picture)
    transform.rotate_crop(0, window.center, window.size)
    transform.resize(resolution)
    frame = normalize_channels(transform.asarray(np.uint8))
    transform.normalize_affinemap()
    return frame, transform.afmat


def refined(
    window: Window,
    joints: np.ndarray,
    confidence: np.ndarray,
    keep: float = REFINE_KEEP,
    margin: float = REFINE_MARGIN,
) -> Window:
    """Returns the window around the joints that were found with confidence.

    Args:
        window: the window in which they were found.
        joints: `(joints, 2)`, px of the picture.
        confidence: `(joints,)`; joints at or below `SURE` are passed over.
        keep: part of the centre that stays the old window's, [0, 1).
        margin: side of the new window over the longer side of the joints' extent.

    Returns:
        A window of the old one's shape; the old one where fewer than 4 joints are sure,
        or they span less than a pixel.
    """
    sure = (confidence > SURE) & np.isfinite(joints).all(axis=-1)
    if sure.sum() < _MIN_JOINTS:
        return window
    low, high = joints[sure].min(axis=0), joints[sure].max(axis=0)
    extent = float((high - low).max())
    if extent < 1:
        return window
    x, y = keep * np.asarray(window.center) + (1 - keep) * (low + high) / 2
    unit = margin * extent / max(window.size)
    width, height = window.size
    return Window((float(x), float(y)), (unit * width, unit * height))


def mirrored(frames: np.ndarray) -> np.ndarray:
    """Mirrors crops `(..., h, w, 3)`, left for right."""
    return np.ascontiguousarray(frames[..., ::-1, :])


def with_mirrored(joints: np.ndarray, others: np.ndarray, poselayout) -> np.ndarray:
    """Averages joints with those that were found in the mirrored crops.

    Args:
        joints: `(..., joints, dim + 1)`, x in [0, 1] of the crop first.
        others: the same of the mirrored crops, as they were found.
        poselayout: layout of the joints.
    """
    others = others[..., list(poselayout.map_hflip), :]
    others[..., 0] = 1 - others[..., 0]
    return 0.5 * (joints + others)


def average(joints: np.ndarray) -> np.ndarray:
    """Averages the predictions of several crops, weighted by their confidence.

    Args:
        joints: `(blocks, people, crops, joints, dim + 1)`: x, y in px of the picture,
            z in mm if there is one, and confidence. Predictions that are not finite
            are left out.

    Returns:
        `(blocks, people, joints, dim + 1)`: weighted means of the coordinates and the
        mean confidence; NaN where no crop has a finite prediction.
    """
    finite = np.isfinite(joints).all(axis=-1, keepdims=True)
    values = np.where(finite, joints, 0.0)
    weights = finite * (np.maximum(values[..., -1:], 0.0) + _LEAST_WEIGHT)
    with np.errstate(invalid="ignore"):
        places = (weights * values[..., :-1]).sum(axis=2) / weights.sum(axis=2)
        confidence = values[..., -1:].sum(axis=2) / finite.sum(axis=2)
    return np.concatenate([places, confidence], axis=-1)


def locate(
    predict: Callable[[np.ndarray], np.ndarray],
    pictures: Sequence[Image.Image],
    windows: Sequence[Window],
    resolution: Sequence[int],
    *,
    crops: Sequence[tuple[float, float, float]] = SINGLE_CROP,
    refine: int = 0,
    keep: float = REFINE_KEEP,
    batch_size: int = 8,
) -> Located:
    """Finds the joints of one person in each window.

    Args:
        predict: from crops `(batch, h, w, 3)` in [-1, 1] to `(blocks, batch, joints,
            dim + 1)`: x, y and, in 3D, z in [0, 1] of the crop, confidence.
        pictures: the decoded RGB picture of every person; one picture may come again.
        windows: (center, size) of every person. In 3D the z of [0, 1] covers
            `DEPTH_RANGE` in them, and more or less in the windows that are looked at as
            these are larger or smaller.
        resolution: (w, h) of the crops, px.
        crops: `SINGLE_CROP`, `MULTI_CROP` or other (scale, x, y) of the last look.
        refine: how often to put a new window around the joints before the last look.
        keep: see `refined`.
        batch_size: most crops a step.

    Raises:
        ValueError: if there is nobody, or not one window for each picture.
    """
    if not pictures or len(pictures) != len(windows):
        raise ValueError(
            "`pictures` and `windows` must be one each for every person. "
            f"Received: {len(pictures)} pictures, {len(windows)} windows"
        )
    windows = [Window(*window) for window in windows]
    units = [DEPTH_RANGE / window.size[0] for window in windows]

    def look(shapes):
        looks = [
            _Look(picture, window.changed(*shape), unit)
            for picture, window, unit in zip(pictures, windows, units, strict=True)
            for shape in shapes
        ]
        parts = _look(predict, looks, resolution, batch_size)
        joints = np.concatenate(list(parts), axis=1)
        blocks, _, num_joints, width = joints.shape
        by_crop = (blocks, len(pictures), len(shapes), num_joints, width)
        return average(joints.reshape(by_crop))

    for _ in range(refine):
        last = look(SINGLE_CROP)[-1]
        windows = [
            refined(window, person[:, :2], person[:, -1], keep)
            for window, person in zip(windows, last, strict=True)
        ]
    return Located(look(crops), windows)


class _Look(NamedTuple):
    """A window to look through; its range of depth, in mm for each px of its width."""

    picture: Image.Image
    window: Window
    depth_unit: float


def _look(
    predict, looks: list[_Look], resolution: Sequence[int], batch_size: int
) -> Iterator[np.ndarray]:
    """Yields `(blocks, batch, joints, dim + 1)` in px and mm."""
    for start in range(0, len(looks), batch_size):
        step = looks[start : start + batch_size]
        cut = [crop(one.picture, one.window, resolution) for one in step]
        joints = predict(np.stack([frame for frame, _ in cut])).astype(np.float64)
        for row, (one, (_, matrix)) in enumerate(zip(step, cut, strict=True)):
            for block in joints[:, row]:
                block[:, :2] = transform_2d_points(
                    matrix, block[:, :2], transpose=True, inverse=True
                )
                block[:, 2:-1] -= 0.5
                block[:, 2:-1] *= one.depth_unit * one.window.size[0]
        yield joints
