"""What figures do: a library of actions, and the drawing of a still from it."""

import numpy as np

from deephar.data.synthetic.body import DOF_INDEX, DOFS
from deephar.data.synthetic.poses import Action, jitter, make_pose, mirror

_STAND = {"arms": (0, 8, 0, 8), "legs": (0, 4)}


def _action(name: str, *keys: dict, **options) -> Action:
    """Makes an action from key poses, each of which changes a relaxed stand."""
    return Action(
        name, np.stack([make_pose(**{**_STAND, **k}) for k in keys]), **options
    )


def _walk(
    name: str, stride: float, lean: float, arm: float, elbow: float, **options
) -> Action:
    """Makes a gait of four key poses: right heel strike, left swing, and mirrored."""
    strike = {
        "spine": (lean, 0, 8),
        "r_leg": (stride, 2, 0, 8, 8),
        "l_leg": (-0.5 * stride, 2, 0, 22, -15),
        "r_arm": (-arm, 6, 0, elbow),
        "l_arm": (arm, 6, 0, elbow + 10),
    }
    swing = {
        "spine": (lean,),
        "r_leg": (2, 2, 0, 8),
        "l_leg": (0.9 * stride, 2, 0, 1.9 * stride),
        "arms": (0, 6, 0, elbow),
    }
    keys = np.stack([make_pose(**{**_STAND, **k}) for k in (strike, swing)])
    return Action(name, np.concatenate([keys, mirror(keys)]), cyclic=True, **options)


_SIT = {"legs": (86, 8, 0, 84), "arms": (28, 6, 8, 50)}
_SQUAT = {"spine": (28,), "legs": (112, 18, 0, 128, 25), "arms": (80, 0, 0, 10)}

ACTIONS = (
    _action(
        "stand",
        {},
        {"l_leg": (4, 10, 0, 12), "spine": (0, 4)},
        free_arms=True,
        weight=3,
    ),
    _action("hands_on_hips", {"arms": (-22, 50, 58, 92), "legs": (0, 10)}),
    _action("arms_crossed", {"arms": (38, -2, 55, 95, 10)}),
    _action("think", {"r_arm": (55, 0, 25, 135), "l_arm": (30, 0, 60, 90)}),
    _walk("walk", 27, 3, 26, 18, free_arms=True, weight=2),
    _walk("run", 52, 14, 42, 85),
    _action(
        "sit",
        _SIT,
        {**_SIT, "spine": (14,), "legs": (92, 14, 0, 70)},
        seat=True,
        free_arms=True,
        weight=1.5,
    ),
    _action("read", {**_SIT, "arms": (48, 2, 22, 92), "neck": (30,)}, seat=True),
    _action("squat", {"arms": (85, 0, 0, 5)}, _SQUAT, weight=1.2),
    _action(
        "lunge",
        {"r_leg": (85, 4, 0, 88), "l_leg": (-18, 4, 0, 80, -30)},
        free_arms=True,
    ),
    _action(
        "kneel", {"r_leg": (88, 6, 0, 92), "l_leg": (0, 4, 0, 90, -45)}, free_arms=True
    ),
    _action(
        "lie_on_back",
        {"root": (-90,), "arms": (8, 30), "legs": (5, 8, 0, 10)},
        {"root": (-90,), "arms": (160, 20, 0, 30), "legs": (55, 6, 0, 112)},
        weight=0.4,
    ),
    _action(
        "lie_on_front",
        {"root": (90,), "arms": (150, 25, 0, 50), "legs": (0, 8, 0, 4, -45)},
        weight=0.4,
    ),
    _action(
        "lie_on_side",
        {
            "root": (0, 90),
            "r_arm": (90, 0, 0, 60),
            "l_arm": (30, 5, 0, 40),
            "r_leg": (40, 0, 0, 60),
            "l_leg": (15, 0, 0, 30),
        },
        weight=0.4,
    ),
    _action(
        "push_up",
        {"root": (63,), "arms": (66, 6, 0, 4, -50), "legs": (0, 4)},
        {"root": (75,), "arms": (0, 45, 0, 85, -50), "legs": (0, 4)},
        weight=0.4,
    ),
    _action(
        "sit_up",
        {"root": (-88,), "legs": (52, 8, 0, 112), "arms": (130, 45, 0, 125)},
        {
            "root": (-50,),
            "spine": (60,),
            "legs": (88, 8, 0, 108),
            "arms": (120, 40, 0, 125),
        },
        weight=0.4,
    ),
    _action(
        "crawl",
        {"root": (64,), "arms": (66, 6, 0, 6, -50), "legs": (64, 6, 0, 88, -45)},
        {
            "root": (64,),
            "neck": (-35,),
            "r_arm": (90, 6, 0, 6, -50),
            "l_arm": (50, 6, 0, 6, -50),
            "r_leg": (46, 6, 0, 88, -45),
            "l_leg": (84, 6, 0, 98, -45),
        },
        weight=0.4,
    ),
    _action(
        "reach_up",
        {"r_arm": (165, 8, 0, 12), "spine": (-5, -8), "neck": (-25,)},
        {"r_arm": (120, 8, 0, 40), "neck": (-15,)},
    ),
    _action(
        "reach_forward",
        {"r_arm": (85, 5, 0, 12), "spine": (22, 0, 15)},
        {"arms": (80, 5, 0, 15), "spine": (28,)},
    ),
    _action("point", {"r_arm": (85, 45, 0, 4), "neck": (0, 0, -35)}),
    _action(
        "wave", {"r_arm": (10, 95, -85, 70)}, {"r_arm": (10, 110, -85, 120)}, weight=1.5
    ),
    _action(
        "arms_up", {"arms": (0, 160, 0, 12)}, {"arms": (20, 125, -20, 30)}, weight=1.5
    ),
    _action("surrender", {"arms": (0, 88, -88, 90)}, {"arms": (10, 75, -80, 120)}),
    _action("spread_arms", {"arms": (0, 88)}, {"arms": (45, 70, 0, 12)}),
    _action(
        "jumping_jack",
        {"arms": (0, 10), "legs": (0, 2)},
        {"arms": (0, 155, 0, 10), "legs": (0, 28, 0, 0, -25), "lift": 120},
    ),
    _action(
        "jump",
        _SQUAT | {"arms": (-45, 10, 0, 5)},
        {"arms": (160, 15, 0, 8), "legs": (-5, 8, 0, 10, -45), "lift": 300},
        {"arms": (100, 50, 0, 20), "legs": (70, 16, 0, 95, -30), "lift": 400},
    ),
    _action(
        "guard",
        {
            "r_arm": (40, 5, 5, 130),
            "l_arm": (55, 0, 5, 115),
            "l_leg": (22, 6, 0, 20),
            "r_leg": (-14, 6, 0, 14),
        },
    ),
    _action(
        "punch",
        {
            "r_arm": (20, 20, 5, 130),
            "l_arm": (55, 0, 5, 115),
            "l_leg": (25, 6, 0, 22),
            "r_leg": (-14, 6, 0, 14),
        },
        {
            "r_arm": (88, -8, 0, 6),
            "l_arm": (50, 0, 5, 120),
            "spine": (10, 0, 30),
            "l_leg": (30, 6, 0, 28),
            "r_leg": (-22, 6, 0, 10, -20),
        },
    ),
    _action(
        "kick",
        {"r_leg": (-22, 5, 0, 80), "arms": (20, 35, 0, 45)},
        {"r_leg": (88, 5, 0, 12, -30), "spine": (-12,), "arms": (20, 55, 0, 25)},
        {"r_leg": (40, 55, 0, 10, -20), "spine": (0, -20), "arms": (30, 45, 0, 70)},
    ),
    _action(
        "bend",
        {"spine": (50,), "root": (28,), "legs": (28, 4), "arms": (60, 4)},
        {"spine": (60,), "root": (62,), "legs": (64, 4, 0, 4), "arms": (115, 4)},
    ),
    _action(
        "lift",
        {"root": (42,), "spine": (25,), "legs": (105, 12, 0, 92, 20), "arms": (55, 6)},
        {"arms": (35, 8, 0, 125)},
        {"arms": (168, 12, 0, 8)},
        weight=1.2,
    ),
    _action(
        "throw",
        {
            "r_arm": (-10, 100, -80, 85),
            "l_arm": (75, 20),
            "spine": (-8, 0, -35),
            "l_leg": (40, 4, 0, 40),
        },
        {
            "r_arm": (120, 20, 0, 25),
            "l_arm": (20, 20),
            "spine": (25, 0, 30),
            "l_leg": (30, 4, 0, 25),
            "r_leg": (-20, 4, 0, 20, -25),
        },
    ),
    _action(
        "bowl",
        {"r_arm": (-50, 5), "l_arm": (40, 40), "spine": (35,)},
        {
            "r_arm": (85, 5),
            "l_arm": (-10, 60),
            "spine": (45,),
            "l_leg": (70, 4, 0, 75),
            "r_leg": (-20, -5, 0, 30, -30),
        },
    ),
    _action(
        "golf_swing",
        {"arms": (48, -22, 0, 8), "spine": (38,), "legs": (22, 9, 0, 28)},
        {
            "l_arm": (95, -40, 0, 10),
            "r_arm": (85, 20, -60, 95),
            "spine": (25, 0, -42),
            "root": (0, 0, -25),
            "legs": (12, 9, 0, 20),
        },
        {
            "r_arm": (95, -40, 0, 10),
            "l_arm": (85, 20, -60, 95),
            "spine": (5, 0, 42),
            "root": (0, 0, 35),
            "legs": (0, 9, 0, 10),
        },
    ),
    _action(
        "strum_guitar",
        {"r_arm": (5, 22, 48, 88), "l_arm": (30, 38, -5, 85)},
        {"r_arm": (5, 30, 52, 75), "l_arm": (30, 45, -5, 70)},
    ),
    _action("clap", {"arms": (55, -12, 15, 60)}, {"arms": (55, 35, 0, 50)}),
    _action("phone", {"r_arm": (45, 35, -25, 145), "neck": (0, 8)}, free_arms=True),
    _action("drink", {"r_arm": (62, 15, 25, 132), "neck": (-20,)}),
    _action(
        "climb",
        {
            "r_arm": (165, 15, 0, 15),
            "l_arm": (120, 20, 0, 75),
            "l_leg": (85, 18, 0, 90),
            "lift": 200,
        },
    ),
    _action(
        "dance",
        {
            "r_arm": (0, 135, -20, 40),
            "l_arm": (0, 60, 30, 60),
            "l_leg": (55, 35, 0, 95, -30),
            "spine": (0, 12),
        },
        {"arms": (30, 80, -50, 70), "r_leg": (0, 24), "l_leg": (15, 18, 0, 30)},
    ),
    _action(
        "balance",
        {
            "arms": (0, 90),
            "r_leg": (-28, 6, 0, 8, -40),
            "root": (40,),
            "l_leg": (40, 0),
        },
        {"arms": (0, 85), "r_leg": (60, 50, 40, 135)},
    ),
)
ACTIONS_BY_NAME = {action.name: action for action in ACTIONS}

_ARMS = np.array(
    ["arm" in d.name or "elbow" in d.name or "wrist" in d.name for d in DOFS]
)
_WEIGHTS = np.array([action.weight for action in ACTIONS])
_WEIGHTS /= _WEIGHTS.sum()
_BUSY_ARMS = tuple(
    action
    for action in ACTIONS
    if not action.free_arms
    and not action.keys[:, DOF_INDEX["root_pitch"]].any()
    and not action.keys[:, DOF_INDEX["root_roll"]].any()
)


def random_pose(rng: np.random.Generator) -> tuple[Action, np.ndarray]:
    """Draws what a figure does in a still: the action and a pose (dofs,)."""
    action = ACTIONS[rng.choice(len(ACTIONS), p=_WEIGHTS)]
    pose = action.at(rng.random())
    if rng.random() < 0.5:
        pose = mirror(pose)
    if action.free_arms and rng.random() < 0.5:
        other = _BUSY_ARMS[rng.integers(len(_BUSY_ARMS))].at(rng.random())
        other = mirror(other) if rng.random() < 0.5 else other
        pose = np.where(_ARMS, other, pose)
    return action, jitter(pose, rng)
