"""The file `annotations.mat` of Human3.6M: one writer, one reader.

Variables, as the original's loader reads them:

    sequences_te, sequences_tr, sequences_val   (1, n) struct arrays:
        name                aXX_sXX_eXX_cXX: action, subject, one of two takes, camera;
                            its pictures are images/NAME/%05d.jpg
        camera_parameters   struct: R (3, 3), T (3, 1) place of the camera in the world,
                            mm; f, c (1, 2) px; p (1, 2), k (1, 3) distortion
        frames              (1, n) struct array:
            f               number of the picture, from 1
            w, h            size of the picture, px
            pose3d (3, 32)  x, y, z of the joints in the world, mm
    action_labels   (1, 16) cell array of names; a02 is the second one
    joint_labels    (1, 32) cell array of names

Reference: deephar/data/human36m.py of https://github.com/dluvizon/deephar, which reads
the files written here (a part with a lone sequence or frame excepted).
"""

import dataclasses
import os
import re
from collections.abc import Iterable, Sequence

import numpy as np

from deephar.data.matfile import (
    cells_of,
    column_of,
    read_mat,
    save_mat,
    struct_array,
    text_of,
    texts_of,
)
from deephar.data.records import (
    Tolerated,
    check_rising,
    finite,
    first_size,
    frame_numbers,
    note_order,
    picture_size,
    shaped,
)
from deephar.utils.camera import Camera
from deephar.utils.modes import TEST_MODE

ACTIONS = {
    2: "Directions",
    3: "Discussion",
    4: "Eating",
    5: "Greeting",
    6: "Phoning",
    7: "Posing",
    8: "Purchases",
    9: "Sitting",
    10: "SittingDown",
    11: "Smoking",
    12: "Photo",
    13: "Waiting",
    14: "Walking",
    15: "WalkDog",
    16: "WalkTogether",
}
"""Names of the actions by the number in the sequence's name, a02 to a16."""
ACTION_LABELS = ("All", *ACTIONS.values())
"""Names by the index that a data set gives, number - 1; the owners' 01 is all."""

TEST_SUBJECTS = (2, 3, 4, 10)
TRAIN_SUBJECTS = (1, 5, 6, 7, 8)
VALID_SUBJECTS = (9, 11)

CAMERAS = ("54138969", "55011271", "58860488", "60457274")
"""The owners' names of the cameras c01 to c04."""
SIZES = dict(
    zip(CAMERAS, ((1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002)), strict=True)
)
"""Usual (w, h) of the pictures by camera, px; some videos differ by two rows."""

JOINT_NAMES = tuple(
    "pelvis r_hip r_knee r_ankle r_foot r_toes l_hip l_knee l_ankle l_foot l_toes "
    "spine spine1 neck head head_top "
    "l_collar l_shoul l_elb l_wrist l_thumb l_thumb_end l_hand l_hand_end "
    "r_collar r_shoul r_elb r_wrist r_thumb r_thumb_end r_hand r_hand_end".split()
)

_PARTS = ("sequences_te", "sequences_tr", "sequences_val")
_LABELS = ("action_labels", "joint_labels")
_SEQUENCE_FIELDS = ("name", "camera_parameters", "frames")
_CAMERA_FIELDS = {"R": 9, "T": 3, "f": 2, "c": 2, "p": 2, "k": 3}
_FRAME_FIELDS = ("f", "w", "h", "pose3d")
_NAME = re.compile(r"a(\d\d)_s(\d\d)_e(\d\d)_c(\d\d)")


def parse_name(name: str) -> tuple[int, int, int, int]:
    """Returns (action, subject, take, camera) of a name aXX_sXX_eXX_cXX.

    Raises:
        ValueError: if it has another form or the action is not known.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(
            f"`name` of a sequence must be aXX_sXX_eXX_cXX. Received: name={name!r}"
        )
    action, subject, take, camera = (int(number) for number in match.groups())
    if action not in ACTIONS:
        raise ValueError(
            f"the action of a sequence must be a02 to a16. Received: name={name!r}"
        )
    return action, subject, take, camera


@dataclasses.dataclass(frozen=True, eq=False)
class H36MSequence:
    """What one camera saw of one take.

    Attributes:
        name: aXX_sXX_eXX_cXX, which names its folder of pictures.
        camera: The camera, world in mm.
        frames: (n,) numbers of the pictures.
        size: (w, h) of the pictures, px.
        poses: (n, 32, 3) x, y, z of the joints in the world, mm; NaN where not
            known.

    Raises:
        ValueError: if the name has another form or a value another shape or range.
    """

    name: str
    camera: Camera
    frames: np.ndarray
    size: tuple[int, int]
    poses: np.ndarray

    def __post_init__(self) -> None:
        parse_name(self.name)
        frames = frame_numbers(self.name, self.frames)
        shape = (len(frames), len(JOINT_NAMES), 3)
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "size", picture_size(self.name, self.size))
        poses = shaped(self.name, "poses", self.poses, shape, np.float64)
        object.__setattr__(self, "poses", poses)

    @property
    def action(self) -> int:
        """Index of the action as the original gives it: Directions is 1."""
        return parse_name(self.name)[0] - 1

    @property
    def subject(self) -> int:
        """Number of the person."""
        return parse_name(self.name)[1]


def write_human36m(
    path: str | os.PathLike,
    test: Sequence[H36MSequence],
    train: Sequence[H36MSequence],
    valid: Sequence[H36MSequence],
) -> None:
    """Writes `annotations.mat`; the file appears whole or not at all.

    A camera without distortion is written with zeros for `k` and `p`, which project the
    same.

    Args:
        path: The file to write; its folder must exist.
        test: Sequences of `sequences_te`, in order.
        train: Sequences of `sequences_tr`, in order.
        valid: Sequences of `sequences_val`, in order.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if two sequences have one name, numbers of frames do not rise from
            at least 1, or the pelvis of a training or validation sequence is not
            finite.
    """
    parts = (test, train, valid)
    names = [sequence.name for part in parts for sequence in part]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"every sequence must have its own name. Received: {double} twice"
        )
    for mode, part in enumerate(parts):
        _check_written(part, mode)
    content = {
        name: struct_array([_row(sequence) for sequence in part], _SEQUENCE_FIELDS)
        for name, part in zip(_PARTS, parts, strict=True)
    }
    content["action_labels"] = cells_of(ACTION_LABELS)
    content["joint_labels"] = cells_of(JOINT_NAMES)
    save_mat(path, content)


def read_human36m(
    path: str | os.PathLike,
) -> tuple[list[list[H36MSequence]], tuple[str, ...], tuple[str, ...]]:
    """Reads `annotations.mat`.

    What the original reads too is let pass, and one line is logged: a pelvis, around
    which the pictures are cut, of NaN, frames of several sizes (the first is taken) and
    numbers of frames that do not rise from 1. Test sequences may lack `pose3d`.

    Returns:
        (sequences, action_labels, joint_labels): sequences is a list by mode, test (0),
        training (1), validation (2).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not laid out as above, naming the file and the sequence.
    """
    content = read_mat(path, (*_PARTS, *_LABELS), struct_as_record=True)
    parts, tolerated = [], Tolerated()
    for mode, variable in enumerate(_PARTS):
        sequences: list[H36MSequence] = []
        try:
            columns = [column_of(content[variable], name) for name in _SEQUENCE_FIELDS]
            for row in zip(*columns, strict=True):
                sequences.append(_sequence(*row, mode, tolerated))
        except (IndexError, TypeError, ValueError) as error:
            place = f"{os.fspath(path)}: {variable}, place {len(sequences)}"
            raise ValueError(f"{place}: {error}") from error
        parts.append(sequences)
    tolerated.log(path)
    return parts, texts_of(content["action_labels"]), texts_of(content["joint_labels"])


def _check_written(sequences: Iterable[H36MSequence], mode: int) -> None:
    for sequence in sequences:
        check_rising(sequence.name, sequence.frames)
        if mode != TEST_MODE:
            pelvis = sequence.poses[:, 0]
            finite(sequence.name, "poses", pelvis, " at the pelvis")


def _row(sequence):
    camera, (w, h) = sequence.camera, sequence.size
    bare = camera.k is None
    parameters = {
        "R": camera.R,
        "T": camera.t,
        "f": camera.f,
        "c": camera.c,
        "p": np.zeros((1, 2)) if bare else camera.p,
        "k": np.zeros((1, 3)) if bare else camera.k[None],
    }
    frames = [
        {"f": int(number), "w": w, "h": h, "pose3d": pose.T}
        for number, pose in zip(sequence.frames, sequence.poses, strict=True)
    ]
    return {
        "name": sequence.name,
        "camera_parameters": struct_array([parameters], parameters),
        "frames": struct_array(frames, _FRAME_FIELDS),
    }


def _sequence(name, parameters, frames, mode, tolerated):
    name = text_of(name)
    columns = {
        field: column_of(frames, field, mode == TEST_MODE and field == "pose3d")
        for field in _FRAME_FIELDS
    }
    numbers = [np.ravel(value)[0] for value in columns["f"]]
    note_order(name, numbers, tolerated)
    shape = (3, len(JOINT_NAMES))
    poses = np.full((len(numbers), *shape), np.nan)
    for i, pose in enumerate(columns["pose3d"]):
        if np.size(pose) or mode != TEST_MODE:
            poses[i] = shaped(f"{name}, frame {i}", "pose3d", pose, shape, np.float64)
    if mode != TEST_MODE and not np.isfinite(poses[:, :, 0]).all():
        tolerated.add("a pelvis that is not known", name)
    # Nothing tells the size of a sequence without frames, and nothing needs it.
    sizes = columns["w"], columns["h"]
    size = first_size(name, *sizes, tolerated) if numbers else (1, 1)
    return H36MSequence(
        name, _camera(name, parameters), numbers, size, poses.swapaxes(1, 2)
    )


def _camera(name, parameters):
    owner, values = f"the camera of {name}", []
    for field, size in _CAMERA_FIELDS.items():
        value = np.concatenate([np.ravel(one) for one in column_of(parameters, field)])
        value = shaped(owner, field, value, (size,), np.float64)
        finite(owner, field, value[None], "")
        values.append(value)
    return Camera(*values)
