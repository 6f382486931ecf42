"""Scores of single-person 2D pose estimation: one pass over the data, then numbers.

`predict_poses` streams a data set through a model and keeps only the joints, so that
memory does not grow with the pictures; `score_pckh` turns the result into a dictionary
that the scripts print and save and that callbacks log.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from deephar import measures
from deephar.data.base import SinglePersonDataset
from deephar.evaluation.stream import (
    Arrays,
    Gather,
    Readings,
    Steps,
    crop_steps,
    picture_steps,
    predict_in_pictures,
    run_steps,
    samples_first,
)
from deephar.utils.modes import VALID_MODE
from deephar.utils.pose import INVALID, is_valid

_KEYS = ("pose", "afmat", "headsize", "keypoints")
_BLOCKS_FIRST = ("poses", "confidence")


@dataclasses.dataclass(frozen=True)
class PosePredictions(Readings):
    """Predicted and true joints of a data set, in pixels of the original pictures.

    Attributes:
        poses: `(blocks, samples, joints, 2)`, (x, y) px; NaN where the picture could
            not be read.
        confidence: `(blocks, samples, joints)`.
        truth: `(samples, joints, 2)`, every annotated joint; INVALID elsewhere.
        truth_inside: `truth` without the joints that lie outside the crop, which is
            what the original evaluates.
        head_size: `(samples, 1)` px.
        readable: `(samples,)` bool, whether the picture could be read.
        errors: message by path of every picture that could not be read.
    """

    poses: np.ndarray
    confidence: np.ndarray
    truth: np.ndarray
    truth_inside: np.ndarray
    head_size: np.ndarray
    readable: np.ndarray
    errors: dict[str, str]


def predict_poses(
    predict: Callable[[np.ndarray], np.ndarray],
    dataset,
    mode: int = VALID_MODE,
    batch_size: int = 8,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    *,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> PosePredictions:
    """Streams every sample of a data set through a 2D pose model, a crop each.

    Several workers can share the samples, see `evaluation.stream`.

    Args:
        predict: from crops `(batch, h, w, 3)` to `(blocks, batch, joints, 3)` in the
            crop's coordinates, such as `inference.PosePredictor.predict_crops`.
        dataset: a single-person data set (`get_data`, `get_shape`, `get_length`).
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        batch_size: crops a step.
        workers, progress, share, gather: as of `stream.run_steps`.

    Returns:
        The joints in pixels. An unreadable picture is kept, with NaN for a pose;
        `errors` has the messages of this worker's part.

    Raises:
        ValueError: if the data set has no samples in this mode, `share` is not a
            worker's number, `gather` is missing, or its result is not the whole.
    """

    def record(frames, values):
        return _record(predict_in_pictures(predict, frames, values["afmat"]), values)

    steps = crop_steps(dataset, _KEYS, mode, batch_size, record)
    return _predictions(steps, workers, progress, share=share, gather=gather)


def locate_poses(
    locate: Callable,
    dataset: SinglePersonDataset,
    mode: int = VALID_MODE,
    batch_size: int = 8,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    *,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> PosePredictions:
    """As `predict_poses`, but hands over whole pictures and the people's windows.

    For predictors that choose their own crops (several a person, or a window refined
    by the pose). Every picture is decoded once for each person in it.

    Args:
        locate: from decoded RGB pictures and windows (center, size) px, both a list of
            one for each person, to an object with `joints` `(blocks, people, joints,
            3)`, x and y in px, such as `inference.PosePredictor.locate`.
        dataset: a `SinglePersonDataset`.
        mode, workers, progress, share, gather: as of `predict_poses`.
        batch_size: people a step.

    Returns:
        As `predict_poses`; `truth_inside` refers to the data set's own windows.

    Raises:
        ValueError: as `predict_poses`.
    """

    def record(people, values):
        return _record(locate(*people).joints, values)

    steps = picture_steps(dataset, _KEYS, mode, batch_size, record)
    return _predictions(steps, workers, progress, share=share, gather=gather)


def _predictions(steps: Steps, *options, **sharing) -> PosePredictions:
    arrays, errors = run_steps(steps, *options, **sharing)
    for name in _BLOCKS_FIRST:
        arrays[name] = np.moveaxis(arrays[name], 1, 0)
    return PosePredictions(**arrays, errors=errors)


def _record(found: np.ndarray, values: Arrays) -> Arrays:
    """What is kept of a step: small arrays of their own, samples first."""
    readable = values["readable"][:, 0] > 0.5
    truth = values["keypoints"].astype(np.float64)
    outside = ~is_valid(values["pose"][..., :2])
    return {
        "poses": samples_first(found[..., :2], readable),
        "confidence": np.moveaxis(found[..., 2], 0, 1).copy(),
        "truth": truth,
        "truth_inside": np.where(outside, INVALID, truth),
        "head_size": values["headsize"].astype(np.float64),
        "readable": readable,
    }


def score_pckh(
    predictions: PosePredictions, poselayout, threshold: float = 0.5
) -> dict:
    """PCKh of every block; per joint, AUC and mean error of the last.

    Strict: every annotated joint counts, and a picture that could not be read counts as
    wrong. `pckh_original` is the figure as the original code counts, without the joints
    that lie outside the crop, of the last block; `pckh_best_block` that of the best
    block, which the original's training reports.

    Args:
        predictions: what `predict_poses` returns.
        poselayout: a 16-joint layout, whose first two joints, pelvis and thorax, count
            per joint but not in the totals, as in MPII's own evaluation.
        threshold: share of the head size.

    Returns:
        `{"pckh", "pckh_original", "pckh_best_block", "best_block", "auc",
        "mean_distance_px", "threshold", "samples", "unreadable", "blocks",
        "blocks_original", "per_joint"}`; scores in [0, 1], blocks counted from 1.
    """
    head = predictions.head_size

    def total(truth: np.ndarray, block: np.ndarray) -> float:
        score = measures.pckh(truth, block, head, refp=threshold)
        return float(score)

    last = predictions.poses[-1]
    readable = predictions.readable
    joints = measures.pckh_per_joint(
        predictions.truth, last, head, poselayout, refp=threshold, verbose=0
    )
    strict = [total(predictions.truth, block) for block in predictions.poses]
    original = [total(predictions.truth_inside, block) for block in predictions.poses]
    return {
        "pckh": strict[-1],
        "pckh_original": original[-1],
        "pckh_best_block": max(original),
        "best_block": 1 + int(np.argmax(original)),
        "auc": float(measures.auc(predictions.truth, last, head)),
        "mean_distance_px": float(
            measures.mean_distance_error(predictions.truth[readable], last[readable])
        ),
        "threshold": threshold,
        "samples": len(head),
        "unreadable": predictions.num_unreadable,
        "blocks": strict,
        "blocks_original": original,
        "per_joint": {
            name: float(value)
            for name, value in zip(poselayout.joint_names, joints, strict=True)
        },
    }
