"""The networks of the fork by name: coco, coco17 and merl, without a step."""

import argparse
import dataclasses
import json

import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights
from scripts import load

from deephar import checkpoints, experiment
from deephar.config import pennaction_ar_dataconf
from deephar.models import action
from deephar.networks.recipes import NETWORKS
from deephar.utils.pose import coco17j, pa16j2d

TINY = {"size": 32, "blocks": 1, "ksize": 3, "frames": 4}


def settings_of(network, folder, **flags):
    args = argparse.Namespace(weights=f"{folder}/w.weights.h5", **flags)
    return experiment.network_settings(args, network)


def test_the_networks_have_the_forks_shapes():
    coco, merl = map(experiment.default_settings, ("coco", "merl"))
    shape = {"size": 256, "blocks": 8, "ksize": 5, "context": 2}
    assert shape.items() <= coco.items() and shape.items() <= merl.items()
    assert merl["pose_version"] == "v1"
    assert (merl["frames"], merl["actions"]) == (8, 3)
    layouts = [NETWORKS[n].family.poselayout for n in ("coco", "coco17", "merl")]
    assert layouts == [pa16j2d, coco17j, pa16j2d]


def test_poses_of_the_coco_network_are_those_of_mpii_and_17_are_not(tmp_path):
    model = {"network": "coco", "blocks": 2}
    (tmp_path / "model.json").write_text(json.dumps(model))
    assert settings_of("mpii", tmp_path)["blocks"] == 2
    with pytest.raises(ValueError, match=r"is of .* COCO \(16 joints.*\(17 joints, 2D"):
        settings_of("coco17", tmp_path)
    (tmp_path / "model.json").write_text('{"network": "coco17"}')
    names = experiment.pose_networks("coco17", as_many_joints=True)
    assert names == ("coco17",)
    assert settings_of("coco17", tmp_path)["network"] == "coco17"


def test_clips_without_a_step_leave_the_configurations(tmp_path):
    settings = settings_of("merl", tmp_path, frames=4)
    assert not {"step", "drawn_steps"} & settings.keys()
    dataconf = dataclasses.replace(pennaction_ar_dataconf, fixed_subsampling=5)
    assert experiment.sized(dataconf, settings) == dataconf


def test_what_has_a_step_and_what_has_none_are_not_mixed_up(tmp_path):
    (tmp_path / "model.json").write_text('{"network": "penn", "step": 2}')
    with pytest.raises(ValueError, match="network of Penn Action.* MERL Shopping"):
        settings_of("merl", tmp_path)
    (tmp_path / "model.json").write_text('{"network": "merl"}')
    with pytest.raises(ValueError, match="network of MERL Shopping.* Penn Action"):
        settings_of("penn", tmp_path)
    (tmp_path / "model.json").write_text('{"network": "merl", "step": 2}')
    with pytest.raises(ValueError, match=r"unknown keys \['step'\]"):
        settings_of("merl", tmp_path)


def test_the_merged_network_begins_with_poses_and_tells_its_parts(tmp_path):
    poses = experiment.default_settings("coco") | {"size": 32, "blocks": 1, "ksize": 3}
    source = experiment.build_network("coco", poses)
    set_formula_weights(source)
    checkpoints.save_weights(source, tmp_path / "w.weights.h5")
    experiment.write_json(tmp_path / "model.json", poses)
    weights = str(tmp_path / "w.weights.h5")
    args = argparse.Namespace(weights=None, pose_weights=weights, frames=4)
    settings = experiment.network_settings(args, "merl")
    assert TINY.items() <= settings.items()
    model = experiment.build_network("merl", settings, pose_weights=weights)
    assert tuple(model.output_names) == (*action.OUTPUTS, *action.APART)
    pictures = formula_pictures((2, 32, 32, 3))
    view = experiment.pose_view(model, settings)
    found, expected = (m(pictures, training=False) for m in (view, source))
    np.testing.assert_allclose(found[0], expected[..., :2], atol=1e-5)


def test_a_file_of_the_fork_is_converted(shared, tmp_path):
    path = shared / "golden" / "models" / "g_action2d" / "weights.h5"
    out = tmp_path / "merl" / "w.weights.h5"
    shape = ["--network", "merl", "--blocks", "2", "--actions", "5"]
    load("weights/convert.py").main([str(path), str(out), *shape])
    report = json.loads((tmp_path / "merl" / "w.weights.h5.json").read_text())
    assert report["constants_dropped"] == 9
    settings = settings_of("merl", out.parent)
    assert (settings["blocks"], settings["actions"]) == (2, 5)
    assert checkpoints.describe(out)["layout"] == "Keras 3"
