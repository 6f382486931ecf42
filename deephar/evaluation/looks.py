"""Looks at a video: which clips, which views of which pictures, each made once.

A view is a frame of a video through a window, mirrored or not. Clips that share a frame
and have the same window share the view: it is cropped once and goes through the frame
network once. The views of several videos share batches.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from deephar.evaluation.stream import note_unreadable, read_ahead

Boxes = Mapping[tuple[int, int, int, int], Sequence[float]]
"""Boxes (x1, y1, x2, y2), px, by a video's key, a clip's step, its number among the
video's clips of that step, and 1 if it is mirrored (else 0): `data.boxes.ClipBoxes`."""


_UNREADABLE = -1
"""Number of a view that nothing can describe."""


@dataclasses.dataclass
class Video:
    """A video that is looked at.

    Attributes:
        key: its number in the data set.
        looks: of each clip, mirrored or not, the views of its frames, by number.
        views: of each frame, its views: (number, window, mirrored).
        full: whether the clips are full ones.
        original: whether the original looks at these clips too.
        clips: clips, mirrored ones not counted.
        unboxed: looks without a box.
        described: what the frame network says of each view that could be read: an array
            for each input of the clip head.
    """

    key: int
    looks: list[list[int]]
    views: dict[int, list[tuple]]
    full: bool
    original: bool
    clips: int
    unboxed: int
    described: dict[int, tuple] = dataclasses.field(default_factory=dict)


def plan(
    dataset, key: int, mode: int, subsamples, flips: int, boxes, errors: dict[str, str]
) -> Video:
    """Chooses the clips of a video, and collects their distinct views by frame.

    A video is long enough if it has `clip_size` times the (smallest) step frames, as
    `get_clip_index` wants it; otherwise it is looked at through one clip whose step is
    shortened. The other arguments are as of `plan_clips`.
    """
    single = subsamples is None
    steps = [dataset.dataconf.get_fixed_config()["subspl"]] if single else subsamples
    length, step = dataset.num_frames(key, mode), min(steps)
    full = length >= dataset.clip_size * step
    if single or not full:
        clips = [(step, 0, dataset.one_clip(key, mode, step))]
    else:
        clips = _clips(dataset, key, mode, steps)
    video = plan_clips(dataset, key, mode, clips, flips, boxes, errors)
    return dataclasses.replace(video, full=full, original=single or full)


def plan_clips(
    dataset,
    key: int,
    mode: int,
    clips: Sequence[tuple[int, int, Sequence[int]]],
    flips: int,
    boxes: Boxes | None,
    errors: dict[str, str],
) -> Video:
    """Collects the distinct views of some clips of a video by frame.

    Args:
        dataset, key, mode: a data set of clips, and the video.
        clips: (step, number among the video's clips of this step, frames) of each.
        flips: 1, or 2 to look at each mirrored too.
        boxes: boxes other than the data set's own, which stand in for missing ones.
        errors: gets a message where the annotations of a window cannot be read; the
            look then counts as one whose pictures cannot be read.
    """
    numbers, looks, unboxed = {}, [], 0
    for step, number, frames in clips:
        for mirrored in range(flips):
            box = (boxes or {}).get((key, step, number, mirrored))
            unboxed += boxes is not None and box is None
            try:
                (x, y), (width, height) = dataset.clip_window(key, mode, frames, box)
            except OSError as error:
                note_unreadable(errors, error)
                looks.append([_UNREADABLE])
                continue
            window = ((float(x), float(y)), (float(width), float(height)))
            views = [(int(frame), window, mirrored) for frame in frames]
            looks.append([numbers.setdefault(view, len(numbers)) for view in views])
    by_frame = {}
    for (frame, *view), number in numbers.items():
        by_frame.setdefault(frame, []).append((number, *view))
    return Video(key, looks, by_frame, True, True, len(clips), unboxed)


def _clips(dataset, key: int, mode: int, steps) -> list[tuple]:
    """(step, number among the clips of this step, frames) of all full clips."""
    return [
        (step, number, frames)
        for step in steps
        for number, frames in enumerate(dataset.get_clip_index(key, mode, [step]))
    ]


def describe(
    videos: list[Video], predictor, dataset, mode, batch_size, workers, errors
) -> None:
    """Runs every view of the videos through the frame network, in full batches."""

    def read(task):
        """One picture's views: (video, number, crop); none if it cannot be read."""
        video, frame = task
        try:
            source = dataset.open_frame(video.key, mode, frame)
            return [
                (video, number, dataset.crop_frame(source, window, mirrored))
                for number, window, mirrored in video.views[frame]
            ]
        except OSError as error:
            note_unreadable(errors, error)
            return []

    tasks = [(video, frame) for video in videos for frame in video.views]
    for batch in _batches(read_ahead(read, tasks, workers), batch_size):
        frames = np.stack([crop for _, _, crop in batch])
        described = predictor.describe_frames(frames)
        for (video, number, _), *values in zip(batch, *described, strict=True):
            video.described[number] = values


def _batches(groups: Iterator[list], size: int) -> Iterator[list]:
    """The members of the groups in lists of `size`, the last of them shorter."""
    batch = []
    for group in groups:
        for member in group:
            batch.append(member)
            if len(batch) == size:
                yield batch
                batch = []
    if batch:
        yield batch


def readable_looks(video: Video) -> list[int]:
    """The numbers of those looks whose pictures could all be read."""
    return [
        number
        for number, look in enumerate(video.looks)
        if all(view in video.described for view in look)
    ]


def classify(
    video: Video, predictor, looks: Sequence[int], shape: tuple[int, int]
) -> np.ndarray:
    """What the clip head says of looks at a video that is described.

    Args:
        video: the video.
        predictor: the network.
        looks: numbers of looks, at least one, of `readable_looks`.
        shape: (outputs, classes).

    Returns:
        `(outputs, looks, classes)` float64.

    Raises:
        ValueError: if the network tells another number of actions apart.
    """
    clips = ([video.described[view] for view in video.looks[n]] for n in looks)
    inputs = [
        np.stack([np.stack(values) for values in what])
        for what in zip(*(zip(*clip, strict=True) for clip in clips), strict=True)
    ]
    found = np.asarray(predictor.classify(*inputs), np.float64)
    if found.shape != (shape[0], len(looks), shape[1]):
        raise ValueError(
            f"The network must tell {shape[1]} actions apart, as the data set has. "
            f"Received: outputs of shape {found.shape}"
        )
    return found


def conclude(video: Video, predictor, shape: tuple[int, int]) -> dict:
    """What is kept of a video; `shape` is (outputs, classes). Forgets its frames."""
    looks = readable_looks(video)
    readable = len(looks) == len(video.looks)
    scores, products = np.full(shape, np.nan), np.ones(shape)
    if looks:
        found = classify(video, predictor, looks, shape)
        if readable:
            scores = np.log(np.maximum(found, np.finfo(np.float64).tiny)).sum(axis=1)
        if video.original:
            products = found.prod(axis=1)
    video.described = {}
    return {
        "scores": scores,
        "products": products,
        "seen": bool(looks) and video.original,
        "readable": readable,
        "too_short": not video.full,
        "clips": video.clips,
        "unboxed": video.unboxed,
    }
