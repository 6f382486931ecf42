"""The training scripts of Penn Action and NTU, stage by stage, on tiny data."""

import concurrent.futures
import contextlib
import csv
import dataclasses
import functools
import json
import shutil

import numpy as np
import pytest
from scripts import load, run
from tiny_clips import NTU_NAMES, write_tiny_h36m, write_tiny_ntu, write_tiny_penn
from tiny_mpii import write_tiny_mpii

from deephar import experiment, trainer
from deephar.config import human36m_dataconf

PENN = load("exp/pennaction/train_penn_ar_pe_merge.py")
NTU = load("exp/ntu/train_ntu_ar_pe_merge.py")
SMALL = ("--size", "32", "--blocks", "1", "--ksize", "3", "--stem", "vgg16")
STEPS = ("--batch-size", "2", "--steps-per-epoch", "2", "--workers", "1")
QUIET = ("--verbose", "0", "--bn-momentum", "0.9")
BEST, LAST = "weights_best.weights.h5", "weights_last.weights.h5"


def train(script, logdir, stage, data, *flags):
    """Runs a stage in this process."""
    where = (str(logdir), "--stage", stage, "--data", str(data))
    script.main([*where, *STEPS, *QUIET, *flags])


@contextlib.contextmanager
def cut_copy(folder, copy):
    """Keeps a copy of a run as it is after its first epoch, as if it ended there."""
    write = trainer.SavePlan.write

    def write_and_copy(plan, progress, epoch, step):
        write(plan, progress, epoch, step)
        if epoch == 1:
            shutil.copytree(folder, copy)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.SavePlan, "write", write_and_copy)
        yield


@pytest.fixture(scope="module")
def penn(tmp_path_factory):
    """A folder with a tiny Penn Action, and runs on it: pose, action, cut."""
    folder = tmp_path_factory.mktemp("penn")
    data = write_tiny_penn(folder / "data")
    pose = ("--epochs", "2", *SMALL, "--context", "0", "--eval-frames", "4")
    train(PENN, folder / "pose", "pose", data, *pose)
    weights = ("--pose-weights", str(folder / "pose" / BEST), "--frames", "4")
    with cut_copy(folder / "action", folder / "cut"):
        train(PENN, folder / "action", "action", data, "--epochs", "2", *weights)
    return folder


@pytest.fixture(scope="module")
def replicas(penn, tmp_path_factory):
    """A process, and its folder, that repeats an epoch of actions on two replicas."""
    folder = tmp_path_factory.mktemp("replicas")
    flags = (
        *("run", "--stage", "action", "--data", penn / "data", "--epochs", "1"),
        *("--pose-weights", penn / "pose" / BEST, "--frames", "4", *STEPS, *QUIET),
        *("--strategy", "mirrored", "--replicas", "2"),
    )
    script = "exp/pennaction/train_penn_ar_pe_merge.py"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield pool.submit(run, script, *flags, cwd=folder), folder


@pytest.fixture(scope="module")
def ntu(replicas, tmp_path_factory):
    """A folder with runs of each stage on tiny data of NTU, Human3.6M and MPII.

    They run beside the process of `replicas`.
    """
    folder = tmp_path_factory.mktemp("ntu")
    data = write_tiny_ntu(folder / "data")
    others = {
        "--h36m": write_tiny_h36m(folder / "h36m"),
        "--mpii": write_tiny_mpii(folder / "mpii"),
    }
    mixed = [part for flag, place in others.items() for part in (flag, str(place))]
    pose = (*SMALL, "--depth-maps", "4", "--epochs", "1", "--batch-size", "3", *mixed)
    pose += ("--protocol", "cv")
    train(NTU, folder / "pose", "pose", data, *pose)
    weights = ("--pose-weights", str(folder / "pose" / BEST), "--frames", "4")
    once = ("--no-augmentation", "--frozen-features")
    train(NTU, folder / "action", "action", data, "--epochs", "1", *weights, *once)
    weights = ("--weights", str(folder / "action" / LAST))
    train(NTU, folder / "all", "all", data, "--epochs", "1", *weights)
    return folder


def read_rows(folder):
    with open(folder / "losses.csv", newline="") as file:
        return list(csv.DictReader(file))


def build(folder, *weights, **more):
    """The merged network of a run."""
    settings = json.loads((folder / "model.json").read_text())
    return experiment.build_network(settings["network"], settings, *weights, **more)


@functools.cache
def read_weights(folder):
    """Weights of a run's merged network: of its pose part, and the others."""
    model = build(folder, str(folder / LAST))
    part = model.get_layer("frame_model")
    inside = {id(variable) for variable in part.variables}
    values = [v.numpy() for v in model.variables if id(v) not in inside]
    return [v.numpy() for v in part.variables], values


def all_equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_every_stage_writes_what_a_training_writes(penn):
    for stage, figure in (("pose", "pck_torso"), ("action", "accuracy")):
        names = {path.name for path in (penn / stage).iterdir()}
        assert names >= {"log.txt", "model.json", "scores.json", BEST, LAST}
        scores = json.loads((penn / stage / "scores.json").read_text())
        assert set(scores) == {"1", "2"}
        assert 0 <= scores["2"][figure] <= 1
        assert all(np.isfinite(float(row["loss"])) for row in read_rows(penn / stage))


def test_an_epoch_of_actions_keeps_the_figures_of_every_output(penn):
    scores = json.loads((penn / "action" / "scores.json").read_text())["1"]
    assert list(scores["outputs"]) == [*"p1 p2 p3 p4 v1 v2 v3 v4 m".split()]
    assert scores["videos"] == 2


def read_settings(folder):
    return [
        json.loads((folder / stage / "model.json").read_text())
        for stage in experiment.STAGES
        if (folder / stage).is_dir()
    ]


def test_a_merged_network_has_the_shape_of_its_pose_part(penn, ntu):
    pose, action = read_settings(penn)
    assert (pose["network"], action["network"]) == ("penn_pose", "penn")
    assert {**pose, "network": "penn"}.items() <= action.items()
    assert (action["frames"], action["actions"], action["step"]) == (4, 15, 2)
    pose, action, whole = read_settings(ntu)
    assert action == whole
    assert {**pose, "network": "ntu"}.items() <= action.items()
    assert (action["depth_maps"], action["actions"]) == (4, 60)


def test_every_stage_keeps_the_split_of_the_first_and_refuses_the_other(ntu, tmp_path):
    assert [one["protocol"] for one in read_settings(ntu)] == ["cv"] * 3
    videos = json.loads((ntu / "all" / "scores.json").read_text())["1"]["videos"]
    assert videos == sum("C001" in name for name in NTU_NAMES)
    weights = str(ntu / "pose" / BEST)
    flags = ("--pose-weights", weights, "--protocol", "cs")
    with pytest.raises(ValueError, match="pose/.* is of protocol cv, .* protocol cs"):
        train(NTU, tmp_path, "action", ntu / "data", *flags)


def test_frames_of_other_data_sets_come_as_in_their_own_trainings(ntu):
    flags = ("run", "--stage", "pose", "--h36m", str(ntu / "h36m"))
    args = experiment.parse_action_training("", NTU.NTU, flags)
    args.data = str(ntu / "data")
    _, h36m = NTU.frames(args, experiment.default_settings("ntu_pose"))
    assert h36m.dataconf == dataclasses.replace(human36m_dataconf, geoocclusion=None)
    assert h36m.dataconf.geoocclusion is None


def test_a_frozen_pose_part_stays_bit_for_bit_until_all_is_trained(penn, ntu):
    for folder in (penn, ntu):
        start = build(folder / "action", pose_weights=str(folder / "pose" / BEST))
        part = [v.numpy() for v in start.get_layer("frame_model").variables]
        assert all_equal(read_weights(folder / "action")[0], part)
    pose, head = read_weights(ntu / "action")
    whole_pose, whole_head = read_weights(ntu / "all")
    assert not all_equal(whole_pose, pose)
    assert not all_equal(whole_head, head)


def test_rates_and_optimizers_are_those_of_the_stages(ntu):
    rates = [float(read_rows(ntu / s)[0]["learning_rate"]) for s in experiment.STAGES]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4])
    records = [
        json.loads(next((ntu / s).glob("arguments_*.json")).read_text())
        for s in experiment.STAGES
    ]
    assert [one["optimizer"] for one in records] == ["rmsprop", "sgd", "sgd"]
    assert [one["clip_norm"] for one in records] == [None, None, 1]
    assert np.isfinite(float(read_rows(ntu / "all")[0]["loss"]))


def test_actions_go_on_to_the_same_end_bit_for_bit(penn):
    PENN.main([str(penn / "cut"), "--resume"])
    assert read_rows(penn / "cut") == read_rows(penn / "action")
    for ours, theirs in zip(
        read_weights(penn / "cut"), read_weights(penn / "action"), strict=True
    ):
        assert all_equal(ours, theirs)


def test_two_replicas_learn_what_one_does(penn, replicas):
    process, folder = replicas
    done = process.result()
    assert done.returncode == 0, done.stdout + done.stderr
    (row,), one = read_rows(folder / "run"), read_rows(penn / "action")[0]
    assert float(row["loss"]) == pytest.approx(float(one["loss"]), rel=1e-3)


def test_flags_of_another_stage_are_unknown(capsys):
    for stage, flag in (("pose", "--frames"), ("all", "--pose-weights")):
        with pytest.raises(SystemExit):
            PENN.main(["run", "--stage", stage, flag, "8"])
        assert f"unrecognized arguments: {flag} 8" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        PENN.main(["run"])
    assert "the following arguments are required: --stage" in capsys.readouterr().err


def test_two_kinds_of_first_weights_are_one_too_many(capsys):
    weights = ("--weights", "a.h5", "--pose-weights", "b.h5")
    with pytest.raises(SystemExit):
        PENN.main(["run", "--stage", "action", *weights])
    message = "--pose-weights sets what --weights sets too: name one of them"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "needed"), [("action", "--pose-weights"), ("all", "--weights of the")]
)
def test_a_stage_that_needs_weights_says_so(penn, tmp_path, stage, needed):
    with pytest.raises(ValueError, match=f"--stage {stage} needs {needed}"):
        train(PENN, tmp_path, stage, penn / "data")


def test_weights_of_another_network_are_refused(penn, tmp_path):
    pose, merged = penn / "pose" / BEST, penn / "action" / BEST
    with pytest.raises(
        ValueError, match=r"model\.json: is of the merged network of Penn Action .* "
        "this is for the pose part of the network of Penn Action",
    ):  # fmt: skip
        train(PENN, tmp_path, "action", penn / "data", "--pose-weights", str(merged))
    with pytest.raises(ValueError, match="this is for the merged network"):
        train(PENN, tmp_path, "all", penn / "data", "--weights", str(pose))
    shutil.copy(pose, tmp_path / "w.weights.h5")
    weights = ("--pose-weights", str(tmp_path / "w.weights.h5"))
    with pytest.raises(ValueError, match=r"w\.weights\.h5"):
        train(PENN, tmp_path, "action", penn / "data", *weights)
    assert not (tmp_path / "model.json").exists()


def test_a_network_of_other_actions_is_refused(penn, tmp_path):
    flags = ("--pose-weights", str(penn / "pose" / BEST), "--actions", "7")
    with pytest.raises(ValueError, match=r"has 15 actions, .* Received: 7"):
        train(PENN, tmp_path, "action", penn / "data", *flags)


def test_a_head_on_frozen_features_goes_on_and_is_saved_whole(ntu):
    shutil.copytree(ntu / "action", ntu / "further")
    flags = ("--epochs", "2", "--resume")
    train(NTU, ntu / "further", "action", ntu / "data", *flags)
    assert "mirrored ones among them" in (ntu / "further" / "log.txt").read_text()
    (pose, head), (further_pose, further_head) = map(
        read_weights, (ntu / "action", ntu / "further")
    )
    assert all_equal(pose, further_pose)
    assert not all_equal(head, further_head)


def test_frozen_features_allow_no_augmentation(capsys):
    with pytest.raises(SystemExit):
        PENN.main(["run", "--stage", "action", "--frozen-features"])
    message = "--frozen-features needs --no-augmentation, and no --processes"
    assert message in capsys.readouterr().err
