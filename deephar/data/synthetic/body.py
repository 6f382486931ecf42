"""Articulated human figures: skeleton, degrees of freedom, forward kinematics, flesh.

A figure is a tree of 21 joints (the order of `pa21j3d`). Every joint but the pelvis
ends a bone; a bone has a frame of its own, in which x points to the front of the
person, y to its left and z up while it stands at rest, arms hanging. A pose is one
vector of angles in degrees (`DOFS`), so a motion is an array (frames, dofs) and every
function here takes any leading axes.

Lengths are mm; the world has z up and the floor at z = 0.
"""

import dataclasses

import numpy as np

JOINTS = (
    "pelvis",
    "thorax",
    "neck",
    "head",
    "r_shoulder",
    "l_shoulder",
    "r_elbow",
    "l_elbow",
    "r_wrist",
    "l_wrist",
    "r_hand",
    "l_hand",
    "r_hip",
    "l_hip",
    "r_knee",
    "l_knee",
    "r_ankle",
    "l_ankle",
    "r_foot",
    "l_foot",
    "spine",
)
NUM_JOINTS = len(JOINTS)
INDEX = {name: index for index, name in enumerate(JOINTS)}

PARENTS = {"spine": "pelvis", "thorax": "spine", "neck": "thorax", "head": "neck"}
for _side in "rl":
    PARENTS |= {
        f"{_side}_shoulder": "thorax",
        f"{_side}_elbow": f"{_side}_shoulder",
        f"{_side}_wrist": f"{_side}_elbow",
        f"{_side}_hand": f"{_side}_wrist",
        f"{_side}_hip": "pelvis",
        f"{_side}_knee": f"{_side}_hip",
        f"{_side}_ankle": f"{_side}_knee",
        f"{_side}_foot": f"{_side}_ankle",
    }
BONES = tuple((INDEX[parent], INDEX[child]) for child, parent in PARENTS.items())

# Rotation of a bone: pitch about y, then roll about x, then twist about z (innermost).
PITCH, ROLL, TWIST = range(3)


@dataclasses.dataclass(frozen=True)
class Dof:
    """One degree of freedom: its limits in degrees (mm for "lift") and what it turns.

    `turns` lists (joint that ends the bone, axis, factor).
    """

    name: str
    low: float
    high: float
    turns: tuple[tuple[str, int, float], ...] = ()


def _trunk_dofs() -> list[Dof]:
    """Lists root, spine and neck; the latter share each angle between two bones."""
    dofs = [
        Dof("root_pitch", -180, 180, (("pelvis", PITCH, 1.0),)),
        Dof("root_roll", -180, 180, (("pelvis", ROLL, 1.0),)),
        Dof("root_yaw", -180, 180),
        Dof("lift", 0, 600),
    ]
    limits = {
        "spine": ((-30, 75), (-35, 35), (-45, 45), ("spine", "thorax")),
        "neck": ((-45, 50), (-35, 35), (-70, 70), ("neck", "head")),
    }
    for part, (*ranges, joints) in limits.items():
        for axis, name in enumerate(("bend", "side", "twist")):
            turns = tuple((joint, axis, 0.5) for joint in joints)
            dofs.append(Dof(f"{part}_{name}", *ranges[axis], turns))
    return dofs


def _limb_dofs(side: str) -> list[Dof]:
    """Lists arm and leg; signs make an angle mean the same movement on both sides."""
    out = 1.0 if side == "l" else -1.0
    rows = (
        ("shrug", -10, 30, "shoulder", ROLL, out),
        ("arm_flex", -55, 180, "elbow", PITCH, -1.0),
        ("arm_abduct", -45, 175, "elbow", ROLL, out),
        ("arm_twist", -95, 85, "elbow", TWIST, -out),
        ("elbow", 0, 148, "wrist", PITCH, -1.0),
        ("wrist", -50, 60, "hand", PITCH, -1.0),
        ("leg_flex", -30, 130, "knee", PITCH, -1.0),
        ("leg_abduct", -25, 65, "knee", ROLL, out),
        ("leg_twist", -45, 45, "knee", TWIST, -out),
        ("knee", 0, 148, "ankle", PITCH, 1.0),
        ("ankle", -50, 30, "foot", PITCH, -1.0),
    )
    return [
        Dof(f"{side}_{name}", low, high, ((f"{side}_{joint}", axis, factor),))
        for name, low, high, joint, axis, factor in rows
    ]


DOFS = (*_trunk_dofs(), *_limb_dofs("r"), *_limb_dofs("l"))
DOF_INDEX = {dof.name: index for index, dof in enumerate(DOFS)}
LIMITS = np.array([(dof.low, dof.high) for dof in DOFS], dtype=np.float64)


def _turn_table() -> np.ndarray:
    """Returns the map (dofs, joints * 3) from a pose vector to the turns of bones."""
    table = np.zeros((len(DOFS), NUM_JOINTS, 3))
    for row, dof in enumerate(DOFS):
        for joint, axis, factor in dof.turns:
            table[row, INDEX[joint], axis] = factor
    return np.radians(table).reshape(len(DOFS), -1)


_TURNS = _turn_table()


def rotation_z(degrees: np.ndarray | float) -> np.ndarray:
    """Returns rotations (..., 3, 3) to the left about the vertical axis."""
    angle = np.radians(np.asarray(degrees, dtype=np.float64))
    out = np.zeros((*angle.shape, 3, 3))
    out[..., 0, 0] = out[..., 1, 1] = np.cos(angle)
    out[..., 1, 0] = np.sin(angle)
    out[..., 0, 1] = -out[..., 1, 0]
    out[..., 2, 2] = 1.0
    return out


def _bone_turns(pose: np.ndarray) -> np.ndarray:
    """Returns rotations (..., joints, 3, 3) of the bones in their parents' frames."""
    turns = (pose @ _TURNS).reshape(*pose.shape[:-1], NUM_JOINTS, 3)
    (cp, cr, ct), (sp, sr, st) = (
        np.moveaxis(function(turns), -1, 0) for function in (np.cos, np.sin)
    )
    rows = (
        (cp * ct + sp * sr * st, sp * sr * ct - cp * st, sp * cr),
        (cr * st, cr * ct, -sr),
        (cp * sr * st - sp * ct, sp * st + cp * sr * ct, cp * cr),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


@dataclasses.dataclass(frozen=True, eq=False)
class Body:
    """Lengths and girths of one person; see `make_body`.

    Attributes:
        height: Stature, mm.
        female: Proportions and hair style.
        offsets: (21, 3) each joint in its own bone's frame, from its parent, mm.
        flesh: (21,) distance from each joint to the skin, mm.
        girth: Factor of all radii; 1 is average.
    """

    height: float
    female: bool
    offsets: np.ndarray
    flesh: np.ndarray
    girth: float


_REACH = {  # radius of the flesh about a joint / stature
    "pelvis": 0.066,
    "thorax": 0.05,
    "neck": 0.045,
    "head": 0.0,
    "shoulder": 0.038,
    "elbow": 0.025,
    "wrist": 0.019,
    "hand": 0.019,
    "hip": 0.068,
    "knee": 0.037,
    "ankle": 0.027,
    "foot": 0.020,
    "spine": 0.06,
}


def make_body(rng: np.random.Generator) -> Body:
    """Draws a person: sex, stature and segment lengths.

    Proportions follow Drillis & Contini (1966), as in D. Winter, "Biomechanics and
    Motor Control of Human Movement"; each pair of limbs varies by about 4 %.
    """
    female = bool(rng.random() < 0.5)
    mean, deviation = (1640.0, 62.0) if female else (1765.0, 70.0)
    height = float(mean + deviation * np.clip(rng.standard_normal(), -2.5, 2.5))
    girth = float(np.clip(1.0 + 0.11 * rng.standard_normal(), 0.84, 1.3))

    def length(fraction: float) -> float:
        factor = 1.0 + 0.04 * np.clip(rng.standard_normal(), -2.0, 2.0)
        return fraction * height * factor

    shoulder = length(0.098 if female else 0.108)
    hip = length(0.054 if female else 0.050)
    limbs = {name: length(value) for name, value in _LIMBS.items()}
    offsets = np.zeros((NUM_JOINTS, 3))
    offsets[INDEX["spine"]] = 0, 0, length(0.135)
    offsets[INDEX["thorax"]] = 0, 0, length(0.150)
    offsets[INDEX["neck"]] = 0, 0, length(0.055)
    offsets[INDEX["head"]] = 0, 0, length(0.132)
    for side, sign in (("r", -1.0), ("l", 1.0)):
        offsets[INDEX[f"{side}_shoulder"]] = 0, sign * shoulder, -0.012 * height
        offsets[INDEX[f"{side}_hip"]] = 0, sign * hip, -0.012 * height
        for name, value in limbs.items():
            offsets[INDEX[f"{side}_{name}"]] = 0, 0, -value
        offsets[INDEX[f"{side}_foot"]] = limbs["foot"], 0, -0.022 * height
    flesh = np.array([_REACH[name.split("_")[-1]] for name in JOINTS]) * height
    return Body(height, female, offsets, flesh * girth, girth)


_LIMBS = {
    "elbow": 0.180,
    "wrist": 0.146,
    "hand": 0.058,
    "knee": 0.243,
    "ankle": 0.244,
    "foot": 0.105,
}


def place(
    body: Body, pose: np.ndarray, heading: np.ndarray | float = 0.0, origin=(0.0, 0.0)
) -> tuple[np.ndarray, np.ndarray]:
    """Returns where joints and bones are in a pose: forward kinematics.

    The lowest part of the figure touches the floor, `lift` mm above it.

    Args:
        body: The person.
        pose: (..., dofs) degrees of `DOFS`.
        heading: (...) degrees that the person is turned to the left from world x.
        origin: (..., 2) x, y of the pelvis on the floor, mm.

    Returns:
        joints (..., 21, 3), mm, and frames (..., 21, 3, 3) whose columns are the axes
        of the bone that ends in each joint (of the pelvis itself for the root).
    """
    pose = np.asarray(pose, dtype=np.float64)
    turns = _bone_turns(pose)
    joints = np.zeros((*pose.shape[:-1], NUM_JOINTS, 3))
    frames = np.empty((*pose.shape[:-1], NUM_JOINTS, 3, 3))
    heading = np.asarray(heading) + pose[..., DOF_INDEX["root_yaw"]]
    frames[..., 0, :, :] = rotation_z(heading) @ turns[..., 0, :, :]
    for parent, child in BONES:
        frames[..., child, :, :] = frames[..., parent, :, :] @ turns[..., child, :, :]
        step = frames[..., child, :, :] @ body.offsets[child]
        joints[..., child, :] = joints[..., parent, :] + step
    lowest = (joints[..., 2] - body.flesh).min(axis=-1)
    joints[..., :2] += np.asarray(origin, dtype=np.float64)[..., None, :]
    joints[..., 2] += (pose[..., DOF_INDEX["lift"]] - lowest)[..., None]
    return joints, frames
