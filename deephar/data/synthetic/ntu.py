"""Generated clips on disk, as NTU RGB+D has them: three cameras, depth."""

import functools
import logging
import os
import pathlib
from collections.abc import Callable

import numpy as np

from deephar.data.ntu_format import (
    ACTIONS,
    COLOUR_SIZE,
    CROSS_SUBJECT_TRAIN,
    FOLDER,
    JOINT_NAMES,
    SMALL_SIZE,
    NtuVideo,
    write_ntu,
)
from deephar.data.synthetic.body import INDEX, Body, make_body
from deephar.data.synthetic.cameras import bearing
from deephar.data.synthetic.figure import dress, make_look
from deephar.data.synthetic.film import draw_film
from deephar.data.synthetic.film_crew import Recording, record
from deephar.data.synthetic.ntu_moves import NTU_MOVES
from deephar.data.synthetic.render import View
from deephar.data.synthetic.scene import look_at
from deephar.data.synthetic.writing import (
    Layout,
    check_frames,
    check_numbers,
    draw_count,
    jobs_of,
    map_jobs,
    prepare,
    save_picture,
)
from deephar.utils.pose import pa21j3d

logger = logging.getLogger(__name__)

_PEOPLE = 40
_SUBJECTS = (
    CROSS_SUBJECT_TRAIN,
    tuple(set(range(1, _PEOPLE + 1)) - set(CROSS_SUBJECT_TRAIN)),
)
_SETUPS, _REPETITIONS = 17, 2
_LAYOUT = Layout(
    "NTU",
    "images-small",
    r"S\d{3}C\d{3}P\d{3}R\d{3}A\d{3}/\d{5,}\.jpg",
    (f"{FOLDER}/*.npy",),
)
_ANGLES = (0.0, -45.0, 45.0)  # cameras 1 to 3; the person faces camera 2 or 3
_FOCAL = 1081.4  # px of the colour picture
_FPS = 15.0
_SETUP, _BODY, _CLOTHES = 2001, 2002, 2003


def write_ntu_clips(
    folder: str | os.PathLike,
    train: int = 120,
    test: int = 40,
    frames: tuple[int, int] = (28, 40),
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes FOLDER/images-small/NAME/%05d.jpg and FOLDER/nturgb+d_numpy/NAME.npy.

    A recording is a clip that three cameras film, so it makes three videos of (960,
    540) px. Recording i of a part shows action i modulo 20 of `NTU_MOVES`, by people of
    the part under the cross-subject protocol. It depends on `seed` and `frames` and on
    nothing else: whatever `workers`, `train` and `test` are, it is the same. The
    annotations come last.

    Args:
        folder: Where to write; made if it does not exist.
        train: Number of recordings of people for training.
        test: Number of recordings of people for testing.
        frames: Smallest and largest number of frames of a video.
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
    check_numbers({"train": train, "test": test}, seed, workers)
    check_frames(frames)
    most = min(
        len(subjects) * len(NTU_MOVES) * _SETUPS * _REPETITIONS
        for subjects in _SUBJECTS
    )
    if max(train, test) > most:
        raise ValueError(
            f"`train` and `test` must be at most {most}, as many as there are names. "
            f"Received: train={train}, test={test}"
        )
    folder = pathlib.Path(folder)
    flags = {"train": train, "test": test, "frames": frames, "seed": seed}
    prepare(folder, _LAYOUT, overwrite, flags)
    work = functools.partial(_write_one, folder / _LAYOUT.pictures, seed, frames)
    jobs = jobs_of((train, test))
    found = list(map_jobs(work, jobs, workers, progress=progress))
    for video in (video for three in found for video in three):
        write_ntu(folder, video)
    logger.info("wrote %d recordings to %s", train + test, folder)


def setup_cameras(seed: int, setup: int) -> list[View]:
    """Returns the three cameras of a setup: one height and distance, 45 degrees apart.

    Their pictures are those of `SMALL_SIZE`, half of the colour pictures.
    """
    rng = np.random.default_rng((seed, _SETUP, setup))
    away, height = rng.uniform(3300, 4200), rng.uniform(900, 1900)
    target = np.array([0.0, 0.0, rng.uniform(950, 1080)])
    views = []
    for angle in _ANGLES:
        place = away * bearing(angle + rng.uniform(-3, 3))
        place[2] = height
        views.append(look_at(place, target, 0.0, _FOCAL / 2, SMALL_SIZE))
    return views


def make_ntu_recording(
    seed: int, part: int, index: int, frames: tuple[int, int] = (28, 40)
) -> tuple[str, Recording, list[View]]:
    """Makes one recording.

    Args:
        seed: Which people.
        part: 0 for people of training, 1 for those of testing (cross-subject).
        index: Which of the part.
        frames: Smallest and largest number of frames.

    Returns:
        its name, with {} for the number of the camera; the recording; its cameras.
    """
    round_, place = divmod(index, len(NTU_MOVES))
    move, subjects = NTU_MOVES[place], _SUBJECTS[part]
    rest, who = divmod(round_, len(subjects))
    subject = subjects[(who + place) % len(subjects)]
    setup, repetition = divmod(rest, _REPETITIONS)
    setup = (setup + subject) % _SETUPS
    rng = np.random.default_rng((seed, part, index))
    body = make_body(np.random.default_rng((seed, _BODY, subject)))
    clothes = np.random.default_rng((seed, _CLOTHES, part, index))
    person = dress(body, make_look(clothes, body.female))
    views = setup_cameras(seed, setup)
    heading = _ANGLES[1 + repetition] + rng.uniform(-12, 12)
    count = draw_count(rng, frames)
    recording = record(rng, person, move, views, count, _FPS, heading)
    action = ACTIONS.index(move.name) + 1
    name = f"S{setup + 1:03d}C{{:03d}}P{subject:03d}R{repetition + 1:03d}A{action:03d}"
    return name, recording, views


def ntu_pose(body: Body, joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Returns joints (n, 21, 3) as the 25 of Kinect 2 (n, 25, 3), mm.

    As in the data set's labels, what is called left there is the side that the layouts
    of `utils.pose` take for the person's right.
    """
    poses = np.full((len(joints), len(JOINT_NAMES), 3), np.nan)
    poses[:, pa21j3d.map_from_ntu] = joints
    long = 0.05 * body.height
    for side, tip in (("r", 21), ("l", 23)):
        hand, axes = (array[:, INDEX[f"{side}_hand"]] for array in (joints, frames))
        poses[:, tip] = hand + axes @ np.array([0, 0, -long])
        poses[:, tip + 1] = hand + axes @ np.array([0.7 * long, 0, -0.3 * long])
    return poses


def _write_one(
    images: pathlib.Path, seed: int, frames: tuple[int, int], job: tuple[int, int]
) -> list[NtuVideo]:
    """Draws and writes one recording; returns its three videos."""
    part, index = job
    pattern, recording, views = make_ntu_recording(seed, part, index, frames)
    show = recording.show
    poses = ntu_pose(recording.person.body, show.joints, show.frames)
    videos = []
    for camera, view in enumerate(views, 1):
        name = pattern.format(camera)
        (images / name).mkdir()
        film = draw_film(np.random.default_rng((seed, part, index, camera)), SMALL_SIZE)
        for number, take in enumerate(recording.film(view, film), 1):
            save_picture(take.picture, images / name / f"{number:05d}.jpg")
        videos.append(_video(name, view, poses))
    return videos


def _video(name: str, view: View, poses: np.ndarray) -> NtuVideo:
    """Returns the labels of one camera: joints from the sensor, m, and in colour."""
    local = view.to_camera(poses)
    image = np.concatenate([local[..., :2] / local[..., 2:], local[..., 2:]], axis=-1)
    scale = COLOUR_SIZE[0] / SMALL_SIZE[0]
    image[..., :2] = scale * (image[..., :2] * view.focal + view.center)
    world = local * (1e-3, -1e-3, 1e-3)
    return NtuVideo(name, np.arange(1, len(poses) + 1), world, image)
