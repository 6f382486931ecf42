"""The file `annotations.mat` of MPII single-person data, and its one writer.

Two 3 x N MATLAB cell arrays, `annot_tr` (training) and `annot_val` (validation), hold
one column for each picture:

    row 0   rectangles: (k, 1) numbers of the people to use, counted from 1
    row 1   name of the picture below the folder images/
    row 2   annorect: (n, 1) cell array with a (1, 1) struct for each person:
                head (1, 4)     x1 y1 x2 y2 of the head box, px
                objpos (1, 2)   x y of the person's centre, px
                scale (1, 1)    height of the person / 200 px
                pose (2, 16)    x and y of the joints, px; NaN where not labelled
                visible (1, 16) optional: 1 where nothing hides the joint, else 0
                bbox (1, 4)     optional: x1 y1 x2 y2 of the whole person, px

The original has the first four fields and reads those; ours may add the last two, and
a third variable `annot_te` (test), which is described in `deephar.data.mpii_benchmark`.
Joints are in MPII order (`JOINT_NAMES`); left and right are the person's own.
Reference: deephar/data/mpii.py of https://github.com/dluvizon/deephar, which reads
the files written here.
"""

import dataclasses
import os
from collections.abc import Iterable, Sequence

import numpy as np

from deephar.data import mpii_benchmark
from deephar.data.matfile import save_mat

JOINT_NAMES = (
    "r_ankle",
    "r_knee",
    "r_hip",
    "l_hip",
    "l_knee",
    "l_ankle",
    "pelvis",
    "thorax",
    "upper_neck",
    "head_top",
    "r_wrist",
    "r_elbow",
    "r_shoulder",
    "l_shoulder",
    "l_elbow",
    "l_wrist",
)


_SHAPES = {
    "head": (4,),
    "objpos": (2,),
    "pose": (16, 2),
    "visible": (16,),
    "bbox": (4,),
}
_OPTIONAL = ("visible", "bbox")


@dataclasses.dataclass(frozen=True, eq=False)
class MpiiPerson:
    """One annotated person of one picture.

    Attributes:
        picture: File name below the folder images/, relative and without "..".
        head: (4,) x1, y1, x2, y2 of the head box, px.
        objpos: (2,) x, y of the person's centre, px.
        scale: Height of the person / 200 px.
        pose: (16, 2) x, y of the joints in MPII order, px; NaN where not labelled.
        visible: (16,) whether nothing hides the joint, or None where unknown.
        bbox: (4,) x1, y1, x2, y2 of the whole person, px, or None where unknown.

    Raises:
        ValueError: if the name leads out of images/, a value has another shape or is
            not finite, the scale is not positive, or the head box is empty.
    """

    picture: str
    head: np.ndarray
    objpos: np.ndarray
    scale: float
    pose: np.ndarray
    visible: np.ndarray | None = None
    bbox: np.ndarray | None = None

    def __post_init__(self) -> None:
        mpii_benchmark.check_name(self.picture)
        for name, shape in _SHAPES.items():
            if getattr(self, name) is None and name in _OPTIONAL:
                continue
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if value.shape != shape:
                raise ValueError(
                    f"`{name}` of {self.picture} must have the shape {shape}. "
                    f"Received: {name}.shape={value.shape}"
                )
            if name != "pose" and not np.isfinite(value).all():
                raise ValueError(
                    f"`{name}` of {self.picture} must be finite. "
                    f"Received: {name}={value.tolist()}"
                )
            object.__setattr__(self, name, value)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError(
                f"`scale` of {self.picture} must be positive. "
                f"Received: scale={self.scale}"
            )
        if not (self.head[:2] < self.head[2:]).all():
            raise ValueError(
                f"`head` of {self.picture} must be x1, y1, x2, y2 with x1 < x2 and "
                f"y1 < y2. Received: head={self.head.tolist()}"
            )


def write_annotations(
    path: str | os.PathLike,
    train: Iterable[MpiiPerson],
    valid: Iterable[MpiiPerson],
    test: Sequence[mpii_benchmark.BenchmarkPicture] = (),
) -> None:
    """Writes `annotations.mat`; the file appears whole or not at all.

    People that share a picture become one column, at the place of the first of them.

    Args:
        path: The file to write; its folder must exist.
        train: People of `annot_tr`, in order.
        valid: People of `annot_val`, in order.
        test: Pictures of `annot_te`, in order; without any there is no such variable.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
    """
    content = {"annot_tr": _columns(train), "annot_val": _columns(valid)}
    if test:
        content[mpii_benchmark.VARIABLE] = mpii_benchmark.columns(test)
    save_mat(path, content)


def _columns(people: Iterable[MpiiPerson]) -> np.ndarray:
    """Returns a (3, pictures) cell array of the people, grouped by picture."""
    pictures: dict[str, list[MpiiPerson]] = {}
    for person in people:
        pictures.setdefault(person.picture, []).append(person)

    columns = np.empty((3, len(pictures)), dtype=object)
    for i, (picture, group) in enumerate(pictures.items()):
        annorect = np.empty((len(group), 1), dtype=object)
        annorect[:, 0] = [_struct(person) for person in group]
        columns[0, i] = np.arange(1, len(group) + 1, dtype=np.uint16)[:, None]
        columns[1, i] = picture
        columns[2, i] = annorect
    return columns


def _struct(person: MpiiPerson) -> dict[str, np.ndarray]:
    fields = {
        "head": person.head[None],
        "objpos": person.objpos[None],
        "scale": np.array([[person.scale]], dtype=np.float64),
        "pose": person.pose.T,
    }
    for name in _OPTIONAL:
        if getattr(person, name) is not None:
            fields[name] = getattr(person, name)[None]
    return fields
