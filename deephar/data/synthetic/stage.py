"""A world in which somebody moves, and cameras that film it.

What stands still is drawn once for a camera that stands still; a frame then costs the
figure, its shadow and the window of the picture that they change.
"""

import dataclasses

import numpy as np
from PIL import Image

from deephar.data.synthetic.background import enlarge
from deephar.data.synthetic.body import rotation_z
from deephar.data.synthetic.film import Film
from deephar.data.synthetic.render import (
    Light,
    Solids,
    View,
    boxes_of,
    rasterize,
    shade,
)
from deephar.data.synthetic.surroundings import (
    STEP,
    Surroundings,
    draw_sky,
    draw_surface,
)
from deephar.utils.camera import Camera

_EDGE = 3  # px about what changes, so that blur finds its neighbours
_DIM = 0.99  # light below which a shadow is drawn


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
    """What all cameras see: surroundings, light, and things that stand still."""

    surroundings: Surroundings
    light: Light
    things: Solids | None


@dataclasses.dataclass(frozen=True, eq=False)
class Take:
    """One picture, and the z-buffer of the window where somebody is.

    Attributes:
        picture: (height, width, 3) uint8 RGB.
        view: The window as a camera of its own.
        corner: (2,) x, y of the window, px.
        depth: (rows, columns) of the window, mm, infinite where nothing is.
        index: (rows, columns) solid at each pixel, -1 for none; the last stands for
            all things.
        owner: (solids + 1,) number of the figure, -1 for things.
    """

    picture: np.ndarray
    view: View
    corner: np.ndarray
    depth: np.ndarray
    index: np.ndarray
    owner: np.ndarray


class Shot:
    """A camera that stands still on a stage."""

    def __init__(self, stage: Stage, view: View, film: Film):
        self._light, self._view, self._film = stage.light, view, film
        self._backdrop = stage.surroundings.seen_by(view)
        self._still = enlarge(self._backdrop.paint, view.size)
        width, height = view.size
        self._depth = np.full((height, width), np.inf, dtype=np.float32)
        if stage.things is not None:
            self._depth, index = rasterize(stage.things, view)
            shade(self._still, self._depth, index, stage.things, view, stage.light)
        self._developed = film.develop(self._still)

    def take(self, joints: np.ndarray, solids: Solids) -> Take:
        """Takes a picture of somebody, or of several people.

        Args:
            joints: (21, 3) joints, which throw the shadow, world, mm; (people, 21, 3)
                of several.
            solids: The figures and what they hold.
        """
        people = joints.reshape(-1, *joints.shape[-2:])
        shadow = np.minimum.reduce(
            [self._backdrop.shadow(self._light, person) for person in people]
        )
        x1, y1, x2, y2 = self._window(solids, shadow)
        view = _part(self._view, x1, y1, x2, y2)
        depth, index = rasterize(solids, view)
        behind = self._depth[y1:y2, x1:x2]
        seen = np.where(depth < behind, index, -1)
        part = self._still[y1:y2, x1:x2] * _fit(shadow, x1, y1, x2, y2, behind)
        part = part.astype(np.uint8)
        shade(part, depth, seen, solids, view, self._light)
        picture = self._developed.copy()
        width, height = self._view.size
        inner = [
            0 if x1 == 0 else _EDGE,
            0 if y1 == 0 else _EDGE,
            x2 - x1 - (0 if x2 == width else _EDGE),
            y2 - y1 - (0 if y2 == height else _EDGE),
        ]
        left, top, right, bottom = inner
        picture[y1 + top : y1 + bottom, x1 + left : x1 + right] = self._film.develop(
            part, x1, y1
        )[top:bottom, left:right]
        things = np.isfinite(behind) & (behind <= depth)
        return Take(
            picture=picture,
            view=view,
            corner=np.array((x1, y1)),
            depth=np.minimum(depth, behind),
            index=np.where(things, len(solids), seen),
            owner=np.append(solids.owner, -1),
        )

    def _window(self, solids: Solids, shadow: np.ndarray) -> tuple[int, ...]:
        """Returns x1, y1, x2, y2 of what somebody changes, px; not empty."""
        boxes = boxes_of(solids, self._view)
        boxes = boxes[np.isfinite(boxes).all(axis=1)]
        rows, columns = np.nonzero(shadow < _DIM)
        if len(rows):
            dark = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            boxes = np.vstack([boxes, STEP * np.array(dark)])
        if not len(boxes):
            boxes = np.zeros((1, 4))
        size = np.array(self._view.size)
        low = np.floor(boxes[:, :2].min(axis=0)).astype(int) - _EDGE
        high = np.ceil(boxes[:, 2:].max(axis=0)).astype(int) + _EDGE
        low = np.clip(low // STEP * STEP, 0, size - 1)
        return (*low.tolist(), *np.clip(high, low + 1, size).tolist())


def _part(view: View, x1: int, y1: int, x2: int, y2: int) -> View:
    """Returns the camera of a window of a picture."""
    camera = view.camera
    center = view.center - (x1, y1)
    part = Camera(camera.R, camera.t, camera.f, center, camera.p)
    return View(part, (x2 - x1, y2 - y1))


def _fit(
    shadow: np.ndarray, x1: int, y1: int, x2: int, y2: int, behind: np.ndarray
) -> np.ndarray:
    """Returns the light (rows, columns, 1) in a window; nothing darkens things."""
    small = shadow[y1 // STEP : -(-y2 // STEP), x1 // STEP : -(-x2 // STEP)]
    size = (x2 - x1, y2 - y1)
    box = (0, 0, size[0] / STEP, size[1] / STEP)
    image = Image.fromarray(small.astype(np.float32))
    light = np.array(image.resize(size, Image.Resampling.BILINEAR, box))
    light[np.isfinite(behind)] = 1
    return light[..., None]


def draw_surroundings(
    rng: np.random.Generator, places: np.ndarray, outdoors: bool
) -> Surroundings:
    """Draws a world about places (n, 2) on the floor, which no wall cuts off, mm."""
    ground = draw_surface(rng)
    if outdoors:
        return Surroundings(ground, None, None, draw_sky(rng))
    axes = rotation_z(rng.uniform(0, 90))[:2, :2].T
    normals = np.concatenate([axes, -axes])
    reach = (places @ normals.T).max(axis=0) + rng.uniform(700, 2600, 4)
    walls = np.concatenate([normals, reach[:, None]], axis=1)
    return Surroundings(ground, walls, draw_surface(rng), None)
