"""Generated clips on disk, as Penn Action has them."""

import functools
import logging
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from deephar.data.pennaction_format import (
    ACTIONS,
    JOINT_NAMES,
    PennVideo,
    write_pennaction,
)
from deephar.data.synthetic.background import make_things
from deephar.data.synthetic.body import INDEX
from deephar.data.synthetic.cameras import film_closely
from deephar.data.synthetic.figure import make_person
from deephar.data.synthetic.film import draw_film
from deephar.data.synthetic.motion import perform
from deephar.data.synthetic.penn_moves import PENN_MOVES
from deephar.data.synthetic.props import make_prop
from deephar.data.synthetic.render import Solids, View, join
from deephar.data.synthetic.scene import random_light
from deephar.data.synthetic.sight import find_joints
from deephar.data.synthetic.stage import Shot, Stage, draw_surroundings
from deephar.data.synthetic.writing import (
    Layout,
    check_frames,
    check_numbers,
    check_size,
    draw_count,
    jobs_of,
    map_jobs,
    prepare,
    save_picture,
)

logger = logging.getLogger(__name__)

PENN_JOINTS = tuple(INDEX[name] for name in JOINT_NAMES)
_MOVES = {move.name: move for move in PENN_MOVES}
_LAYOUT = Layout("PennAction", "frames", r"\d{4,}/\d{6,}\.jpg")
_FPS = 15.0
_OUTDOORS = 0.4


def write_pennaction_clips(
    folder: str | os.PathLike,
    train: int = 240,
    test: int = 75,
    frames: tuple[int, int] = (24, 40),
    size: tuple[int, int] = (320, 240),
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes FOLDER/frames/%04d/%06d.jpg and FOLDER/annotations.mat.

    Clip i of a part shows action i modulo 15. It depends on `seed`, `frames` and `size`
    and on nothing else: whatever `workers`, `train` and `test` are, it is the same. The
    test part shows other people. Training videos have the first numbers. The
    annotations come last, so a folder that has them is whole.

    Args:
        folder: Where to write; made if it does not exist.
        train: Number of training videos.
        test: Number of test videos.
        frames: Smallest and largest number of frames of a video.
        size: (width, height) of the pictures, px.
        seed: Which people.
        workers: Processes that draw.
        overwrite: Replace the generated files of a folder that is not empty.
        progress: Called with the number of videos done and of all videos.

    Raises:
        ValueError: if a number is out of its range or there is nothing to write.
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds pictures or annotations of another origin.
        OSError: if the folder cannot be written.
    """
    check_numbers({"train": train, "test": test}, seed, workers)
    check_frames(frames)
    check_size(size)
    folder = pathlib.Path(folder)
    flags = {"train": train, "test": test, "frames": frames, "size": size}
    prepare(folder, _LAYOUT, overwrite, flags | {"seed": seed})
    work = functools.partial(
        _write_one, folder / _LAYOUT.pictures, seed, frames, size, (1, 1 + train)
    )
    videos = map_jobs(work, jobs_of((train, test)), workers, progress=progress)
    write_pennaction(folder / "annotations.mat", list(videos))
    logger.info("wrote %d videos to %s", train + test, folder)


def make_clip(
    key: tuple[int, ...],
    action: str,
    frames: tuple[int, int] = (24, 40),
    size: tuple[int, int] = (320, 240),
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields picture, joints and visibility of each frame of one clip.

    Args:
        key: Which clip; the same key and arguments give the same clip.
        action: What the person does, one of Penn Action's.
        frames: Smallest and largest number of frames.
        size: (width, height) of the pictures, px.

    Yields:
        picture (height, width, 3) uint8 RGB; x, y (13, 2), px, also of joints that are
        hidden or outside; visible (13,) bool.
    """
    rng = np.random.default_rng(key)
    person = make_person(rng)
    count = draw_count(rng, frames)
    move = _MOVES[action]
    show = perform(rng, move, person.body, count, _FPS, rng.uniform(0, 360))
    held = make_prop(rng, show, person.body)
    views = film_closely(rng, show, size)
    stage = _dress_stage(rng, show.joints, views[0])
    film = draw_film(rng, size)
    shot = None
    for i, view in enumerate(views):
        if shot is None or view is not views[i - 1]:
            shot = Shot(stage, view, film)
        figure = person.solids(show.joints[i], show.frames[i])
        take = shot.take(show.joints[i], join(figure, held[i]) if held else figure)
        found, _, visible = find_joints(
            person.body, show.joints[i], take.view, take.depth, take.index, take.owner
        )
        chosen = list(PENN_JOINTS)
        yield take.picture, (found + take.corner)[chosen], visible[chosen]


def _dress_stage(rng: np.random.Generator, joints: np.ndarray, view: View) -> Stage:
    """Draws where a clip plays."""
    people = joints[..., :2].reshape(-1, 2)
    places = np.vstack([people, view.position[None, :2]])
    outdoors = bool(rng.random() < _OUTDOORS)
    surroundings = draw_surroundings(rng, places, outdoors)
    away = view.rotation[2, :2] / np.linalg.norm(view.rotation[2, :2])
    return Stage(
        surroundings, random_light(rng, view), _things_behind(rng, people, away)
    )


def _things_behind(
    rng: np.random.Generator, people: np.ndarray, away: np.ndarray
) -> Solids | None:
    """Draws things behind where people go (n, 2), seen along `away` (2,)."""
    count = int(rng.integers(0, 5))
    if not count:
        return None
    left = np.array([-away[1], away[0]])
    back = (people @ away).max()
    middle = people.mean(axis=0)
    middle = middle + (back - middle @ away) * away
    steps = rng.uniform((900, -2600), (3500, 2600), (count, 2))
    places = middle + steps @ np.stack([away, left])
    sizes = rng.uniform(80, 500, (count, 2))
    return make_things(rng, places, sizes, rng.uniform(200, 2200, count))


def _write_one(
    images: pathlib.Path,
    seed: int,
    frames: tuple[int, int],
    size: tuple[int, int],
    first: tuple[int, int],
    job: tuple[int, int],
) -> PennVideo:
    """Draws and writes one video; returns its annotation."""
    part, index = job
    number, action = first[part] + index, index % len(ACTIONS)
    place = images / f"{number:04d}"
    place.mkdir()
    joints, visible = [], []
    clip = make_clip((seed, part, index), ACTIONS[action], frames, size)
    for i, (picture, found, seen) in enumerate(clip, 1):
        save_picture(picture, place / f"{i:06d}.jpg")
        joints.append(found)
        visible.append(seen)
    return PennVideo(
        number=number,
        action=action,
        train=part == 0,
        size=size,
        frames=np.arange(1, len(joints) + 1),
        joints=np.array(joints),
        visible=np.array(visible),
    )
