"""Boxes around poses.

A box is (x1, y1, x2, y2); a window is its centre (x, y) and its size (w, h). Units are
those of the points: px, or normalised to the crop.

Source: dluvizon/deephar's utils/bbox.py.
"""

import collections
import logging
from collections.abc import Iterator, Sequence

import numpy as np

from deephar.utils.pose import get_valid_joints

relsize_std = 1.5
"""Side of a box over the extent of its joints."""

square_std = True

_logger = logging.getLogger(__name__)
_warned: collections.deque = collections.deque(maxlen=1024)
"""The last clips that a message was logged for."""


class PoseBBox:
    """Boxes of many poses, computed when asked for.

    Args:
        poses: Array (samples, joints, dim), or (samples, frames, joints, dim) of clips.
        relsize: Side of a box over the extent of its joints.
        square: Whether boxes are squares.

    `boxes[key]` takes an index, a slice or a list of indices and returns an array
    (..., 4), or (..., frames, 4) for clips.
    """

    def __init__(
        self,
        poses: np.ndarray,
        relsize: float = relsize_std,
        square: bool = square_std,
    ):
        if np.ndim(poses) not in (3, 4):
            raise ValueError(
                f"`poses` must have the shape (samples, joints, dim) or (samples, "
                f"frames, joints, dim). Received: poses.shape={np.shape(poses)}"
            )
        self.poses = poses
        self.relsize = relsize
        self.square = square
        self.num_frames = poses.shape[1] if poses.ndim == 4 else None

    def __getitem__(self, key) -> np.ndarray:
        chosen = self.poses[key]
        flat = chosen.reshape(-1, *chosen.shape[-2:])
        boxes = get_valid_bbox_array(flat, relsize=self.relsize, square=self.square)
        return boxes.reshape(*chosen.shape[:-2], 4)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of all boxes: (samples, 4) or (samples, frames, 4)."""
        return (*self.poses.shape[:-2], 4)


def get_valid_bbox(
    points: np.ndarray,
    jprob: np.ndarray | None = None,
    relsize: float = relsize_std,
    square: bool = square_std,
) -> np.ndarray:
    """Returns the box around the valid joints of a pose.

    Args:
        points: Array (joints, dim).
        jprob: Probabilities (joints,) or (joints, 1); with them the joints above 0.5
            are taken, whether valid or not.
        relsize: Side of the box over the extent of the joints.
        square: Whether the box is a square.

    Returns:
        Array (4,).

    Raises:
        ValueError: No joint is left.
    """
    if jprob is None:
        chosen = get_valid_joints(points) == 1
    else:
        chosen = np.reshape(jprob, -1) > 0.5
    if not chosen.any():
        raise ValueError(
            f"`points` must hold at least one valid joint. "
            f"Received: points.shape={np.shape(points)}, none valid"
        )
    center, size = get_objpos_winsize(points[chosen], relsize, square)
    return objposwin_to_bbox(center, size)


def get_valid_bbox_array(
    pointarray: np.ndarray,
    jprob: np.ndarray | None = None,
    relsize: float = relsize_std,
    square: bool = square_std,
) -> np.ndarray:
    """Returns `get_valid_bbox` of each pose of (samples, joints, dim): (samples, 4)."""
    probs = [None] * len(pointarray) if jprob is None else jprob
    boxes = [
        get_valid_bbox(points, prob, relsize, square)
        for points, prob in zip(pointarray, probs, strict=True)
    ]
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def get_objpos_winsize(
    points: np.ndarray, relsize: float = relsize_std, square: bool = square_std
) -> tuple[np.ndarray, tuple[float, float]]:
    """Returns the window around all joints of a pose, valid or not.

    Args:
        points: Array (joints, dim).
        relsize: Side of the window over the extent of the joints.
        square: Whether the window is a square.

    Returns:
        Centre (2,) and (w, h).
    """
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    width, height = relsize * (high - low)
    if square:
        width = height = max(width, height)
    return (low + high) / 2.0, (width, height)


def compute_grid_bboxes(
    frame_size: Sequence[float],
    grid: Sequence[int] = (3, 2),
    relsize: float = relsize_std,
    square: bool = square_std,
) -> np.ndarray:
    """Returns boxes in which to look for people where no box is given.

    Args:
        frame_size: (w, h) of the picture, px.
        grid: (columns, rows) of boxes.
        relsize: Side of the second box over the picture's.
        square: Whether boxes are squares.

    Returns:
        Array (2 + columns * rows, 4): the whole picture, the picture and a margin, and
        overlapping boxes row by row.
    """
    frame = np.array(frame_size[:2], dtype=np.float64)
    cell = frame / (np.array(grid) + 1)
    columns, rows = np.meshgrid(np.arange(grid[0]) + 1, np.arange(grid[1]) + 1)
    centers = np.stack([columns.ravel(), rows.ravel()], axis=-1) * cell
    halves = [frame / 2, frame / 2, *[cell] * len(centers)]
    if square:
        halves = [np.full(2, half.max()) for half in halves]
    halves[1] = halves[1] * relsize
    centers = np.concatenate([[frame / 2, frame / 2], centers])
    return np.concatenate([centers - halves, centers + halves], axis=-1)


def bbox_to_objposwin(
    bbox: Sequence[float],
) -> tuple[np.ndarray, tuple[float, float]]:
    """Returns a box's centre (2,) and size (w, h)."""
    x1, y1, x2, y2 = bbox
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2]), (x2 - x1, y2 - y1)


def objposwin_to_bbox(objpos: Sequence[float], winsize: Sequence[float]) -> np.ndarray:
    """Returns the box (4,) of a window with centre `objpos` and size `winsize`."""
    (x, y), (width, height) = objpos[:2], winsize[:2]
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def corners_to_box(
    corners: Sequence[float],
) -> tuple[float, float, float, float]:
    """Returns (x, y, w, h), the upper left corner and the size, of (x1, y1, x2, y2)."""
    x1, y1, x2, y2 = corners
    return x1, y1, x2 - x1, y2 - y1


def overlaps(box: Sequence[float], size: Sequence[float]) -> bool:
    """Tells whether a box (x1, y1, x2, y2) has a part of a picture of (w, h) px."""
    x1, y1, x2, y2 = box
    return bool(x1 < size[0] and y1 < size[1] and x2 > 0 and y2 > 0)


def checked_box(box: Sequence[float]) -> np.ndarray:
    """Returns a box (4,) float64, if it is one.

    Raises:
        ValueError: if it is not four finite numbers (x1, y1, x2, y2), x1 < x2 and
            y1 < y2.
    """
    values = np.asarray(box, dtype=np.float64)
    whole = values.shape == (4,) and np.isfinite(values).all()
    if not whole or not (values[:2] < values[2:]).all():
        raise ValueError(
            "A box must be x1 y1 x2 y2 in pixels with x1 < x2 and y1 < y2. "
            f"Received: {values.tolist()}"
        )
    return values


def check_overlap(owner: str, box: Sequence[float], size: Sequence[float]) -> None:
    """Refuses a box wholly outside its picture, where there is nothing to look at.

    Args:
        owner: What the message calls the box.
        box: (x1, y1, x2, y2), px.
        size: (w, h) of the picture, px.

    Raises:
        ValueError: if box and picture have nothing in common.
    """
    if not overlaps(box, size):
        raise ValueError(
            f"{owner} must overlap the picture of {size[0]} x {size[1]} px. "
            f"Received: {[float(value) for value in box]}"
        )


def get_gt_bbox(
    pose: np.ndarray,
    visible: np.ndarray,
    image_size: Sequence[float],
    scale: float = 1.0,
    logkey=None,
) -> np.ndarray:
    """Returns one box around a clip's poses in its first, middle and last frame.

    Args:
        pose: Array (frames, joints, dim), px.
        visible: Array (frames, joints); joints of at least 0.5 are taken. In a frame
            without one, those with positive coordinates; without one of these either,
            the whole picture, and a message is logged (once for a `logkey`).
        image_size: (w, h) of the picture, px.
        scale: Factor on the standard size of the box.
        logkey: What the message calls the clip.

    Returns:
        Array (4,).
    """
    pose, visible = np.asarray(pose), np.asarray(visible)
    if pose.ndim != 3 or pose.shape[-1] < 2 or visible.shape[:2] != pose.shape[:2]:
        raise ValueError(
            f"`pose` must have the shape (frames, joints, dim) and `visible` (frames, "
            f"joints). Received: pose.shape={pose.shape}, "
            f"visible.shape={visible.shape}"
        )
    last = len(pose) - 1
    frames = {0, min(int(len(pose) / 2 + 0.5), last), last}
    boxes = []
    for frame in sorted(frames):
        joints = _known_joints(pose[frame], visible[frame])
        if len(joints):
            boxes.append(get_valid_bbox(joints, relsize=relsize_std * scale))
        else:
            _warn_of(frame, None if logkey is None else str(logkey))
            boxes.append(np.array([0.0, 0.0, image_size[0], image_size[1]]))
    boxes = np.array(boxes)
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _warn_of(frame, clip):
    if clip is not None and clip in _warned:
        return
    _warned.append(clip)
    _logger.warning("No joint in frame %d of clip %s", frame, clip)


def _known_joints(pose, visible):
    """Returns the joints to take a box from, (joints, dim)."""
    chosen = (visible.reshape(-1) >= 0.5) & (get_valid_joints(pose) == 1)
    if not chosen.any():
        chosen = (pose[:, :2] > 0).all(axis=-1)
    return pose[chosen]


def get_crop_params(
    rootj: np.ndarray, imgsize: Sequence[float], f: np.ndarray, scale: float
) -> tuple[np.ndarray, tuple[float, float], np.ndarray]:
    """Returns the window around a person whose root joint is known in space.

    It is that of the clip's first frame, whatever the others: the original means to
    look at three frames and looks at the first three times; its scores depend on it.

    Args:
        rootj: Root joint (frames, 3): x and y in px, depth in mm.
        imgsize: (w, h) of the picture, px.
        f: Focal lengths (1, 2), px.
        scale: Factor on the standard window.

    Returns:
        Centre (2,) px, (w, h) px, and the range of depth (2,) mm: a metre to each side
        times `scale`.
    """
    rootj = np.asarray(rootj)
    if rootj.ndim != 2 or rootj.shape[-1] != 3 or not len(rootj):
        raise ValueError(
            f"`rootj` must have the shape (frames, 3). "
            f"Received: rootj.shape={rootj.shape}"
        )
    x, y, depth = rootj[0]
    side = 2.25 * scale * max(imgsize[i] * f[0, i] / depth for i in (0, 1))
    box = objposwin_to_bbox((x, y + scale), (side, side))
    center, size = bbox_to_objposwin(box)
    return center, size, np.array([depth - scale * 1000.0, depth + scale * 1000.0])
