"""Lists of boxes: what is written is read, and errors name file and line."""

import json

import pytest
from scripts import load

from deephar.data.box_lists import BoxRow, read_box_list, write_box_list
from deephar.data.detections import read_detections

ROWS = [
    BoxRow("images/a b-0001.jpg", 0.8976534366607666, (418.0, 336.0, 559.0, 499.0)),
    BoxRow("images/a b-0002.jpg", 1.0, (-1.5, 0.25, 10.125, 20.0)),
]
READ = load("exp/merl/read_bboxdata.py")


def test_a_list_is_read_as_it_was_written(tmp_path):
    write_box_list(tmp_path / "a.txt", ROWS)
    assert read_box_list(tmp_path / "a.txt") == ROWS
    first = (tmp_path / "a.txt").read_text().splitlines()[0]
    assert first == "images/a b-0001.jpg\t0.8976534366607666\t418\t336\t559\t499"


def test_paths_start_from_a_folder_if_one_is_given(tmp_path):
    root = str(tmp_path / "x.jpg")
    write_box_list(tmp_path / "a.txt", [ROWS[0], ROWS[1]._replace(picture=root)])
    rows = read_box_list(tmp_path / "a.txt", "shop")
    assert [row.picture for row in rows] == ["shop/images/a b-0001.jpg", root]


def test_whole_numbers_and_empty_lines_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("x.jpg\t1\t1\t2\t3\t4\r\n\n")
    assert read_box_list(tmp_path / "a.txt") == [BoxRow("x.jpg", 1.0, (1, 2, 3, 4))]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x.jpg\t1\t2\t3\t4", "line 2 must be path, score, x1"),
        ("x.jpg\t0.5\t1\t2\tthree\t4", "line 2 must be path, score, x1"),
        ("x.jpg\tnan\t1\t2\t3\t4", "line 2 must be path, score, x1"),
        ("\t0.5\t1\t2\t3\t4", "line 2 must be path, score, x1"),
        ("x.jpg 0.5 1 2 3 4", "line 2 must be path, score, x1"),
        ("x.jpg\t0.5\t3\t2\t1\t4", r"line 2: a box .*\[3.0, 2.0, 1.0, 4.0\]"),
        ("x.jpg\t0.5\t1\t2\t3\t2", "line 2: .* x1 < x2 and y1 < y2"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path, line, message):
    (tmp_path / "boxes.txt").write_text(f"x.jpg\t1\t1\t2\t3\t4\n{line}\n")
    with pytest.raises(ValueError, match=f"boxes.txt, {message}"):
        read_box_list(tmp_path / "boxes.txt")


def test_lists_that_are_missing_empty_or_no_text_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no list of boxes: .*none.txt"):
        read_box_list(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(ValueError, match="empty.txt must have lines of path, score"):
        read_box_list(tmp_path / "empty.txt")
    (tmp_path / "picture.txt").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ValueError, match="picture.txt must be a text in UTF-8"):
        read_box_list(tmp_path / "picture.txt")


def test_a_path_that_could_not_be_read_again_is_refused(tmp_path):
    for picture in ("a\rb.jpg", "a\nb.jpg", "a\tb.jpg", "\ufeffa.jpg"):
        row = BoxRow(picture, 1.0, (1, 2, 3, 4))
        with pytest.raises(ValueError, match="without tabs, line breaks and U"):
            write_box_list(tmp_path / "a.txt", [row])
    assert not list(tmp_path.iterdir())


DETECTIONS = [
    {
        "file_name": "one-0001.jpg",
        "boxes": [[1, 2, 30, 40], [5, 6, 70, 80]],
        "scores": [0.9, 0.8],
        "ids": [1, 7],
    },
    {"file_name": "one-0002.jpg", "boxes": [], "scores": [], "ids": []},
    {
        "file_name": "two-0001.jpg",
        "boxes": [[2, 2, 30, 40]],
        "scores": [0.7],
        "ids": [7],
    },
    {
        "file_name": "one-0003.jpg",
        "boxes": [[5, 6, 71, 81]],
        "scores": [0.6],
        "ids": [7],
    },
]


def test_detections_become_a_list_a_video_of_the_first_box(tmp_path, capsys):
    (tmp_path / "d.json").write_text(json.dumps(DETECTIONS))
    READ.main([str(tmp_path / "d.json"), str(tmp_path / "out")])
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        *("one.txt", "two.txt")
    ]
    rows = read_box_list(tmp_path / "out" / "one.txt")
    assert [row.box for row in rows] == [(1, 2, 30, 40), (5, 6, 71, 81)]
    assert rows[0].picture == str(tmp_path / "one-0001.jpg")
    assert rows[0].score == 0.9
    said = capsys.readouterr().out
    assert "1 pictures without a box, in no list: one-0002.jpg" in said


def test_detections_become_a_list_a_tracked_person(tmp_path):
    (tmp_path / "d.json").write_text(json.dumps(DETECTIONS))
    flags = ("--by", "track", "--pictures", "shop")
    READ.main([str(tmp_path / "d.json"), str(tmp_path / "out"), *flags])
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["one_1.txt", "one_7.txt", "two_7.txt"]
    rows = read_box_list(tmp_path / "out" / "one_7.txt")
    assert [row.picture for row in rows] == ["shop/one-0001.jpg", "shop/one-0003.jpg"]


@pytest.mark.parametrize(
    ("name", "video"),
    [
        ("17_2_crop-0004.jpg", "17_2_crop"),
        ("shop/17_2-0004-a.jpg", "shop_17_2"),
        ("/data/Look/17_2/4.jpg", "data_Look_17_2"),
    ],
)
def test_the_video_is_told_by_the_name_or_by_the_folder(name, video):
    assert READ.video_of("d.json", name) == video


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"boxes": [], "scores": []}, 'entry 1 must have a "file_name"'),
        ({"file_name": "a-1.jpg", "boxes": [[1, 2, 3, 4]]}, "as many boxes, scores"),
        (
            {"file_name": "1.jpg", "boxes": [], "scores": []},
            "d.json: '1.jpg' tells no video",
        ),
        (
            {"file_name": "a-1.jpg", "boxes": [[1, "x", 3, 4]], "scores": [1]},
            "`boxes` of .*d.json, entry 1 must be 4 finite numbers",
        ),
        (
            {"file_name": "a-1.jpg", "boxes": [["1", "2", "3", "4"]], "scores": [1]},
            "must be 4 finite numbers",
        ),
        (
            {"file_name": "a-1.jpg", "boxes": [[1, 2, 3, 10**400]], "scores": [1]},
            "must be 4 finite numbers",
        ),
        (
            {"file_name": "a-1.jpg", "boxes": [[1, 2, 3, 4]], "scores": [True]},
            "`scores` of .* must be 1 finite numbers",
        ),
        (
            {"file_name": "a-1.jpg", "boxes": [[9, 2, 3, 4]], "scores": [1]},
            "x1 < x2 and y1 < y2",
        ),
    ],
)
def test_detections_of_another_form_are_named(tmp_path, entry, message):
    (tmp_path / "d.json").write_text(json.dumps([entry]))
    with pytest.raises(ValueError, match=message):
        READ.main([str(tmp_path / "d.json"), str(tmp_path / "out")])


def test_ids_are_no_truth_values(tmp_path):
    (tmp_path / "d.json").write_text(json.dumps([{**DETECTIONS[2], "ids": [True]}]))
    with pytest.raises(ValueError, match="`ids` must be numbers, .* Received: True"):
        read_detections(tmp_path / "d.json", ids=True)


def test_files_as_windows_writes_them_are_read(tmp_path):
    text = json.dumps(DETECTIONS[:1])
    (tmp_path / "d.json").write_text(text, encoding="utf-8-sig")
    assert read_detections(tmp_path / "d.json")[0].file_name == "one-0001.jpg"
    line = "x.jpg\t1\t1\t2\t3\t4\n"
    (tmp_path / "a.txt").write_text(line, encoding="utf-8-sig")
    assert read_box_list(tmp_path / "a.txt")[0].picture == "x.jpg"


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0c", "\x1c"])
def test_signs_that_part_lines_of_other_texts_belong_to_a_path(tmp_path, sign):
    rows = [ROWS[0]._replace(picture=f"a{sign}b.jpg")]
    write_box_list(tmp_path / "a.txt", rows)
    assert read_box_list(tmp_path / "a.txt") == rows


def test_ids_cannot_lead_out_of_the_folder(tmp_path):
    entry = {**DETECTIONS[2], "ids": ["../7"]}
    (tmp_path / "d.json").write_text(json.dumps([entry]))
    with pytest.raises(ValueError, match="`ids` must be numbers, or texts of letters"):
        READ.main([str(tmp_path / "d.json"), str(tmp_path / "out"), "--by", "track"])
