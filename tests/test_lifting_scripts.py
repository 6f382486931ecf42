"""The training of temporal lifting, as its scripts run it; goes on bit for bit."""

import contextlib
import csv
import io
import json
import logging
import os
import shutil
import signal

import numpy as np
import pytest
from scripts import load, read_json
from tiny_lifting import write_tiny_lifting

from deephar.checkpoints import load_weights, save_weights
from deephar.checkpoints.lifting import read_lifting
from deephar.checkpoints.pytorch import read_pytorch, write_pytorch
from deephar.models import lifting
from deephar.trainer.lifting_step import LiftingStep

TRAIN = load("exp/lifting/train_lifting.py")
EVALUATE = load("exp/lifting/eval_lifting.py")
TAKES = {"Walking": 24, "Walking 1": 25, "Sitting": 26}
DATA = ("--data", "data", "-k", "gt", "-ste", "S9", "-a", "Walking,Sitting")
SMALL = ("-arc", "3,3", "-ch", "8", "-b", "300", "-lr", "0.01")
SHORT = (*DATA, *SMALL, "-str", "S1", "-e", "2", "--checkpoint-frequency", "2")
RUNS = ("sup", "stopped")
SEMI = (*SHORT, "-arc", "3", "-sun", "S5", "--checkpoint-frequency", "1", "--causal")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with tiny data and a whole training, `sup`."""
    folder = tmp_path_factory.mktemp("place")
    write_tiny_lifting(folder / "data", dict.fromkeys(("S1", "S5", "S9"), TAKES))
    (folder / "sup.txt").write_text(_train(folder, *SHORT, "-c", "sup"))
    return folder


@pytest.fixture(scope="module")
def semi(place):
    """A whole semi-supervised training of a causal network."""
    _train(place, *SEMI, "-c", "semi", "--export-training-curves")
    return place / "semi"


def _train(folder, *flags):
    """Trains in a folder; returns what is printed. Logging is left as it was."""
    printed, before, here = io.StringIO(), logging.root.handlers[:], os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(printed):
            TRAIN.main(flags)
    finally:
        os.chdir(here)
        for handler in set(logging.root.handlers) - set(before):
            handler.close()
        logging.root.handlers[:] = before
    return printed.getvalue()


def _tensors(path):
    """All arrays of a checkpoint by their place in it."""
    found = {}

    def visit(value, name):
        if isinstance(value, np.random.RandomState):
            value = {str(k): v for k, v in enumerate(value.get_state())}
        if isinstance(value, dict | list | tuple):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for key, one in pairs:
                visit(one, f"{name}/{key}")
        else:
            found[name] = np.asarray(value)

    visit(read_pytorch(path), "")
    return found


def _assert_equal(one, other):
    ours, theirs = _tensors(one), _tensors(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def _stop_after(monkeypatch, steps):
    """Sends SIGTERM in the last of so many steps."""
    take, taken = LiftingStep.supervised, []

    def step(self, *args):
        taken.append(1)
        if len(taken) == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        return take(self, *args)

    monkeypatch.setattr(LiftingStep, "supervised", step)


def test_training_leaves_checkpoints_losses_and_scores(place):
    names = {path.name for path in (place / "sup").iterdir()}
    (record,) = (name for name in names if name.startswith("arguments_"))
    assert read_json(place / "sup", record)["architecture"] == [3, 3]
    assert names - {record} == {
        *("epoch_2.bin", "last.bin", "losses.csv", "log.txt", "evaluation.md"),
        "evaluation.json",
    }
    with open(place / "sup" / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["learning_rate"]) == pytest.approx(0.01 * 0.95)
    assert float(rows[1]["loss_pos"]) < float(rows[0]["loss_pos"])
    scores = read_json(place / "sup", "evaluation.json")
    assert list(scores["actions"]) == ["Walking", "Sitting"]
    assert scores["actions"]["Sitting"]["frames"] == 4 * 26
    assert "| mean of actions |" in (place / "sup.txt").read_text()
    held = read_lifting(place / "sup" / "last.bin")
    assert (held.epoch, held.lr) == (2, pytest.approx(0.01 * 0.95**2))
    # 75 frames of 4 cameras, mirrored too: 2 batches in each of 2 epochs.
    assert held.model_pos["expand_bn.num_batches_tracked"] == 4


def test_a_training_that_was_stopped_goes_on_bit_for_bit(place, here, monkeypatch):
    _stop_after(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        TRAIN.main([*SHORT, "-c", "stopped"])
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert [path.name for path in (place / "stopped").glob("*.bin")] == ["last.bin"]
    TRAIN.main([*DATA, "-c", "stopped", "--resume", "last.bin"])
    _assert_equal(place / "sup" / "last.bin", place / "stopped" / "last.bin")
    whole, other = ((place / run / "losses.csv") for run in RUNS)
    assert whole.read_text() == other.read_text()
    whole, other = (read_json(place / run, "evaluation.json") for run in RUNS)
    assert whole["actions"] == other["actions"]


def test_semi_supervised_training_goes_on_bit_for_bit(here, semi):
    TRAIN.main([*DATA, "-c", "semi2", "-r", "semi/epoch_1.bin", "--no-eval"])
    ours, theirs = _tensors(semi / "last.bin"), _tensors(here / "semi2" / "last.bin")
    parts = ("/model", "/optimizer", "/random", "/deephar/dropout", "/deephar/unlab")
    compared = [name for name in ours if name.startswith(parts)]
    assert {name.split("/")[1] for name in compared} == {
        *("model_pos", "model_traj", "optimizer", "random_state", "random_state_semi"),
        "deephar",
    }
    for name in compared:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_semi_supervised_training_shows_every_loss(semi):
    with open(semi / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["loss_proj"]) == 0 < float(rows[1]["loss_proj"])
    assert 0 < float(rows[1]["unlabelled_proj"]) < 10
    assert {path.name for path in semi.glob("*.png")} == {
        *("loss_2d.png", "loss_3d.png", "loss_traj.png"),
    }
    model = lifting.build(17, 2, 1, (3,), 8, causal=True)
    load_weights(model, semi / "last.bin", key="model_traj")


def test_evaluation_knows_network_and_data_from_the_checkpoint(here, semi, capsys):
    EVALUATE.main(["--data", "data", "-c", "semi", "--evaluate", "last.bin"])
    assert "| Walking         | 196    |" in capsys.readouterr().out
    receipt = read_json(semi, "evaluation.json")["receipt"]
    assert receipt["data"] == "h36m, gt (data)" and receipt["subjects"] == "S9"
    TRAIN.main([*DATA, "--evaluate", "sup/last.bin", "-c", "e", "--by-subject"])
    scores = read_json(here, "e", "evaluation.json")
    trained = read_json(here, "sup", "evaluation.json")
    assert scores["subjects"]["S9"]["actions"] == trained["actions"]
    assert not list((here / "e").glob("arguments_*"))
    TRAIN.main([*DATA, "--evaluate", "sup/last.bin", "-c", "e", "-no-tta"])
    assert read_json(here, "e", "evaluation.json")["mpjpe"] != trained["mpjpe"]


def test_weights_of_keras_are_evaluated_by_the_flags(here, place):
    model = lifting.build(17, 2, 17, (3, 3), 8)
    load_weights(model, place / "sup" / "last.bin")
    save_weights(model, place / "sup.weights.h5")
    shape = ("-arc", "3,3", "-ch", "8")
    EVALUATE.main([*DATA, *shape, "--weights", "sup.weights.h5", "-c", "k"])
    scores = read_json(here, "k", "evaluation.json")
    assert scores["mpjpe"] == pytest.approx(
        read_json(here, "sup/evaluation.json")["mpjpe"]
    )


def test_flags_tell_what_a_file_of_the_original_does_not(here, capsys):
    model = lifting.build(17, 2, 17, (3, 3, 3), 8, dense=True)
    save_weights(model, here / "dense.bin")
    held = read_pytorch(here / "dense.bin")
    del held["deephar"]
    write_pytorch(here / "dense.bin", held)
    EVALUATE.main([*DATA, "--evaluate", "dense.bin", "--dense", "-c", "d"])
    assert "| mean of actions | 300 " in capsys.readouterr().out
    with pytest.raises(ValueError, match="filter_widths 3,7,19. Received: 3,3,3 "):
        EVALUATE.main([*DATA, "--evaluate", "dense.bin", "-arc", "3,3,3", "-c", "d"])


def test_a_file_of_the_original_is_evaluated_and_goes_on(here, place):
    held = read_pytorch(place / "sup" / "epoch_2.bin")
    del held["deephar"]
    shutil.rmtree(here / "orig", ignore_errors=True)
    (here / "orig").mkdir()
    write_pytorch(here / "orig" / "epoch_2.bin", held)
    TRAIN.main([*SHORT, "-c", "orig", "-r", "epoch_2.bin", "-e", "3", "--no-eval"])
    assert read_lifting(here / "orig" / "last.bin").epoch == 3
    with pytest.raises(ValueError, match=r"learning rate 0.009025. .* --lr-decay 0.9"):
        TRAIN.main([*SHORT, "-c", "orig", "-r", "epoch_2.bin", "-lrd", "0.9"])


@pytest.mark.parametrize("kind", ["sup", "semi"])
def test_a_checkpoint_that_the_original_wrote_goes_on(here, shared, kind):
    file = shared / "golden" / "lifting" / f"trainsteps_{kind}.bin"
    flags = ("-e", "2", "-r", str(file), "-c", f"of_{kind}", "--no-eval", "-b", "300")
    semi = ("-sun", "S5", "--warmup", "0") if kind == "semi" else ()
    TRAIN.main([*DATA, "-str", "S1", *semi, *flags])
    before, after = (read_lifting(p) for p in (file, here / f"of_{kind}" / "last.bin"))
    assert (after.epoch, after.lr) == (2, pytest.approx(before.lr * 0.95))
    steps, grown = (one.optimizer["state"][0]["step"] for one in (before, after))
    assert grown == steps + 2
    name = "expand_bn.num_batches_tracked"
    assert after.model_pos[name] == before.model_pos[name] + 2


def test_a_training_does_not_go_on_from_weights_alone(here, place):
    model = lifting.build(17, 2, 17, (3, 3), 8)
    for name in ("weights.bin", "some.weights.h5"):
        save_weights(model, here / name)
    with pytest.raises(ValueError, match="weights.bin: holds weights only"):
        TRAIN.main([*SHORT, "-c", "w", "-r", "weights.bin"])
    with pytest.raises(ValueError, match="some.weights.h5: a training goes on from"):
        TRAIN.main([*SHORT, "-c", "w", "-r", "some.weights.h5"])


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ((), r"holds an earlier training \(epoch_2.bin\); go on with it"),
        (("-r", "none.bin"), "none.bin: no such checkpoint, neither in sup nor here"),
        (("-r", "last.bin", "-b", "128"), "--batch-size was 300, .* Received: 128"),
        (("-r", "last.bin", "-arc", "3"), "--architecture was 3,3, .* Received: 3"),
        (("-r", "last.bin", "-sun", "S6"), r"--subjects-unlabeled was none, .* S6"),
        (("--evaluate", "last.bin", "-arc", "3"), "filter_widths 3,3. Received: 3 "),
        (("--evaluate", "last.bin", "--causal"), "causal False. Received: True"),
        (("--evaluate", "last.bin", "-str", "S2"), "among S1, S5, S9. Received: S2"),
        (("-c", "n", "-ste", "S11"), "among S1, S5, S9. Received: S11"),
        (("-c", "n", "-d", "other"), "`dataset` must be one of"),
    ],
)
def test_what_does_not_fit_is_refused(here, flags, reason):
    with pytest.raises((ValueError, OSError), match=reason):
        TRAIN.main(["--data", "data", "-k", "gt", "-ste", "S9", "-c", "sup", *flags])


def test_a_training_does_not_go_on_over_another(here, place):
    (here / "held").mkdir()
    (here / "held" / "last.bin").write_bytes(b"another")
    with pytest.raises(FileExistsError, match="held: holds an earlier training"):
        TRAIN.main([*DATA, "-c", "held", "-r", "sup/last.bin"])
    assert (here / "held" / "last.bin").read_bytes() == b"another"


def test_unlabelled_subjects_need_a_known_lens(here):
    camera = {"name": "a", "size": [1000, 1000], "orientation": [1, 0, 0, 0]}
    views = [{**camera, "translation": [0, 0, -5]}] * 4
    with open(here / "cameras.json", "w") as file:
        json.dump(dict.fromkeys(("S1", "S5", "S9"), views), file)
    with pytest.raises(ValueError, match="lens of every camera. .* S5, camera 0"):
        TRAIN.main([*SEMI, "--cameras", "cameras.json", "-c", "blind"])


def test_a_training_that_diverges_ends(here, monkeypatch):
    monkeypatch.setattr(LiftingStep, "supervised", lambda *_: {"pos": float("nan")})
    with pytest.raises(FloatingPointError, match="loss pos is nan at epoch 1, batch 1"):
        TRAIN.main([*SHORT, "-c", "wild", "--no-eval"])
    assert not list((here / "wild").glob("*.bin"))


@pytest.mark.parametrize(
    "flags", [("--dense",), ("-s", "4"), ("--disable-optimizations",)]
)
def test_other_ways_of_training_learn_as_well(here, flags):
    short = ("-str", "S1", "-e", "1", "--no-eval", "-no-da", "--subset", "0.5")
    TRAIN.main([*DATA, *SMALL, *short, *flags, "-c", "other", "--overwrite"])
    with open(here / "other" / "losses.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert 0 < float(row["loss_pos"]) < 2 and "valid_3d" not in row
