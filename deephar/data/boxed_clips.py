"""Clips of people with a box in every frame, spread over videos of one action each.

Where the annotations come from is said in `deephar.data.merl`.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.boxed import (
    SHIFT_UNIT,
    check_joints,
    check_layout,
    person_window,
    to_layout,
)
from deephar.data.cache import PictureCache
from deephar.data.clips import Clip, ClipDataset
from deephar.data.records import FARTHEST
from deephar.data.sequences import spread_frames
from deephar.utils.bbox import objposwin_to_bbox
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name
from deephar.utils.pose import coco17j, is_valid, pa16j2d

_UNMOVED = {"transx": 0, "transy": 0}


@dataclasses.dataclass(frozen=True, eq=False)
class BoxedVideo:
    """A video of a person.

    Attributes:
        name: What messages call it.
        action: Index of the action, from 0; None where it is not known.
        pictures: Path of each frame's picture, in order.
        size: (w, h) of the pictures, px.
        boxes: (frames, 4) x1 y1 x2 y2, px; NaN where a frame has no box.
        joints: (frames, num_joints, 2 or 3) x, y, px, and depth, mm, in the order of
            `coco17j` or another layout, INVALID where not labelled; None where no frame
            has labels.

    Raises:
        ValueError: if there is no picture, the size is not positive, or boxes are not
            as they should be.
    """

    name: str
    action: int | None
    pictures: tuple[str, ...]
    size: tuple[int, int]
    boxes: np.ndarray
    joints: np.ndarray | None = None

    def __post_init__(self):
        count, boxes = len(self.pictures), np.asarray(self.boxes, dtype=np.float64)
        if count < 1:
            raise ValueError(f"video {self.name} must have frames. Received: none")
        if not min(self.size) >= 1:
            raise ValueError(
                f"`size` of video {self.name} must be positive. "
                f"Received: size={self.size}"
            )
        if boxes.shape != (count, 4):
            raise ValueError(
                f"`boxes` of video {self.name} must have the shape {(count, 4)}. "
                f"Received: boxes.shape={boxes.shape}"
            )
        absent = np.isnan(boxes).all(axis=1)
        near = (np.abs(boxes) <= FARTHEST).all(axis=1)
        sound = near & (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
        if not (absent | sound).all():
            frame = int(np.argmin(absent | sound))
            raise ValueError(
                f"a box of video {self.name} must be x1, y1, x2, y2, px, none beyond "
                f"{FARTHEST:g}, with x1 < x2 and y1 < y2. "
                f"Received: {boxes[frame].tolist()} of {self.pictures[frame]}"
            )
        object.__setattr__(self, "boxes", boxes)


class BoxedClips(ClipDataset):
    """Videos of people, each looked at through clips of frames from all over it.

    A clip in TRAIN_MODE is made of `clip_size` different frames of the video, drawn and
    sorted; of a shorter video all frames are taken, and some again. In the other modes
    the frames are spread evenly, always the same. Steps between frames are not used.

    The window is one for all frames of a clip: a square around the smallest box that
    holds the boxes of its frames, 1.25 times as long as its longer side. Frames without
    a box are passed over; if none has one, the window is as wide as the longer side of
    the picture. Drawn shifts count in px of a window of 200 px.

    The videos are one part of a data set, the same in every mode.

    Args:
        dataset_path: Folder of the data, for messages.
        videos: The videos.
        dataconf: Size of the crop and augmentation.
        poselayout: `labelled`; where that is `coco17j`, a layout of the 16 joints of
            `pa16j2d` in 2D too.
        clip_size: Frames of a clip.
        action_labels: Names of the actions.
        label: Key of the action in samples: (actions,), 1.0 at the video's; all 0 where
            it is not known.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.
        labelled: Layout of the videos' joints. Depth is from that of its first joint in
            the clip's first frame.

    Attributes:
        videos: The videos.

    Raises:
        ValueError: if an argument breaks these rules.
    """

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        videos: Sequence[BoxedVideo],
        dataconf: DataConfig,
        poselayout: Any = pa16j2d,
        clip_size: int = 8,
        action_labels: Sequence[str] = (),
        label: str = "merlaction",
        cache: PictureCache | None = None,
        labelled: Any = coco17j,
    ):
        plain = dataclasses.replace(dataconf, subsampling=(1,), fixed_subsampling=1)
        super().__init__(
            dataset_path, plain, poselayout, clip_size=clip_size, cache=cache
        )
        check_layout(poselayout, labelled)
        self.labelled = labelled
        self.action_labels = tuple(action_labels)
        self.label = label
        for one in videos:
            if one.joints is not None:
                before = (len(one.pictures),)
                check_joints(f"video {one.name}", one.joints, before, labelled)
            known = one.action is None or 0 <= one.action < len(self.action_labels)
            if not known:
                raise ValueError(
                    f"the action of video {one.name} must be one of "
                    f"{len(self.action_labels)}. Received: action={one.action}"
                )
        self.videos = list(videos)
        modes = (TEST_MODE, TRAIN_MODE, VALID_MODE)
        counts = [len(one.pictures) for one in self.videos]
        self._take(dict.fromkeys(modes, self.videos), dict.fromkeys(modes, counts))

    def _shapes(self):
        return {**super()._shapes(), self.label: (len(self.action_labels),)}

    def name_of(self, sequence, mode):
        """Returns the name of a video."""
        return self.sequences[mode][sequence].name

    def action_of(self, sequence, mode) -> int | None:
        """Returns the index of a video's action, from 0; None where it is not known."""
        return self.sequences[mode][sequence].action

    def _numbers(self, sequence, mode):
        return np.arange(len(self.sequences[mode][sequence].pictures))

    def _paths(self, sequence, mode, numbers):
        pictures = self.sequences[mode][sequence].pictures
        return [pictures[number] for number in numbers]

    def missing_pictures(self, mode: int = VALID_MODE) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        mode_name(mode)
        paths = {path for one in self.videos for path in one.pictures}
        return sorted(path for path in paths if not os.path.isfile(path))

    def clip(self, sequence, mode, frames):
        """Returns some frames of a video; both count from 0."""
        video, frames = self.sequences[mode][sequence], list(frames)
        if video.joints is None:
            shape = (len(frames), self.poselayout.num_joints, 2)
            joints = np.full(shape, np.nan)
        else:
            joints = to_layout(video.joints[frames], self.poselayout, self.labelled)
            joints = np.where(is_valid(joints), joints, np.nan)
        target = np.zeros(len(self.action_labels), np.float32)
        if video.action is not None:
            target[video.action] = 1
        return Clip(
            pictures=self._paths(sequence, mode, frames),
            size=video.size,
            joints=joints,
            box=lambda scale: _clip_box(video.boxes[frames], video.size, scale),
            root_depth=joints[0, 0, 2] if joints.shape[-1] == 3 else np.nan,
            labels={self.label: target},
        )

    def _shift_unit(self, size, scale):
        return max(size) / scale / SHIFT_UNIT

    def get_clip_index(
        self, key: int, mode: int, subsamples: Sequence[int] = (2,)
    ) -> list[list[int]]:
        """Returns the frames of several clips, each spread over the whole video.

        A step n makes n clips that have no frame in common: the frames of one clip of n
        times the size, dealt out by turns. Of a video that has fewer there is none.

        Args:
            key: Number of the video.
            mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
            subsamples: Numbers of clips.

        Raises:
            ValueError: if a number is below 1.
        """
        if not subsamples or min(subsamples) < 1:
            raise ValueError(
                "`subsamples` must be integers of at least 1. "
                f"Received: subsamples={subsamples}"
            )
        length, index = self.num_frames(key, mode), []
        for clips in subsamples:
            number = clips * self.clip_size
            if number <= length:
                frames = spread_frames(length, number)
                index += [frames[first::clips] for first in range(clips)]
        return index

    def all_clips(self, key: int, mode: int) -> list[list[int]]:
        """Returns the frames of as many spread clips as can have none in common."""
        return self.clips(
            key, mode, [max(1, self.num_frames(key, mode) // self.clip_size)]
        )

    def _clip_frames(self, count, step, rng):
        number = self.clip_size
        if rng is None:
            return spread_frames(count, number)
        again = rng.choice(count, number % count, replace=False)
        drawn = np.repeat(np.arange(count), number // count)
        return sorted([*drawn.tolist(), *again.tolist()])


def _clip_box(boxes: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    """Returns the box (4,) of a window around the boxes (frames, 4) of a clip, px."""
    known = boxes[np.isfinite(boxes).all(axis=1)]
    if len(known):
        x1, y1, x2, y2 = *known[:, :2].min(axis=0), *known[:, 2:].max(axis=0)
        box = (x1, y1, x2 - x1, y2 - y1)
        center, side = person_window(box, {"scale": scale, **_UNMOVED})
    else:
        center, side = np.array(size) / 2, scale * max(size)
    return objposwin_to_bbox(center, (side, side))
