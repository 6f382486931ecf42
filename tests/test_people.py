"""Where people are looked for, and who is found there."""

import cv2
import numpy as np
import pytest
from PIL import Image

from deephar.inference.crops import Window
from deephar.inference.looker import Looked
from deephar.inference.people import (
    DETECTORS,
    Detection,
    FirstOf,
    GivenBoxes,
    HogDetector,
    WholePicture,
    distinct,
    look_for_people,
    told_apart,
)
from deephar.inference.results import Person, Pose
from deephar.utils.pose import pa16j2d
from deephar.utils.similarity import box_iou, joint_sigmas, pose_oks

NAMES = tuple(pa16j2d.joint_names)
BLACK = np.zeros((200, 300, 3), np.uint8)
STANDING = np.column_stack([np.linspace(-10, 10, 16), np.linspace(-40, 40, 16)])


class Sure:
    """A looker who finds the person nearest to the window's middle, if one is near."""

    poselayout = pa16j2d

    def __init__(self, *people):
        self.people = np.array([STANDING + place for place in people])
        self.windows = []

    def window(self, size, box=None):
        x1, y1, x2, y2 = (0, 0, *size) if box is None else box
        side = max(x2 - x1, y2 - y1) * (1 if box is None else 1.25)
        return Window(((x1 + x2) / 2, (y1 + y2) / 2), (side, side))

    def look(self, pictures, windows):
        self.windows.append(windows)
        joints = np.zeros((1, len(windows), 16, 3))
        for row, window in enumerate(windows):
            off = self.people.mean(axis=1) - window.center
            distance = np.linalg.norm(off, axis=1)
            joints[0, row, :, :2] = self.people[distance.argmin()]
            joints[0, row, :, 2] = 0.9 if distance.min() < window.size[0] / 2 else 0.1
        return Looked(joints, list(windows), [w.size[0] for w in windows])


def person(place, confidence=1.0):
    return Person(Pose(STANDING + place, np.full(16, confidence), (0, 0, 9, 9), NAMES))


def test_the_whole_picture_is_one_guess():
    assert WholePicture().detect(BLACK, 1) == [(None, None)]


def test_boxes_are_given_by_picture_or_for_all():
    boxes = GivenBoxes({2: [(1, 2, 3, 4)], 3: [Detection((1, 2, 3, 4), 0.5)]})
    assert boxes.detect(BLACK, 1) == []
    assert boxes.detect(BLACK, 2) == [((1, 2, 3, 4), None)]
    assert boxes.detect(BLACK, 3) == [((1, 2, 3, 4), 0.5)]
    assert GivenBoxes([[1, 2, 3, 4]]).detect(BLACK, 7) == [((1, 2, 3, 4), None)]


@pytest.mark.parametrize("box", [(1, 2, 3), (3, 2, 1, 4), (0, 0, 1, np.nan)])
def test_a_box_must_be_four_numbers_in_order(box):
    with pytest.raises(ValueError, match="x1 y1 x2 y2 in pixels with x1 < x2"):
        GivenBoxes([box])


def upright_figure():
    """A dark figure of 240 px on grey, as simple as the detector takes it."""
    picture = np.full((480, 480, 3), 190, np.uint8)
    cv2.circle(picture, (240, 140), 18, (40, 40, 40), -1)
    cv2.ellipse(picture, (240, 215), (38, 62), 0, 0, 360, (40, 40, 40), -1)
    for x in (222, 258):
        cv2.line(picture, (x, 250), (x - 6 + (x > 240) * 12, 350), (40, 40, 40), 26)
    return picture


def test_hog_finds_an_upright_figure_where_it_stands():
    ((x1, y1, x2, y2), score), *others = HogDetector().detect(upright_figure(), 1)
    assert not others and score > 0.2
    assert abs((x1 + x2) / 2 - 240) < 20 and abs((y1 + y2) / 2 - 240) < 40
    assert 160 < y2 - y1 < 300


def test_hog_finds_nobody_in_an_empty_or_a_tiny_picture():
    assert HogDetector().detect(BLACK, 1) == []
    assert HogDetector().detect(BLACK[:1, :1], 1) == []
    assert HogDetector().detect(BLACK[:2], 1) == []


@pytest.mark.parametrize(
    "wrong", [{"least_score": -1}, {"longest_side": 64}, {"overlap": 2}, {"most": 0}]
)
def test_hog_refuses_arguments_out_of_range(wrong):
    with pytest.raises(ValueError, match=f"Received: .*{next(iter(wrong))}="):
        HogDetector(**wrong)


def test_an_opencv_without_the_detector_is_told(monkeypatch):
    monkeypatch.delattr(cv2, "HOGDescriptor")
    with pytest.raises(ValueError, match=r"OpenCV 5 has not. Received: OpenCV 4\."):
        DETECTORS["hog"]()


def test_the_whole_picture_is_taken_where_hog_finds_nobody():
    auto = DETECTORS["auto"](most=1)
    assert auto.detect(BLACK, 1) == [(None, None)]
    assert auto.detect(upright_figure(), 1)[0].box is not None
    assert FirstOf().detect(BLACK, 1) == []


def test_people_are_looked_at_again_through_windows_about_their_poses():
    looker = Sure((100, 100))
    found = look_for_people(looker, Image.fromarray(BLACK), [Detection(None)])
    assert len(looker.windows) == 2  # the third would be as the second
    assert looker.windows[1][0].center == (100, 100)
    np.testing.assert_allclose(looker.windows[1][0].size, 120)
    assert found[0].box is None and found[0].pose.confidence[0] == 0.9


def test_a_person_who_is_detected_twice_is_found_once():
    looker = Sure((100, 100), (200, 100))
    boxes = [(80, 60, 120, 140), (90, 50, 125, 150), (180, 60, 220, 140)]
    detections = [Detection(box, score) for score, box in enumerate(boxes, 1)]
    found = look_for_people(looker, Image.fromarray(BLACK), detections)
    assert [one.score for one in found] == [1, 3]
    assert [one.box for one in found] == [boxes[0], boxes[2]]


def test_where_nobody_is_nobody_is_found():
    looker = Sure((1000, 1000))
    found = look_for_people(looker, Image.fromarray(BLACK), [Detection((1, 1, 9, 9))])
    assert found == []
    assert look_for_people(looker, Image.fromarray(BLACK), []) == []


def test_of_two_poses_alike_the_surer_one_is_kept():
    people = [person((0, 0), 0.5), person((1, 1), 0.9), person((60, 0), 0.3)]
    assert distinct(people) == [1, 2]
    assert distinct(people, least_confidence=0.4) == [1]
    assert distinct([person((np.nan, 0)), person((0, 0), 0.2)]) == [1]
    assert distinct([]) == []


def test_who_is_known_is_not_detected_anew():
    known = [(500, 0, 600, 100), (0, 0, 100, 100)]
    inside, beside = Detection((20, 0, 60, 100)), Detection((70, 0, 170, 100))
    assert told_apart([inside, beside, Detection(None)], known) == (
        *([beside], {1: inside}),
    )
    assert told_apart([inside, Detection(None)], []) == ([inside, (None, None)], {})
    assert told_apart([Detection(None)], known) == ([], {})


def test_a_known_person_takes_one_detection_the_likest():
    child, adult = Detection((40, 50, 60, 100)), Detection((0, 0, 100, 110))
    assert told_apart([child, adult], [(0, 0, 100, 100)]) == (*([child], {0: adult}),)


def test_likeness_of_boxes_and_poses():
    boxes = [(0, 0, 2, 2), (1, 0, 3, 2), (5, 5, 5, 5)]
    np.testing.assert_allclose(
        box_iou(boxes, boxes), [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]]
    )
    sigmas = joint_sigmas(NAMES)
    assert sigmas[NAMES.index("l_knee")] == 0.087
    poses = np.stack([STANDING, STANDING + (5, 0)])
    area = 0.5 * 80 * 80 / 3
    expected = np.exp(-25 / (8 * area * sigmas**2)).mean()
    np.testing.assert_allclose(pose_oks(poses, poses, sigmas)[0], [1, expected])
