"""Mistakes in files of own data: each is told by file, line and place."""

import copy
import json

import pytest
from PIL import Image
from tiny_custom import clip, content, person, picture, write_tiny_custom
from video_files import write_video

from deephar.data import check_custom, read_custom
from deephar.data.placed_json import find_lines

PERSON = ("pictures", 0, "people", 0)
"""Where the person is in whom most mistakes are made."""


def changed(place, value=None, drop=False):
    """The tiny file's content with another value at a place."""
    data = copy.deepcopy(content())
    owner = data
    for key in place[:-1]:
        owner = owner[key]
    if drop:
        del owner[place[-1]]
    else:
        owner[place[-1]] = value
    return data


def line_of(path, text):
    """The first line of a file that holds a text."""
    lines = path.read_text().splitlines()
    return next(number for number, one in enumerate(lines, 1) if text in one)


MISTAKES = {
    "format": (("format",), "coco", '"format"', r"format must be one of deephar-data"),
    "version": (("version",), 2, '"version"', "version must be 1.*Received: 2"),
    "unknown key": (
        (*PERSON, "boxxywh"),
        [1, 2, 3, 4],
        '"boxxywh"',
        r"people\[0\].boxxywh must be a key of these: .*; is box_xywh meant\?",
    ),
    "no such layout": (
        ("layout",),
        "coco17",
        '"layout"',
        "layout must be one of pa16j2d.*; is coco17j meant",
    ),
    "joint twice": (
        ("layout", "joints", 1),
        "top",
        None,
        r"layout.joints\[1\] must be another name than the others. Received: 'top'",
    ),
    "flip of no joint": (
        ("layout", "flips", 0),
        ["left_end", "right"],
        None,
        r"layout.flips\[0\] must be of the layout's joints; is right_end meant",
    ),
    "left without right": (
        ("layout", "flips"),
        [],
        '"flips"',
        r"layout.flips must have the pair \['right_end', 'left_end'\]",
    ),
    "end without its other": (
        ("layout",),
        {"joints": ["top", "foot", "end_l", "end_r"]},
        '"joints"',
        r"layout.joints must have the pair \['end_r', 'end_l'\]",
    ),
    "joint of no layout": (
        (*PERSON, "joints", "left_hand"),
        [40, 40],
        '"left_hand"',
        r"joints.left_hand must be a joint of the layout.*; is left_end meant",
    ),
    "comma in an action": (
        ("actions",),
        ["jump", "sit", "get up, go"],
        '"get up, go"',
        r"actions\[2\] must be a name without a comma, which is between names",
    ),
    "one coordinate": (
        (*PERSON, "joints", "top"),
        [4],
        '"top": [',
        r"joints.top must be \[x, y\], px, or \[x, y, visible\]. Received: \[4\]",
    ),
    "visibility": (
        (*PERSON, "joints", "top"),
        [40, 20, 2],
        '"top": [',
        r"must have 1 \(visible\) or 0 \(hidden\) behind x and y. .*\[40, 20, 2\]",
    ),
    "joint outside": (
        (*PERSON, "joints", "top"),
        [40, 90],
        '"top": [',
        r"joints.top must lie in the picture of 80x72 px, or be hidden",
    ),
    "three numbers": (
        (*PERSON, "box_xywh"),
        [1, 2, 3],
        '"box_xywh"',
        "box_xywh must be 4 finite numbers, x, y, w, h, px",
    ),
    "reversed box": (
        (*PERSON, "box_xywh"),
        [60, 60, -40, 9],
        '"box_xywh"',
        "with w and h above 0. Received: .60, 60, -40, 9",
    ),
    "parts of the picture": (
        (*PERSON, "box_xywh"),
        [0.2, 0.2, 0.5, 0.6],
        '"box_xywh"',
        "in px, not in parts of the picture",
    ),
    "stray click": (
        (*PERSON, "box_xywh"),
        [40, 20, 0.9, 0.8],
        '"box_xywh"',
        "must be x, y, w, h, px, with w or h above 1. Received: .40, 20, 0.9, 0.8",
    ),
    "damaged box": (
        (*PERSON, "box_xywh"),
        [18, 16, 44, 4e7],
        '"box_xywh"',
        "must be x, y, w, h, px, none beyond 1e.06",
    ),
    "box outside": (
        (*PERSON, "box_xywh"),
        [90, 0, 10, 10],
        '"box_xywh"',
        "box_xywh must lie in the picture of 80x72 px",
    ),
    "huge box": (
        (*PERSON, "box_xywh"),
        [-9, -9, 400, 90],
        '"box_xywh"',
        "box_xywh must be at most 4 times as wide and high as the picture of 80x72 px",
    ),
    "box of another": (
        (*PERSON, "box_xywh"),
        [0, 0, 10, 10],
        '"box_xywh"',
        "must hold a joint of its person; it is x, y, w, h. Received: .0, 0, 10, 10",
    ),
    "head size": (
        (*PERSON, "head_size"),
        0,
        '"head_size"',
        "head_size must be a length above 0, px. Received: 0",
    ),
    "no such action": (
        ("clips", 0, "action"),
        "jmp",
        '"jmp"',
        r"clips\[0\].action must be one of the file's `actions`: jump, sit; is jump",
    ),
    "no such split": (
        ("pictures", 1, "split"),
        "validation",
        '"validation"',
        "split must be one of train, valid, test; is valid meant",
    ),
    "absolute path": (
        ("pictures", 0, "file"),
        "C:\\a.png",
        '"C:',
        "file must be a path from the file's folder, with / in it",
    ),
    "picture twice": (
        ("pictures", 1, "file"),
        "images/0.png",
        None,
        r"pictures\[1\].file must be another picture than that of pictures\[0\].file",
    ),
    "picture in two parts": (
        ("clips", 0, "split"),
        "valid",
        None,
        r"frames\[0\].file must be in one part: it is in train before. Received: 'val",
    ),
    "clip twice": (
        ("clips", 1, "name"),
        "one",
        None,
        r"clips\[1\].name must be another clip than that of clips\[0\].name",
    ),
    "span too long": (
        ("clips", 1, "spans", 0, "frames"),
        [1, 10],
        None,
        r"spans\[0\].frames must be first and last, numbers of .* 1, at most 9, and",
    ),
    "span turned back": (
        ("clips", 1, "spans", 0, "frames"),
        [3, 2],
        None,
        "and not turn back. Received: .3, 2",
    ),
    "no frames": (
        ("clips", 0, "frames"),
        [],
        '"frames": []',
        r"clips\[0\].frames must be a list of 1 or more",
    ),
    "size": (
        ("pictures", 0, "size"),
        [80, 0.5],
        '"size"',
        r"size must be \[width, height\], px, two integers above 0",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_place(tmp_path, kind):
    place, value, where, message = MISTAKES[kind]
    path = write_tiny_custom(tmp_path, changed(place, value))
    problems = check_custom(path).problems
    with pytest.raises(ValueError, match=message):
        read_custom(path)
    assert problems[0].file == str(path)
    if where:
        assert problems[0].line == line_of(path, where)
    assert str(problems[0]).startswith(f"{path}:{problems[0].line}: ")


def test_what_lacks_is_told_at_its_owner(tmp_path):
    path = write_tiny_custom(tmp_path, changed((*PERSON, "box_xywh"), drop=True))
    (problem,) = check_custom(path).problems
    assert "people[0] must have box_xywh. Received: ['joints']" in problem.text
    assert problem.line == line_of(path, '"people"') + 1
    path = write_tiny_custom(tmp_path, changed(("pictures", 0, "split"), drop=True))
    (problem,) = check_custom(path).problems
    assert "pictures[0] must have `split`, train or valid or test" in problem.text


def test_no_json_and_keys_that_stand_twice(tmp_path):
    path = write_tiny_custom(tmp_path)
    text = path.read_text()
    path.write_text(text.replace('"size": [', '"file": "images/9.png",\n"size": [', 1))
    (problem,) = check_custom(path).problems
    assert "pictures[0].file must stand once in its object" in problem.text
    assert problem.line == line_of(path, "images/9.png")
    path.write_text(text.replace('"version": 1,', '"version": 1'))
    (problem,) = check_custom(path).problems
    assert problem.line == 4 and "must be JSON. Expecting ',' delimiter" in problem.text
    path.write_text(text.replace("images/1", "\\ud83d\\ude00\\ud800", 1))
    (problem,) = check_custom(path).problems
    assert problem.text == r"must be of whole characters. Received: \ud800"
    assert problem.line == line_of(path, r"\ud800")
    path.write_bytes(b'{\n"format": "\xff"}')
    (problem,) = check_custom(path).problems
    assert (problem.line, problem.text) == (2, "must be UTF-8")


def test_every_mistake_is_found_and_the_first_are_named(tmp_path):
    data = content()
    for one in data["pictures"]:
        one["people"][0]["box_xywh"] = "none"
    data["pictures"][0]["people"][0]["joints"]["top"] = "here"
    path = write_tiny_custom(tmp_path, data)
    assert len(check_custom(path).problems) == 4
    with pytest.raises(ValueError, match=r"has 4 mistakes:\n(.*\n){3}and 1 more"):
        read_custom(path)


def test_depth_without_a_place_and_clips_of_two_kinds(tmp_path):
    data = content()
    data["pictures"][0]["people"] = [person(joints={}, joints_3d={"top": [0, 0, 9]})]
    data["clips"] = [{**clip("one", 2), "video": "v.mp4"}]
    problems = check_custom(write_tiny_custom(tmp_path, data)).problems
    texts = [one.text for one in problems]
    assert "joints_3d.top must be in `joints`, x and y in px, too" in texts[0]
    assert "clips[0] must have either `video` or `frames`" in texts[1]


def test_pictures_are_looked_for_if_asked(tmp_path):
    data = content()
    data["pictures"] = [picture("no"), picture(1), {**picture(2), "size": [72, 80]}]
    path = write_tiny_custom(tmp_path, data)
    assert check_custom(path).problems == ()
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (80, 72)).save(tmp_path / "images/1.png", exif=turned)
    turned[0x0112] = 0  # there is no such orientation, and viewers turn nothing
    Image.new("RGB", (80, 72)).save(tmp_path / "images/2.png", exif=turned)
    (tmp_path / "images/0.png").write_bytes(b"no picture")
    texts = [one.text for one in check_custom(path, look=True).problems]
    assert "pictures[0].file must be a picture that is there" in texts[0]
    assert "must be stored upright: viewers turn it by its EXIF orientat" in texts[1]
    assert "must have the annotated size (72, 80) px, not (80, 72)" in texts[2]
    assert "clips[0].frames[0].file must be a picture as it is said to be: " in texts[3]
    assert not any("orientation 0" in text for text in texts)


def test_videos_are_looked_for_and_their_length_counts(tmp_path):
    write_video(tmp_path / "v.mp4", 5, rate=10)
    one = {"split": "train", "video": "v.mp4"}
    spans = [{"action": "sit", "seconds": [0, 0.9]}]
    labels = [{"frame": 6, "joints": {"top": [70, 9]}}]
    data = content()
    data["clips"] = [
        {**one, "name": "long", "labels": labels, "spans": spans},
        {**one, "name": "lost", "video": "no.mp4"},
        {**one, "name": "size", "size": [80, 72]},
    ]
    path = write_tiny_custom(tmp_path, data)
    assert check_custom(path).problems == ()
    texts = [problem.text for problem in check_custom(path, look=True).problems]
    assert "labels[0].frame must be at most 5, the last of the video" in texts[0]
    assert "s from the first frame, at most 0.5, and not turn back" in texts[1]
    assert "clips[1].video must be a video that is there" in texts[2]
    assert "must have the size (80, 72) px that is said, not (64, 48)" in texts[3]


def test_the_files_of_a_folder_are_one_data_set(tmp_path):
    first, second = content(), content()
    del first["clips"], second["clips"]
    second["pictures"] = [picture(2, "test")]
    first["pictures"].pop()
    write_tiny_custom(tmp_path, first).rename(tmp_path / "a.json")
    write_tiny_custom(tmp_path, second)
    (tmp_path / "generated.json").write_text('{"kind": "Custom"}')
    (tmp_path / "other.json").write_text('{"kind": "another"}')
    found = check_custom(tmp_path)
    assert [one.part for one in found.data.pictures] == ["train", "train", "test"]
    assert found.problems == () and found.passed_over == (str(tmp_path / "other.json"),)
    second["actions"] = ["sit"]
    path = write_tiny_custom(tmp_path, second)
    (problem,) = check_custom(tmp_path).problems
    assert (problem.file, problem.line) == (str(path), line_of(path, '"actions"'))
    assert "must be those of the folder's other files: jump, sit" in problem.text


def test_what_does_not_fit_the_first_file_is_left_out(tmp_path):
    first, others, fewer = content(), content(), content()
    others["actions"] += ["wave"]
    fewer["layout"] = {"joints": ["top"]}
    fewer["pictures"] = [{"file": "4.jpg", "split": "train", "people": []}]
    for data, name in ((first, "a"), (others, "b"), (fewer, "c")):
        write_tiny_custom(tmp_path, data).rename(tmp_path / f"{name}.json")
    found = check_custom(tmp_path)
    texts = "".join(problem.text for problem in found.problems)
    assert "layout must be that of" in texts and "actions must be those of" in texts
    alone = check_custom(tmp_path / "a.json").data
    assert len(found.data.pictures) == len(alone.pictures)
    assert len(found.data.clips) == len(alone.clips)


def test_a_file_may_name_its_schema(tmp_path):
    path = write_tiny_custom(tmp_path, {"$schema": "schema.json", **content()})
    assert check_custom(path).problems == ()


def test_nothing_of_the_name_and_a_folder_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        read_custom(tmp_path / "no.json")
    (tmp_path / "a.json").write_text(json.dumps([1]))
    with pytest.raises(ValueError, match='must hold a file with "format"'):
        read_custom(tmp_path)


def test_lines_are_found_in_any_form_of_json():
    text = '{"a": [1,\n {"b" :\n 2, "s": "]},\\""}]\n,\n"c": {}}'
    places = [("a", 1, "b"), ("a", 1, "s"), ("a", 1, "x"), ("c",), ()]
    assert list(find_lines(text, places).values()) == [2, 3, 2, 5, 1]
