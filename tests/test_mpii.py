"""MpiiSinglePerson over annotations.mat."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.io
from tiny_mpii import POSE, write_tiny_mpii

from deephar.config import DataConfig, mpii_sp_dataconf
from deephar.data import MpiiSinglePerson
from deephar.data.mpii import (
    calc_head_size,
    load_mpii_mat_annotation,
    serialize_annorect,
)
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import INVALID, coco17j, pa16j2d, pa17j3d

CONFIG = DataConfig(crop_resolution=(64, 64))
PLAIN = {"transx": 0, "transy": 0, "scale": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_mpii(tmp_path_factory.mktemp("mpii") / "MPII")


@pytest.fixture(scope="module")
def mpii(folder):
    return MpiiSinglePerson(folder, CONFIG)


def people_of(*persons):
    """One picture with these people, as loadmat gives it."""
    cells = np.empty((len(persons), 1), dtype=object)
    for i, person in enumerate(persons):
        struct = np.empty((1, 1), dtype=[(key, object) for key in person])
        struct[0, 0] = tuple(person.values())
        cells[i, 0] = struct
    return cells


def annotation(**changes):
    person = {
        "head": np.array([[1, 2, 4, 6]]),
        "objpos": np.array([[10, 20]]),
        "scale": np.array([[2]]),
        "pose": np.zeros((2, 16)),
        "visible": np.ones((1, 16)),
    }
    return {key: changes.get(key, value) for key, value in person.items()}


def test_parts_have_their_people_and_there_is_no_test_part(mpii):
    lengths = [mpii.get_length(m) for m in (TEST_MODE, TRAIN_MODE, VALID_MODE)]
    assert lengths == [0, 5, 3]


def test_joints_are_in_the_layout_s_order(mpii):
    sample = mpii.get_data(0, VALID_MODE)
    assert np.array_equal(sample["keypoints"][pa16j2d.map_to_mpii], POSE)
    head = sample["keypoints"][pa16j2d.joint_names.index("head")]
    assert head.tolist() == POSE[9].tolist()


def test_unlabelled_joints_are_invalid(mpii):
    sample = mpii.get_data(2, VALID_MODE)
    names = {pa16j2d.joint_names[i] for i in np.flatnonzero(sample["pose"][:, 2] == 0)}
    assert names == {"head", "r_wrist"}
    lost = sample["keypoints"][sample["pose"][:, 2] == 0]
    assert (lost == np.float32(INVALID)).all()


def test_window_has_200_px_times_scale_and_a_quarter_more(mpii):
    person = mpii.person(0, TRAIN_MODE, PLAIN)
    assert person.window == (125.0, 125.0)
    assert person.center == (100.0, 56 + 12 * 1.25 * 0.5)
    assert person.head_size == pytest.approx(0.6 * 20)


def test_window_follows_the_drawn_scale_and_shift(mpii):
    augmentation = {"transx": 8, "transy": -4, "scale": 1.5}
    person = mpii.person(0, TRAIN_MODE, augmentation)
    assert person.window == (187.5, 187.5)
    assert person.center == (100 + 5.0, 63.5 - 2.5)


def test_other_layouts_leave_what_mpii_lacks_invalid(folder):
    pose = MpiiSinglePerson(folder, CONFIG, pa17j3d).get_data(0, VALID_MODE)["pose"]
    assert pose.shape == (17, 4)
    assert (pose[:, 2] == np.float32(INVALID)).all()
    assert pose[:, 3].tolist() == [1] * 16 + [0]
    with pytest.raises(ValueError, match="`map_to_mpii`.*coco17j"):
        MpiiSinglePerson(folder, CONFIG, coco17j)


def test_head_size_is_six_tenths_of_the_diagonal():
    assert calc_head_size(np.array([10, 20, 13, 24], np.uint8)) == pytest.approx(3.0)
    assert calc_head_size(np.array([13, 24, 10, 20], np.uint8)) == pytest.approx(3.0)


def test_serialize_takes_the_numbered_people_only():
    rects = people_of(annotation(), annotation(scale=np.array([[3]])), annotation())
    numbers = np.array([[2], [3]], np.uint8)
    people = serialize_annorect(
        [np.array([[1]]), numbers], [people_of(annotation()), rects]
    )
    assert [p["scale"] for p in people] == [2, 3, 2]
    assert [p["imgidx"] for p in people] == [0, 1, 1]
    assert people[0]["pose"].shape == (2, 16)
    assert people[0]["objpos"].dtype == np.float64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": np.array([[0]])}, "box must not be empty.*scale=0"),
        ({"scale": np.array([[-1.5]])}, "box must not be empty.*scale=-1.5"),
        ({"scale": np.array([[np.nan]])}, "box must not be empty.*scale=nan"),
        ({"objpos": np.array([[np.nan, 1]])}, "box must not be empty.*nan"),
        ({"head": np.array([[5, 5, 5, 5]])}, r"head box must be.*\[5.0, 5.0, 5.0"),
        ({"head": np.array([[4, 2, 1, 6]])}, r"x1 < x2 and y1 < y2.*head=\[4.0"),
        ({"head": np.array([[1, 2, np.nan, 6]])}, "head box must be.*nan"),
        ({"head": np.array([[1, 2, np.inf, 6]])}, "head box must be.*inf"),
        ({"pose": np.zeros((2, 15))}, r"16 joints \(2, 16\).*\(2, 15\)"),
        ({"pose": np.zeros((16, 2))}, r"16 joints \(2, 16\).*\(16, 2\)"),
        ({"head": np.zeros((1, 3))}, r"'head' must hold 4 numbers.*\(1, 3\)"),
        ({"visible": np.ones((1, 15))}, r"'visible' must hold 16 numbers.*\(1, 15\)"),
        ({"objpos": np.array(["ab"])}, "no numbers in the field 'objpos'"),
    ],
)
def test_a_wrong_annotation_is_named(changes, message):
    with pytest.raises(ValueError, match="picture 0: .*" + message):
        serialize_annorect([np.array([[1]])], [people_of(annotation(**changes))])


def test_people_and_fields_that_are_not_there_are_named():
    with pytest.raises(ValueError, match="person 2 must be one of its 1 people"):
        serialize_annorect([np.array([[2]])], [people_of(annotation())])
    with pytest.raises(ValueError, match="no numbers in the field 'head'"):
        serialize_annorect([np.array([[1]])], [people_of({"scale": np.ones((1, 1))})])
    with pytest.raises(ValueError, match="same length. Received: 1 and 0"):
        serialize_annorect([np.array([[1]])], [])


def test_the_file_is_named_where_its_content_is_wrong(tmp_path):
    cells = np.empty((3, 1), dtype=object)
    cells[:, 0] = [np.array([[1]]), "a.jpg", people_of(annotation(scale=0))]
    empty = np.empty((3, 0), dtype=object)
    content = {"annot_tr": empty, "annot_val": cells}
    scipy.io.savemat(tmp_path / "annotations.mat", content)
    with pytest.raises(
        ValueError, match=r"annotations\.mat: validation \(.*: picture a\.jpg: .*box"
    ):
        MpiiSinglePerson(tmp_path, CONFIG)


def test_a_picture_without_a_name_is_refused():
    with pytest.raises(ValueError, match=r"picture 0 must have one name.*\[\]"):
        serialize_annorect([np.array([[1]])], [people_of(annotation())], [np.array([])])


def test_missing_annotations_and_pictures_are_named(tmp_path, folder):
    with pytest.raises(
        FileNotFoundError, match=r"no annotation file.*annotations\.mat"
    ):
        MpiiSinglePerson(tmp_path, CONFIG)
    content = (folder / "annotations.mat").read_bytes()
    (tmp_path / "annotations.mat").write_bytes(content)
    with pytest.raises(FileNotFoundError, match="no folder of pictures.*images"):
        MpiiSinglePerson(tmp_path, CONFIG)
    (tmp_path / "images").mkdir()
    mpii = MpiiSinglePerson(tmp_path, CONFIG)
    assert [path[-6:] for path in mpii.missing_pictures(VALID_MODE)] == [
        "v0.jpg",
        "v1.jpg",
        "v2.jpg",
    ]
    with pytest.raises(FileNotFoundError, match=r"no such picture.*t1\.jpg"):
        mpii.get_data(1, TRAIN_MODE)


def test_no_picture_is_missing_from_a_whole_folder(mpii):
    assert mpii.missing_pictures(TRAIN_MODE) == []


def test_annotations_cut_short_anywhere_are_named(tmp_path, folder):
    content = (folder / "annotations.mat").read_bytes()
    path = tmp_path / "annotations.mat"
    for length in [0, 1, 100, 128, 131, *range(140, len(content), 97)]:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"annotations\.mat must"):
            load_mpii_mat_annotation(path)


def test_damaged_annotations_are_named_or_read(tmp_path, folder):
    content = bytearray((folder / "annotations.mat").read_bytes())
    path = tmp_path / "annotations.mat"
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        damaged = content.copy()
        for place in rng.integers(124, len(content), 8):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            load_mpii_mat_annotation(path)
        except ValueError as error:
            assert "annotations.mat" in str(error)
            refused += 1
    assert refused > 30


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"annot_tr": 1}, "must hold the variables.*without annot_val"),
        ({"annot_tr": np.ones(3), "annot_val": 1}, r"annot_tr must be a cell array"),
    ],
)
def test_another_mat_file_is_refused(tmp_path, content, message):
    scipy.io.savemat(tmp_path / "annotations.mat", content)
    with pytest.raises(ValueError, match=message):
        load_mpii_mat_annotation(tmp_path / "annotations.mat")


def test_reading_mpii_does_not_import_keras_or_tensorflow():
    code = (
        "import sys, deephar.data; "
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_real_people_equal_the_original_s(tmp_path, shared, golden):
    """Values of the original MpiiSinglePerson over the same annotations.mat."""
    from test_convert_mpii import convert

    samples = shared / "samples" / "mpii"
    lists = ["--valid", samples / "test_mpii.json", "--copy-images", samples]
    assert convert.main([*map(str, lists), "--out", str(tmp_path / "MPII")]) == 0
    mpii = MpiiSinglePerson(tmp_path / "MPII", mpii_sp_dataconf)
    expected = np.load(golden / "mpii_samples.npz")
    for i in range(5):
        sample = mpii.get_data(i, VALID_MODE)
        np.testing.assert_allclose(sample["pose"], expected["pose"][i], atol=1e-6)
        np.testing.assert_allclose(sample["afmat"], expected["afmat"][i], atol=1e-6)
        np.testing.assert_allclose(sample["bbox"], expected["bbox"][i], rtol=1e-6)
        head_size = expected["headsize"][i]
        assert sample["headsize"][0] == pytest.approx(head_size, rel=1e-6)
        levels = (sample["frame"].reshape(32, 8, 32, 8, 3).mean((1, 3)) + 1) * 127.5
        assert np.abs(levels - expected["levels"][i]).mean() < 0.6
