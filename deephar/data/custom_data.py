"""Own data as it is read: pictures and clips of people."""

import dataclasses
from typing import Any

import numpy as np

PARTS = ("train", "valid", "test")
"""What `split` may say."""


@dataclasses.dataclass(frozen=True, eq=False)
class CustomPerson:
    """A person in a picture or frame.

    Attributes:
        box: (x, y, w, h): upper left corner and size, px; None where there is none.
        joints: (num_joints, 2) x, y, px; INVALID where not labelled.
        visible: (num_joints,) bool: labelled, and not hidden.
        joints_3d: (num_joints, 3) x right, y down, z forward from the camera, mm;
            INVALID where not known; None where there are none.
        head_size: Of PCKh, px; NaN where it is not known.
    """

    box: tuple[float, float, float, float] | None
    joints: np.ndarray
    visible: np.ndarray
    joints_3d: np.ndarray | None
    head_size: float


@dataclasses.dataclass(frozen=True, eq=False)
class CustomPicture:
    """A picture and the people in it.

    Attributes:
        path: Of the picture.
        size: (w, h) px; None where the file does not say it.
        part: One of `PARTS`.
        people: Those in it.
    """

    path: str
    size: tuple[int, int] | None
    part: str
    people: tuple[CustomPerson, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Span:
    """What is done in a part of a clip.

    Attributes:
        action: Index of the action, from 0; None where it is not known.
        frames: First and last frame, from 1, both belonging to it; None for the ends.
        seconds: The same in s from the first frame; None where frames are said.
    """

    action: int | None
    frames: tuple[int, int] | None = None
    seconds: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class CustomClip:
    """A person through time.

    Attributes:
        name: What messages call it.
        part: One of `PARTS`.
        size: (w, h) px; None where the file does not say it.
        video: Path of the video; None where the frames are pictures.
        pictures: Path of each frame's picture; none of a video.
        people: By number of the frame, from 1, what is labelled there.
        spans: What is done; one at least.
    """

    name: str
    part: str
    size: tuple[int, int] | None
    video: str | None
    pictures: tuple[str, ...]
    people: dict[int, CustomPerson]
    spans: tuple[Span, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class CustomData:
    """What one file, or all of a folder, hold.

    Attributes:
        files: Their paths.
        layout: Layout of the joints.
        actions: Names of the actions.
        pictures: The pictures.
        clips: The clips.
    """

    files: tuple[str, ...]
    layout: Any
    actions: tuple[str, ...]
    pictures: tuple[CustomPicture, ...]
    clips: tuple[CustomClip, ...]
