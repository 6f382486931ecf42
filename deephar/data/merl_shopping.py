"""The labels of the MERL Shopping data set as its owners give them.

A file PERSON_SESSION_label.mat belongs to the video PERSON_SESSION_crop.mp4. It holds
`tlabs`, a cell array (5, 1) with, for each of `ACTIONS`, an array (n, 2) of the first
and last frame of every time that the action is seen, both counted from 1 and both
meant; they are in no order.

Source: B. Singh, T. K. Marks, M. Jones, O. Tuzel, M. Shao: A multi-stream
bi-directional recurrent neural network for fine-grained action detection, CVPR 2016.
"""

import dataclasses
import json
import os
import pathlib
import re
from typing import Any

import numpy as np

from deephar.data.boxed import is_box
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


Boxes = dict[tuple[str, str], list[float]]
"""Boxes x1 y1 x2 y2, px, by the picture's folder and name."""


def read_detections(path: str | os.PathLike) -> Boxes:
    """Reads a detector's JSON: a list of {file_name, boxes, scores}.

    A file name ends in VIDEO/PICTURE; boxes are lists x1, y1, x2, y2, px.

    Returns:
        The box of the highest score of each picture that has one.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file and the entry, if it is of another form.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file of boxes: {path}")
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path} must be a whole JSON file. {error}") from error
    if not isinstance(entries, list):
        raise ValueError(
            f"{path} must hold a list of pictures. Received: {type(entries).__name__}"
        )
    found = {}
    for number, entry in enumerate(entries):
        folder, name, box = _best_box(f"{path}: entry {number}", entry)
        if box is not None:
            found[folder, name] = box
    return found


def _best_box(owner: str, entry: Any) -> tuple[str, str, list[float] | None]:
    fields = entry if isinstance(entry, dict) else {}
    parts = pathlib.PurePosixPath(str(fields.get("file_name"))).parts
    boxes, scores = fields.get("boxes"), fields.get("scores")
    lists = isinstance(boxes, list) and isinstance(scores, list)
    if len(parts) < 2 or not lists or len(boxes) != len(scores):
        raise ValueError(
            f"{owner} must have a `file_name` that ends in VIDEO/PICTURE, and as many "
            f"`boxes` as `scores`. Received: {entry!r:.200}"
        )
    for box in boxes:
        numbers = np.asarray(box, dtype=np.float64) if _is_numbers(box) else np.empty(0)
        size = numbers[2:] - numbers[:2] if numbers.shape == (4,) else ()
        if not is_box((*numbers[:2], *size)):
            raise ValueError(
                f"{owner}: a box must be x1, y1, x2, y2, px, with x1 < x2 and y1 < y2. "
                f"Received: {box!r:.200}"
            )
    if not _is_numbers(scores):
        raise ValueError(
            f"{owner}: `scores` must be numbers. Received: {scores!r:.200}"
        )
    best = boxes[int(np.argmax(scores))] if boxes else None
    return parts[-2], parts[-1], best


def _is_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(one, int | float) and np.isfinite(one) for one in values
    )
