"""Whole pictures of generated people with exact labels, as functions of a seed."""

import dataclasses
import functools

import numpy as np

from deephar.data.synthetic.actions import random_pose
from deephar.data.synthetic.background import (
    make_things,
    paint_background,
    seat_under,
)
from deephar.data.synthetic.body import INDEX, place
from deephar.data.synthetic.figure import Person, arms_in_trunk, make_person
from deephar.data.synthetic.film import draw_film
from deephar.data.synthetic.poses import Action
from deephar.data.synthetic.render import (
    Light,
    Solids,
    View,
    boxes_of,
    join,
    rasterize,
    shade,
)
from deephar.data.synthetic.sight import find_joints, is_inside
from deephar.utils.camera import Camera

MPII_JOINTS = tuple(
    INDEX[name]
    for name in (
        *("r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle"),
        *("pelvis", "thorax", "neck", "head"),
        *("r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist"),
    )
)
_TRIES = 5  # poses drawn before an arm in the trunk is accepted
FRONTAL = 0.85
_STATURE = 200.0  # px of a person of MPII scale 1
_TALL = 0.88  # MPII's height of a person, made from the head, over the stature
_OBJPOS_RISE = 10.0  # MPII's centre lies above that of the joints, px at scale 1


@dataclasses.dataclass(frozen=True, eq=False)
class Figure:
    """A person that has taken a pose somewhere in the world.

    Attributes:
        person: Body and clothes.
        joints: (21, 3) in the order of `body.JOINTS`, world, mm.
        frames: (21, 3, 3) axes of the bones.
        action: What the figure does.
        heading: Degrees that it is turned to the left from world x.
    """

    person: Person
    joints: np.ndarray
    frames: np.ndarray
    action: Action
    heading: float = 0.0

    @functools.cached_property
    def solids(self) -> Solids:
        """The figure as solids; their owner is 0."""
        return self.person.solids(self.joints, self.frames)


@dataclasses.dataclass(frozen=True, eq=False)
class Labels:
    """What is true of a figure in a view; joints in the order of `body.JOINTS`.

    Attributes:
        world: (21, 3) joints in the world, mm.
        camera: (21, 3) joints in the camera's frame (right, down, forwards), mm.
        picture: (21, 2) x, y of the joints, px; may lie outside the picture.
        inside: (21,) bool, the joint lies in the picture.
        visible: (21,) bool, and nothing hides it.
        bbox: (4,) x1, y1, x2, y2 of the whole figure within the picture, px.
        head: (4,) x1, y1, x2, y2 of the head without hair, px.
        scale: 0.88 of the stature in px / 200, close to MPII's.
        objpos: (2,) x, y of the person's centre as MPII's, px.
    """

    world: np.ndarray
    camera: np.ndarray
    picture: np.ndarray
    inside: np.ndarray
    visible: np.ndarray
    bbox: np.ndarray
    head: np.ndarray
    scale: float
    objpos: np.ndarray

    def mpii_pose(self) -> np.ndarray:
        """Returns (16, 2) x, y in MPII order, px; NaN for joints not in the picture."""
        chosen = list(MPII_JOINTS)
        return np.where(self.inside[chosen, None], self.picture[chosen], np.nan)


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """One picture (height, width, 3) uint8 RGB, its depth map (mm) and its truth."""

    picture: np.ndarray
    depth: np.ndarray
    view: View
    figure: Figure
    labels: Labels


def make_sample(
    seed: int | tuple[int, ...], index: int, frontal: float = FRONTAL
) -> Sample:
    """Makes picture number `index` of the endless set that belongs to a seed.

    Nothing but the arguments decides it.

    Args:
        seed: Which people.
        index: Which of them.
        frontal: Part of the people who face the camera, within about 40 degrees; the
            others face anywhere. The lower, the harder to tell left from right.

    Raises:
        ValueError: if a seed or the index is negative or `frontal` is no part.
    """
    check_frontal(frontal)
    key = (*np.atleast_1d(seed).tolist(), index)
    if min(key) < 0:
        raise ValueError(
            f"`seed` and `index` must not be negative. Received: {seed=}, {index=}"
        )
    rng = np.random.default_rng(key)
    figure = random_figure(rng)
    view = aim(rng, figure, frontal)
    light = random_light(rng, view)
    things = surround(rng, figure, view)
    return photograph(rng, figure, things, view, light)


def check_frontal(frontal: float) -> None:
    """Raises ValueError unless `frontal` is a part of a whole."""
    if not 0 <= frontal <= 1:
        raise ValueError(f"`frontal` must be within [0, 1]. Received: {frontal=}")


def photograph(
    rng: np.random.Generator,
    figure: Figure,
    things: Solids | None,
    view: View,
    light: Light,
) -> Sample:
    """Takes a picture of a figure, of which it becomes the truth.

    Args:
        rng: Draws background and exposure; the same state gives the same ones, so a
            clip starts each frame with a generator of the same seed.
        figure: The figure that is labelled.
        things: What else there is, with owners other than 0.
        view: The camera.
        light: Sun and sky.
    """
    solids = figure.solids if things is None else join(figure.solids, things)
    picture = paint_background(rng, view, light, figure.joints)
    depth, index = rasterize(solids, view)
    shade(picture, depth, index, solids, view, light)
    picture = draw_film(rng, view.size).develop(picture)
    labels = label(figure, view, depth, index, solids.owner)
    return Sample(picture, depth, view, figure, labels)


def random_figure(
    rng: np.random.Generator, origin=(0.0, 0.0), heading: float | None = None
) -> Figure:
    """Draws a person doing something, facing anywhere unless `heading` is given."""
    person = make_person(rng)
    heading = rng.uniform(0, 360) if heading is None else heading
    for _ in range(_TRIES):
        action, pose = random_pose(rng)
        joints, frames = place(person.body, pose, heading, origin)
        if not arms_in_trunk(person, joints, frames):
            break
    return Figure(person, joints, frames, action, heading)


def look_at(
    position: np.ndarray,
    target: np.ndarray,
    roll: float,
    focal: float,
    size: tuple[int, int],
) -> View:
    """Returns a camera at a place (3,), aimed at another, turned by `roll` degrees."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    rotation = np.stack([c * right + s * down, c * down - s * right, forward])
    center = np.array(size) / 2
    camera = Camera(rotation, position, np.full(2, focal), center, np.zeros(2))
    return View(camera, size)


def aim(rng: np.random.Generator, figure: Figure, frontal: float = FRONTAL) -> View:
    """Draws a camera that has the figure in the picture, seldom cut by its border.

    It stands before the part `frontal` of the figures, or beside them if they lie.
    """
    size = (int(rng.integers(256, 361)), int(rng.integers(256, 361)))
    return zoom(rng, stand_before(rng, figure, frontal, size), [figure])


def stand_before(
    rng: np.random.Generator, figure: Figure, frontal: float, size: tuple[int, int]
) -> View:
    """Draws where a camera stands that looks at a figure; see `aim` and `zoom`."""
    middle = (figure.joints.min(axis=0) + figure.joints.max(axis=0)) / 2
    distance = rng.uniform(2600, 6500)
    rise = np.clip(rng.normal(1450, 550), 250, 3200)
    upright = figure.frames[INDEX["pelvis"], 2, 2] > 0.5
    side = 0.0 if upright else rng.choice((-90.0, 90.0))
    near = np.clip(25 * rng.standard_normal(), -50, 50)
    turn = side + near if rng.random() < frontal else rng.uniform(-180, 180)
    bearing = np.radians(figure.heading + turn)
    position = middle + distance * np.array([np.cos(bearing), np.sin(bearing), 0])
    position[2] = rise
    return look_at(position, middle, 4 * rng.standard_normal(), 1.0, size)


def zoom(rng: np.random.Generator, view: View, figures: list[Figure]) -> View:
    """Draws focal length and principal point that have figures in the picture.

    The stature of the first one is little more than the picture's height at most.
    """
    size, first = view.size, figures[0]
    boxes = np.concatenate([boxes_of(figure.solids, view) for figure in figures])
    low, high = np.nanmin(boxes[:, :2], axis=0), np.nanmax(boxes[:, 2:], axis=0)
    space = np.array(size) / (high - low)
    middle = (first.joints.min(axis=0) + first.joints.max(axis=0)) / 2
    stature = first.person.body.height / view.to_camera(middle)[2]
    focal = min(rng.uniform(0.62, 0.95) * space.min(), 1.05 * size[1] / stature)
    if rng.random() < 0.08:
        focal *= rng.uniform(1.05, 1.3)
    slack = np.maximum(size - focal * (high - low), 0) / 2
    shift = rng.uniform(-0.8, 0.8, 2) * slack
    center = np.array(size) / 2 + shift
    center -= focal * ((low + high) / 2 - view.center)
    at = view.position
    camera = Camera(view.rotation, at, np.full(2, focal), center, np.zeros(2))
    return View(camera, size)


def random_light(rng: np.random.Generator, view: View) -> Light:
    """Draws a sun, more often behind the camera than before it."""
    azimuth = rng.uniform(-2.2, 2.2) + np.arctan2(*-view.rotation[2, 1::-1])
    rise = np.radians(rng.uniform(20, 80))
    flat = np.cos(rise)
    direction = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(rise)])
    tint = rng.uniform(-0.08, 0.08)
    bright = rng.uniform(0.85, 1.12)
    color = bright * np.array([1 + tint, 1.0, 1 - tint])
    return Light(direction, float(rng.uniform(0.38, 0.65)), color)


def surround(rng: np.random.Generator, figure: Figure, view: View) -> Solids | None:
    """Draws seat, clutter and people behind, now and then something in front."""
    axes = floor_axes(view)
    parts = things_about(rng, figure, axes)
    if rng.random() < 0.12:
        step = np.array(
            [rng.uniform(1200, 3000), rng.choice((-1, 1)) * rng.uniform(500, 1500)]
        )
        other = random_figure(rng, figure.joints[:, :2].mean(axis=0) + step @ axes)
        parts.append(other.person.solids(other.joints, other.frames, owner=1))
    if rng.random() < 0.15:
        parts.append(occluder(rng, figure, axes))
    return join(*parts) if parts else None


def floor_axes(view: View) -> np.ndarray:
    """Returns the directions (2, 2) on the floor away from a camera and to its left."""
    away = view.rotation[2, :2] / np.linalg.norm(view.rotation[2, :2])
    return np.stack([away, (-away[1], away[0])])


def things_about(
    rng: np.random.Generator, figure: Figure, axes: np.ndarray
) -> list[Solids]:
    """Draws what a figure sits on, and clutter behind it (see `floor_axes`)."""
    parts = []
    if figure.action.seat:
        parts.append(seat_under(rng, figure.person.body, figure.joints, figure.frames))
    count = int(rng.integers(0, 6))
    if count:
        steps = rng.uniform((1000, -2600), (3500, 2600), (count, 2))
        places = figure.joints[:, :2].mean(axis=0) + steps @ axes
        sizes = rng.uniform(80, 500, (count, 2))
        parts.append(make_things(rng, places, sizes, rng.uniform(200, 2200, count)))
    return parts


def occluder(rng: np.random.Generator, figure: Figure, axes: np.ndarray) -> Solids:
    """Draws a post, a bar or a low box between the camera and the figure."""
    away, left = axes
    reach = (figure.joints[:, :2] @ away).min()
    joint = figure.joints[rng.integers(len(figure.joints))]
    place = joint[:2] + (reach - rng.uniform(250, 700) - joint[:2] @ away) * away
    thing = make_things(rng, place[None], np.full((1, 2), 50.0), np.array([2500.0]))
    kind = rng.integers(3)
    wide = rng.uniform(30, 75)
    ends = np.zeros((1, 2, 3))
    ends[0, :, :2] = place
    stretch, box = np.ones((1, 3)), np.array([kind == 2])
    if kind == 0:
        ends[0, 1, 2] = 3000
    elif kind == 1:
        ends[0, :, :2] += np.outer((-2000, 2000), left)
        ends[0, :, 2] = max(joint[2] + rng.uniform(-100, 100), wide)
    else:
        tall = rng.uniform(250, 700)
        ends[0, :, 2] = tall / 2
        stretch[0] = rng.uniform(150, 400), rng.uniform(60, 150), tall / 2
        wide = 1.0
    return dataclasses.replace(
        thing, ends=ends, stretch=stretch, radii=np.full((1, 2), wide), box=box
    )


def label(
    figure: Figure,
    view: View,
    depth: np.ndarray,
    index: np.ndarray,
    owner: np.ndarray,
) -> Labels:
    """Labels a figure exactly, from its joints, the camera and the z-buffer.

    Args:
        figure: The figure to label.
        view: The camera.
        depth: (height, width) z-buffer, mm.
        index: (height, width) solid at each pixel, -1 for none.
        owner: (solids,) number of the figure; the labelled one is 0.
    """
    body = figure.person.body
    picture, away, visible = find_joints(body, figure.joints, view, depth, index, owner)
    size = np.array(view.size)
    solids = figure.solids
    boxes = boxes_of(solids, view)
    bbox = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    skull = int(np.flatnonzero(figure.person.bones == INDEX["head"])[0])
    scale = view.focal[1] * _TALL * body.height / away[INDEX["pelvis"]] / _STATURE
    joints = picture[list(MPII_JOINTS)]
    middle = (joints.min(axis=0) + joints.max(axis=0)) / 2
    return Labels(
        world=figure.joints,
        camera=view.to_camera(figure.joints),
        picture=picture,
        inside=is_inside(picture, away, view.size),
        visible=visible,
        bbox=np.clip(bbox, 0, np.tile(size, 2)),
        head=boxes[skull],
        scale=float(scale),
        objpos=middle - (0, _OBJPOS_RISE * scale),
    )
