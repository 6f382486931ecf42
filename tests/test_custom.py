"""CustomPeople and CustomClips over files of own data."""

import os
import pickle

import numpy as np
import pytest
from tiny_custom import content, person, picture, write_tiny_custom
from video_files import write_timed_video, write_video

from deephar.config import DataConfig
from deephar.data import CustomClips, CustomPeople, read_custom
from deephar.data.custom import frames_folder
from deephar.data.custom_format import check_custom
from deephar.utils.modes import TRAIN_MODE, VALID_MODE
from deephar.utils.pose import INVALID, pa16j2d

CONFIG = DataConfig(crop_resolution=(32, 32))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_tiny_custom(tmp_path_factory.mktemp("custom"))


@pytest.fixture(scope="module")
def people(path):
    return CustomPeople(path, "train", CONFIG)


def test_people_are_those_of_pictures_and_of_frames_with_box_and_joints(people, path):
    assert people.get_length(TRAIN_MODE) == 2 + 11 + 8 + 2
    assert people.left_out == {"no joints": 1}
    assert CustomPeople(path, "valid", CONFIG).get_length(VALID_MODE) == 1
    assert people.poselayout.__name__ == "cross" and people.missing_pictures() == []
    assert people.visible.shape == (23, 4) and people.visible[0].tolist() == [
        1,
        1,
        0,
        1,
    ]


def test_a_sample_is_cut_around_the_box_in_the_layout_of_the_data(people):
    sample = people.get_data(0, VALID_MODE)
    assert sample["bbox"].tolist() == [10, 10, 70, 70]
    assert sample["frame"].shape == (32, 32, 3) and sample["pose"].shape == (4, 3)
    assert sample["pose"][0].tolist() == pytest.approx([0.5, 10 / 60, 1])
    assert sample["keypoints"].tolist() == [[40, 20], [60, 40], [20, 40], [40, 60.5]]


def test_a_mirror_exchanges_the_pairs_of_the_layout(path):
    mirrored = DataConfig(crop_resolution=(32, 32), fixed_hflip=1)
    pose = CustomPeople(path, "train", mirrored).get_data(0, VALID_MODE)["pose"]
    assert pose[1, 0] == pytest.approx(50 / 60) and pose[2, 0] == pytest.approx(10 / 60)


def test_the_head_size_is_labelled_or_between_two_joints(people):
    sizes = [people.get_data(key, VALID_MODE)["headsize"].item() for key in (0, 1)]
    assert sizes == [40.5, 12.0]


def test_depth_counts_from_the_first_joint(tmp_path):
    data = content()
    data["layout"] = {**data["layout"], "dim": 3}
    depths = {"top": [0, 0, 3000], "foot": [1, 2, 3500.0]}
    data["pictures"][0]["people"] = [person(joints_3d=depths)]
    path = write_tiny_custom(tmp_path, data)
    pose = CustomPeople(path, "train", CONFIG).get_data(0, VALID_MODE)["pose"]
    assert pose[:, 2].tolist() == [0.5, INVALID, INVALID, 0.75]


def test_spans_are_clips_of_their_own(path):
    clips = CustomClips(path, "train", CONFIG, clip_size=4)
    assert [one.name for one in clips.videos] == ["one", "two, 1 to 4", "two, 3 to 9"]
    assert [clips.action(key, TRAIN_MODE) for key in range(3)] == [0, 1, 0]
    assert clips.left_out == {"no action": 1} and clips.action_labels == ("jump", "sit")
    sample = clips.get_data(1, VALID_MODE)
    assert sample["pose"].shape == (4, 4, 3) and sample["action"].tolist() == [0, 1]
    assert np.isnan(clips.videos[1].boxes[0]).all()


def test_one_reading_serves_several_parts_and_processes(path):
    data = read_custom(path)
    clips = pickle.loads(pickle.dumps(CustomClips(data, "train", CONFIG)))
    assert clips.get_data(0, VALID_MODE)["frame"].shape == (8, 32, 32, 3)
    assert CustomPeople(data, "valid", CONFIG).get_length(VALID_MODE) == 1


def test_frames_of_a_video_are_written_once(tmp_path):
    write_video(tmp_path / "v.mp4", 12, rate=10)
    spans = [
        {"action": "jump", "frames": [2, 5]},
        {"action": "sit", "seconds": [0.6, 1]},
    ]
    labels = [{"frame": 3, "box_xywh": [2, 2, 20, 20], "joints": {"top": [8, 9]}}]
    video = {"name": "v", "video": "v.mp4", "spans": spans, "labels": labels}
    data = {**content(), "clips": [{**video, "split": "train"}]}
    path = write_tiny_custom(tmp_path, data)
    clips = CustomClips(path, "train", CONFIG, clip_size=4)
    assert [len(one.pictures) for one in clips.videos] == [4, 5]
    folder = frames_folder(tmp_path / "v.mp4")
    written = sorted(os.listdir(folder))
    assert written == [f"{n:05d}.jpg" for n in (2, 3, 4, 5, 7, 8, 9, 10, 11)]
    before = (folder / "00003.jpg").stat().st_mtime_ns
    assert CustomPeople(path, "train", CONFIG).get_length(TRAIN_MODE) == 3
    assert (folder / "00003.jpg").stat().st_mtime_ns == before
    assert clips.videos[0].joints[1, 0].tolist() == [8, 9]


@pytest.fixture
def sealed(tmp_path, monkeypatch):
    """Own data with a video beside which no frames can be written."""
    write_video(tmp_path / "v.mp4", 6, rate=10)
    (tmp_path / "v.mp4.frames").write_bytes(b"in the place of the folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    labels = [{"frame": 5, "box_xywh": [2, 2, 20, 20], "joints": {"top": [8, 9]}}]
    spans = [{"action": "jump", "frames": [2, 4]}]
    video = {"name": "v", "video": "v.mp4", "spans": spans, "labels": labels}
    return write_tiny_custom(
        tmp_path, {**content(), "clips": [{**video, "split": "train"}]}
    )


def test_frames_that_cannot_be_beside_their_video_are_in_the_cache(
    sealed, tmp_path, caplog
):
    (video,) = CustomClips(sealed, "train", CONFIG, clip_size=2).videos
    (folder,) = {os.path.dirname(one) for one in video.pictures}
    assert folder.startswith(f"{tmp_path / 'cache' / 'deephar' / 'frames'}{os.sep}")
    assert CustomPeople(sealed, "train", CONFIG).get_length(TRAIN_MODE) == 3
    assert sorted(os.listdir(folder)) == [f"{n:05d}.jpg" for n in (2, 3, 4, 5)]
    told = [one for one in caplog.messages if "whose folder cannot be written" in one]
    assert told == [
        "frames of videos whose folder cannot be written are kept in "
        f"{tmp_path / 'cache' / 'deephar' / 'frames'}"
    ]
    write_video(tmp_path / "v.mp4", 7, rate=10)
    (other,) = CustomClips(sealed, "train", CONFIG, clip_size=2).videos
    assert os.path.dirname(other.pictures[0]) != folder


def test_frames_that_are_whole_beside_their_video_are_read_there(
    sealed, tmp_path, monkeypatch
):
    (tmp_path / "v.mp4.frames").unlink()
    CustomClips(sealed, "train", CONFIG, clip_size=2)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (video,) = CustomClips(sealed, "train", CONFIG, clip_size=2).videos
    folder = frames_folder(tmp_path / "v.mp4")
    assert os.path.dirname(video.pictures[0]) == str(folder)
    (folder / "00003.jpg").unlink()
    (video,) = CustomClips(sealed, "train", CONFIG, clip_size=2).videos
    assert {os.path.dirname(one) for one in video.pictures}.isdisjoint({str(folder)})
    assert all(map(os.path.isfile, video.pictures))


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_seconds_are_those_of_the_frames_where_the_rate_varies(tmp_path, name):
    times = [*range(0, 300, 30), *range(300, 1000, 100)]  # 10 frames fast, 7 slow
    write_timed_video(tmp_path / name, times)
    one = {"video": name, "split": "train"}
    spans = [
        {"action": "jump", "seconds": [0.09, 0.16]},
        {"action": "sit", "seconds": [0.5, 0.96]},
    ]
    clips = [{**one, "name": "spans", "spans": spans}]
    clips.append({**one, "name": "whole", "action": "sit"})
    path = write_tiny_custom(tmp_path, {**content(), "clips": clips})
    assert check_custom(path, look=True).problems == ()
    found = [one.pictures for one in CustomClips(path, "train", CONFIG).videos]
    ends = [[int(os.path.basename(p[i])[:5]) for i in (0, -1)] for p in found]
    assert ends == [[4, 6], [13, 17], [1, 17]]


def test_a_span_may_last_to_the_end_of_its_video(tmp_path):
    write_video(tmp_path / "v.mp4", 5, rate=10)
    video = {"name": "v", "video": "v.mp4", "split": "train"}
    for end, problems in ((0.5, 0), (0.51, 1)):
        spans = [{"action": "jump", "seconds": [0.2, end]}]
        data = {**content(), "clips": [{**video, "spans": spans}]}
        path = write_tiny_custom(tmp_path, data)
        assert len(check_custom(path, look=True).problems) == problems
        if problems:
            with pytest.raises(ValueError, match="clip v: a span must lie in its vid"):
                CustomClips(path, "train", CONFIG)
        else:
            (one,) = CustomClips(path, "train", CONFIG).videos
            assert len(one.pictures) == 3


def test_a_span_beyond_its_video_and_a_video_that_is_not_there(tmp_path):
    write_video(tmp_path / "v.mp4", 5, rate=10)
    video = {"name": "v", "video": "v.mp4", "split": "train"}
    spans = [{"action": "jump", "frames": [2, 6]}]
    path = write_tiny_custom(
        tmp_path, {**content(), "clips": [{**video, "spans": spans}]}
    )
    with pytest.raises(
        ValueError, match=r"clip v: a span must lie in its video of 5 f"
    ):
        CustomClips(path, "train", CONFIG)
    lost = {**video, "video": "no.mp4", "action": "sit"}
    path = write_tiny_custom(tmp_path, {**content(), "clips": [lost]})
    with pytest.raises(FileNotFoundError, match=r"no such video: .*no\.mp4"):
        CustomClips(path, "train", CONFIG)


def test_nobody_another_layout_or_part_is_refused(path, tmp_path):
    with pytest.raises(ValueError, match="`part` must be one of train, valid, test"):
        CustomPeople(path, "val")
    with pytest.raises(ValueError, match=r"json \(test\) must have people to look at"):
        CustomPeople(path, "test")
    with pytest.raises(
        ValueError, match=r"json \(valid\) must have clips with actions"
    ):
        CustomClips(path, "valid")
    with pytest.raises(
        ValueError, match="`poselayout` must be cross. Received: .*pa16"
    ):
        CustomPeople(path, "train", CONFIG, pa16j2d)


def test_a_named_layout_of_coco_may_be_looked_at_with_16_joints(tmp_path):
    joints = {"l_hip": [30, 40], "r_hip": [50, 40]}
    data = {
        **content(),
        "layout": "coco17j",
        "clips": [],
        "pictures": [picture(0, "train", [person(joints=joints)])],
    }
    path = write_tiny_custom(tmp_path, data)
    pose = CustomPeople(path, "train", CONFIG, pa16j2d).get_data(0, VALID_MODE)["pose"]
    assert pose.shape == (16, 3) and pose[0, :2].tolist() == pytest.approx([0.5, 0.5])
