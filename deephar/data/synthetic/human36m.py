"""Generated recordings on disk, as Human3.6M has them: four cameras, one world."""

import functools
import logging
import os
import pathlib
from collections.abc import Callable

import numpy as np

from deephar.data.human36m_format import (
    ACTIONS,
    TRAIN_SUBJECTS,
    VALID_SUBJECTS,
    H36MSequence,
    write_human36m,
)
from deephar.data.synthetic.body import INDEX, Body, make_body
from deephar.data.synthetic.cameras import bearing
from deephar.data.synthetic.figure import dress, make_look
from deephar.data.synthetic.film import draw_film
from deephar.data.synthetic.film_crew import Recording, record
from deephar.data.synthetic.h36m_moves import H36M_MOVES
from deephar.data.synthetic.render import View
from deephar.data.synthetic.scene import look_at
from deephar.data.synthetic.writing import (
    Layout,
    check_numbers,
    check_size,
    jobs_of,
    map_jobs,
    prepare,
    save_picture,
)
from deephar.utils.pose import pa21j3d

logger = logging.getLogger(__name__)

_MOVES = {move.name: move for move in H36M_MOVES}
_LAYOUT = Layout("Human3.6M", "images", r"a\d\d_s\d\d_e\d\d_c\d\d/\d{5,}\.jpg")
_SUBJECTS = (TRAIN_SUBJECTS, VALID_SUBJECTS)
_FPS = 50.0  # of the numbering of frames
_FOCAL = 1145.0  # px, at 1000 px of width
_CALIBRATION, _BODY, _CLOTHES = 1001, 1002, 1003  # what belongs to a person or a take


def write_human36m_sequences(
    folder: str | os.PathLike,
    train: int = 75,
    valid: int = 30,
    frames: tuple[int, int] = (16, 8),
    steps: tuple[int, int] = (5, 64),
    size: tuple[int, int] = (1000, 1000),
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes FOLDER/images/NAME/%05d.jpg and FOLDER/annotations.mat.

    A recording is a take that four cameras film, so it makes four sequences. Recording
    i of a part shows action i modulo 15 by the part's persons in turn: the five of
    training and the two of validation that the owners' protocol has. It depends on
    `seed`, `frames`, `steps` and `size` and on nothing else: whatever `workers`,
    `train` and `valid` are, it is the same. The annotations come last, so a folder that
    has them is whole.

    Args:
        folder: Where to write; made if it does not exist.
        train: Number of recordings for training.
        valid: Number of recordings for validation.
        frames: Frames of a training and of a validation sequence.
        steps: Their steps: frame i has the number 1 + i * step, 50 numbers a second.
        size: (width, height) of the pictures, px. The original cuts windows of 2.25 mm
            for each px of this, so that people do not fit into those of pictures that
            are much smaller than its 1000.
        seed: Which people.
        workers: Processes that draw.
        overwrite: Replace the generated files of a folder that is not empty.
        progress: Called with the number of recordings done and of all recordings.

    Raises:
        ValueError: if a number is out of its range or there is nothing to write.
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds pictures or annotations of another origin.
        OSError: if the folder cannot be written.
    """
    _check(train, valid, frames, steps, seed, workers)
    check_size(size)
    folder = pathlib.Path(folder)
    flags = {"train": train, "valid": valid, "frames": frames, "step": steps}
    prepare(folder, _LAYOUT, overwrite, flags | {"size": size, "seed": seed})
    images = folder / _LAYOUT.pictures
    work = functools.partial(_write_one, images, seed, frames, steps, size)
    found = list(map_jobs(work, jobs_of((train, valid)), workers, progress=progress))
    parts = [
        [sequence for four in part for sequence in four]
        for part in (found[:train], found[train:])
    ]
    write_human36m(folder / "annotations.mat", [], *parts)
    logger.info("wrote %d recordings to %s", train + valid, folder)


def _check(train, valid, frames, steps, seed, workers):
    check_numbers({"train": train, "valid": valid}, seed, workers)
    for name, pair in (("frames", frames), ("steps", steps)):
        if min(pair) < 1:
            raise ValueError(
                f"`{name}` must be at least 1 for training and validation. "
                f"Received: {name}={tuple(pair)}"
            )
    most = min(99 * len(ACTIONS) * len(subjects) for subjects in _SUBJECTS)
    if max(train, valid) > most:
        raise ValueError(
            f"`train` and `valid` must be at most {most}, as names count takes with "
            f"two digits. Received: train={train}, valid={valid}"
        )


def subject_cameras(seed: int, subject: int, size: tuple[int, int]) -> list[View]:
    """Returns the four cameras about one person's stage: corners of a rectangle."""
    rng = np.random.default_rng((seed, _CALIBRATION, subject))
    views = []
    for corner in range(4):
        angle = 45 + 90 * corner + rng.uniform(-14, 14)
        place = rng.uniform(4300, 5600) * bearing(angle)
        place[2] = rng.uniform(1350, 1850)
        target = np.append(rng.uniform(-150, 150, 2), rng.uniform(750, 950))
        focal = _FOCAL / 1000 * max(size) * rng.uniform(0.995, 1.005)
        views.append(look_at(place, target, rng.uniform(-1, 1), focal, size))
    return views


def make_recording(
    seed: int,
    part: int,
    index: int,
    count: int = 16,
    step: int = 5,
    size: tuple[int, int] = (1000, 1000),
) -> tuple[tuple[int, int, int], Recording, list[View]]:
    """Makes one recording.

    Args:
        seed: Which people.
        part: 0 for training, 1 for validation.
        index: Which of the part.
        count: Frames.
        step: Frames of 1/50 s from one to the next.
        size: (width, height) of the pictures, px.

    Returns:
        (action, subject, take) as names count them; the recording; its four cameras.
    """
    subjects = _SUBJECTS[part]
    numbers = tuple(ACTIONS)
    round_, place = divmod(index, len(numbers))
    action, subject = numbers[place], subjects[(round_ + place) % len(subjects)]
    take = 1 + round_ // len(subjects)
    rng = np.random.default_rng((seed, part, index))
    body = make_body(np.random.default_rng((seed, _BODY, subject)))
    clothes = np.random.default_rng((seed, _CLOTHES, part, index))
    person = dress(body, make_look(clothes, body.female))
    views = subject_cameras(seed, subject, size)
    move, heading = _MOVES[ACTIONS[action]], rng.uniform(0, 360)
    recording = record(rng, person, move, views, count, _FPS / step, heading)
    return (action, subject, take), recording, views


def human36m_pose(body: Body, joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Returns joints (n, 21, 3) as the 32 of Human3.6M (n, 32, 3), mm.

    The rows that the layouts of `utils.pose` read are where their names say. (In real
    recordings those called spine, thorax and neck lie lower.) As there, collars
    are doubles of the neck, roots of thumbs of the wrists, and the ends of hands of the
    hands.
    """
    poses = np.full((len(joints), 32, 3), np.nan)
    poses[:, pa21j3d.map_from_h36m] = joints
    poses[:, 14] = (poses[:, 13] + poses[:, 15]) / 2
    for foot, name in ((4, "r_foot"), (9, "l_foot")):
        toes = np.array([0.35 * np.linalg.norm(body.offsets[INDEX[name]]), 0, 0])
        poses[:, foot + 1] = poses[:, foot] + frames[:, INDEX[name]] @ toes
    for collar, side in ((16, "l"), (24, "r")):
        wrist, hand = collar + 3, collar + 6
        poses[:, collar] = poses[:, 13]
        poses[:, collar + 4] = poses[:, wrist]
        poses[:, hand + 1] = poses[:, hand]
        thumb = np.array([0.025 * body.height, 0, -0.03 * body.height])
        axes = frames[:, INDEX[f"{side}_hand"]]
        poses[:, collar + 5] = poses[:, wrist] + axes @ thumb
    return poses


def _write_one(
    images: pathlib.Path,
    seed: int,
    frames: tuple[int, int],
    steps: tuple[int, int],
    size: tuple[int, int],
    job: tuple[int, int],
) -> list[H36MSequence]:
    """Draws and writes one recording; returns its four sequences."""
    part, index = job
    count, step = frames[part], steps[part]
    numbers = 1 + step * np.arange(count)
    (action, subject, take), recording, views = make_recording(
        seed, part, index, count, step, size
    )
    show = recording.show
    poses = human36m_pose(recording.person.body, show.joints, show.frames)
    sequences = []
    for camera, view in enumerate(views, 1):
        name = f"a{action:02d}_s{subject:02d}_e{take:02d}_c{camera:02d}"
        (images / name).mkdir()
        film = draw_film(np.random.default_rng((seed, part, index, camera)), size)
        for number, take_ in zip(numbers, recording.film(view, film), strict=True):
            save_picture(take_.picture, images / name / f"{number:05d}.jpg")
        sequences.append(H36MSequence(name, view.camera, numbers, size, poses))
    return sequences
