"""Who is who from frame to frame: people followed by their poses."""

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from deephar.inference.people import COVERED, Box
from deephar.inference.results import Person
from deephar.utils.bbox import overlaps
from deephar.utils.similarity import (
    box_cover,
    box_iou,
    joint_sigmas,
    mutual_cover,
    pose_oks,
)

_GAINS = (0.35, 0.05)
"""Part of what is measured anew in the place and in the velocity of a track. Small: a
pose that lies between two people who pass each other must not stop either of them."""

_BOX_GAIN = 0.05
"""The same of its box: how large it is, and where its middle lies beside the place."""

_LOST = 0.8
"""Weight of the likeness to somebody who was not found in the last frame: where only
one of two is found, it is the one who was found before."""

_LESS = 0.5
"""Size over that of a followed person below which a pose there is a part of it."""

_DOUBTS = 5
"""Looks of the detector without a person after which another one may have the place."""

_PROBATION = 8
"""Looks of the detector within which it must find somebody new a second time."""

_SURE_GAIN = 0.1
"""Part of a new pose's confidence in that of a track."""

_MARGIN = 1.2
"""Side of an expected box over the longer side of the joints' box. With the margin that
a predictor gives to boxes it makes the window of `crops.REFINE_MARGIN`."""


@dataclasses.dataclass(eq=False)
class _Track:
    """Somebody who is followed; px, and the unit of time that `Tracker.update` gets.

    Attributes:
        shape: (joints, 2) about their median, as last found.
        place: (2,) of the median at `time`.
        middle: (2,) of the box about the joints, beside the place.
        side: the longer one of that box.
        sure: mean confidence of the joints in the last poses.
        seen, missed: updates with the person, and those without since then.
        doubts: looks of the detector since it found the person.
        certain: whether it found the person twice, or need not.
    """

    id: int
    shape: np.ndarray
    place: np.ndarray
    middle: np.ndarray
    side: float
    time: float
    velocity: np.ndarray
    sure: float
    certain: bool
    seen: int = 1
    missed: int = 0
    doubts: int = 0

    @classmethod
    def begin(
        cls, number: int, joints: np.ndarray, now: float, sure: float, certain: bool
    ) -> "_Track":
        """A track of somebody who was found for the first time."""
        place = np.median(joints, axis=0)
        middle, side = _extent(joints)
        shape, beside, still = joints - place, middle - place, np.zeros(2)
        return cls(number, shape, place, beside, side, now, still, sure, certain)

    def place_at(self, now: float) -> np.ndarray:
        """Where the person should be: the median of the joints, (2,)."""
        return self.place + self.velocity * (now - self.time)

    def box(self, now: float) -> Box:
        """The square where the person should be."""
        center = self.place_at(now) + self.middle
        half = _MARGIN * self.side / 2
        return (*(center - half).tolist(), *(center + half).tolist())

    def body(self, now: float) -> Box:
        """The box about the joints where they should be."""
        joints = self.place_at(now) + self.shape
        return (*joints.min(axis=0).tolist(), *joints.max(axis=0).tolist())

    def take(self, joints: np.ndarray, now: float, trust: float, sure: float) -> None:
        """Takes in where the person was found, as far as that is to be trusted."""
        found, expected = np.median(joints, axis=0), self.place_at(now)
        gains = trust * np.maximum(_GAINS, 1 / (self.seen + 1))
        self.place = expected + gains[0] * (found - expected)
        change = (found - expected) / (now - self.time)
        self.velocity = self.velocity + gains[1] * change
        middle, side = _extent(joints)
        self.middle = self.middle + trust * _BOX_GAIN * (middle - found - self.middle)
        self.side += trust * _BOX_GAIN * (side - self.side)
        self.shape, self.time = joints - found, now
        self.seen, self.missed = self.seen + 1, 0
        self.sure += _SURE_GAIN * (sure - self.sure)


class Tracker:
    """Gives people ids that stay the same from frame to frame.

    A person goes on at the last velocity, in the last pose. Those who were found are
    given to those who were followed so that the sum of likenesses is largest; the
    likeness of two poses is the mean of their OKS and of the IoU of their joints'
    boxes. Who was found moves the track, the less the more the pose could be somebody
    else's: two who pass each other go on as before until they have parted. So does for
    a while who is not found, as behind somebody else. A pose that is not that of a
    followed person, but lies on one, or is small and lies about one, begins no track.
    No id is given to two people.

    Args:
        patience: updates in a row without the person after which a track ends. One
            that was seen fewer times than that ends after as many.
        least: likeness below which two poses are not of one person.
        most: people to follow at once; None for any number. A person beyond it gets no
            id, but the place of one whom the detector has not found for long
            (`confirm`), and whose poses were no surer.

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
        self,
        people: Sequence[Person],
        now: float | None = None,
        detected: Collection[int] = (),
    ) -> list[Person]:
        """Tells who the people of the next frame are.

        Args:
            people: those who were found, each with a pose, everybody once.
            now: s, or the number of the frame, later than before; None for one more
                than before.
            detected: the numbers of those of them to whom a detector just pointed.
                Where it gives no score, as with boxes that are known, they are people
                wherever they are.

        Returns:
            The same people in the same order with their ids; None for those who are
            not followed.

        Raises:
            ValueError: if somebody has no pose, or `now` is not later.
        """
        now = self._later(now)
        joints = _joints_of(people)
        sure = [float(np.mean(person.pose.confidence)) for person in people]
        ids = self._follow(now, joints, people, sure)
        self._tracks = [
            track
            for track in self._tracks
            if track.missed <= min(self.patience, track.seen)
        ]
        stray = self._stray(now, joints)
        for number, person in enumerate(people):
            told = number in detected
            if ids[number] is None and (
                not stray[number] or (told and person.score is None)
            ):
                certain = not told or person.score is None
                begin = (joints[number], now, sure[number], certain)
                ids[number] = self._begin(*begin, detected=told)
        self._tracks = [
            track
            for track in self._tracks
            if track.certain or track.doubts < _PROBATION
        ]
        return [
            dataclasses.replace(person, id=number if number in self.ids else None)
            for person, number in zip(people, ids, strict=True)
        ]

    def confirm(self, found: Collection[int]) -> None:
        """Takes in whom of the followed people a detector has found.

        Somebody to whom a detector pointed once, and not again within eight looks, is
        taken for its mistake: the next update is the last one with that person.

        Args:
            found: their ids.
        """
        for track in self._tracks:
            track.certain |= track.id in found
            track.doubts = 0 if track.id in found else track.doubts + 1

    def expected(
        self, size: tuple[int, int], now: float | None = None
    ) -> list[tuple[int, Box]]:
        """Where the followed people should be in the next frame.

        Args:
            size: (w, h) of the picture, px. Who has left it is passed over.
            now: as of the update to come; None for as much later as the last one was.

        Returns:
            (id, box) of each, boxes (x1, y1, x2, y2) px: squares about the joints.
        """
        now = self._now + self._step if now is None else now
        boxes = [(track.id, track.box(now)) for track in self._tracks]
        return [(number, box) for number, box in boxes if overlaps(box, size)]

    def bodies(self, now: float | None = None) -> dict[int, Box]:
        """Where the joints of the followed people should be in the next frame.

        Args:
            now: as of `expected`.

        Returns:
            (x1, y1, x2, y2) px by id.
        """
        now = self._now + self._step if now is None else now
        return {track.id: track.body(now) for track in self._tracks}

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

    def _likeness(
        self, now: float, joints: np.ndarray, people: Sequence[Person]
    ) -> np.ndarray:
        """Likeness of the tracks and the people, (tracks, people)."""
        if not self._tracks or not len(joints):
            return np.zeros((len(self._tracks), len(joints)))
        expected = np.array([t.place_at(now) + t.shape for t in self._tracks])
        sigmas = joint_sigmas(people[0].pose.joint_names)
        alike = pose_oks(expected, joints, sigmas)
        return (alike + box_iou(_boxes(expected), _boxes(joints))) / 2

    def _follow(
        self,
        now: float,
        joints: np.ndarray,
        people: Sequence[Person],
        sure: Sequence[float],
    ) -> list[int | None]:
        """Moves the tracks to those who are followed; the ids of all, or None."""
        alike = self._likeness(now, joints, people)
        chances = np.array([_LOST if track.missed else 1.0 for track in self._tracks])
        rows, columns = linear_sum_assignment(alike * chances[:, None], maximize=True)
        pairs = {
            row: column
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if alike[row, column] >= self.least
        }
        ids: list[int | None] = [None] * len(people)
        for row, track in enumerate(self._tracks):
            if row in pairs:
                column = pairs[row]
                ids[column] = track.id
                others = np.delete(alike[:, column], row).max(initial=0.0)
                trust = max(0.0, 1 - others / alike[row, column])
                track.take(joints[column], now, trust, sure[column])
            else:
                track.missed += 1
        return ids

    def _stray(self, now: float, joints: np.ndarray) -> np.ndarray:
        """Which poses (people,) lie so that they are taken for somebody followed."""
        squares = np.array([track.box(now) for track in self._tracks]).reshape(-1, 4)
        bodies = np.array([track.body(now) for track in self._tracks]).reshape(-1, 4)
        boxes, sides = _boxes(joints), np.array([t.side for t in self._tracks])
        near = box_cover(boxes, squares) > COVERED
        small = np.ptp(joints, axis=1).max(axis=1)[:, None] < _LESS * sides
        return (near & (small | (mutual_cover(boxes, bodies) > COVERED))).any(axis=1)

    def _begin(
        self,
        joints: np.ndarray,
        now: float,
        sure: float,
        certain: bool,
        detected: bool,
    ) -> int | None:
        """Begins a track, if there is room for it; its id."""
        if self.most is not None and len(self._tracks) >= self.most:
            doubtful = [
                track
                for track in self._tracks
                if detected and track.doubts >= _DOUBTS and track.sure <= sure
            ]
            if not doubtful:
                return None
            self._tracks.remove(max(doubtful, key=lambda track: track.doubts))
        self._last_id += 1
        track = _Track.begin(self._last_id, joints, now, sure, certain)
        self._tracks.append(track)
        return self._last_id


def _joints_of(people: Sequence[Person]) -> np.ndarray:
    """The joints in the picture (people, joints, 2), px."""
    missing = [number for number, person in enumerate(people) if person.pose is None]
    if missing:
        raise ValueError(
            f"`people` must have poses to be told from each other by. Received: none "
            f"of the people {missing}"
        )
    if not people:
        return np.zeros((0, 1, 2))
    return np.array([person.pose.joints[:, :2] for person in people])


def _boxes(joints: np.ndarray) -> np.ndarray:
    return np.concatenate([joints.min(axis=1), joints.max(axis=1)], axis=1)


def _extent(joints: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle (2,) and longer side of the box about joints (joints, 2)."""
    low, high = joints.min(axis=0), joints.max(axis=0)
    return (low + high) / 2, float((high - low).max())
