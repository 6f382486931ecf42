"""What lies behind a figure: sky, ground, rooms, textures, shadows and clutter."""

import dataclasses

import numpy as np
from PIL import Image

from deephar.data.synthetic.body import INDEX, Body, rotation_z
from deephar.data.synthetic.render import Light, Solids, View
from deephar.data.synthetic.surroundings import (
    SIDE,
    STEP,
    Surroundings,
    blend,
    draw_color,
    draw_sky,
    draw_surface,
    noise_tiles,
)


def paint_background(
    rng: np.random.Generator, view: View, light: Light, joints: np.ndarray
) -> np.ndarray:
    """Draws a background: room, open air, texture or plain gradient.

    Args:
        rng: Source of all choices.
        view: Camera and picture size.
        light: Its sun throws the figures' shadows on the floor.
        joints: (21, 3) or (figures, 21, 3) joints in the world, mm, those of the main
            figure first. There may be no figures.

    Returns:
        picture (height, width, 3) uint8 in [0, 255].
    """
    columns, rows = (len(line) for line in view.rays(STEP))
    kind = rng.choice(4, p=(0.5, 0.25, 0.15, 0.1))
    if kind < 2:
        figures = joints.reshape(-1, *joints.shape[-2:])
        paint = _scenery(rng, view, light, figures, outdoors=kind == 1)
    elif kind == 2:
        paint = _texture(rng, columns, rows)
    else:
        paint = _gradient(rng, columns, rows)
    return enlarge(paint, view.size)


def enlarge(paint: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Makes a picture (height, width, 3) uint8 of paint at a third of its size."""
    small = np.clip(paint * 255, 0, 255).astype(np.uint8)
    whole = (0, 0, size[0] / STEP, size[1] / STEP)
    large = Image.fromarray(small).resize(size, Image.Resampling.BILINEAR, whole)
    return np.array(large)


def _gradient(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    across, down = rng.uniform(-1, 1, 2)
    ramp = across * np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
    ramp = 0.5 + ramp + down * np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    return blend(draw_color(rng, 0.5), draw_color(rng, 0.5), ramp)


def _texture(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Draws three noise tiles as the channels of a picture, near a blend of colours."""
    x0, y0 = rng.integers(SIDE, size=2)
    tile = noise_tiles()[rng.integers(len(noise_tiles()))]
    size = rng.uniform(0.4, 1.8)
    x = ((np.arange(width) / size).astype(int) + x0) % SIDE
    y = ((np.arange(height) / size).astype(int) + y0) % SIDE
    paint = blend(draw_color(rng, 0.4), draw_color(rng, 0.4), tile[np.ix_(y, x)])
    other = noise_tiles()[-1][np.ix_((y + y0) % SIDE, (x + x0) % SIDE)]
    return blend(paint, draw_color(rng, 0.3), 0.6 * other)


def _scenery(
    rng: np.random.Generator,
    view: View,
    light: Light,
    joints: np.ndarray,
    outdoors: bool,
) -> np.ndarray:
    """Draws a floor up to a wall, or ground up to a horizon below the sky."""
    ahead = view.rotation[2, :2] / np.linalg.norm(view.rotation[2, :2])
    normal = rotation_z(rng.uniform(-40, 40))[:2, :2] @ ahead
    middle = joints[0, 0, :2] if len(joints) else np.zeros(2)
    distance = normal @ middle + rng.uniform(900, 3000)
    ground = draw_surface(rng)
    if outdoors:
        place = Surroundings(ground, None, None, draw_sky(rng))
    else:
        walls = np.array([[*normal, distance]])
        place = Surroundings(ground, walls, draw_surface(rng), None)
    seen = place.seen_by(view)
    shadows = [seen.shadow(light, figure) for figure in joints]
    return seen.paint * np.prod([np.ones_like(seen.x), *shadows], axis=0)[..., None]


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
    colors = np.stack([[draw_color(rng, 0.4)] * 3 for _ in range(count)]).reshape(
        -1, 3, 3
    )
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


def seat_under(
    rng: np.random.Generator, body: Body, joints: np.ndarray, frames: np.ndarray
) -> Solids:
    """Makes a box under the pelvis, as deep as the thighs are long at most."""
    pelvis = joints[INDEX["pelvis"]]
    height = pelvis[2] - 0.9 * body.flesh[INDEX["pelvis"]]
    seat = make_things(
        rng, pelvis[None, :2], np.array([(210.0, 230.0)]), np.array([height])
    )
    axes = frames[:1].copy()
    axes[0, :, 2] = 0, 0, 1
    axes[0, :, 0] = np.cross(axes[0, :, 1] * (1, 1, 0), (0, 0, 1))
    axes[0, :, 0] /= np.linalg.norm(axes[0, :, 0])
    axes[0, :, 1] = np.cross((0, 0, 1), axes[0, :, 0])
    ends = np.tile(np.array([*pelvis[:2], height / 2]), (1, 2, 1))
    stretch = np.array([(210.0, 230.0, height / 2)])
    return dataclasses.replace(
        seat,
        ends=ends,
        frames=axes,
        stretch=stretch,
        radii=np.ones((1, 2)),
        box=np.ones(1, dtype=bool),
    )
