"""Scores of own data's people: by the box, by the head, and by their labels' spread."""

import numpy as np

from deephar import measures
from deephar.data.custom import CustomPeople
from deephar.evaluation.keypoints import score_pck
from deephar.evaluation.pose import PosePredictions

_HEADS = 0.5
"""Largest distance that is right, in head sizes."""
_OKS = (0.5, 0.75)


def score_custom(found: PosePredictions, people: CustomPeople) -> dict:
    """Scores poses by all that the data know.

    Strict, as `score_pck` is: every labelled joint counts, and a picture that could not
    be read counts as wrong.

    Args:
        found: what `predict_poses` or `locate_poses` returned, in the data's layout.
        people: the people.

    Returns:
        What `score_pck` does, PCK at 0.2 of the box's longer side. Where head sizes are
        known, "by_head": `{"pckh", "threshold", "people", "per_joint"}`, PCKh over all
        joints of the people who have one. Where the layout has sigmas, "by_sigmas":
        `{"oks", "oks50", "oks75"}`: the mean over the people, and the share of those
        above 0.5 and 0.75; the area is that of the box.
    """
    layout = people.poselayout
    scores = score_pck(found, people.box_sides(), layout)
    distance, valid = measures.joint_distances(found.truth, found.poses[-1])
    heads = np.reshape(found.head_size, -1)
    if (known := np.isfinite(heads)).any():
        right = distance[known] <= _HEADS * heads[known, None]
        scores["by_head"] = {
            "pckh": _share(right, valid[known]),
            "threshold": _HEADS,
            "people": int(known.sum()),
            "per_joint": {
                name: _share(right[:, joint], valid[known, joint])
                for joint, name in enumerate(layout.joint_names)
            },
        }
    sigmas = getattr(layout, "sigmas", None)
    if sigmas is not None:
        areas = [one.box[2] * one.box[3] for one in people.people]
        oks = _oks(distance, valid, np.array(areas), np.array(sigmas))
        scores["by_sigmas"] = {"oks": _mean(oks)}
        for least in _OKS:
            scores["by_sigmas"][f"oks{100 * least:.0f}"] = _mean(oks >= least)
    return scores


def _oks(distance, valid, areas, sigmas) -> np.ndarray:
    """Object key point similarity of people with a labelled joint, as COCO's."""
    spread = 2 * areas[:, None] * (2 * sigmas) ** 2
    near = np.nan_to_num(np.exp(-(distance**2) / spread)) * valid
    count = valid.sum(axis=1)
    return near.sum(axis=1)[count > 0] / count[count > 0]


def _share(right: np.ndarray, valid: np.ndarray) -> float:
    return float(right[valid].mean()) if valid.any() else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
