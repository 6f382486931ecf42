"""Two people who walk past each other, filmed from the side, with the truth."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from deephar.data.synthetic.background import make_things
from deephar.data.synthetic.body import INDEX
from deephar.data.synthetic.cameras import bearing
from deephar.data.synthetic.figure import Person, make_person
from deephar.data.synthetic.film import draw_film
from deephar.data.synthetic.motion import Move, Performance, perform, walk_poses
from deephar.data.synthetic.render import View, boxes_of, join
from deephar.data.synthetic.scene import look_at, random_light
from deephar.data.synthetic.sight import find_joints
from deephar.data.synthetic.stage import Shot, Stage, draw_surroundings
from deephar.data.synthetic.writing import check_size
from deephar.data.video_writing import write_video
from deephar.utils.fs import write_json
from deephar.utils.pose import pa16j2d, pa21j3d

FPS = 25.0
"""Frames a second."""

_HEADINGS = (90.0, -90.0)
_STEP = 0.55  # s
_AWAY = 6500.0  # mm from the camera to the place where they pass
_APART = (450.0, 800.0)  # mm from one's path to the other's
_PICTURE = 5.4  # m that the picture is wide where they pass


@dataclasses.dataclass(frozen=True, eq=False)
class CrossingFrame:
    """A frame, and the truth of both people; the first is the one in front.

    Attributes:
        picture: (height, width, 3) uint8 RGB.
        joints: (2, 16, 2) in the order of `utils.pose.pa16j2d`, px, also of joints that
            are hidden or outside.
        visible: (2, 16) bool: in the picture, and nothing before it.
        boxes: (2, 4) x1, y1, x2, y2 of the figures, hidden parts too, px.
    """

    picture: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    boxes: np.ndarray


def make_crossing(
    seed: int, frames: int = 75, size: tuple[int, int] = (640, 360)
) -> Iterator[CrossingFrame]:
    """Yields the frames of two people who pass each other in the middle of the video.

    One comes from the left and one from the right; in the middle the one in front hides
    the other almost wholly. The same arguments give the same frames.

    Args:
        seed: Which people, which place.
        frames: Number of frames, at `FPS`.
        size: (width, height) of the pictures, px.

    Raises:
        ValueError: if a number is out of its range.
    """
    if seed < 0 or frames < 1:
        raise ValueError(
            "`seed` must be at least 0 and `frames` 1. "
            f"Received: seed={seed}, frames={frames}"
        )
    check_size(size)
    rng = np.random.default_rng((seed, frames))
    people = [make_person(rng) for _ in _HEADINGS]
    apart = rng.uniform(*_APART)
    shows = [
        _walk(rng, person, frames, heading, place)
        for person, heading, place in zip(
            people, _HEADINGS, (apart / 2, -apart / 2), strict=True
        )
    ]
    view = _camera(rng, size)
    joints = np.stack([show.joints for show in shows], axis=1)
    shot = Shot(_stage(rng, joints, view), view, draw_film(rng, size))
    for number in range(frames):
        yield _frame(shot, view, people, shows, number)


def write_crossing(
    path: str | os.PathLike,
    seed: int = 0,
    frames: int = 75,
    size: tuple[int, int] = (640, 360),
) -> int:
    """Writes the video, and the truth beside it as .json instead of .mp4.

    The truth is {"generated": true, "seed", "fps", "size", "joint_names", "frames": a
    list of [{"box", "joints", "visible"} of both people]}, px.

    Args:
        path: The video; see `write_video`.
        seed, frames, size: See `make_crossing`.

    Returns:
        Number of frames.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if a number is out of its range, or `path` has another suffix.
        OSError: if a file cannot be written.
    """
    truth: list[list[dict]] = []

    def pictures() -> Iterator[np.ndarray]:
        for frame in make_crossing(seed, frames, size):
            rows = zip(frame.boxes, frame.joints, frame.visible, strict=True)
            truth.append(
                [
                    {
                        "box": box.round(2).tolist(),
                        "joints": joints.round(2).tolist(),
                        "visible": visible.tolist(),
                    }
                    for box, joints, visible in rows
                ]
            )
            yield frame.picture

    count = write_video(path, pictures(), FPS)
    about = {"generated": True, "seed": seed, "fps": FPS, "size": list(size)}
    names = {"joint_names": pa16j2d.joint_names}
    write_json(
        pathlib.Path(path).with_suffix(".json"), {**about, **names, "frames": truth}
    )
    return count


def _walk(
    rng: np.random.Generator, person: Person, count: int, heading: float, x: float
) -> Performance:
    """Has a person walk along y, past the middle half way, `x` mm to the camera."""
    keys = walk_poses(rng.uniform(22, 28), rng.uniform(14, 28))
    times = _STEP * np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    move = Move("walk", times, keys, cyclic=True, floor="walk")
    show = perform(rng, move, person.body, count, FPS, heading)
    pelvis = show.joints[:, INDEX["pelvis"], :2]
    step = np.array([x, 0.0]) - (pelvis.mean(axis=0)[0], pelvis[count // 2, 1])
    return dataclasses.replace(show, joints=show.joints + (*step, 0.0))


def _camera(rng: np.random.Generator, size: tuple[int, int]) -> View:
    """Draws a camera that looks along x."""
    place = _AWAY * bearing(rng.uniform(-8, 8))
    place[2] = rng.uniform(1100, 1700)
    target = np.array([0.0, 0.0, 880.0])
    focal = size[0] * _AWAY / (1000 * _PICTURE)
    return look_at(place, target, rng.normal(0, 1), focal, size)


def _stage(rng: np.random.Generator, joints: np.ndarray, view: View) -> Stage:
    """Draws where it happens."""
    places = np.vstack([joints[..., :2].reshape(-1, 2), view.position[None, :2]])
    count = int(rng.integers(2, 6))
    corners = np.column_stack(
        [rng.uniform(-4200, -2200, count), rng.uniform(-3000, 3000, count)]
    )
    sizes = rng.uniform(80, 450, (count, 2))
    things = make_things(rng, corners, sizes, rng.uniform(200, 1800, count))
    around = np.vstack([places, corners])
    surroundings = draw_surroundings(rng, around, bool(rng.random() < 0.4))
    return Stage(surroundings, random_light(rng, view), things)


def _frame(shot, view, people, shows, number) -> CrossingFrame:
    joints = np.stack([show.joints[number] for show in shows])
    figures = [
        person.solids(show.joints[number], show.frames[number], owner)
        for owner, (person, show) in enumerate(zip(people, shows, strict=True))
    ]
    take = shot.take(joints, join(*figures))
    chosen, found, seen, boxes = list(pa21j3d.map_to_pa16j), [], [], []
    for owner, person in enumerate(people):
        owners = np.where(take.owner < 0, take.owner, np.abs(take.owner - owner))
        places, _, visible = find_joints(
            person.body, joints[owner], take.view, take.depth, take.index, owners
        )
        found.append((places + take.corner)[chosen])
        seen.append(visible[chosen])
        edges = boxes_of(figures[owner], view)
        boxes.append([*edges[:, :2].min(axis=0), *edges[:, 2:].max(axis=0)])
    return CrossingFrame(take.picture, np.stack(found), np.stack(seen), np.array(boxes))
