"""Where people are: floor, walls and sky at fixed places, seen by any camera."""

import dataclasses
import functools

import numpy as np

from deephar.data.synthetic.render import Light, View

SIDE = 256  # px of the noise tiles
STEP = 3  # backgrounds are painted at a third of the resolution
_HORIZON = np.float32(60000)  # mm
_SHADOW_REACH = 1500  # mm
_SHADOW_JOINTS = (0, 1, 3, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19)


@functools.cache
def noise_tiles() -> np.ndarray:
    """Returns (6, 256, 256) float32 tiles in [0, 1], from fine grain to soft clouds.

    They are seamless, and the same on every call: drawn once with their own seed.
    """
    rng = np.random.default_rng(20180618)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE))
    frequency[0, 0] = 1
    tiles = []
    for power in (0.4, 0.8, 1.1, 1.4, 1.8, 2.3):
        waves = np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
        tile = np.fft.irfft2(waves * frequency**-power, s=(SIDE, SIDE))
        low, high = np.percentile(tile, (1, 99))
        tiles.append(np.clip((tile - low) / (high - low), 0, 1))
    return np.stack(tiles).astype(np.float32)


def draw_color(rng: np.random.Generator, dull: float = 0.7) -> np.ndarray:
    """Draws an RGB colour (3,) in [0, 1]; the duller the greyer."""
    mix = 1 - (1 - dull) * rng.random(3)
    return (rng.uniform(0.15, 0.95) * mix / mix.max()).astype(np.float32)


def blend(first: np.ndarray, second: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Returns colours (..., 3) between two, by parts (...)."""
    return first + (second - first) * part[..., None]


@dataclasses.dataclass(frozen=True, eq=False)
class Surface:
    """What a floor or a wall looks like: grain, and often a pattern.

    Attributes:
        tile: (256, 256) noise.
        grain: Its px for each mm.
        colors: Two RGB colours (3,) between which it goes.
        pattern: 0 checks, 1 stripes, 2 tiles; otherwise none.
        period: Patterns for each mm.
        dark: Part of the light that the pattern takes.
    """

    tile: np.ndarray
    grain: np.float32
    colors: tuple[np.ndarray, np.ndarray]
    pattern: int
    period: np.float32
    dark: np.float32

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Returns the colours (..., 3) at places x, y (...) on it, mm."""
        rows = (y * self.grain).astype(np.int32)
        columns = (x * self.grain).astype(np.int32)
        part = self.tile[rows % SIDE, columns % SIDE]
        paint = blend(*self.colors, part)
        across, down = (x * self.period) % 1, (y * self.period) % 1
        if self.pattern == 0:
            lines = (across < 0.5) ^ (down < 0.5)
        elif self.pattern == 1:
            lines = across < 0.5
        elif self.pattern == 2:
            lines = (across < 0.06) | (down < 0.06)
        else:
            return paint
        return paint * (1 - self.dark * lines[..., None])


def draw_surface(rng: np.random.Generator) -> Surface:
    """Draws a floor or a wall."""
    tile = noise_tiles()[rng.integers(1, 5)]
    grain = np.float32(1 / rng.uniform(6, 25))
    color = draw_color(rng)
    other = np.clip(color * rng.uniform(0.6, 1.4), 0, 1).astype(np.float32)
    pattern = int(rng.integers(5))
    period = np.float32(1 / rng.uniform(250, 900))
    dark = np.float32(rng.uniform(0.1, 0.4)) if pattern < 3 else np.float32(0)
    return Surface(tile, grain, (color, other), pattern, period, dark)


@dataclasses.dataclass(frozen=True, eq=False)
class Sky:
    """Haze, blue and clouds."""

    blue: np.ndarray
    cloud: np.ndarray

    def at(self, rise: np.ndarray) -> np.ndarray:
        """Returns the colours (rows, columns, 3) where rays climb by `rise`."""
        rows, columns = (np.arange(length) % SIDE for length in rise.shape)
        part = 0.6 * noise_tiles()[4][np.ix_(rows, columns)]
        haze = np.full(3, 0.9, np.float32)
        clear = blend(haze, self.blue, np.clip(2.2 * rise, 0, 1))
        return blend(clear, self.cloud, part)


def draw_sky(rng: np.random.Generator) -> Sky:
    """Draws a sky."""
    blue = np.array((0.45, 0.62, 0.9), dtype=np.float32) * rng.uniform(0.6, 1.1)
    return Sky(blue, np.full(3, rng.uniform(0.6, 0.95), np.float32))


@dataclasses.dataclass(frozen=True, eq=False)
class Backdrop:
    """What a camera sees of the surroundings, at a third of its resolution.

    Attributes:
        paint: (rows, columns, 3) float32 colours in [0, 1], without shadows.
        floor: (rows, columns) bool, it is the floor.
        x, y: (rows, columns) float32 place in the world of what is seen, mm.
    """

    paint: np.ndarray
    floor: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def shadow(self, light: Light, joints: np.ndarray) -> np.ndarray:
        """Returns the light (rows, columns) that a figure's shadow leaves."""
        return np.where(self.floor, _shadow(self.x, self.y, light, joints), 1)


@dataclasses.dataclass(frozen=True, eq=False)
class Surroundings:
    """A floor, and walls or a sky, the same whoever looks.

    Attributes:
        ground: The floor, at z = 0.
        walls: (n, 3) upright walls: a normal (x, y) of length 1 that points out of the
            room, and its distance from the world's origin along it, mm. None outdoors.
        wall: What the walls look like.
        sky: The sky outdoors.
    """

    ground: Surface
    walls: np.ndarray | None
    wall: Surface | None
    sky: Sky | None

    def seen_by(self, view: View) -> Backdrop:
        """Paints what a camera sees; it must stand within the walls."""
        columns, rows = view.rays(STEP)
        frame = view.rotation.astype(np.float32)

        def along(axis: np.ndarray) -> np.ndarray:
            """Returns how far the rays (rows, columns) go along an axis (3,)."""
            turned = frame @ axis.astype(np.float32)
            return (columns * turned[0] + turned[2])[None] + (rows * turned[1])[:, None]

        height = np.float32(view.position[2])
        rise = along(np.array([0.0, 0.0, 1.0]))
        with np.errstate(divide="ignore"):
            to_floor = np.where(rise < -1e-3, -height / rise, np.inf)
        far, normals = self._walls_ahead(view, along)
        floor = to_floor < far
        reach = np.minimum(np.where(floor, to_floor, far), _HORIZON)
        x = along(np.array([1.0, 0.0, 0.0])) * reach + np.float32(view.position[0])
        y = along(np.array([0.0, 1.0, 0.0])) * reach + np.float32(view.position[1])
        if self.walls is None:
            above = self.sky.at(rise)
        else:
            sideways = y * normals[..., 0] - x * normals[..., 1]
            above = self.wall.at(sideways, height + rise * reach)
        paint = np.where(floor[..., None], self.ground.at(x, y), above)
        return Backdrop(paint, floor, x, y)

    def _walls_ahead(self, view, along):
        """Returns how far off the first wall is, and its normal, for each ray."""
        if self.walls is None:
            return _HORIZON, None
        nearest = normals = None
        for wall in self.walls:
            distance = wall[2] - wall[:2] @ view.position[:2]
            toward = along(np.array([*wall[:2], 0.0]))
            with np.errstate(divide="ignore"):
                found = np.where(toward > 1e-3, np.float32(distance) / toward, np.inf)
            normal = wall[:2].astype(np.float32)
            if nearest is None:
                nearest = found
                normals = np.broadcast_to(normal, (*found.shape, 2))
            else:
                nearer = found < nearest
                nearest = np.where(nearer, found, nearest)
                normals = np.where(nearer[..., None], normal, normals)
        return nearest, normals


def _shadow(
    x: np.ndarray, y: np.ndarray, light: Light, joints: np.ndarray
) -> np.ndarray:
    """Returns the light (rows, columns) that the joints' shadows leave at x, y."""
    sun = light.direction
    points = joints[list(_SHADOW_JOINTS)]
    slide = sun[:2] / max(sun[2], 0.35)
    points = points[:, :2] - points[:, 2:] * slide
    near = np.flatnonzero(
        (np.abs(x - points[:, 0].mean()) < _SHADOW_REACH)
        & (np.abs(y - points[:, 1].mean()) < _SHADOW_REACH)
    )
    px, py = x.ravel()[near], y.ravel()[near]
    dark = np.zeros(len(near), dtype=np.float32)
    for point in points.astype(np.float32):
        square = (px - point[0]) ** 2 + (py - point[1]) ** 2
        np.maximum(dark, 1 / (1 + square * np.float32(1 / 130**2)) ** 2, out=dark)
    left = np.ones(x.shape, dtype=np.float32)
    left.ravel()[near] = 1 - np.float32(0.75 * (1 - light.ambient)) * dark
    return left
