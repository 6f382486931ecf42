import types

import numpy as np
import pytest
from evaluation_workers import Workers
from tiny_clips import SIZE, write_tiny_penn

from deephar.config import pennaction_pe_dataconf
from deephar.data import PennAction
from deephar.data.boxes import FrameBoxes
from deephar.evaluation.boxes import boxes_by_clip, predict_boxes
from deephar.utils.modes import TEST_MODE

WHOLE = (0, -40, 200, 160)


@pytest.fixture
def penn(tmp_path):
    return PennAction(write_tiny_penn(tmp_path), pennaction_pe_dataconf, clip_size=8)


class Locator:
    """Finds two sure joints 40 px apart, and one far away that is not sure."""

    def __init__(self, confidence=0.3):
        self.confidence = confidence
        self.seen = []

    def __call__(self, pictures, windows):
        self.seen += zip(pictures, windows, strict=True)
        person = [[80, 40, 5, 0.9], [120, 60, 5, self.confidence], [0, 0, 5, 0.2]]
        joints = np.array([np.zeros((3, 4)), person])
        return types.SimpleNamespace(
            joints=np.repeat(joints[:, None], len(pictures), axis=1)
        )


def test_every_frame_has_a_square_around_its_sure_joints(penn):
    locator = Locator()
    found = predict_boxes(locator, penn, TEST_MODE, batch_size=7)
    assert list(found.boxes) == [(0, i) for i in range(24)] + [(1, i) for i in range(9)]
    assert set(found.boxes.values()) == {(70, 20, 130, 80)}
    assert found.nobody == found.unreadable == []
    pictures, windows = zip(*locator.seen, strict=True)
    assert {picture.size for picture in pictures} == {SIZE}
    assert set(windows) == {((100, 60), (200, 200))}


def test_margin_and_confidence_decide_the_box(penn):
    found = predict_boxes(Locator(), penn, TEST_MODE, margin=1)
    assert found.boxes[0, 0] == (80, 30, 120, 70)
    found = predict_boxes(Locator(), penn, TEST_MODE, confidence=0.1)
    assert found.boxes[0, 0] == (-30, -60, 150, 120)


def test_the_whole_picture_is_the_box_where_nobody_is_found(penn):
    found = predict_boxes(Locator(), penn, TEST_MODE, confidence=0.95)
    assert set(found.boxes.values()) == {WHOLE}
    assert len(found.nobody) == 33


def test_the_whole_picture_is_the_box_of_one_that_cannot_be_read(penn, tmp_path):
    (tmp_path / "frames" / "0001" / "000003.jpg").write_bytes(b"no picture")
    found = predict_boxes(Locator(), penn, TEST_MODE)
    assert found.boxes[0, 2] == WHOLE
    assert found.unreadable == [(0, 2)]
    assert found.nobody == []
    (path,) = found.errors
    assert path.endswith("000003.jpg")


def test_workers_that_share_find_what_one_finds(penn):
    one = predict_boxes(Locator(), penn, TEST_MODE, batch_size=5)

    def evaluate(**sharing):
        return predict_boxes(Locator(), penn, TEST_MODE, batch_size=5, **sharing)

    for whole in Workers(evaluate, 3).whole:
        assert whole == one


def test_clips_have_a_box_around_those_of_their_frames(penn):
    frames = {(v, i): (i, 0, i + 10, 20) for v in (0, 1) for i in range(24)}
    boxes = boxes_by_clip(FrameBoxes((frames, {}, {})), penn, TEST_MODE, [1, 2]).boxes
    assert boxes[0, 1, 0, 0] == boxes[0, 1, 0, 1] == (0, 0, 17, 20)
    assert boxes[0, 1, 1, 0] == (4, 0, 21, 20)
    assert boxes[0, 2, 0, 0] == (0, 0, 24, 20)
    videos = [{key[1:3] for key in boxes if key[0] == video} for video in (0, 1)]
    assert videos == [{(1, i) for i in range(5)} | {(2, 0), (2, 1)}, {(1, 0)}]


def test_a_video_too_short_for_a_clip_has_a_box_for_its_shortened_one(penn):
    frames = {(v, i): (i, 0, i + 10, 20) for v in (0, 1) for i in range(24)}
    boxes = boxes_by_clip(FrameBoxes((frames, {}, {})), penn, TEST_MODE, [2]).boxes
    assert boxes[1, 2, 0, 0] == (0, 0, 17, 20)


def test_single_frames_are_refused(penn):
    penn.topology = "frames"
    with pytest.raises(ValueError, match="topology 'sequences'.*'frames'"):
        predict_boxes(Locator(), penn, TEST_MODE)
