"""Clips through the pipeline: one window and one augmentation, errors, evaluation."""

import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

from deephar.config import DataConfig
from deephar.data import Human36M, Ntu, PennAction, PictureError, open_cache
from deephar.data.pictures import PictureFile
from deephar.utils.modes import TEST_MODE, TRAIN_MODE
from deephar.utils.pose import INVALID, pa17j3d

PLAIN = DataConfig(crop_resolution=(32, 32))
CONFIG = DataConfig(
    crop_resolution=(32, 32),
    angles=(-20, 0, 20),
    scales=(0.8, 1.0, 1.3),
    trans_x=(-8, 0, 8),
    subsampling=(1, 2),
    geoocclusion=(6, 8),
)
CLASSES = {"penn": PennAction, "h36m": Human36M, "ntu": Ntu}


def make(name, folders, config=CONFIG, **options):
    options = {"clip_size": 4, **options}
    if name != "h36m":
        options.setdefault("use_gt_bbox", True)
    return CLASSES[name](folders[name], config, **options)


@pytest.fixture
def penn_copy(clip_folders, tmp_path):
    """A folder of Penn Action that a test may damage."""
    shutil.copytree(clip_folders["penn"], tmp_path / "penn")
    return {"penn": tmp_path / "penn"}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("topology", ["sequences", "frames"])
def test_samples_have_the_stated_shapes(name, topology, clip_folders):
    data = make(name, clip_folders, topology=topology)
    sample = data.get_data(1, TEST_MODE)
    blank = data.get_blank_data(1, TEST_MODE)
    shapes = {key: data.get_shape(key) for key in sample}
    assert {key: value.shape for key, value in sample.items()} == shapes
    assert {key: value.shape for key, value in blank.items()} == shapes
    assert set(shapes) == set(data._shapes())
    integers = {key for key, value in sample.items() if value.dtype == np.int64}
    assert integers == {"seq_idx", "frame_list"}
    assert {v.dtype for k, v in sample.items() if k not in integers} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("name", CLASSES)
def test_all_frames_have_one_window_and_one_augmentation(name, clip_folders):
    data = make(name, clip_folders)
    sample = data.get_data(0, TRAIN_MODE, rng=np.random.default_rng(2))
    again = data.get_data(0, TRAIN_MODE, rng=np.random.default_rng(2))
    other = data.get_data(0, TRAIN_MODE, rng=np.random.default_rng(4))
    assert all(np.array_equal(sample[key], again[key]) for key in sample)
    assert not np.array_equal(sample["afmat"], other["afmat"])
    hidden = (sample["frame"] == 0).all(axis=-1)
    assert hidden[0].any() and (hidden == hidden[0]).mean() > 0.99
    frames = sample["frame"][:, ~hidden.any(axis=0)]
    assert len({frame.tobytes() for frame in frames}) > 1


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("name", CLASSES)
def test_evaluations_crop_the_very_frames_of_samples(name, cached, clip_folders):
    cache = open_cache("memory") if cached else None
    config = dataclasses.replace(PLAIN, fixed_angle=10, fixed_scale=1.2)
    data = make(name, clip_folders, config, cache=cache)
    flipped = dataclasses.replace(config, fixed_hflip=1)
    flipped = make(name, clip_folders, flipped)
    for frames in data.clips(0, TEST_MODE, [1])[:3]:
        window = data.clip_window(0, TEST_MODE, frames)
        for hflip, one in ((0, data), (1, flipped)):
            expected = one.get_data(0, TEST_MODE, frame_list=frames)["frame"]
            for frame, crop in zip(frames, expected, strict=True):
                source = data.open_frame(0, TEST_MODE, frame)
                assert np.array_equal(data.crop_frame(source, window, hflip), crop)


def test_a_frame_of_many_crops_is_decoded_once(clip_folders, monkeypatch):
    original, calls = PictureFile.read, []

    def read(self, ratio, box):
        calls.append(ratio)
        return original(self, ratio, box)

    monkeypatch.setattr(PictureFile, "read", read)
    data = make("penn", clip_folders, PLAIN)
    source = data.open_frame(0, TEST_MODE, 3)
    for frames in ([0, 1, 2, 3], [3, 4, 5, 6]):
        window = data.clip_window(0, TEST_MODE, frames)
        for hflip in (0, 1):
            data.crop_frame(source, window, hflip)
    assert len(calls) == len(set(calls)) == 1


def test_a_box_given_is_the_window(clip_folders):
    data = make("penn", clip_folders, dataclasses.replace(PLAIN, fixed_trans_x=3))
    box = (40, 10, 140, 110)
    sample = data.get_data(0, TEST_MODE, bbox=box)
    assert sample["bbox"].tolist() == list(box)
    window = data.clip_window(0, TEST_MODE, [0, 1], box)
    assert window == ((93.0, 60.0), (100.0, 100.0))
    small = data.clip_window(0, TEST_MODE, [0, 1], (40, 10, 60, 110))
    assert small == ((53.0, 60.0), (32.0, 32.0))
    assert PLAIN == DataConfig(crop_resolution=(32, 32))


def test_the_whole_picture_is_the_box_of_those_who_name_none(clip_folders):
    data = make("penn", clip_folders, PLAIN, use_gt_bbox=False)
    window = data.clip_window(0, TEST_MODE, [0, 1])
    assert window == ((100.0, 60.0), (200.0, 200.0))


@pytest.mark.parametrize("name", CLASSES)
def test_outer_joints_stay_where_they_are_kept(name, clip_folders):
    config = dataclasses.replace(PLAIN, fixed_scale=0.5)
    removed, kept = (
        make(name, clip_folders, config, remove_outer_joints=remove).get_data(
            0, TEST_MODE, frame_list=[1, 4]
        )["pose"]
        for remove in (True, False)
    )
    inside = removed[..., -1] == 1
    assert np.array_equal(kept[..., -1] == 1, inside)
    assert np.array_equal(kept[inside], removed[inside])
    assert (removed[~inside][:, :-1] == np.float32(INVALID)).all()
    assert (kept[~inside][:, :2] > -10).any()


def test_frames_are_written_where_they_are_wanted(clip_folders):
    data = make("penn", clip_folders)
    out = {"frame": np.empty((4, 32, 32, 3), np.float32)}
    sample = data.get_data(0, TEST_MODE, out=out)
    assert sample["frame"] is out["frame"]
    assert np.array_equal(sample["frame"], data.get_data(0, TEST_MODE)["frame"])
    with pytest.raises(ValueError, match=r"`out` must hold a frame \(3, 32, 32, 3\)"):
        data.get_data(0, TEST_MODE, [1, 2, 3], out=out)


def test_cached_clips_are_equal(clip_folders, tmp_path):
    cached = make("penn", clip_folders, cache=open_cache(tmp_path / "cache"))
    plain = make("penn", clip_folders)
    for seed in range(6):
        one, two = (
            data.get_data(1, TRAIN_MODE, rng=np.random.default_rng(seed))
            for data in (cached, plain)
        )
        assert all(np.array_equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("name", CLASSES)
def test_blank_clips_have_the_true_labels(name, clip_folders):
    data = make(name, clip_folders)
    one, two = (
        get(0, TRAIN_MODE, rng=np.random.default_rng(7))
        for get in (data.get_data, data.get_blank_data)
    )
    assert (two.pop("frame") == -1).all()
    for key in two:
        np.testing.assert_allclose(one[key], two[key], atol=1e-5)


def test_a_frame_that_is_missing_is_named(penn_copy):
    folder = penn_copy["penn"] / "frames" / "0001"
    (folder / "000003.jpg").unlink()
    data = make("penn", penn_copy)
    with pytest.raises(FileNotFoundError, match=r"0001.000003\.jpg"):
        data.get_data(0, TEST_MODE, frame_list=[1, 2])
    assert data.missing_pictures(TEST_MODE) == [str(folder / "000003.jpg")]
    assert data.missing_pictures(TRAIN_MODE) == []
    shutil.rmtree(folder)
    assert len(data.missing_pictures(TEST_MODE)) == 24


def test_a_frame_that_cannot_be_used_is_named(penn_copy):
    path = penn_copy["penn"] / "frames" / "0001" / "000003.jpg"
    data = make("penn", penn_copy)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(PictureError, match=r"000003\.jpg"):
        data.get_data(0, TEST_MODE, frame_list=[1, 2])
    Image.new("RGB", (100, 60)).save(path)
    for call in (
        lambda: data.get_data(0, TEST_MODE, frame_list=[1, 2]),
        lambda: data.open_frame(0, TEST_MODE, 2),
    ):
        with pytest.raises(PictureError, match=r"annotated size \(200, 120\).*100, 60"):
            call()


def test_frames_of_a_clip_must_have_one_size(penn_copy):
    path = penn_copy["penn"] / "frames" / "0001" / "000003.jpg"
    Image.new("RGB", (201, 120)).save(path)
    data = make("penn", penn_copy)
    with pytest.raises(PictureError, match=r"clip's size \(200, 120\), not \(201, 120"):
        data.get_data(0, TEST_MODE, frame_list=[1, 2])


@pytest.mark.parametrize("frames", [[], [0, 24], [-1]])
def test_frames_out_of_range_are_refused(frames, clip_folders):
    data = make("penn", clip_folders)
    with pytest.raises(ValueError, match=r"video 0001, from 0 to 23\. Received"):
        data.get_data(0, TEST_MODE, frame_list=frames)
    if frames:
        with pytest.raises(ValueError, match=r"video 0001, from 0 to 23\. Received"):
            data.open_frame(0, TEST_MODE, frames[-1])


def test_a_key_or_a_box_out_of_range_is_refused(clip_folders):
    data = make("penn", clip_folders)
    with pytest.raises(IndexError, match=r"\[0, 2\) in mode 'test' of PennAction"):
        data.get_data(2, TEST_MODE)
    with pytest.raises(ValueError, match="four finite numbers.*frames.0001.000001"):
        data.get_data(0, TEST_MODE, [0], bbox=(1, 2, np.nan, 4))
    for box in ((30, 2, 1, 40), (1, 40, 30, 2)):
        with pytest.raises(ValueError, match="none reversed.*frames.0001.000001"):
            data.get_data(0, TEST_MODE, [0], bbox=box)
    with pytest.raises(ValueError, match="`dictkey` must be one of frame.*'camera'"):
        data.get_shape("camera")


@pytest.mark.parametrize("name", CLASSES)
def test_missing_folders_and_files_are_named(name, tmp_path, clip_folders):
    with pytest.raises(FileNotFoundError, match=r"annotations\.mat|nturgb\+d_numpy"):
        make(name, {name: tmp_path})
    source = clip_folders[name]
    for file in ("annotations.mat", "nturgb+d_numpy"):
        if (source / file).is_dir():
            shutil.copytree(source / file, tmp_path / file)
        elif (source / file).exists():
            shutil.copy(source / file, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no folder: .*See datasets/.*README"):
        make(name, {name: tmp_path})
    with pytest.raises(ValueError, match="`poselayout` must have `map_.*=int"):
        make(name, clip_folders, poselayout=int)


def test_joints_that_are_not_known_are_invalid(clip_folders):
    data = make("penn", clip_folders, PLAIN, poselayout=pa17j3d)
    pose = data.get_data(0, TEST_MODE, frame_list=[5, 12])["pose"]
    assert pose.shape == (2, 17, 4)
    assert (pose[1, :, :3] == np.float32(INVALID)).all() and not pose[1, :, 3].any()
    assert (pose[0, :, 2] == np.float32(INVALID)).all()
    left_elbow = pa17j3d.joint_names.index("l_elb")
    assert pose[0, left_elbow, 3] == 0 < pose[0, :, 3].sum()
