"""Windows that slide over the frames of a video: the action of each, and the poses.

A window is a clip whose last frame is the present one. Windows that look at a frame in
the same place share its description.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from deephar.data.clips import get_clip_frame_index
from deephar.evaluation.looks import classify, describe, plan_clips, readable_looks
from deephar.utils.modes import TEST_MODE

_TOGETHER = 32
"""Windows whose frames share batches."""


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What a network says of a window.

    Attributes:
        frames: numbers of its frames in the video, from 0.
        scores: `(outputs, classes)` float64 in [0, 1]; None where a picture could not
            be read.
        poses: `(frames, joints, 2 or 3)`: x, y, px of the picture, to a pixel, then in
            3D depth in [0, 1]; None likewise.
        confidence: `(frames, joints)`; None likewise.
    """

    frames: list[int]
    scores: np.ndarray | None
    poses: np.ndarray | None = None
    confidence: np.ndarray | None = None


def sliding_windows(
    length: int, clip_size: int, step: int = 1, every: int = 1
) -> list[list[int]]:
    """The frames of all windows of a video.

    Args:
        length: frames of the video.
        clip_size: frames of a window.
        step: from one frame of a window to the next.
        every: from one window to the next.

    Returns:
        Numbers from 0. Of a video too short for a window there is one, whose step is
        shortened, or which repeats frames.

    Raises:
        ValueError: if a number is below 1.
    """
    for name, value in (
        *(("length", length), ("clip_size", clip_size)),
        *(("step", step), ("every", every)),
    ):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
    span = step * (clip_size - 1) + 1
    if length < span:
        return [get_clip_frame_index(length, step, clip_size)]
    starts = range(0, length - span + 1, every)
    return [list(range(start, start + span, step)) for start in starts]


def slide(
    predictor,
    dataset,
    key: int,
    windows: Sequence[Sequence[int]],
    errors: dict[str, str],
    batch_size: int = 16,
    workers: int = 2,
) -> Iterator[Seen]:
    """Looks at windows of a video, one after the other.

    Args:
        predictor: an `inference.clips.ClipPredictor`.
        dataset: a `data.clips.ClipDataset` of topology "sequences".
        key: number of the video; its part is TEST_MODE.
        windows: frames of each, as many as the network takes, such as those of
            `sliding_windows`.
        errors: gets a message by path of every picture that could not be read.
        batch_size: frames a step.
        workers: threads that read pictures ahead.

    Yields:
        What is seen, a `Seen` each, in the order of `windows`.

    Raises:
        ValueError: if windows or actions are not as many as the network's.
    """
    lengths = {len(frames) for frames in windows}
    if lengths != {predictor.num_frames}:
        raise ValueError(
            f"`windows` must have {predictor.num_frames} frames each, as the network "
            f"takes. Received: windows of {sorted(lengths)} frames"
        )
    for start in range(0, len(windows), _TOGETHER):
        some = [list(frames) for frames in windows[start : start + _TOGETHER]]
        clips = [(1, number, frames) for number, frames in enumerate(some)]
        video = plan_clips(dataset, key, TEST_MODE, clips, 1, None, errors)
        describe([video], predictor, dataset, TEST_MODE, batch_size, workers, errors)
        yield from _see(video, predictor, some, len(dataset.action_labels))


def _see(video, predictor, windows, actions) -> Iterator[Seen]:
    """What is seen of described windows."""
    looks, shape = readable_looks(video), (len(predictor.names), actions)
    found = classify(video, predictor, looks, shape) if looks else None
    places = {
        number: window for views in video.views.values() for number, window, _ in views
    }
    for number, frames in enumerate(windows):
        if number not in looks:
            yield Seen(frames, None)
            continue
        poses, confidence = _poses(video, places, video.looks[number])
        yield Seen(frames, found[:, looks.index(number)], poses, confidence)


def _poses(video, places, look) -> tuple[np.ndarray, np.ndarray]:
    """The poses of a look in px of the picture, and their confidence."""
    poses, confidence = [], []
    for view in look:
        *_, pose, sure, _ = video.described[view]
        (center, size), pose = places[view], np.array(pose, np.float64)
        pose[:, :2] = np.subtract(center, np.divide(size, 2)) + pose[:, :2] * size
        poses.append(pose)
        confidence.append(np.ravel(sure))
    return np.stack(poses), np.stack(confidence)
