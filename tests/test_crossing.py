"""Two generated people who pass each other."""

import json

import numpy as np
import pytest
from scripts import REPOSITORY, load

from deephar.data.synthetic.crossing import make_crossing, write_crossing
from deephar.data.videos import Video
from deephar.inference import Person, Pose
from deephar.utils.pose import pa16j2d

SIZE = (160, 96)


@pytest.fixture(scope="module")
def frames():
    return list(make_crossing(3, 9, SIZE))[::4]


def test_they_pass_each_other_in_the_middle():
    long = list(make_crossing(0, 60, (64, 48)))[::29]
    x = np.array([frame.joints[:, 0, 0] for frame in long])
    assert x[0, 0] + 5 < x[0, 1] and abs(x[1, 0] - x[1, 1]) < 2
    assert x[2, 0] > x[2, 1] + 5


def test_joints_lie_in_the_boxes_and_the_one_in_front_hides_the_other(frames):
    for frame in frames:
        low, high = frame.joints.min(axis=1), frame.joints.max(axis=1)
        assert (low >= frame.boxes[:, :2] - 1).all()
        assert (high <= frame.boxes[:, 2:] + 1).all()
        assert frame.picture.shape == (*SIZE[::-1], 3)
    middle = frames[1].visible.sum(axis=1)
    assert middle[0] > middle[1]


def test_the_same_arguments_give_the_same_frames(frames):
    again = list(make_crossing(3, 9, SIZE))[0]
    np.testing.assert_array_equal(again.picture, frames[0].picture)


def test_the_truth_is_written_beside_the_video(tmp_path, frames):
    assert write_crossing(tmp_path / "two.mp4", 3, 9, SIZE) == 9
    with Video(tmp_path / "two.mp4") as video:
        assert video.info.size == SIZE
    truth = json.loads((tmp_path / "two.json").read_text(encoding="utf-8"))
    assert truth["generated"] and len(truth["frames"]) == 9
    np.testing.assert_allclose(
        truth["frames"][4][1]["joints"], frames[1].joints[1], atol=0.01
    )


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="Received: seed=-1, frames=5"):
        next(make_crossing(-1, 5))


def walk_past(ids):
    """The figures of a tracker that gives `ids` (frames, 2) to the true poses."""
    benchmark = load("exp/benchmark/crossings.py")
    frames = list(make_crossing(1, 31, (64, 48)))[::3]
    names = tuple(pa16j2d.joint_names)
    found = [
        [
            Person(Pose(joints, np.ones(16), (0, 0, 9, 9), names), id=number)
            for joints, number in zip(frame.joints, given, strict=True)
            if number
        ]
        for frame, given in zip(frames, ids, strict=True)
    ]
    return benchmark.score(frames, found)


def test_kept_and_swapped_ids_are_counted(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "exp/benchmark"))
    kept = walk_past([[4, 7]] * 11)
    assert (kept["kept"], kept["swapped"], kept["ids"]) == (2, 0, 2)
    assert kept["seen_before"] == kept["seen_after"] == 1
    swapped = walk_past([[4, 7]] * 5 + [[7, 4]] * 6)
    assert (swapped["kept"], swapped["swapped"], swapped["ids"]) == (0, 2, 2)
    lost = walk_past([[4, 7]] * 5 + [[4, 0]] * 6)
    assert (lost["kept"], lost["swapped"], lost["seen_after"]) == (1, 0, 0.5)
