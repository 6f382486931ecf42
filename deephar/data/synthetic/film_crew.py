"""One performance on one stage, filmed by several cameras at once."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from deephar.data.synthetic.background import make_things, seat_under
from deephar.data.synthetic.body import INDEX
from deephar.data.synthetic.cameras import bearing
from deephar.data.synthetic.figure import Person
from deephar.data.synthetic.film import Film
from deephar.data.synthetic.motion import Move, Performance, perform
from deephar.data.synthetic.props import make_prop
from deephar.data.synthetic.render import Solids, View, join
from deephar.data.synthetic.scene import random_light
from deephar.data.synthetic.stage import Shot, Stage, Take, draw_surroundings

_ROOM = 700.0  # mm behind the cameras where things may stand


@dataclasses.dataclass(frozen=True, eq=False)
class Recording:
    """Somebody who does something on a stage, about the world's origin.

    Attributes:
        person: Who.
        show: What, frame by frame.
        solids: The figure and what it holds, for each frame.
        stage: Where.
    """

    person: Person
    show: Performance
    solids: list[Solids]
    stage: Stage

    def film(self, view: View, film: Film) -> Iterator[Take]:
        """Yields what a camera that stands still sees."""
        shot = Shot(self.stage, view, film)
        for joints, solids in zip(self.show.joints, self.solids, strict=True):
            yield shot.take(joints, solids)


def record(
    rng: np.random.Generator,
    person: Person,
    move: Move,
    views: list[View],
    count: int,
    fps: float,
    heading: float,
    whole: bool = True,
) -> Recording:
    """Has a person do a move in a room with cameras.

    Args:
        rng: Draws style and room.
        person: Who.
        move: What.
        views: The cameras; they look at the world's origin, where the person is.
        count: Frames.
        fps: Frames a second.
        heading: Where the person faces at first, degrees to the left from world x.
        whole: See `perform`.
    """
    show = _centered(perform(rng, move, person.body, count, fps, heading, whole))
    held = make_prop(rng, show, person.body) or [None] * count
    solids = []
    for joints, frames, thing in zip(show.joints, show.frames, held, strict=True):
        figure = person.solids(joints, frames)
        solids.append(join(figure, thing) if thing else figure)
    places = np.array([view.position[:2] for view in views])
    reach = np.linalg.norm(places, axis=1).max() + _ROOM
    count = int(rng.integers(2, 8))
    corners = [
        rng.uniform(reach, reach + 900) * bearing(angle)[:2]
        for angle in rng.uniform(0, 360, count)
    ]
    sizes = rng.uniform(80, 450, (count, 2))
    things = make_things(rng, np.array(corners), sizes, rng.uniform(200, 2200, count))
    if move.seat:
        things = join(things, _seat(rng, person, show))
    around = np.vstack([places, corners, show.joints[..., :2].reshape(-1, 2)])
    surroundings = draw_surroundings(rng, around, outdoors=False)
    light = random_light(rng, views[0])
    return Recording(person, show, solids, Stage(surroundings, light, things))


def _centered(show: Performance) -> Performance:
    """Moves a performance so that it goes on about the world's origin."""
    pelvis = show.joints[:, 0, :2]
    middle = (pelvis.min(axis=0) + pelvis.max(axis=0)) / 2
    return dataclasses.replace(show, joints=show.joints - (*middle, 0.0))


def _seat(rng: np.random.Generator, person: Person, show: Performance) -> Solids:
    """Draws the seat where the person sits lowest."""
    lowest = int(show.joints[:, INDEX["pelvis"], 2].argmin())
    return seat_under(rng, person.body, show.joints[lowest], show.frames[lowest])
