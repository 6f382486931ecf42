"""COCOSinglePerson over person_keypoints files."""

import copy
import json
import logging
import pickle
import re

import numpy as np
import pytest
from PIL import Image
from tiny_coco import POSE, annotation, four_people, unlabelled, write_tiny_coco

from deephar.config import DataConfig, mpii_sp_dataconf
from deephar.data import COCOSinglePerson
from deephar.data.pictures import PictureError
from deephar.utils.modes import TRAIN_MODE, VALID_MODE
from deephar.utils.pose import INVALID, coco17j, convert_coco17j_to_pa16j, pa16j2d

CONFIG = DataConfig(crop_resolution=(64, 64))


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_tiny_coco(tmp_path_factory.mktemp("coco"), four_people())


@pytest.fixture(scope="module")
def coco(paths):
    return COCOSinglePerson(*paths, CONFIG, coco17j)


def test_every_annotated_person_is_a_sample(coco, paths):
    assert coco.get_length(TRAIN_MODE) == coco.get_length(VALID_MODE) == 4
    assert [one["id"] for one in coco.annotations] == [11, 12, 13, 14]
    assert coco.picture(0, VALID_MODE) == str(paths[0] / "000000000007.jpg")
    assert coco.missing_pictures() == []
    assert coco.dataconf == CONFIG
    assert COCOSinglePerson(*paths).dataconf == mpii_sp_dataconf


def test_hidden_key_points_count_and_unlabelled_ones_do_not(coco):
    keypoints = coco.get_data(3, VALID_MODE)["keypoints"]
    assert keypoints.tolist() == POSE.tolist()
    keypoints = coco.get_data(2, VALID_MODE)["keypoints"]
    lost = np.flatnonzero(keypoints[:, 0] == np.float32(INVALID))
    assert lost.tolist() == [0, 9, 10]


def test_the_window_lies_around_the_box(coco):
    x1, y1, x2, y2 = coco.get_data(1, VALID_MODE)["bbox"]
    assert x2 - x1 == y2 - y1 == 1.25 * 84
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == (140.0, 62.0)


def test_crowds_people_without_key_points_and_empty_boxes_are_left_out(
    tmp_path, caplog
):
    odd = [
        annotation(1, 2, iscrowd=1, num_keypoints=0),
        annotation(2, 2, num_keypoints=0),
        unlabelled(annotation(3, 2), *range(17)),
        annotation(4, 2, bbox=[3, 4, 0, 5]),
        annotation(5, 2),
    ]
    with caplog.at_level(logging.INFO, "deephar.data.boxed"):
        coco = COCOSinglePerson(*write_tiny_coco(tmp_path, odd), CONFIG)
    assert [one["id"] for one in coco.annotations] == [5]
    assert coco.left_out == {"crowd": 1, "no key points": 2, "empty box": 1}
    assert "1 people; left out: 1 crowd, 2 no key points, 1 empty box" in caplog.text


def test_pycocotools_prints_nothing(paths, capsys):
    assert len(COCOSinglePerson(*paths, CONFIG).coco.getAnnIds()) == 4
    assert capsys.readouterr() == ("", "")


def test_copies_for_other_processes_leave_the_file_behind(coco):
    twin = pickle.loads(pickle.dumps(coco))
    assert "coco" not in vars(twin)
    ours, theirs = (one.get_data(2, VALID_MODE) for one in (coco, twin))
    assert all(np.array_equal(ours[k], theirs[k], equal_nan=True) for k in ours)
    assert twin.annotations == coco.annotations


def damaged(paths, tmp_path, change):
    """The file with a change made to its content."""
    content = json.loads(paths[1].read_text())
    change(content)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(content))
    return path


def put(number, **values):
    return lambda content: content["annotations"][number].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("images"), "none named 'images'"),
        (lambda c: c["annotations"][2].pop("keypoints"), "entry 2 of annotations.*key"),
        (lambda c: c["images"][1].pop("file_name"), "entry 1 of images.*file_name"),
        (put(1, bbox=[1, 2, 3]), r"annotation 12: `bbox` must be 4 .*\[1, 2, 3\]"),
        (put(1, bbox=["a", 1, 2, 3]), "annotation 12: `bbox` must be 4 finite"),
        (put(0, bbox=[1, 2, float("nan"), 3]), "annotation 11: `bbox` must be 4 fin"),
        (put(3, keypoints=[0] * 48), "annotation 14: `keypoints` must be 51 finite"),
        (put(3, image_id=99), "annotation 14: `image_id` must be an id of images.*99"),
        (put(1, id=11), "the ids of annotations must differ.*id=11 2 times"),
        (put(0, category_id=2), "annotation 11: `category_id` must be an id of categ"),
        (put(0, category_id=True), "`category_id` must be an id of categ.*=True"),
        (put(3, image_id=[7]), r"`image_id` must be an id of images.*image_id=\[7\]"),
        (put(3, id=[7]), r"entry 3 of annotations: `id` must be .*id=\[7\]"),
        (put(0, id=None), "entry 0 of annotations: `id` must be an integer or a text"),
        (put(0, keypoints=["1", "2", "2"] * 17), "`keypoints` must be 51 finite num"),
        (put(0, keypoints=[10**400, 2, 2] * 17), "`keypoints` must be 51 finite num"),
        (put(0, bbox=["1", "2", "30", "40"]), r"`bbox` must be 4 .*\['1', '2', '30'"),
        (
            put(0, bbox=[0, 0, 1e12, 9]),
            r"annotation 11: `bbox` must be px, none beyond 1e\+06.*1000000000000\.0",
        ),
        (put(0, keypoints=[1, 2, 3] * 17), r"annotation 11: the flags .*0, 1 or 2.*3"),
        (put(0, keypoints=[1, 2, 0.5] * 17), "the flags of `keypoints` must be 0, 1"),
        (put(0, area=None), "`area` must be a number of at least 0.*area=None"),
        (put(0, area="9"), "`area` must be a number of at least 0"),
        (put(0, area=float("nan")), "`area` must be a number of at least 0.*area=nan"),
        (put(0, area=-2), "`area` must be a number of at least 0.*area=-2"),
        (put(0, area=0), "`area` must be above 0 where somebody is labelled.*area=0"),
        (put(0, iscrowd=None), "`iscrowd` must be 0 or 1. Received: iscrowd=None"),
        (put(0, num_keypoints="17"), "`num_keypoints` must be a number.*='17'"),
        (lambda c: c["annotations"].append(None), "4 of annot.*dictionary.*NoneType"),
        (
            lambda c: c["images"].append(5),
            "entry 3 of images.*dictionary.*int",
        ),
        (lambda c: c["images"][0].update(file_name=7), "image 3 must be a text.*=7"),
        (lambda c: c["images"][0].update(width="9"), "image 3 must be 2 fin.*'9'"),
        (lambda c: c["categories"][0].update(keypoints=None), "COCO's 17.*None"),
        (lambda c: c["categories"][0].pop("keypoints"), "COCO's 17.*None"),
        (
            lambda c: c["categories"][0]["keypoints"].reverse(),
            r"category 1 must be COCO's 17, nose to right_ankle.*\['right_ankle'",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_name(paths, tmp_path, change, message):
    path = damaged(paths, tmp_path, change)
    with pytest.raises(ValueError, match=r"bad\.json.*" + message):
        COCOSinglePerson(paths[0], path, CONFIG)


def test_a_file_in_which_nobody_is_left_is_refused(tmp_path):
    odd = [annotation(1, 2, iscrowd=1), annotation(2, 2, bbox=[3, 4, 0, 5], area=0)]
    pictures, path = write_tiny_coco(tmp_path, odd)
    expected = (
        f"{path} must have people to look at. "
        "Received: none; left out: 1 crowd, 0 no key points, 1 empty box"
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        COCOSinglePerson(pictures, path, CONFIG)


def test_messages_stay_short_whatever_the_file_holds(paths, tmp_path):
    path = damaged(paths, tmp_path, put(0, bbox=[1] * 200_000, keypoints=[[]] * 9))
    with pytest.raises(ValueError, match="`bbox` must be 4 finite") as caught:
        COCOSinglePerson(paths[0], path, CONFIG)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_a_category_of_nobody_needs_no_key_points(paths, tmp_path):
    path = damaged(paths, tmp_path, lambda c: c["categories"].append({"id": 2}))
    assert COCOSinglePerson(paths[0], path, CONFIG).get_length(VALID_MODE) == 4


def test_a_byte_order_mark_is_passed_over(paths, tmp_path):
    path = tmp_path / "windows.json"
    path.write_text(paths[1].read_text(), encoding="utf-8-sig")
    assert COCOSinglePerson(paths[0], path, CONFIG).get_length(VALID_MODE) == 4


def test_a_picture_of_another_size_than_annotated_is_refused(paths, tmp_path):
    path = damaged(paths, tmp_path, lambda c: c["images"][0].update(width=90))
    with pytest.raises(PictureError, match=r"annotated size \(90, 120\) px, not \(200"):
        COCOSinglePerson(paths[0], path, CONFIG).get_data(2, VALID_MODE)
    path = damaged(paths, tmp_path, lambda c: c["images"][0].pop("width"))
    COCOSinglePerson(paths[0], path, CONFIG).get_data(2, VALID_MODE)


def test_a_file_that_is_no_json_or_is_not_there_is_named(paths, tmp_path):
    path = tmp_path / "cut.json"
    path.write_text(paths[1].read_text()[:300])
    with pytest.raises(ValueError, match=r"cut\.json must be a whole JSON file"):
        COCOSinglePerson(paths[0], path, CONFIG)
    path.write_text("[" * 200_000)
    with pytest.raises(ValueError, match=r"cut\.json must be a whole JSON file"):
        COCOSinglePerson(paths[0], path, CONFIG)
    path.write_text("[1]")
    with pytest.raises(ValueError, match=r"cut\.json must be a person_keypoints file"):
        COCOSinglePerson(paths[0], path, CONFIG)
    with pytest.raises(FileNotFoundError, match=r"no annotation file: .*no\.json"):
        COCOSinglePerson(paths[0], tmp_path / "no.json", CONFIG)
    with pytest.raises(FileNotFoundError, match="no folder of pictures: .*train2017"):
        COCOSinglePerson(tmp_path / "train2017", paths[1], CONFIG)


@pytest.fixture(scope="module")
def real(shared):
    folder = shared / "samples" / "coco"
    return {
        layout: COCOSinglePerson(folder, folder / "test_coco.json", poselayout=layout)
        for layout in (pa16j2d, coco17j)
    }


def test_the_real_people_load_in_both_layouts(real):
    for layout, coco in real.items():
        assert coco.get_length(VALID_MODE) == 12
        assert coco.left_out == {"crowd": 0, "no key points": 2, "empty box": 0}
        sample = coco.get_data(0, VALID_MODE)
        assert sample["frame"].shape == (256, 256, 3)
        assert sample["pose"].shape == (layout.num_joints, 3)
    skier = real[coco17j].get_data(0, VALID_MODE)["keypoints"]
    assert skier[0].tolist() == [367, 81]
    ours = real[pa16j2d].get_data(0, VALID_MODE)["keypoints"]
    assert ours.tolist() == convert_coco17j_to_pa16j(skier).astype(np.float32).tolist()


def test_a_real_skier_faces_the_viewer(real):
    names, pose = pa16j2d.joint_names, real[pa16j2d].get_data(0, VALID_MODE)["pose"]
    for joint in ("shoul", "elb", "wrist", "hip", "knee", "ankle"):
        right, left = (names.index(f"{side}_{joint}") for side in "rl")
        assert pose[right, 0] < pose[left, 0]
    pelvis, thorax, neck = pose[:3, 1]
    assert neck < thorax < pelvis


def test_the_frame_is_rgb_of_the_picture(real):
    """The skier's red jacket at (378, 160)."""
    coco = real[pa16j2d]
    sample = coco.get_data(0, VALID_MODE)
    with Image.open(coco.picture(0, VALID_MODE)) as picture:
        expected = np.array(picture.convert("RGB"))[155:166, 373:384].mean((0, 1))
    column, row, _ = (sample["afmat"] @ [378, 160, 1] * 256).astype(int)
    patch = sample["frame"][row - 3 : row + 4, column - 3 : column + 4].mean((0, 1))
    assert expected[0] > expected[2] + 100
    np.testing.assert_allclose((patch + 1) * 127.5, expected, atol=10)


def test_reading_leaves_the_annotations_as_they_are(real):
    coco = real[coco17j]
    before = copy.deepcopy(coco.annotations)
    coco.get_data(4, TRAIN_MODE, rng=np.random.default_rng(0))
    assert coco.annotations == before
