"""People with boxes and COCO's key points, as COCO and MERL have them."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from deephar.config import DataConfig
from deephar.data import BoxedPeople, BoxedPerson
from deephar.data.boxed import is_box, person_window
from deephar.data.pictures import PictureError
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import (
    INVALID,
    coco17j,
    convert_coco17j_to_pa16j,
    pa16j2d,
    pa16j3d,
    pa17j2d,
)

PLAIN = {"transx": 0, "transy": 0, "scale": 1}
BOX = (40.0, 20.0, 48.0, 80.0)
WRIST = coco17j.joint_names.index("l_wrist")


def joints_in_box():
    """Joint i at (44 + 2 i, 30 + 4 i), the left wrist not labelled."""
    joints = np.array([[44.0 + 2 * i, 30.0 + 4 * i] for i in range(17)])
    joints[WRIST] = INVALID
    return joints


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (160, 120), (200, 40, 40)).save(path)
    absent = BoxedPerson(str(tmp_path / "no.png"), (0, 0, 30, 20), joints_in_box())
    return [BoxedPerson(str(path), BOX, joints_in_box()), absent]


def opened(people, layout=pa16j2d, **config):
    config = DataConfig(crop_resolution=(64, 64), **config)
    return BoxedPeople(".", people, config, layout)


def test_the_window_is_a_square_a_quarter_longer_than_the_box():
    assert person_window(BOX, PLAIN) == ((64.0, 60.0), 100.0)
    assert person_window((0, 0, 80, 20), PLAIN) == ((40.0, 10.0), 100.0)


def test_the_window_follows_the_drawn_scale_and_shift_in_px_of_200():
    center, side = person_window(BOX, {"transx": 8, "transy": -4, "scale": 1.5})
    assert side == 150.0
    assert center == (64 + 8 / 2, 60 - 4 / 2)


def test_a_small_box_has_a_window_of_32_px_whatever_is_drawn(people):
    people[0] = dataclasses.replace(people[0], box=(64, 60, 1, 0.2))
    data = opened(people, scales=(0.01, 0.7, 30), trans_x=(-20, 20), trans_y=(0, 0))
    assert data.get_data(0, VALID_MODE)["bbox"].tolist() == pytest.approx(
        [64.5 - 16, 60.1 - 16, 64.5 + 16, 60.1 + 16]
    )
    rng = np.random.default_rng(0)
    boxes = [data.get_data(0, TRAIN_MODE, rng=rng)["bbox"] for _ in range(20)]
    sides = {round(float(x2 - x1), 3) for x1, _, x2, _ in boxes}
    assert sides == {32, 37.5}


def test_a_picture_of_another_size_than_the_annotated_one_is_refused(people):
    for size, sound in (((160, 120), True), ((158, 122), True), ((157, 120), False)):
        data = opened([dataclasses.replace(people[0], size=size)])
        for read in (data.get_data, data.get_picture):
            if sound:
                read(0, VALID_MODE)
                continue
            message = r"a\.png: .*annotated size \(157, 120\) px, not \(160, 120\)"
            with pytest.raises(PictureError, match=message):
                read(0, VALID_MODE)


def test_a_data_set_without_people_is_refused():
    with pytest.raises(ValueError, match="`people` must have people.*Received: none"):
        opened([])


def test_every_mode_has_all_people(people):
    data = opened(people)
    modes = (TEST_MODE, TRAIN_MODE, VALID_MODE)
    assert [data.get_length(mode) for mode in modes] == [2, 2, 2]
    assert data.box_sides().tolist() == [80.0, 30.0]
    with pytest.raises(IndexError, match=r"`key` must be in \[0, 2\)"):
        data.get_data(2, VALID_MODE)


def test_key_points_of_coco_are_placed_in_the_crop(people):
    sample = opened(people, coco17j).get_data(0, VALID_MODE)
    assert sample["pose"].shape == (17, 3)
    expected = (joints_in_box() - [14, 10]) / 100
    known = np.arange(17) != WRIST
    np.testing.assert_allclose(sample["pose"][known, :2], expected[known], atol=1e-6)
    assert sample["pose"][WRIST].tolist() == [np.float32(INVALID)] * 2 + [0]
    assert sample["keypoints"][known].tolist() == joints_in_box()[known].tolist()
    assert np.isnan(sample["headsize"]).all()


def test_sixteen_joints_are_made_of_the_key_points(people):
    sample = opened(people).get_data(0, VALID_MODE)
    expected = convert_coco17j_to_pa16j(joints_in_box())
    np.testing.assert_array_equal(sample["keypoints"], expected.astype(np.float32))
    lost = {pa16j2d.joint_names[i] for i in np.flatnonzero(sample["pose"][:, 2] == 0)}
    assert lost == {"head", "l_wrist"}


@pytest.mark.parametrize("layout", [pa16j2d, coco17j])
def test_a_mirrored_crop_exchanges_left_and_right(people, layout):
    plain = opened(people, layout).get_data(0, VALID_MODE)["pose"]
    mirrored = opened(people, layout, fixed_hflip=1).get_data(0, VALID_MODE)["pose"]
    back = mirrored[layout.map_hflip]
    known = plain[:, 2] == 1
    np.testing.assert_allclose(back[known, 0], 1 - plain[known, 0], atol=1e-5)
    np.testing.assert_allclose(back[known, 1], plain[known, 1], atol=1e-5)


def test_training_draws_and_evaluation_does_not(people):
    data = opened(people, scales=(0.8,), trans_x=(10,), hflips=(0,))
    drawn = data.get_data(0, TRAIN_MODE)["bbox"].tolist()
    assert drawn == [64 + 5 - 40, 60 - 40, 64 + 5 + 40, 60 + 40]
    assert data.get_data(0, VALID_MODE)["bbox"].tolist() == [14, 10, 114, 110]


def test_missing_pictures_are_named(people):
    data = opened(people)
    assert data.missing_pictures() == [people[1].picture]
    with pytest.raises(FileNotFoundError, match=r"no such picture.*no\.png"):
        data.get_data(1, VALID_MODE)


@pytest.mark.parametrize("layout", [pa16j3d, pa17j2d])
def test_other_layouts_are_refused(people, layout):
    with pytest.raises(ValueError, match=f"coco17j or pa16j2d.*{layout.__name__}"):
        opened(people, layout)


@pytest.mark.parametrize(
    "box",
    [
        *[(0, 0, 0, 5), (0, 0, 5, -1), (0, np.nan, 5, 5), (0, 0, 5), None, "abcd"],
        *[(0, 0, "5", 5), (0, 0, True, 5), (0, 0, 10**400, 5), [[0], [0], [5], [5]]],
        *[(0, 0, 1e12, 5), (-1e9, 0, 5, 5), np.array(5.0), (2**70, 2**70, 2**70, 5)],
    ],
)
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(ValueError, match=r"`box` of a person in a\.jpg must be.*box="):
        BoxedPerson("a.jpg", box, joints_in_box())


def test_numbers_of_any_kind_make_a_box():
    for box in ([1, 2.5, np.float32(3), np.int64(4)], np.array([1, 2, 3, 4])):
        assert is_box(box)


def test_joints_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape \(17, 2\). Received: .*\(16, 2\)"):
        BoxedPeople("", [BoxedPerson("a.jpg", BOX, np.zeros((16, 2)))], DataConfig())
