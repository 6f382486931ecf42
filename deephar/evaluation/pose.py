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
from PIL import Image

from deephar import measures
from deephar.data.base import SinglePersonDataset
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
    samples = _length(dataset, mode)
    loader = BatchLoader(
        dataset,
        ["frame"],
        list(_KEYS),
        mode,
        batch_size=min(batch_size, samples),
        shuffle=False,
        on_error="mark",
    )
    size = loader.get_batch_size()

    def read(index):
        (frames,), values = loader.get_batch(0, index)
        count = min(size, samples - index * size)
        return frames, {k: v[:count] for k, v in zip(_KEYS, values, strict=True)}

    def find(frames, values):
        matrices = values["afmat"].astype(np.float64)
        crops = predict(frames)[:, : len(matrices)].astype(np.float64)
        places = [transform_pose_sequence(matrices, block[..., :2]) for block in crops]
        return np.concatenate([np.stack(places), crops[..., 2:]], axis=-1)

    steps = _Steps(read, find, len(loader), samples, loader.take_errors)
    return _predict(steps, workers, progress, share, gather)


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
    samples = _length(dataset, mode)
    size = min(batch_size, samples)
    errors = {}

    def read(index):
        keys = range(index * size, min((index + 1) * size, samples))
        people = [_read_person(dataset, key, mode, errors) for key in keys]
        pictures, windows, labels = zip(*people, strict=True)
        values = {key: np.stack([one[key] for one in labels]) for key in _KEYS}
        return (pictures, windows), values

    def find(people, _):
        return locate(*people).joints

    steps = _Steps(read, find, -(-samples // size), samples, lambda: errors)
    return _predict(steps, workers, progress, share, gather)


def _length(dataset, mode: int) -> int:
    samples = dataset.get_length(mode)
    if samples == 0:
        raise ValueError(
            f"{dataset.dataset_path}: no samples to evaluate in the part "
            f"{mode_name(mode)!r}"
        )
    return samples


def _read_person(dataset, key: int, mode: int, errors: dict[str, str]) -> tuple:
    """Picture, window (center, size) and labels; a black picture if unreadable."""
    try:
        picture, person, labels = dataset.get_picture(key, mode)
    except OSError as error:
        path = getattr(error, "path", None) or error.filename
        errors[str(path)] = str(error)
        labels = dataset.get_blank_data(key, mode)
        x1, y1, x2, y2 = labels["bbox"].tolist()
        window = ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)
        blank = Image.new("RGB", (1, 1))
        return blank, window, {**labels, "readable": np.zeros(1, np.float32)}
    readable = {**labels, "readable": np.ones(1, np.float32)}
    return picture, (person.center, person.window), readable


@dataclasses.dataclass(frozen=True)
class _Steps:
    """A pass over a data set.

    Attributes:
        read: from the number of a step to the model's input and the samples' labels
            `_KEYS`, samples first; called in threads.
        find: from both to `(blocks, samples, joints, 3)`, px and confidence.
        count: steps in all.
        samples: samples in all.
        take_errors: message by path of the pictures that could not be read.
    """

    read: Callable[[int], tuple]
    find: Callable[..., np.ndarray]
    count: int
    samples: int
    take_errors: Callable[[], dict[str, str]]


def _predict(
    steps: _Steps, workers: int, progress, share: Sequence[int], gather: Gather | None
) -> PosePredictions:
    """Goes through this worker's steps and joins the workers' results."""
    if gather is None and share[1] > 1:
        raise ValueError(f"`share` needs `gather`. Received: {share=}, gather=None")
    mine = share_of(steps.count, share)
    parts, done = [], 0
    # A worker without samples learns the shapes from the first step.
    for inputs, values in _read_ahead(steps.read, mine or range(1), workers):
        parts.append(_record(steps.find(inputs, values), values))
        done += len(values["readable"])
        if progress is not None and mine:
            progress(done)
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in _ARRAYS}
    errors = steps.take_errors() if mine else {}
    if not mine:
        arrays = {name: array[:0] for name, array in arrays.items()}
    if errors:
        first = "; ".join(list(errors.values())[:5])
        logger.warning("%d pictures count as wrong: %s", len(errors), first)
    return _whole(arrays, steps.samples, gather, errors)


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


def _read_ahead(read: Callable, steps: range, workers: int) -> Iterator[tuple]:
    """What `read` returns for each step, in order, some read ahead by threads."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        ahead = collections.deque()
        for step in steps:
            ahead.append(pool.submit(read, step))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        for waiting in ahead:
            yield waiting.result()


def _record(found: np.ndarray, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is kept of a step: small arrays of their own, samples first."""
    readable = values["readable"][:, 0] > 0.5
    joints = np.moveaxis(found, 0, 1)
    poses = np.where(readable[:, None, None, None], joints[..., :2], np.nan)
    truth = values["keypoints"].astype(np.float64)
    outside = ~is_valid(values["pose"][..., :2])
    return {
        "poses": poses,
        "confidence": joints[..., 2].copy(),
        "truth": truth,
        "truth_inside": np.where(outside, INVALID, truth),
        "head_size": values["headsize"].astype(np.float64),
        "readable": readable,
    }


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
    whole = {name: np.asarray(arrays[name]) for name in _ARRAYS}
    for name in _BLOCKS_FIRST:
        whole[name] = np.moveaxis(whole[name], 1, 0)
    return PosePredictions(**whole, errors=errors)


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
