"""How alike two boxes or two poses are: IoU and OKS."""

from collections.abc import Sequence

import numpy as np

_SIGMAS = {
    **{"nose": 0.026, "eye": 0.025, "ear": 0.035, "shoul": 0.079, "elb": 0.072},
    **{"wrist": 0.062, "hip": 0.107, "knee": 0.087, "ankle": 0.089},
    **{"pelvis": 0.107, "spine": 0.107, "thorax": 0.079, "neck": 0.079},
    **{"head": 0.079, "hand": 0.062, "foot": 0.089},
}
_OTHER = 0.089
_LEAST_SIDE = 1 / 3
_FLESH = 0.5


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes.

    Args:
        first: `(n, 4)` x1, y1, x2, y2, px.
        second: `(m, 4)`.

    Returns:
        `(n, m)` in [0, 1]; 0 where both are empty.
    """
    common, first, second = _common(first, second)
    union = first + second - common
    return common / np.where(union > 0, union, 1.0)


def box_cover(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Part of boxes that lies in others.

    Args:
        first: `(n, 4)` x1, y1, x2, y2, px.
        second: `(m, 4)`.

    Returns:
        `(n, m)` in [0, 1], of the first one's area; 0 where that is empty.
    """
    common, first, _ = _common(first, second)
    return common / np.where(first > 0, first, 1.0)


def mutual_cover(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The larger part of two boxes that lies in the other one.

    Args:
        first: `(n, 4)` x1, y1, x2, y2, px.
        second: `(m, 4)`.

    Returns:
        `(n, m)` in [0, 1].
    """
    return np.maximum(box_cover(first, second), box_cover(second, first).T)


def joint_sigmas(names: Sequence[str]) -> np.ndarray:
    """How far from each other two people put a joint, in parts of a person's size.

    COCO's figures for its key points, of both sides alike; a joint of the trunk that
    COCO has not is taken like the hips or the shoulders, hands and feet like wrists and
    ankles.

    Args:
        names: of the joints, as in `Pose.joint_names`.

    Returns:
        `(joints,)`.
    """
    plain = (name.split("_")[-1] for name in names)
    return np.array([_SIGMAS.get(name, _OTHER) for name in plain])


def person_area(joints: np.ndarray) -> np.ndarray:
    """About how many px a person's body covers, by the box of the joints.

    Half of the box, whose shorter side counts as a third of the longer one at least: a
    person who stands upright is no line.

    Args:
        joints: `(..., joints, 2)` px.

    Returns:
        `(...)` px².
    """
    sides = joints.max(axis=-2) - joints.min(axis=-2)
    longer = sides.max(axis=-1)
    return _FLESH * longer * np.maximum(sides.min(axis=-1), _LEAST_SIDE * longer)


def pose_oks(
    first: np.ndarray,
    second: np.ndarray,
    sigmas: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Object key point similarity of poses.

    The mean over the joints of exp(-d² / (2 s² (2 sigma)²)), d px between the two, s²
    the larger of both people's areas (`person_area`).

    Args:
        first: `(n, joints, 2)` px.
        second: `(m, joints, 2)` px.
        sigmas: `(joints,)`, see `joint_sigmas`.
        weights: `(n, m, joints)` how much each joint counts, positive; None for all
            alike.

    Returns:
        `(n, m)` in [0, 1].

    Source: the evaluation of COCO's key points.
    """
    first, second = np.asarray(first)[:, None], np.asarray(second)[None]
    area = np.maximum(person_area(first), person_area(second))[..., None]
    distance = ((first - second) ** 2).sum(axis=-1)
    near = np.exp(-distance / (8 * np.maximum(area, 1.0) * sigmas**2))
    return np.average(near, axis=-1, weights=weights)


def _common(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, ...]:
    """Areas of the intersections (n, m), of the first (n, 1) and the second (1, m)."""
    first = np.asarray(first, dtype=np.float64).reshape(-1, 1, 4)
    second = np.asarray(second, dtype=np.float64).reshape(1, -1, 4)
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    return np.maximum(high - low, 0).prod(axis=-1), _area(first), _area(second)


def _area(boxes: np.ndarray) -> np.ndarray:
    return np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(axis=-1)
