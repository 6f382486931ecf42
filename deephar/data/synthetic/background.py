"""What lies behind a figure: sky, ground, rooms, textures, shadows and clutter."""

import functools

import numpy as np
from PIL import Image

from deephar.data.synthetic.body import rotation_z
from deephar.data.synthetic.render import Light, Solids, View

_SIDE = 256  # px of the noise tiles
_HORIZON = np.float32(60000)  # mm
_STEP = 3  # backgrounds are painted at a third of the resolution


@functools.cache
def noise_tiles() -> np.ndarray:
    """Returns (6, 256, 256) float32 tiles in [0, 1], from fine grain to soft clouds.

    They are seamless, and the same on every call: drawn once with their own seed.
    """
    rng = np.random.default_rng(20180618)
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE))
    frequency[0, 0] = 1
    tiles = []
    for power in (0.4, 0.8, 1.1, 1.4, 1.8, 2.3):
        waves = np.fft.rfft2(rng.standard_normal((_SIDE, _SIDE)))
        tile = np.fft.irfft2(waves * frequency**-power, s=(_SIDE, _SIDE))
        low, high = np.percentile(tile, (1, 99))
        tiles.append(np.clip((tile - low) / (high - low), 0, 1))
    return np.stack(tiles).astype(np.float32)


def paint_background(
    rng: np.random.Generator, view: View, light: Light, joints: np.ndarray
) -> np.ndarray:
    """Draws a background: room, open air, texture or plain gradient.

    Args:
        rng: Source of all choices.
        view: Camera and picture size.
        light: Its sun throws the figure's shadow on the floor.
        joints: (21, 3) joints of the main figure in the world, mm.

    Returns:
        picture (height, width, 3) uint8 in [0, 255].
    """
    columns, rows = view.rays(_STEP)
    kind = rng.choice(4, p=(0.5, 0.25, 0.15, 0.1))
    if kind < 2:
        paint = _scenery(rng, view, columns, rows, light, joints, outdoors=kind == 1)
    elif kind == 2:
        paint = _texture(rng, len(columns), len(rows))
    else:
        paint = _gradient(rng, len(columns), len(rows))
    small = np.clip(paint * 255, 0, 255).astype(np.uint8)
    whole = (0, 0, view.size[0] / _STEP, view.size[1] / _STEP)
    large = Image.fromarray(small).resize(view.size, Image.Resampling.BILINEAR, whole)
    return np.array(large)


@functools.cache
def _grain_tile() -> np.ndarray:
    """Returns (512, 512, 3) int16 white noise of deviation 64."""
    rng = np.random.default_rng(20180619)
    return np.clip(64 * rng.standard_normal((512, 512, 3)), -250, 250).astype(np.int16)


def film_grain(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Cuts (height, width, 3) int16 white noise of deviation 64 from a tile."""
    tile = _grain_tile()
    repeats = -(-height // 256), -(-width // 256)
    if max(repeats) > 2:
        tile = np.tile(tile, (*repeats, 1))
    y = rng.integers(0, tile.shape[0] - height + 1)
    x = rng.integers(0, tile.shape[1] - width + 1)
    return tile[y : y + height, x : x + width]


def _color(rng: np.random.Generator, dull: float = 0.7) -> np.ndarray:
    """Draws an RGB colour (3,) in [0, 1]; the duller the greyer."""
    mix = 1 - (1 - dull) * rng.random(3)
    return (rng.uniform(0.15, 0.95) * mix / mix.max()).astype(np.float32)


def _blend(first: np.ndarray, second: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Returns colours (..., 3) between two, by parts (...)."""
    return first + (second - first) * part[..., None]


def _gradient(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    across, down = rng.uniform(-1, 1, 2)
    ramp = across * np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
    ramp = 0.5 + ramp + down * np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    return _blend(_color(rng, 0.5), _color(rng, 0.5), ramp)


def _texture(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Draws three noise tiles as the channels of a picture, near a blend of colours."""
    x0, y0 = rng.integers(_SIDE, size=2)
    tile = noise_tiles()[rng.integers(len(noise_tiles()))]
    size = rng.uniform(0.4, 1.8)
    x = ((np.arange(width) / size).astype(int) + x0) % _SIDE
    y = ((np.arange(height) / size).astype(int) + y0) % _SIDE
    paint = _blend(_color(rng, 0.4), _color(rng, 0.4), tile[np.ix_(y, x)])
    other = noise_tiles()[-1][np.ix_((y + y0) % _SIDE, (x + x0) % _SIDE)]
    return _blend(paint, _color(rng, 0.3), 0.6 * other)


def _scenery(
    rng: np.random.Generator,
    view: View,
    columns: np.ndarray,
    rows: np.ndarray,
    light: Light,
    joints: np.ndarray,
    outdoors: bool,
) -> np.ndarray:
    """Draws a floor up to a wall, or ground up to a horizon below the sky."""
    frame = view.rotation.astype(np.float32)

    def along(axis: np.ndarray) -> np.ndarray:
        """Returns how far the rays (rows, columns) go along an axis (3,)."""
        turned = frame @ axis.astype(np.float32)
        return (columns * turned[0] + turned[2])[None] + (rows * turned[1])[:, None]

    height = np.float32(view.position[2])
    rise = along(np.array([0.0, 0.0, 1.0]))
    ahead = view.rotation[2, :2] / np.linalg.norm(view.rotation[2, :2])
    normal = rotation_z(rng.uniform(-40, 40))[:2, :2] @ ahead
    distance = normal @ (joints[0, :2] - view.position[:2]) + rng.uniform(900, 3000)
    toward = along(np.array([*normal, 0.0]))
    with np.errstate(divide="ignore"):
        to_floor = np.where(rise < -1e-3, -height / rise, np.inf)
        to_wall = np.where(toward > 1e-3, np.float32(distance) / toward, np.inf)

    far = _HORIZON if outdoors else to_wall
    floor = to_floor < far
    reach = np.minimum(np.where(floor, to_floor, far), _HORIZON)
    x = along(np.array([1.0, 0.0, 0.0])) * reach + np.float32(view.position[0])
    y = along(np.array([0.0, 1.0, 0.0])) * reach + np.float32(view.position[1])
    ground = _surface(rng, x, y)
    ground *= _shadow(x, y, light, joints)[..., None]
    if outdoors:
        above = _sky(rng, rise)
    else:
        sideways = y * np.float32(normal[0]) - x * np.float32(normal[1])
        above = _surface(rng, sideways, height + rise * reach)
    return np.where(floor[..., None], ground, above)


def _sky(rng: np.random.Generator, rise: np.ndarray) -> np.ndarray:
    """Draws haze, blue and clouds where rays climb by `rise` (rows, columns)."""
    blue = np.array((0.45, 0.62, 0.9), dtype=np.float32) * rng.uniform(0.6, 1.1)
    haze = np.full(3, 0.9, np.float32)
    cloud = np.full(3, rng.uniform(0.6, 0.95), np.float32)
    rows, columns = (np.arange(length) % _SIDE for length in rise.shape)
    part = 0.6 * noise_tiles()[4][np.ix_(rows, columns)]
    return _blend(_blend(haze, blue, np.clip(2.2 * rise, 0, 1)), cloud, part)


def _surface(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Draws a floor or wall at places x, y (mm): grain, and often a pattern."""
    tile = noise_tiles()[rng.integers(1, 5)]
    grain = np.float32(1 / rng.uniform(6, 25))
    rows, columns = (y * grain).astype(np.int32), (x * grain).astype(np.int32)
    part = tile[rows % _SIDE, columns % _SIDE]
    color = _color(rng)
    other = np.clip(color * rng.uniform(0.6, 1.4), 0, 1).astype(np.float32)
    paint = _blend(color, other, part)
    pattern = rng.integers(5)
    period = np.float32(1 / rng.uniform(250, 900))
    if pattern == 0:
        lines = ((x * period) % 1 < 0.5) ^ ((y * period) % 1 < 0.5)
    elif pattern == 1:
        lines = (x * period) % 1 < 0.5
    elif pattern == 2:
        lines = ((x * period) % 1 < 0.06) | ((y * period) % 1 < 0.06)
    else:
        return paint
    return paint * (1 - np.float32(rng.uniform(0.1, 0.4)) * lines[..., None])


_SHADOW_JOINTS = (0, 1, 3, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19)


def _shadow(
    x: np.ndarray, y: np.ndarray, light: Light, joints: np.ndarray
) -> np.ndarray:
    """Returns the light (rows, columns) that the joints' shadows leave at x, y."""
    sun = light.direction
    points = joints[list(_SHADOW_JOINTS)]
    slide = sun[:2] / max(sun[2], 0.35)
    points = points[:, :2] - points[:, 2:] * slide
    near = np.flatnonzero(
        (np.abs(x - points[:, 0].mean()) < 1500)
        & (np.abs(y - points[:, 1].mean()) < 1500)
    )
    px, py = x.ravel()[near], y.ravel()[near]
    dark = np.zeros(len(near), dtype=np.float32)
    for point in points.astype(np.float32):
        square = (px - point[0]) ** 2 + (py - point[1]) ** 2
        np.maximum(dark, 1 / (1 + square * np.float32(1 / 130**2)) ** 2, out=dark)
    left = np.ones(x.shape, dtype=np.float32)
    left.ravel()[near] = 1 - np.float32(0.75 * (1 - light.ambient)) * dark
    return left


def make_things(
    rng: np.random.Generator, places: np.ndarray, sizes: np.ndarray, tall: np.ndarray
) -> Solids:
    """Draws boxes, posts and balls standing on the floor.

    Args:
        rng: Source of shapes and colours.
        places: (n, 2) x, y of their centres on the floor, mm.
        sizes: (n, 2) half widths, mm.
        tall: (n,) heights, mm.
    """
    count = len(places)
    kind = rng.choice(3, size=count, p=(0.6, 0.25, 0.15))
    box = kind == 0
    turn = rng.uniform(0, np.pi, count)
    frames = np.tile(np.eye(3), (count, 1, 1))
    frames[:, 0, 0] = frames[:, 1, 1] = np.cos(turn)
    frames[:, 1, 0] = np.sin(turn)
    frames[:, 0, 1] = -np.sin(turn)
    ends = np.zeros((count, 2, 3))
    ends[:, :, :2] = places[:, None]
    ends[:, :, 2] = tall[:, None] / 2
    post = kind == 1
    ends[post, 0, 2], ends[post, 1, 2] = 0, tall[post]
    ball = kind == 2
    ends[ball, :, 2] = sizes[ball, :1]
    stretch = np.ones((count, 3))
    stretch[box, :2], stretch[box, 2] = sizes[box], tall[box] / 2
    radii = np.where(box[:, None], 1.0, np.repeat(sizes[:, :1], 2, axis=1))
    radii[post] *= 0.6
    colors = np.stack([[_color(rng, 0.4)] * 3 for _ in range(count)]).reshape(-1, 3, 3)
    return Solids(
        ends,
        radii,
        frames,
        stretch,
        colors,
        np.zeros(count),
        np.full(count, 2.0),
        box,
        np.full(count, -1),
    )
