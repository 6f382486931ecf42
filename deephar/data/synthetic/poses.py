"""Poses in joint angles, and actions made of them.

An action is a short list of key poses. A still picture takes a random phase of it; a
clip runs through the phases (`Action.at` takes any array of phases).
"""

import dataclasses

import numpy as np

from deephar.data.synthetic.body import DOF_INDEX, DOFS, LIMITS

_GROUPS = {
    "root": ("root_pitch", "root_roll", "root_yaw"),
    "spine": ("spine_bend", "spine_side", "spine_twist"),
    "neck": ("neck_bend", "neck_side", "neck_twist"),
    "arm": ("arm_flex", "arm_abduct", "arm_twist", "elbow", "wrist"),
    "leg": ("leg_flex", "leg_abduct", "leg_twist", "knee", "ankle"),
}


def make_pose(**groups: float | tuple[float, ...]) -> np.ndarray:
    """Makes a pose vector (dofs,), degrees, from groups of angles; others are zero.

    Groups are `root`, `spine`, `neck`, `r_arm`, `l_arm`, `r_leg`, `l_leg`, `arms` and
    `legs` (both sides alike), each with the first angles of its row in `_GROUPS`; any
    single name of `DOFS` is accepted too.

    Raises:
        ValueError: if a name is unknown or an angle is beyond its joint's limits.
    """
    pose = np.zeros(len(DOFS))
    for name, values in groups.items():
        for side in "rl" if name in ("arms", "legs") else ("",):
            full = f"{side}_{name[:-1]}" if side else name
            prefix = full[:2] if full[1] == "_" else ""
            names = _GROUPS.get(full.removeprefix(prefix))
            names = tuple(prefix + dof for dof in names) if names else (full,)
            for dof, value in zip(names, np.atleast_1d(values), strict=False):
                if dof not in DOF_INDEX:
                    raise ValueError(f"unknown group of angles. Received: {name!r}")
                pose[DOF_INDEX[dof]] = value
    beyond = (pose < LIMITS[:, 0]) | (pose > LIMITS[:, 1])
    if beyond.any():
        index = int(np.flatnonzero(beyond)[0])
        raise ValueError(
            f"`{DOFS[index].name}` must be within [{DOFS[index].low}, "
            f"{DOFS[index].high}]. Received: {DOFS[index].name}={pose[index]}"
        )
    return pose


@dataclasses.dataclass(frozen=True, eq=False)
class Action:
    """A nameable movement.

    Attributes:
        name: What the figure does.
        keys: (keys, dofs) key poses at equal steps of the phase.
        cyclic: Whether the last key pose leads back to the first.
        seat: Whether the figure sits on something.
        free_arms: Whether the arms may be doing something else.
        weight: How often stills show it, relative to the others.
    """

    name: str
    keys: np.ndarray
    cyclic: bool = False
    seat: bool = False
    free_arms: bool = False
    weight: float = 1.0

    def at(self, phase: np.ndarray | float) -> np.ndarray:
        """Returns poses (..., dofs) at phases (...) in [0, 1], eased between keys."""
        keys = np.vstack([self.keys, self.keys[:1]]) if self.cyclic else self.keys
        place = np.clip(np.asarray(phase, dtype=np.float64), 0, 1) * (len(keys) - 1)
        first = np.minimum(place.astype(int), max(len(keys) - 2, 0))
        second = np.minimum(first + 1, len(keys) - 1)
        part = (0.5 - 0.5 * np.cos(np.pi * (place - first)))[..., None]
        return (1 - part) * keys[first] + part * keys[second]


def mirror(pose: np.ndarray) -> np.ndarray:
    """Returns the pose (..., dofs) as seen in a mirror: left and right exchanged."""
    return pose[..., _MIRROR_FROM] * _MIRROR_SIGN


def _mirror_tables() -> tuple[np.ndarray, np.ndarray]:
    other = {"r_": "l_", "l_": "r_"}
    names = [dof.name for dof in DOFS]
    source = [DOF_INDEX[other.get(n[:2], n[:2]) + n[2:]] for n in names]
    odd = ("root_roll", "root_yaw", "_side", "spine_twist", "neck_twist")
    return np.array(source), np.array([-1.0 if n.endswith(odd) else 1.0 for n in names])


_MIRROR_FROM, _MIRROR_SIGN = _mirror_tables()

_SPREAD = {  # standard deviation of the jitter of a still, degrees
    "root": 3.0,
    "spine": 6.0,
    "neck": 11.0,
    "shrug": 4.0,
    "arm": 11.0,
    "elbow": 12.0,
    "wrist": 14.0,
    "leg": 6.0,
    "knee": 7.0,
    "ankle": 6.0,
}


def _spreads() -> np.ndarray:
    parts = [dof.name.removeprefix("r_").removeprefix("l_") for dof in DOFS]
    return np.array([_SPREAD.get(part.split("_")[0], 0.0) for part in parts])


JITTER = _spreads()


def jitter(
    pose: np.ndarray, rng: np.random.Generator, amount: float = 1.0
) -> np.ndarray:
    """Disturbs every angle of a pose (dofs,), within the joints' limits."""
    noise = rng.standard_normal(len(DOFS)) * JITTER * amount
    return np.clip(pose + noise, LIMITS[:, 0], LIMITS[:, 1])
