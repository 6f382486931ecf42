"""The Human3.6M scripts as a user runs them, from a temporary folder."""

import csv
import dataclasses
import json
import re
import shutil

import keras
import numpy as np
import pytest
from browser import watched, width_beyond
from scripts import load, run
from tiny_clips import write_tiny_h36m
from tiny_mpii import write_tiny_mpii

from deephar.config import DataConfig, human36m_dataconf
from deephar.data import BatchLoader, MpiiSinglePerson
from deephar.data.human36m_frames import Human36MFrames
from deephar.evaluation.results import read_result
from deephar.losses import pose_regression_loss
from deephar.utils import TRAIN_MODE, pa17j3d

SMALL = ("--size", "64", "--blocks", "1", "--ksize", "3", "--depth-maps", "4")
SMALL += ("--stem", "vgg16")
SHORT = ("--epochs", "1", "--steps-per-epoch", "2", "--batch-size", "4")
SIZED = {"crop_resolution": (64, 64), "geoocclusion": None}
EVALUATE = load("exp/h36m/eval_h36m.py")
TRAIN = load("exp/h36m/train_h36m.py")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with tiny data sets in `h36m` and `mpii` and a trained network."""
    folder = tmp_path_factory.mktemp("place")
    write_tiny_h36m(folder / "h36m")
    write_tiny_mpii(folder / "mpii", train=5, valid=1)
    done = run(
        "exp/h36m/train_h36m.py",
        *("run", "--data", "h36m", "--mpii", "mpii", *SMALL, *SHORT),
        *("--protocol", "5", "--bn-momentum", "0.9"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "train_output.txt").write_text(done.stdout)
    return folder


@pytest.fixture
def data(place, tmp_path, monkeypatch):
    """A copy of the data set to damage, with the current folder beside it."""
    shutil.copytree(place / "h36m", tmp_path / "h36m")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "h36m"


def _scores(folder):
    return json.loads((folder / "evaluation.json").read_text())


def test_training_mixes_both_data_sets_and_scores_in_mm(place):
    assert ", [2, 2] a batch: 2 steps" in (place / "train_output.txt").read_text()
    with open(place / "run" / "losses.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert np.isfinite(float(row["loss"]))
    scores = json.loads((place / "run" / "scores.json").read_text())["1"]
    assert scores["mpjpe"] == pytest.approx(float(row["val_mpjpe"]))
    assert scores["samples"] == 4 and list(scores["per_action"]) == [
        "Greeting",
        "WalkDog",
    ]
    names = {path.name for path in (place / "run").iterdir()}
    assert names >= {"weights_best.weights.h5", "weights_last.weights.h5", "model.json"}


def test_evaluation_prints_strict_and_lenient_figures_beside_the_paper_s(
    here, place, capsys
):
    flags = ("--protocol", "5", "--flip", "--untrained", "--report")
    weights = ("--weights", "run/weights_last.weights.h5")
    EVALUATE.main(["run", "--data", "h36m", *weights, *flags])
    told = capsys.readouterr().out
    for text in ("MPJPE, strict", "as the original (block 1)", "55.1, one crop"):
        assert text in told
    assert "| Greeting        | 2      |" in told and "50.5" in told
    scores = _scores(place / "run")
    assert (scores["samples"], scores["unreadable"], scores["absent"]) == (4, 0, 0)
    assert scores["untrained_mpjpe"] > 0
    assert len(scores["bones_mm"]) == 12
    assert scores["receipt"]["looking"] == "1 crop, mirrored"
    assert scores["receipt"]["frames"] == "one in 5"
    names = {path.name for path in (place / "run").iterdir()}
    assert names >= {"report.md", "blocks.png", "predictions.png", "training.png"}


def test_a_real_drag_turns_the_poses_of_the_report(place, page):
    seen = watched(page)
    page.goto((place / "run" / "report.html").as_uri())
    headings = page.locator("h2").all_inner_texts()
    assert headings[-4:-1] == ["Best and worst cases", "Poses in space", "Training"]
    canvas = page.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    before, box = canvas.screenshot(), canvas.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 100, steps=4)
    page.mouse.up()
    assert canvas.screenshot() != before
    assert page.locator("canvas").count() == 4
    page.set_viewport_size({"width": 360, "height": 740})
    assert width_beyond(page) <= 0
    assert not seen


def _evaluate(place, *arguments):
    weights = str(place / "run" / "weights_last.weights.h5")
    EVALUATE.main(["eval", "--data", "h36m", "--weights", weights, *arguments])


def test_all_frames_and_one_in_60_are_other_protocols(data, place):
    _evaluate(place, "--protocol", "all")
    assert _scores(data.parent / "eval")["samples"] == 20
    _evaluate(place, "--protocol", "60", "--multi-crop", "--refine", "1")
    scores = _scores(data.parent / "eval")
    assert scores["samples"] == 2
    assert scores["receipt"]["looking"] == "7 crops, 1 refinement"
    figures = read_result(data.parent / "eval" / "evaluation.json")
    (part,) = {one.part for one in figures}
    assert re.fullmatch(r"human36m \(.* px, .*\), 7 crops, 1 refinement", part)
    assert scores["mpjpe"] in [one.strict for one in figures]
    with pytest.raises(SystemExit):
        _evaluate(place, "--protocol", "none")


def test_several_crops_count_a_missing_picture_too(data, place):
    next((data / "images").glob("*s09*/00001.jpg")).unlink()
    _evaluate(place, "--multi-crop")
    scores = _scores(data.parent / "eval")
    assert (scores["samples"], scores["unreadable"]) == (2, 1)
    assert scores["per_action"]["Greeting"]["mpjpe_original"] is None
    assert scores["per_action"]["Greeting"]["mpjpe"] > 0
    assert "s09" in (data.parent / "eval" / "log.txt").read_text()


def _train(*arguments):
    TRAIN.main(["new", "--data", "h36m", *SMALL, *SHORT, "--verbose", "0", *arguments])


def test_a_share_that_leaves_no_sample_is_refused(data, place):
    mpii = str(place / "mpii")
    with pytest.raises(
        ValueError, match=r"samples of every data set.*4 samples, .*\[0.1,"
    ):
        _train("--mpii", mpii, "--mpii-share", "0.1")


def test_a_share_of_what_is_not_there_is_refused(data, capsys):
    with pytest.raises(SystemExit):
        _train("--mpii-share", "0.25")
    assert "--mpii-share is a share of --mpii" in capsys.readouterr().err


def test_mpii_is_optional(data):
    _train("--protocol", "64")
    log = (data.parent / "new" / "log.txt").read_text()
    assert "[4] a batch: 2 steps an epoch" in log
    scores = json.loads((data.parent / "new" / "scores.json").read_text())
    assert scores["1"]["samples"] == 2


def test_weights_of_the_2d_network_are_refused(data, place):
    settings = json.loads((place / "run" / "model.json").read_text())
    two = {"network": "mpii", **{k: settings[k] for k in ("size", "blocks")}}
    shutil.copy(place / "run" / "weights_last.weights.h5", data.parent)
    (data.parent / "model.json").write_text(json.dumps(two))
    with pytest.raises(ValueError, match="the 2D pose network of MPII.*this is for"):
        EVALUATE.main(["e", "--data", "h36m", "--weights", "weights_last.weights.h5"])


def test_the_depth_of_a_joint_counts_only_where_it_is_known(place):
    conf = dataclasses.replace(human36m_dataconf, **SIZED)
    h36m = Human36MFrames(place / "h36m", conf)
    mpii = MpiiSinglePerson(
        place / "mpii", DataConfig(crop_resolution=(64, 64)), pa17j3d
    )
    loader = BatchLoader([mpii, h36m], ["frame"], ["pose"], TRAIN_MODE, [2, 3])
    _, (poses,) = loader.get_batch(0, 0)
    assert poses.shape == (5, 17, 4)
    known = poses > -1e6
    assert not known[:2, :, 2].any() and not known[:2, 16, :3].any()
    assert known[2:, :, 2].any() and known[:2, :, 0].any()
    loss = pose_regression_loss("l1l2bincross", 0.01)
    found = np.full_like(poses, 0.4)
    moved = found + np.array([0, 0, 0.3, 0], np.float32)
    one, other = (keras.ops.convert_to_numpy(loss(poses, y)) for y in (found, moved))
    np.testing.assert_array_equal(one[:2], other[:2])
    assert (np.abs(one[2:] - other[2:]) > 1e-4).all()
