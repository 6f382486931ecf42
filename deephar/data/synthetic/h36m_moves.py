"""The 15 actions of Human3.6M as moves that go on for as long as one films them."""

import numpy as np

from deephar.data.synthetic.motion import Move, key, make_move, walk_poses
from deephar.data.synthetic.poses import make_pose

_SIT = dict(root=(2,), legs=(86, 8, 0, 84), arms=(30, 4, 12, 42))
_TALK = dict(arms=(22, 8, 25, 80))
_GROUND = dict(root=(-14,), spine=(30,), arms=(38, 10, 0, 40))
_PHONE = dict(r_arm=(44, 34, -20, 143), neck=(0, 8))
_HELD = dict(l_arm=(22, 0, 55, 95))


def _gait(name: str, step: float, stride: float, arm: float, **options) -> Move:
    """Makes a walk of four key poses, `step` seconds a step; it turns to a side.

    Args:
        name: The action.
        step: Seconds of a step.
        stride: Degrees that a leg swings forward.
        arm: Degrees that the arms swing.
        options: Changes to all key poses.
    """
    keys = walk_poses(stride, arm)
    if options:
        names = make_pose(**options) != 0
        keys = np.where(names, make_pose(**options), keys)
    times = step * np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    return Move(name, times, keys, cyclic=True, turn=75.0)


H36M_MOVES = (
    make_move(
        "Directions",
        key(0.0),
        key(0.7, r_arm=(86, 12, 0, 8), neck=(0, 0, -8)),
        key(1.5, r_arm=(72, 70, 0, 8), neck=(0, 0, -40), spine=(0, 0, -12)),
        key(2.2),
        key(2.9, l_arm=(96, 24, 0, 8), neck=(-8, 0, 15)),
        key(3.6, l_arm=(50, 60, 0, 30), neck=(0, 0, 36), spine=(0, 0, 12)),
        key(4.4),
        cyclic=True,
    ),
    make_move(
        "Discussion",
        key(0.0, _TALK),
        key(0.5, _TALK, r_arm=(46, 30, 0, 88), neck=(0, 0, -12)),
        key(1.0, r_arm=(30, 10, 30, 105), l_arm=(30, 20, 5, 70)),
        key(1.6, arms=(40, 40, 0, 62), neck=(6, 6, 10), spine=(6,)),
        key(2.2, _TALK, l_arm=(58, 10, 0, 100), neck=(0, 0, 14)),
        key(2.9),
        cyclic=True,
        turn=15.0,
    ),
    make_move(
        "Eating",
        key(0.0, _HELD, r_arm=(26, 2, 45, 92), neck=(14,)),
        key(0.8, _HELD, r_arm=(62, 18, 34, 138), neck=(4,)),
        key(1.3, _HELD, r_arm=(60, 20, 34, 138), neck=(6,)),
        key(2.2),
        cyclic=True,
    ),
    make_move(
        "Greeting",
        key(0.0),
        key(0.6, r_arm=(15, 95, -85, 70)),
        key(0.9, r_arm=(15, 108, -85, 118)),
        key(1.2, r_arm=(15, 95, -85, 70)),
        key(1.9, root=(22,), spine=(28,), legs=(24, 4), arms=(14, 6)),
        key(2.6, arms=(62, 25, 0, 40)),
        key(3.3),
        cyclic=True,
    ),
    make_move(
        "Phoning",
        key(0.0, _PHONE),
        key(1.2, _PHONE, l_arm=(35, 20, 10, 80), l_leg=(8, 8, 0, 16)),
        key(2.2, _PHONE, l_arm=(10, 30, 40, 85), neck=(8, 8, -20), spine=(4, 6)),
        key(3.3),
        cyclic=True,
        prop="phone",
        turn=40.0,
    ),
    make_move(
        "Posing",
        key(0.0, arms=(-22, 50, 58, 92), legs=(0, 10)),
        key(0.9, r_arm=(20, 140, -20, 60), l_arm=(-22, 50, 58, 92), spine=(0, 12)),
        key(1.9, arms=(38, -2, 55, 95, 10), l_leg=(10, 8, 0, 20)),
        key(2.8, arms=(0, 160, 0, 12), spine=(-6,), neck=(-14,)),
        key(3.8, r_arm=(55, 0, 25, 135), l_arm=(30, 0, 60, 90), neck=(8,)),
        key(4.8),
        cyclic=True,
    ),
    make_move(
        "Purchases",
        key(0.0, r_arm=(30, 4, 20, 85)),
        key(
            0.9,
            root=(30,),
            spine=(44,),
            legs=(62, 10, 0, 50, 14),
            r_arm=(82, 4, 0, 8),
            l_arm=(30, 10, 0, 30),
        ),
        key(1.8, r_arm=(40, 0, 30, 95), l_arm=(40, 0, 20, 85), neck=(20,)),
        key(2.6, arms=(78, 8, 0, 22), spine=(12,)),
        key(3.4),
        cyclic=True,
        turn=30.0,
    ),
    make_move(
        "Sitting",
        key(0.0, _SIT),
        key(0.9, _SIT, r_arm=(48, 20, 0, 95), neck=(0, 0, -18)),
        key(1.7, _SIT, spine=(26,), arms=(45, 6, 10, 60), neck=(-8,)),
        key(2.6, _SIT, l_arm=(20, 40, 40, 110), spine=(-4, 8), l_leg=(80, 14, 0, 60)),
        key(3.5),
        cyclic=True,
        seat=True,
    ),
    make_move(
        "SittingDown",
        key(0.0),
        key(0.8, root=(24,), spine=(30,), legs=(118, 22, 0, 138, 22), arms=(60, 12)),
        key(1.5, _GROUND, legs=(110, 12, 0, 72)),
        key(2.6, _GROUND, legs=(86, 10, 0, 20), r_arm=(60, 10, 0, 90)),
        key(3.3, root=(28,), spine=(34,), legs=(118, 22, 0, 138, 22), arms=(70, 12)),
        key(4.2),
        cyclic=True,
    ),
    make_move(
        "Smoking",
        key(0.0, _HELD, r_arm=(4, 10, 0, 25)),
        key(0.8, _HELD, r_arm=(58, 24, 20, 142), neck=(-6,)),
        key(1.5, _HELD, r_arm=(58, 26, 20, 142), neck=(-10,)),
        key(2.2, _HELD, r_arm=(20, 42, 0, 40), neck=(-14, 0, -10)),
        key(3.2),
        cyclic=True,
        turn=12.0,
    ),
    make_move(
        "Photo",
        key(0.0, arms=(66, 16, 26, 122), neck=(4,)),
        key(0.9, arms=(72, 18, 24, 116), root=(8,), legs=(30, 10, 0, 44, 8)),
        key(
            1.8,
            root=(10,),
            arms=(70, 18, 24, 118),
            r_leg=(88, 6, 0, 94),
            l_leg=(2, 6, 0, 92, -40),
        ),
        key(2.7, arms=(74, 16, 26, 116), spine=(0, 10, 14)),
        key(3.6),
        cyclic=True,
        prop="camera",
        turn=30.0,
    ),
    make_move(
        "Waiting",
        key(0.0, l_leg=(4, 10, 0, 14), spine=(0, 5)),
        key(1.0, arms=(38, -2, 55, 95, 10)),
        key(2.0, r_leg=(4, 10, 0, 14), spine=(0, -5), neck=(0, 0, 45)),
        key(2.8, l_arm=(48, -4, 30, 100), neck=(26, 0, 12)),
        key(3.8, arms=(-22, 46, 58, 92), neck=(0, 0, -45)),
        key(4.8),
        cyclic=True,
        turn=20.0,
    ),
    _gait("Walking", 0.55, 28, 26),
    _gait("WalkDog", 0.55, 25, 16, r_arm=(42, 10, 0, 35), neck=(14,)),
    _gait("WalkTogether", 0.62, 24, 14, l_arm=(16, 24, 10, 75), neck=(0, 0, 24)),
)
