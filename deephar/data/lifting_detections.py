"""Key points that detectors found in a video, frame by frame.

    NAME.npz    of Detectron and Detectron2, a file a video: boxes (frames, classes) and
                keypoints (frames, classes), for each frame and class arrays (people, 5)
                x1 y1 x2 y2 score and (people, 4, 17), rows x, y, logit, probability;
                people are class 1; metadata {"w", "h"}
    *.json      of the predictors of deephar: {"people": [{"picture", "joints": {NAME:
                {"x", "y", "confidence"}}}]}, or with the picture beside the people

Of several people in a frame the one of the highest score, or of the highest mean
confidence, is taken. Source of the first: the files of VideoPose3D.
"""

import dataclasses
import logging
import os
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from deephar.data.lifting_format import Layout
from deephar.data.pictures import open_picture
from deephar.data.records import are_numbers, read_json
from deephar.utils.messages import shown
from deephar.utils.npz import restricted_npz_object
from deephar.utils.pose import coco17j, h36m17j

logger = logging.getLogger(__name__)

_PERSON = 1
_SHAPES = {"boxes": (5,), "keypoints": (4, 17)}
_NAMED = {"coco": coco17j, "h36m": h36m17j}
"""Names that the files of VideoPose3D have for layouts."""
_OURS = '{"people": [{"picture": ..., "joints": {NAME: {"x", "y", "confidence"}}}]}'
_COCO_NAMES = tuple(coco17j.joint_names)
_SPARSE = 100
"""Frames for each picture that is named; numbers that say more are no frames'."""
_DIGITS = re.compile(r"(\d+)")


@dataclasses.dataclass(frozen=True, eq=False)
class Detections:
    """What was found in a video.

    Attributes:
        keypoints: float64 (frames, key points, 2), px; NaN where nobody was found.
        confidence: (frames, key points); NaN as well.
        size: (w, h) of the pictures, px.
        names: Names of the key points, `l_` and `r_` for the sides; those of COCO for
            Detectron's.
        crowded: Number of frames with several people.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    size: tuple[int, int]
    names: tuple[str, ...]
    crowded: int

    @property
    def found(self) -> np.ndarray:
        """Whether somebody was found, bool (frames,)."""
        return np.isfinite(self.keypoints).all(axis=(1, 2))


def read_detectron(path: str | os.PathLike) -> Detections:
    """Reads a file of Detectron's form.

    A frame without boxes or without key points, as Detectron's None, is one in which
    nobody was found.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file and the frame, if it is laid out otherwise or
            damaged.
    """
    boxes, points = _frames_of(path, "boxes"), _frames_of(path, "keypoints")
    if len(boxes) != len(points):
        raise ValueError(
            f"{path}: boxes and keypoints must be of the same frames. "
            f"Received: {len(boxes)} and {len(points)}"
        )
    found = np.full((len(points), 17, 3), np.nan)
    crowded = 0
    for frame, (scored, people) in enumerate(zip(boxes, points, strict=True)):
        if not len(scored) or not len(people):
            continue
        if len(scored) != len(people):
            raise ValueError(
                f"{path}, frame {frame}: every box must have key points. "
                f"Received: {len(scored)} boxes, key points of {len(people)}"
            )
        found[frame] = people[np.argmax(scored[:, 4])][[0, 1, 3]].T
        crowded += len(people) > 1
    metadata = restricted_npz_object(path, "metadata")
    size = [metadata.get(key) for key in "wh"] if isinstance(metadata, dict) else []
    if not are_numbers(size, (2,)) or not all(1 <= value < 2**31 for value in size):
        raise ValueError(
            f"{path}: metadata must have the pictures' w and h, px. "
            f"Received: {shown(metadata)}"
        )
    size = int(size[0]), int(size[1])
    return Detections(found[..., :2], found[..., 2], size, _COCO_NAMES, crowded)


def read_predictions(
    paths: Iterable[str | os.PathLike], size: tuple[int, int] | None = None
) -> Detections:
    """Reads what deephar's predictors wrote of the pictures of a video.

    Where the pictures' names differ in one number, it is that of the frame, and numbers
    that are left out are frames in which nobody was found. Other names are put in their
    order, numbers in them by their value; nothing tells then of frames left out.

    Args:
        paths: JSON files of the whole video.
        size: (w, h) of the pictures, px; None to look at the pictures themselves.

    Raises:
        OSError: if a file or picture cannot be read.
        ValueError: naming the file, if it is laid out otherwise, the joints are not the
            same everywhere, the pictures differ in size or their numbers do not count
            frames.
    """
    frames: dict[str, list[dict]] = {}
    for path in paths:
        for picture, people in _read_json(path):
            frames.setdefault(picture, []).extend(people)
    named = [tuple(one["joints"]) for people in frames.values() for one in people]
    if len(set(named)) != 1:
        raise ValueError(
            "all people must have the same joints. "
            f"Received: {shown(sorted(set(named))) if named else 'nobody'}"
        )
    sizes = {size} if size else {_size_of(picture) for picture in frames}
    if len(sizes) > 1:
        raise ValueError(
            f"the pictures of a video must have one size. Received: {sorted(sizes)}"
        )
    numbered = _frame_numbers(list(frames))
    found = np.full((max(numbered.values()) + 1, len(named[0]), 3), np.nan)
    crowded = 0
    for picture, frame in numbered.items():
        people = [_points_of(one) for one in frames[picture]]
        if people:
            found[frame] = max(people, key=lambda points: points[:, 2].mean())
        crowded += len(people) > 1
    points, confidence = found[..., :2], found[..., 2]
    return Detections(points, confidence, sizes.pop(), named[0], crowded)


def layout_of(names: Sequence[str], videos: dict | None = None) -> Layout:
    """Returns the layout of key points of these names; `l_` and `r_` are the sides."""
    names = list(names)
    pairs = [
        (row, names.index(f"r_{name[2:]}"))
        for row, name in enumerate(names)
        if name.startswith("l_") and f"r_{name[2:]}" in names
    ]
    left, right = zip(*pairs, strict=True) if pairs else ((), ())
    known = [key for key, one in _NAMED.items() if list(one.joint_names) == names]
    return Layout(len(names), left, right, "".join(known), videos or {})


def _frames_of(path: str | os.PathLike, name: str) -> list[np.ndarray]:
    """Returns numbers of the people in each frame, (people, ...); (0,) for nobody."""
    content = restricted_npz_object(path, name)
    if not isinstance(content, np.ndarray) or not content.ndim or not len(content):
        raise ValueError(
            f"{path}: {name} must be an array (frames, classes) of objects. "
            f"Received: {shown(content)}"
        )
    return [
        _people_in(f"{path}, frame {frame}: {name}", classes, _SHAPES[name])
        for frame, classes in enumerate(content)
    ]


def _people_in(owner: str, classes: Any, shape: tuple[int, ...]) -> np.ndarray:
    classes = () if classes is None else classes
    if not isinstance(classes, list | tuple | np.ndarray) or len(classes) == _PERSON:
        raise ValueError(
            f"{owner} must have people as class {_PERSON}. Received: {shown(classes)}"
        )
    people = classes[_PERSON] if len(classes) else None
    try:
        numbers = np.array([] if people is None else list(people), np.float64)
    except (TypeError, ValueError):
        numbers = np.full(1, np.nan)
    if not numbers.size:
        return np.empty(0)
    if numbers.shape[1:] != shape or not np.isfinite(numbers).all():
        raise ValueError(
            f"{owner} must be finite numbers of the shape (people, "
            f"{', '.join(map(str, shape))}). Received: {shown(people)}"
        )
    return numbers


def _read_json(path: str | os.PathLike) -> list[tuple[str, list[dict]]]:
    """Returns (picture, people in it) of each picture of a file."""
    content = read_json(path)
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list) or not all(map(_is_person, people)):
        raise ValueError(f"{path} must be {_OURS}. Received: {shown(content)}")
    if "picture" in content:
        return [(str(content["picture"]), people)]
    if not all(isinstance(one.get("picture"), str) for one in people):
        raise ValueError(f"{path} must name the picture of all people")
    return [(one["picture"], [one]) for one in people]


def _is_person(value: Any) -> bool:
    joints = value.get("joints") if isinstance(value, dict) else None
    return isinstance(joints, dict) and all(
        isinstance(one, dict)
        and are_numbers([one.get(key) for key in ("x", "y", "confidence")], (3,))
        for one in joints.values()
    )


def _points_of(person: dict) -> np.ndarray:
    rows = person["joints"].values()
    return np.array([[one["x"], one["y"], one["confidence"]] for one in rows])


def _size_of(picture: str) -> tuple[int, int]:
    return open_picture(picture, upright=True).size


def _frame_numbers(pictures: list[str]) -> dict[str, int]:
    """Returns the frame of each picture, from 0."""
    names = [_DIGITS.split(picture) for picture in pictures]
    differ = []
    if len({len(name) for name in names}) == 1:
        columns = list(zip(*names, strict=True))
        differ = [column for column in columns if len(set(column)) > 1]
    if len(differ) == 1 and all(map(str.isdecimal, differ[0])):
        numbers = [int(number) for number in differ[0]]
        if len(set(numbers)) == len(numbers):
            return _checked_frames(pictures, [n - min(numbers) for n in numbers])
    if len(pictures) > 1:
        logger.warning(
            "the names of the pictures, such as %s, do not differ in a number alone: "
            "frames that are left out cannot be told",
            pictures[0],
        )
    ordered = sorted(pictures, key=_by_number)
    return {picture: frame for frame, picture in enumerate(ordered)}


def _checked_frames(pictures: list[str], frames: list[int]) -> dict[str, int]:
    if max(frames) >= _SPARSE * len(frames):
        raise ValueError(
            "the numbers in the names of pictures must count frames, at most "
            f"{_SPARSE} for each picture that is named. Received: {len(frames)} "
            f"pictures, such as {pictures[0]}, for {max(frames) + 1} frames"
        )
    return dict(zip(pictures, frames, strict=True))


def _by_number(name: str) -> list:
    parts = _DIGITS.split(pathlib.PurePath(name).name)
    return [int(part) if part.isdecimal() else part for part in parts]
