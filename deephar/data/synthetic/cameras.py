"""Where cameras stand to film a performance."""

import numpy as np

from deephar.data.synthetic.motion import Performance
from deephar.data.synthetic.render import View
from deephar.data.synthetic.scene import look_at
from deephar.utils.camera import Camera

_FLESH = 110.0  # mm about the joints that must be in the picture
_FOLLOWED = 0.3  # part of the clips whose camera turns after the person


def bearing(degrees: float) -> np.ndarray:
    """Returns a direction (3,) on the floor, turned to the left from world x."""
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle), 0.0])


def facing(show: Performance) -> float:
    """Returns where a person faces on the whole, degrees."""
    ahead = show.frames[:, 0, :2, 0].sum(axis=0)
    if np.linalg.norm(ahead) < 0.2 * len(show):  # lies, or turns round
        return float(show.heading[0])
    return float(np.degrees(np.arctan2(ahead[1], ahead[0])))


def film_closely(
    rng: np.random.Generator, show: Performance, size: tuple[int, int]
) -> list[View]:
    """Draws a camera that has a person large in every frame (width, height), px.

    Returns:
        a view for every frame, the same one if the camera stands still.
    """
    low, high = show.joints.min(axis=(0, 1)), show.joints.max(axis=(0, 1))
    middle = (low + high) / 2
    away = rng.uniform(3800, 7500)
    turn = np.clip(22 * rng.standard_normal(), -55, 55)
    if rng.random() < 0.15:
        turn = rng.uniform(-100, 100)
    side = show.move.aside * rng.choice((-1, 1))
    if side:
        turn = np.clip(0.7 * turn, -35, 35)
    heading = show.heading[0] if side else facing(show)
    place = middle + away * bearing(heading + side + turn)
    place[2] = np.clip(rng.normal(1350, 400), 500, 2400)
    roll = 2 * rng.standard_normal()
    targets = np.repeat(middle[None], len(show), axis=0)
    if rng.random() < _FOLLOWED:
        targets = _followed(show, middle, rng.uniform(0.5, 1.0))
    still = np.ptp(targets, axis=0).max() < 1
    views = [look_at(place, target, roll, 1.0, size) for target in targets]
    views = [views[0]] * len(show) if still else views
    return _zoom(rng, show, views, size)


def _followed(show: Performance, middle: np.ndarray, how: float) -> np.ndarray:
    """Returns targets (n, 3) that go after the person, later and smoothly."""
    path = show.joints.mean(axis=1) - middle
    steps = np.arange(-8, 9)
    weight = np.exp(-0.5 * (steps / 4) ** 2)
    at = np.clip(np.arange(len(path))[:, None] + steps, 0, len(path) - 1)
    smooth = (path[at] * weight[:, None]).sum(axis=1) / weight.sum()
    return middle + how * smooth


def _zoom(
    rng: np.random.Generator,
    show: Performance,
    views: list[View],
    size: tuple[int, int],
) -> list[View]:
    """Sets focal length and principal point so that every frame holds the person."""
    points = []
    for view, joints in zip(views, show.joints, strict=True):
        seen = view.to_camera(joints)
        points.append(seen / seen[:, 2:])
        margin = _FLESH / seen[:, 2].mean()
    points = np.concatenate(points)[:, :2]
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    room = np.array(size)
    focal = rng.uniform(0.78, 0.98) * (room / (high - low)).min()
    slack = np.maximum(room - focal * (high - low), 0) / 2
    center = room / 2 - focal * (low + high) / 2 + rng.uniform(-0.6, 0.6, 2) * slack
    made: dict[int, View] = {}
    for view in views:
        if id(view) not in made:
            camera = view.camera
            zoomed = Camera(camera.R, camera.t, np.full(2, focal), center, np.zeros(2))
            made[id(view)] = View(zoomed, size)
    return [made[id(view)] for view in views]
