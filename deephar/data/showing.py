"""Samples of a data set as a network is given them, ready to be shown."""

import copy
import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from deephar.config import DataConfig
from deephar.data.base import SinglePersonDataset
from deephar.data.clips import ClipDataset
from deephar.data.survey import action_name
from deephar.utils.modes import TRAIN_MODE
from deephar.utils.pose import INVALID, is_valid

SAMPLES = SinglePersonDataset | ClipDataset


@dataclasses.dataclass(frozen=True, eq=False)
class Shown:
    """A sample: what the network sees of it, and what it is to answer.

    Attributes:
        key: Number of the sample in its part.
        name: Name of the picture or video.
        frames: uint8 (frames, h, w, 3), RGB; one frame of a single picture.
        poses: (frames, joints, dim + 1): x and y in px of the crop, depth as the
            network is to give it, then 1.0 for a joint inside the crop; INVALID for
            what is not to be learned.
        numbers: Which frames of the video these are; empty for a single picture.
        action: Name of the video's action; empty where there is none.
        mirrored: Whether the crop is mirrored.
        angle: How the picture was turned, degrees, counter-clockwise.
        zoom: Px of the crop to a px of the picture.
    """

    key: int
    name: str
    frames: np.ndarray
    poses: np.ndarray
    numbers: tuple[int, ...]
    action: str
    mirrored: bool
    angle: float
    zoom: float


def with_config(data: SAMPLES, dataconf: DataConfig) -> SAMPLES:
    """Returns a data set of the same samples with another size or augmentation."""
    changed = copy.copy(data)
    changed.dataconf = dataconf
    return changed


def choose(length: int, count: int, seed: int) -> list[int]:
    """Returns `count` of `length` samples, all if there are not more, in their order.

    Raises:
        ValueError: if `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"`count` must be at least 1. Received: count={count}")
    order = np.random.default_rng(seed).permutation(length)
    return sorted(order[:count].tolist())


def show_sample(
    data: SAMPLES, mode: int, key: int, seed: int, augment: bool = True
) -> Shown:
    """Reads a sample.

    Args:
        data: The data set.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE; only TRAIN_MODE draws anything.
        key: Number of the sample.
        seed: What the augmentation is drawn from, together with the key.
        augment: False for the window, frames and colours of evaluations in TRAIN_MODE.

    Raises:
        OSError, ValueError: as of the data set's `get_data`.
    """
    options = {"rng": np.random.default_rng((seed, key))}
    if mode == TRAIN_MODE and not augment:
        data = with_config(data, data.dataconf.without_augmentation())
        if isinstance(data, ClipDataset):
            step = data.dataconf.fixed_subsampling
            options["frame_list"] = data.one_clip(key, mode, step)
    sample = data.get_data(key, mode, **options)
    rows, cols, channels = data.dataconf.input_shape
    pixels = np.rint((sample["frame"] + 1) * 127.5).clip(0, 255).astype(np.uint8)
    poses = np.array(sample["pose"], dtype=np.float64)
    poses = poses.reshape(-1, *poses.shape[-2:])
    known = is_valid(poses[..., :2])
    poses[..., :2] = np.where(known, poses[..., :2] * (cols, rows), INVALID)
    linear = sample["afmat"][:2, :2].astype(float) * [[cols], [rows]]
    mirrored = bool(np.linalg.det(linear) < 0)
    upright = np.diag([-1.0, 1.0]) @ linear if mirrored else linear
    name, numbers, action = _names(data, mode, key, sample)
    return Shown(
        key=key,
        name=name,
        frames=pixels.reshape(-1, rows, cols, channels),
        poses=poses,
        numbers=numbers,
        action=action,
        mirrored=mirrored,
        angle=float(np.degrees(np.arctan2(upright[0, 1], upright[0, 0]))),
        zoom=float(np.sqrt(abs(np.linalg.det(linear)))),
    )


def _names(data, mode, key, sample) -> tuple[str, tuple[int, ...], str]:
    if not isinstance(data, ClipDataset):
        return os.path.basename(data.picture(key, mode)), (), ""
    numbers = tuple(sample["frame_list"].tolist())
    return data.video_name(key, mode), numbers, action_name(data, key, mode)


def some_frames(count: int, most: int) -> Sequence[int]:
    """Returns at most `most` of `count` frames, the first and the last among them."""
    if count <= most:
        return range(count)
    return np.linspace(0, count - 1, most).round().astype(int).tolist()
