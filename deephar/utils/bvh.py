"""Motion as BVH files, which Blender and other programs of animation read.

A BVH file holds a skeleton of fixed lengths in a rest pose, and for every frame the
place of the root and the rotation of each joint. Here y is up, as those programs expect
it, z is where the person of the rest pose looks, lengths are in metres and the channels
of a rotation are Zrotation Xrotation Yrotation, degrees.
"""

import os
import warnings
from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from deephar.utils.fs import write_text

_UP, _DOWN, _LEFT, _RIGHT = (0, 1, 0), (0, -1, 0), (1, 0, 0), (-1, 0, 0)
_REST = {
    **dict.fromkeys(("spine", "thorax", "neck", "necknose", "head"), _UP),
    **{
        f"{side}{joint}": across
        for side, across in (("l", _LEFT), ("r", _RIGHT))
        for joint in ("hip", "shoul", "shoulder", "elb", "elbow", "wrist", "hand")
    },
    **{f"{side}{joint}": _DOWN for side in "lr" for joint in ("knee", "ankle")},
    **{f"{side}foot": (0, 0, 1) for side in "lr"},
}
"""Where a joint, by its name in small letters, lies from its parent in the rest pose: a
T, arms to the sides."""

_ORDER = "ZXY"
_CHANNELS = "Zrotation Xrotation Yrotation"
_END = 0.25
"""A bone beyond a last joint, as part of the one before; the format asks for it."""
_PRIOR = 1e-7
"""Weight of the parent's rotation, which decides what the children leave open."""


def write_bvh(
    path: str | os.PathLike,
    poses: np.ndarray,
    parents: Sequence[int],
    names: Sequence[str],
    rate: float,
) -> None:
    """Writes the motion of a person as a BVH file, whole or not at all.

    Bones get their median length, and joints with several children the mean shape of
    these, so that poses of changing proportions come out a little different. A bone's
    rotation about itself, which joints do not tell, is that of its parent.

    Args:
        path: The file.
        poses: Array (frames, joints, 3): x, y along the floor and z up, m.
        parents: Number of each joint's parent, before its own; -1 for the first joint,
            the root.
        names: Of the joints. If all but the root's are known, as `r_hip` or `LElbow`,
            the rest pose is a T; else it is the first frame's.
        rate: Frames per second.

    Raises:
        ValueError: if the shapes do not fit, the joints are no tree in that order, a
            name stands twice, poses are not finite or `rate` is not positive.
        OSError: if the file cannot be written.
    """
    poses = _checked(poses, parents, names, rate)
    offsets, rotations = fit_skeleton(poses, parents, _rest_pose(poses, parents, names))
    angles = _angles(rotations)
    lines = ["HIERARCHY"]
    children = _children(parents)
    _describe(lines, 0, [_clean(name) for name in names], children, offsets)
    lines += ["MOTION", f"Frames: {len(poses)}", f"Frame Time: {1 / rate:.8f}"]
    order = _depth_first(0, children)
    values = np.concatenate(
        [poses[:, 0], angles[:, order].reshape(len(poses), -1)], axis=1
    )
    lines += [" ".join(f"{value:.6f}" for value in frame) for frame in values.tolist()]
    write_text(path, "\n".join(lines) + "\n")


def _checked(poses, parents, names, rate):
    """The poses with y up, if all fits."""
    poses = np.asarray(poses, dtype=np.float64)
    joints = len(parents)
    if poses.ndim != 3 or poses.shape[1:] != (joints, 3) or not len(poses):
        raise ValueError(
            f"`poses` must have the shape (frames, {joints}, 3) and a frame at "
            f"least. Received: poses.shape={poses.shape}"
        )
    if not np.isfinite(poses).all():
        raise ValueError("`poses` must be finite. Received: poses that are not")
    ordered = all(0 <= parent < joint for joint, parent in enumerate(parents) if joint)
    if parents[0] != -1 or not ordered:
        raise ValueError(
            "`parents` must start with -1, and each other number be that of an earlier "
            f"joint. Received: parents={list(parents)}"
        )
    if len({_clean(name) for name in names}) != joints or len(names) != joints:
        raise ValueError(
            f"`names` must be {joints} different ones. Received: names={list(names)}"
        )
    if not 0 < rate < float("inf"):
        raise ValueError(f"`rate` must be positive. Received: rate={rate}")
    return poses[..., [0, 2, 1]] * (1, 1, -1)


def _clean(name: str) -> str:
    """A name without what would end it in the file."""
    return "_".join(name.replace("/", " ").split())


def _rest_pose(poses, parents, names):
    """Offsets of the joints from their parents in the rest pose, of any length."""
    known = ["".join(filter(str.isalpha, name.lower())) for name in names[1:]]
    if all(name in _REST for name in known):
        return np.array([(0, 0, 0), *(_REST[name] for name in known)], float)
    return poses[0] - poses[0, np.maximum(parents, 0)]


def _children(parents):
    children = [[] for _ in parents]
    for joint, parent in enumerate(parents[1:], 1):
        children[parent].append(joint)
    return children


def _depth_first(joint, children):
    return [joint, *(one for c in children[joint] for one in _depth_first(c, children))]


def fit_skeleton(
    poses: np.ndarray, parents: Sequence[int], rest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the skeleton of fixed lengths, and its rotations, nearest to the poses.

    Args:
        poses: Array (frames, joints, 3), any axes.
        parents: As of `write_bvh`.
        rest: Array (joints, 3): the wanted direction of each joint from its parent.

    Returns:
        (offsets, rotations): (joints, 3), a joint from its parent in the rest pose, the
        root's zero, and (frames, joints, 3, 3), of a joint relative to its parent. The
        joints are nearly where `poses` has them if from the root's place on each
        offset is turned by all rotations above it.
    """
    bones = poses - poses[:, np.maximum(parents, 0)]
    lengths = np.median(np.linalg.norm(bones, axis=-1), axis=0)
    offsets = _unit(np.asarray(rest, np.float64)) * lengths[:, None]
    whole = np.empty((*poses.shape, 3))
    local = np.broadcast_to(np.eye(3), whole.shape).copy()
    for joint, below in enumerate(_children(parents)):
        above = whole[:, parents[joint]] if joint else local[:, 0].copy()
        if len(below) == 1:
            seen = np.einsum("tji,tj->ti", above, bones[:, below[0]])
            local[:, joint] = _shortest_turn(offsets[below[0]], seen)
        elif below:
            turn = _best_turn(offsets[below], bones[:, below], above)
            shape = np.einsum("tji,tcj->ci", turn, bones[:, below]) / len(poses)
            offsets[below] = _unit(shape) * lengths[below, None]
            turn = _best_turn(offsets[below], bones[:, below], above)
            local[:, joint] = np.swapaxes(above, 1, 2) @ turn
        whole[:, joint] = above @ local[:, joint]
    return offsets, local


def _unit(vectors):
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _shortest_turn(start, ends):
    """Rotations (frames, 3, 3) of the direction (3,) to each of (frames, 3)."""
    start = _unit(start)
    ends = np.where(np.any(ends, axis=-1, keepdims=True), _unit(ends), start)
    axes, cosines = np.cross(start, ends), ends @ start
    skew = np.cross(np.eye(3), axes[:, None])
    safe = np.maximum(1 + cosines, 1e-9)[:, None, None]
    turns = np.eye(3) + skew + skew @ skew / safe
    aside = _unit(np.cross(start, np.eye(3)[np.abs(start).argmin()]))
    about = 2 * np.outer(aside, aside) - np.eye(3)
    return np.where((cosines < -1 + 1e-9)[:, None, None], about, turns)


def _best_turn(starts, ends, prior):
    """Rotations (frames, 3, 3) of vectors (n, 3) onto (frames, n, 3): Kabsch's."""
    size = np.square(starts).sum() or 1.0
    u, _, vt = np.linalg.svd(
        np.einsum("tci,cj->tij", ends, starts) + _PRIOR * size * prior
    )
    u[..., 2] *= np.linalg.det(u @ vt)[:, None]
    return u @ vt


def _angles(rotations):
    """Angles (frames, joints, 3), degrees, without jumps from frame to frame."""
    frames, joints = rotations.shape[:2]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock")
        turns = Rotation.from_matrix(rotations.reshape(-1, 3, 3))
        angles = turns.as_euler(_ORDER, degrees=True)
    angles = angles.reshape(frames, joints, 3)
    others = angles * (1, -1, 1) + 180
    for frame in range(1, frames):
        before = angles[frame - 1]
        near, far = (
            before + (one[frame] - before + 180) % 360 - 180 for one in (angles, others)
        )
        cost = [np.square(one - before).sum(-1, keepdims=True) for one in (near, far)]
        angles[frame] = np.where(cost[0] <= cost[1], near, far)
    return angles


def _describe(lines, joint, names, children, offsets, depth=0):
    """Adds a joint and what is below it to the lines of the hierarchy."""

    def add(text, more=0):
        lines.append("  " * (depth + more) + text)

    def offset(vector):
        return "OFFSET " + " ".join(f"{value:.6f}" for value in vector)

    place = "Xposition Yposition Zposition "
    add(f"{'JOINT' if depth else 'ROOT'} {names[joint]}")
    add("{")
    add(offset(offsets[joint]), 1)
    add(f"CHANNELS {3 if depth else 6} {'' if depth else place}{_CHANNELS}", 1)
    for child in children[joint]:
        _describe(lines, child, names, children, offsets, depth + 1)
    if not children[joint]:
        add("End Site", 1)
        add("{", 1)
        add(offset(_END * offsets[joint]), 2)
        add("}", 1)
    add("}")
