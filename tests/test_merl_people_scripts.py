"""The scripts of MERL's people as a user calls them, from a folder with its data."""

import json
import pickle
import runpy
import sys

import numpy as np
import pytest
from PIL import Image
from scripts import REPOSITORY, load, read_json
from tiny_boxes import BOX, SIZE, STEP, action_entries, pickled_people

from deephar.data import MERL5Action
from deephar.data.box_lists import BoxRow, write_box_list
from deephar.utils.modes import TEST_MODE

TRAIN = load("exp/merl/train_merl_singleperson.py")
EVALUATE = load("exp/merl/eval_merl_singleperson.py")
ONE = load("exp/merl/predict_one_img.py")
DEMO = load("exp/merl/predict_demo_img.py")
EXTRACT = load("exp/merl/predict_extract_pose.py")

SMALL = ("--num-block", "1", "--size", "32", "--ksize", "3", "--batch-size", "2")
SHORT = ("--epochs", "1", "--verbose", "0", "--workers", "1")
WEIGHTS = ("--weights-path", "runs/merl_singleperson/weights_last.weights.h5")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with datasets/MERL and a training in the default run folder."""
    folder = tmp_path_factory.mktemp("place")
    root = folder / "datasets" / "MERL"
    for part, count in (("train", 4), ("val", 3)):
        records = pickled_people(root / "images", [("ReachToShelf", count)], part)
        (root / f"prepare_{part}_merl.pkl").write_bytes(pickle.dumps(records))
    entries = action_entries(root, [("ApproachtoShelf", "1_1_crop_2_9", 3)])
    entries[0]["person_bbox"], entries[1]["person_bbox"] = [], list(BOX)
    (root / "train_2.json").write_text(json.dumps(entries))
    script = REPOSITORY / "exp/coco/train_merl_singleperson.py"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", [str(script), *SMALL, *SHORT])
        runpy.run_path(str(script), run_name="__main__")
        EXTRACT.main(["relative", *WEIGHTS])
        EXTRACT.main(["pixels", *WEIGHTS, "--pixels"])
    return folder


def test_the_flags_of_the_fork_keep_their_defaults():
    args = TRAIN.parse([])
    assert (args.batch_size, args.epochs, args.num_joints) == (16, 100, 16)
    assert (args.lr, args.lr_factor, args.lr_drops) == (1e-3, 0.99, [50, 60, 300, 350])


def test_the_path_that_the_forks_readme_names_trains_in_the_default_folder(here):
    folder = "runs/merl_singleperson"
    scores = read_json(f"{folder}/scores.json")["1"]
    assert (scores["samples"], scores["threshold"]) == (3, 0.2)
    record = read_json(f"{folder}/arguments_train_merl_singleperson.json")
    assert "exp/merl/train_merl_singleperson.py" in record["command"]


def test_the_other_path_that_it_names_leads_to_the_training_on_clips(
    monkeypatch, capsys
):
    script = str(REPOSITORY / "exp/coco/train_merl_video.py")
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(script, run_name="__main__")
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert "--weights-pose-path" in shown and "exp/merl/train_merl_video.py" in shown


def test_evaluation_counts_hidden_key_points_if_it_is_told(here, capsys):
    ankles = []
    for flags in ([], ["--occluded"]):
        EVALUATE.main(["eval", *WEIGHTS, *flags])
        ankles.append(read_json("eval/evaluation.json")["per_joint"]["l_ankle"])
    assert ankles[0] is None and 0 <= ankles[1] <= 1
    assert read_json("eval/evaluation.json")["receipt"]["evaluation"] == "merl"
    assert "| pelvis " in capsys.readouterr().out


def test_a_labelled_person_is_drawn_twice_and_a_number_too_large_refused(here):
    ONE.main(["one", *WEIGHTS, "--sample", "2"])
    (person,) = read_json("one/sample_2.json")["people"]
    side = 1.25 * (BOX[3] - BOX[1])
    x1, _, x2, _ = person["box"]
    assert x2 - x1 == pytest.approx(side)
    assert (x1 + x2) / 2 == pytest.approx((BOX[0] + BOX[2]) / 2 + 2 * STEP)
    with Image.open("one/sample_2.png") as pair:
        assert pair.width >= 2 * 384 and pair.height >= 384
        pixels = np.asarray(pair).astype(int)[-384:, -384:]
    zoom = 384 / np.ceil(side)
    left = round(zoom * (side - (BOX[2] - BOX[0])) / 2)
    column = np.abs(pixels[100:300, left - 6 : left + 7] - [250, 205, 45]).max(axis=2)
    assert (column.min(axis=1) < 5).mean() > 0.9
    with pytest.raises(ValueError, match=r"val_merl\.pkl has 3 people.*Received: 5"):
        ONE.main(["one", *WEIGHTS])
    with pytest.raises(SystemExit):
        ONE.parse([*WEIGHTS, "--sample", "2", "--picture", "x.jpg"])


def test_every_box_of_a_list_is_drawn_and_an_unreadable_picture_named(here, caplog):
    names = ["val_ReachToShelf-0001.jpg", "gone.jpg", "val_ReachToShelf-0003.jpg"]
    rows = [BoxRow(name, 0.5, BOX) for name in names]
    write_box_list("list.txt", rows)
    with pytest.raises(OSError, match="the pictures of 1 of 3 boxes could not"):
        folder = ("--pictures", "datasets/MERL/images")
        DEMO.main(["list.txt", *folder, "--log-dir", "demo", *WEIGHTS])
    assert "gone.jpg" in (here / "demo/log.txt").read_text()
    people = read_json("demo/poses.json")["people"]
    assert [one["drawn"] for one in people] == ["0000.jpg", "0002.jpg"]
    assert people[1]["box"] == list(BOX)
    with Image.open("demo/0002.jpg") as drawn:
        pixels = np.asarray(drawn).astype(int)
    x1, y1, _, _ = map(int, BOX)
    assert np.abs(pixels[y1, x1 : x1 + 40] - [250, 205, 45]).max() < 60


def test_poses_of_a_json_are_in_the_box_and_where_there_is_none_in_the_picture(here):
    source = read_json("datasets/MERL/train_2.json")
    found = read_json("relative/train_2_keypoint.json")
    pixels = read_json("pixels/train_2_keypoint.json")
    kept = [{**one, "keypoints": 0, "image": 0} for one in found]
    assert kept == [{**one, "keypoints": 0, "image": 0} for one in source]
    assert [one["image"] | {"url": 0} for one in found] == [
        one["image"] | {"url": 0} for one in source
    ]
    boxes = [(0, 0, *SIZE), BOX]
    for (x1, y1, x2, y2), one, other in zip(boxes, found, pixels, strict=False):
        points, where = np.array(one["keypoints"]), np.array(other["keypoints"])
        assert points.shape == (16, 3)
        expected = points[:, :2] * (x2 - x1, y2 - y1) + (x1, y1)
        np.testing.assert_allclose(where[:, :2], expected)
    assert len(read_json("pixels/receipt.json")["joint_names"]) == 16


def test_the_json_with_poses_is_read_where_it_is_written(here):
    videos = MERL5Action("relative/train_2_keypoint.json", clip_size=3)
    assert videos.missing_pictures() == []
    assert videos.get_data(0, TEST_MODE)["frame"].shape[0] == 3
    url = str(here / "datasets/MERL/actions/x.jpg")
    assert EXTRACT.url_from("relative", url, url) == url
    where = EXTRACT.url_from("runs/relative", "/hdd/x.jpg", "images/x.jpg")
    assert where == "../../images/x.jpg"


def test_a_pose_without_a_box_is_that_of_the_picture_predicted_alone(here):
    one, *_ = read_json("pixels/train_2_keypoint.json")
    path = here / "pixels" / one["image"]["url"]
    ONE.main(["alone", *WEIGHTS, "--picture", str(path)])
    (pose,) = read_json(f"alone/{path.stem}.json")["people"]
    alone = [(joint["x"], joint["y"]) for joint in pose["joints"].values()]
    found = np.array(one["keypoints"])[:, :2]
    np.testing.assert_allclose(found, alone, atol=0.01)


def test_a_box_beside_the_picture_and_a_missing_picture_are_named(here):
    source = read_json("datasets/MERL/train_2.json")
    source[1]["person_bbox"] = [500, 1, 600, 70]
    (here / "datasets/MERL/beside.json").write_text(json.dumps(source))
    with pytest.raises(ValueError, match=r"the box of .*1\.jpg must overlap"):
        EXTRACT.main(["no", *WEIGHTS, "--anno-path", "datasets/MERL/beside.json"])
    source[1]["person_bbox"], source[2]["image"]["url"] = [], "gone.jpg"
    (here / "datasets/MERL/gone.json").write_text(json.dumps(source))
    with pytest.raises(OSError, match="1 of 3 entries"):
        EXTRACT.main(["gone", *WEIGHTS, "--anno-path", "datasets/MERL/gone.json"])
    assert len(read_json("gone/gone_keypoint.json")) == 2
    beside = BoxRow("val_ReachToShelf-0001.jpg", 0.5, (1000, 1000, 1100, 1200))
    write_box_list("beside.txt", [beside])
    folder = ("--pictures", "datasets/MERL/images")
    with pytest.raises(ValueError, match=r"0001\.jpg must overlap the picture of 120"):
        DEMO.main(["beside.txt", *folder, "--log-dir", "no", *WEIGHTS])
