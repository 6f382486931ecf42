"""Generated motion on disk, as temporal lifting reads it: no pictures, only points.

People do Human3.6M's actions before its four cameras, whose places and lenses are the
real ones. `data_3d_h36m.npz` has their joints; `data_2d_h36m_gt.npz` where the cameras
see them; `data_2d_h36m_detected.npz` what a detector finds of them
(`deephar.data.synthetic.detections`); `data_2d_h36m_small.npz` what it finds in
pictures a tenth as large; `data_2d_h36m_coco.npz` what it finds of COCO's key points.
"""

import dataclasses
import functools
import logging
import os
import pathlib
from collections.abc import Callable

import numpy as np

from deephar.data.human36m_format import ACTIONS, TRAIN_SUBJECTS, VALID_SUBJECTS
from deephar.data.human36m_names import take_name
from deephar.data.lifting_cameras import LensCamera, human36m_cameras
from deephar.data.lifting_format import (
    Layout,
    keypoints_path,
    positions_path,
    write_keypoints_2d,
    write_positions_3d,
)
from deephar.data.lifting_skeletons import HUMAN36M_SKELETON, KEPT_JOINTS
from deephar.data.synthetic import writing
from deephar.data.synthetic.body import INDEX, Body, make_body
from deephar.data.synthetic.detections import detect, find_hidden
from deephar.data.synthetic.h36m_moves import H36M_MOVES
from deephar.data.synthetic.human36m import human36m_pose
from deephar.data.synthetic.sight import COCO_JOINTS, face_points
from deephar.data.synthetic.takes import act

logger = logging.getLogger(__name__)

FPS = 50.0
"""Frames a second, as Human3.6M's."""
SUBJECTS = (*TRAIN_SUBJECTS, *VALID_SUBJECTS)
TAKES = (1, 2)
"""Of each action by each person."""
KINDS = ("gt", "detected", "small", "coco")
"""Names of the files of key points."""

SHRUNK = 10.0
"""By how much the pictures are smaller in which `small` was found."""

_MIDDLE = (0.0, 0.2, 0.0)  # m: of the room that all four cameras see
_BODY, _TAKE = 2001, 2002  # what a random number is of
_MM_PER_M = 1000.0
_LIMBS = ("shoulder", "elbow", "wrist")
_LEG = ("hip", "knee", "ankle")
_KINDS_OF_17 = ("trunk", *_LEG, *_LEG, "trunk", "trunk", "face", "face", *_LIMBS * 2)
_KINDS_OF_COCO = (*["face"] * 5, *(kind for kind in _LIMBS + _LEG for _ in "lr"))
_HUMAN36M = Layout(
    17, HUMAN36M_SKELETON.joints_left, HUMAN36M_SKELETON.joints_right, "h36m"
)
_COCO = Layout(17, tuple(range(1, 17, 2)), tuple(range(2, 17, 2)), "coco")
_FILES = writing.Layout(
    "lifting", ".", r"data_[23]d_h36m(_[a-z]+)?\.npz|generated\.json"
)
_MOVES = {
    move.name: dataclasses.replace(move, floor="walk")
    if move.name.startswith("Walk")
    else move
    for move in H36M_MOVES
}


@dataclasses.dataclass(frozen=True, eq=False)
class Take:
    """What one person did, and what four cameras saw of it.

    Attributes:
        positions: float32 (n, 32, 3) in the world, m.
        keypoints: {one of `KINDS`: [float32 (n, 17, 2) of each camera, px]}.
    """

    positions: np.ndarray
    keypoints: dict[str, list[np.ndarray]]


def write_lifting(
    folder: str | os.PathLike,
    seconds: float = 10.0,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes the files of generated motion.

    Five people for training and two for validation, named as those of Human3.6M, do its
    15 actions twice each, at 50 frames a second. A take depends on `seed` and `seconds`
    and on nothing else, whatever `workers` is.

    Args:
        folder: Where to write; made if it does not exist.
        seconds: Length of a take.
        seed: Which people, doing what.
        workers: Processes that make takes.
        overwrite: Replace the generated files of a folder that is not empty.
        progress: Called with the number of takes done and of all takes.

    Raises:
        ValueError: if a number is out of its range.
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds such files of another origin.
        OSError: if the folder cannot be written.
    """
    if not 1 / FPS <= seconds <= 3600:
        raise ValueError(
            f"`seconds` must be {1 / FPS} (one frame) to 3600. Received: {seconds=}"
        )
    jobs = [(s, a, take) for s in SUBJECTS for a in ACTIONS for take in TAKES]
    writing.check_numbers({"takes": len(jobs)}, seed, workers)
    folder = pathlib.Path(folder)
    flags = {"seconds": seconds, "seed": seed}
    writing.prepare(folder, _FILES, overwrite, flags)
    work = functools.partial(make_take, seed, seconds)
    found = writing.map_jobs(work, jobs, workers, progress=progress)
    positions: dict = {f"S{subject}": {} for subject in SUBJECTS}
    keypoints: dict = {kind: {name: {} for name in positions} for kind in KINDS}
    for job, take in zip(jobs, found, strict=True):
        subject, name = f"S{job[0]}", take_name(*job)
        positions[subject][name] = _plain(take.positions)
        for kind, views in take.keypoints.items():
            keypoints[kind][subject][name] = [_plain(view) for view in views]
    for kind, people in keypoints.items():
        layout = _COCO if kind == "coco" else _HUMAN36M
        write_keypoints_2d(keypoints_path(folder, "h36m", kind), people, layout)
    write_positions_3d(positions_path(folder, "h36m"), positions)
    logger.info("wrote %d takes to %s", len(jobs), folder)


def _plain(array: np.ndarray) -> np.ndarray:
    """Returns an array that is pickled alike, whichever process it comes from."""
    plain = np.empty(array.shape, np.float32)
    plain[...] = array
    return plain


def make_take(seed: int, seconds: float, job: tuple[int, int, int]) -> Take:
    """Makes one take.

    Args:
        seed: Which people, doing what.
        seconds: Its length.
        job: Numbers of the person, of the action (2 to 16) and of the take (1 or 2).
    """
    subject, action, _ = job
    body = make_body(np.random.default_rng((seed, _BODY, subject)))
    rng = np.random.default_rng((seed, _TAKE, *job))
    count = max(round(seconds * FPS), 1)
    show = act(rng, _MOVES[ACTIONS[action]], body, count, FPS)
    joints = show.joints / _MM_PER_M + _MIDDLE
    positions = lifting_pose(body, show.joints, show.frames) / _MM_PER_M + _MIDDLE
    face = face_points(body, show.joints, show.frames) / _MM_PER_M + _MIDDLE
    coco = np.concatenate([face, joints[:, list(COCO_JOINTS)]], axis=1)
    keypoints: dict = {kind: [] for kind in KINDS}
    for camera in human36m_cameras()[f"S{subject}"]:
        person = _Person(camera, joints, body.height / _MM_PER_M)
        points = positions[:, KEPT_JOINTS]
        keypoints["gt"].append(camera.see(points).astype(np.float32))
        keypoints["detected"].append(person.detect(rng, points, _KINDS_OF_17))
        small = person.detect(rng, points, _KINDS_OF_17, SHRUNK)
        keypoints["small"].append(small)
        keypoints["coco"].append(person.detect(rng, coco, _KINDS_OF_COCO))
    return Take(positions.astype(np.float32), keypoints)


def lifting_pose(body: Body, joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Returns joints (n, 21, 3) as the 32 of Human3.6M (n, 32, 3), mm.

    Unlike `human36m_pose`, which has the rows where the networks for pictures expect
    them, this has the trunk as the recordings have it: a spine at the pelvis, one in
    its middle, the neck between the shoulders, the nose before the base of the skull
    and the head above it.
    """
    poses = human36m_pose(body, joints, frames)
    skull, top = joints[:, INDEX["neck"]], joints[:, INDEX["head"]]
    ahead = frames[:, INDEX["head"], :, 0]
    poses[:, 11] = joints[:, INDEX["pelvis"]]
    poses[:, 12] = joints[:, INDEX["spine"]]
    poses[:, [13, 16, 24]] = joints[:, [INDEX["thorax"]]]
    poses[:, 14] = skull + 0.03 * body.height * ahead
    poses[:, 15] = (skull + top) / 2
    return poses


@dataclasses.dataclass(frozen=True, eq=False)
class _Person:
    """Somebody before a camera: joints (n, 21, 3) in the world and stature, m."""

    camera: LensCamera
    joints: np.ndarray
    stature: float

    def detect(
        self,
        rng: np.random.Generator,
        points: np.ndarray,
        kinds: tuple[str, ...],
        shrunk: float = 1.0,
    ) -> np.ndarray:
        """Draws where a detector finds points (n, points, 3), px, float32."""
        joints = self.camera.to_axes(self.joints)
        hidden = find_hidden(self.camera.to_axes(points), joints, self.stature)
        focal = self.camera.intrinsics[0] * self.camera.size[0] / 2
        stature = self.stature * focal / joints[:, 0, 2]
        seen = self.camera.see(points)
        return detect(rng, seen, hidden, stature, kinds, FPS, shrunk).astype(np.float32)
