"""datasets/MERL: the owners' labels and videos become clips of five actions."""

import importlib.util
import json
import pathlib

import numpy as np
import pytest
import scipy.io
from PIL import Image
from video_files import write_video

from deephar.config import DataConfig
from deephar.data.merl import MERL5Action
from deephar.data.merl_shopping import ACTIONS, PARTS, read_labels
from deephar.utils.modes import TEST_MODE

SCRIPTS = pathlib.Path(__file__).parents[1] / "datasets" / "MERL"


def load(name):
    spec = importlib.util.spec_from_file_location(
        f"merl_{name}", SCRIPTS / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


convert, extract = load("convert"), load("extract_frames")
SIZE = (64, 48)
TIMES = ([[7, 9], [2, 4]], [[5, 6]], [], [[3, 8]], [[1, 1]])
"""First and last frames of the five actions."""


def write_labels(path, times=TIMES):
    cells = np.empty((len(times), 1), dtype=object)
    cells[:, 0] = [np.array(one, dtype=np.uint16) for one in times]
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"tlabs": cells})
    return path


@pytest.fixture
def owners(tmp_path):
    """Labels and videos of three people, one of each part."""
    for person in (3, 21, 41):
        write_labels(tmp_path / "labels" / f"{person}_1_label.mat")
        write_video(tmp_path / "videos" / f"{person}_1_crop.mp4", 10, SIZE)
    return tmp_path


def run_extract(folder, *more):
    places = [str(folder / name) for name in ("videos", "labels")]
    return extract.main([*places, "--out", str(folder), *more])


def run_convert(folder, *more):
    places = [str(folder / name) for name in ("labels", "frames", "lists")]
    return convert.main([*places, *more])


def test_labelled_frames_of_the_videos_are_written(owners, capsys):
    assert run_extract(owners) == 0
    names = sorted(path.name for path in (owners / "frames" / "3_1_crop").iterdir())
    assert names == [f"{number:05d}.jpg" for number in range(1, 10)]
    assert Image.open(owners / "frames" / "3_1_crop" / names[4]).getpixel(
        (30, 20)
    ) == pytest.approx((50,) * 3, abs=6)
    assert run_extract(owners) == 0
    assert "3 videos: 0 pictures written, 27 there" in capsys.readouterr().out


def test_labels_and_frames_become_clips_by_part(owners, capsys):
    run_extract(owners)
    assert run_convert(owners) == 0
    text = capsys.readouterr().out
    assert "train: 5 clips, 15 frames, 0 with a box" in text
    assert "ReachToShelf          2      2      2" in text
    for part in PARTS:
        config = DataConfig(crop_resolution=(32, 32))
        path = owners / "lists" / f"{part}.json"
        data = MERL5Action(path, config, clip_size=2, classes=ACTIONS)
        assert data.get_length(TEST_MODE) == 5 and data.missing_pictures() == []
    assert [data.action(key, TEST_MODE) for key in range(5)] == [4, 0, 3, 1, 0]
    assert data.video_name(1, TEST_MODE) == "41_1_crop_2_4_ReachToShelf"
    assert data.num_frames(1, TEST_MODE) == 3
    pixels = data.get_data(1, TEST_MODE)["frame"].mean(axis=(1, 2, 3))
    assert data.one_clip(1, TEST_MODE, 1) == [0, 2]
    np.testing.assert_allclose(127.5 * (pixels + 1), [20, 40], atol=14)


def test_steps_between_frames_are_counted_from_the_beginning_of_an_action(owners):
    assert run_extract(owners, "--every", "3") == 0
    names = sorted(path.name for path in (owners / "frames" / "3_1_crop").iterdir())
    assert [int(name[:5]) for name in names] == [1, 2, 3, 5, 6, 7]
    assert run_convert(owners, "--every", "3") == 0
    entries = json.loads((owners / "lists" / "train.json").read_text())
    by_name = [entry["image"]["file_name"] for entry in entries]
    assert by_name == [f"{n:05d}.jpg" for n in (1, 2, 3, 6, 5, 7)]


def test_boxes_of_a_detector_are_taken_by_video_and_picture(owners):
    run_extract(owners)
    boxes = [[1, 2, 30, 40], [5, 6, 20, 30]]
    found = [
        {"file_name": "any/3_1_crop/00002.jpg", "boxes": boxes, "scores": [0.2, 0.9]},
        {"file_name": "3_1_crop/00003.jpg", "boxes": [], "scores": []},
    ]
    (owners / "found.json").write_text(json.dumps(found))
    assert run_convert(owners, "--boxes", str(owners / "found.json")) == 0
    entries = json.loads((owners / "lists" / "train.json").read_text())
    reach = [
        e["person_bbox"] for e in entries if e["id"] == "3_1_crop_2_4_ReachToShelf"
    ]
    assert reach == [boxes[1], [], []]


def boxed(folder, *names):
    """A detector's file with a box in each of the pictures."""
    found = [{"file_name": n, "boxes": [[1, 2, 3, 4]], "scores": [1]} for n in names]
    (folder / "found.json").write_text(json.dumps(found))
    return "--boxes", str(folder / "found.json")


def test_boxes_of_pictures_that_no_clip_has_are_told(owners, capsys):
    run_extract(owners)
    names = "3_1_crop/00002.jpg", r"shop\41_1_crop\00002.jpg", "3_1_crop/2.jpg"
    assert run_convert(owners, *boxed(owners, *names)) == 0
    said = capsys.readouterr()
    assert "left out: boxes of 1 of 3 pictures, which no clip has, the" in said.err
    assert "first 3_1_crop/2.jpg" in said.err
    assert "train: 5 clips, 15 frames, 1 with a box" in said.out
    assert "test: 5 clips, 15 frames, 1 with a box" in said.out


def test_boxes_none_of_which_is_in_a_clip_are_an_error(owners, capsys):
    run_extract(owners)
    flags = boxed(owners, "3_1/00002.jpg", "3_1_crop/2.jpg")
    assert run_convert(owners, *flags) == 1
    assert "boxes of 2 of 2 pictures" in capsys.readouterr().err
    assert not (owners / "lists").exists()


def test_two_entries_for_a_picture_are_an_error(owners, capsys):
    run_extract(owners)
    flags = boxed(owners, "a/3_1_crop/00002.jpg", "b/3_1_crop/00002.jpg")
    assert run_convert(owners, *flags) == 1
    said = capsys.readouterr().err
    assert "found.json, entry 2: `file_name` must end in VIDEO/PICTURE, each" in said


def test_lists_that_are_there_are_kept_unless_it_is_said(owners, capsys):
    run_extract(owners)
    (owners / "labels" / "21_1_label.mat").unlink()
    (owners / "lists").mkdir()
    for part in ("train", "val"):
        (owners / "lists" / f"{part}.json").write_text("my own")
    assert run_convert(owners) == 1
    assert "train.json must not be there, or --overwrite" in capsys.readouterr().err
    names = [path.name for path in sorted((owners / "lists").iterdir())]
    assert names == ["train.json", "val.json"]
    assert (owners / "lists" / "train.json").read_text() == "my own"
    assert run_convert(owners, "--overwrite") == 0
    assert (owners / "lists" / "val.json").read_text() == "my own"
    assert "val.json: left as it was" in capsys.readouterr().out
    assert len(json.loads((owners / "lists" / "train.json").read_text())) == 15


def test_lacking_pictures_and_bad_labels_stop_or_are_left_out(owners, capsys):
    run_extract(owners)
    (owners / "frames" / "3_1_crop" / "00005.jpg").unlink()
    write_labels(owners / "labels" / "21_1_label.mat", TIMES[:4])
    (owners / "labels" / "x_label.mat").write_bytes(b"")
    assert run_convert(owners) == 1
    text = capsys.readouterr().err
    assert "RetractFromShelf from 5 to 6 lacks 1 of 2 pictures, the first" in text
    assert "21_1_label.mat: `tlabs` must be a cell array (5, 1)" in text
    assert "4 are bad. Wrote nothing" in text and not (owners / "lists").exists()
    assert run_convert(owners, "--bad", "leave-out") == 0
    assert "train: 3 clips, 7 frames" in capsys.readouterr().out
    assert [p.name for p in sorted((owners / "lists").iterdir())] == [
        *("test.json", "train.json")
    ]
    assert run_extract(owners) == 1


BAD_TIMES = {
    "an end before its beginning": [[5, 4]],
    "a frame 0": [[0, 4]],
    "a half frame": [[1.5, 4.0]],
    "three columns": [[1, 2, 3]],
}


@pytest.mark.parametrize("name", BAD_TIMES)
def test_wrong_labels_are_refused(tmp_path, name):
    cells = np.empty((5, 1), dtype=object)
    cells[:, 0] = [np.array(BAD_TIMES[name]), *[np.zeros((0, 0))] * 4]
    path = tmp_path / "1_1_label.mat"
    scipy.io.savemat(path, {"tlabs": cells})
    with pytest.raises(ValueError, match=r"1_1_label\.mat: ReachToShelf"):
        read_labels(path)


@pytest.mark.parametrize("name", ["42_1_label.mat", "0_1_label.mat", "1_label.mat"])
def test_names_of_labels_tell_a_person_of_a_part(tmp_path, name):
    write_labels(tmp_path / name)
    with pytest.raises(ValueError, match="a person from 1 to 41"):
        read_labels(tmp_path / name)


@pytest.mark.parametrize(
    "entry",
    [
        {"file_name": "1.jpg", "boxes": [], "scores": []},
        {"file_name": "a/1.jpg", "boxes": [[1, 2, 3, 4]], "scores": []},
        {"file_name": "a/1.jpg", "boxes": [[1, 2, 1, 4]], "scores": [1]},
        {"file_name": "a/1.jpg", "boxes": ["abc"], "scores": [1]},
        {"file_name": "a/1.jpg", "boxes": [[1, 2, 3, 4]], "scores": ["a"]},
        "text",
    ],
)
def test_wrong_boxes_are_refused(owners, capsys, entry):
    (owners / "found.json").write_text(json.dumps([entry]))
    assert run_convert(owners, "--boxes", str(owners / "found.json")) == 1
    assert "found.json, entry 1" in capsys.readouterr().err


def test_the_owners_labels_are_read(shared):
    folder = shared / "samples" / "merl" / "labels"
    found = [read_labels(path) for path in sorted(folder.glob("*.mat"))]
    parts = [one.part for one in found]
    assert {part: parts.count(part) for part in PARTS} == {
        "train": 60,
        "val": 18,
        "test": 28,
    }
    assert sum(len(one.intervals) for one in found) == 5377
    # Names of the fork's own files: 17_2_crop_1077_1108_RetractFromShelf and
    # 33_1_crop_3243_3374_InspectProduct.
    times = {
        (one.video, time.first, time.last): ACTIONS[time.action]
        for one in found
        for time in one.intervals
    }
    assert times["17_2_crop", 1077, 1108] == "RetractFromShelf"
    assert times["33_1_crop", 3243, 3374] == "InspectProduct"
