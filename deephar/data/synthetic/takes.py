"""Long takes: people who do something in a room for as long as one films them.

A `Move` would repeat itself. Here its tempo, its reach and the person's posture change
slowly and at random, and the person turns; those who walk go about the room, back to
its middle when they come near its walls.
"""

import dataclasses

import numpy as np
from scipy.ndimage import gaussian_filter1d

from deephar.data.synthetic.body import DOF_INDEX, DOFS, LIMITS, Body, place
from deephar.data.synthetic.motion import Move, travel
from deephar.data.synthetic.poses import JITTER, mirror

ROOM = 800.0
"""Distance from the middle, mm, at which those who walk are on their way back."""

_LEGS = ("leg", "knee", "ankle")
_STANDS = np.array([dof.name[2:].startswith(_LEGS) for dof in DOFS])
_HABIT = np.where(_STANDS, 0.1, 0.2)  # of a still's jitter: what a person always adds
_CHANGE = np.where(_STANDS, 0.06, 0.12)  # and what comes and goes
_CHANGES = (0.6, 1.5)  # seconds: deviation of the bells that smooth a change
_REACH = 0.1  # deviation of the part of a move that is done
_PACE = 0.15  # deviation of the logarithm of the tempo, of a take and within it
_INDOORS = 0.25  # by how much those who walk are slower in a room
_TURNS = 2.0  # seconds: the same for turning
_SWAY = 14.0  # degrees to and fro of those who stand
_RAISED = DOF_INDEX["lift"]
_BRISK = 100.0  # degrees a second: the fastest turn of those who walk
_PULL = 2.0  # degrees a second, for each degree off the way back


@dataclasses.dataclass(frozen=True, eq=False)
class Act:
    """What a person did in a take.

    Attributes:
        joints: (n, 21, 3) in the world, the room's middle at x = y = 0, mm.
        frames: (n, 21, 3, 3) axes of the bones.
    """

    joints: np.ndarray
    frames: np.ndarray


def act(
    rng: np.random.Generator, move: Move, body: Body, count: int, fps: float
) -> Act:
    """Has a person do a move without ever doing it twice alike.

    Args:
        rng: Draws how.
        move: What to do; one that goes on (cyclic) and needs no hands held together.
        body: Who does it.
        count: Frames.
        fps: Frames a second.

    Raises:
        ValueError: if there are no frames, `fps` is not positive or the move is of
            another kind.
    """
    if count < 1 or fps <= 0:
        raise ValueError(
            "`count` must be at least 1 and `fps` positive. "
            f"Received: count={count}, fps={fps}"
        )
    if not move.cyclic or move.grip or move.floor not in ("feet", "walk"):
        raise ValueError(
            "`move` must be cyclic, on the feet, with free hands. "
            f"Received: move={move.name!r}"
        )
    poses = _poses(rng, move, count, fps)
    heading = _heading(rng, move, body, poses, fps)
    joints, frames = place(body, poses, heading)
    joints[..., :2] += travel(move, body, joints, poses)[:, None]
    pelvis = joints[:, 0, :2]
    joints[..., :2] -= (pelvis.min(axis=0) + pelvis.max(axis=0)) / 2
    free = np.clip(ROOM - np.ptp(pelvis, axis=0) / 2, 0, ROOM / 2)
    joints[..., :2] += rng.uniform(-1, 1, 2) * free
    return Act(joints, frames)


def smooth_noise(
    rng: np.random.Generator, count: int, columns: int, width: float
) -> np.ndarray:
    """Draws noise (count, columns) of deviation 1, smooth over `width` rows.

    Args:
        rng: Draws it.
        count: Rows.
        columns: Columns, independent of each other.
        width: Deviation of the bell, rows.
    """
    margin = int(4 * width) + 1
    white = rng.standard_normal((count + 2 * margin, columns))
    smooth = gaussian_filter1d(white, width, axis=0, mode="constant")
    return smooth[margin : margin + count] * np.sqrt(2 * np.sqrt(np.pi) * width)


def _poses(rng, move, count, fps):
    """Draws the poses (n, dofs)."""
    width = fps * rng.uniform(*_CHANGES)
    pace = _PACE * np.clip(rng.standard_normal(), -1.5, 1.5)
    pace -= _INDOORS if move.floor == "walk" else 0.0
    tempo = np.exp(pace + _PACE * smooth_noise(rng, count, 1, 2 * width)[:, 0])
    seconds = move.seconds * rng.random() + np.cumsum(tempo) / fps
    plain, middle = move.curve()(np.mod(seconds, move.seconds)), move.keys.mean(axis=0)
    reach = 1 + _REACH * smooth_noise(rng, count, len(DOFS), 2 * width)
    poses = middle + np.clip(reach, 0.6, 1.4) * (plain - middle)
    habit = _HABIT * np.clip(rng.standard_normal(len(DOFS)), -2, 2)
    poses += JITTER * (habit + _CHANGE * smooth_noise(rng, count, len(DOFS), width))
    poses[:, _RAISED] = plain[:, _RAISED]
    poses = np.clip(poses, LIMITS[:, 0], LIMITS[:, 1])
    return mirror(poses) if move.handed and rng.random() < 0.3 else poses


def _heading(rng, move, body, poses, fps):
    """Draws where the person faces (n,), degrees to the left from world x."""
    count = len(poses)
    start = rng.uniform(0, 360)
    noise = smooth_noise(rng, count, 2, _TURNS * fps)
    if move.floor == "walk":
        path = travel(move, body, place(body, poses)[0], poses)
        steps = np.diff(path, axis=0, prepend=np.zeros((1, 2)))
        wanted = _BRISK * (0.7 * rng.choice((-1, 1)) + 0.5 * noise[:, 0])
        return _way(start, wanted, steps, fps)
    turns = move.turn * noise[:, 0]
    return start + np.cumsum(turns) / fps + _SWAY * noise[:, 1]


def _way(start, wanted, steps, fps):
    """Returns the heading (n,) of somebody who makes steps (n, 2) within the room.

    Args:
        start: The heading at first, degrees.
        wanted: (n,) degrees a second to turn as one pleases.
        steps: (n, 2) mm ahead and to the left, frame by frame.
        fps: Frames a second.
    """
    heading, place_, rate = start, np.zeros(2), 0.0
    found = np.empty(len(steps))
    for i, step in enumerate(steps):
        found[i] = heading
        angle = np.radians(heading)
        ahead = np.array([np.cos(angle), np.sin(angle)])
        place_ = place_ + step[0] * ahead + step[1] * np.array([-ahead[1], ahead[0]])
        back = np.degrees(np.arctan2(-place_[1], -place_[0])) - heading
        back = (back + 180) % 360 - 180
        far = np.clip(np.linalg.norm(place_) / ROOM - 0.5, 0, 1)
        turn = (1 - far) * wanted[i] + far * _PULL * back
        rate += 4 / fps * (np.clip(turn, -_BRISK, _BRISK) - rate)  # over 1/4 s
        heading += rate / fps
    return found
