"""What a prediction is: of a person, of a frame; as values, and as plain numbers.

Every class has `to_dict`, for JSON, and `to_json`. The form is that of
`inference.schema`; lengths are rounded to 0.01 px or mm, confidences and scores to
0.0001, and a number that is not finite becomes null.
"""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from deephar.utils.camera import WINDOW_RANGE

_LENGTH, _SHARE, _SECONDS = 2, 4, 6


class _Result:
    """What all have in common."""

    def to_dict(self) -> dict[str, Any]:
        """The result as plain numbers, texts, lists and dictionaries."""
        raise NotImplementedError

    def to_json(self, indent: int | None = None) -> str:
        """The result as JSON.

        Args:
            indent: spaces a level; None for a single line.
        """
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)


@dataclasses.dataclass(frozen=True, eq=False)
class Pose(_Result):
    """One person's pose in a picture.

    Attributes:
        joints: `(joints, dim)` float64, (x, y) in px of the picture; in 3D then z in mm
            behind the depth at which the network puts the root.
        confidence: `(joints,)`, in [0, 1] for networks whose joint probability is the
            sigmoid; any number for "window".
        box: (x1, y1, x2, y2) px of the window that was looked at.
        joint_names: names in the order of `joints`.
    """

    joints: np.ndarray
    confidence: np.ndarray
    box: tuple[float, float, float, float]
    joint_names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The pose as plain numbers for JSON: box; x, y (z), confidence by joint."""
        rows = zip(self.joint_names, self.joints, self.confidence, strict=True)
        axes = "xyz"[: self.joints.shape[1]]
        return {
            "box": _numbers(self.box),
            "joints": {
                name: {
                    **dict(zip(axes, _numbers(point), strict=True)),
                    "confidence": _number(confidence, _SHARE),
                }
                for name, point, confidence in rows
            },
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Pose3D(_Result):
    """One person's pose in space, by the camera's axes: x right, y down, z forward.

    Attributes:
        joints: `(joints, 3)` float64, mm, relative to the root, joint 0, unless
            `placed`.
        layout: of the joints.
        placed: whether the root has its place before the camera.
    """

    joints: np.ndarray
    layout: Any
    placed: bool = False

    @classmethod
    def of_picture(cls, joints: np.ndarray, layout, width: float) -> "Pose3D":
        """The pose of a network that finds x and y in the picture and z in mm.

        How large a person is no picture tells. The window is taken for
        `WINDOW_RANGE` mm wide at the person, as Human3.6M's windows are, whose people
        stand in them as in a box with the margin that predictors give it; and all
        joints are taken to be as far away as the root. A window that is tighter or
        wider than that makes the person smaller or larger, in z as in x and y, and
        so is right in its proportions alone.

        Args:
            joints: `(joints, 3)`, x and y in px of the picture, z in mm.
            layout: of the joints; joint 0 is the root.
            width: of the window in which z has that meaning, px.
        """
        scale = np.array([WINDOW_RANGE / width, WINDOW_RANGE / width, 1.0])
        points = (np.asarray(joints, np.float64) - joints[:1]) * scale
        return cls(points, layout)

    def to_dict(self) -> dict[str, Any]:
        """The joints by name, [x, y, z] mm, and whether they are placed."""
        rows = zip(self.layout.joint_names, self.joints, strict=True)
        return {
            "placed": self.placed,
            "joints": {name: _numbers(point) for name, point in rows},
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Action(_Result):
    """What a person does in a clip.

    Attributes:
        labels: names of the actions.
        scores: `(classes,)` probabilities in the order of `labels`, by name of the
            network's output: a block's, or what is made of all.
        output: the name of the one that counts.
        frames: numbers of the clip's first and last frame, from 1.
    """

    labels: tuple[str, ...]
    scores: Mapping[str, np.ndarray]
    output: str
    frames: tuple[int, int]

    @property
    def answer(self) -> str:
        """The action with the highest score."""
        return self.labels[int(np.argmax(self.scores[self.output]))]

    @property
    def score(self) -> float:
        """The score of the answer."""
        return float(np.max(self.scores[self.output]))

    def to_dict(self) -> dict[str, Any]:
        """Answer, score, output, frames, labels and the scores in their order."""
        return {
            "answer": self.answer,
            "score": _number(self.score, _SHARE),
            "output": self.output,
            "frames": [int(number) for number in self.frames],
            "labels": list(self.labels),
            "scores": {
                name: _numbers(values, _SHARE) for name, values in self.scores.items()
            },
        }


@dataclasses.dataclass(frozen=True)
class Person(_Result):
    """A person in a frame.

    Attributes:
        pose: in the picture; None where it is not known, as behind something.
        box: (x1, y1, x2, y2) px, where the person was said to be; None for anywhere.
        score: how sure the detector was; None of given boxes.
        id: the person's number in a video, from 1, the same in every frame; None where
            nobody is followed.
        pose_3d: in space, of networks that tell it.
        action: what the person does, of networks that tell it.
    """

    pose: Pose | None
    box: tuple[float, float, float, float] | None = None
    score: float | None = None
    id: int | None = None
    pose_3d: Pose3D | None = None
    action: Action | None = None

    def to_dict(self) -> dict[str, Any]:
        """All attributes; None stays None."""
        return {
            "id": None if self.id is None else int(self.id),
            "box": None if self.box is None else _numbers(self.box),
            "score": None if self.score is None else _number(self.score, _SHARE),
            **{
                name: None if part is None else part.to_dict()
                for name, part in (
                    *(("pose", self.pose), ("pose_3d", self.pose_3d)),
                    ("action", self.action),
                )
            },
        }


@dataclasses.dataclass(frozen=True)
class FramePrediction(_Result):
    """What is in a picture, or in a frame of a video.

    Attributes:
        source: the file or camera.
        number: of the frame in it, from 1; 1 for a picture.
        time: s from the beginning of the video; None for pictures.
        size: (w, h), px; (0, 0) of a picture that could not be read.
        people: everybody who was found.
        error: why the frame could not be looked at; None where it could.
    """

    source: str
    number: int
    time: float | None
    size: tuple[int, int]
    people: tuple[Person, ...]
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """All attributes; None stays None."""
        return {
            "source": self.source,
            "number": int(self.number),
            "time": None if self.time is None else _number(self.time, _SECONDS),
            "size": [int(side) for side in self.size],
            "error": self.error,
            "people": [person.to_dict() for person in self.people],
        }


def _number(value: float, digits: int = _LENGTH) -> float | None:
    value = float(value)
    return round(value, digits) if math.isfinite(value) else None


def _numbers(values: Iterable[float], digits: int = _LENGTH) -> list[float | None]:
    return [_number(value, digits) for value in values]
