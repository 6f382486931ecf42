"""What customers do before a shelf, as the actions of MERL's videos."""

import numpy as np

from deephar.data.synthetic.motion import STAND, Move, key, make_move, walk_poses
from deephar.data.synthetic.poses import make_pose

_STEP = 0.55  # seconds
_CARRIED = dict(r_arm=(30, 6, 24, 96), neck=(20,))
_CHIN = dict(l_arm=(36, -4, 52, 92), r_arm=(48, -4, 30, 112))
_HIPS = dict(arms=(-22, 46, 58, 92))
_LOW = dict(root=(14,), spine=(26,), legs=(34, 6, 0, 34, 10), neck=(12,))
_REACHES = (  # to a low, a middle and a high board
    dict(
        root=(24,),
        spine=(30, 0, 10),
        legs=(56, 8, 0, 56, 16),
        r_arm=(84, 4, 0, 6),
        l_arm=(22, 10, 0, 20),
        neck=(4,),
    ),
    dict(root=(6,), spine=(12, 0, 16), r_arm=(84, 4, 0, 8), neck=(10, 0, -6)),
    dict(spine=(0, 0, 14), r_arm=(128, 6, 0, 10), neck=(-14,), legs=(0, 4, 0, 2, -14)),
)


def _walk(steps: int, stride: float = 24, arm: float = 18) -> np.ndarray:
    """Returns key poses (2 * steps, dofs) of a walk, two a step."""
    poses = walk_poses(stride, arm)
    return poses[np.arange(2 * steps) % len(poses)]


def _approach() -> Move:
    """Makes four steps after which one stands still and looks ahead."""
    stand = make_pose(**STAND)
    keys = np.concatenate(
        [_walk(4), [stand, stand + make_pose(neck=(14,)), stand + make_pose(neck=(6,))]]
    )
    times = 0.5 * _STEP * np.arange(len(keys))
    times[-1] += 0.2
    return Move("ApproachtoShelf", times, keys, floor="walk", turn=20.0)


def _glance(long: int) -> Move:
    """Makes six steps with a look to the left during `long` half steps."""
    keys = _walk(6)
    turned = make_pose(spine=(0, 0, 16), neck=(8, 0, 58))
    middle = (len(keys) - 1) / 2
    far = np.abs(np.arange(len(keys)) - middle) - long / 2
    keys = keys + np.clip(1 - far / 2, 0, 1)[:, None] * turned
    times = 0.5 * _STEP * np.arange(len(keys))
    return Move("GlanceAtShelf", times, keys, floor="walk")


def _look(*keys: tuple[float, dict]) -> Move:
    return make_move("LookatShelf", *keys, cyclic=True)


def _reach(extended: dict) -> Move:
    return make_move(
        "ReachToShelf",
        key(0.0),
        key(0.25, neck=(8,)),
        key(1.1, extended),
        key(1.4, extended),
    )


def _retract(extended: dict) -> Move:
    return make_move(
        "RetractFromShelf",
        key(0.0, extended),
        key(0.3, extended),
        key(1.15, _CARRIED),
        key(1.4, _CARRIED),
        prop="product",
    )


MERL_MOVES = {
    "ApproachtoShelf": (_approach(),),
    "GlanceAtShelf": tuple(_glance(long) for long in (2, 4)),
    "LookatShelf": (
        _look(
            key(0.0, neck=(8, 0, 28)),
            key(0.9, neck=(20, 0, -6), spine=(6,)),
            key(1.8, neck=(-4, 0, -32), spine=(0, 0, -10)),
            key(2.8),
        ),
        _look(
            key(0.0, _CHIN, neck=(10, 0, 20)),
            key(1.1, _CHIN, neck=(22, 6, -12)),
            key(2.3),
        ),
        _look(
            key(0.0, _HIPS, neck=(0, 0, -26)),
            key(1.0, _HIPS, neck=(18, 0, 18), spine=(8,)),
            key(2.2),
        ),
        _look(
            key(0.0, neck=(12,)),
            key(0.9, _LOW, arms=(30, 8, 0, 24)),
            key(1.7, _LOW, arms=(34, 8, 0, 30), neck=(4, 0, 22)),
            key(2.8),
        ),
    ),
    "ReachToShelf": tuple(map(_reach, _REACHES)),
    "RetractFromShelf": tuple(map(_retract, _REACHES)),
}
"""Ways of doing each action. A glance goes to the left; to the right if mirrored."""
