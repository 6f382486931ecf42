"""Stages that go on: by the flags on record, on the frozen part they began with."""

import dataclasses
import json

import keras
import pytest
from scripts import load
from tiny_clips import write_tiny_penn

from deephar import checkpoints, experiment
from deephar.checkpoints import KNOWN, download
from deephar.experiment.arguments import record_name

PENN = load("exp/pennaction/train_penn_ar_pe_merge.py")
NTU = load("exp/ntu/train_ntu_ar_pe_merge.py")


@pytest.fixture
def publish(monkeypatch, tmp_path):
    """Puts a tiny network, its weights by a seed, in the place of MPII's."""
    network, file = KNOWN["mpii"].network, KNOWN["mpii"].file
    small = {"input_shape": (32, 32, 3), "num_blocks": 1, "ksize": (3, 3)}
    small["num_context_per_joint"] = 0
    network = dataclasses.replace(network, arguments={**network.arguments, **small})
    monkeypatch.setenv(download.FOLDER_VARIABLE, str(tmp_path / "published"))
    (tmp_path / "published").mkdir()

    def publish(seed):
        keras.utils.set_random_seed(seed)
        path = tmp_path / "published" / file
        checkpoints.save_weights(network.build(), path)
        known = {"md5": checkpoints.md5_of(path), "network": network}
        known = dataclasses.replace(KNOWN["mpii"], **known)
        monkeypatch.setitem(KNOWN, "mpii", known)

    return publish


def test_frozen_features_go_on_with_the_part_they_began_with(publish, tmp_path):
    data, run = write_tiny_penn(tmp_path / "data"), str(tmp_path / "run")
    flags = ("--stage", "action", "--data", str(data), "--pose-weights", "mpii")
    flags += ("--no-augmentation", "--frozen-features", "--frames", "4")
    steps = ("--batch-size", "2", "--steps-per-epoch", "1", "--verbose", "0")
    publish(seed=1)
    PENN.main([run, *flags, *steps, "--epochs", "1"])
    go_on = [run, "--resume", "--pose-weights", "mpii"]
    PENN.main(go_on)
    assert "resumed: 1 epochs" in (tmp_path / "run" / "log.txt").read_text()
    publish(seed=2)
    with pytest.raises(ValueError, match=r"the frozen pose part \(md5\) differ"):
        PENN.main(go_on)


def write_record(folder, data, *argv):
    """Puts the flags of a training of a stage on record, as if it had run."""
    args = experiment.parse_action_training("", data, [str(folder), *argv])
    folder.mkdir()
    (folder / record_name()).write_text(json.dumps(vars(args)))


def test_the_stage_and_its_flags_are_those_on_record(tmp_path):
    run, data = tmp_path / "run", PENN.PENN
    write_record(run, data, "--stage", "all", "--pose-weight", "0.5")
    argv = ["--cache", "memory", str(run), "--resume"]
    args = experiment.parse_action_training("", data, argv)
    assert (args.stage, args.pose_weight, args.cache) == ("all", 0.5, "memory")
    with pytest.raises(ValueError, match=r"--stage was all, .* Received: action"):
        experiment.parse_action_training("", data, [*argv, "--stage", "action"])


@pytest.mark.parametrize("flags", [[], ["--resume"], ["--resume", "--sta", "pose"]])
def test_a_stage_that_nothing_tells_is_asked_for(tmp_path, capsys, flags):
    with pytest.raises(SystemExit):
        experiment.parse_action_training("", PENN.PENN, [str(tmp_path), *flags])
    assert "the following arguments are required: --stage" in capsys.readouterr().err


def test_an_abbreviation_is_not_taken_for_the_stage_on_record(tmp_path, capsys):
    write_record(tmp_path / "run", PENN.PENN, "--stage", "pose")
    argv = [str(tmp_path / "run"), "--resume", "--sta", "action"]
    with pytest.raises(SystemExit):
        experiment.parse_action_training("", PENN.PENN, argv)
    assert "unrecognized arguments: --sta action" in capsys.readouterr().err


def test_folders_of_further_data_may_move_but_not_come(tmp_path):
    run, data = tmp_path / "run", NTU.NTU
    write_record(run, data, "--stage", "pose", "--mpii", "here")
    argv = [str(run), "--resume", "--mpii"]
    assert experiment.parse_action_training("", data, [*argv, "there"]).mpii == "there"
    with pytest.raises(ValueError, match=r"--h36m was None, .* Received: there"):
        experiment.parse_action_training("", data, [*argv, "there", "--h36m", "there"])
