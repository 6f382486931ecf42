"""SPNet in the scripts that score, draw and look for boxes, run as a user does."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from formula_weights import set_formula_weights
from PIL import Image
from scripts import load
from tiny_clips import write_tiny_h36m, write_tiny_penn
from tiny_mpii import write_tiny_mpii

from deephar import checkpoints, experiment
from deephar.checkpoints import KNOWN
from deephar.data.boxes import read_boxes
from deephar.inference import PosePredictor

SHAPE = {"size": 32, "pyramids": 1, "levels": 3, "ksize": 3, "growth": 8}
SHAPE |= {"image_div": 4, "frames": 4, "actions": 15, "action_pyramids": "1"}
SHAPE |= {"pose_features": 16, "visual_features": 16}
EVALUATE = load("exp/mpii/eval_mpii_singleperson.py")
PREDICT = load("exp/mpii/predict_one_img.py")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with pictures in `mpii` and an SPNet in a folder of its name each."""
    folder = tmp_path_factory.mktemp("spnet")
    write_tiny_mpii(folder / "mpii", train=1, valid=2)
    for name in ("pose_baseline", "penn_spnet"):
        settings = experiment.default_settings(name)
        settings |= {key: SHAPE[key] for key in settings.keys() & SHAPE}
        model = experiment.build_network(name, settings)
        set_formula_weights(model)
        (folder / name).mkdir()
        checkpoints.save_weights(model, folder / name / "w.weights.h5")
        experiment.write_json(folder / name / "model.json", settings)
    return folder


@pytest.fixture
def here(place, monkeypatch):
    """That folder, to work in."""
    monkeypatch.chdir(place)
    return place


def _read(path):
    return json.loads(path.read_text())


def test_a_3d_network_of_17_joints_is_scored_on_the_16_of_mpii(here):
    data = ("--data", "mpii", "--weights", "pose_baseline/w.weights.h5")
    EVALUATE.main(["score", *data, "--batch-size", "2"])
    scores = _read(here / "score" / "evaluation.json")
    assert scores["receipt"]["network"] == "pose_baseline"
    assert (scores["samples"], len(scores["blocks"])) == (2, 2)
    assert len(scores["per_joint"]) == 16 and "spine" not in scores["per_joint"]
    EVALUATE.main(["crops", *data, "--multi-crop", "--flip", "--refine", "1"])
    crops = _read(here / "crops" / "evaluation.json")
    assert crops["samples"] == 2 and set(crops["per_joint"]) == set(scores["per_joint"])


def test_published_weights_draw_the_poses_of_the_last_pyramid(here, monkeypatch):
    settings = _read(here / "penn_spnet" / "model.json")
    model = experiment.build_network("penn_spnet", settings, "penn_spnet/w.weights.h5")
    config = experiment.model_config(settings)
    network = checkpoints.Network("spnet.build", {"cfg": config})
    known = dataclasses.replace(KNOWN["penn_spnet"], network=network)
    monkeypatch.setitem(KNOWN, "penn_spnet", known)
    monkeypatch.setenv("DEEPHAR_WEIGHTS", str(here))
    checkpoints.save_weights(model, here / known.file)
    picture = here / "mpii" / "images" / "v0.jpg"
    PREDICT.main(["draw", "--weights", "penn_spnet", "--picture", str(picture)])
    (person,) = _read(here / "draw" / "v0.json")["people"]
    found = [[joint["x"], joint["y"]] for joint in person["joints"].values()]
    view = experiment.pose_view(model, settings)
    predictor = PosePredictor(view, experiment.poselayout(settings))
    with Image.open(picture) as image:
        (expected,) = predictor.predict(image)
    np.testing.assert_allclose(found, expected.joints, atol=0.02)
    with Image.open(here / "draw" / "v0.png") as drawn, Image.open(picture) as image:
        assert (np.asarray(drawn) != np.asarray(image)).any()


def test_weights_alone_need_the_flags_that_name_and_shape_their_network(here, tmp_path):
    weights = str(shutil.copy(here / "pose_baseline" / "w.weights.h5", tmp_path))
    images = str(here / "mpii" / "images" / "t0.jpg")
    command = [str(tmp_path / "out"), "--weights", weights, "--picture", images]
    with pytest.raises(ValueError, match=r"w\.weights\.h5"):
        PREDICT.main(command)
    flags = ("--network", "pose_baseline", "--size", "32", "--pyramids", "1")
    flags += ("--levels", "3", "--ksize", "3", "--growth", "8", "--image-div", "4")
    PREDICT.main([*command, *flags])
    (person,) = _read(tmp_path / "out" / "t0.json")["people"]
    assert len(person["joints"]) == 17 and set(person["joints"]["spine"]) >= {"z"}
    with pytest.raises(ValueError, match="--blocks: the SPNet of 3D poses has no such"):
        PREDICT.main([*command, *flags, "--blocks", "2"])


def test_human36m_scores_an_spnet_of_17_joints_and_no_other(here):
    write_tiny_h36m(here / "h36m")
    evaluate = load("exp/h36m/eval_h36m.py")
    data = ("h36m_scores", "--data", "h36m", "--protocol", "5")
    evaluate.main([*data, "--weights", "pose_baseline/w.weights.h5"])
    scores = _read(here / "h36m_scores" / "evaluation.json")
    assert (scores["samples"], len(scores["blocks"]["mpjpe"])) == (4, 2)
    assert scores["receipt"]["network"] == "pose_baseline"
    with pytest.raises(ValueError, match=r"is of the SPNet of Penn Action \(16 joint"):
        evaluate.main([*data, "--weights", "penn_spnet/w.weights.h5"])


def test_boxes_are_found_by_an_spnet_for_the_clips_of_its_kind(here, monkeypatch):
    write_tiny_penn(here / "penn")
    sizes, locate = set(), PosePredictor.locate

    def spy(self, pictures, windows, keep):
        sizes.update(size for _, size in windows)
        return locate(self, pictures, windows, keep)

    monkeypatch.setattr(PosePredictor, "locate", spy)
    predict = load("exp/pennaction/predict_bboxes.py")
    look = ("--data", "penn", "--confidence", "0", "--batch-size", "32")
    weights = ("--weights", "pose_baseline/w.weights.h5", "--subsample", "1")
    predict.main(["part", *look, *weights, "--scale", "0.5"])
    assert sizes == {(100, 100)}
    report = _read(here / "part" / "boxes.json")
    assert (report["receipt"]["scale"], report["test"]["nobody"]) == (0.5, [])
    assert read_boxes(here / "part" / "penn_pred_bboxes_8f.json").boxes
    predict.main(["own", *look, "--weights", "penn_spnet/w.weights.h5"])
    assert (200, 200) in sizes
    assert (here / "own" / "penn_pred_bboxes_4f.json").is_file()
