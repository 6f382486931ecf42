"""check-data: what of a data set is there, missing or wrong."""

import json
import pathlib
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image
from tiny_boxes import pickled_people
from tiny_coco import annotation, write_tiny_coco
from tiny_datasets import WRITERS

from deephar.commands import check_data as check
from deephar.data.boxes import ClipBoxes, FrameBoxes, write_boxes
from deephar.data.merl import MERLSinglePerson
from deephar.data.pictures import PictureError
from deephar.utils.modes import TRAIN_MODE


@pytest.fixture
def folder(whole, tmp_path):
    """A function that copies a sound data set, to be damaged."""

    def copy(name):
        return pathlib.Path(shutil.copytree(whole / name, tmp_path / name))

    return copy


def run(capsys, name, folder, *options):
    """Returns the exit status and what was found."""
    status = check.main([name, str(folder), "--json", *options])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", WRITERS)
def test_sound_data_is_counted_and_called_sound(whole, capsys, name):
    status, found = run(capsys, name, whole / name)
    assert (status, found["missing"], found["wrong"]) == (0, [], [])
    parts = found["parts"].values()
    unit = "pictures" if name in ("MPII", "COCO", "MERL") else "frames"
    assert found["pictures_read"] == sum(part[unit] for part in parts) > 7
    assert check.main([name, str(whole / name)]) == 0
    assert capsys.readouterr().out.endswith("pictures read\nsound\n")


def test_the_counts_of_coco_and_what_is_left_out(whole, capsys):
    _, found = run(capsys, "COCO", whole / "COCO")
    train = found["parts"]["train"]
    assert (train["people"], train["pictures"], train["left out (crowd)"]) == (5, 5, 1)
    assert (found["parts"]["valid"]["people"], found["pictures_read"]) == (4, 8)
    check.main(["COCO", str(whole / "COCO")])
    text = capsys.readouterr().out
    assert "  train: 5 people, 5 pictures, 1 left out (crowd)\n" in text


def test_a_part_of_coco_may_lack_but_not_half_of_it(folder, capsys):
    where = folder("COCO")
    annotations = where / "annotations" / "person_keypoints_train2017.json"
    annotations.unlink()
    status, found = run(capsys, "COCO", where)
    assert (status, len(found["missing"])) == (1, 1)
    assert f"no annotation file: {annotations}" in found["missing"][0]
    shutil.rmtree(where / "train2017")
    status, found = run(capsys, "COCO", where)
    assert (status, found["parts"]["train"]["people"]) == (0, 0)
    shutil.rmtree(where / "annotations")
    shutil.rmtree(where / "val2017")
    status, found = run(capsys, "COCO", where)
    assert "person_keypoints_val2017.json" in found["missing"][0]


def test_the_counts_of_merl(whole, capsys):
    _, found = run(capsys, "MERL", whole / "MERL", "--clip-size", "4")
    train, test = found["parts"]["train"], found["parts"]["test"]
    assert (train["people"], train["left out (empty box)"]) == (6, 1)
    assert (train["videos"], train["frames"], train["pictures"]) == (4, 19, 19)
    assert train["people whose pictures name no action"] == 0
    assert (test["frames without a box"], test["videos"]) == (1, 1)
    assert train["videos shorter than 4 frames"] == 1
    assert train["actions"] == {
        "ApproachtoShelf": 1,
        "LookatShelf": 1,
        "HandInShelf": 1,
        "ReachToShelf": 1,
    }


def write_people(folder, name="Stands", **changes):
    """A MERL folder with a pickle alone, of three people; the last one is changed."""
    people = pickled_people(folder / "images", [(name, 3)])
    people[2].update(changes)
    (folder / "prepare_train_merl.pkl").write_bytes(pickle.dumps(people))


def test_people_whose_pictures_name_no_action_are_told(tmp_path, capsys):
    write_people(tmp_path)
    status, found = run(capsys, "MERL", tmp_path)
    train = found["parts"]["train"]
    assert (status, train["people whose pictures name no action"]) == (0, 3)
    check.main(["MERL", str(tmp_path)])
    assert "3 people whose pictures name no action" in capsys.readouterr().out
    write_people(tmp_path, "ReachToShelf", img_paths="1_1_crop_5_90_Stands-0003.jpg")
    status, found = run(capsys, "MERL", tmp_path)
    train = found["parts"]["train"]
    assert (status, train["people"], train["videos"]) == (0, 3, 0)
    assert train["people whose pictures name no action"] == 1


def test_a_person_s_picture_of_another_size_is_wrong(tmp_path, capsys):
    write_people(tmp_path, img_width=90)
    status, found = run(capsys, "MERL", tmp_path)
    assert (status, len(found["wrong"])) == (1, 1)
    assert "annotated size (90, 80) px, not (120, 80)" in found["wrong"][0]
    people = MERLSinglePerson(tmp_path / "images", tmp_path / "prepare_train_merl.pkl")
    people.get_data(1, TRAIN_MODE)
    with pytest.raises(PictureError, match=r"annotated size \(90, 80\)"):
        people.get_data(2, TRAIN_MODE)


def test_boxes_outside_their_picture_are_wrong(folder, tmp_path, capsys):
    text = "boxes of the part {} are outside their picture, the first in {}"
    (tmp_path / "people").mkdir()
    write_people(tmp_path / "people", "ReachToShelf", bbox=[120, 0, 9, 9])
    status, found = run(capsys, "MERL", tmp_path / "people")
    picture = sorted((tmp_path / "people" / "images").iterdir())[2]
    assert (status, found["wrong"]) == (1, ["1 " + text.format("'train'", picture)])
    where = folder("MERL")
    path = where / "test_2.json"
    entries = json.loads(path.read_text())
    entries[3]["person_bbox"], entries[4]["person_bbox"] = [9, -9, 20, 0], [-5, 0, 1, 2]
    path.write_text(json.dumps(entries))
    status, found = run(capsys, "MERL", where)
    picture = where / entries[3]["image"]["url"]
    assert (status, found["wrong"]) == (1, ["1 " + text.format("'test'", picture)])
    where = folder("COCO")
    path = where / "annotations" / "person_keypoints_val2017.json"
    content = json.loads(path.read_text())
    for number, box in enumerate(([200, 0, 9, 9], [0, 120, 9, 9], [-9, 0, 9, 9])):
        content["annotations"][number]["bbox"] = box
    path.write_text(json.dumps(content))
    status, found = run(capsys, "COCO", where)
    picture = where / "val2017" / "000000000007.jpg"
    assert (status, found["wrong"]) == (1, ["3 " + text.format("'valid'", picture)])


def test_people_who_are_all_left_out_are_wrong(tmp_path, capsys):
    write_tiny_coco(tmp_path, [annotation(1, 2, iscrowd=1)])
    status, found = run(capsys, "COCO", tmp_path)
    assert status == 1 and "none; left out: 1 crowd" in found["wrong"][0]


def test_what_merl_lacks_or_has_in_another_size_is_told(folder, capsys):
    where = folder("MERL")
    pictures = sorted((where / "actions").rglob("*.jpg"))
    pictures[0].unlink()
    Image.new("RGB", (60, 60)).save(pictures[-1])
    status, found = run(capsys, "MERL", where)
    assert (status, found["missing"]) == (1, [str(pictures[0])])
    assert len(found["wrong"]) == 1 and "annotated size" in found["wrong"][0]
    (where / "prepare_train_merl.pkl").write_bytes(b"cos\nsystem\n.")
    _, found = run(capsys, "MERL", where)
    assert "it asks for os.system" in found["wrong"][0]
    for path in where.glob("*.*"):
        path.unlink()
    status, found = run(capsys, "MERL", where)
    assert status == 1 and "none of prepare_train_merl.pkl" in found["missing"][0]


def test_the_counts_of_penn_action(whole, capsys):
    _, found = run(capsys, "PennAction", whole / "PennAction")
    actions = {"jumping_jacks": 1, "tennis_serve": 1}
    assert found["parts"]["train"]["actions"] == actions
    assert found["parts"]["test"]["videos shorter than 16 frames"] == 1
    assert found["parts"]["test"]["frames without a joint"] == 1
    assert found["parts"]["valid"]["videos"] == 0
    check.main(["PennAction", str(whole / "PennAction")])
    text = capsys.readouterr().out
    assert "  train: 2 videos, 20 frames, 2 videos shorter than 16 frames, 2 ac" in text
    assert "  valid: nothing\n" in text


@pytest.mark.parametrize("name", WRITERS)
def test_missing_and_damaged_pictures_are_named(folder, capsys, name):
    where = folder(name)
    first, second, third = sorted(where.rglob("*.jpg"))[:3]
    first.unlink()
    second.write_bytes(second.read_bytes()[:300])
    third.write_text("no picture")
    status, found = run(capsys, name, where, "--all")
    assert status == 1
    assert found["missing"] == [str(first)]
    assert len(found["wrong"]) == 2
    assert str(second) in found["wrong"][0] and str(third) in found["wrong"][1]
    check.main([name, str(where)])
    text = capsys.readouterr().out
    assert f"missing: {first}\n" in text and text.endswith("not sound\n")


def test_many_missing_pictures_are_summed_up_by_folder(folder, capsys):
    where = folder("PennAction")
    shutil.rmtree(where / "frames" / "0003")
    (where / "frames" / "0002" / "000004.jpg").unlink()
    assert len(run(capsys, "PennAction", where)[1]["missing"]) == 15
    check.main(["PennAction", str(where)])
    text = capsys.readouterr().out
    assert f"missing: {where}/frames/0003: 14 pictures, the first 000001.jpg\n" in text
    assert f"missing: {where}/frames/0002/000004.jpg\n" in text


def test_a_picture_of_another_size_is_named(folder, capsys):
    where = folder("PennAction")
    path = where / "frames" / "0002" / "000004.jpg"
    Image.new("RGB", (64, 64)).save(path)
    status, found = run(capsys, "PennAction", where)
    assert (status, len(found["wrong"])) == (1, 1)
    assert "annotated size (200, 120) px, not (64, 64)" in found["wrong"][0]
    frames = sum(part["frames"] for part in found["parts"].values())
    assert found["pictures_read"] == frames - 1


@pytest.mark.parametrize("name", ["MPII", "Human3.6M", "PennAction"])
def test_annotations_that_are_missing_or_damaged_are_named(folder, capsys, name):
    where = folder(name)
    path = where / "annotations.mat"
    path.write_bytes(path.read_bytes()[:500])
    status, found = run(capsys, name, where)
    assert (status, len(found["wrong"])) == (1, 1)
    assert f"{path} must be a whole MATLAB file" in found["wrong"][0]
    path.unlink()
    status, found = run(capsys, name, where)
    assert (status, found["missing"]) == (1, [f"no annotation file: {path}"])


def test_every_damaged_array_of_ntu_is_named(folder, capsys):
    where = folder("NTU")
    one, other = sorted((where / "nturgb+d_numpy").iterdir())[:2]
    one.write_bytes(one.read_bytes()[:200])
    np.save(other, np.zeros((4, 7)))
    status, found = run(capsys, "NTU", where)
    assert (status, len(found["wrong"])) == (1, 2)
    assert str(one) in found["wrong"][0] and str(other) in found["wrong"][1]
    numbers = found["parts"]["train"] | {"actions": len(found["parts"]["train"])}
    videos = [part["videos"] for part in found["parts"].values()]
    assert (sum(videos), found["pictures_read"]) == (2, 14)
    assert numbers["videos shorter than 20 frames"] == numbers["videos"]
    assert len(found["extra"]) == 2


def test_a_folder_without_pictures_is_named(folder, capsys):
    where = folder("NTU")
    shutil.rmtree(where / "images-small")
    status, found = run(capsys, "NTU", where)
    assert (status, len(found["missing"])) == (1, 1)
    assert "no folder: " in found["missing"][0]


FRAMES = {video: count for video, count in enumerate((24, 9))}


def frame_boxes(box=(1, 2, 30, 40)):
    test = {(video, f): box for video, count in FRAMES.items() for f in range(count)}
    return test, FrameBoxes((test, {}, {}))


def test_boxes_by_frame_are_compared_with_the_frames(folder, capsys):
    where = folder("PennAction")
    test, boxes = frame_boxes()
    write_boxes(where / "a_bboxes.json", boxes)
    status, found = run(capsys, "PennAction", where)
    covered = "boxes by frame; none of the part 'train'"
    assert (status, found["boxes"]) == (0, {"a_bboxes.json": covered})
    del test[1, 3], test[1, 5]
    test[1, 9], test[0, 2], test[0, 3] = (1, 2, 3, 4), (201, 0, 300, 9), (0, 0, 9, 700)
    write_boxes(where / "a_bboxes.json", boxes)
    status, found = run(capsys, "PennAction", where)
    assert (status, found["wrong"]) == (
        1,
        [
            "a_bboxes.json: 2 of 33 frames of the part 'test' have no box, the first "
            "1.3",
            "a_bboxes.json: 1 boxes of the part 'test' are of frames that do not exist,"
            " the first 1.9",
            "a_bboxes.json: 2 boxes of the part 'test' are outside their picture or "
            "more than 3 times as wide, the first 0.2",
        ],
    )


def test_boxes_by_clip_are_compared_with_the_clips(folder, capsys):
    where, box = folder("PennAction"), (1, 2, 30, 40)
    clips = {(0, 1, clip, 0): box for clip in (0, 1)} | {(1, 1, 0, 0): box}
    write_boxes(where / "b_bboxes.json", ClipBoxes(clips))
    status, found = run(capsys, "PennAction", where)
    assert (status, found["wrong"]) == (0, [])
    assert found["boxes"]["b_bboxes.json"] == "3 boxes by clip"
    other = {(1 - video, *more): box for video, *more in clips}
    write_boxes(where / "b_bboxes.json", ClipBoxes(other))
    status, found = run(capsys, "PennAction", where)
    assert (status, len(found["wrong"])) == (1, 2)
    for line, text in zip(
        found["wrong"],
        ("1 clips have no box", "1 boxes have no clip"),
        strict=True,
    ):
        assert f"{text} (test videos, steps [1], clips of 16 frames)" in line
    assert "the first 0.1.1.0. Were" in found["wrong"][0]
    assert "the first 1.1.1.0. Were" in found["wrong"][1]
    status, found = run(capsys, "PennAction", where, "--clip-size", "4")
    assert "clips of 4 frames" in found["wrong"][0]
    (where / "b_bboxes.json").write_text("{")
    status, found = run(capsys, "PennAction", where)
    assert (status, len(found["wrong"])) == (1, 1)
    assert "b_bboxes.json must be a whole JSON file" in found["wrong"][0]


@pytest.mark.parametrize(("name", "bad"), [("PennAction", 1), ("Human3.6M", 0)])
def test_pictures_that_are_not_annotated_are_told(folder, capsys, name, bad):
    where = folder(name)
    picture = sorted(where.rglob("*.jpg"))[0]
    last = picture.with_name("0" * (len(picture.stem) - 2) + "99.jpg")
    shutil.copy(picture, last)
    other = picture.parents[1] / "other"
    other.mkdir()
    shutil.copy(picture, other)
    status, found = run(capsys, name, where)
    count = len(list(picture.parent.iterdir())) - 1
    beside = f"{picture.parent}: 1 pictures more than the {count} annotated, the first"
    lone = f"{other}: 1 pictures, none annotated"
    beside += f" {last.name}"
    assert status == bad
    assert found["wrong"] == ([beside] if bad else [])
    assert found["extra"] == ([lone] if bad else [lone, beside])
    check.main([name, str(where)])
    assert f"extra: {lone}\n" in capsys.readouterr().out


def test_a_sample_of_the_pictures_is_read_without_all(whole, capsys, monkeypatch):
    monkeypatch.setattr(check, "SAMPLE", 3)
    assert run(capsys, "PennAction", whole / "PennAction")[1]["pictures_read"] == 6
    found = run(capsys, "PennAction", whole / "PennAction", "--all")[1]
    assert found["pictures_read"] == 53
    assert check.sample(list(range(100)), 3) == [0, 49, 99]


def test_an_absent_folder_and_an_unknown_data_set_are_usage_errors(tmp_path, capsys):
    for name, where, text in (
        ("NTU", tmp_path / "no", "no such folder"),
        ("Kinetics", tmp_path, "invalid choice: 'Kinetics'"),
    ):
        with pytest.raises(SystemExit, match="2"):
            check.main([name, str(where)])
        assert text in capsys.readouterr().err
