"""Any network cut after its first predictions: as a network of its own."""

import argparse
import json

import keras
import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights
from scripts import load, read_json
from tiny_merged import formula_clips
from tiny_mpii import write_tiny_mpii
from weight_files import write_tiny_network

from deephar import experiment
from deephar.checkpoints import save_weights
from deephar.commands import convert_weights, info
from deephar.inference import ActionPredictor, PosePredictor
from deephar.models.clip_head import merging_layers
from deephar.networks import (
    build_network,
    count_cuts,
    cut_network,
    cut_settings,
    default_settings,
    pose_view,
)

POSE = {"size": 32, "blocks": 3, "ksize": 3, "context": 1, "stem": "vgg16"}
MERGED = {"size": 32, "blocks": 1, "ksize": 3, "context": 0, "frames": 8, "actions": 3}
MERGED |= {"stem": "vgg16"}
SPNET = {
    **{"size": 32, "pyramids": 2, "levels": 3, "ksize": 3, "growth": 8},
    **{"image_div": 4, "frames": 4, "actions": 3, "action_pyramids": "2"},
    **{"pose_features": 16, "visual_features": 16},
}


def built(network, **shape):
    settings = default_settings(network) | shape
    model = build_network(network, settings)
    set_formula_weights(model)
    return model, settings


@pytest.fixture(scope="module")
def pose():
    return built("mpii", **POSE)


@pytest.fixture(scope="module")
def merged():
    return built("merl", **MERGED)


@pytest.fixture(scope="module")
def merged_cut(merged):
    """The first actions of `merged`, and their settings."""
    return cut_network(*merged, 1)


@pytest.fixture(scope="module")
def spnet_cut(spnet):
    return cut_network(*spnet, 3)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A folder with MPII's data, two people, and weights of two blocks; the weights."""
    folder = tmp_path_factory.mktemp("two")
    write_tiny_mpii(folder / "mpii", train=1, valid=1)
    return write_tiny_network(folder, "mpii", **{**POSE, "blocks": 2})


@pytest.fixture(scope="module")
def spnet():
    return built("penn_spnet", **SPNET)


def by_name(model, inputs):
    found = keras.tree.flatten(model(inputs, training=False))
    found = [keras.ops.convert_to_numpy(x) for x in found]
    return dict(zip(model.output_names, found, strict=True))


def flags(weights, *given, network="mpii"):
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights")
    experiment.add_network_arguments(parser, network)
    return parser.parse_args(["--weights", str(weights), *map(str, given)])


def assert_first_outputs(cut, whole, inputs):
    mine, theirs = by_name(cut, inputs), by_name(whole, inputs)
    for name, values in mine.items():
        np.testing.assert_allclose(values, theirs[name], atol=1e-5, err_msg=name)
    return set(mine)


def test_a_pose_network_is_cut_to_its_first_blocks(pose):
    whole, settings = pose
    cut, own = cut_network(whole, settings, 2)
    assert own == {**settings, "blocks": 2} and count_cuts(own) == 2
    pictures = formula_pictures((2, 32, 32, 3))
    for mine, theirs in zip(cut(pictures), whole(pictures), strict=False):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    assert len(cut.outputs) == 2 and cut.count_params() < whole.count_params()
    pair = cut.weights[0], whole.weights[0]
    before = pair[1].numpy().copy()
    pair[0].assign(before + 1)
    np.testing.assert_array_equal(pair[1].numpy(), before)


def test_a_merged_network_is_cut_to_its_first_actions_with_an_answer_by_these(merged):
    whole, settings = merged
    cut, own = cut_network(whole, settings, 2)
    assert own["predictions"] == 2 and own["blocks"] == settings["blocks"]
    names = ["p1", "p2", "v1", "v2", "m", "mmm", "mmmvvv"]
    assert cut.output_names == names
    clips = formula_clips(2)
    mine, theirs = by_name(cut, clips), by_name(whole, clips)
    for name in ("p1", "p2", "v1", "v2"):
        np.testing.assert_allclose(mine[name], theirs[name], atol=1e-6)
    added = merging_layers(cut.get_layer("clip_head"))
    kernels = [kernel for layer in added for kernel in layer.get_weights()]
    assert [np.unique(kernel).tolist() for kernel in kernels] == [[1], [0, 1]] * 2


@pytest.mark.parametrize(("block", "pyramids", "part"), [(3, 2, 3), (4, 2, 0)])
def test_an_spnet_is_cut_within_a_pyramid_too(spnet, block, pyramids, part):
    whole, settings = spnet
    cut, own = cut_network(whole, settings, block)
    assert (own["pyramids"], own["predictions"]) == (pyramids, part)
    names = assert_first_outputs(cut, whole, formula_clips(1, (4, 32, 32, 3)))
    poses = ["dp1_pb1", "dp1_pb2", "up2_pb1", "up2_pb0"][:block]
    assert names == {*poses, *["act1_a0", "act2_a0"][: block - 2]}


def test_an_spnet_that_ends_before_its_actions_is_one_of_poses(spnet):
    whole, settings = spnet
    cut, own = cut_network(whole, settings, 1)
    assert own["network"] == "mpii_spnet" and "actions" not in own
    pictures = formula_pictures((2, 32, 32, 3))
    assert_first_outputs(cut, pose_view(whole, settings), pictures)
    assert cut.output_names == ["dp1_pb1"]


@pytest.mark.parametrize("kind", ["merged_cut", "spnet_cut"])
def test_saved_weights_of_a_cut_load_as_a_network_of_its_own(kind, tmp_path, request):
    cut, own = request.getfixturevalue(kind)
    save_weights(cut, tmp_path / "w.weights.h5")
    (tmp_path / "model.json").write_text(json.dumps(own))
    settings = experiment.network_settings(
        flags(tmp_path / "w.weights.h5", network=own["network"]), own["network"]
    )
    assert settings == own
    again = build_network(own["network"], settings, tmp_path / "w.weights.h5")
    for mine, theirs in zip(again.get_weights(), cut.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_there_is_no_block_but_those_of_the_network(pose, merged, spnet):
    for (model, settings), most in ((pose, 3), (merged, 4), (spnet, 4)):
        for block in (0, most + 1):
            with pytest.raises(
                ValueError, match=rf"`block` must lie in 1 ... {most}, .*block={block}"
            ):
                cut_network(model, settings, block)


def test_the_flag_cuts_what_the_weights_are_of(tmp_path, pose):
    whole, settings = pose
    weights = tmp_path / "w.weights.h5"
    save_weights(whole, weights)
    (tmp_path / "model.json").write_text(json.dumps(settings))
    found = experiment.network_settings(flags(weights, "--block", 1), "mpii")
    assert found["blocks"] == 1 and found["cut_from"] == {"blocks": 3}
    model = build_network("mpii", found, weights)
    first = formula_pictures((1, 32, 32, 3))
    np.testing.assert_allclose(model(first), whole(first)[0], atol=1e-6)
    assert experiment.network_settings(flags(weights, "--block", 3), "mpii") == settings
    with pytest.raises(ValueError, match="--block: `block` must lie in 1 ... 3"):
        experiment.network_settings(flags(weights, "--block", 4), "mpii")


def test_scripts_of_actions_refuse_a_cut_that_tells_none(tmp_path, spnet):
    settings = spnet[1]
    (tmp_path / "model.json").write_text(json.dumps(settings))
    given = flags(tmp_path / "w.weights.h5", "--block", 2, network="penn_spnet")
    with pytest.raises(ValueError, match="must be at least 3. Received: --block 2"):
        experiment.network_settings(given, "penn_spnet")
    poses = experiment.network_settings(given, experiment.pose_networks("mpii"))
    assert poses["network"] == "mpii_spnet"
    assert poses["cut_from"]["network"] == "penn_spnet"


def test_the_poses_of_a_merged_network_are_not_cut(merged):
    _, settings = merged
    cut = {**cut_settings(settings, 2), "cut_from": {"predictions": 4}}
    with pytest.raises(ValueError, match="its poses are of its last block.*--block 2"):
        pose_view(None, cut)


def test_a_predictor_of_poses_refuses_to_cut_a_merged_network(tmp_path, merged):
    whole, settings = merged
    save_weights(whole, tmp_path / "w.weights.h5")
    (tmp_path / "model.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="its poses are of its last block.*--block 1"):
        PosePredictor.load(tmp_path / "w.weights.h5", network="merl", block=1)


def test_a_predictor_of_actions_is_cut(tmp_path, merged, merged_cut):
    whole, settings = merged
    save_weights(whole, tmp_path / "w.weights.h5")
    (tmp_path / "model.json").write_text(json.dumps(settings))
    predictor = ActionPredictor.load(tmp_path / "w.weights.h5", block=1)
    assert predictor.clip_predictor.names == ("p1", "v1", "m", "mmm", "mmmvvv")
    assert predictor.about["block"] == 1
    clip = formula_clips(1)
    found = predictor.clip_predictor.predict_clips(clip)
    expected = np.stack(list(by_name(merged_cut[0], clip).values()))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_cut_that_is_trained_is_a_network_of_its_own(tmp_path, two):
    run, weights = tmp_path / "run", tmp_path / "run" / "weights_last.weights.h5"
    given = ["--batch-size", "1", "--steps-per-epoch", "1", "--verbose", "2"]
    given += ["--data", str(two.parent / "mpii"), "--weights", str(two)]
    train = load("exp/mpii/train_mpii_singleperson.py").main
    train([str(run), *given, "--block", "1", "--epochs", "1"])
    left = {**default_settings("mpii"), **POSE, "blocks": 1}
    assert read_json(run, "model.json") == left
    train([str(run), *given, "--block", "1", "--epochs", "2", "--resume"])
    assert len(read_json(run, "scores.json")["2"]["blocks"]) == 1
    build_network("mpii", left, weights)
    with pytest.raises(
        ValueError, match="--block was 1, and a training .* Received: 2"
    ):
        train([str(run), *given, "--block", "2", "--resume"])


def test_an_evaluation_says_what_was_cut(tmp_path, two):
    evaluate = load("exp/mpii/eval_mpii_singleperson.py").main
    given = ["--data", str(two.parent / "mpii"), "--weights", str(two)]
    evaluate([str(tmp_path / "eval"), *given, "--block", "1"])
    scores = read_json(tmp_path / "eval", "evaluation.json")
    assert len(scores["blocks"]) == 1
    assert scores["receipt"]["cut_from"] == {"blocks": 2}


def test_weights_are_cut_and_written_without_training(tmp_path, capsys, two):
    out = tmp_path / "cut" / "w.weights.h5"
    convert_weights.main([str(two), str(out), "--block", "1"])
    assert "block 1" in capsys.readouterr().out
    settings = read_json(out.parent, "model.json")
    assert settings["blocks"] == 1
    model = build_network("mpii", settings, out)
    whole = build_network("mpii", {**settings, "blocks": 2}, two)
    picture = formula_pictures((1, 32, 32, 3))
    np.testing.assert_allclose(model(picture), whole(picture)[0], atol=1e-6)


def test_info_tells_what_is_left(capsys, two):
    assert info.main([str(two), "--block", "1", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["cuts"], found["settings"]["blocks"]) == (2, 1)
    assert 0 < found["parameters"] < found["values"] and found["fits"]
    with pytest.raises(SystemExit, match="2"):
        info.main(["--block", "1"])
    assert "--block is of WEIGHTS" in capsys.readouterr().err
