"""MPII's test people: from the owners' release to the benchmark's file."""

import numpy as np
import pytest
import scipy.io
from PIL import Image
from test_convert_mpii import convert, point, rect, run, struct_array

from deephar.config import DataConfig
from deephar.data.mpii import MpiiSinglePerson, load_mpii_mat_annotation
from deephar.data.mpii_benchmark import (
    BenchmarkPicture,
    read_benchmark,
    write_predictions,
)
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import is_valid

EMPTY = np.zeros((0, 0))


def _unlabelled(x, y, scale=2.0):
    return {"scale": scale, "objpos": {"x": x, "y": y}}


def write_release(path):
    """One training and three test pictures: 3 people (2 single), none, and one."""
    seen = struct_array(*(point(i, is_visible=1) for i in range(16)))
    annorects = [
        struct_array(rect(seen)),
        struct_array(
            _unlabelled(10, 20),
            {"scale": EMPTY, "objpos": EMPTY},
            _unlabelled(30, 40, 1.5),
        ),
        EMPTY,
        struct_array(_unlabelled(50.5, 60.5, 0.5)),
    ]
    annolist = struct_array(
        *(
            {"image": {"name": f"{i}.jpg"}, "annorect": annorect}
            for i, annorect in enumerate(annorects)
        )
    )
    single = np.empty((4, 1), dtype=object)
    single[:, 0] = [np.array([[1]]), np.array([[1], [2], [3]]), EMPTY, np.array([[1]])]
    release = {
        "annolist": annolist,
        "img_train": np.array([[1, 0, 0, 0]], np.uint8),
        "single_person": single,
    }
    scipy.io.savemat(path, {"RELEASE": release})
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """annotations.mat made from a release, and its pictures."""
    place = tmp_path_factory.mktemp("release")
    status, out = run(place, write_release(place / "release.mat"))
    assert status == 0
    (out / "images").mkdir()
    for i in range(4):
        Image.new("RGB", (300, 200), (40 * i, 90, 90)).save(out / f"images/{i}.jpg")
    return out


def test_the_converter_keeps_the_test_people(folder, capsys):
    pictures = read_benchmark(folder / "annotations.mat")
    assert [picture.name for picture in pictures] == ["1.jpg", "2.jpg", "3.jpg"]
    assert [picture.single for picture in pictures] == [(0, 2), (), (0,)]
    nobody = [np.nan] * 3
    expected = [[10, 20, 2], nobody, [30, 40, 1.5]]
    np.testing.assert_array_equal(pictures[0].people, expected)
    run(folder.parent, folder.parent / "release.mat")
    assert "test: 3 people without labels, 3 pictures" in capsys.readouterr().out


def test_the_original_s_reader_is_not_disturbed(folder):
    rectidxs, images, _ = load_mpii_mat_annotation(folder / "annotations.mat")
    assert [len(part) for part in images[1:]] == [1, 0]
    content = scipy.io.loadmat(folder / "annotations.mat")
    assert content["annot_tr"].shape == content["annot_te"].shape[:1] + (1,)
    assert rectidxs[TRAIN_MODE][0].tolist() == [[1]]


def test_test_people_have_windows_and_no_labels(folder):
    mpii = MpiiSinglePerson(folder, DataConfig(crop_resolution=(64, 64)))
    assert [mpii.get_length(m) for m in (TEST_MODE, TRAIN_MODE, VALID_MODE)] == [
        *(3, 1, 0)
    ]
    sample = mpii.get_data(1, TEST_MODE)
    assert sample["frame"].shape == (64, 64, 3)
    assert not is_valid(sample["keypoints"]).any()
    assert np.isnan(sample["headsize"]).all()
    person = mpii.person(1, TEST_MODE, {"transx": 0, "transy": 0, "scale": 1})
    assert person.center == (30, 40 + 12 * 1.25 * 1.5)
    assert person.window == (375, 375)
    assert mpii.missing_pictures(TEST_MODE) == []


def test_annotations_without_a_test_part_have_no_test_people(tmp_path):
    content = {name: np.empty((3, 0), object) for name in ("annot_tr", "annot_val")}
    scipy.io.savemat(tmp_path / "a.mat", content)
    assert read_benchmark(tmp_path / "a.mat") == []


def test_the_benchmark_s_file_has_every_picture_and_the_asked_for_poses(
    folder, tmp_path
):
    pictures = read_benchmark(folder / "annotations.mat")
    poses = np.random.default_rng(0).uniform(0, 200, (3, 16, 2))
    write_predictions(tmp_path / "pred.mat", pictures, poses)
    options = {"struct_as_record": False, "squeeze_me": True}
    pred = scipy.io.loadmat(tmp_path / "pred.mat", **options)["pred"]
    assert [row.image.name for row in pred] == ["1.jpg", "2.jpg", "3.jpg"]
    assert pred[1].annorect.size == 0
    rects = pred[0].annorect
    assert len(rects) == 3
    assert (rects[2].objpos.x, rects[2].objpos.y, rects[2].scale) == (30, 40, 1.5)
    assert rects[1].objpos.size == rects[1].annopoints.size == 0
    asked = [rects[0], rects[2], pred[2].annorect]
    for person, pose in zip(asked, poses, strict=True):
        points = person.annopoints.point
        assert [p.id for p in points] == list(range(16))
        np.testing.assert_array_equal([(p.x, p.y) for p in points], pose)


def test_structs_are_rows_as_matlab_writes_them(folder, tmp_path):
    pictures = read_benchmark(folder / "annotations.mat")
    write_predictions(tmp_path / "pred.mat", pictures, np.zeros((3, 16, 2)))
    pred = scipy.io.loadmat(tmp_path / "pred.mat")["pred"]
    assert pred.shape == (1, 3)
    assert pred.dtype.names == ("image", "annorect")
    people = pred[0, 0]["annorect"]
    assert (people.shape, people.dtype.names) == (
        (1, 3),
        ("scale", "objpos", "annopoints"),
    )
    assert people[0, 0]["annopoints"]["point"][0, 0].shape == (1, 16)
    assert people[0, 0]["scale"].dtype == np.float64


def test_every_single_person_needs_a_pose(folder, tmp_path):
    pictures = read_benchmark(folder / "annotations.mat")
    with pytest.raises(ValueError, match=r"\(3, 16, 2\).*Received.*\(2, 16, 2\)"):
        write_predictions(tmp_path / "pred.mat", pictures, np.zeros((2, 16, 2)))
    with pytest.raises(FileNotFoundError, match="absent"):
        write_predictions(tmp_path / "absent" / "p.mat", pictures, np.zeros((3, 16, 2)))


def test_a_wrong_test_part_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"picture a\.jpg: person 2 must be one of"):
        BenchmarkPicture("a.jpg", (1,), np.ones((1, 3)))
    with pytest.raises(ValueError, match="must lie below images/"):
        BenchmarkPicture("../a.jpg", (), np.ones((1, 3)))
    content = {name: np.empty((3, 0), object) for name in ("annot_tr", "annot_val")}
    cells = np.empty((3, 1), dtype=object)
    cells[:, 0] = np.array([[3]]), "a.jpg", np.ones((1, 3))
    for value, message in ((cells, "person 3"), (np.ones(3), r"\(3, pictures\)")):
        scipy.io.savemat(tmp_path / "a.mat", {**content, "annot_te": value})
        with pytest.raises(ValueError, match=rf"a\.mat: annot_te.*{message}"):
            read_benchmark(tmp_path / "a.mat")


def test_absent_test_pictures_are_not_asked_for(folder, tmp_path):
    (tmp_path / "out" / "images").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "out" / "images" / "3.jpg")
    release = folder.parent / "release.mat"
    status, out = run(tmp_path, release, "--only-with-picture")
    assert status == 0
    pictures = read_benchmark(out / "annotations.mat")
    assert [picture.single for picture in pictures] == [(), (), (0,)]
    assert convert.read_people(release, convert.Notes())[0].picture == "0.jpg"
