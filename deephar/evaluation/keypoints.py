"""PCK of people with boxes, such as COCO's and MERL's, who have no head box."""

from typing import Any

import numpy as np

from deephar import measures
from deephar.evaluation.pose import PosePredictions


def score_pck(
    found: PosePredictions, sides: np.ndarray, poselayout: Any, threshold: float = 0.2
) -> dict:
    """PCK of every block; per joint, and the mean error, of the last.

    Strict: every labelled joint counts, also outside the crop, and a picture that could
    not be read counts as wrong. Joints that are made of others (pelvis, thorax, neck)
    count as labelled ones.

    Args:
        found: what `predict_poses` or `locate_poses` returns.
        sides: `(samples,)`, the longer side of every person's box, px, such as
            `BoxedPeople.box_sides` returns.
        poselayout: the layout of the poses.
        threshold: largest distance that is right, as a share of the side.

    Returns:
        `{"pck", "threshold", "blocks", "per_joint", "samples", "unreadable",
        "mean_distance_px"}`; scores in [0, 1], NaN where no joint is labelled.

    Raises:
        ValueError: if `sides` are not positive numbers, one a sample, the layout has
            other joints, or `threshold` is not above 0.
    """
    sides = _check(found, sides, poselayout, threshold)
    last = found.poses[-1]
    measured = [measures.joint_distances(found.truth, block) for block in found.poses]
    rights = [distance <= threshold * sides[:, None] for distance, _ in measured]
    valid = measured[-1][1]
    blocks = [_share(right, valid) for right in rights]
    names = poselayout.joint_names
    readable = found.readable
    return {
        "pck": blocks[-1],
        "threshold": threshold,
        "blocks": blocks,
        "per_joint": {
            name: _share(rights[-1][:, joint], valid[:, joint])
            for joint, name in enumerate(names)
        },
        "samples": len(sides),
        "unreadable": found.num_unreadable,
        "mean_distance_px": measures.mean_distance_error(
            found.truth[readable], last[readable]
        ),
    }


def _share(right: np.ndarray, valid: np.ndarray) -> float:
    return float(right[valid].mean()) if valid.any() else float("nan")


def _check(found, sides, poselayout, threshold) -> np.ndarray:
    """Checks the arguments of `score_pck`; returns the sides."""
    samples, joints = found.truth.shape[:2]
    sides = np.asarray(sides, dtype=np.float64)
    if sides.shape != (samples,):
        raise ValueError(
            f"`sides` must have the shape ({samples},). "
            f"Received: sides.shape={sides.shape}"
        )
    wrong = ~(np.isfinite(sides) & (sides > 0))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(
            f"`sides` must be above 0. Received: sides[{place}]={sides[place]}"
        )
    if joints != poselayout.num_joints:
        raise ValueError(
            f"`poselayout` must have the {joints} joints of the poses. "
            f"Received: poselayout={poselayout.__name__}"
        )
    if not threshold > 0:
        raise ValueError(f"`threshold` must be above 0. Received: {threshold}")
    return sides
