"""Numbers of data sets, and samples as networks are given them."""

import dataclasses

import numpy as np
import pytest
from tiny_clips import write_tiny_penn
from tiny_coco import annotation, unlabelled, write_tiny_coco
from tiny_custom import write_tiny_custom
from tiny_mpii import tiny_person, write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import COCOSinglePerson, MpiiSinglePerson, PennAction
from deephar.data.custom import CustomPeople
from deephar.data.mpii_format import JOINT_NAMES, write_annotations
from deephar.data.showing import choose, show_sample, some_frames, with_config
from deephar.data.survey import action_name, spread, survey
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import coco17j, is_valid

CONFIG = DataConfig(crop_resolution=(64, 48), angles=(20,), hflips=(1,))


@pytest.fixture(scope="module")
def mpii(tmp_path_factory):
    return MpiiSinglePerson(write_tiny_mpii(tmp_path_factory.mktemp("m")), CONFIG)


@pytest.fixture(scope="module")
def penn(tmp_path_factory):
    folder = write_tiny_penn(tmp_path_factory.mktemp("p"))
    return PennAction(folder, CONFIG, clip_size=4, use_gt_bbox=True)


def test_people_are_measured_in_pictures_and_windows(mpii):
    found = survey(mpii, VALID_MODE)
    assert (found.kind, found.samples, found.looked_at) == ("people", 3, 3)
    np.testing.assert_allclose(found.sizes, [76, 76, 60])
    np.testing.assert_allclose(found.windows, [[125, 125]] * 3)
    np.testing.assert_allclose(found.shares, found.sizes / 125)
    np.testing.assert_allclose(found.head_sizes, [12.0] * 3)
    assert found.labelled.sum(axis=1).tolist() == [16, 16, 14]
    assert found.together.tolist() == [1, 1, 1] and not found.wrong
    assert np.nansum(found.outside) == 0


def test_joints_outside_the_window_are_counted(mpii):
    narrow = with_config(mpii, dataclasses.replace(CONFIG, fixed_scale=0.5))
    found = survey(narrow, TRAIN_MODE)
    head = mpii.poselayout.joint_names.index("head")
    assert (found.outside[head], found.outside[0]) == (1, 0)
    assert found.shares.min() > 1.2


def test_hidden_joints_are_told_where_the_annotations_tell(mpii, tmp_path):
    assert survey(mpii, VALID_MODE).hidden is None
    people = CustomPeople(write_tiny_custom(tmp_path), "train")
    found = survey(people, TRAIN_MODE)
    names = people.poselayout.joint_names
    assert dict(zip(names, found.hidden, strict=True)) == {
        **dict.fromkeys(names, 0),
        "right_end": 1,
    }


def test_hidden_joints_of_mpii_are_counted_where_its_file_tells(tmp_path):
    wrist = JOINT_NAMES.index("l_wrist")
    people = [
        tiny_person("a.jpg", visible=np.arange(16) != wrist),
        tiny_person("a.jpg", visible=np.ones(16)),
        tiny_person("b.jpg", visible=np.arange(16) != wrist, missing=[wrist]),
        tiny_person("b.jpg"),
    ]
    (tmp_path / "images").mkdir()
    write_annotations(tmp_path / "annotations.mat", people, [])
    data = MpiiSinglePerson(tmp_path, CONFIG)
    hidden = dict(
        zip(data.poselayout.joint_names, survey(data, TRAIN_MODE).hidden, strict=True)
    )
    assert hidden == {**dict.fromkeys(hidden, 0), "l_wrist": pytest.approx(1 / 3)}


def test_cocos_flags_tell_hidden_joints(tmp_path):
    elbow = coco17j.joint_names.index("l_elb")
    files = write_tiny_coco(tmp_path, [unlabelled(annotation(1, 1), elbow, flag=1)])
    people = COCOSinglePerson(*files, CONFIG)
    hidden = survey(people, TRAIN_MODE).hidden
    names = people.poselayout.joint_names
    assert (hidden[names.index("l_elb")], hidden[names.index("r_knee")]) == (1, 0)
    assert hidden[names.index("pelvis")] == 0


def test_videos_are_counted_by_length_and_action(penn):
    found = survey(penn, TEST_MODE)
    assert found.lengths.tolist() == [24, 9]
    done = [name for name, count in found.actions.items() if count]
    assert done == [penn.action_labels[0], penn.action_labels[3]]
    assert found.labelled.shape == (33, 16) and len(found.actions) == 15
    assert not found.labelled[12].any() and len(found.sizes) == 32
    assert np.isnan(found.outside[0])


def test_of_many_samples_some_are_looked_at_and_all_are_counted(penn):
    found = survey(penn, TEST_MODE, 1)
    assert (found.samples, found.looked_at, len(found.lengths)) == (2, 1, 2)
    assert spread(5, 3) == [0, 2, 4] and spread(3, 5) == [0, 1, 2]
    with pytest.raises(ValueError, match="`most` must be at least 1. Received: most=0"):
        survey(penn, TEST_MODE, 0)


def test_a_sample_is_what_get_data_gives(mpii):
    shown = show_sample(mpii, TRAIN_MODE, 2, seed=7)
    sample = mpii.get_data(2, TRAIN_MODE, rng=np.random.default_rng((7, 2)))
    assert shown.frames.shape == (1, 48, 64, 3) and shown.name == "t2.jpg"
    np.testing.assert_allclose(
        shown.frames[0] / 127.5 - 1, sample["frame"], atol=1 / 254
    )
    known = is_valid(sample["pose"][:, :2]).all(axis=1)
    np.testing.assert_allclose(
        shown.poses[0, known, :2], sample["pose"][known, :2] * [64, 48], rtol=1e-6
    )
    assert not is_valid(shown.poses[0, ~known, :2]).any()


@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize("angle", [-30, 20])
def test_a_sample_tells_how_it_was_turned_and_mirrored(mpii, angle, flip):
    config = DataConfig(angles=(angle,), hflips=(flip,), crop_resolution=(250, 250))
    shown = show_sample(with_config(mpii, config), TRAIN_MODE, 0, 0)
    assert (shown.mirrored, shown.angle) == (bool(flip), pytest.approx(angle, abs=0.1))
    assert shown.zoom == pytest.approx(2, rel=0.02)


def test_without_augmentation_training_samples_are_those_of_evaluations(penn):
    shown = show_sample(penn, TRAIN_MODE, 0, 0, augment=False)
    assert (shown.mirrored, shown.angle) == (False, 0)
    assert shown.numbers == tuple(penn.one_clip(0, TRAIN_MODE, 1)) == (5, 6, 7, 8)
    assert (shown.name, shown.action) == ("0003", action_name(penn, 0, TRAIN_MODE))
    assert shown.frames.shape == (4, 48, 64, 3)


def test_samples_are_chosen_by_seed():
    assert choose(100, 5, 1) == choose(100, 5, 1) != choose(100, 5, 2)
    assert choose(3, 5, 0) == [0, 1, 2]
    assert list(some_frames(5, 8)) == [0, 1, 2, 3, 4]
    assert some_frames(16, 4) == [0, 5, 10, 15]
    with pytest.raises(ValueError, match="`count` must be at least 1"):
        choose(3, 0, 0)
