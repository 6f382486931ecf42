"""People in space, each on a floor of his own, beside the picture that they are in."""

import collections
import dataclasses
import math
from collections.abc import Hashable, Mapping

import numpy as np

from deephar.inference.results import Pose3D
from deephar.utils.animation import NIGHT, Bones, SpaceView
from deephar.utils.drawing import joint_color
from deephar.utils.painting import ink_on, paint_plate, paint_text, text_width

_MOST = 9
"""People that are seen at a time."""
_STAYS = 2.0
"""S for which somebody who is gone keeps his place."""
_FLOOR_FRAMES, _FLOOR_PERCENT = 50, 5
"""Frames that tell where the floor is, and how many may have a joint below it."""
_MM = 1000.0


@dataclasses.dataclass
class _Figure:
    """A person: name, colour, bones, the last pose (joints, 3) in m, z up."""

    name: str
    color: tuple[int, int, int]
    bones: Bones | None = None
    pose: np.ndarray | None = None
    time: float = -math.inf
    lowest: collections.deque = dataclasses.field(
        default_factory=lambda: collections.deque(maxlen=_FLOOR_FRAMES)
    )


class People3D:
    """A table of figures; who is in it stays where he is until he has been gone long.

    Everybody is seen from the camera's height but from 30 degrees to its right, in one
    scale, and stands where the lowest joint of the last frames is. Limbs have the
    colours that they have in the picture.
    """

    def __init__(self):
        self._figures: dict[Hashable, _Figure] = {}
        self._views: dict[tuple[int, int], SpaceView] = {}
        self._now = -math.inf

    def add(
        self,
        time: float,
        people: Mapping[Hashable, tuple[str, tuple[int, int, int], Pose3D | None]],
    ) -> None:
        """Takes a frame; an earlier time than the last one's begins anew.

        Args:
            time: Of the frame, s.
            people: By key: name, RGB and pose, None where it is not known.
        """
        if time < self._now:
            self._figures.clear()
        self._now = time
        for key, figure in list(self._figures.items()):
            if time - figure.time > _STAYS:
                del self._figures[key]
            figure.pose = None
        for key, (name, color, pose) in people.items():
            if pose is None or (key not in self._figures and self._full()):
                continue
            figure = self._figures.setdefault(key, _Figure(name, color))
            figure.time, figure.bones = time, _bones(pose)
            figure.pose = _standing(pose, figure.lowest)

    def paint(self, space: np.ndarray, size: float) -> None:
        """Paints the table into a uint8 array (h, w, 3), with texts of `size` px."""
        space[:] = NIGHT.ground
        height, width = space.shape[:2]
        columns, rows = _table(max(1, len(self._figures)), width, height)
        cell = width // columns, height // rows
        if cell not in self._views:
            self._views = {cell: SpaceView(cell, paper=NIGHT)}
        view = self._views[cell]
        for number, figure in enumerate(self._figures.values()):
            row, column = divmod(number, columns)
            left, top = column * cell[0], row * cell[1]
            part = space[top : top + cell[1], left : left + cell[0]]
            if figure.pose is None:
                view.draw_floor(part)
            else:
                view.draw(part, figure.pose, figure.bones)
            _name_plate(part, figure, size)
        if not self._figures:
            view.draw_floor(space[: cell[1], : cell[0]])

    def _full(self) -> bool:
        return len(self._figures) >= _MOST


def _bones(pose: Pose3D) -> Bones:
    colors = [joint_color(name) for name in pose.joint_names]
    links = [(up, joint) for joint, up in enumerate(pose.parents) if up >= 0]
    return Bones(links, colors=colors)


def _standing(pose: Pose3D, lowest: collections.deque) -> np.ndarray:
    """A pose by the camera's axes, mm, as one in m, z up, the floor at z = 0."""
    x, y, z = (pose.joints - pose.joints[:1]).T / _MM
    points = np.stack([x, z, -y], axis=1)
    known = np.isfinite(points).all(axis=1)
    if known.any():
        lowest.append(points[known, 2].min())
    floor = np.percentile(lowest, _FLOOR_PERCENT, method="lower") if lowest else 0.0
    return points - (0.0, 0.0, floor)


def _table(count: int, width: int, height: int) -> tuple[int, int]:
    """Columns and rows in which `count` figures are largest; they are 4 : 5."""

    def scale(columns):
        return min(width / columns / 4, height / math.ceil(count / columns) / 5)

    columns = max(range(1, count + 1), key=scale)
    return columns, math.ceil(count / columns)


def _name_plate(part, figure, size):
    if not figure.name:
        return
    pad, small = 0.35 * size, 0.9 * size
    wide = text_width(figure.name, small) + 2 * pad
    box = (pad, pad, pad + wide, pad + 1.35 * small)
    paint_plate(part, box, figure.color, 0.3 * size)
    ink = ink_on(figure.color)
    paint_text(part, figure.name, (2 * pad, (box[1] + box[3]) / 2), ink, small)
