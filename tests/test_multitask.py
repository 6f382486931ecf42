"""SPNet's training scripts on tiny data: stages, one that goes on, two workers."""

import contextlib
import csv
import functools
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from scripts import REPOSITORY, load
from test_devices import config, free_ports
from tiny_mpii import write_tiny_mpii

from deephar import experiment, trainer

MPII = load("exp/mpii/train_mpii_spnet.py")
PENN = load("exp/pennaction/train_penn_multimodel.py")
BASELINE = load("exp/ntu/train_pose_baseline.py")
NTU = load("exp/ntu/train_ntu_spnet.py")

SMALL = (
    *("--size", "32", "--pyramids", "2", "--levels", "2", "--growth", "8"),
    *("--image-div", "4", "--ksize", "3"),
)
CLIPS = (
    *("--pyramids", "1", "--action-pyramids", "1", "--frames", "4"),
    *("--pose-features", "16", "--visual-features", "16"),
)
ONCE = (
    *("--epochs", "1", "--steps-per-epoch", "1", "--workers", "1"),
    *("--verbose", "0", "--bn-momentum", "0.9"),
)
PAIR = ("--batch-size", "2")
JOINT = (
    *("--stage", "joint", "--data", "penn", "--mpii", "mpii"),
    *("--pose-weights", "pose/weights_last.weights.h5", *CLIPS, *ONCE, *PAIR),
    *("--steps-per-epoch", "3", "--checkpoint-steps", "1", "--penn-share", "0.25"),
    *("--optimizer", "sgd", "--lr", "0.01"),
)
"""A joint training, in a folder with the data and a run of poses."""
LAST = "weights_last.weights.h5"


@contextlib.contextmanager
def cut_copy(folder, copy, place):
    """Keeps a copy of a run as it is at (epoch, step), as if it were killed there."""
    write = trainer.SavePlan.write

    def write_and_copy(plan, progress, epoch, step):
        write(plan, progress, epoch, step)
        if (epoch, step) == place:
            shutil.copytree(folder, copy)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.SavePlan, "write", write_and_copy)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory, clip_folders):
    """A folder with tiny data and runs: pose, joint, and joint as it was cut."""
    folder = tmp_path_factory.mktemp("multitask")
    write_tiny_mpii(folder / "mpii", train=6)
    for name, data in clip_folders.items():
        (folder / name).symlink_to(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        MPII.main(["pose", "--data", "mpii", *SMALL, *ONCE, *PAIR])
        with cut_copy("joint", "cut", (0, 1)):
            PENN.main(["joint", *JOINT])
    return folder


@pytest.fixture(scope="module")
def space(place):
    """The same folder with runs in space: baseline, and ntu on top of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        data = [f for n in ("mpii", "h36m", "penn", "ntu") for f in (f"--{n}", n)]
        few = ("--mpii-samples", "2", "--h36m-samples", "1", "--penn-samples", "1")
        shape = (*SMALL, "--pyramids", "1", "--protocol", "cv")
        BASELINE.main(["baseline", *data, *few, *shape, *ONCE])
        mixed = (*data[:4], "--mpii-share", "0.25", "--h36m-share", "0.5")
        weights = ("--pose-weights", f"baseline/{LAST}")
        flags = ("--stage", "joint", "--data", "ntu", *mixed, *weights)
        NTU.main(["space", *flags, *CLIPS, *ONCE, *PAIR])
    return place


def read(path):
    return json.loads(path.read_text())


def read_rows(folder):
    with open(folder / "losses.csv", newline="") as file:
        return list(csv.DictReader(file))


@functools.cache
def build(folder, **more):
    """The network of a run; with weights of its own unless told of others."""
    settings = read(folder / "model.json")
    weights = None if more else str(folder / LAST)
    return experiment.build_network(settings["network"], settings, weights, **more)


def weights_of(model):
    """Weights of a model by path."""
    return {v.path: v.numpy() for v in model.weights}


def all_equal(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[key], other[key]) for key in one
    )


def test_a_joint_training_scores_both_tasks_and_saves_the_whole_network(place):
    scores = read(place / "joint" / "scores.json")["1"]
    assert [*scores] == ["accuracy", "pckh", "scores"]
    assert scores["scores"]["pckh"]["samples"] == 3
    assert scores["scores"]["accuracy"]["videos"] == 2
    assert [*scores["scores"]["accuracy"]["outputs"]] == ["act1_a0"]
    (row,) = read_rows(place / "joint")
    assert float(row["loss0"]) > 0 and float(row["loss1"]) > 0
    assert build(place / "joint").output_names == ["dp1_pb1", "act1_a0"]


def test_a_joint_training_goes_on_to_the_same_end_bit_for_bit(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        PENN.main(["cut", "--resume"])
    assert "resumed: 0 epochs and 1 steps" in (place / "cut" / "log.txt").read_text()
    assert read_rows(place / "cut") == read_rows(place / "joint")
    assert all_equal(*(weights_of(build(place / name)) for name in ("cut", "joint")))


def test_the_stage_action_leaves_the_poses_and_begins_with_replicas_of_them(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        flags = ("--stage", "action", "--data", "penn", "--mpii", "nowhere")
        weights = ("--weights", f"joint/{LAST}")
        PENN.main(["action", *flags, *weights, *ONCE, *PAIR])
    before, after = (build(place / name) for name in ("joint", "action"))
    frames = [weights_of(m.get_layer("frame_model")) for m in (before, after)]
    heads = [m.get_layer("clip_head") for m in (before, after)]
    assert not all_equal(*map(weights_of, heads))
    replicas = [path for path in frames[0] if "_replica" in path]
    assert len(replicas) == 1
    for path in replicas:
        own = frames[0][path.replace("_replica", "")]
        assert not np.array_equal(frames[0].pop(path), own)
        np.testing.assert_array_equal(frames[1].pop(path), own)
    assert all_equal(*frames)


def test_poses_in_space_are_learnt_and_scored_on_every_data_set(space):
    scores = read(space / "baseline" / "scores.json")["1"]
    assert [*scores] == ["mpjpe", "pckh", "scores"]
    assert scores["mpjpe"] > 0
    scores = read(space / "space" / "scores.json")["1"]
    assert [*scores] == ["accuracy", "pck_torso", "mpjpe", "pckh", "scores"]
    settings = read(space / "space" / "model.json")
    assert (settings["protocol"], settings["actions"]) == ("cv", 60)
    assert "by data set: [1, 2, 1]" in (space / "space" / "log.txt").read_text()


@pytest.fixture(scope="module")
def two_workers(place):
    """The folder of a run by two processes, with the command of `place/joint`."""
    script = REPOSITORY / "exp" / "pennaction" / "train_penn_multimodel.py"
    command = [sys.executable, str(script), "two", *JOINT, "--strategy", "multiworker"]
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    processes = []
    for index in (0, 1):
        known = {**os.environ, "TF_CONFIG": config(*addresses, index=index)}
        one = subprocess.Popen(command, cwd=place, env=known, **options)
        processes.append(one)
    try:
        texts = [process.communicate(timeout=600)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(texts)
    return place / "two"


def test_two_workers_learn_what_one_process_does(place, two_workers):
    (ours,), (theirs,) = map(read_rows, (two_workers, place / "joint"))
    for name in ("loss0", "loss1"):
        assert float(ours[name]) == pytest.approx(float(theirs[name]), rel=1e-5)
    ours, theirs = (weights_of(build(one)) for one in (two_workers, place / "joint"))
    assert ours.keys() == theirs.keys()
    for path in ours:
        np.testing.assert_allclose(ours[path], theirs[path], atol=5e-5, err_msg=path)
    start = build(place / "joint", pose_weights=str(place / "pose" / LAST))
    before = weights_of(start.get_layer("frame_model"))
    after = weights_of(build(place / "joint").get_layer("frame_model"))
    assert np.median([np.abs(after[k] - before[k]).max() for k in before]) > 1e-3
    found, expected = (
        read(folder / "scores.json")["1"] for folder in (two_workers, place / "joint")
    )
    assert found["accuracy"] == expected["accuracy"]
    assert found["pckh"] == pytest.approx(expected["pckh"])
