"""The names of what `python -m deephar predict` writes, and its flags."""

import re

import pytest
from PIL import Image

from deephar.commands.outputs import prepare_folder
from deephar.commands.planning import distinct_names, plan_sources, source_names
from deephar.commands.predict import parse
from deephar.data.box_lists import BoxRow, write_box_list
from deephar.data.sources import is_camera


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
    with pytest.raises(ValueError, match="Received: 2 times .*a/x.jpg"):
        source_names(["a/x.jpg", "a/../a/x.jpg"])


def test_a_number_is_a_camera_unless_a_file_has_that_name(files):
    assert is_camera("3") and source_names(["/dev/video1"]) == ["camera1"]
    (files / "3").touch()
    assert not is_camera("3") and not is_camera("x.3")


def test_a_folder_that_cannot_be_written_is_told(files):
    with pytest.raises(OSError, match="--out a/x.jpg/y: cannot write there: "):
        prepare_folder(type(files)("a/x.jpg/y"))


def test_drawings_of_a_list_are_as_many_as_its_pictures(tmp_path):
    names = ["x/1.jpg", "y/1.jpg", "z/1.jpg", "x/2.png"]
    assert distinct_names(names, "a.txt") == ["x_1.jpg", "y_1.jpg", "z_1.jpg", "2"]
    assert distinct_names(["1.jpg", "2.png", "1.png"], "a") == ["1.jpg", "2", "1.png"]
    others = distinct_names(["1.png.jpg", "1.jpg", "1.png"], "a")
    assert others[1] == "1.jpg" and len(set(others)) == 3


@pytest.fixture
def pictures(files):
    """Pictures in place of the empty files; a list of two that differ in ending."""
    for path in files.glob("*/x.*"):
        Image.new("RGB", (8, 6)).save(path)
    row = BoxRow("a/x.png", 0.5, (1, 1, 5, 5))
    write_box_list("list.txt", [row, row._replace(picture="a/x.jpg")])
    (files / "x.jpg").mkdir()
    Image.new("RGB", (8, 6)).save(files / "x.jpg" / "1.png")
    return files


PLANS = {
    "b/x.png a --out a --overwrite": "a/x.jpg: is a source; --out must be elsewhere",
    "list.txt b --out . --overwrite": "b: is a source; --out must be elsewhere",
    "list.txt --boxes boxes.txt": "--boxes needs a source without boxes of its own",
    "x.jpg b/x.png": "runs/predict/x.jpg: would be of two sources",
    "a/x.jpg a --lift": "--lift needs a video, a camera, or pictures with --rate",
    "a --lift": "--lift needs a video.*Received: a, which is a folder",
    "a --model action": "--model action needs a video",
    "a --detect-every 9": "--detect-every needs a video",
    "a/x.jpg --rate 5": "--rate needs a folder or a list",
    "a/y.mp4 --rate 5": "--rate needs a folder or a list",
    "a/x.jpg --every 7": "--every needs more than one picture",
    "a/x.jpg --frames 7": "--frames needs more than one picture",
    "list.txt --people 1": "--people needs a source without boxes of its own",
    "list.txt --detector hog": "--detector needs a source without boxes",
    "a b --boxes list.txt": "could be a picture of several sources|^$",
}
"""By flags, what is said of them and the files there."""


@pytest.mark.parametrize("line", PLANS)
def test_flags_and_files_that_do_not_fit_are_told_before_anything(pictures, line):
    if line == "a b --boxes list.txt":
        write_box_list("list.txt", [BoxRow("x.png", 0.5, (1, 1, 5, 5))])
    with pytest.raises(ValueError, match=PLANS[line]):
        plan_sources(parse(line.split()))


def test_boxes_of_a_list_go_to_the_sources_that_have_the_pictures(pictures):
    row = BoxRow("b/x.png", 0.5, (1, 1, 5, 5))
    rows = [row, BoxRow("00003.jpg", 0.7, row.box)]
    write_box_list("boxes.txt", rows)
    plans = plan_sources(parse("a a/y.mp4 b --boxes boxes.txt".split()))
    assert [plan.boxes for plan in plans] == [{}, {3: [rows[1]]}, {2: [row]}]
    with pytest.raises(ValueError, match="00003.jpg is no picture of these sources"):
        plan_sources(parse("a b --boxes boxes.txt".split()))


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
        (["x.mp4", "--causal"], "--causal needs --lift"),
        (["x.mp4", "--boxes", "a.txt", "--people", "2"], "--people: not with --box"),
        (["x.mp4", "--boxes", "a.txt", "--detect-every", "2"], "--detect-every: not"),
        (["x.jpg", "--detector", "whole", "--people", "2"], "--people: not with --det"),
    ],
)
def test_flags_that_cannot_be_end_in_a_message(flags, message, capsys):
    with pytest.raises(SystemExit):
        parse(flags)
    assert re.search(message, capsys.readouterr().err)
