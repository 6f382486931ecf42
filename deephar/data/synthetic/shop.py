"""A shop: shelves with goods, and the camera under the ceiling that sees customers.

The shelf that the camera looks at faces -y with its boards' edges at y = 0; customers
stand before it, at negative y, and look along +y.
"""

import dataclasses

import numpy as np

from deephar.data.synthetic.body import rotation_z
from deephar.data.synthetic.props import THING, Parts
from deephar.data.synthetic.render import Light, Solids, View, join
from deephar.data.synthetic.scene import look_at
from deephar.data.synthetic.stage import Stage
from deephar.data.synthetic.surroundings import (
    Surface,
    Surroundings,
    draw_color,
    draw_surface,
)
from deephar.utils.camera import Camera

HALF_WIDTH = 1700.0  # of the shelf, mm
_DEPTH = 420.0
_BOARDS = 5
_THICK = 14.0  # half of a board or a side
_FREE = (-1700.0, 1700.0), (-2500.0, 0.0), (0.0, 1850.0)  # x, y, z that are seen


def make_shop(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Stage, View]:
    """Draws a shop and its camera, which is fixed, for pictures (width, height), px."""
    side = rng.choice((-1.0, 1.0))
    view = _camera(rng, side, size)
    far = -side * rng.uniform(2900, 3300)
    walls = np.array(
        [
            (0.0, 1.0, _DEPTH + 40),
            (0.0, -1.0, rng.uniform(4200, 5200)),
            (-side, 0.0, abs(far) + _DEPTH + 40),
            (side, 0.0, abs(view.position[0]) + 500),
        ]
    )
    shelf = _make_shelf(rng, HALF_WIDTH)
    wide = rng.uniform(900, 1300)
    across = np.array((far, rng.uniform(-2600, -1900), 0.0))
    other = _turned(_make_shelf(rng, wide), 90.0 * side, across)
    room = Surroundings(draw_surface(rng), walls, _plain(rng), None)
    light = Light(_lamp(rng), float(rng.uniform(0.5, 0.65)), np.ones(3))
    return Stage(room, light, join(shelf, other)), view


def _camera(rng: np.random.Generator, side: float, size: tuple[int, int]) -> View:
    """Draws where the camera hangs: to one side (-1 or 1) of the shelf, before it."""
    place = np.array((side * rng.uniform(3600, 4200), 0.0, rng.uniform(2900, 3300)))
    place[1] = -rng.uniform(1500, 2300)
    view = look_at(place, np.array((0.0, -900.0, 850.0)), 0.0, 1.0, size)
    corners = np.stack(np.meshgrid(*_FREE), axis=-1).reshape(-1, 3)
    seen = view.to_camera(corners)
    seen = seen[:, :2] / seen[:, 2:]
    low, high = seen.min(axis=0), seen.max(axis=0)
    focal = (np.array(size) / (high - low)).min()
    center = np.array(size) / 2 - focal * (low + high) / 2
    camera = Camera(view.rotation, place, np.full(2, focal), center, np.zeros(2))
    return View(camera, size)


def _lamp(rng: np.random.Generator) -> np.ndarray:
    """Draws the direction to a lamp under the ceiling."""
    lamp = np.array((*rng.uniform(-0.5, 0.5, 2), 1.0))
    return lamp / np.linalg.norm(lamp)


def _plain(rng: np.random.Generator) -> Surface:
    """Draws a bright wall without a pattern."""
    wall = draw_surface(rng)
    bright = rng.uniform(0.7, 0.95, 3).astype(np.float32)
    return Surface(wall.tile, wall.grain, (bright, 0.93 * bright), 3, wall.period, 0)


def _make_shelf(rng: np.random.Generator, half: float) -> Solids:
    """Draws a shelf with goods; it stands from x = -half to half and faces -y."""
    tall = rng.uniform(1650, 1900)
    wood = draw_color(rng, 0.85)
    parts, axes = Parts(THING), np.eye(3)
    middle = _DEPTH / 2
    parts.box((0, _DEPTH, tall / 2), axes, (half, _THICK, tall / 2), 0.8 * wood)
    for x in (-half, half):
        parts.box((x, middle, tall / 2), axes, (_THICK, middle, tall / 2), wood)
    floors = np.linspace(120, tall - 330, _BOARDS)
    for height in (*floors, tall):
        parts.box((0, middle, height), axes, (half, middle, _THICK), wood)
    gap = floors[1] - floors[0] - 2 * _THICK
    for height in floors:
        _fill(rng, parts, half, height + _THICK, min(gap, tall - height - 3 * _THICK))
    return parts.solids()


def _fill(
    rng: np.random.Generator, parts: Parts, half: float, floor: float, gap: float
) -> None:
    """Puts goods side by side on a board, several of a kind, `gap` mm over it."""
    x = -half + 4 * _THICK
    while x < half - 200:
        wide, high = rng.uniform(35, 85), rng.uniform(0.3, 0.42) * gap
        color, front = rng.uniform(0.1, 0.95, 3), rng.uniform(45, 90)
        for _ in range(rng.integers(1, 6)):
            if x + 2 * wide > half - 3 * _THICK:
                break
            deep = (_DEPTH - front) / 2 - _THICK
            place = (x + wide, front + deep, floor + high)
            parts.box(place, np.eye(3), (wide, deep, high), color)
            x += 2 * wide + rng.uniform(6, 20)
        x += rng.uniform(10, 160)


def _turned(solids: Solids, degrees: float, place: np.ndarray) -> Solids:
    """Returns solids turned to the left about the vertical and moved to a place."""
    turn = rotation_z(degrees)
    return dataclasses.replace(
        solids, ends=solids.ends @ turn.T + place, frames=turn @ solids.frames
    )
