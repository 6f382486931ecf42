"""Everybody in a video, frame after frame: where, who, in what pose, doing what."""

import collections
import dataclasses
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from deephar.inference.crops import REFINE_MARGIN, Window
from deephar.inference.lifting_stream import LiftingStream
from deephar.inference.looker import Looked, Looker, people_of
from deephar.inference.people import (
    LEAST_CONFIDENCE,
    Detection,
    PeopleDetector,
    distinct,
    look_for_people,
    told_apart,
)
from deephar.inference.results import Action, FramePrediction, Person
from deephar.inference.stream import ActionStream
from deephar.inference.tracking import Tracker
from deephar.utils.bbox import overlaps

logger = logging.getLogger(__name__)

_ROOM = 0.97
"""Part of a window's side in which a person must be for the window to stay."""

_LEAST_SHARE = 0.7
"""Side of the window that the person would get now over that of one that stays."""

_LEAST_SIDE = 16
"""Longer side of the smallest window of somebody who is followed, px."""

_MOST_SHARE = 2.0
"""That of the largest, over the longer side of the picture."""


class Sighting(NamedTuple):
    """Where to look in a frame.

    Attributes:
        window: through which to look.
        box: (x1, y1, x2, y2) px where the detector said that somebody is in this frame;
            None where it said nothing.
        score: the detector's, if it said so.
    """

    window: Window
    box: tuple[float, float, float, float] | None = None
    score: float | None = None


class VideoPredictor:
    """Looks at the frames of one video in their order.

    In every frame all people who are followed are looked at in one batch, each through
    a window of his own, where he is expected: of two people in a window the network
    finds the one in its middle. With `actions` it stays where it is as long as he is
    well inside and alone there: the clip head then sees him move, and not the window.
    Those whom the detector finds besides are looked at alone first, to put a window
    around their poses. Boxes that lie outside the picture are passed over, which is
    logged the first time as a warning.

    Nothing older than a window of the actions, the receptive field of the lifting
    network and the tracker's patience is kept.

    Args:
        looker: a `PosePredictor` or an `ActionPredictor`.
        detector: what tells where people are.
        tracker: who tells who is who; None for one of its own.
        detect_every: frames from one that the detector sees to the next. While nobody
            is followed it sees every frame.
        actions: makes scores of what the looker describes; needs an `ActionPredictor`.
        lifting: lifts the poses; the predictions are then late by its `delay`.
        least_confidence: mean confidence of the joints from which a pose counts as a
            person.
        refine: how often to put a new window around the pose of a new person.
        source: name of the video or camera.
        follow: whether to look for people where they should be by now. Without, as
            where all boxes of a video are known, those whom the detector tells in a
            frame are its people, and nobody else; only who is who follows from the
            frames before.

    Raises:
        ValueError: if `detect_every` is below 1, or the looker describes nothing where
            there are `actions`.
    """

    def __init__(
        self,
        looker: Looker,
        detector: PeopleDetector,
        tracker: Tracker | None = None,
        *,
        detect_every: int = 1,
        actions: ActionStream | None = None,
        lifting: LiftingStream | None = None,
        least_confidence: float = LEAST_CONFIDENCE,
        refine: int = 1,
        source: str = "",
        follow: bool = True,
    ):
        if detect_every < 1:
            raise ValueError(
                f"`detect_every` must be at least 1. Received: {detect_every=}"
            )
        if actions is not None and not hasattr(looker, "action"):
            raise ValueError(
                "`actions` needs an ActionPredictor, which describes people. "
                f"Received: looker={type(looker).__name__}"
            )
        self.looker, self.detector = looker, detector
        self.tracker = Tracker() if tracker is None else tracker
        self.detect_every, self.least_confidence = detect_every, least_confidence
        self.actions, self.lifting, self.refine = actions, lifting, refine
        self.source, self.follow = source, follow
        self._frames, self._outside = 0, False
        self._windows: dict[int, Window] = {}
        self._doing: dict[int, tuple[int, Action]] = {}
        self._numbers = collections.deque(maxlen=actions.span if actions else 1)
        self._late: collections.deque[FramePrediction] = collections.deque()

    def step(
        self, picture: np.ndarray, number: int | None = None, time: float | None = None
    ) -> list[FramePrediction]:
        """Looks at the next frame.

        Args:
            picture: `(h, w, 3)` uint8, RGB.
            number: of the frame, larger than before; None for one more.
            time: s from the beginning of the video; None if not known.

        Returns:
            The predictions that are complete now: of this frame, or where poses are
            lifted of the frame of `delay` frames ago, and of none before.

        Raises:
            ValueError: if the number is not larger than before.
        """
        image = Image.fromarray(picture)
        last = self._numbers[-1] if self._numbers else 0
        number = last + 1 if number is None else number
        if number <= last:
            raise ValueError(
                f"`number` must be larger than before, {last}. Received: {number=}"
            )
        self._numbers.append(number)
        people, looked, detected = self._look(image, picture, number)
        people = self._numbered(people, number, detected)
        rows = [row for row, person in enumerate(people) if person.id is not None]
        people, looked = [people[row] for row in rows], _some(looked, rows)
        ids = [person.id for person in people]
        self._windows |= dict(zip(ids, looked.windows, strict=True))
        for known in (self._windows, self._doing):
            for gone in known.keys() - set(self.tracker.ids):
                del known[gone]
        if self.actions is not None:
            people = self._recognise(ids, people, looked)
        self._frames += 1
        found = FramePrediction(self.source, number, time, image.size, tuple(people))
        return self._lift(found)

    def finish(self) -> list[FramePrediction]:
        """Ends the video.

        Returns:
            The predictions that were still to come, in order.
        """
        found = []
        while self._late:
            self._frames += 1
            found += self._lift(None)
        return found

    def _numbered(
        self, people: list[Person], number: int, detected: list[int]
    ) -> list[Person]:
        """The people with their ids."""
        # To the tracker detections without a score are people wherever they are.
        scores = [person.score for person in people]
        if not self.follow:
            people = [dataclasses.replace(person, score=None) for person in people]
        people = self.tracker.update(people, number, detected)
        return [
            dataclasses.replace(person, score=score)
            for person, score in zip(people, scores, strict=True)
        ]

    def _look(
        self, image: Image.Image, picture: np.ndarray, number: int
    ) -> tuple[list[Person], Looked, list[int]]:
        """Everybody once, with what was seen of them in the same order; who is new."""
        sightings = self._followed(image.size, number) if self.follow else []
        followed = len(sightings)
        if not self.follow:
            sightings = self._new(image, self._within(picture, number, image.size))
        elif self._frames % self.detect_every == 0 or not sightings:
            new, known = self._detected(picture, number, image.size)
            for row, one in known.items():
                sightings[row] = sightings[row]._replace(box=one.box, score=one.score)
            sightings += self._new(image, new)
        windows = [one.window for one in sightings]
        looked = self.looker.look([image] * len(windows), windows)
        people = [
            dataclasses.replace(person, box=one.box, score=one.score)
            for person, one in zip(
                people_of(looked, self.looker.poselayout), sightings, strict=True
            )
        ]
        rows = distinct(people, self.least_confidence)
        detected = [place for place, row in enumerate(rows) if row >= followed]
        return [people[row] for row in rows], _some(looked, rows), detected

    def _within(
        self, picture: np.ndarray, number: int, size: tuple[int, int]
    ) -> list[Detection]:
        """Whom the detector finds in the picture."""
        found = self.detector.detect(picture, number)
        outside = [one.box for one in found if one.box and not overlaps(one.box, size)]
        if outside:
            told = logging.DEBUG if self._outside else logging.WARNING
            logger.log(told, "frame %d: passed over, outside: %s", number, outside[0])
            self._outside = True
            found = [one for one in found if one.box not in outside]
        return found

    def _detected(
        self, picture: np.ndarray, number: int, size: tuple[int, int]
    ) -> tuple[list[Detection], dict[int, Detection]]:
        """Whom the detector finds besides those who are followed, and these by row."""
        found = self._within(picture, number, size)
        there = [key for key, _ in self.tracker.expected(size, number)]
        bodies = self.tracker.bodies(number)
        new, known = told_apart(found, [bodies[key] for key in there])
        self.tracker.confirm([there[row] for row in known])
        return new, known

    def _followed(self, size: tuple[int, int], number: int) -> list[Sighting]:
        """Where the people who are followed are expected."""
        expected, found = self.tracker.expected(size, number), []
        for key, box in expected:
            wanted = bounded(self.looker.window(size, box), size)
            window, others = (
                self._windows.get(key),
                [b for k, b in expected if k != key],
            )
            if self.actions is None or not window or not stays(window, wanted, others):
                window = wanted
            found.append(Sighting(window))
        return found

    def _new(self, image: Image.Image, found: Sequence[Detection]) -> list[Sighting]:
        """Where those are who were not followed before."""
        if not found:
            return []
        people = look_for_people(
            self.looker,
            image,
            found,
            least_confidence=self.least_confidence,
            refine=self.refine,
        )
        return [
            Sighting(Window.of_box(person.pose.box), person.box, person.score)
            for person in people
        ]

    def _recognise(
        self, ids: Sequence[int], people: Sequence[Person], looked: Looked
    ) -> list[Person]:
        """The people with what they do, as of the last window that was due.

        An answer stands until the next is due; who comes back has none meanwhile.
        """
        stream = self.actions
        scores = stream.push(ids, looked.described, looked.windows)
        for key, values in scores.items():
            frames = self._numbers[-stream.seen(key)], self._numbers[-1]
            self._doing[key] = self._frames, self.looker.action(values, frames)
        doing = {
            key: action
            for key, (when, action) in self._doing.items()
            if self._frames - when < stream.every
        }
        return [
            dataclasses.replace(person, action=doing.get(person.id))
            for person in people
        ]

    def _lift(self, found: FramePrediction | None) -> list[FramePrediction]:
        """Takes a frame's prediction, None after the last; gives one that is whole."""
        if self.lifting is None:
            return [] if found is None else [found]
        if found is None:
            poses = self.lifting.push([], (), (), (1, 1))
        else:
            self._late.append(found)
            people = found.people
            joints = [person.pose.joints for person in people]
            sure = [person.pose.confidence for person in people]
            ids = [person.id for person in people]
            poses = self.lifting.push(ids, joints, sure, found.size)
        if self._frames <= self.lifting.delay:
            return []
        whole = self._late.popleft()
        people = (
            dataclasses.replace(person, pose_3d=poses.get(person.id))
            for person in whole.people
        )
        return [dataclasses.replace(whole, people=tuple(people))]


def stays(
    window: Window, wanted: Window, others: Sequence[Sequence[float]] = ()
) -> bool:
    """Whether a person's window may stay where it is.

    Args:
        window: where it is.
        wanted: the window that the person would get now, whose side is `REFINE_MARGIN`
            times the person's.
        others: (x1, y1, x2, y2) px of other people.

    Returns:
        Whether the person is well inside, not much smaller than before, and the middle
        of nobody else's box is there too.
    """
    center, size = np.array(window.center), np.array(window.size)
    half = np.array(wanted.size) / REFINE_MARGIN / 2
    reach = np.abs(np.array(wanted.center) - center) + half
    inside = (reach <= _ROOM * size / 2).all()
    boxes = np.reshape(others, (-1, 4))
    apart = np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - center) > size / 2
    alone = apart.any(axis=1).all()
    return bool(inside and alone and wanted.size[0] >= _LEAST_SHARE * size[0])


def bounded(window: Window, size: tuple[int, int]) -> Window:
    """A window that is not too small or too large to see somebody in.

    Where joints are all found at one point, or all over, the next window would be ever
    smaller or larger.

    Args:
        window: where to look.
        size: (w, h) of the picture, px.
    """
    side = max(window.size)
    share = np.clip(side, _LEAST_SIDE, _MOST_SHARE * max(*size, _LEAST_SIDE)) / side
    return window.changed(float(share), 0.0, 0.0)


def _some(looked: Looked, rows: Sequence[int]) -> Looked:
    """What was seen of some people."""
    return Looked(
        looked.joints[:, rows],
        [looked.windows[row] for row in rows],
        [looked.widths[row] for row in rows],
        tuple(x[rows] for x in looked.described),
    )
