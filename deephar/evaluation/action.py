"""Scores of action recognition: one pass over the videos, then numbers.

`predict_actions` looks at every video through one clip of its middle, or through many
clips, mirrored too. A picture is decoded once, and each distinct view of it (window,
mirrored or not) goes through the frame network once, however many clips hold it; only
the head looks at every clip. `score_actions` turns the result into a dictionary that
the scripts print and save and that callbacks log.

Source of the protocol: dluvizon/deephar's exp/common/penn_tools.py and ntu_tools.py,
which decode, crop and predict every clip by itself.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from deephar.evaluation.looks import Boxes, conclude, describe, plan
from deephar.evaluation.stream import Gather, Steps, run_steps
from deephar.utils.modes import TEST_MODE, mode_name
from deephar.utils.outputs import APART, deciding

GROUP = 8
"""Videos whose frames share batches. Workers share the groups, so that the batches are
those of one process."""

_OUTPUTS_FIRST = ("scores", "products")


@dataclasses.dataclass(frozen=True)
class ActionPredictions:
    """What a network says of the videos of a data set.

    Attributes:
        names: the network's outputs, such as ("p1", ..., "v1", ..., "m").
        labels: the actions' names.
        videos: the videos' names.
        actions: `(videos,)` int, the true action, from 0.
        scores: `(outputs, videos, classes)` float64, the sum of the logarithms of what
            the looks at a video give; NaN where a picture could not be read.
        products: `(outputs, videos, classes)` float64, the product over the looks that
            the original has too and that could be read; ones where there is none.
        seen: `(videos,)` bool, whether there is such a look.
        readable: `(videos,)` bool, whether every picture that is looked at could be
            read.
        too_short: `(videos,)` bool, whether the video has fewer frames than a clip's
            times the (smallest) step, and was looked at through a clip with a shorter
            step, or with repeated frames.
        clips: `(videos,)` int, clips that were looked at, mirrored ones not counted.
        unboxed: `(videos,)` int, looks for which `boxes` had no box.
        errors: message by path of every picture that could not be read.
        multi_clip: whether the videos were looked at through many clips.
        flip: whether mirrored clips were looked at too.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    videos: tuple[str, ...]
    actions: np.ndarray
    scores: np.ndarray
    products: np.ndarray
    seen: np.ndarray
    readable: np.ndarray
    too_short: np.ndarray
    clips: np.ndarray
    unboxed: np.ndarray
    errors: dict[str, str]
    multi_clip: bool
    flip: bool


def predict_actions(
    predictor,
    dataset,
    mode: int = TEST_MODE,
    *,
    subsamples: Sequence[int] | None = None,
    flip: bool = False,
    boxes: Boxes | None = None,
    batch_size: int = 16,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> ActionPredictions:
    """Looks at every video of a data set.

    Several workers can share the videos: each looks at a contiguous part of them, in
    the batches that one process would make, and `gather` gives every worker the whole.

    Args:
        predictor: an `inference.clips.ClipPredictor`.
        dataset: a `data.clips.ClipDataset` of topology "sequences".
        mode: TEST_MODE or TRAIN_MODE; the configuration is the fixed one either way.
        subsamples: steps between the frames of multi-clip evaluation: all clips of
            `get_clip_index`; a video too short for any of them is looked at through
            one with a shorter step. None looks at the clip in the video's middle, with
            the configuration's step.
        flip: look at every clip mirrored too.
        boxes: boxes by the clips of `subsamples` that are not the data set's own, which
            is taken where there is none.
        batch_size: frames a step.
        workers, progress, share, gather: as of `stream.run_steps`, samples are videos.

    Raises:
        ValueError: if the data set has no videos in this mode, its clips or actions are
            not those of the network, a step is below 1, there are boxes by clip but no
            `subsamples`, or as of `stream.run_steps`.
    """
    _check(predictor, dataset, mode, subsamples, boxes)
    view = (mode, subsamples, 1 + flip, boxes)
    steps = _steps(predictor, dataset, view, batch_size, workers)
    arrays, errors = run_steps(steps, workers, progress, share=share, gather=gather)
    for name in _OUTPUTS_FIRST:
        arrays[name] = np.moveaxis(arrays[name], 1, 0)
    return ActionPredictions(
        names=tuple(predictor.names),
        labels=tuple(map(str, dataset.action_labels)),
        videos=tuple(dataset.video_name(key, mode) for key in range(steps.samples)),
        actions=np.array([dataset.action(key, mode) for key in range(steps.samples)]),
        **arrays,
        errors=errors,
        multi_clip=subsamples is not None,
        flip=flip,
    )


def _steps(predictor, dataset, view: tuple, batch_size: int, workers: int) -> Steps:
    """A pass over the videos; `view` is what `plan` takes after the video's key."""
    mode, videos, unread = view[0], dataset.get_length(view[0]), {}
    shape = len(predictor.names), len(dataset.action_labels)

    def read(group):
        keys = range(group * GROUP, min((group + 1) * GROUP, videos))
        return [plan(dataset, key, *view, unread) for key in keys]

    def record(*looked):
        describe(looked, predictor, dataset, mode, batch_size, workers, unread)
        found = [conclude(video, predictor, shape) for video in looked]
        return {name: np.stack([one[name] for one in found]) for name in found[0]}

    return Steps(read, record, -(-videos // GROUP), videos, lambda: unread)


def _check(predictor, dataset, mode: int, subsamples, boxes) -> None:
    if dataset.get_length(mode) == 0:
        raise ValueError(
            f"{dataset.dataset_path}: no videos to evaluate in the part "
            f"{mode_name(mode)!r}"
        )
    if dataset.topology != "sequences" or dataset.clip_size != predictor.num_frames:
        raise ValueError(
            f"The network takes clips of {predictor.num_frames} frames, and so must "
            f"the data set. Received: topology={dataset.topology!r}, "
            f"clip_size={dataset.clip_size}"
        )
    if subsamples is not None and not (subsamples and min(subsamples) >= 1):
        raise ValueError(
            f"`subsamples` must be steps of at least 1. Received: {subsamples=}"
        )
    if boxes is not None and subsamples is None:
        raise ValueError(
            "`boxes` are by the clips of `subsamples`, not of the one in the middle. "
            f"Received: {len(boxes)} boxes, subsamples=None"
        )


def score_actions(found: ActionPredictions) -> dict:
    """Accuracy of every output, three ways; by action, and confusions, of `deciding`.

    `accuracy` is strict: every video counts, and one is right only if it could be read,
    is long enough for a clip of the (smallest) step, and the deciding output says so.
    `accuracy_shortened` lets a video that is too short be right by what is said of a
    clip with a shorter step.
    `accuracy_original` is the figure as the original counts: in its loop over many
    clips a video without one that can be read has labels and scores that were never
    set, and so counts as right; of the clips of a video those count that can be read.
    It reports the output that is best on these very videos: `accuracy_best_output`.

    Args:
        found: what `predict_actions` returns.

    Returns:
        `{"accuracy", "accuracy_shortened", "accuracy_original",
        "accuracy_best_output", "best_output", "outputs", "outputs_shortened",
        "outputs_original", "per_action", "confusion", "confusions_apart", "labels",
        "videos", "clips", "unreadable", "too_short", "not_finite", "unboxed",
        "multi_clip", "flip"}`.
        Accuracies are in [0, 1], those of "outputs..." by output. "per_action" is
        strict, None for an action without videos. "confusion" has a row for each true
        action and a column for each answer, the last for videos without one that
        counts; "confusions_apart" are those of the outputs of `APART` that there are,
        by name. "unreadable", "too_short" and "not_finite" list names.
    """
    finite = np.isfinite(found.scores).all(axis=-1)
    answers = np.where(finite, np.nan_to_num(found.scores).argmax(axis=-1), -1)
    counted = np.where(found.too_short, -1, answers)
    confusions = {
        name: _confusion(found.actions, of, len(found.labels))
        for name, of in zip(found.names, counted, strict=True)
    }
    confusion = confusions[deciding(found.names)]
    return {
        **_accuracies(found, answers),
        "per_action": {
            label: float(row[i] / row.sum()) if row.any() else None
            for i, (label, row) in enumerate(zip(found.labels, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
        "confusions_apart": {
            name: confusions[name].tolist() for name in APART if name in confusions
        },
        "labels": list(found.labels),
        "videos": len(found.videos),
        "clips": int(found.clips.sum()),
        "unreadable": _names(found, ~found.readable),
        "too_short": _names(found, found.too_short),
        "not_finite": _names(found, found.readable & ~finite.all(axis=0)),
        "unboxed": int(found.unboxed.sum()),
        "multi_clip": found.multi_clip,
        "flip": found.flip,
    }


def _accuracies(found: ActionPredictions, answers: np.ndarray) -> dict:
    """The accuracies that count all videos, three ways, by output, and of one."""
    right = answers == found.actions
    original = found.products.argmax(axis=-1) == found.actions
    original = np.where(found.seen, original, found.multi_clip)
    strict, shortened, lenient = (
        dict(zip(found.names, map(float, correct.mean(axis=-1)), strict=True))
        for correct in (right & ~found.too_short, right, original)
    )
    one, best = deciding(found.names), max(lenient, key=lenient.get)
    return {
        "accuracy": strict[one],
        "accuracy_shortened": shortened[one],
        "accuracy_original": lenient[one],
        "accuracy_best_output": lenient[best],
        "best_output": best,
        "outputs": strict,
        "outputs_shortened": shortened,
        "outputs_original": lenient,
    }


def _confusion(actions: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """`(classes, classes + 1)` counts; answers of -1 fall into the last column."""
    counts = np.zeros((classes, classes + 1), np.int64)
    np.add.at(counts, (actions, answers), 1)
    return counts


def _names(found: ActionPredictions, chosen: np.ndarray) -> list[str]:
    return [name for name, one in zip(found.videos, chosen, strict=True) if one]
