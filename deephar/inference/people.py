"""Where the people of a picture are: by detectors, and by looking at them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment

from deephar.inference.crops import refined
from deephar.inference.looker import Looker, people_of
from deephar.inference.results import Person
from deephar.utils.bbox import checked_box
from deephar.utils.similarity import box_iou, joint_sigmas, mutual_cover, pose_oks

Box = tuple[float, float, float, float]
"""(x1, y1, x2, y2), px of the picture, x1 < x2 and y1 < y2."""

_HOG_SIZE = (64, 128)
"""(w, h) px of the pictures from which OpenCV's detector learned."""

_HOG_PERSON = (0.5, 0.75)
"""Part of them that a person takes: about 96 px of 128 in height, in the middle."""

_HOG_STRIDE = (8, 8)
_HOG_LEVELS = 1.05


LEAST_CONFIDENCE = 0.2
"""Mean confidence of the joints from which a pose counts as a person."""

LEAST_EXTENT = 12.0
"""Px that a pose must be long or wide: of less no pose can be seen, and windows around
poses that are found all the same would become smaller and smaller."""

ALIKE = 0.6
"""OKS from which two poses of one picture are one person's, found twice."""

COVERED = 0.6
"""Part of a box within another one from which on the two are taken for one person's."""


class Detection(NamedTuple):
    """One person who may be in a picture.

    Attributes:
        box: (x1, y1, x2, y2), px; None for somewhere in the picture.
        score: how sure the detector is, in its own unit; None if it does not say.
    """

    box: Box | None
    score: float | None = None


class PeopleDetector(Protocol):
    """What tells where to look for people; any object with this method will do."""

    def detect(self, picture: np.ndarray, number: int) -> Sequence[Detection]:
        """Finds the people of a picture.

        Args:
            picture: `(h, w, 3)` uint8, RGB.
            number: of the picture in its source, from 1.

        Returns:
            A detection for each, the surest first; none where there is nobody.
        """


class WholePicture:
    """One guess: somebody, somewhere in the picture."""

    def detect(self, picture: np.ndarray, number: int) -> list[Detection]:
        """See `PeopleDetector.detect`."""
        return [Detection(None)]


class GivenBoxes:
    """Boxes that are known.

    Args:
        boxes: (x1, y1, x2, y2) px of the people of every picture, or a mapping from
            the number of a picture, from 1, to the boxes of its people; pictures that
            it lacks have none. A box may be a `Detection`, for the sake of its score.

    Raises:
        ValueError: if a box is not four finite numbers, x1 < x2 and y1 < y2.
    """

    def __init__(
        self, boxes: Sequence[Sequence[float]] | Mapping[int, Sequence[Sequence[float]]]
    ):
        self._everywhere, self._by_number = [], {}
        if isinstance(boxes, Mapping):
            self._by_number = {n: _detections(given) for n, given in boxes.items()}
        else:
            self._everywhere = _detections(boxes)

    def detect(self, picture: np.ndarray, number: int) -> list[Detection]:
        """See `PeopleDetector.detect`."""
        return list(self._by_number.get(number, self._everywhere))


class HogDetector:
    """OpenCV's detector of upright people, by histograms of oriented gradients.

    It needs no file of weights. It finds people who stand or walk, seen as a whole, and
    takes some upright things for people.

    Args:
        least_score: distance from the plane between people and other things from which
            a window counts, at least 0.
        longest_side: px to which the longer side of the picture is brought. People must
            then be about 96 px tall at least.
        overlap: boxes whose intersection over union with a better one is above this
            are left out.
        most: people in a picture at most; None for any number.

    Raises:
        ValueError: if an argument is out of its range, or this OpenCV has no such
            detector (OpenCV 5).

    Reference:
        Dalal and Triggs, Histograms of oriented gradients for human detection, CVPR'05.
    """

    def __init__(
        self,
        least_score: float = 0.2,
        longest_side: int = 600,
        overlap: float = 0.4,
        most: int | None = None,
    ):
        if least_score < 0 or longest_side < max(_HOG_SIZE) or not 0 <= overlap <= 1:
            raise ValueError(
                "`least_score` must be at least 0, `longest_side` "
                f"{max(_HOG_SIZE)} and `overlap` within [0, 1]. Received: "
                f"least_score={least_score}, longest_side={longest_side}, "
                f"overlap={overlap}"
            )
        if most is not None and most < 1:
            raise ValueError(f"`most` must be at least 1. Received: most={most}")
        if not hasattr(cv2, "HOGDescriptor"):
            raise ValueError(
                "`HogDetector` needs cv2.HOGDescriptor, which OpenCV 4 has and OpenCV "
                f"5 has not. Received: OpenCV {cv2.__version__}"
            )
        self.least_score, self.longest_side = least_score, longest_side
        self.overlap, self.most = overlap, most
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def detect(self, picture: np.ndarray, number: int) -> list[Detection]:
        """See `PeopleDetector.detect`."""
        height, width = picture.shape[:2]
        scale = self.longest_side / max(height, width)
        size = tuple(max(1, round(scale * length)) for length in (width, height))
        if size[0] < _HOG_SIZE[0] or size[1] < _HOG_SIZE[1]:
            return []
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        boxes, scores = self._hog.detectMultiScale(
            cv2.resize(picture, size, interpolation=how),
            winStride=_HOG_STRIDE,
            scale=_HOG_LEVELS,
        )
        if not len(boxes):
            return []
        scores = np.reshape(scores, -1)
        kept = cv2.dnn.NMSBoxes(boxes, scores, self.least_score, self.overlap)
        order = sorted(np.reshape(kept, -1), key=lambda row: -scores[row])
        return [
            Detection(_person_of(boxes[row] / scale), float(scores[row]))
            for row in order[: self.most]
        ]


class FirstOf:
    """Asks detectors in turn, until one finds somebody.

    Args:
        detectors: who is asked first, second, ...
    """

    def __init__(self, *detectors: PeopleDetector):
        self.detectors = detectors

    def detect(self, picture: np.ndarray, number: int) -> Sequence[Detection]:
        """See `PeopleDetector.detect`."""
        for detector in self.detectors:
            found = detector.detect(picture, number)
            if found:
                return found
        return []


def _auto(most: int | None = None) -> PeopleDetector:
    return FirstOf(HogDetector(most=most), WholePicture())


def _whole(most: int | None = None) -> PeopleDetector:
    return WholePicture()


def _hog(most: int | None = None) -> PeopleDetector:
    return HogDetector(most=most)


DETECTORS: Mapping[str, Callable[..., PeopleDetector]] = {
    "auto": _auto,
    "hog": _hog,
    "whole": _whole,
}
"""Makers of detectors by name; they take `most`, the people in a picture at most.
"auto" takes the whole picture where "hog" finds nobody."""


def look_for_people(
    looker: Looker,
    picture: Image.Image,
    detections: Sequence[Detection],
    *,
    least_confidence: float = LEAST_CONFIDENCE,
    refine: int = 1,
) -> list[Person]:
    """Finds the poses of the people of a picture, looking at all of them at once.

    Args:
        looker: what looks.
        picture: decoded picture in mode RGB.
        detections: where people may be.
        least_confidence: mean confidence of the joints below which there is nobody.
        refine: how often to look again, through a new window about the pose; once more
            if there is a detection without a box.

    Returns:
        Everybody once, in the order of the detections; nobody where nobody is found.

    Raises:
        ValueError: if a box is outside the picture.
    """
    detections = list(detections)
    windows = [looker.window(picture.size, found.box) for found in detections]
    refine += any(found.box is None for found in detections)
    looked = looker.look([picture] * len(windows), windows)
    for _ in range(refine):
        windows = [
            refined(window, joints[:, :2], joints[:, -1], keep=0.0)
            for window, joints in zip(looked.windows, looked.joints[-1], strict=True)
        ]
        if windows == looked.windows:
            break
        looked = looker.look([picture] * len(windows), windows)
    people = [
        dataclasses.replace(person, box=found.box, score=found.score)
        for person, found in zip(
            people_of(looked, looker.poselayout), detections, strict=True
        )
    ]
    return [people[row] for row in distinct(people, least_confidence)]


def distinct(
    people: Sequence[Person], least_confidence: float = LEAST_CONFIDENCE
) -> list[int]:
    """Tells which of some poses are people, and each of them another one.

    Of poses that are alike (`ALIKE`) the one with the highest confidence is kept. Those
    below `LEAST_EXTENT` are nobody's.

    Args:
        people: with poses, of one picture.
        least_confidence: mean confidence of the joints below which there is nobody.

    Returns:
        The numbers of those to keep, in order.
    """
    chosen: list[int] = []
    if not people:
        return chosen
    joints = np.array([person.pose.joints[:, :2] for person in people])
    sure = np.array([np.mean(person.pose.confidence) for person in people])
    good = np.isfinite(joints).all(axis=(1, 2)) & (sure >= least_confidence)
    good &= np.ptp(joints, axis=1).max(axis=1) >= LEAST_EXTENT
    joints[~good] = 0.0
    sigmas = joint_sigmas(people[0].pose.joint_names)
    alike = pose_oks(joints, joints, sigmas) > ALIKE
    for row in np.argsort(-sure, kind="stable"):
        if good[row] and not alike[row, chosen].any():
            chosen.append(int(row))
    return sorted(chosen)


def told_apart(
    detections: Sequence[Detection], bodies: Sequence[Sequence[float]]
) -> tuple[list[Detection], dict[int, Detection]]:
    """Gives detections to the people whose places are known, one to each at most.

    Args:
        detections: of a picture.
        bodies: (x1, y1, x2, y2) px about the joints of the people who are known, as of
            `Tracker.bodies`.

    Returns:
        The detections that are left, of others; those without a box only where nobody
        is known. And the detections of the people who were detected, by their number.
        One of a detection and a person lies within the other by more than `COVERED`.
    """
    boxed = [detection for detection in detections if detection.box is not None]
    if not len(bodies) or not boxed:
        return [] if len(bodies) else list(detections), {}
    boxes = [detection.box for detection in boxed]
    alike = np.where(mutual_cover(boxes, bodies) > COVERED, 1, 0)
    alike = alike * (1 + box_iou(boxes, bodies))
    rows, columns = linear_sum_assignment(alike, maximize=True)
    same = alike[rows, columns] > 0
    known = dict(zip(columns[same].tolist(), rows[same].tolist(), strict=True))
    new = [one for row, one in enumerate(boxed) if row not in known.values()]
    return new, {number: boxed[row] for number, row in sorted(known.items())}


def _person_of(window: np.ndarray) -> Box:
    """The person's box in a window (x, y, w, h) of the detector."""
    x, y, width, height = (float(value) for value in window)
    across, down = (1 - part for part in _HOG_PERSON)
    return (
        *(x + across / 2 * width, y + down / 2 * height),
        *(x + (1 - across / 2) * width, y + (1 - down / 2) * height),
    )


def _detections(boxes: Sequence[Sequence[float]]) -> list[Detection]:
    found = []
    for given in boxes:
        box, score = given if isinstance(given, Detection) else (given, None)
        found.append(Detection(tuple(checked_box(box).tolist()), score))
    return found
