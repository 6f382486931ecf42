"""People in space, each on a floor of his own, beside the picture that they are in."""

import collections
import dataclasses
import math
from collections.abc import Hashable, Iterator, Mapping

import numpy as np

from deephar.inference.results import Pose3D
from deephar.utils.animation import NIGHT, Bones, SpaceView
from deephar.utils.drawing import limbs_in_space
from deephar.utils.painting import ink_on, paint_plate, paint_text, text_width

_MOST = 9
"""People that are seen at a time."""
_STAYS = 2.0
"""S for which somebody who is gone keeps his place."""
_FLOOR_FRAMES = 5
"""Frames whose lowest joints tell, averaged, where the floor is below the root."""
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
    scale, and stands on the lowest joint. Limbs have the colours that they have in the
    picture.
    """

    def __init__(self):
        self._figures: dict[Hashable, _Figure] = {}
        self._table: _Table | None = None
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
        size_of_all = space.shape[1::-1], max(1, len(self._figures))
        if self._table is None or self._table.key != size_of_all:
            self._table = _Table(*size_of_all)
        space[:] = self._table.page
        cells = self._table.cells(space)
        for cell, figure in zip(cells, self._figures.values(), strict=False):
            if figure.pose is not None:
                self._table.view.draw(cell, figure.pose, figure.bones)
            _name_plate(cell, figure, size)

    def _full(self) -> bool:
        return len(self._figures) >= _MOST


def _bones(pose: Pose3D) -> Bones:
    links, colors = limbs_in_space(pose.layout)
    return Bones(links, colors=colors.tolist())


def _standing(pose: Pose3D, lowest: collections.deque) -> np.ndarray:
    """A pose by the camera's axes, mm, as one in m, z up, the floor at z = 0."""
    x, y, z = (pose.joints - pose.joints[:1]).T / _MM
    points = np.stack([x, z, -y], axis=1)
    known = np.isfinite(points).all(axis=1)
    if known.any():
        lowest.append(points[known, 2].min())
    return points - (0.0, 0.0, np.mean(lowest) if lowest else 0.0)


class _Table:
    """Cells in which `count` figures are largest, with nothing but floors.

    Attributes:
        key: Size (w, h) of the table, px, and count of the figures.
        view: Of a cell.
        page: The table, uint8 array (h, w, 3).
    """

    def __init__(self, size: tuple[int, int], count: int):
        self.key = size, count
        width, height = size

        def scale(columns):
            return min(width / columns / 4, height / math.ceil(count / columns) / 5)

        self._columns = max(range(1, count + 1), key=scale)
        cell = width // self._columns, height // math.ceil(count / self._columns)
        self.view = SpaceView(cell, paper=NIGHT)
        self.page = np.full((height, width, 3), NIGHT.ground, np.uint8)
        for part in self.cells(self.page):
            self.view.draw_floor(part)

    def cells(self, space: np.ndarray) -> Iterator[np.ndarray]:
        """The parts of an array (h, w, 3), row by row."""
        wide, high = self.view.size
        for number in range(self.key[1]):
            row, column = divmod(number, self._columns)
            left, top = column * wide, row * high
            yield space[top : top + high, left : left + wide]


def _name_plate(part, figure, size):
    if not figure.name:
        return
    pad, small = 0.35 * size, 0.9 * size
    wide = text_width(figure.name, small) + 2 * pad
    box = (pad, pad, pad + wide, pad + 1.35 * small)
    paint_plate(part, box, figure.color, 0.3 * size)
    ink = ink_on(figure.color)
    paint_text(part, figure.name, (2 * pad, (box[1] + box[3]) / 2), ink, small)
