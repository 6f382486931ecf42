"""The file `annotations.mat` of Penn Action: one writer, one reader.

Variables, as the original's loader reads them:

    sequences_te, sequences_tr   (1, videos) struct arrays, test and training:
        idx         number of the video; its pictures are frames/%04d/%06d.jpg
        action_id   number of the action, from 1
        frames      (1, n) struct array:
            f               number of the picture, from 1
            w, h            size of the picture, px
            pose (2, 13)    x and y of the joints, px; NaN where there is none
            visible (1, 13) 1 where the joint is to be used, else 0
    action_labels   (1, actions) cell array of names
    joint_labels    (1, 13) cell array of names

Joints are in the owners' order; left and right are the person's own, as the labels
show: where both shoulders are visible, that called r_shoulder here is the left one in
the picture in 97 % of the frames of people seen from the front, in 18 % of those seen
from the back.
Reference: deephar/data/pennaction.py of https://github.com/dluvizon/deephar, which
reads the files written here (a lone video or frame excepted, on which it fails).
"""

import dataclasses
import os
from collections.abc import Iterable, Sequence

import numpy as np

from deephar.data.matfile import (
    cells_of,
    column_of,
    read_mat,
    save_mat,
    struct_array,
    texts_of,
)
from deephar.data.records import (
    Tolerated,
    check_rising,
    first_size,
    frame_numbers,
    note_order,
    picture_size,
    shaped,
)

ACTIONS = (
    "baseball_pitch",
    "baseball_swing",
    "bench_press",
    "bowl",
    "clean_and_jerk",
    "golf_swing",
    "jump_rope",
    "jumping_jacks",
    "pullup",
    "pushup",
    "situp",
    "squat",
    "strum_guitar",
    "tennis_forehand",
    "tennis_serve",
)
"""The actions in the order of the alphabet. The published annotations bring their own
names; whether their order is the same was not tried."""

JOINT_NAMES = (
    "head",
    "r_shoulder",
    "l_shoulder",
    "r_elbow",
    "l_elbow",
    "r_wrist",
    "l_wrist",
    "r_hip",
    "l_hip",
    "r_knee",
    "l_knee",
    "r_ankle",
    "l_ankle",
)

_PARTS = ("sequences_te", "sequences_tr")
_LABELS = ("action_labels", "joint_labels")
_VIDEO_FIELDS = ("idx", "action_id", "frames")
_FRAME_FIELDS = ("f", "w", "h", "pose", "visible")


@dataclasses.dataclass(frozen=True, eq=False)
class PennVideo:
    """One annotated video.

    Attributes:
        number: Number of the video, which names its folder of pictures.
        action: Index of the action, from 0.
        train: Whether it belongs to the training part.
        size: (w, h) of the pictures, px.
        frames: (n,) numbers of the pictures.
        joints: (n, 13, 2) x, y, px; NaN where there is none.
        visible: (n, 13) whether the joint is to be used.

    Raises:
        ValueError: if a value has another shape or range, there is no frame, or a joint
            to be used has no place.
    """

    number: int
    action: int
    train: bool
    size: tuple[int, int]
    frames: np.ndarray
    joints: np.ndarray
    visible: np.ndarray

    def __post_init__(self) -> None:
        owner = f"video {self.number}"
        frames = frame_numbers(owner, self.frames)
        n, joints = len(frames), len(JOINT_NAMES)
        if n < 1:
            raise ValueError(f"{owner} must have at least one frame. Received: 0")
        if self.action < 0:
            raise ValueError(
                f"`action` of {owner} must be at least 0. Received: {self.action}"
            )
        values = {
            "size": picture_size(owner, self.size),
            "frames": frames,
            "joints": shaped(owner, "joints", self.joints, (n, joints, 2), np.float64),
            "visible": shaped(owner, "visible", self.visible, (n, joints), np.bool_),
        }
        lost = values["visible"] & ~np.isfinite(values["joints"]).all(axis=-1)
        if lost.any():
            frame, joint = np.argwhere(lost)[0]
            raise ValueError(
                f"`joints` of {owner} must be finite where `visible` is true. "
                f"Received: {values['joints'][frame, joint].tolist()} for "
                f"{JOINT_NAMES[joint]} of frame {frames[frame]}"
            )
        for name, value in values.items():
            object.__setattr__(self, name, value)


def write_pennaction(
    path: str | os.PathLike,
    videos: Iterable[PennVideo],
    action_labels: Sequence[str] = ACTIONS,
) -> None:
    """Writes `annotations.mat`; the file appears whole or not at all.

    Args:
        path: The file to write; its folder must exist.
        videos: Videos of both parts; each part keeps their order.
        action_labels: Names of the actions.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if an action has no name, two videos have one number, or the numbers
            of the frames do not rise from at least 1.
    """
    parts: tuple[list, list] = ([], [])
    numbers: set[int] = set()
    for video in videos:
        _check_action(video, action_labels)
        check_rising(f"video {video.number}", video.frames)
        if video.number in numbers:
            raise ValueError(
                f"every video must have its own number. Received: {video.number} twice"
            )
        numbers.add(video.number)
        parts[video.train].append(_row(video))
    content = {
        name: struct_array(rows, _VIDEO_FIELDS)
        for name, rows in zip(_PARTS, parts, strict=True)
    }
    content["action_labels"] = cells_of(action_labels)
    content["joint_labels"] = cells_of(JOINT_NAMES)
    save_mat(path, content)


def read_pennaction(
    path: str | os.PathLike,
) -> tuple[list[PennVideo], list[PennVideo], tuple[str, ...]]:
    """Reads `annotations.mat`.

    What the original reads too is let pass, and one line is logged: joints to be used
    that are NaN (they become not visible), frames of several sizes (the first is taken)
    and numbers of frames that do not rise from 1.

    Returns:
        (test, train, action_labels).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not laid out as above, naming the file and the video.
    """
    content = read_mat(path, (*_PARTS, *_LABELS), struct_as_record=True)
    labels = texts_of(content["action_labels"])
    parts, tolerated = [], Tolerated()
    for train, name in enumerate(_PARTS):
        videos = []
        try:
            columns = [column_of(content[name], field) for field in _VIDEO_FIELDS]
            for number, action, frames in zip(*columns, strict=True):
                video = _video(number, action, frames, bool(train), tolerated)
                _check_action(video, labels)
                videos.append(video)
        except (IndexError, TypeError, ValueError) as error:
            place = f"{os.fspath(path)}: {name}, place {len(videos)}"
            raise ValueError(f"{place}: {error}") from error
        parts.append(videos)
    tolerated.log(path)
    return parts[0], parts[1], labels


def _check_action(video, labels):
    if not 0 <= video.action < len(labels):
        raise ValueError(
            f"the action of video {video.number} must be one of {len(labels)}. "
            f"Received: action={video.action}, counted from 0"
        )


def _row(video):
    w, h = video.size
    frames = [
        {"f": int(number), "w": w, "h": h, "pose": joints.T, "visible": visible[None]}
        for number, joints, visible in zip(
            video.frames, video.joints, video.visible.astype(np.uint8), strict=True
        )
    ]
    return {
        "idx": video.number,
        "action_id": video.action + 1,
        "frames": struct_array(frames, _FRAME_FIELDS),
    }


def _video(number, action, frames, train, tolerated):
    columns = {name: column_of(frames, name) for name in _FRAME_FIELDS}
    number = int(np.ravel(number)[0])
    owner = f"video {number}"
    pose = np.stack([np.asarray(value, dtype=np.float64) for value in columns["pose"]])
    shaped(owner, "pose", pose, (None, 2, len(JOINT_NAMES)), np.float64)
    visible = np.stack([np.ravel(value) for value in columns["visible"]])
    visible = shaped(owner, "visible", visible, (None, len(JOINT_NAMES)), np.bool_)
    lost = visible & ~np.isfinite(pose).all(axis=1)
    if lost.any():
        tolerated.add("visible joints without a place", owner)
    numbers = np.concatenate([np.ravel(value) for value in columns["f"]])
    note_order(owner, numbers, tolerated)
    return PennVideo(
        number=number,
        action=int(np.ravel(action)[0]) - 1,
        train=train,
        size=first_size(owner, columns["w"], columns["h"], tolerated),
        frames=numbers,
        joints=pose.swapaxes(1, 2),
        visible=visible & ~lost,
    )
