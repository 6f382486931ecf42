"""Human3.6M frame by frame: one in so many, and whole pictures."""

import dataclasses
import logging

import numpy as np
import pytest
from tiny_clips import write_tiny_h36m
from tiny_models import constant_model

from deephar.config import human36m_dataconf
from deephar.data.human36m_format import read_human36m, write_human36m
from deephar.data.human36m_frames import Human36MFrames
from deephar.evaluation.pose3d import locate_poses_3d, predict_poses_3d
from deephar.inference import PosePredictor
from deephar.inference.crops import Window, crop
from deephar.utils import TRAIN_MODE, VALID_MODE

CONF = dataclasses.replace(
    human36m_dataconf, crop_resolution=(64, 64), geoocclusion=None
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_h36m(tmp_path_factory.mktemp("h36m"))


def _numbers(data, mode=VALID_MODE):
    """(sequence, number of the picture) of every sample."""
    keys = range(data.get_length(mode))
    found = [data.get_blank_data(key, mode) for key in keys]
    places = [(int(one["seq_idx"][0]), int(one["frame_list"][0])) for one in found]
    return [(s, int(data.sequences[mode][s].frames[f])) for s, f in places]


def test_one_frame_in_four_of_a_part_is_kept_and_all_of_others(folder):
    data = Human36MFrames(folder, CONF, every={VALID_MODE: 4})
    assert _numbers(data) == [(s, n) for s in (0, 1) for n in (1, 5, 9)]
    assert data.get_length(TRAIN_MODE) == 20 and data.absent[VALID_MODE] == 0
    whole = Human36MFrames(folder, CONF)
    one, other = data.get_data(4, VALID_MODE), whole.get_data(14, VALID_MODE)
    np.testing.assert_array_equal(one["pose_w"], other["pose_w"])
    np.testing.assert_array_equal(one["frame"], other["frame"])
    subjects = [(subject, len(poses)) for subject, poses in data.poses(VALID_MODE)]
    assert subjects == [(9, 3), (11, 3)]


@pytest.fixture
def gaps(folder, tmp_path):
    """A copy whose annotations hold the frames 1, 4 and 10."""
    parts, _, _ = read_human36m(folder / "annotations.mat")
    some = [0, 3, 9]
    parts = [
        [
            dataclasses.replace(one, frames=one.frames[some], poses=one.poses[some])
            for one in part
        ]
        for part in parts
    ]
    (tmp_path / "images").mkdir()
    write_human36m(tmp_path / "annotations.mat", *parts)
    return tmp_path


def test_frames_that_are_asked_for_and_not_annotated_are_counted(gaps, caplog):
    with caplog.at_level(logging.WARNING):
        data = Human36MFrames(gaps, CONF, every={VALID_MODE: 3})
    assert _numbers(data) == [(s, n) for s in (0, 1) for n in (1, 4, 10)]
    assert data.absent[VALID_MODE] == 2
    assert "2 of 8 frames that one in 3 asks for are not annotated" in caplog.text


def test_all_frames_are_those_that_are_annotated(gaps):
    data = Human36MFrames(gaps, CONF, every={VALID_MODE: 1})
    assert data.get_length(VALID_MODE) == 6 and data.absent[VALID_MODE] == 0


def test_frames_that_the_file_does_not_hold_are_refused(gaps):
    with pytest.raises(ValueError, match="one in 2 of the part 'valid'.*2 of 10"):
        Human36MFrames(gaps, CONF, every={VALID_MODE: 2})
    with pytest.raises(ValueError, match="`every` must be at least 1.*every=0"):
        Human36MFrames(gaps, CONF, every={VALID_MODE: 0})


def test_a_whole_picture_cut_by_its_window_is_the_crop_of_the_data_set(folder):
    data = Human36MFrames(folder, CONF, every={VALID_MODE: 4})
    picture, person, labels = data.get_picture(4, VALID_MODE)
    sample = data.get_data(4, VALID_MODE)
    np.testing.assert_array_equal(labels["pose_w"], sample["pose_w"])
    assert picture.size == (160, 120)
    window = Window(person.center, person.window)
    np.testing.assert_allclose(window.box, sample["bbox"], atol=1e-3)
    frame, matrix = crop(picture, window, (64, 64))
    np.testing.assert_allclose(matrix, sample["afmat"], atol=1e-6)
    assert np.abs(frame - sample["frame"]).mean() < 0.01
    next((folder / "images").glob("*s11*/00005.jpg")).unlink()
    with pytest.raises(FileNotFoundError, match=r"00005\.jpg"):
        data.get_picture(4, VALID_MODE)


@pytest.fixture
def fresh(tmp_path):
    return Human36MFrames(write_tiny_h36m(tmp_path), CONF, every={VALID_MODE: 4})


def test_looking_once_at_pictures_equals_looking_at_the_data_set_s_crops(fresh):
    joints = np.random.default_rng(1).uniform(0.2, 0.8, (17, 4))
    predictor = PosePredictor(constant_model(joints, blocks=2), fresh.poselayout)
    crops = predict_poses_3d(predictor.predict_crops, fresh, VALID_MODE, 4)
    pictures = locate_poses_3d(predictor.locate, fresh, VALID_MODE, 4)
    assert crops.poses.shape == (2, 6, 17, 3)
    np.testing.assert_allclose(crops.poses, pictures.poses, atol=1e-3)
    for name in ("truth", "root_depth", "camera", "action", "readable"):
        np.testing.assert_array_equal(getattr(crops, name), getattr(pictures, name))
    np.testing.assert_allclose(
        crops.poses[0, 0, :, 2], 2000 * (joints[:, 2] - 0.5), atol=1e-3
    )
