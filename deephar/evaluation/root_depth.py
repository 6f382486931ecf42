"""How far away a predicted skeleton is, by the length of its bones.

A network says where the joints are in the picture (px) and how far in front of or
behind the root (mm); how far the root is from the camera it does not say. The farther
away, the larger the same picture makes the person: the root is put at the depth at
which the sum of the bones' squared lengths is what it is, on the mean, in the training
subjects. That equation is quadratic in the depth; its larger solution is taken.
"""

import collections
from collections.abc import Iterable, Sequence

import numpy as np

NEAREST, FARTHEST = 1500.0, 20000.0
"""Depths between which the root is looked for, mm. Every joint that a network can
predict lies in front of the camera from the nearest on."""


def bone_lengths(
    poses: Iterable[tuple[int, np.ndarray]], links: Sequence[Sequence[int]]
) -> np.ndarray:
    """Returns the root mean square length of every bone, each subject counting alike.

    Args:
        poses: (subject, poses `(frames, joints, 3)`) in turn; a subject may come again.
            Bones with a joint that is not finite are left out.
        links: pairs of joints: the bones.

    Returns:
        `(bones,)`, in the unit of the poses.

    Raises:
        ValueError: if there is a bone that no pose has.
    """
    first, second = np.asarray(links).T
    subjects = collections.defaultdict(list)
    for subject, frames in poses:
        squared = np.square(frames[:, first] - frames[:, second]).sum(axis=-1)
        subjects[subject].append(squared)
    means = [_mean(np.concatenate(parts)) for parts in subjects.values()]
    if not means or not np.isfinite(means).any(axis=0).all():
        raise ValueError("there is a bone whose length no training pose tells")
    return np.sqrt(_mean(np.stack(means)))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the rows of what is finite; NaN where nothing is."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def find_root_depth(
    rays: np.ndarray,
    depths: np.ndarray,
    links: Sequence[Sequence[int]],
    lengths: np.ndarray,
) -> np.ndarray:
    """Returns the depth of each skeleton's root, see the head of this file.

    Where no depth makes the bones so short, the one that makes them shortest is taken;
    the result lies between NEAREST and FARTHEST.

    Args:
        rays: `(samples, joints, 3)`: through each joint, with a depth of 1. Bones with
            a joint that is not finite are left out, and so is their length.
        depths: `(samples, joints)`: of the joint behind the root, mm.
        links: pairs of joints: the bones.
        lengths: `(bones,)`, mm, as `bone_lengths` returns them.

    Returns:
        `(samples,)`, mm; NaN for a skeleton without a bone.
    """
    first, second = np.asarray(links).T
    points = rays * depths[..., None]
    slope = rays[:, first] - rays[:, second]
    offset = points[:, first] - points[:, second]
    known = np.isfinite(slope + offset).all(axis=-1)
    slope, offset = (np.where(known[..., None], x, 0) for x in (slope, offset))
    a, b = (slope * slope).sum(axis=(1, 2)), (slope * offset).sum(axis=(1, 2))
    c = (offset * offset).sum(axis=(1, 2)) - (known * np.square(lengths)).sum(axis=1)
    reach = np.sqrt(np.maximum(b * b - a * c, 0)) - b
    with np.errstate(over="ignore"):
        depth = np.divide(reach, a, out=np.full_like(a, np.inf), where=a > 0)
    depth = np.clip(depth, NEAREST, FARTHEST)
    return np.where(known.any(axis=1), depth, np.nan)
