"""The shape of a network from the weights: published names, known files, model.json."""

import argparse
import dataclasses
import hashlib
import json
import logging

import pytest
from PIL import Image
from scripts import load

from deephar import checkpoints, experiment
from deephar.checkpoints import KNOWN, download
from deephar.config import get_dataconf, pennaction_ar_dataconf

PAPER = experiment.default_settings("mpii")


def settings_of(weights, *flags, network="mpii"):
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights")
    experiment.add_network_arguments(parser, network)
    args = parser.parse_args(["--weights", str(weights), *flags])
    return experiment.network_settings(args, network), args.weights


@pytest.fixture
def table(monkeypatch, tmp_path):
    """A table whose MPII file holds "weights", has 3 blocks and lies in a folder."""
    network = KNOWN["mpii"].network
    smaller = {**network.arguments, "num_blocks": 3, "joint_probability": "window"}
    monkeypatch.setitem(
        KNOWN,
        "mpii",
        dataclasses.replace(
            KNOWN["mpii"],
            md5=hashlib.md5(b"weights").hexdigest(),
            network=dataclasses.replace(network, arguments=smaller),
        ),
    )
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / KNOWN["mpii"].file).write_bytes(b"weights")
    monkeypatch.setenv(download.FOLDER_VARIABLE, str(folder))
    return folder


TAKEN = {**PAPER, "blocks": 3, "joint_probability": "window"}


def test_the_papers_network_is_that_of_its_published_file(tmp_path):
    settings, _ = settings_of(tmp_path / KNOWN["mpii"].file)
    assert settings == PAPER


def test_a_published_name_becomes_its_file_with_the_tables_settings(table):
    settings, path = settings_of("mpii")
    assert settings == TAKEN
    assert path == str(table / KNOWN["mpii"].file)


def test_flags_go_before_the_table(table):
    settings, _ = settings_of("mpii", "--blocks", "2")
    assert settings == {**TAKEN, "blocks": 2}


def test_a_file_of_a_published_name_comes_first(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mpii").write_bytes(b"mine")
    assert settings_of("mpii") == (PAPER, "mpii")


def test_a_known_file_under_another_name_is_known_by_its_content(table, tmp_path):
    (tmp_path / "w.h5").write_bytes(b"weights")
    assert settings_of(tmp_path / "w.h5") == (TAKEN, str(tmp_path / "w.h5"))


def test_another_file_under_a_known_name_is_warned_about(table, tmp_path, caplog):
    (tmp_path / KNOWN["mpii"].file).write_bytes(b"others")
    with caplog.at_level(logging.WARNING):
        settings, _ = settings_of(tmp_path / KNOWN["mpii"].file)
    assert settings == TAKEN
    assert "md5 is not that of the published file" in caplog.text


def test_the_model_file_beside_goes_before_a_mere_name(table):
    (table / "model.json").write_text('{"blocks": 5}')
    (table / KNOWN["mpii"].file).write_bytes(b"others")
    settings, _ = settings_of(table / KNOWN["mpii"].file)
    assert settings == {**PAPER, "blocks": 5}


def test_the_content_of_a_published_file_goes_before_the_model_file(table, caplog):
    (table / "model.json").write_text('{"network": "human36m", "blocks": 5}')
    settings, _ = settings_of(table / KNOWN["mpii"].file)
    assert settings == TAKEN
    assert "model.json: is of other weights than weights_PE_MPII" in caplog.text


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"mpii"}))
@pytest.mark.parametrize("by", ["name", "file"])
def test_weights_of_another_network_are_refused(name, by):
    weights = name if by == "name" else KNOWN[name].file
    with pytest.raises(ValueError, match=f"published weights {name}, of the network"):
        settings_of(weights)


@pytest.mark.parametrize(
    ("network", "published"),
    [
        *[("human36m", "human36m"), ("penn", "penn_merge"), ("ntu", "ntu_merge")],
        *[("penn_spnet", "penn_spnet"), ("ntu_spnet", "ntu_spnet")],
    ],
)
def test_the_papers_networks_are_those_of_the_published_files(network, published):
    settings, _ = settings_of(KNOWN[published].file, network=network)
    expected = experiment.default_settings(network)
    if "step" in expected:
        expected["step"] = get_dataconf(KNOWN[published].dataconf).fixed_subsampling
    assert settings == expected


@pytest.mark.parametrize(
    ("published", "many", "flags", "step"),
    [
        ("penn_merge", False, {}, 1),
        ("penn_merge", True, {}, 2),
        ("penn_merge", True, {"step": 3}, 3),
        ("ntu_merge", False, {}, 2),
        ("ntu_merge", True, {}, 2),
        ("penn_spnet", True, {}, 6),
        ("ntu_spnet", False, {}, 4),
    ],
)
def test_the_step_of_published_weights_is_that_of_their_evaluation(
    published, many, flags, step
):
    file = KNOWN[published].file
    args = argparse.Namespace(weights=file, multi_clip=many, **flags)
    network = published.removesuffix("_merge")
    assert experiment.network_settings(args, network)["step"] == step


def test_boxes_by_clip_have_the_step_of_many_clips():
    parser = argparse.ArgumentParser()
    experiment.add_box_arguments(parser, "data", ("penn", "penn_spnet"))
    args = parser.parse_args(["--weights", KNOWN["penn_merge"].file])
    assert experiment.network_settings(args, "penn")["step"] == 2


def test_many_clips_have_the_step_of_the_model_file(tmp_path):
    (tmp_path / "model.json").write_text('{"network": "penn", "step": 4}')
    args = argparse.Namespace(weights=str(tmp_path / "w.weights.h5"), multi_clip=True)
    assert experiment.network_settings(args, "penn")["step"] == 4


def test_the_split_is_that_of_the_weights_and_no_other(tmp_path):
    weights = str(tmp_path / "w.weights.h5")
    (tmp_path / "model.json").write_text('{"network": "ntu_pose", "protocol": "cv"}')
    for weighed in ({"weights": weights}, {"weights": None, "pose_weights": weights}):
        network = "ntu" if "pose_weights" in weighed else "ntu_pose"
        for given in (None, "cv"):
            args = argparse.Namespace(**weighed, protocol=given)
            settings = experiment.network_settings(args, network)
            assert settings["protocol"] == "cv"
        args = argparse.Namespace(**weighed, protocol="cs")
        with pytest.raises(
            ValueError,
            match=r"w\.weights\.h5: is of protocol cv, .* the test of cs\. Received: "
            r"protocol cs \(the command line\)",
        ):
            experiment.network_settings(args, network)


def test_published_weights_of_ntu_are_cross_subject():
    with pytest.raises(ValueError, match="v2.h5: is of protocol cs, .* test of cv"):
        settings_of(KNOWN["ntu_merge"].file, "--protocol", "cv", network="ntu")


def test_weights_that_do_not_tell_their_split_are_warned_about(tmp_path, caplog):
    flags = ("--protocol", "cv")
    settings, _ = settings_of(tmp_path / "w.weights.h5", *flags, network="ntu")
    assert settings["protocol"] == "cv"
    assert "w.weights.h5: nothing says its protocol" in caplog.text


def test_the_papers_action_networks_begin_with_their_pose_parts():
    clip, steps = {"frames", "actions"}, {"step", "drawn_steps"}
    more = {"reception": {"pose_version", "predictions"}}
    more["spnet"] = {"action_pyramids", "replica"}
    more["spnet"] |= {"pose_features", "visual_features"}
    for name, recipe in experiment.NETWORKS.items():
        if not recipe.family.merged:
            continue
        whole = experiment.default_settings(name)
        part = experiment.default_settings(recipe.pose_part)
        own = more[recipe.family.architecture]
        own = clip | own | ({"classes"} if recipe.family.apart else steps)
        assert set(whole) - set(part) == own
        own = {"network"} | ({"pyramids"} & set(whole))
        assert {n for n in part if part[n] != whole[n]} == own


def test_a_model_file_says_of_which_network_it_is(tmp_path):
    (tmp_path / "model.json").write_text('{"network": "human36m", "blocks": 2}')
    assert experiment.network_of(tmp_path / "model.json") == "human36m"
    with pytest.raises(
        ValueError,
        match=r"is of the 3D pose network of Human3.6M \(17 joints, 3D\); this is for "
        r"the 2D pose network of MPII",
    ):
        settings_of(tmp_path / "w.weights.h5")


def test_a_model_file_without_a_network_is_of_mpii(tmp_path):
    (tmp_path / "model.json").write_text('{"blocks": 2}')
    assert experiment.network_of(tmp_path / "model.json") == "mpii"


def test_a_model_file_of_an_unknown_network_is_refused(tmp_path):
    (tmp_path / "model.json").write_text('{"network": "mars"}')
    with pytest.raises(ValueError, match="`network` must be one of mpii, human36m, .*"):
        settings_of(tmp_path / "w.weights.h5")


def test_pose_networks_of_as_many_joints_share_weights(tmp_path):
    (tmp_path / "model.json").write_text('{"blocks": 3}')
    settings, _ = settings_of(tmp_path / "w.weights.h5", network="penn_pose")
    assert settings == {**experiment.default_settings("penn_pose"), "blocks": 3}


def test_a_merged_network_takes_the_shape_of_its_pose_part(tmp_path):
    (tmp_path / "model.json").write_text(
        '{"network": "penn_pose", "size": 64, "blocks": 1, "context": 0}'
    )
    weights = str(tmp_path / "w.weights.h5")
    args = argparse.Namespace(weights=None, pose_weights=weights, frames=8, blocks=None)
    assert experiment.network_settings(args, "penn") == {
        **experiment.default_settings("penn"),
        **{"size": 64, "blocks": 1, "context": 0, "frames": 8},
    }


ALL = experiment.pose_networks("mpii")


def chosen(weights, *flags, among=ALL):
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights")
    experiment.add_network_arguments(parser, among)
    args = parser.parse_args(["--weights", str(weights), *flags])
    return experiment.network_settings(args, among)


def test_of_several_networks_it_is_the_one_that_the_weights_are_known_to_be(
    tmp_path, table
):
    weights = tmp_path / "w.weights.h5"
    assert chosen(weights)["network"] == "mpii"
    assert chosen("mpii")["blocks"] == 3
    assert chosen(KNOWN["penn_spnet"].file)["pyramids"] == 6
    (tmp_path / "model.json").write_text('{"network": "penn_pose", "blocks": 3}')
    assert chosen(weights)["network"] == "penn_pose"
    one_alike = chosen(weights, among=("ntu", "mpii"))
    assert (one_alike["network"], one_alike["blocks"]) == ("mpii", 3)


def test_the_flag_says_which_network_it_is_where_nothing_else_does(tmp_path):
    weights = tmp_path / "w.weights.h5"
    flags = ("--network", "mpii_spnet", "--pyramids", "2")
    settings = chosen(weights, *flags)
    paper = experiment.default_settings("mpii_spnet")
    assert settings == {**paper, "pyramids": 2}
    (tmp_path / "model.json").write_text('{"network": "pose_baseline"}')
    with pytest.raises(
        ValueError,
        match=r"is of the SPNet of 3D poses \(17 joints, 3D\); this is for the SPNet "
        r"of 2D poses \(16 joints, 2D\)",
    ):
        chosen(weights, *flags)


def test_networks_of_one_architecture_take_no_weights_of_the_other(tmp_path):
    (tmp_path / "model.json").write_text('{"network": "mpii_spnet"}')
    with pytest.raises(ValueError, match="is of the SPNet of 2D poses .* the 2D pose"):
        settings_of(tmp_path / "w.weights.h5")
    networks = experiment.pose_networks("human36m", as_many_joints=True)
    assert networks == ("human36m", "pose_baseline", "ntu_spnet")
    with pytest.raises(ValueError, match="this is for the 3D pose network"):
        chosen(tmp_path / "w.weights.h5", among=networks)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pyramids": 2}, r"^--action-pyramids: .*num_pyramids=2. .*\(5, 6\)"),
        ({"size": 100}, "^--size: `input_shape` must have sides that are multiples"),
    ],
)
def test_settings_that_no_spnet_has_are_named_by_their_flags(changes, message):
    settings = experiment.default_settings("penn_spnet") | changes
    with pytest.raises(ValueError, match=message):
        experiment.build_network("penn_spnet", settings)


def test_an_spnet_of_actions_has_its_own_number_of_pyramids(tmp_path):
    (tmp_path / "model.json").write_text(
        '{"network": "pose_baseline", "pyramids": 4, "growth": 8, "protocol": "cv"}'
    )
    weights = str(tmp_path / "w.weights.h5")
    args = argparse.Namespace(weights=None, pose_weights=weights)
    assert experiment.network_settings(args, "ntu_spnet") == {
        **experiment.default_settings("ntu_spnet"),
        **{"growth": 8, "protocol": "cv"},
    }


@pytest.mark.parametrize("numbers", ["6,5", "5,5", "0,1", "5;6", "", "1.5"])
def test_pyramids_of_actions_are_numbers_in_order(tmp_path, capsys, numbers):
    with pytest.raises(SystemExit):
        settings_of("w.h5", "--action-pyramids", numbers, network="penn_spnet")
    assert "must be different integers of at least 1" in capsys.readouterr().err
    model = {"network": "penn_spnet", "action_pyramids": numbers}
    (tmp_path / "model.json").write_text(json.dumps(model))
    with pytest.raises(ValueError, match="`action_pyramids` must be different integ"):
        settings_of(tmp_path / "w.weights.h5", network="penn_spnet")


def test_numbers_of_a_model_file_may_be_whole_where_fractions_may_be(tmp_path):
    text = '{"network": "mpii_spnet", "sam_alpha": 2, "image_div": 4}'
    (tmp_path / "model.json").write_text(text)
    settings, _ = settings_of(tmp_path / "w.weights.h5", network="mpii_spnet")
    assert (settings["sam_alpha"], settings["image_div"]) == (2.0, 4)
    (tmp_path / "model.json").write_text(text.replace("4", "5"))
    with pytest.raises(ValueError, match=r"`image_div` must be one of \(4, 8, 16, 32"):
        settings_of(tmp_path / "w.weights.h5", network="mpii_spnet")


def test_a_flag_of_another_network_is_refused():
    args = argparse.Namespace(weights=None, depth_maps=8)
    with pytest.raises(ValueError, match="--depth-maps: the 2D pose network of MPII"):
        experiment.network_settings(args, "mpii")


def test_a_name_that_is_nothing_lists_the_published(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"mpi: is neither .* are mpii, human"):
        settings_of("mpi")


def test_a_script_runs_a_published_network_by_its_name(table, tmp_path, monkeypatch):
    network = KNOWN["mpii"].network
    smaller = {**network.arguments, "input_shape": (64, 64, 3), "num_blocks": 1}
    network = dataclasses.replace(network, arguments=smaller)
    path = table / KNOWN["mpii"].file
    path.unlink()
    checkpoints.save_weights(network.build(), path)
    known = {"md5": checkpoints.md5_of(path), "network": network}
    monkeypatch.setitem(KNOWN, "mpii", dataclasses.replace(KNOWN["mpii"], **known))
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (80, 60)).save("photo.png")
    monkeypatch.setattr(experiment, "start", lambda args: (tmp_path / "run").mkdir())
    load("exp/mpii/predict_one_img.py").main(
        ["run", "--weights", "mpii", "--picture", "photo.png"]
    )
    (pose,) = json.loads((tmp_path / "run" / "photo.json").read_text())["people"]
    assert len(pose["joints"]) == 16


def test_a_configuration_takes_the_crop_and_the_step_of_the_network():
    settings = {"size": 128, "step": 3, "drawn_steps": "several"}
    dataconf = experiment.sized(pennaction_ar_dataconf, settings)
    assert dataconf.crop_resolution == (128, 128)
    assert (dataconf.subsampling, dataconf.fixed_subsampling) == ((1, 2, 3), 3)
    assert dataconf.scales == pennaction_ar_dataconf.scales
    plain = experiment.sized(pennaction_ar_dataconf, settings, augmented=False)
    assert (plain.scales, plain.subsampling) == ((1,), (3,))
    paper = experiment.default_settings("penn")
    assert experiment.sized(pennaction_ar_dataconf, paper) == pennaction_ar_dataconf


@pytest.mark.parametrize("step", [2, 3])
def test_a_step_by_flag_is_the_only_one_of_this_stage_and_the_next(tmp_path, step):
    args = argparse.Namespace(weights=None, step=step)
    settings = experiment.network_settings(args, "penn")
    (tmp_path / "model.json").write_text(json.dumps(settings))
    later, _ = settings_of(tmp_path / "w.weights.h5", network="penn")
    for one in (settings, later):
        dataconf = experiment.sized(pennaction_ar_dataconf, one)
        assert (dataconf.subsampling, dataconf.fixed_subsampling) == ((step,), step)
