"""Motion: moves with a course in time, performed by one person in a style of its own.

A `Move` is a list of key poses with the seconds at which they come. `perform` runs
through them on a smooth curve, at a tempo, with a reach and with habits of the person
that are drawn once, and a sway that is smooth in time. Hands that hold one thing are
brought together, and the body travels as the parts that touch the floor stay where
they are.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.interpolate import PchipInterpolator

from deephar.data.synthetic.body import DOF_INDEX, DOFS, INDEX, LIMITS, Body, place
from deephar.data.synthetic.poses import JITTER, make_pose, mirror

STAND = {"arms": (0, 8, 0, 8), "legs": (0, 4)}
_LEG = ("leg", "knee", "ankle")
# what a person does differently throughout, of a still's jitter: less with the legs,
# so that both feet stay on the floor
_HABIT = np.where([dof.name[2:].startswith(_LEG) for dof in DOFS], 0.2, 0.4)
_SWAY = 0.12  # and what changes slowly
_TEMPO = 0.14  # deviation of the logarithm of a person's tempo
_NEAR = 20.0  # mm over the floor at which a part bears a third as much
_HANGING = 180.0  # mm over the floor
_REACH_ROUNDS = 8
_RAISED = DOF_INDEX["lift"]
_PITCH, _ROLL = DOF_INDEX["root_pitch"], DOF_INDEX["root_roll"]

Target = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Move:
    """A nameable movement in time.

    Attributes:
        name: What the figure does.
        times: (keys,) seconds at which key poses come, from 0; of a cyclic move one
            more than there are keys: when the first comes again.
        keys: (keys, dofs) key poses.
        cyclic: Whether it goes on for as long as one looks; else it happens once.
        prop: Name of the thing that is held or used (`props.PROPS`), or none.
        grip: Which hands follow what they hold: "" none, "l" or "r" that one, "both".
        floor: What keeps its place: "feet" whatever touches the floor, "hands" the
            hands, in the air; "level" is "feet" with hands and feet on the floor;
            "walk" is that foot which goes back under the body.
        seat: Whether there is something to sit on.
        aside: Degrees from the front at which it is best seen.
        turn: Largest turn to a side, degrees a second: those who walk go in circles.
        handed: Whether a left-handed person does it the other way round.
    """

    name: str
    times: np.ndarray
    keys: np.ndarray
    cyclic: bool = False
    prop: str = ""
    grip: str = ""
    floor: str = "feet"
    seat: bool = False
    aside: float = 0.0
    turn: float = 0.0
    handed: bool = True

    @property
    def seconds(self) -> float:
        """How long it takes once."""
        return float(self.times[-1])

    def curve(self) -> PchipInterpolator:
        """Returns the poses (dofs,) as a function of seconds, smooth, through the keys.

        Between two keys an angle does not leave their range.
        """
        if not self.cyclic:
            return PchipInterpolator(self.times, self.keys)
        keys = np.concatenate([self.keys, self.keys, self.keys, self.keys[:1]])
        period = self.seconds
        once = self.times[:-1]
        times = np.concatenate([once - period, once, once + period, [2 * period]])
        return PchipInterpolator(times, keys)


def key(seconds: float, *bases: dict, **changes) -> tuple[float, dict]:
    """Returns when a key pose comes, and how it differs from a relaxed stand.

    Args:
        seconds: When it comes.
        bases: Changes to a relaxed stand, see `make_pose`; later ones override.
        changes: Further ones.
    """
    merged: dict = {}
    for base in (*bases, changes):
        merged |= base
    return seconds, merged


def make_move(name: str, *keys: tuple[float, dict], **options) -> Move:
    """Makes a move of key poses (see `key`).

    The last key of a cyclic move tells its period and has no pose of its own.

    Raises:
        ValueError: if the seconds do not begin with 0 and grow.
    """
    times = np.array([seconds for seconds, _ in keys], dtype=np.float64)
    if times[0] != 0 or (np.diff(times) <= 0).any():
        raise ValueError(
            f"the seconds of {name!r} must begin with 0 and grow. "
            f"Received: {times.tolist()}"
        )
    poses = keys[:-1] if options.get("cyclic") else keys
    stands = [make_pose(**{**STAND, **changes}) for _, changes in poses]
    return Move(name, times, np.stack(stands), **options)


def walk_poses(stride: float, arm: float) -> np.ndarray:
    """Returns four key poses (4, dofs) of a walk, two a step.

    Args:
        stride: Degrees that a leg swings forward.
        arm: Degrees that the arms swing.
    """
    strike = dict(
        spine=(4, 0, 6),
        r_leg=(stride, 2, 0, 6, 6),
        l_leg=(-0.55 * stride, 2, 0, 20, -15),
        r_arm=(-arm, 6, 0, 14),
        l_arm=(arm, 6, 0, 22),
    )
    swing = dict(
        spine=(4,),
        r_leg=(2, 2, 0, 6),
        l_leg=(0.9 * stride, 2, 0, 1.9 * stride),
        arms=(0, 6, 0, 16),
    )
    half = np.stack([make_pose(**pose) for pose in (strike, swing)])
    return np.concatenate([half, mirror(half)])


@dataclasses.dataclass(frozen=True, eq=False)
class Performance:
    """What a person did, frame by frame.

    Attributes:
        move: The move.
        joints: (n, 21, 3) world, mm.
        frames: (n, 21, 3, 3) axes of the bones.
        heading: (n,) degrees, turned to the left from world x.
        seconds: (n,) place in the move, seconds of its own times.
        left: Whether it was done the left-handed way.
        fps: Frames a second.
    """

    move: Move
    joints: np.ndarray
    frames: np.ndarray
    heading: np.ndarray
    seconds: np.ndarray
    left: bool
    fps: float

    def __len__(self) -> int:
        return len(self.joints)


def perform(
    rng: np.random.Generator,
    move: Move,
    body: Body,
    count: int,
    fps: float,
    heading: float = 0.0,
    whole: bool = True,
) -> Performance:
    """Has a person do a move, in a style that is drawn.

    Args:
        rng: Draws the style.
        move: What to do.
        body: Who does it.
        count: Frames.
        fps: Frames a second.
        heading: Degrees that the person is turned to the left from world x at first.
        whole: Whether a move that happens once fills the clip, however long that is.

    Raises:
        ValueError: if there are no frames or `fps` is not positive.
    """
    if count < 1 or fps <= 0:
        raise ValueError(
            "`count` must be at least 1 and `fps` positive. "
            f"Received: count={count}, fps={fps}"
        )
    seconds = _course(rng, move, count, fps, whole)
    at = np.mod(seconds, move.seconds) if move.cyclic else seconds
    plain, middle = move.curve()(at), move.keys.mean(axis=0)
    poses = middle + rng.uniform(0.88, 1.1) * (plain - middle)
    poses += _style(rng, count, fps)
    poses[:, _RAISED] = plain[:, _RAISED] * rng.uniform(0.85, 1.15)
    poses = np.clip(poses, LIMITS[:, 0], LIMITS[:, 1])
    left = bool(move.handed and rng.random() < 0.3)
    if left:
        poses = mirror(poses)
    poses = _hold(move, body, poses, left)
    if move.floor == "level":
        poses = _level(body, poses)
    turn = move.turn * rng.uniform(0.4, 1.0) * rng.choice((-1, 1))
    heading = heading + turn * np.arange(count) / fps
    joints, frames = place(body, poses, heading)
    joints[..., :2] += travel(move, body, joints, poses)[:, None]
    return Performance(move, joints, frames, heading, seconds, left, fps)


def _course(
    rng: np.random.Generator, move: Move, count: int, fps: float, whole: bool
) -> np.ndarray:
    """Returns at which second of the move each frame is."""
    lasts = count / fps
    tempo = np.exp(np.clip(_TEMPO * rng.standard_normal(), -0.3, 0.3))
    now = np.arange(count) / fps
    if move.cyclic:
        drift = 0.06 * np.sin(2 * np.pi * (now / rng.uniform(2, 5) + rng.random()))
        return tempo * now + move.seconds * (drift + 1 + rng.random())
    takes = move.seconds / tempo
    if whole:
        takes = lasts * rng.uniform(0.78, 1.0)
    start = rng.uniform(0, 1) * max(lasts - takes, 0)
    part = np.clip((now - start) / takes, 0, 1)
    # a little slower or faster at first
    return move.seconds * part ** np.exp(rng.uniform(-0.15, 0.15))


def _style(rng: np.random.Generator, count: int, fps: float) -> np.ndarray:
    """Draws what a person adds to poses (n, dofs): a habit, and a slow sway."""
    habit = _HABIT * np.clip(rng.standard_normal(len(DOFS)), -2, 2)
    periods = rng.uniform(0.9, 4.0, (3, 1, len(DOFS)))
    starts = rng.random((3, 1, len(DOFS)))
    now = (np.arange(count) / fps)[None, :, None]
    waves = np.sin(2 * np.pi * (now / periods + starts)).sum(axis=0)
    return JITTER * (habit + _SWAY * waves)


def reach(
    body: Body, poses: np.ndarray, side: str, target: Target, rounds=_REACH_ROUNDS
) -> np.ndarray:
    """Bends one arm until its hand is at a target, as far as the joints allow.

    Args:
        body: The person.
        poses: (n, dofs) poses to begin with.
        side: "r" or "l".
        target: Function of joints (n, 21, 3) and frames (n, 21, 3, 3) that returns
            places (n, 3), mm.
        rounds: Steps of damped least squares.

    Returns:
        poses (n, dofs).
    """
    turned = [
        DOF_INDEX[f"{side}_{name}"]
        for name in ("arm_flex", "arm_abduct", "arm_twist", "elbow")
    ]
    hand = INDEX[f"{side}_hand"]
    poses = poses.copy()
    for _ in range(rounds):
        trial = np.repeat(poses[None], 5, axis=0)
        trial[np.arange(1, 5), :, turned] += 1.0
        joints, frames = place(body, trial)
        error = target(joints[0], frames[0]) - joints[0, :, hand]
        hands = joints[:, :, hand] - joints[:, :, 0]
        slopes = np.moveaxis(hands[1:] - hands[:1], 0, -1)
        square = slopes @ np.swapaxes(slopes, 1, 2) + 4.0 * np.eye(3)
        step = np.linalg.solve(square, error[..., None])
        change = (np.swapaxes(slopes, 1, 2) @ step)[..., 0]
        poses[:, turned] += np.clip(change, -25, 25)
        poses = np.clip(poses, LIMITS[:, 0], LIMITS[:, 1])
    return poses


def _hold(move: Move, body: Body, poses: np.ndarray, left: bool) -> np.ndarray:
    """Brings the hands to what they hold."""
    if move.grip == "both":  # a bar across the shoulders
        for side, sign in (("r", -1.0), ("l", 1.0)):
            wide = sign * 1.75 * abs(body.offsets[INDEX["l_shoulder"]][1])
            poses = reach(body, poses, side, on_shoulders(body, wide))
    elif move.grip:  # the second hand beside the first
        other = move.grip if not left else "lr"["rl".index(move.grip)]
        first = INDEX["l_hand" if other == "r" else "r_hand"]
        poses = reach(body, poses, other, lambda joints, _: joints[:, first])
    return poses


def on_shoulders(body: Body, aside: float) -> Target:
    """Returns where a bar lies across the shoulders, `aside` mm to the left."""
    back = -1.25 * body.flesh[INDEX["thorax"]]

    def target(joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
        axes = frames[:, INDEX["thorax"]]
        return joints[:, INDEX["thorax"]] + axes @ np.array([back, aside, 0.0])

    return target


def _level(body: Body, poses: np.ndarray) -> np.ndarray:
    """Pitches the body so that hands and feet touch the floor."""
    hands = [INDEX["r_hand"], INDEX["l_hand"]]
    feet = [INDEX["r_foot"], INDEX["l_foot"]]
    poses = poses.copy()
    poses[:, _ROLL] = 0
    for _ in range(4):
        joints, _ = place(body, poses)
        joints[..., 2] -= body.flesh
        step = joints[:, hands].mean(axis=1) - joints[:, feet].mean(axis=1)
        poses[:, _PITCH] += np.degrees(np.arctan2(step[:, 2], step[:, 0]))
        poses = np.clip(poses, LIMITS[:, 0], LIMITS[:, 1])
    return poses


def travel(move: Move, body: Body, joints: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Returns how far the body goes so that what stands on the floor stays.

    Args:
        move: What it does: its `floor` tells what stands.
        body: Whose it is.
        joints: (n, 21, 3) with the pelvis over one place, mm; hands that hold the body
            in the air come to their height.
        poses: (n, dofs) what they are made of.

    Returns:
        x, y (n, 2), mm.
    """
    if move.floor == "hands":
        held = joints[:, [INDEX["r_hand"], INDEX["l_hand"]]].mean(axis=1)
        joints[..., 2] += (held[0, 2] - held[:, 2])[:, None]
        joints[..., 2] += _HANGING - (joints[..., 2] - body.flesh).min()
        return held[:1, :2] - held[:, :2]
    steps = np.diff(joints[..., :2], axis=0)
    if move.floor == "walk":
        steps = steps[:, [INDEX["r_ankle"], INDEX["l_ankle"]]]
        left = joints[1:, INDEX["l_hip"], :2] - joints[1:, INDEX["r_hip"], :2]
        left /= np.linalg.norm(left, axis=1, keepdims=True)
        ahead = np.stack([left[:, 1], -left[:, 0]], axis=1)
        weight = np.exp(-(steps @ ahead[..., None])[..., 0] / _NEAR)
    else:
        above = joints[..., 2] - body.flesh - poses[:, _RAISED, None]
        weight = np.exp(-above / _NEAR)
        weight = weight[1:] * weight[:-1]
    weight /= weight.sum(axis=1, keepdims=True)
    slip = (weight[..., None] * steps).sum(axis=1)
    return np.concatenate([np.zeros((1, 2)), -np.cumsum(slip, axis=0)])
