"""Predictors from weights files: poses, actions, cuts, devices and precisions."""

import json
import shutil
import types

import keras
import numpy as np
import pytest
from formula_weights import set_formula_weights
from PIL import Image

from deephar.checkpoints import save_weights
from deephar.inference import ActionPredictor, PosePredictor, loading, people_of
from deephar.networks import build_network, default_settings, pose_view
from deephar.utils.pose import pa16j2d

SMALL = {
    "mpii": {"size": 32, "blocks": 2, "ksize": 3, "context": 0},
    "penn_spnet": {
        **{"size": 32, "pyramids": 2, "levels": 2, "ksize": 3, "growth": 8},
        **{"image_div": 4, "frames": 4, "actions": 3, "action_pyramids": "1"},
        **{"pose_features": 16, "visual_features": 16, "step": 2},
    },
}
PICTURE = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """By network: the weights file, with its model.json, and the model."""
    found = {}
    for name, settings in SMALL.items():
        settings = {**default_settings(name), **settings}
        folder = tmp_path_factory.mktemp(name)
        model = build_network(name, settings)
        set_formula_weights(model)
        save_weights(model, folder / "a.weights.h5")
        (folder / "model.json").write_text(json.dumps(settings))
        found[name] = folder / "a.weights.h5", pose_view(model, settings), settings
    return found


@pytest.fixture(scope="module")
def spnet(files):
    return ActionPredictor.load(files["penn_spnet"][0])


def test_weights_and_the_file_beside_them_make_a_predictor(files):
    path, model, _ = files["mpii"]
    predictor = PosePredictor.load(path, flip=True, device="cpu")
    assert keras.config.dtype_policy().name == "float32"
    plain = PosePredictor(model, pa16j2d, flip=True)
    (found,), (expected,) = (one.predict(PICTURE) for one in (predictor, plain))
    np.testing.assert_allclose(found.joints, expected.joints, atol=1e-3)
    assert np.ptp(expected.joints[:, 0]) > 1
    about = {"weights": str(path), "network": "mpii", "device": "cpu"}
    assert predictor.about == {**about, "precision": "float32", "block": None}


def test_auto_is_what_the_processor_is_fastest_in_and_holds_no_longer(
    files, monkeypatch
):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow tells the processor")
    fastest = types.SimpleNamespace(precision="bfloat16")
    monkeypatch.setattr(loading, "processor", lambda cpu_only: fastest)
    predictor = PosePredictor.load(files["mpii"][0], precision="auto", block=1)
    kinds = {layer.compute_dtype for layer in predictor.model._flatten_layers()}
    assert "bfloat16" in kinds and predictor.about["precision"] == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    assert predictor.about["block"] == 1
    assert predictor.predict(PICTURE)[0].confidence.shape == (16,)


def test_weights_without_a_file_beside_them_are_told_what_they_were_taken_for(
    files, tmp_path, monkeypatch
):
    def refuse(network, settings, path):
        raise ValueError(f"{path}: is of another model.")

    monkeypatch.setattr(loading, "build_network", refuse)
    with pytest.raises(ValueError, match="another model.$"):
        PosePredictor.load(files["mpii"][0])
    alone = shutil.copy(files["mpii"][0], tmp_path)
    told = r"another model. No model.json .* taken for the 2D pose network of MPII, of"
    with pytest.raises(ValueError, match=told):
        PosePredictor.load(alone)


def test_a_precision_or_weights_that_there_are_not_are_refused(files, monkeypatch):
    path, _, _ = files["mpii"]
    with pytest.raises(ValueError, match="`precision` must be.*precision='float8'"):
        PosePredictor.load(path, precision="float8")
    with pytest.raises(FileNotFoundError, match="neither a file nor the name"):
        PosePredictor.load("nothing_of_this_name")
    with pytest.raises(ValueError, match="is of the 2D pose network of MPII"):
        ActionPredictor.load(path)
    with pytest.raises(ValueError, match="must be one of actions.*network='mpii'"):
        ActionPredictor.load(path, network="mpii")
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match='"auto" needs TensorFlow.*the backend torch'):
        PosePredictor.load(path, precision="auto")


def test_weights_of_actions_have_a_pose_part_and_a_last_pose(files, spnet):
    path, model, _ = files["penn_spnet"]
    poses = PosePredictor.load(path)
    assert poses.about["network"] == "penn_spnet"
    (expected,) = poses.predict(PICTURE)
    picture = Image.fromarray(PICTURE)
    looked = spnet.look([picture], [spnet.window(picture.size)])
    (person,) = people_of(looked, pa16j2d)
    np.testing.assert_allclose(person.pose.joints, expected.joints, atol=1e-3)
    np.testing.assert_allclose(person.pose.confidence, expected.confidence, atol=1e-5)
    assert looked.joints.shape == (1, 1, 16, 3) and len(looked.described) == 3


def test_a_network_of_actions_has_its_labels_and_step(spnet):
    assert spnet.labels == ("action 1", "action 2", "action 3")
    assert (spnet.step, spnet.output) == (2, "act1_a0")


def test_a_cut_of_a_network_of_actions_ends_at_a_block_that_tells_some(files, spnet):
    path, model, _ = files["penn_spnet"]
    frames = np.stack([np.roll(PICTURE, n, axis=1) for n in range(4)])
    labels = ("sit, or kneel", "stand", "walk")
    cut = ActionPredictor.load(path, block=1, labels=labels, step=3)
    assert (cut.labels, cut.step) == (labels, 3)
    assert cut.clip_predictor.names == ("act1_a0",)
    expected = spnet.predict_clip(frames).scores["act1_a0"]
    found = cut.predict_clip(frames)
    np.testing.assert_allclose(found.scores["act1_a0"], expected, atol=1e-5)
    assert cut.clip_predictor.frame_model.count_params() < (
        spnet.clip_predictor.frame_model.count_params()
    )
    (pose,) = PosePredictor(model, pa16j2d, block=1).predict(PICTURE)
    looked = cut.look([Image.fromarray(PICTURE)], [cut.window((64, 48))])
    np.testing.assert_allclose(looked.joints[-1, 0, :, :2], pose.joints, atol=1e-3)
    with pytest.raises(ValueError, match=r"must lie in 1 ... 2, .*block=3"):
        ActionPredictor.load(path, block=3)
