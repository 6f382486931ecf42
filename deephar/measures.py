"""Scores of predicted poses, in NumPy.

Everywhere: poses are (samples, joints, dim); a joint counts where the truth is valid
(`deephar.utils.pose.is_valid` in every coordinate), whatever the prediction; a NaN or
infinite prediction is wrong; without one joint that counts the score is NaN. Shares are
in [0, 1], not percent.

Source: dluvizon/deephar's measures.py; PCKh, Andriluka et al., "2D Human Pose
Estimation: New Benchmark and State of the Art Analysis", CVPR 2014; P-MPJPE, N-MPJPE
and MPJVE, Pavllo et al., "3D human pose estimation in video with temporal convolutions
and semi-supervised training", CVPR 2019. MPJPE is `mean_distance_error` of poses whose
roots lie at the origin.
"""

import logging
from collections.abc import Sequence

import numpy as np

from deephar.utils.pose import is_valid

_logger = logging.getLogger(__name__)

# MPII's own evaluation leaves out pelvis and thorax, joints 0 and 1 of pa16j.
_PCKH_JOINTS = slice(2, 16)
# Human3.6M poses without their root.
_PCK3D_JOINTS = slice(1, 17)
_AUC_THRESHOLDS = np.linspace(0.0, 0.5, 51)


def mean_distance_error(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Returns the mean distance between true and predicted joints.

    Args:
        y_true: Array (samples, joints, dim).
        y_pred: Array of the same shape and unit.

    Returns:
        Mean over all valid joints, in the unit of the poses; infinite if one of them
        has a NaN or infinite prediction.
    """
    distance, valid = joint_distances(y_true, y_pred)
    return _mean(distance, valid)


def joint_distances(
    y_true: np.ndarray, y_pred: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distance of every joint and whether it counts.

    Args:
        y_true: Array (samples, joints, dim).
        y_pred: Array of the same shape and unit.

    Returns:
        Distances (samples, joints), infinite for a prediction that is not finite, and
        booleans (samples, joints): where the truth is valid.
    """
    y_true, y_pred = _poses(y_true, y_pred)
    valid = is_valid(y_true).all(axis=-1)
    usable = valid & np.isfinite(y_pred).all(axis=-1)
    difference = np.where(usable[..., None], y_true - y_pred, np.inf)
    return np.sqrt(np.square(difference).sum(axis=-1)), valid


def group_means(
    values: np.ndarray, weights: np.ndarray, groups: np.ndarray
) -> dict[int, float]:
    """Returns the weighted mean of each group of samples, such as those of an action.

    Args:
        values: Array (samples,), such as a pose's mean error.
        weights: Array (samples,), such as the number of its joints that count.
        groups: Integers (samples,): the group of every sample.

    Returns:
        {group: mean}, in the order of the groups; NaN for one whose weights are all 0.
    """
    values, weights, groups = map(np.asarray, (values, weights, groups))
    chosen = {int(group): groups == group for group in np.unique(groups)}
    return {group: weighted_mean(values[c], weights[c]) for group, c in chosen.items()}


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Returns the mean of values by weights, both (n,); a weight of 0 takes no part."""
    counted = weights > 0
    if not counted.any():
        return float("nan")
    return float(np.average(values[counted], weights=weights[counted]))


def p_mpjpe(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Returns P-MPJPE: the mean distance after `procrustes`, protocol 2 of Human3.6M.

    Args and result: as `mean_distance_error`.
    """
    return mean_distance_error(y_true, procrustes(y_true, y_pred))


def procrustes(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Moves, turns (never mirrors) and scales each pose to lie closest to the truth.

    Args:
        y_true: Array (samples, joints, 3); only valid joints decide.
        y_pred: Array of the same shape.

    Returns:
        float64 array of that shape. A pose whose joints all coincide comes to the mean
        of the true joints; one that is not finite in a valid joint becomes NaN.
    """
    y_true, y_pred = _poses(y_true, y_pred)
    valid = is_valid(y_true).all(axis=-1, keepdims=True)
    known = np.isfinite(y_pred)
    finite = (known | ~valid).all(axis=(1, 2), keepdims=True)
    found = np.where(known, y_pred, 0)
    count = np.maximum(valid.sum(axis=1, keepdims=True), 1)
    middle, center = (
        np.where(valid, y, 0).sum(axis=1, keepdims=True) / count
        for y in (y_true, found)
    )
    truth, centered = (
        np.where(valid, y - z, 0) for y, z in ((y_true, middle), (found, center))
    )
    u, singular, vt = np.linalg.svd(np.swapaxes(centered, 1, 2) @ truth)
    sign = np.ones_like(singular)
    sign[:, -1] = np.sign(np.linalg.det(u @ vt))
    spread = np.square(centered).sum(axis=(1, 2), keepdims=True)
    gain = (singular * sign).sum(axis=1)[:, None, None]
    scale = np.divide(gain, spread, out=np.zeros_like(gain), where=spread > 0)
    aligned = scale * (found - center) @ (u * sign[:, None]) @ vt + middle
    return np.where(known & finite, aligned, np.nan)


def n_mpjpe(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Returns N-MPJPE: the mean distance after `rescale`.

    Args and result: as `mean_distance_error`.
    """
    return mean_distance_error(y_true, rescale(y_true, y_pred))


def rescale(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Scales each pose about the origin, where the roots must lie, to fit the truth.

    Args:
        y_true: Array (samples, joints, dim); only valid joints decide.
        y_pred: Array of the same shape.

    Returns:
        float64 array of that shape: the scale is that of least squares.
    """
    y_true, y_pred = _poses(y_true, y_pred)
    valid = is_valid(y_true).all(axis=-1, keepdims=True)
    known = np.isfinite(y_pred)
    found = np.where(known, y_pred, 0)
    truth, counted = (np.where(valid, y, 0) for y in (y_true, found))
    gain, spread = ((y * counted).sum(axis=(1, 2)) for y in (truth, counted))
    scale = np.divide(gain, spread, out=np.zeros_like(gain), where=spread != 0)
    return np.where(known, scale[:, None, None] * found, np.nan)


def mpjve(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Returns MPJVE: the mean distance between true and predicted joint velocities.

    Args:
        y_true: Array (frames, joints, dim), the frames of one sequence in order.
        y_pred: Array of the same shape and unit.

    Returns:
        Mean over the joints that are valid in a frame and the next, in the unit of the
        poses per frame; infinite if one of them has a NaN or infinite prediction.
    """
    y_true, y_pred = _poses(y_true, y_pred)
    valid = is_valid(y_true).all(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        velocity = np.where(valid[1:] & valid[:-1], np.diff(y_true, axis=0), np.nan)
        return mean_distance_error(velocity, np.diff(y_pred, axis=0))


def pckh(
    y_true: np.ndarray, y_pred: np.ndarray, head_size: np.ndarray, refp: float = 0.5
) -> float:
    """Returns PCKh: the share of joints nearer to the truth than a part of the head.

    Pelvis and thorax (joints 0 and 1) are left out, as MPII does.

    Args:
        y_true: Array (samples, 16 or more joints, 2), px; rows as in layout pa16j.
        y_pred: Array of the same shape.
        head_size: Array (samples, 1) or (samples,), px.
        refp: Largest distance that is right, in head sizes.
    """
    distance, valid = _head_distances(y_true, y_pred, head_size)
    distance, valid = _select("pckh", distance, valid, _PCKH_JOINTS)
    return _mean(distance <= refp, valid)


def pckh_per_joint(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    head_size: np.ndarray,
    pose_layout,
    refp: float = 0.5,
    verbose: int = 1,
) -> np.ndarray:
    """Returns PCKh of each joint.

    Args:
        y_true: Array (samples, joints, 2), px.
        y_pred: Array of the same shape.
        head_size: Array (samples, 1) or (samples,), px.
        pose_layout: Layout of `deephar.utils.pose`.
        refp: Largest distance that is right, in head sizes.
        verbose: Whether to log the table, in percent, at the level INFO.

    Returns:
        Array (joints,), in the order of the layout.
    """
    distance, valid = _head_distances(y_true, y_pred, head_size)
    if valid.shape[1] != pose_layout.num_joints:
        raise ValueError(
            f"`y_true` must have the {pose_layout.num_joints} joints of `pose_layout`. "
            f"Received: y_true.shape={np.shape(y_true)}"
        )
    right = (distance <= refp) & valid
    total = valid.sum(axis=0)
    score = np.where(total > 0, right.sum(axis=0) / np.maximum(total, 1), np.nan)
    if verbose:
        pairs = zip(pose_layout.joint_names, score, strict=True)
        table = ", ".join(f"{name} {100 * value:.2f}" for name, value in pairs)
        _logger.info("PCKh@%g per joint, percent: %s", refp, table)
    return score


def pckh_curve(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    head_size: np.ndarray,
    thresholds: Sequence[float] | None = None,
) -> np.ndarray:
    """Returns `pckh` at each of several thresholds.

    Args:
        y_true: Array (samples, 16 or more joints, 2), px; rows as in layout pa16j.
        y_pred: Array of the same shape.
        head_size: Array (samples, 1) or (samples,), px.
        thresholds: Largest distances, in head sizes; None for 0, 0.01 ... 0.5.

    Returns:
        Array (thresholds,).
    """
    thresholds = _AUC_THRESHOLDS if thresholds is None else np.asarray(thresholds)
    distance, valid = _head_distances(y_true, y_pred, head_size)
    distance, valid = _select("pckh_curve", distance, valid, _PCKH_JOINTS)
    return np.array([_mean(distance <= limit, valid) for limit in thresholds])


def auc(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    head_size: np.ndarray,
    thresholds: Sequence[float] | None = None,
) -> float:
    """Returns the area under the PCKh curve, scaled so that a perfect one has 1.

    It is the plain mean of PCKh at the 51 thresholds 0, 0.01 ... 0.5 of a head size
    (both ends count in full, there is no trapezoid rule); MPII prints 100 times it.

    Args: as `pckh_curve`, of whose result this is the mean.
    """
    return float(np.mean(pckh_curve(y_true, y_pred, head_size, thresholds)))


def pck3d(y_true: np.ndarray, y_pred: np.ndarray, refp: float = 150) -> float:
    """Returns PCK3D: the share of joints nearer to the truth than `refp`.

    The root (joint 0) is left out.

    Args:
        y_true: Array (samples, 17 or more joints, 3), mm; rows as in layout pa17j.
        y_pred: Array of the same shape.
        refp: Largest distance that is right, mm.
    """
    distance, valid = joint_distances(y_true, y_pred)
    distance, valid = _select("pck3d", distance, valid, _PCK3D_JOINTS)
    return _mean(distance <= refp, valid)


def pck_torso(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    refp: float = 0.2,
    torso_joints: tuple[int, int] = (5, 10),
) -> float:
    """Returns PCK: the share of joints nearer to the truth than a part of the torso.

    The original's function fails on every input; this is what its documentation says.
    A sample without a torso size (a joint of the two is invalid, or they coincide) does
    not count.

    Args:
        y_true: Array (samples, joints, 2), px.
        y_pred: Array of the same shape.
        refp: Largest distance that is right, in torso sizes.
        torso_joints: The two joints whose distance is the torso size; 5 and 10 are left
            shoulder and right hip of layouts pa16j and pa17j.
    """
    distance, valid = joint_distances(y_true, y_pred)
    first, second = torso_joints
    if not (0 <= first < valid.shape[1] and 0 <= second < valid.shape[1]):
        raise ValueError(
            f"`torso_joints` must be two of the {valid.shape[1]} joints. "
            f"Received: torso_joints={torso_joints}"
        )
    truth = np.asarray(y_true, dtype=np.float64)
    torso = np.linalg.norm(truth[:, first] - truth[:, second], axis=-1)
    measured = valid[:, first] & valid[:, second] & (torso > 0)
    ratio = distance / np.where(measured, torso, 1.0)[:, None]
    return _mean(ratio <= refp, valid & measured[:, None])


def _poses(y_true, y_pred):
    """Returns both as float64; ValueError if they differ in shape."""
    y_true = np.asarray(y_true, dtype=np.float64)
    y_pred = np.asarray(y_pred, dtype=np.float64)
    if y_true.ndim != 3 or y_true.shape != y_pred.shape:
        raise ValueError(
            f"`y_true` and `y_pred` must have one shape (samples, joints, dim). "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    return y_true, y_pred


def _head_distances(y_true, y_pred, head_size):
    """Returns distances in head sizes and which of them count."""
    distance, valid = joint_distances(y_true, y_pred)
    head = np.asarray(head_size, dtype=np.float64)
    if head.shape not in ((len(valid), 1), (len(valid),)):
        raise ValueError(
            f"`head_size` must have the shape ({len(valid)}, 1). "
            f"Received: head_size.shape={head.shape}"
        )
    head = head.reshape(-1, 1)
    if not (np.isfinite(head) & (head > 0)).all():
        raise ValueError(
            f"`head_size` must be above 0. Received: head_size[{_first_bad(head)}]="
            f"{head[_first_bad(head), 0]}"
        )
    return distance / head, valid


def _first_bad(head):
    return int(np.argmin(np.isfinite(head) & (head > 0)))


def _select(name, distance, valid, joints):
    if valid.shape[1] < joints.stop:
        raise ValueError(
            f"`{name}` needs at least {joints.stop} joints. "
            f"Received: {valid.shape[1]} joints"
        )
    return distance[:, joints], valid[:, joints]


def _mean(values, valid):
    """Returns the mean of the values that count, NaN if none does."""
    return float(values[valid].mean()) if valid.any() else float("nan")
