"""Poses of single frames in their crops: the figures that tell epochs apart.

Frames of videos are alike, so some of them, evenly spread, are enough. Scores are in
units of the crop, or of the person's torso, and so need no camera and no head size.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from deephar import measures
from deephar.evaluation.stream import Gather, crop_steps, run_steps, samples_first
from deephar.utils.modes import TEST_MODE

TORSO_SHARE = 0.2
"""Largest distance of a right joint, in torso sizes."""


@dataclasses.dataclass(frozen=True)
class FramePoses:
    """Predicted and true joints of frames, in [0, 1] of the crop.

    Attributes:
        poses: `(blocks, frames, joints, dim)`; NaN where the picture could not be read.
        truth: `(frames, joints, dim)`, INVALID for what is not annotated or lies
            outside the crop.
        readable: `(frames,)` bool, whether the picture could be read.
        errors: message by path of the pictures that this worker could not read.
    """

    poses: np.ndarray
    truth: np.ndarray
    readable: np.ndarray
    errors: dict[str, str]


def predict_frames(
    predict: Callable[[np.ndarray], np.ndarray],
    dataset,
    mode: int = TEST_MODE,
    count: int | None = None,
    batch_size: int = 8,
    workers: int = 2,
    *,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> FramePoses:
    """Predicts the poses of frames of a data set, a crop each.

    Args:
        predict: from crops `(batch, h, w, 3)` to `(blocks, batch, joints, dim + 1)` in
            the crop's coordinates, such as `inference.PosePredictor.predict_crops`.
        dataset: a data set whose samples are single frames.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        count: frames to look at, evenly spread; None for all.
        batch_size: crops a step.
        workers: threads that read pictures ahead.
        share, gather: as of `stream.run_steps`.

    Raises:
        ValueError: as of `stream.crop_steps` and `stream.run_steps`.
    """

    def record(pictures, values):
        readable = values["readable"][:, 0] > 0.5
        found = predict(pictures)[:, : len(readable), ..., :-1]
        return {
            "poses": samples_first(found, readable).astype(np.float64),
            "truth": values["pose"][..., :-1].astype(np.float64),
            "readable": readable,
        }

    steps = crop_steps(_Some(dataset, mode, count), ["pose"], mode, batch_size, record)
    arrays, errors = run_steps(steps, workers, share=share, gather=gather)
    arrays["poses"] = np.moveaxis(arrays["poses"], 1, 0)
    return FramePoses(**arrays, errors=errors)


class _Some:
    """Samples of a data set, evenly spread, as a data set of its own."""

    def __init__(self, dataset, mode: int, count: int | None):
        total = dataset.get_length(mode)
        self._keys = np.arange(total)
        if count is not None and count < total:
            self._keys = (np.arange(count) * total) // count
        self._dataset = dataset
        self.dataset_path = dataset.dataset_path
        self.get_shape = dataset.get_shape

    def get_length(self, mode):
        return len(self._keys)

    def get_data(self, key, mode):
        return self._dataset.get_data(int(self._keys[key]), mode)

    def get_blank_data(self, key, mode, rng=None):
        return self._dataset.get_blank_data(int(self._keys[key]), mode, rng=rng)


def score_frames(found: FramePoses, poselayout) -> dict:
    """PCK by the torso and the mean distance, of every block.

    Every joint counts that is annotated and lies in the crop; a frame that could not be
    read is wrong in all of them.

    Args:
        found: what `predict_frames` returns.
        poselayout: layout of the joints.

    Returns:
        `{"pck_torso", "mean_distance", "blocks", "frames", "unreadable"}`: the share of
        joints within 0.2 of the distance from left shoulder to right hip, and the mean
        distance in crop sides of the frames that could be read, both of the last block;
        `pck_torso` of every block.
    """
    names = list(poselayout.joint_names)
    torso = (names.index("l_shoul"), names.index("r_hip"))
    blocks = [
        measures.pck_torso(found.truth, block, TORSO_SHARE, torso)
        for block in found.poses
    ]
    readable = found.readable
    return {
        "pck_torso": blocks[-1],
        "mean_distance": measures.mean_distance_error(
            found.truth[readable], found.poses[-1][readable]
        ),
        "blocks": blocks,
        "frames": len(readable),
        "unreadable": int((~readable).sum()),
    }
