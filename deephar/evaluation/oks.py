"""COCO's own score of key points, average precision by object key point similarity.

The figures are those of pycocotools, which this calls.
"""

import copy
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval, Params

from deephar.data.boxed import are_finite
from deephar.data.coco import COCOSinglePerson, prints_to_log
from deephar.data.records import check_keys
from deephar.evaluation.pose import PosePredictions
from deephar.utils.messages import shown
from deephar.utils.pose import coco17j

logger = logging.getLogger(__name__)

_STATS = (
    *("ap", "ap50", "ap75", "ap_medium", "ap_large"),
    *("ar", "ar50", "ar75", "ar_medium", "ar_large"),
)
"""What pycocotools summarizes, in its order."""
_RESULT = ("image_id", "category_id", "keypoints", "score")
_NUMBERS = 3 * coco17j.num_joints


def keypoint_results(
    found: PosePredictions, dataset: COCOSinglePerson
) -> list[dict[str, Any]]:
    """Brings predicted poses into the form of COCO's results.

    Args:
        found: what `predict_poses` or `locate_poses` returns for `dataset`.
        dataset: the people.

    Returns:
        A dictionary for each person of whom a pose was found: image_id, category_id,
        keypoints (51 numbers: x, y, px, and 1 for every key point of the last block, 0,
        0, 0 for those that the layout has not), and score, the mean confidence of these
        key points. People whose picture could not be read, or of whom the network's
        answer is not finite, have none, which counts as missed; the log says how many.

    Raises:
        ValueError: if `found` is not of this data set.
    """
    annotations, rows = dataset.annotations, _rows(dataset.poselayout)
    poses, confidence = found.poses[-1], found.confidence[-1]
    expected = (len(annotations), dataset.poselayout.num_joints, 2)
    if poses.shape != expected:
        raise ValueError(
            f"`found` must hold poses {expected} of `dataset`. "
            f"Received: poses.shape={poses.shape}"
        )
    names = dataset.poselayout.joint_names
    joints = [names.index(coco17j.joint_names[row]) for row in rows]
    results = []
    for annotation, pose, sure in zip(annotations, poses, confidence, strict=True):
        points = np.zeros((coco17j.num_joints, 3))
        points[rows] = np.column_stack([pose[joints], np.ones(len(rows))])
        score = float(np.mean(sure[joints]))
        if not (np.isfinite(points).all() and np.isfinite(score)):
            continue
        results.append(
            {
                "image_id": annotation["image_id"],
                "category_id": annotation["category_id"],
                "keypoints": points.ravel().tolist(),
                "score": score,
            }
        )
    if len(results) < len(annotations):
        logger.warning(
            "no pose of %d of %d people, counted as missed",
            *(len(annotations) - len(results), len(annotations)),
        )
    return results


def score_oks(
    dataset: COCOSinglePerson, results: Sequence[dict[str, Any]]
) -> dict[str, float]:
    """Scores results against all annotations of the data set's file by pycocotools.

    A layout of 16 joints is scored over the twelve key points that it has: truth,
    number of key points and tolerances of these; such figures are not COCO's.

    Args:
        dataset: the people, in the layout of the results.
        results: what `keypoint_results` returns, or a results file of COCO as it is
            read.

    Returns:
        `{"ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar50", "ar75",
        "ar_medium", "ar_large", "keypoints", "people", "results"}`: scores in [0, 1],
        NaN where nobody is of that size; the number of key points that count, of
        people who have one, and of results.

    Raises:
        ValueError: if a result is not of COCO's form, or of a picture or category of
            another file.
    """
    rows = _rows(dataset.poselayout)
    for number, result in enumerate(results):
        _check_result(dataset.coco, number, result)
    truth = _truth(dataset.coco, rows)
    with prints_to_log(logger):
        evaluation = COCOeval(truth, _found(truth, results, rows), "keypoints")
        evaluation.params.kpt_oks_sigmas = Params("keypoints").kpt_oks_sigmas[rows]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    counted = [
        one["num_keypoints"] > 0 and not one["iscrowd"] for one in truth.anns.values()
    ]
    return {
        **{
            name: float(value) if value >= 0 else float("nan")
            for name, value in zip(_STATS, evaluation.stats, strict=True)
        },
        "keypoints": len(rows),
        "people": sum(counted),
        "results": len(results),
    }


def _rows(poselayout) -> list[int]:
    """The rows of COCO's key points that a layout has."""
    names = set(poselayout.joint_names)
    return [row for row, name in enumerate(coco17j.joint_names) if name in names]


def _pick(keypoints: Sequence[float], rows: list[int]) -> list[float]:
    return np.reshape(keypoints, (-1, 3))[rows].ravel().tolist()


def _truth(coco: COCO, rows: list[int]) -> COCO:
    """A copy of the annotations with some of the key points.

    Numbered from 1: pycocotools writes into them, and takes the id 0 for no match.
    """
    annotations = []
    for number, one in enumerate(coco.dataset["annotations"], start=1):
        entry = {key: value for key, value in one.items() if key != "segmentation"}
        entry["keypoints"] = _pick(one["keypoints"], rows)
        flags = np.array(entry["keypoints"][2::3])
        count = int(np.count_nonzero(flags > 0)) if one["num_keypoints"] else 0
        annotations.append({**entry, "id": number, "num_keypoints": count})
    return _indexed(coco, annotations)


def _found(truth: COCO, results: Sequence[dict], rows: list[int]) -> COCO:
    """The results with some of the key points, as pycocotools has them."""
    if not results:
        return _indexed(truth, [])
    picked = [
        {key: copy.copy(result[key]) for key in _RESULT}
        | {"keypoints": _pick(result["keypoints"], rows)}
        for result in results
    ]
    return truth.loadRes(picked)


def _indexed(coco: COCO, annotations: list[dict]) -> COCO:
    other = COCO()
    other.dataset = {**coco.dataset, "annotations": annotations}
    with prints_to_log(logger):
        other.createIndex()
    return other


def _check_result(coco: COCO, number: int, result: Any) -> None:
    check_keys(f"result {number}", result, _RESULT)
    for key, known in (("image_id", coco.imgs), ("category_id", coco.cats)):
        if (
            not isinstance(result[key], int | str | np.integer)
            or result[key] not in known
        ):
            what = "picture" if key == "image_id" else "category"
            raise ValueError(
                f"result {number} must be of a {what} of the annotations. "
                f"Received: {key}={shown(result[key])}"
            )
    score, keypoints = result["score"], result["keypoints"]
    if not are_finite(keypoints, _NUMBERS) or not are_finite([score], 1):
        raise ValueError(
            f"result {number} must have {_NUMBERS} finite numbers `keypoints` and a "
            f"finite `score`. Received: keypoints={shown(keypoints)}, "
            f"score={shown(score)}"
        )
