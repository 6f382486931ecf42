"""Figures that move in space, drawn beside the video that they come from.

`animate` draws motion that is known from its beginning to its end, the right side red,
the left blue, the middle green; `SpaceView` draws a figure as it comes. A frame takes a
few milliseconds; `deephar.data.video_writing.write_video` makes a file of the frames.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import cv2
import numpy as np
from scipy.ndimage import uniform_filter1d

from deephar.utils.camera import rotate
from deephar.utils.painting import OUTLINE, paint_strokes, paint_text
from deephar.utils.pose import is_valid

_RIGHT, _LEFT, _MIDDLE = (225, 55, 50), (45, 105, 235), (50, 160, 75)
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
_EXTENT = (0.85, -2.0, 0.3)
"""Of a figure as it comes: how far it reaches to a side, up and down as seen, m."""
_FARTHEST = 1e4


@dataclasses.dataclass(frozen=True)
class Paper:
    """What a figure is drawn on, and its outline: RGB."""

    ground: tuple[int, int, int] = (255, 255, 255)
    grid: tuple[int, int, int] = (214, 214, 214)
    shadow: tuple[int, int, int] = (190, 190, 190)
    outline: tuple[int, int, int] = OUTLINE


PAPER = Paper()
NIGHT = Paper((24, 26, 31), (58, 62, 70), (13, 14, 17), (8, 8, 10))


@dataclasses.dataclass(frozen=True)
class Bones:
    """How the joints of a figure are drawn.

    Attributes:
        links: Pairs of joints between which a limb is drawn.
        left, right: Joints of a side; a limb has the side of its second joint.
        colors: RGB of every joint; a limb then has that of its first. None to colour
            the sides.
    """

    links: Sequence[tuple[int, int]]
    left: Sequence[int] = ()
    right: Sequence[int] = ()
    colors: Sequence[tuple[int, int, int]] | None = None

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
        if self.colors is not None:
            return self.colors[joint]
        if joint in self.right:
            return _RIGHT
        return _LEFT if joint in self.left else _MIDDLE

    def limb_color(self, link: tuple[int, int]) -> tuple[int, int, int]:
        """RGB of a limb."""
        return self.color(link[1] if self.colors is None else link[0])


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
    view = SpaceView.of_poses(poses.values(), size, azimuth)
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
            _draw_figure(panel, points, known, bones, size / 130)
        yield panel


class SpaceView:
    """How space becomes px, and a figure a picture.

    It is seen from afar, without perspective, along a direction that is `_ELEVATION`
    above the floor. The scale is the same for all figures that it draws.

    Args:
        size: (w, h) of a picture, px.
        azimuth: Direction that one looks from, degrees from x to y. A camera that looks
            along y sees by -90.
        extent: How far, m, figures reach from the place that they stand at: to either
            side, and, as seen, up (negative) and down.
        radius: Of the piece of floor that is seen, m.
        width: Of a limb, px; None for one that suits the scale.
        paper: What they are drawn on.
    """

    def __init__(
        self,
        size: tuple[int, int],
        azimuth: float = -60.0,
        extent: tuple[float, float, float] = _EXTENT,
        radius: float = 0.8,
        width: float | None = None,
        paper: Paper = PAPER,
    ):
        self.size, self.radius, self.paper = size, radius, paper
        self._axes = _axes(azimuth)
        wide, top, bottom = extent
        bottom = max(bottom, radius * np.sin(np.radians(_ELEVATION)))
        title = size[1] // 11
        room = size[1] - 2 * title
        self.scale = min(0.47 * size[0] / max(wide, radius), room / (bottom - top))
        self.width = max(1.2, self.scale / 28) if width is None else width
        slack = room - self.scale * (bottom - top)
        middle = 1.4 * title - top * self.scale + slack / 2
        self._center = np.array([size[0] / 2, middle])

    @classmethod
    def of_poses(cls, poses, size: int, azimuth: float) -> "SpaceView":
        """The square view that all poses (frames, joints, 3) of an animation fit."""
        axes = _axes(azimuth)
        near = np.concatenate(
            [(pose - places_of(pose)[:, None]) @ axes.T for pose in poses]
        )
        wide, down = np.abs(near[..., 0]).max(), near[..., 1]
        extent = (wide, min(down.min(), -1.0), down.max())
        radius = float(np.clip(0.8 * wide, *_FLOOR))
        return cls((size, size), azimuth, extent, radius, size / 85)

    def draw(
        self, picture: np.ndarray, pose: np.ndarray, bones: Bones, place=(0.0, 0.0)
    ) -> None:
        """Draws a figure with its shadow; the floor is to be there already.

        Args:
            picture: uint8 array (h, w, 3) of the view's size, changed in place.
            pose: Array (joints, 3): x, y along the floor and z up, m, the floor is at
                z = 0. Invalid, NaN and infinite joints are left out.
            bones: Those of `pose`.
            place: (x, y) of the floor that one looks at, in the middle, m.
        """
        known = is_valid(pose).all(axis=-1) & (np.abs(pose) < _FARTHEST).all(axis=-1)
        near = np.where(known[:, None], pose - (*place[:2], 0.0), 0.0)
        links = np.array([link for link in bones.links if known[list(link)].all()], int)
        if len(links):
            ends = self._project(near * (1, 1, 0))[0][links.T]
            self._draw_lines(picture, *ends, self.paper.shadow, self.width)
        points, nearness = self._project(near)
        depth = nearness - nearness[0]
        _draw_figure(picture, points, known, bones, self.width, depth, self.paper)

    def draw_floor(self, picture: np.ndarray, place=(0.0, 0.0)) -> None:
        """Draws a floor of squares of 0.5 m, a disc of it around the place."""
        lines = []
        for axis in (0, 1):
            first = np.ceil((place[axis] - self.radius) / _CELL)
            offsets = np.arange(first * _CELL, place[axis] + self.radius, _CELL)
            offsets = offsets - place[axis]
            half = np.sqrt(np.maximum(self.radius**2 - offsets**2, 0))
            ends = np.zeros((len(offsets), 2, 3))
            ends[:, :, axis] = offsets[:, None]
            ends[:, 0, 1 - axis], ends[:, 1, 1 - axis] = -half, half
            lines.append(self._project(ends)[0])
        starts, ends = np.concatenate(lines).transpose(1, 0, 2)
        self._draw_lines(picture, starts, ends, self.paper.grid, self.width / 6)

    @staticmethod
    def _draw_lines(picture, starts, ends, color, width):
        radii = np.full(len(starts), max(width, 1.0) / 2)
        paint_strokes(picture, starts, ends, radii, [color] * len(starts))

    def _project(self, points):
        """Turns points (..., 3) by the place into px (..., 2) and nearness (...), m."""
        seen = points @ self._axes.T
        return seen[..., :2] * self.scale + self._center, seen[..., 2]


def places_of(pose: np.ndarray) -> np.ndarray:
    """Where one looks, (frames, 3): on the floor, below the averaged root."""
    place = uniform_filter1d(pose[:, 0], _FOLLOWED, axis=0, mode="nearest")
    place[:, 2] = 0
    return place


def _axes(azimuth):
    """Directions (3, 3) to the right, down and nearer."""
    around, down = np.radians([azimuth, _ELEVATION])
    cos, sin = np.cos(around), np.sin(around)
    return np.array(
        [
            (-sin, cos, 0.0),
            (np.sin(down) * cos, np.sin(down) * sin, -np.cos(down)),
            (np.cos(down) * cos, np.cos(down) * sin, np.sin(down)),
        ]
    )


class _SpacePanel:
    """One figure in space, frame by frame."""

    def __init__(self, title, pose, bones, view):
        self._view, self._bones = view, bones
        self._pose, self._places = pose, places_of(pose)
        self._page = _title_page(title, view)

    def draw(self, frame):
        """The picture of a frame, (size, size, 3)."""
        panel = self._page.copy()
        place = self._places[frame]
        self._view.draw_floor(panel, place)
        self._view.draw(panel, self._pose[frame], self._bones, place)
        return panel


def _title_page(title, view):
    """An empty panel with its title."""
    width, height = view.size
    page = np.full((height, width, 3), view.paper.ground, np.uint8)
    size = max(9, height // 24)
    paint_text(page, title, (width / 2, height / 30 + size / 2), _INK, size, 0.5)
    return page


def _draw_figure(panel, points, known, bones, width, depth=None, paper=PAPER):
    """Draws limbs and joints, the far ones first and paler."""
    depth = np.zeros(len(points)) if depth is None else depth
    links = [(a, b) for a, b in bones.links if known[a] and known[b]]
    links.sort(key=lambda link: depth[link[0]] + depth[link[1]])
    ends = {joint for link in links for joint in link}
    strokes = []
    for joint in np.flatnonzero(known):
        if joint not in ends:
            strokes.append((joint, joint, 0.8 * width, bones.color(joint)))
    for a, b in links:
        pale = np.clip(-_FADING * (depth[a] + depth[b]) / 2, 0, _FADING)
        outline, limb, *dots = (
            tuple(v + pale * (w - v) for v, w in zip(one, paper.ground, strict=True))
            for one in (
                *(paper.outline, bones.limb_color((a, b))),
                *(bones.color(a), bones.color(b)),
            )
        )
        strokes.append((a, b, 0.75 * width, outline))
        strokes += [(joint, joint, 0.95 * width, outline) for joint in (a, b)]
        strokes.append((a, b, 0.5 * width, limb))
        both = zip((a, b), dots, strict=True)
        strokes += [(joint, joint, 0.7 * width, dot) for joint, dot in both]
    if strokes:
        starts, ends, radii, colors = zip(*strokes, strict=True)
        places = points[list(starts)], points[list(ends)]
        paint_strokes(panel, *places, np.array(radii), colors)
