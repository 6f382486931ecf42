"""Clips spread over videos of people with boxes, in one window each."""

import dataclasses

import numpy as np
import pytest
from tiny_boxes import BOX, POSE, SIZE, STEP, video

from deephar.config import DataConfig, pennaction_dataconf
from deephar.data.boxed_clips import BoxedClips
from deephar.data.pictures import PictureError
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import INVALID, coco17j, pa16j2d, pa17j3d

CROP = DataConfig(crop_resolution=(64, 64))
LABELS = ("walk", "stand")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return [video(folder, "long", 1, 20), video(folder, "short", None, 3)]


def clips(videos, dataconf=CROP, **options):
    options = {"clip_size": 4, "action_labels": LABELS, **options}
    return BoxedClips("videos", videos, dataconf, **options)


def test_samples_have_the_shapes_that_are_told(videos):
    data = clips(videos)
    for mode in (TEST_MODE, TRAIN_MODE, VALID_MODE):
        assert data.get_length(mode) == 2
        sample = data.get_data(0, mode, rng=np.random.default_rng(0))
        for name, value in sample.items():
            assert value.shape == data.get_shape(name), name
    assert sample["merlaction"].tolist() == [0, 1] and data.action(0, mode) == 1
    assert data.get_data(1, mode)["merlaction"].tolist() == [0, 0]
    assert data.action(1, mode) is None


def test_frames_are_spread_over_the_video_in_evaluations(videos):
    data = clips(videos)
    assert data.get_data(0, TEST_MODE)["frame_list"].tolist() == [2, 7, 12, 17]
    assert data.one_clip(0, TEST_MODE, 1) == [2, 7, 12, 17]
    assert data.one_clip(1, TEST_MODE, 1) == [0, 1, 1, 2]
    one = clips(videos, clip_size=1)
    assert one.one_clip(0, TEST_MODE, 1) == [10]


def test_frames_are_drawn_from_all_over_the_video_in_training(videos):
    data, seen = clips(videos, clip_size=6), set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        frames = data.get_data(0, TRAIN_MODE, rng=rng)["frame_list"].tolist()
        assert frames == sorted(set(frames)) and len(frames) == 6
        seen.update(frames)
    assert seen == set(range(20))
    again = data.get_data(0, TRAIN_MODE, rng=np.random.default_rng(19))
    assert again["frame_list"].tolist() == frames


def test_of_a_short_video_all_frames_are_drawn_and_some_twice(videos):
    data = clips(videos, clip_size=5)
    rng = np.random.default_rng(0)
    frames = data.get_data(1, TRAIN_MODE, rng=rng)["frame_list"].tolist()
    assert sorted(frames) == frames and set(frames) == {0, 1, 2}
    assert sorted(np.bincount(frames)) == [1, 2, 2]


def test_several_clips_of_a_video_share_out_its_frames(videos):
    data = clips(videos)
    assert data.get_clip_index(0, TEST_MODE, [1]) == [[2, 7, 12, 17]]
    both = data.get_clip_index(0, TEST_MODE, [2])
    assert both == [[1, 6, 11, 16], [3, 8, 13, 18]]
    assert data.get_clip_index(0, TEST_MODE, [6]) == []
    assert data.clips(1, TEST_MODE, [1]) == [[0, 1, 1, 2]]
    assert sum(data.all_clips(0, TEST_MODE), []) == [
        *(0, 5, 10, 15, 1, 6, 11, 16, 2, 7, 12, 17, 3, 8, 13, 18, 4, 9, 14, 19)
    ]
    assert data.all_clips(1, TEST_MODE) == [[0, 1, 1, 2]]


def test_the_window_holds_the_boxes_of_the_frames_that_have_one(videos):
    data = clips(videos)
    (x, y), size = data.clip_window(0, TEST_MODE, [0, 1, 5])
    x1, y1, x2, y2 = BOX
    x2 += 5 * STEP
    assert (x, y) == ((x1 + x2) / 2, (y1 + y2) / 2)
    assert size == (1.25 * (y2 - y1),) * 2
    sample = data.get_data(0, TEST_MODE, frame_list=[0, 5])
    side = 1.25 * (y2 - y1)
    expected = [x - side / 2, y - side / 2, x + side / 2, y + side / 2]
    np.testing.assert_allclose(sample["bbox"], expected, rtol=1e-6)


def test_without_a_box_the_window_is_the_picture(videos):
    window = clips(videos).clip_window(0, TEST_MODE, [1])
    assert window == ((SIZE[0] / 2, SIZE[1] / 2), (SIZE[0],) * 2)


def test_drawn_scale_and_shift_move_the_window_as_a_persons(videos):
    fixed = dataclasses.replace(
        CROP, fixed_scale=1.5, fixed_trans_x=40, fixed_trans_y=-10
    )
    (x, y), size = clips(videos, fixed).clip_window(0, TEST_MODE, [0])
    side = 1.25 * (BOX[3] - BOX[1])
    assert size == (1.5 * side,) * 2
    assert x == pytest.approx((BOX[0] + BOX[2]) / 2 + 40 * side / 200)
    assert y == pytest.approx((BOX[1] + BOX[3]) / 2 - 10 * side / 200)


def test_joints_follow_the_window(videos):
    data = clips(videos, poselayout=coco17j)
    sample = data.get_data(0, TEST_MODE, frame_list=[0, 1])
    assert sample["pose"].shape == (2, 17, 3)
    scale = sample["afmat"]
    expected = POSE[:15] @ scale[:2, :2].T + scale[:2, 2]
    np.testing.assert_allclose(sample["pose"][0, :15, :2], expected, atol=1e-5)
    assert (sample["pose"][1, 15, :2] == INVALID).all()
    found = clips(videos).get_data(0, TEST_MODE, frame_list=[0])["pose"][0]
    head, ankle = (pa16j2d.joint_names.index(name) for name in ("head", "l_ankle"))
    assert (found[head, :2] == INVALID).all() and (found[ankle, :2] > 0).all()


def test_videos_without_joints_have_invalid_poses(videos):
    data = clips([dataclasses.replace(videos[0], joints=None)])
    pose = data.get_data(0, TEST_MODE)["pose"]
    assert pose.shape == (4, 16, 3) and (pose[..., :2] == INVALID).all()


def test_steps_of_the_configuration_are_not_used(videos):
    data = clips(videos, pennaction_dataconf)
    assert data.dataconf.get_fixed_config()["subspl"] == 1
    assert data.one_clip(0, TEST_MODE, 1) == [2, 7, 12, 17]


def test_missing_pictures_and_those_of_another_size_are_told(videos):
    absent = dataclasses.replace(
        videos[1], pictures=("no.jpg", *videos[1].pictures[1:])
    )
    assert clips([absent]).missing_pictures(TEST_MODE) == ["no.jpg"]
    assert clips(videos).missing_pictures(TEST_MODE) == []
    other = clips([dataclasses.replace(videos[1], size=(60, 80))])
    with pytest.raises(PictureError, match=r"annotated size \(60, 80\) px"):
        other.get_data(0, TEST_MODE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pictures": ()}, "video long must have frames"),
        (
            {"size": (0, 80)},
            r"`size` of video long must be positive. Received: size=\(",
        ),
        ({"boxes": np.zeros((19, 4))}, r"shape \(20, 4\). Received: boxes.shape=\(19"),
        (
            {"boxes": np.zeros((20, 4))},
            r"x1 < x2 and y1 < y2. Received: \[0.0, .*0.jpg",
        ),
        ({"boxes": np.full((20, 4), np.inf)}, "with x1 < x2"),
        (
            {"boxes": np.tile([0, 0, 1e12, 9], (20, 1))},
            r"none beyond 1e\+06.*1000000000000\.0",
        ),
    ],
)
def test_wrong_videos_are_refused(videos, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(videos[0], **change)


def test_wrong_arguments_are_refused(videos):
    with pytest.raises(ValueError, match="one of 1. Received: action=1"):
        clips(videos, action_labels=("walk",))
    short = dataclasses.replace(videos[0], joints=np.zeros((20, 16, 2)))
    with pytest.raises(ValueError, match=r"shape \(20, 17, 2\). Received: joints"):
        clips([short])
    with pytest.raises(ValueError, match="Received: poselayout=pa17j3d"):
        clips(videos, poselayout=pa17j3d)
    with pytest.raises(ValueError, match=r"at least 1. Received: subsamples=\[0\]"):
        clips(videos).get_clip_index(0, TEST_MODE, [0])
