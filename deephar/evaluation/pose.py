"""Scores of single-person 2D pose estimation: one pass over the data, then numbers.

`predict_poses` streams a data set through a model and keeps only the joints, so that
memory does not grow with the pictures; `score_pckh` turns the result into a dictionary
that the scripts print and save and that callbacks log.
"""

import collections
import concurrent.futures
import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from deephar import measures
from deephar.data.loader import BatchLoader
from deephar.utils.modes import VALID_MODE, mode_name
from deephar.utils.pose import INVALID, is_valid
from deephar.utils.transform import transform_pose_sequence

logger = logging.getLogger(__name__)

_KEYS = ("pose", "afmat", "headsize", "keypoints", "readable")
_ARRAYS = ("poses", "confidence", "truth", "truth_inside", "head_size", "readable")
_BLOCKS_FIRST = ("poses", "confidence")

Gather = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
"""From one worker's arrays, samples first, to those of all workers joined in order."""


@dataclasses.dataclass(frozen=True)
class PosePredictions:
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

    @property
    def num_unreadable(self) -> int:
        """Number of samples whose picture could not be read."""
        return int((~self.readable).sum())


def _loader(dataset, mode: int, batch_size: int) -> BatchLoader:
    samples = dataset.get_length(mode)
    if samples == 0:
        raise ValueError(
            f"{dataset.dataset_path}: no samples to evaluate in the part "
            f"{mode_name(mode)!r}"
        )
    return BatchLoader(
        dataset,
        ["frame"],
        list(_KEYS),
        mode,
        batch_size=min(batch_size, samples),
        shuffle=False,
        on_error="mark",
    )


def _batches(loader: BatchLoader, indices: range, workers: int) -> Iterator[tuple]:
    """Batches of the loader in order, a few of them read ahead by threads."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        ahead = collections.deque()
        for index in indices:
            ahead.append(pool.submit(loader.get_batch, 0, index))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        for waiting in ahead:
            yield waiting.result()


def share_of(total: int, share: Sequence[int]) -> range:
    """Returns the contiguous part of 0 ... total - 1 that one of several workers does.

    Args:
        total: number of things.
        share: (index, count): this worker, from 0, and the number of workers.

    Raises:
        ValueError: if the index is not one of the workers'.
    """
    index, count = share
    if not 0 <= index < count:
        raise ValueError(
            "`share` must be (index, count) with 0 <= index < count. "
            f"Received: share={tuple(share)}"
        )
    return range(index * total // count, (index + 1) * total // count)


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
    """Streams every sample of a data set through a 2D pose model.

    Several workers can share the samples: each predicts a contiguous part of the
    batches that one process would make, and `gather` gives every worker the whole. The
    result is then that of one process, number for number.

    Args:
        predict: from crops `(batch, h, w, 3)` to `(blocks, batch, joints, 3)` in the
            crop's coordinates, such as `inference.PosePredictor.predict_crops`.
        dataset: a single-person data set (`get_data`, `get_shape`, `get_length`).
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        batch_size: crops a step.
        workers: threads that read pictures ahead.
        progress: called with the number of this worker's samples done, after every
            step.
        share: (index, count): which of how many workers this is. A worker may be left
            without samples where there are more workers than batches.
        gather: from a dictionary of this worker's arrays, whose first axis is samples,
            to those of all workers joined in their order; needed for more than one.

    Returns:
        The joints in pixels. An unreadable picture is kept, with NaN for a pose;
        `errors` has the messages of this worker's part.

    Raises:
        ValueError: if the data set has no samples in this mode, `share` is not a
            worker's number, `gather` is missing, or its result is not the whole.
    """
    loader = _loader(dataset, mode, batch_size)
    samples, size = dataset.get_length(mode), loader.get_batch_size()
    indices = share_of(len(loader), share)
    if gather is None and share[1] > 1:
        raise ValueError(f"`share` needs `gather`. Received: {share=}, gather=None")
    parts, done = [], 0
    batches = _batches(loader, indices, workers)
    for index, ((frames,), values) in zip(indices, batches, strict=True):
        count = min(size, samples - index * size)
        named = {k: v[:count] for k, v in zip(_KEYS, values, strict=True)}
        parts.append(_in_pixels(predict(frames)[:, :count], named))
        done += count
        if progress is not None:
            progress(done)
    if not parts:
        parts.append(_nobody(predict, loader))
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in _ARRAYS}
    return _whole(arrays, samples, gather, loader.take_errors())


def _nobody(predict, loader: BatchLoader) -> dict[str, np.ndarray]:
    """The arrays of no samples at all, in the shapes that the others' have."""
    shapes = {key: loader.get_shape(key) for key in ("frame", *_KEYS)}
    black = np.full((1, *shapes.pop("frame")[1:]), -1.0, np.float32)
    none = {key: np.zeros((0, *shape[1:])) for key, shape in shapes.items()}
    return _in_pixels(predict(black)[:, :0], none)


def _whole(
    arrays: dict[str, np.ndarray],
    samples: int,
    gather: Gather | None,
    errors: dict[str, str],
) -> PosePredictions:
    """Joins the workers' arrays, samples first, to the predictions of the data set."""
    if gather is not None:
        arrays = gather(arrays)
    lengths = {name: len(arrays[name]) for name in _ARRAYS}
    if set(lengths.values()) != {samples}:
        raise ValueError(
            f"`gather` must return the arrays of all {samples} samples. "
            f"Received: {lengths}"
        )
    if errors:
        first = "; ".join(list(errors.values())[:5])
        logger.warning("%d pictures count as wrong: %s", len(errors), first)
    whole = {name: np.asarray(arrays[name]) for name in _ARRAYS}
    for name in _BLOCKS_FIRST:
        whole[name] = np.moveaxis(whole[name], 1, 0)
    return PosePredictions(**whole, errors=errors)


def _in_pixels(
    crops: np.ndarray, values: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Moves one batch from the crop's coordinates to the picture's, samples first."""
    matrices = values["afmat"].astype(np.float64)
    poses = [
        transform_pose_sequence(matrices, block[..., :2].astype(np.float64))
        for block in crops
    ]
    poses = np.stack(poses, axis=1)
    readable = values["readable"][:, 0] > 0.5
    poses[~readable] = np.nan
    truth = values["keypoints"].astype(np.float64)
    outside = ~is_valid(values["pose"][..., :2])
    return {
        "poses": poses,
        "confidence": np.moveaxis(crops[..., 2], 0, 1).astype(np.float64),
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
    that lie outside the crop.

    Args:
        predictions: what `predict_poses` returns.
        poselayout: a 16-joint layout, whose first two joints, pelvis and thorax, count
            per joint but not in the totals, as in MPII's own evaluation.
        threshold: share of the head size.

    Returns:
        `{"pckh", "pckh_original", "auc", "mean_distance_px", "threshold", "samples",
        "unreadable", "blocks", "blocks_original", "per_joint"}`; scores in [0, 1].
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
