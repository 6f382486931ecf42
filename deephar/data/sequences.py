"""Videos: which there are, how many frames they have, which frames make a clip."""

import abc
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.base import CropDataset
from deephar.data.cache import PictureCache
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name

TOPOLOGIES = ("sequences", "frames")
"""Whether a sample is a clip of a video or one frame of it."""


def get_clip_frame_index(
    sequence_size: int,
    subsample: int,
    num_frames: int,
    random_clip: bool = False,
    rng: np.random.Generator | None = None,
) -> list[int]:
    """Returns the frames of one clip of a video.

    A step that does not fit into the video is shortened; of a video with fewer frames
    than the clip, frames are repeated.

    Args:
        sequence_size: Frames of the video.
        subsample: Step between the frames of the clip.
        num_frames: Frames of the clip.
        random_clip: Whether the clip starts anywhere, and not so that it lies in the
            video's middle.
        rng: Where the randomness comes from; None for a fresh generator.

    Returns:
        `num_frames` indices from 0, in order.

    Raises:
        ValueError: if a number is no integer of at least 1.

    Source: deephar/data/datasets.py of https://github.com/dluvizon/deephar.
    """
    for name, value in (
        ("sequence_size", sequence_size),
        ("subsample", subsample),
        ("num_frames", num_frames),
    ):
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(
                f"`{name}` must be an integer of at least 1. Received: {name}={value!r}"
            )
    stretch = 1.0
    while stretch * sequence_size < num_frames:
        stretch *= 1.5
    length = stretch * sequence_size
    step = min(subsample, int(length / num_frames))
    span = step * (num_frames - 1) + 1
    if random_clip:
        rng = np.random.default_rng() if rng is None else rng
        start = int(rng.integers(int(length - span) + 1))
    else:
        start = int((length - span) / 2)
    return [int(i / stretch) for i in range(start, start + span, step)]


def spread_frames(count: int, number: int) -> list[int]:
    """Returns the middle frames of `number` equal parts of a video of `count`."""
    return ((2 * np.arange(number) + 1) * count // (2 * number)).tolist()


class VideoDataset(CropDataset):
    """Videos, as clips (`"sequences"`) or frame by frame (`"frames"`).

    A data set overrides `action_of`, `name_of` and `_numbers`, says in `pattern` where
    its pictures lie, and hands its videos to `_take`. Arguments and errors are those of
    `deephar.data.clips.ClipDataset`.
    """

    pattern: str
    """Path of a picture in the data set's folder, from `name` and `number`."""
    action_labels: tuple[str, ...]

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any,
        topology: str = "sequences",
        clip_size: int = 16,
        remove_outer_joints: bool = True,
        cache: PictureCache | None = None,
    ):
        super().__init__(dataset_path, dataconf, poselayout, remove_outer_joints, cache)
        if topology not in TOPOLOGIES:
            raise ValueError(
                f"`topology` must be one of {TOPOLOGIES}. Received: {topology=}"
            )
        if not isinstance(clip_size, int | np.integer) or clip_size < 1:
            raise ValueError(
                f"`clip_size` must be an integer of at least 1. Received: {clip_size=}"
            )
        self.topology = topology
        self.clip_size = clip_size

    @abc.abstractmethod
    def action_of(self, sequence: int, mode: int) -> int:
        """Returns the index of a video's action, from 0."""

    @abc.abstractmethod
    def name_of(self, sequence: int, mode: int) -> str:
        """Returns the name of a video, which is that of its folder of pictures."""

    @abc.abstractmethod
    def _numbers(self, sequence: int, mode: int) -> np.ndarray:
        """Returns the numbers (n,) of a video's pictures."""

    def _take(self, sequences: Mapping[int, list], counts: Mapping[int, list]) -> None:
        """Takes the videos of each mode and their numbers of frames."""
        modes = (TEST_MODE, TRAIN_MODE, VALID_MODE)
        self.sequences = {mode: list(sequences.get(mode, [])) for mode in modes}
        self._ends = {
            mode: np.cumsum(counts.get(mode, []), dtype=np.int64) for mode in modes
        }

    def _check_layout(self, attribute: str) -> None:
        if not hasattr(self.poselayout, attribute):
            raise ValueError(
                f"`poselayout` must have `{attribute}`. "
                f"Received: poselayout={self.poselayout.__name__}"
            )

    def _check_folder(self, name: str, readme: str) -> None:
        folder = os.path.join(self.dataset_path, name)
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"no folder: {folder}. See {readme}")

    def get_length(self, mode: int) -> int:
        """Returns the number of videos, or of their frames by topology."""
        mode_name(mode)
        if self.topology == "sequences":
            return len(self.sequences[mode])
        return int(self._ends[mode][-1]) if len(self._ends[mode]) else 0

    def clip_length(self) -> int | None:
        """Returns the number of frames of a clip; None where samples are frames."""
        return self.clip_size if self.topology == "sequences" else None

    def clip_shape(self) -> tuple[int, ...]:
        """Returns the axis of time as `get_shape` puts it first: one number or none."""
        return (self.clip_size,) if self.topology == "sequences" else ()

    def num_frames(self, key: int, mode: int) -> int:
        """Returns the number of frames of a sample's video."""
        sequence, _ = self._locate(key, mode)
        ends = self._ends[mode]
        return int(ends[sequence] - (ends[sequence - 1] if sequence else 0))

    def video_name(self, key: int, mode: int) -> str:
        """Returns the name of a sample's video."""
        return self.name_of(self._locate(key, mode)[0], mode)

    def action(self, key: int, mode: int) -> int:
        """Returns the index of a sample's action, from 0."""
        return self.action_of(self._locate(key, mode)[0], mode)

    def _locate(self, key: int, mode: int) -> tuple[int, int | None]:
        """Returns the number of the video, and of the frame if a sample is one."""
        self._check_key(key, mode)
        if self.topology == "sequences":
            return int(key), None
        ends = self._ends[mode]
        sequence = int(np.searchsorted(ends, key, side="right"))
        return sequence, int(key) - int(ends[sequence - 1] if sequence else 0)

    def get_clip_index(
        self, key: int, mode: int, subsamples: Sequence[int] = (2,)
    ) -> list[list[int]]:
        """Returns the frames of all clips of a video, overlapping by about a half.

        As the original: of a video that is too short for a step there is none.

        Args:
            key: Number of the video.
            mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
            subsamples: Steps between the frames of a clip.

        Raises:
            ValueError: if samples are not clips, or a step is below 1.
        """
        self._check_sequences("get_clip_index")
        if not subsamples or min(subsamples) < 1:
            raise ValueError(
                "`subsamples` must be integers of at least 1. "
                f"Received: subsamples={subsamples}"
            )
        length, index = self.num_frames(key, mode), []
        for step in subsamples:
            span, stride = self.clip_size * step, self.clip_size // 2 + step - 1
            for start in range(0, length - span + 1, max(stride, 1)):
                index.append(list(range(start, start + span, step)))
        return index

    def clips(
        self, key: int, mode: int, subsamples: Sequence[int] = (2,)
    ) -> list[list[int]]:
        """Returns `get_clip_index`, or one clip of a video that is too short for it.

        The step of that clip is shortened as `get_clip_frame_index` does.
        """
        index = self.get_clip_index(key, mode, subsamples)
        return index or [self.one_clip(key, mode, min(subsamples))]

    def all_clips(self, key: int, mode: int) -> list[list[int]]:
        """Returns the frames of the clips that together tell of all of a video.

        They are `clips` of the configuration's fixed step.

        Args:
            key: Number of the video.
            mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        """
        return self.clips(key, mode, [self.dataconf.get_fixed_config()["subspl"]])

    def one_clip(self, key: int, mode: int, step: int) -> list[int]:
        """Returns the frames of the clip that stands for a whole video in evaluations.

        It lies in the middle; a step that does not fit is shortened as
        `get_clip_frame_index` does.

        Args:
            key: Number of the video.
            mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
            step: From one frame of the clip to the next.
        """
        self._check_sequences("one_clip")
        return self._frames_of(key, mode, None, step)[1]

    def _check_sequences(self, what: str) -> None:
        if self.topology != "sequences":
            raise ValueError(
                f"`{what}` needs topology='sequences'. Received: {self.topology=}"
            )

    def missing_pictures(self, mode: int) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        missing = []
        for sequence in range(len(self.sequences[mode])):
            numbers = self._numbers(sequence, mode)
            paths = self._paths(sequence, mode, numbers)
            folder = os.path.dirname(paths[0]) if paths else ""
            found = set(os.listdir(folder)) if os.path.isdir(folder) else set()
            missing += [path for path in paths if os.path.basename(path) not in found]
        return sorted(missing)

    def _paths(self, sequence, mode, numbers) -> list[str]:
        """Returns the paths of pictures of a video by their numbers."""
        name = self.name_of(sequence, mode)
        names = [self.pattern.format(name=name, number=int(n)) for n in numbers]
        return [os.path.join(self.dataset_path, *one.split("/")) for one in names]

    def _frames_of(self, key, mode, frame_list, step=1, rng=None):
        """Returns the number of a sample's video and the frames to take.

        Without `frame_list` they are a clip, which lies anywhere if `rng` is given.
        """
        sequence, frame = self._locate(key, mode)
        count = self.num_frames(key, mode)
        name = self.video_name(key, mode)
        if count < 1:
            raise ValueError(f"video {name} must have frames. Received: none")
        if frame_list is None and frame is not None:
            return sequence, [frame]
        if frame_list is None:
            return sequence, self._clip_frames(count, step, rng)
        frames = [int(one) for one in frame_list]
        if not frames or not 0 <= min(frames) <= max(frames) < count:
            raise ValueError(
                f"`frame_list` must hold frames of video {name}, from 0 to {count - 1}."
                f" Received: frame_list={frames}"
            )
        return sequence, frames

    def _clip_frames(self, count, step, rng):
        """Returns the frames of a clip of a video that has `count`, see above."""
        random = rng is not None
        return get_clip_frame_index(count, step, self.clip_size, random, rng)
