"""Every sample of a data set through a predictor, once; workers can share the samples.

A pass is made of steps: `read` prepares one, in threads that run ahead, and `record`
says what is kept of it, small arrays with samples first. Several workers can share a
pass: each does a contiguous part of the steps that one process would make, and `gather`
gives every worker the whole. The result is then that of one process, number for number.
"""

import collections
import concurrent.futures
import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from deephar.data.loader import READABLE, BatchLoader
from deephar.utils.modes import mode_name
from deephar.utils.transform import transform_pose_sequence

logger = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray]
"""Arrays by name, samples first."""

Gather = Callable[[Arrays], Arrays]
"""From one worker's arrays to those of all workers joined in order."""


@dataclasses.dataclass(frozen=True)
class Steps:
    """A pass over a data set.

    Attributes:
        read: from the number of a step to what `record` takes; called in threads.
        record: from what `read` returns to the arrays that are kept, one of them
            "readable" `(samples,)`.
        count: steps in all.
        samples: samples in all.
        take_errors: message by path of the pictures that could not be read.
    """

    read: Callable[[int], tuple]
    record: Callable[..., Arrays]
    count: int
    samples: int
    take_errors: Callable[[], dict[str, str]]


class Readings:
    """What all results of a pass can tell."""

    readable: np.ndarray

    @property
    def num_unreadable(self) -> int:
        """Number of samples whose picture could not be read."""
        return int((~self.readable).sum())


def predict_in_pictures(
    predict: Callable[[np.ndarray], np.ndarray], crops: np.ndarray, afmat: np.ndarray
) -> np.ndarray:
    """Joints in crops, x and y in px of the pictures.

    Args:
        predict: from crops `(batch, h, w, 3)` to `(blocks, batch, joints, 2 or more)`:
            x and y in [0, 1] of the crop, then anything.
        crops: `(batch, h, w, 3)`; those beyond the matrices are surplus.
        afmat: `(samples, 3, 3)`, px of the picture to [0, 1] of the crop.

    Returns:
        `(blocks, samples, joints, 2 or more)` float64.
    """
    matrices = afmat.astype(np.float64)
    found = predict(crops)[:, : len(matrices)].astype(np.float64)
    places = [transform_pose_sequence(matrices, block[..., :2]) for block in found]
    return np.concatenate([np.stack(places), found[..., 2:]], axis=-1)


def samples_first(found: np.ndarray, readable: np.ndarray) -> np.ndarray:
    """Joints `(samples, blocks, ...)`, NaN where the picture could not be read."""
    return np.where(readable[:, None, None, None], np.moveaxis(found, 0, 1), np.nan)


def crop_steps(
    dataset,
    keys: Sequence[str],
    mode: int,
    batch_size: int,
    record: Callable[[np.ndarray, Arrays], Arrays],
) -> Steps:
    """A pass over the data set's own crops.

    Args:
        dataset: a data set (`get_data`, `get_blank_data`, `get_shape`, `get_length`).
        keys: the labels to read beside the crops.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        batch_size: most crops a step.
        record: from crops `(batch, h, w, 3)`, of which the last may be surplus, and the
            labels of the samples, "readable" `(samples, 1)` among them, to what is
            kept.

    Raises:
        ValueError: if the data set has no samples in this mode.
    """
    samples = _length(dataset, mode)
    names = [*keys, READABLE]
    size = min(batch_size, samples)
    options = {"batch_size": size, "shuffle": False, "on_error": "mark"}
    loader = BatchLoader(dataset, ["frame"], names, mode, **options)

    def read(index):
        (frames,), values = loader.get_batch(0, index)
        count = min(size, samples - index * size)
        return frames, {k: v[:count] for k, v in zip(names, values, strict=True)}

    return Steps(read, record, len(loader), samples, loader.take_errors)


def picture_steps(
    dataset,
    keys: Sequence[str],
    mode: int,
    batch_size: int,
    record: Callable[[tuple, Arrays], Arrays],
) -> Steps:
    """A pass over whole pictures and the people's windows.

    Args:
        dataset: a data set with `get_picture` as `SinglePersonDataset` has it.
        keys, mode: as of `crop_steps`.
        batch_size: most people a step.
        record: from (pictures, windows (center, size) px) and the labels to what is
            kept. A picture that could not be read is black, 1 x 1 px.

    Raises:
        ValueError: if the data set has no samples in this mode.
    """
    samples = _length(dataset, mode)
    size = min(batch_size, samples)
    errors = {}

    def read(index):
        numbers = range(index * size, min((index + 1) * size, samples))
        people = [_read_person(dataset, number, mode, errors) for number in numbers]
        pictures, windows, labels = zip(*people, strict=True)
        values = {k: np.stack([one[k] for one in labels]) for k in (*keys, READABLE)}
        return (pictures, windows), values

    return Steps(read, record, -(-samples // size), samples, lambda: errors)


def _length(dataset, mode: int) -> int:
    samples = dataset.get_length(mode)
    if samples == 0:
        raise ValueError(
            f"{dataset.dataset_path}: no samples to evaluate in the part "
            f"{mode_name(mode)!r}"
        )
    return samples


def note_unreadable(errors: dict[str, str], error: OSError) -> None:
    """Adds the message of what could not be read, by its path."""
    path = getattr(error, "path", None) or error.filename
    errors[str(path)] = str(error)


def _read_person(dataset, key: int, mode: int, errors: dict[str, str]) -> tuple:
    """Picture, window (center, size) and labels; a black picture if unreadable."""
    try:
        picture, person, labels = dataset.get_picture(key, mode)
    except OSError as error:
        note_unreadable(errors, error)
        labels = dataset.get_blank_data(key, mode)
        x1, y1, x2, y2 = labels["bbox"].tolist()
        window = ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)
        blank = Image.new("RGB", (1, 1))
        return blank, window, {**labels, READABLE: np.zeros(1, np.float32)}
    readable = {**labels, READABLE: np.ones(1, np.float32)}
    return picture, (person.center, person.window), readable


def run_steps(
    steps: Steps,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    *,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> tuple[Arrays, dict[str, str]]:
    """Goes through this worker's steps and joins the workers' results.

    Args:
        steps: the pass.
        workers: threads that read ahead.
        progress: called with the number of this worker's samples done, after every
            step.
        share: (index, count): which of how many workers this is. A worker may be left
            without samples where there are more workers than steps.
        gather: from a dictionary of this worker's arrays, whose first axis is samples,
            to those of all workers joined in their order; needed for more than one.

    Returns:
        The arrays of all samples, and the messages of this worker's part by the path of
        the picture that could not be read.

    Raises:
        ValueError: if `share` is not a worker's number, `gather` is missing, or its
            result is not the whole.
    """
    if gather is None and share[1] > 1:
        raise ValueError(f"`share` needs `gather`. Received: {share=}, gather=None")
    mine = share_of(steps.count, share)
    parts, done = [], 0
    # A worker without samples learns the shapes from the first step.
    for step in read_ahead(steps.read, mine or range(1), workers):
        parts.append(steps.record(*step))
        done += len(parts[-1][READABLE])
        if progress is not None and mine:
            progress(done)
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    errors = steps.take_errors() if mine else {}
    if not mine:
        arrays = {name: array[:0] for name, array in arrays.items()}
    if errors:
        first = "; ".join(list(errors.values())[:5])
        logger.warning("%d pictures count as wrong: %s", len(errors), first)
    return _whole(arrays, steps.samples, gather), errors


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


def read_ahead(read: Callable, steps: Iterable, workers: int) -> Iterator:
    """What `read` returns for each step, in order, some read ahead by threads."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        ahead = collections.deque()
        for step in steps:
            ahead.append(pool.submit(read, step))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        for waiting in ahead:
            yield waiting.result()


def _whole(arrays: Arrays, samples: int, gather: Gather | None) -> Arrays:
    """The arrays of all workers joined."""
    names = list(arrays)
    if gather is not None:
        arrays = gather(arrays)
    lengths = {name: len(arrays[name]) for name in names}
    if set(lengths.values()) != {samples}:
        raise ValueError(
            f"`gather` must return the arrays of all {samples} samples. "
            f"Received: {lengths}"
        )
    return {name: np.asarray(arrays[name]) for name in names}
