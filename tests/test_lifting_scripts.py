"""The training of temporal lifting, as its scripts run it; goes on bit for bit."""

import contextlib
import csv
import io
import json
import logging
import os
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
TAKES = {"Walking": 20, "Walking 1": 22, "Sitting": 24}
DATA = ("--data", "data", "-k", "gt", "-ste", "S9", "-a", "Walking,Sitting")
SMALL = ("-str", "S1", "-arc", "3,3", "-ch", "8", "-b", "270", "-lr", "0.01", "-e", "2")
SHORT = (*DATA, *SMALL, "--checkpoint-frequency", "2", "--no-eval")
RUNS = ("sup", "stopped")
SEMI = (
    *(*DATA, *SMALL, "-arc", "3", "--checkpoint-frequency", "1", "--causal"),
    *("-sun", "S5", "--warmup", "0", "--subset", "0.5"),
)


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
        *("evaluation.json", "training.html"),
    }
    with open(place / "sup" / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["learning_rate"]) == pytest.approx(0.01 * 0.95)
    assert float(rows[1]["loss_pos"]) < float(rows[0]["loss_pos"])
    scores = read_json(place / "sup", "evaluation.json")
    assert list(scores["actions"]) == ["Walking", "Sitting"]
    assert scores["actions"]["Sitting"]["frames"] == 4 * 24
    assert "| mean of actions |" in (place / "sup.txt").read_text()
    held = read_lifting(place / "sup" / "last.bin")
    assert (held.epoch, held.lr) == (2, pytest.approx(0.01 * 0.95**2))
    # 66 frames of 4 cameras, mirrored too: 2 batches in each of 2 epochs.
    assert held.model_pos["expand_bn.num_batches_tracked"] == 4


def test_a_training_that_was_stopped_goes_on_bit_for_bit(place, here, monkeypatch):
    _stop_after(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        TRAIN.main([*SHORT, "-c", "stopped"])
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert [path.name for path in (place / "stopped").glob("*.bin")] == ["last.bin"]
    TRAIN.main([*DATA, "-c", "stopped", "--resume", "last.bin", "--no-eval"])
    _assert_equal(place / "sup" / "last.bin", place / "stopped" / "last.bin")
    whole, other = ((place / run / "losses.csv") for run in RUNS)
    assert whole.read_text() == other.read_text()
    whole, other = (read_json(place / run, "evaluation.json") for run in RUNS)
    assert whole["actions"] == other["actions"]


def test_semi_supervised_training_goes_on_bit_for_bit(here, semi):
    # One batch of two has been taken of the unlabelled data.
    assert read_lifting(semi / "epoch_1.bin").deephar["unlabelled_position"] == 1
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
    for part in ("loss", "train", "valid", "unlabelled"):
        assert 0 < float(rows[1][f"{part}_proj"]) < 10
    assert {path.name for path in semi.glob("*.png")} == {
        *("loss_2d.png", "loss_3d.png", "loss_traj.png"),
    }
    model = lifting.build(17, 2, 1, (3,), 8, causal=True)
    load_weights(model, semi / "last.bin", key="model_traj")


def test_evaluation_knows_network_and_data_from_the_checkpoint(here, semi, capsys):
    flags = ["-c", "semi", "--evaluate", "last.bin", "--report"]
    EVALUATE.main(["--data", "data", *flags])
    page = (here / "semi" / "report.html").read_text(encoding="utf-8")
    assert page.count('class="pose3d"') >= 2 and "Error (mm) over the epochs" in page
    assert "| Walking         | 168    |" in capsys.readouterr().out
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
    model = lifting.build(17, 2, 17, (3, 3), 8, dense=True)
    save_weights(model, here / "dense.bin")
    held = read_pytorch(here / "dense.bin")
    del held["deephar"]
    write_pytorch(here / "dense.bin", held)
    flags = (*DATA, "-a", "Sitting", "--evaluate", "dense.bin", "-c", "d")
    EVALUATE.main([*flags, "--dense"])
    assert "| mean of actions | 96 " in capsys.readouterr().out
    with pytest.raises(ValueError, match="filter_widths 3,7. Received: 3,3 "):
        EVALUATE.main([*flags, "-arc", "3,3"])


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
        (("-r", "last.bin", "-b", "128"), "--batch-size was 270, .* Received: 128"),
        (("-r", "last.bin", "-arc", "3"), "--architecture was 3,3, .* Received: 3"),
        (("-r", "last.bin", "-sun", "S6"), r"--subjects-unlabeled was none, .* S6"),
        (("-r", "last.bin", "-e", "1"), "2 epochs are done; .* Received: --epochs 1"),
        (("-r", "sup/last.bin", "-c", "n"), "last.bin: 2 epochs are done; to go on"),
        (("--evaluate", "last.bin", "-arc", "3"), "filter_widths 3,3. Received: 3 "),
        (("--evaluate", "last.bin", "--causal"), "causal False. Received: True"),
        (("--evaluate", "last.bin", "-str", "S2"), "among S1, S5, S9. Received: S2"),
        (("-c", "n", "-ste", "S11"), "among S1, S5, S9, .* Received: S11"),
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
        TRAIN.main([*DATA, "-c", "held", "-r", "sup/last.bin", "-e", "3"])
    assert (here / "held" / "last.bin").read_bytes() == b"another"


def test_a_training_that_is_done_is_scored_again(here):
    before = read_json(here, "sup", "evaluation.json")
    TRAIN.main([*DATA, "-c", "sup", "-r", "epoch_2.bin"])
    after = read_json(here, "sup", "evaluation.json")
    assert after["receipt"].pop("weights") == "sup/epoch_2.bin"
    assert before["receipt"].pop("weights") == "sup/last.bin"
    assert after == before


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
