"""Boxes around the people of videos, found by a pose network.

Every frame is looked at as a whole; the box of a frame is a square around its joints,
that of a clip lies around those of its frames.

Source of the rule: `get_bbox_from_poses` of dluvizon/deephar's exp/common/generic.py.
It means to take the joints with a confidence above 0.25 and looks at another column,
so that it takes those that lie below the upper quarter of the picture (in space: those
behind a quarter of the depth); here it is the confidence.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from deephar.data.boxes import ClipBoxes, FrameBoxes
from deephar.data.pictures import open_picture
from deephar.evaluation.stream import Arrays, Gather, Steps, run_steps
from deephar.utils.bbox import get_valid_bbox, objposwin_to_bbox

CONFIDENCE = 0.25
"""Least confidence of a joint that the box lies around."""
MARGIN = 1.5
"""Side of the box over the extent of the joints."""


@dataclasses.dataclass(frozen=True)
class FoundBoxes:
    """The boxes of a part of a data set.

    Attributes:
        boxes: (x1, y1, x2, y2), px, by (video, frame); the whole picture where the
            network finds nobody, or the picture cannot be read.
        nobody: (video, frame) of the pictures in which no joint is confident.
        unreadable: (video, frame) of those that cannot be read.
        errors: message by path of every picture that could not be read.
    """

    boxes: dict[tuple[int, int], tuple[float, ...]]
    nobody: list[tuple[int, int]]
    unreadable: list[tuple[int, int]]
    errors: dict[str, str]


def predict_boxes(
    locate: Callable,
    dataset,
    mode: int,
    *,
    confidence: float = CONFIDENCE,
    margin: float = MARGIN,
    batch_size: int = 8,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> FoundBoxes:
    """Looks at every frame of every video.

    Args:
        locate: from decoded RGB pictures and windows (center, size) px, both a list of
            one for each frame, to an object with `joints` `(blocks, frames, joints,
            dim + 1)`, x and y in px first and the confidence last, such as
            `inference.PosePredictor.locate`.
        dataset: a `data.clips.ClipDataset` of topology "sequences" whose windows are
            whole pictures.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        confidence: least confidence of a joint that the box lies around.
        margin: side of the box over the extent of these joints.
        batch_size: frames a step.
        workers, progress, share, gather: as of `stream.run_steps`, samples are frames.

    Raises:
        ValueError: as of `stream.run_steps`, or for another topology.
    """
    places, unread = _places(dataset, mode), {}

    def read(step):
        chosen = places[step * batch_size : (step + 1) * batch_size]
        return [_open(dataset, mode, key, frame, unread) for key, frame in chosen]

    def record(*opened):
        return _record(locate, opened, confidence, margin)

    count = -(-len(places) // batch_size)
    steps = Steps(read, record, count, len(places), lambda: unread)
    arrays, errors = run_steps(steps, workers, progress, share=share, gather=gather)
    boxes = map(tuple, arrays["boxes"].tolist())
    readable, sure = arrays["readable"], arrays["sure"]
    return FoundBoxes(
        dict(zip(places, boxes, strict=True)),
        [places[i] for i in np.flatnonzero(readable & ~sure)],
        [places[i] for i in np.flatnonzero(~readable)],
        errors,
    )


def _places(dataset, mode: int) -> list[tuple[int, int]]:
    """All frames of all videos: (video, frame)."""
    if dataset.topology != "sequences":
        raise ValueError(
            "`dataset` must be of topology 'sequences'. "
            f"Received: topology={dataset.topology!r}"
        )
    return [
        (key, frame)
        for key in range(dataset.get_length(mode))
        for frame in range(dataset.num_frames(key, mode))
    ]


def _open(dataset, mode, key, frame, errors) -> tuple:
    """Picture, window and whether it can be read; a black picture if not."""
    window = dataset.clip_window(key, mode, [frame])
    path = dataset.clip(key, mode, [frame]).pictures[0]
    try:
        return open_picture(path), window, True
    except OSError as error:
        errors[str(path)] = str(error)
        return Image.new("RGB", (1, 1)), window, False


def _record(
    locate: Callable, opened: Sequence[tuple], confidence: float, margin: float
) -> Arrays:
    """The boxes of some frames, whether a joint is confident, whether they are read."""
    pictures, windows, readable = zip(*opened, strict=True)
    joints = locate(pictures, windows).joints[-1]
    pairs = zip(joints, windows, strict=True)
    found = [_box(*pair, confidence, margin) for pair in pairs]
    boxes, sure = zip(*found, strict=True)
    whole = [objposwin_to_bbox(*window) for window in windows]
    readable = np.array(readable)
    return {
        "boxes": np.where(readable[:, None], boxes, whole),
        "sure": np.array(sure),
        "readable": readable,
    }


def _box(joints, window, confidence: float, margin: float) -> tuple[np.ndarray, bool]:
    """The square box of a pose, or the window; and whether a joint is confident."""
    sure = (joints[:, -1] > confidence) & np.isfinite(joints).all(axis=-1)
    if not sure.any():
        return objposwin_to_bbox(*window), False
    return get_valid_bbox(joints[sure, :2], relsize=margin), True


def boxes_by_clip(
    boxes: FrameBoxes, dataset, mode: int, subsamples: Sequence[int]
) -> ClipBoxes:
    """The boxes of all clips that multi-clip evaluation looks at, mirrored and not.

    Args:
        boxes: boxes of every frame.
        dataset: a `data.clips.ClipDataset` of topology "sequences".
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        subsamples: steps between the frames of a clip.
    """
    found = {}
    for key in range(dataset.get_length(mode)):
        for step in subsamples:
            clips = dataset.get_clip_index(key, mode, [step])
            if not clips and step == min(subsamples):
                clips = dataset.clips(key, mode, subsamples)
            for number, frames in enumerate(clips):
                box = tuple(boxes.clip_box(mode, key, frames).tolist())
                found.update({(key, step, number, flip): box for flip in (0, 1)})
    return ClipBoxes(found)
