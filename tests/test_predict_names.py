"""The names of what `python -m deephar predict` writes, and its flags."""

import re

import numpy as np
import pytest
from PIL import Image

from deephar.commands.outputs import (
    DrawnPictures,
    is_camera,
    prepare_folder,
    source_names,
)
from deephar.commands.predict import parse


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The current folder, with two folders of equal files."""
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name in ("x.jpg", "x.png", "y.mp4"):
            (tmp_path / folder / name).touch()
    return tmp_path


def test_results_are_named_as_their_source_without_ending(files):
    assert source_names(["a/x.jpg", "b/y.mp4", "a", "0"]) == ["x", "y", "a", "camera0"]


def test_names_that_would_be_equal_keep_their_ending_or_folder(files):
    assert source_names(["a/x.jpg", "a/x.png"]) == ["x.jpg", "x.png"]
    assert source_names(["a/x.jpg", "b/x.jpg", "b/x.png", "b/y.mp4"]) == [
        *("a_x.jpg", "b_x.jpg", "x.png", "y"),
    ]


def test_a_source_that_is_given_twice_is_refused(files):
    with pytest.raises(ValueError, match="Received: 2 sources named a_x.jpg"):
        source_names(["a/x.jpg", "a/../a/x.jpg"])


def test_a_number_is_a_camera_unless_a_file_has_that_name(files):
    assert is_camera("3")
    (files / "3").touch()
    assert not is_camera("3") and not is_camera("x.3")


def test_a_folder_that_cannot_be_written_is_told(files):
    with pytest.raises(OSError, match="--out a/x.jpg/y: cannot write there: "):
        prepare_folder(type(files)("a/x.jpg/y"))


def test_drawings_of_a_folder_are_as_many_as_its_pictures(tmp_path):
    drawn = DrawnPictures(tmp_path / "out", many=True)
    grey = np.full((8, 9, 3), 90, np.uint8)
    names = [drawn.write(grey, name).name for name in ("1.jpg", "1.png", "2.png")]
    assert names == ["1.jpg", "1.png.jpg", "2.jpg"]
    with Image.open(tmp_path / "out" / "1.png.jpg") as image:
        assert image.size == (9, 8)


def test_boxes_come_as_numbers_one_flag_a_person():
    args = parse(["x.jpg", "--box", *"1 2 3 4".split(), "--box", *"5 6 7 8".split()])
    assert args.box == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "the following arguments are required: SOURCE"),
        (["x.jpg", "--people", "0"], "must be an integer of at least 1. Received: 0"),
        (["x.jpg", "--confidence", "2"], r"must be a number in \[0, 1\). Received: 2"),
        (["x.jpg", "--box", "1", "2", "3"], "--box: expected 4 arguments"),
        (["x.jpg", "--precision", "int8"], "invalid choice: 'int8'"),
    ],
)
def test_flags_that_cannot_be_end_in_a_message(flags, message, capsys):
    with pytest.raises(SystemExit):
        parse(flags)
    assert re.search(message, capsys.readouterr().err)
