"""The labels of the MERL Shopping data set as its owners give them.

A file PERSON_SESSION_label.mat belongs to the video PERSON_SESSION_crop.mp4. It holds
`tlabs`, a cell array (5, 1) with, for each of `ACTIONS`, an array (n, 2) of the first
and last frame of every time that the action is seen, both counted from 1 and both
meant; they are in no order.

Source: B. Singh, T. K. Marks, M. Jones, O. Tuzel, M. Shao: A multi-stream
bi-directional recurrent neural network for fine-grained action detection, CVPR 2016.
"""

import dataclasses
import os
import pathlib
import re

import numpy as np

from deephar.data.matfile import read_mat

ACTIONS = (
    *("ReachToShelf", "RetractFromShelf", "HandInShelf"),
    *("InspectProduct", "InspectShelf"),
)
"""The actions, in the order of the labels."""
PARTS = {"train": range(1, 21), "val": range(21, 27), "test": range(27, 42)}
"""The people of each part."""
_LABEL = re.compile(r"(\d+)_(\d+)_label\.mat")


@dataclasses.dataclass(frozen=True, order=True)
class Interval:
    """A time at which an action is seen.

    Attributes:
        first, last: Its first and last frame, from 1.
        action: Index in `ACTIONS`.
    """

    first: int
    last: int
    action: int

    def frames(self, every: int = 1) -> range:
        """Returns the numbers of every so-many-th frame, from the first."""
        return range(self.first, self.last + 1, every)


@dataclasses.dataclass(frozen=True)
class Labels:
    """What the owners say of a video.

    Attributes:
        path: The file.
        person, session: From its name.
        intervals: In the order of their first frames.
    """

    path: pathlib.Path
    person: int
    session: int
    intervals: tuple[Interval, ...]

    @property
    def video(self) -> str:
        """Name of the video: PERSON_SESSION_crop."""
        return f"{self.person}_{self.session}_crop"

    @property
    def part(self) -> str:
        """Name of the part: train, val or test."""
        return next(name for name, people in PARTS.items() if self.person in people)

    def frames(self, every: int = 1) -> set[int]:
        """Returns the numbers of all frames that `Interval.frames` gives."""
        return {number for one in self.intervals for number in one.frames(every)}


def read_labels(path: str | os.PathLike) -> Labels:
    """Reads the labels of a video.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if its name or content is of another form, or the
            person is in no part.
    """
    path = pathlib.Path(path)
    name = _LABEL.fullmatch(path.name)
    person = int(name.group(1)) if name else 0
    if not any(person in people for people in PARTS.values()):
        raise ValueError(
            f"{path} must be named PERSON_SESSION_label.mat, with a person from 1 to "
            f"{PARTS['test'][-1]}"
        )
    cells = read_mat(path, ("tlabs",))["tlabs"]
    if cells.dtype != object or cells.size != len(ACTIONS):
        raise ValueError(
            f"{path}: `tlabs` must be a cell array ({len(ACTIONS)}, 1). "
            f"Received: {cells.dtype} {cells.shape}"
        )
    intervals = []
    for action, cell in enumerate(cells.ravel()):
        intervals += _intervals(f"{path}: {ACTIONS[action]}", action, cell)
    return Labels(path, person, int(name.group(2)), tuple(sorted(intervals)))


def _intervals(owner: str, action: int, cell: np.ndarray) -> list[Interval]:
    if cell.size == 0:
        return []
    if cell.ndim != 2 or cell.shape[1] != 2 or cell.dtype.kind not in "uif":
        raise ValueError(
            f"{owner} must be numbers (n, 2), first and last frames. "
            f"Received: {cell.dtype} {cell.shape}"
        )
    values = cell.astype(np.float64)
    whole = np.isfinite(values).all(axis=1) & (values == np.round(values)).all(axis=1)
    sound = whole & (values[:, 0] >= 1) & (values[:, 0] <= values[:, 1])
    if not sound.all():
        bad = values[int(np.argmin(sound))].tolist()
        raise ValueError(
            f"{owner}: an interval must be whole numbers from 1, the last frame not "
            f"before the first. Received: {bad}"
        )
    return [Interval(int(first), int(last), action) for first, last in values]
