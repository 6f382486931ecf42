"""Figures that move in space, drawn beside the video that they come from.

The right side is red, the left blue, the middle green. OpenCV draws a frame in a few
milliseconds; `deephar.data.video_writing.write_video` makes a file of the frames.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import uniform_filter1d

from deephar.utils.camera import rotate
from deephar.utils.pose import is_valid

_RIGHT, _LEFT, _MIDDLE = (225, 55, 50), (45, 105, 235), (50, 160, 75)
_OUTLINE = (25, 25, 25)
_PAPER, _GRID, _SHADOW = (255, 255, 255), (214, 214, 214), (190, 190, 190)
_GROUND, _INK = (40, 42, 46), (60, 60, 60)
_ELEVATION = 14.0
"""Degrees that one looks down on a figure."""
_CELL = 0.5
"""Side of a square of the floor, m."""
_FLOOR = (1.1, 5.0)
"""Least and greatest radius of the piece of floor that is seen, m."""
_FLOOR_PERCENT = 5
"""Of the frames: so many may have a joint below the floor."""
_FOLLOWED = 25
"""Frames over which the place of the root is averaged."""
_FADING = 0.45
"""Share of white in a limb that is a metre behind the root."""
_SHIFT = 4
"""Bits of a pixel's fraction."""
_FARTHEST = 1e4


@dataclasses.dataclass(frozen=True)
class Bones:
    """How the joints of a figure are drawn.

    Attributes:
        links: Pairs of joints between which a limb is drawn.
        left, right: Joints of a side; a limb has the side of its second joint.
    """

    links: Sequence[tuple[int, int]]
    left: Sequence[int] = ()
    right: Sequence[int] = ()

    @classmethod
    def of_parents(
        cls, parents: Sequence[int], left: Sequence[int], right: Sequence[int]
    ) -> "Bones":
        """The bones of a tree: `parents` has -1 for the root."""
        links = [(int(up), joint) for joint, up in enumerate(parents) if up >= 0]
        return cls(links, left, right)

    @classmethod
    def of_layout(cls, layout) -> "Bones":
        """The bones of a layout of `deephar.utils.pose`."""
        sides = (
            [i for i, name in enumerate(layout.joint_names) if name.startswith(side)]
            for side in ("l_", "r_")
        )
        return cls([(a, b) for a, b in layout.links], *sides)

    def color(self, joint: int) -> tuple[int, int, int]:
        """RGB of a joint."""
        if joint in self.right:
            return _RIGHT
        return _LEFT if joint in self.left else _MIDDLE


def animate(
    poses: Mapping[str, np.ndarray],
    bones: Bones,
    keypoints: np.ndarray | None = None,
    keypoint_bones: Bones | None = None,
    pictures: Iterable[np.ndarray] | None = None,
    picture_size: tuple[int, int] | None = None,
    size: int = 500,
    azimuth: float = 70.0,
) -> Iterator[np.ndarray]:
    """Draws moving figures on a floor, and on the left the video with its key points.

    One looks along with the figure: its root stays in the middle, the floor, whose
    squares are 0.5 m wide, moves below it. All figures have the same scale.

    Args:
        poses: By title, arrays (frames, joints, 3): x, y along the floor and z up, m;
            the floor is at z = 0, joint 0 is the root.
        bones: Those of `poses`.
        keypoints: Array (frames, keypoints, 2): (x, y) in px of the pictures. Invalid,
            NaN and infinite ones are left out.
        keypoint_bones: Those of `keypoints`; None for dots alone.
        pictures: uint8 arrays (h, w, 3), RGB, one a frame; they are taken as they are
            needed. None for a dark ground.
        picture_size: (w, h) of that ground, px; not used with `pictures`.
        size: Height of the frames and width of a figure's panel, px.
        azimuth: Direction that one looks from, degrees from x to y.

    Returns:
        An iterator of uint8 arrays (size, width, 3), RGB: `size` px of width for each
        figure, and the pictures in their own proportions.

    Raises:
        ValueError: if `poses` or `keypoints` do not have these shapes, are not equally
            long or are not finite; while iterating, if `pictures` end too early.
    """
    poses = _checked_poses(poses)
    length = len(next(iter(poses.values())))
    if keypoints is not None:
        keypoints = _checked_keypoints(keypoints, length)
        if pictures is None and picture_size is None:
            raise ValueError("`keypoints` need `pictures` or a `picture_size`")
    if size < 32:
        raise ValueError(f"`size` must be at least 32. Received: size={size}")
    view = _View(poses.values(), size, azimuth)
    panels = [_SpacePanel(title, pose, bones, view) for title, pose in poses.items()]
    if pictures is None and keypoints is not None:
        ground = np.full((*picture_size[::-1], 3), _GROUND, np.uint8)
        pictures = (ground for _ in range(length))
    film = None
    if pictures is not None:
        film = _film(pictures, keypoints, keypoint_bones or Bones(()), length, size)
    return _frames(panels, film, length)


def stand_on_floor(poses: np.ndarray) -> np.ndarray:
    """Moves poses (frames, joints, 3) so that the floor is at z = 0.

    That is where the lowest joint is in one frame of twenty: a few wrong poses, with a
    foot far down, do not lower it.
    """
    lowest = np.min(poses[..., 2], axis=1)
    return poses - (0, 0, np.percentile(lowest, _FLOOR_PERCENT, method="lower"))


def azimuth_of(orientation: np.ndarray) -> float:
    """The azimuth, degrees, by which `animate` looks as a camera does.

    Args:
        orientation: Quaternion (4,) from the camera's axes to the world's.
    """
    ahead = rotate(np.array([0.0, 0.0, 1.0]), orientation)
    return float(np.degrees(np.arctan2(-ahead[1], -ahead[0])))


def _checked_poses(poses):
    poses = {title: np.asarray(pose, np.float64) for title, pose in poses.items()}
    if not poses:
        raise ValueError("`poses` must hold a figure at least. Received: poses={}")
    shape = next(iter(poses.values())).shape
    for title, pose in poses.items():
        if pose.ndim != 3 or pose.shape[2] != 3 or pose.shape != shape or not len(pose):
            raise ValueError(
                "`poses` must all have the same shape (frames, joints, 3), and a frame "
                f"at least. Received: {title!r} with the shape {pose.shape}"
            )
        if not np.isfinite(pose).all():
            raise ValueError(
                f"`poses` must be finite. Received: {title!r}, which is not"
            )
    return poses


def _checked_keypoints(keypoints, length):
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.ndim != 3 or keypoints.shape[::2] != (length, 2):
        raise ValueError(
            f"`keypoints` must have the shape ({length}, keypoints, 2). "
            f"Received: keypoints.shape={keypoints.shape}"
        )
    return keypoints


def _frames(panels, film, length):
    for frame in range(length):
        drawn = [panel.draw(frame) for panel in panels]
        yield np.hstack(drawn if film is None else [next(film), *drawn])


def _film(pictures, keypoints, bones, length, size):
    """Gives the pictures `size` px high, with the key points."""
    pictures = iter(pictures)
    for frame in range(length):
        picture = next(pictures, None)
        if picture is None:
            raise ValueError(
                f"`pictures` must be as many as the poses, {length}. Received: {frame}"
            )
        scale = size / len(picture)
        width = max(2, 2 * round(picture.shape[1] * scale / 2))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        panel = cv2.resize(picture, (width, size), interpolation=method)
        if keypoints is not None:
            known = (is_valid(keypoints[frame])).all(axis=-1)
            known &= (np.abs(keypoints[frame]) < _FARTHEST).all(axis=-1)
            points = np.where(known[:, None], keypoints[frame], 0)
            points = (points + 0.5) * (width / picture.shape[1], scale) - 0.5
            _draw_figure(panel, points, known, bones, size / 160)
        yield panel


class _View:
    """How space becomes px: the same for all figures of an animation.

    It is seen from afar, without perspective, along a direction that is `_ELEVATION`
    above the floor.
    """

    def __init__(self, poses, size, azimuth):
        self.size = size
        around, down = np.radians([azimuth, _ELEVATION])
        cos, sin = np.cos(around), np.sin(around)
        self._axes = np.array(
            [
                (-sin, cos, 0.0),
                (np.sin(down) * cos, np.sin(down) * sin, -np.cos(down)),
                (np.cos(down) * cos, np.cos(down) * sin, np.sin(down)),
            ]
        )
        near = np.concatenate(
            [(pose - self.place(pose)[:, None]) @ self._axes.T for pose in poses]
        )
        wide = np.abs(near[..., 0]).max()
        self.radius = float(np.clip(0.8 * wide, *_FLOOR))
        top = min(near[..., 1].min(), -1.0)
        bottom = max(near[..., 1].max(), self.radius * np.sin(down))
        self._title = size // 11
        room = (size - 2 * self._title) / (bottom - top)
        self.scale = min(0.94 * size / (2 * max(wide, self.radius)), room)
        self._center = np.array(
            [size / 2, self._title * 1.4 - top * self.scale], dtype=np.float64
        )

    @staticmethod
    def place(pose):
        """Where one looks, (frames, 3): on the floor, below the averaged root."""
        place = uniform_filter1d(pose[:, 0], _FOLLOWED, axis=0, mode="nearest")
        place[:, 2] = 0
        return place

    def project(self, points):
        """Turns points (..., 3) by the place into px (..., 2) and nearness (...), m."""
        seen = points @ self._axes.T
        return seen[..., :2] * self.scale + self._center, seen[..., 2]


class _SpacePanel:
    """One figure in space, frame by frame."""

    def __init__(self, title, pose, bones, view):
        self._view, self._bones = view, bones
        self._place = view.place(pose)
        near = pose - self._place[:, None]
        self._points, nearness = view.project(near)
        self._depth = nearness - nearness[:, :1]
        self._shadow, _ = view.project(near * (1, 1, 0))
        self._paper = _title_page(title, view.size)

    def draw(self, frame):
        """The picture of a frame, (size, size, 3)."""
        panel, width = self._paper.copy(), self._view.size / 110
        self._draw_floor(panel, self._place[frame])
        shadow = self._shadow[frame]
        for a, b in self._bones.links:
            _line(panel, shadow[a], shadow[b], _SHADOW, width)
        known = np.ones(len(shadow), dtype=bool)
        _draw_figure(
            panel, self._points[frame], known, self._bones, width, self._depth[frame]
        )
        return panel

    def _draw_floor(self, panel, place):
        """The lines of the floor within a disc around the place."""
        radius = self._view.radius
        for axis in (0, 1):
            first = np.ceil((place[axis] - radius) / _CELL)
            offsets = np.arange(first * _CELL, place[axis] + radius, _CELL)
            offsets = offsets - place[axis]
            half = np.sqrt(np.maximum(radius**2 - offsets**2, 0))
            ends = np.zeros((len(offsets), 2, 3))
            ends[:, :, axis] = offsets[:, None]
            ends[:, 0, 1 - axis], ends[:, 1, 1 - axis] = -half, half
            for start, end in self._view.project(ends)[0]:
                _line(panel, start, end, _GRID, 1)


def _title_page(title, size):
    """An empty panel with its title."""
    page = Image.new("RGB", (size, size), _PAPER)
    font = ImageFont.load_default(max(9, size // 24))
    place = (size / 2, size / 30)
    ImageDraw.Draw(page).text(place, title, _INK, font, anchor="ma")
    return np.asarray(page)


def _draw_figure(panel, points, known, bones, width, depth=None):
    """Draws limbs and joints, the far ones first and paler."""
    depth = np.zeros(len(points)) if depth is None else depth
    links = [(a, b) for a, b in bones.links if known[a] and known[b]]
    links.sort(key=lambda link: depth[link[0]] + depth[link[1]])
    ends = {joint for link in links for joint in link}
    for joint in np.flatnonzero(known):
        if joint not in ends:
            _dot(panel, points[joint], bones.color(joint), 0.8 * width)
    for a, b in links:
        pale = np.clip(-_FADING * (depth[a] + depth[b]) / 2, 0, _FADING)
        outline, color = (
            tuple(float(v + pale * (255 - v)) for v in one)
            for one in (_OUTLINE, bones.color(b))
        )
        _line(panel, points[a], points[b], outline, 1.5 * width)
        for joint in (a, b):
            _dot(panel, points[joint], outline, 0.95 * width)
        _line(panel, points[a], points[b], color, width)
        for joint in (a, b):
            _dot(panel, points[joint], color, 0.7 * width)


def _line(panel, start, end, color, width):
    start, end = (
        tuple(int(v) for v in np.rint(point * (1 << _SHIFT))) for point in (start, end)
    )
    cv2.line(panel, start, end, color, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def _dot(panel, point, color, radius):
    x, y = (int(v) for v in np.rint(point * (1 << _SHIFT)))
    radius = max(1, round(radius * (1 << _SHIFT)))
    cv2.circle(panel, (x, y), radius, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)
