"""Who is who from frame to frame: people followed by their poses."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from deephar.inference.results import Person
from deephar.utils.bbox import overlaps
from deephar.utils.similarity import box_iou, joint_sigmas, pose_oks

_GAIN = 0.3
"""Part of a newly measured velocity in the velocity of a track."""

_WINDOW_GAIN = 0.3
"""Part of a newly measured size in the size of a track's window."""

_MARGIN = 1.2
"""Side of an expected box over the longer side of the joints' box. With the margin that
a predictor gives to boxes it makes the window of `crops.REFINE_MARGIN`."""

_CROWDED = 0.2
"""Intersection over union of two followed people's boxes from which on neither's
velocity is measured: their joints may be mixed up."""


@dataclasses.dataclass
class _Track:
    """Somebody who is followed; px and frames or seconds."""

    id: int
    joints: np.ndarray
    time: float
    side: float
    velocity: np.ndarray
    seen: int = 1
    missed: int = 0

    def at(self, now: float) -> np.ndarray:
        """The joints (joints, 2) where they should be, the pose as it was."""
        return self.joints + self.velocity * (now - self.time)


class Tracker:
    """Gives people ids that stay the same from frame to frame.

    A person goes on at the last velocity, in the last pose. Those who were found are
    given to those who were followed so that the sum of likenesses is largest; the
    likeness of two poses is the mean of their OKS and of the IoU of their joints'
    boxes. Where somebody is not found, as behind somebody else, the track goes on by
    itself for a while. An id is never given to two people.

    Args:
        patience: updates in a row without the person after which a track ends. One
            that was seen fewer times than that ends after as many.
        least: likeness below which two poses are not of one person.
        most: people to follow at once; None for any number. A person beyond it gets no
            id.

    Raises:
        ValueError: if an argument is out of its range.
    """

    def __init__(self, patience: int = 15, least: float = 0.1, most: int | None = None):
        if patience < 0 or not 0 < least <= 1 or (most is not None and most < 1):
            raise ValueError(
                "`patience` must be at least 0, `least` in (0, 1] and `most` at least "
                f"1. Received: patience={patience}, least={least}, most={most}"
            )
        self.patience, self.least, self.most = patience, least, most
        self._tracks: list[_Track] = []
        self._last_id = 0
        self._now, self._step = 0.0, 1.0

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of those who are followed, also of those not found just now."""
        return tuple(track.id for track in self._tracks)

    def update(
        self, people: Sequence[Person], now: float | None = None
    ) -> list[Person]:
        """Tells who the people of the next frame are.

        Args:
            people: those who were found, each with a pose, everybody once.
            now: s, or the number of the frame, later than before; None for one more
                than before.

        Returns:
            The same people in the same order with their ids.

        Raises:
            ValueError: if somebody has no pose, or `now` is not later.
        """
        now = self._later(now)
        joints = _joints_of(people)
        expected = np.array([track.at(now) for track in self._tracks])
        pairs = dict(self._match(expected, joints, people))
        crowded = _crowded(expected)
        ids: list[int | None] = [None] * len(people)
        for number, track in enumerate(self._tracks):
            if number in pairs:
                ids[pairs[number]] = track.id
                _move(track, joints[pairs[number]], now, crowded[number])
            else:
                track.missed += 1
        self._tracks = [
            track
            for track in self._tracks
            if track.missed <= min(self.patience, track.seen)
        ]
        for number, person in enumerate(joints):
            if ids[number] is None:
                ids[number] = self._begin(person, now)
        return [
            dataclasses.replace(person, id=number)
            for person, number in zip(people, ids, strict=True)
        ]

    def expected(
        self, size: tuple[int, int], now: float | None = None
    ) -> list[tuple[int, tuple[float, float, float, float]]]:
        """Where the followed people should be in the next frame.

        Args:
            size: (w, h) of the picture, px. Who has left it is passed over.
            now: as of the update to come; None for as much later as the last one was.

        Returns:
            (id, box) of each, boxes (x1, y1, x2, y2) px: squares about the joints.
        """
        now = self._now + self._step if now is None else now
        found = []
        for track in self._tracks:
            joints = track.at(now)
            center = (joints.min(axis=0) + joints.max(axis=0)) / 2
            half = _MARGIN * track.side / 2
            box = (*(center - half).tolist(), *(center + half).tolist())
            if overlaps(box, size):
                found.append((track.id, box))
        return found

    def _later(self, now: float | None) -> float:
        if now is None:
            now = self._now + 1
        if self._last_id and not now > self._now:
            raise ValueError(
                f"`now` must be later than the last one, {self._now}. "
                f"Received: now={now}"
            )
        if self._last_id:
            self._step = now - self._now
        self._now = float(now)
        return self._now

    def _match(
        self, expected: np.ndarray, joints: np.ndarray, people: Sequence[Person]
    ) -> list[tuple[int, int]]:
        """(track, person) of those who are one."""
        if not len(expected) or not len(joints):
            return []
        sigmas = joint_sigmas(people[0].pose.joint_names)
        alike = pose_oks(expected, joints, sigmas)
        alike = (alike + box_iou(_boxes(expected), _boxes(joints))) / 2
        rows, columns = linear_sum_assignment(alike, maximize=True)
        return [
            (int(row), int(column))
            for row, column in zip(rows, columns, strict=True)
            if alike[row, column] >= self.least
        ]

    def _begin(self, joints: np.ndarray, now: float) -> int | None:
        if self.most is not None and len(self._tracks) >= self.most:
            return None
        self._last_id += 1
        self._tracks.append(
            _Track(self._last_id, joints, now, _side(joints), np.zeros(2))
        )
        return self._last_id


def _move(track: _Track, joints: np.ndarray, now: float, crowded: bool) -> None:
    """Takes in where somebody was found."""
    if not crowded:
        moved = np.median(joints - track.joints, axis=0) / (now - track.time)
        gain = max(_GAIN, 1 / (track.seen + 1))
        track.velocity = track.velocity + gain * (moved - track.velocity)
        track.side += _WINDOW_GAIN * (_side(joints) - track.side)
    track.joints, track.time = joints, now
    track.seen, track.missed = track.seen + 1, 0


def _joints_of(people: Sequence[Person]) -> np.ndarray:
    """The joints in the picture (people, joints, 2), px."""
    missing = [number for number, person in enumerate(people) if person.pose is None]
    if missing:
        raise ValueError(
            f"`people` must have poses to be told from each other by. Received: none "
            f"of the people {missing}"
        )
    return np.array([person.pose.joints[:, :2] for person in people])


def _boxes(joints: np.ndarray) -> np.ndarray:
    return np.concatenate([joints.min(axis=1), joints.max(axis=1)], axis=1)


def _crowded(joints: np.ndarray) -> np.ndarray:
    """Who of some people (people, joints, 2) has another one close by, (people,)."""
    if not len(joints):
        return np.zeros(0, dtype=bool)
    near = box_iou(_boxes(joints), _boxes(joints)) > _CROWDED
    return near.sum(axis=1) > 1


def _side(joints: np.ndarray) -> float:
    return float((joints.max(axis=0) - joints.min(axis=0)).max())
