"""The files `nturgb+d_numpy/NAME.npy` of NTU RGB+D: one writer, one reader.

A file is a float64 array (n, 151), a row a frame:

    column 0        number of the picture, from 1; images-small/NAME/%05d.jpg has
                    (960, 540) px
    columns 1-75    the 25 joints in the world: all x, all y, all z, m from the sensor
    columns 76-150  the 25 joints in the colour picture of (1920, 1080) px: all x, all
                    y, px, all depths, mm

NaN where there is no body. NAME is SsssCcccPpppRrrrAaaa: setup, camera, person,
repetition, action. Reference: deephar/data/ntu.py of
https://github.com/dluvizon/deephar, which reads the files written here and uses the
columns 0 and 76 to 150 of them; the published files are lost, so that the order of
columns 1 to 75 is ours.
"""

import dataclasses
import os
import pathlib
import re

import numpy as np

from deephar.data.records import check_rising, frame_numbers, shaped
from deephar.utils.fs import whole_path

ACTIONS = (
    "drink water",
    "eat meal/snack",
    "brushing teeth",
    "brushing hair",
    "drop",
    "pickup",
    "throw",
    "sitting down",
    "standing up (from sitting position)",
    "clapping",
    "reading",
    "writing",
    "tear up paper",
    "wear jacket",
    "take off jacket",
    "wear a shoe",
    "take off a shoe",
    "wear on glasses",
    "take off glasses",
    "put on a hat/cap",
    "take off a hat/cap",
    "cheer up",
    "hand waving",
    "kicking something",
    "put something inside pocket / take out something from pocket",
    "hopping (one foot jumping)",
    "jump up",
    "make a phone call/answer phone",
    "playing with phone/tablet",
    "typing on a keyboard",
    "pointing to something with finger",
    "taking a selfie",
    "check time (from watch)",
    "rub two hands together",
    "nod head/bow",
    "shake head",
    "wipe face",
    "salute",
    "put the palms together",
    "cross hands in front (say stop)",
    "sneeze/cough",
    "staggering",
    "falling",
    "touch head (headache)",
    "touch chest (stomachache/heart pain)",
    "touch back (backache)",
    "touch neck (neckache)",
    "nausea or vomiting condition",
    "use a fan (with hand or paper)/feeling warm",
    "punching/slapping other person",
    "kicking other person",
    "pushing other person",
    "pat on back of other person",
    "point finger at the other person",
    "hugging other person",
    "giving something to other person",
    "touch other person's pocket",
    "handshaking",
    "walking towards each other",
    "walking apart from each other",
)
"""The owners' names of the actions A001 to A060."""

JOINT_NAMES = (
    "base of the spine",
    "middle of the spine",
    "neck",
    "head",
    "left shoulder",
    "left elbow",
    "left wrist",
    "left hand",
    "right shoulder",
    "right elbow",
    "right wrist",
    "right hand",
    "left hip",
    "left knee",
    "left ankle",
    "left foot",
    "right hip",
    "right knee",
    "right ankle",
    "right foot",
    "spine",
    "tip of the left hand",
    "left thumb",
    "tip of the right hand",
    "right thumb",
)
"""The owners' names of the joints, in order."""

CROSS_SUBJECT_TRAIN = (
    *(1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38),
)
"""People whose videos are for training under the cross-subject protocol."""
CROSS_VIEW_TRAIN = (2, 3)
"""Cameras whose videos are for training under the cross-view protocol."""

FOLDER = "nturgb+d_numpy"
COLOUR_SIZE = (1920, 1080)
"""(w, h) of the colour pictures that the joints lie in, px."""
SMALL_SIZE = (960, 540)
"""(w, h) of the pictures in images-small/, px."""
NUM_COLUMNS = 1 + 6 * len(JOINT_NAMES)

_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")


def parse_name(
    name: str, last_action: int = len(ACTIONS)
) -> tuple[int, int, int, int, int]:
    """Returns (setup, camera, person, repetition, action) of a video's name.

    Raises:
        ValueError: if it has another form or the action is not A001 to A060, or to
            `last_action`.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(
            "`name` of a video must be like S001C001P001R001A001. "
            f"Received: name={name!r}"
        )
    setup, camera, person, repetition, action = (int(text) for text in match.groups())
    if not 1 <= action <= last_action:
        raise ValueError(
            f"the action of a video must be A001 to A{last_action:03d}. "
            f"Received: name={name!r}"
        )
    return setup, camera, person, repetition, action


@dataclasses.dataclass(frozen=True, eq=False)
class NtuVideo:
    """One video with the joints of one person.

    Attributes:
        name: SsssCcccPpppRrrrAaaa, which names its folder of pictures.
        frames: (n,) numbers of the pictures, from 1, rising; at least one.
        world: (n, 25, 3) x, y, z from the sensor, m; NaN where there is no body.
        image: (n, 25, 3) x, y in the colour picture of (1920, 1080), px, and depth, mm;
            NaN where there is no body.

    Raises:
        ValueError: if the name has another form, a value another shape, or there is no
            frame.
    """

    name: str
    frames: np.ndarray
    world: np.ndarray
    image: np.ndarray

    def __post_init__(self) -> None:
        parse_name(self.name)
        frames = frame_numbers(self.name, self.frames)
        check_rising(self.name, frames)
        if len(frames) < 1:
            raise ValueError(f"{self.name} must have at least one frame. Received: 0")
        object.__setattr__(self, "frames", frames)
        for field in ("world", "image"):
            shape = (len(frames), len(JOINT_NAMES), 3)
            value = shaped(self.name, field, getattr(self, field), shape, np.float64)
            object.__setattr__(self, field, value)

    @property
    def action(self) -> int:
        """Index of the action, from 0."""
        return parse_name(self.name)[4] - 1


def write_ntu(folder: str | os.PathLike, video: NtuVideo) -> pathlib.Path:
    """Writes `nturgb+d_numpy/NAME.npy`; the file appears whole or not at all.

    Args:
        folder: The data set's folder, which must exist.
        video: The video.

    Returns:
        The file's path.

    Raises:
        FileNotFoundError: if the folder does not exist.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"`folder` must exist. Received: folder={str(folder)!r}"
        )
    path = folder / FOLDER / f"{video.name}.npy"
    path.parent.mkdir(exist_ok=True)
    blocks = [
        value.swapaxes(1, 2).reshape(len(value), -1)
        for value in (video.world, video.image)
    ]
    with whole_path(path) as draft, open(draft, "wb") as file:
        np.save(file, np.concatenate([video.frames[:, None], *blocks], axis=1))
    return path


def read_ntu(path: str | os.PathLike) -> NtuVideo:
    """Reads `nturgb+d_numpy/NAME.npy`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is cut short or not laid out as above, naming the file.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no annotation file: {path}")
    try:
        table = np.load(path, allow_pickle=False)
    except (EOFError, OSError, ValueError) as error:
        raise ValueError(f"{path} must be a whole .npy file. {error}") from error
    try:
        table = shaped(path.stem, "the array", table, (None, NUM_COLUMNS), np.float64)
        world, image = (
            block.reshape(len(table), 3, len(JOINT_NAMES)).swapaxes(1, 2)
            for block in np.split(table[:, 1:], 2, axis=1)
        )
        return NtuVideo(path.stem, table[:, 0], world, image)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def count_frames(path: str | os.PathLike) -> int:
    """Returns the number of frames in a file, of which only the head is read.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is cut short or has no frames, naming the file.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no annotation file: {os.fspath(path)}")
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except (EOFError, OSError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} must be a whole .npy file. {error}"
        ) from error
    if len(shape) != 2 or shape[0] < 1 or shape[1] != NUM_COLUMNS:
        raise ValueError(
            f"{os.fspath(path)} must hold an array (n, {NUM_COLUMNS}) of at least one "
            f"frame. Received: shape={shape}"
        )
    return shape[0]
