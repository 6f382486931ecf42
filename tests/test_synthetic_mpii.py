"""Generated people on disk, in the structure of MPII."""

import dataclasses

import numpy as np
import pytest
import scipy.io
from PIL import Image
from scripts import load

from deephar.data.mpii_format import MpiiPerson, write_annotations
from deephar.data.synthetic import MPII_JOINTS, make_sample, write_mpii


def test_the_folder_is_in_the_structure_of_mpii(tmp_path):
    write_mpii(tmp_path, train=3, valid=2, seed=9)
    content = scipy.io.loadmat(tmp_path / "annotations.mat")
    assert content["annot_tr"].shape == (3, 3) and content["annot_val"].shape == (3, 2)
    rectangles, picture, annorect = content["annot_val"][:, 1]
    sample = make_sample((9, 1), 1)
    assert rectangles.tolist() == [[1]] and picture[0] == "valid_000001.jpg"
    person = annorect[0, 0]
    np.testing.assert_array_equal(person["pose"][0, 0].T, sample.labels.mpii_pose())
    np.testing.assert_array_equal(person["head"][0, 0][0], sample.labels.head)
    np.testing.assert_array_equal(person["objpos"][0, 0][0], sample.labels.objpos)
    assert person["scale"][0, 0][0, 0] == sample.labels.scale
    visible = sample.labels.visible[list(MPII_JOINTS)]
    np.testing.assert_array_equal(person["visible"][0, 0][0], visible)
    with Image.open(tmp_path / "images" / picture[0]) as image:
        difference = np.asarray(image).astype(int) - sample.picture
    assert np.abs(difference).mean() < 6


def test_the_files_do_not_depend_on_the_number_of_workers(tmp_path):
    for workers in (1, 2):
        write_mpii(tmp_path / str(workers), 2, 1, seed=1, workers=workers)
    for name in (
        "annotations.mat",
        "images/train_000001.jpg",
        "images/valid_000000.jpg",
    ):
        first, second = ((tmp_path / str(w) / name).read_bytes() for w in (1, 2))
        assert first == second


def test_a_folder_in_use_is_kept_unless_overwritten(tmp_path):
    write_mpii(tmp_path, train=2, valid=0)
    with pytest.raises(FileExistsError, match="must be empty"):
        write_mpii(tmp_path, train=1, valid=0)
    write_mpii(tmp_path, train=1, valid=0, overwrite=True)
    assert [p.name for p in (tmp_path / "images").iterdir()] == ["train_000000.jpg"]


@pytest.mark.parametrize("name", ["012345.jpg", "train_000000.png", "train_1.jpg"])
def test_a_folder_with_other_pictures_is_never_overwritten(tmp_path, name):
    write_mpii(tmp_path, train=1, valid=0)
    (tmp_path / "images" / name).write_bytes(b"theirs")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.*")}
    with pytest.raises(FileExistsError, match=f"did not generate: .*{name}"):
        write_mpii(tmp_path, train=1, valid=0, overwrite=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.*")} == before


def test_annotations_without_generated_pictures_are_never_overwritten(tmp_path):
    (tmp_path / "annotations.mat").write_bytes(b"theirs")
    with pytest.raises(FileExistsError, match="did not generate: .*annotations.mat"):
        write_mpii(tmp_path, train=1, valid=0, overwrite=True)
    assert (tmp_path / "annotations.mat").read_bytes() == b"theirs"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": -1}, "`train` must be at least 0. Received: train=-1"),
        ({"train": 0}, "nothing to write"),
        ({"workers": 0}, "`workers` must be at least 1"),
        ({"frontal": 1.5}, r"`frontal` must be within \[0, 1\]"),
        ({"seed": -3}, "`seed` must be at least 0"),
    ],
)
def test_senseless_numbers_are_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_mpii(tmp_path / "out", **{"train": 1, "valid": 0, **arguments})
    assert not (tmp_path / "out").exists()


def test_the_script_writes_a_folder_and_names_what_is_wrong(tmp_path, capsys):
    main = load("datasets/MPII/generate.py").main
    numbers = ["--train", "1", "--valid", "1", "--workers", "1"]
    assert main([str(tmp_path / "out"), *numbers]) == 0
    assert "1 training and 1 validation pictures" in capsys.readouterr().out
    assert main([str(tmp_path / "out"), *numbers]) == 1
    error = capsys.readouterr().err
    assert "the folder must be empty" in error and "(--overwrite)" in error
    (tmp_path / "out" / "images" / "0.jpg").touch()
    assert main([str(tmp_path / "out"), *numbers, "--overwrite"]) == 1
    error = capsys.readouterr().err
    assert "0.jpg" in error and "(--overwrite)" not in error
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file"), *numbers]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_people_of_one_picture_share_a_column(tmp_path):
    person = MpiiPerson("a.jpg", np.arange(4), np.ones(2), 1.0, np.zeros((16, 2)))
    other = dataclasses.replace(person, picture="b.jpg")
    write_annotations(tmp_path / "annotations.mat", [person, other, person], [])
    content = scipy.io.loadmat(tmp_path / "annotations.mat")
    assert content["annot_tr"].shape == (3, 2) and content["annot_val"].size == 0
    assert content["annot_tr"][0, 0].tolist() == [[1], [2]]
    assert content["annot_tr"][2, 0].shape == (2, 1)


def test_a_person_with_wrong_values_is_refused(tmp_path):
    good = MpiiPerson("a.jpg", np.arange(4), np.ones(2), 1.0, np.zeros((16, 2)))
    for change, message in (
        ({"pose": np.zeros((14, 2))}, r"`pose` of a.jpg must have the shape \(16, 2\)"),
        ({"head": np.full(4, np.nan)}, "`head` of a.jpg must be finite"),
        ({"scale": 0.0}, "`scale` of a.jpg must be positive. Received: scale=0.0"),
        ({"head": np.array([4, 0, 2, 3])}, "`head` of a.jpg must be.* x1 < x2"),
        ({"head": np.zeros(4)}, "`head` of a.jpg must be.* y1 < y2"),
        ({"picture": ""}, "`picture` must be a file name"),
        ({"picture": 7}, "`picture` must be a file name. Received: picture=7"),
        ({"picture": "/a.jpg"}, "must lie below images/.*'/a.jpg'"),
        ({"picture": "b/../../a.jpg"}, "must lie below images/"),
        ({"picture": r"..\a.jpg"}, "must lie below images/"),
        ({"picture": r"C:\a.jpg"}, "must lie below images/"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(good, **change)
    with pytest.raises(FileNotFoundError, match="the folder of `path` must exist"):
        write_annotations(tmp_path / "no" / "annotations.mat", [good], [])
