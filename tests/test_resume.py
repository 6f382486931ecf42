"""A training that is stopped and goes on ends where one without a stop does."""

import concurrent.futures
import csv
import errno
import logging
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from kill_training import equal
from scripts import REPOSITORY, load, run
from tiny_models import small_pose_model
from tiny_mpii import write_tiny_mpii

from deephar import trainer
from deephar.callbacks import EvaluationCallback, LossLog, ReduceFromBest
from deephar.config import DataConfig
from deephar.data import BatchLoader, MpiiSinglePerson
from deephar.losses import pose_regression_loss
from deephar.optimizers import rmsprop
from deephar.trainer import progress
from deephar.utils import TRAIN_MODE

EPOCHS, STEPS = 3, 4


class StopAt(keras.callbacks.Callback):
    """Does something after a step, counted over all epochs."""

    def __init__(self, number, act):
        super().__init__()
        self.left, self.act = number, act

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.act()


class Death(Exception):
    """Stands for the end of the process."""


def die():
    raise Death


@pytest.fixture(scope="module")
def mpii(tmp_path_factory):
    folder = write_tiny_mpii(tmp_path_factory.mktemp("data") / "mpii", train=9)
    return MpiiSinglePerson(folder, DataConfig(crop_resolution=(64, 64)))


def train(mpii, folder, resume=False, stop=None, steps=STEPS, accumulate=1):
    """Trains as a new process would; returns the weights and the log's rows."""
    keras.utils.set_random_seed(4)
    model = small_pose_model()
    model.compile(rmsprop(1e-3), pose_regression_loss("l1l2", 0.01), jit_compile=False)
    loader = BatchLoader(mpii, ["frame"], ["pose"], TRAIN_MODE, batch_size=2, seed=3)
    score = EvaluationCallback(lambda m: {"pckh": float(m.weights[0].numpy().sum())})
    log = LossLog(None)
    callbacks = [score, ReduceFromBest(score, 0.5, 1), log]
    loop = trainer.MultiModelTrainer(
        [model],
        [loader],
        callbacks=[*callbacks, *([stop] if stop else [])],
        save=trainer.SavePlan(folder, steps=1),
        accumulate=accumulate,
    )
    loop.train(EPOCHS, steps, verbose=0, resume=resume)
    state = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    return state, log.rows, score.scores


@pytest.fixture(scope="module")
def whole(mpii, tmp_path_factory):
    return train(mpii, tmp_path_factory.mktemp("whole"))


def assert_same(ours, theirs):
    for a, b in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert ours[1:] == theirs[1:]


@pytest.mark.parametrize("number", [1, 4, 5, 10, 12])
def test_a_death_after_any_step_changes_nothing(mpii, whole, tmp_path, number):
    with pytest.raises(Death):
        train(mpii, tmp_path, stop=StopAt(number, die))
    assert_same(train(mpii, tmp_path, resume=True), whole)


def test_one_death_after_the_other(mpii, whole, tmp_path):
    for _ in range(5):
        with pytest.raises(Death):
            train(mpii, tmp_path, resume=True, stop=StopAt(3, die))
    assert_same(train(mpii, tmp_path, resume=True), whole)


def test_a_damaged_last_checkpoint_costs_a_step(mpii, whole, tmp_path):
    with pytest.raises(Death):
        train(mpii, tmp_path, stop=StopAt(7, die))
    last = max(tmp_path.glob("state-*.npz"))
    last.write_bytes(last.read_bytes()[:-500])
    assert_same(train(mpii, tmp_path, resume=True), whole)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_after_a_checkpoint(mpii, whole, tmp_path, name):
    def send():
        os.kill(os.getpid(), getattr(signal, name))

    with pytest.raises(KeyboardInterrupt):
        train(mpii, tmp_path, stop=StopAt(6, send))
    assert (tmp_path / "state-00001-0000002.npz").exists()
    assert_same(train(mpii, tmp_path, resume=True), whole)


def test_a_training_that_has_ended_is_not_repeated(mpii, whole, tmp_path):
    train(mpii, tmp_path)
    assert_same(train(mpii, tmp_path, resume=True), whole)


def test_a_stop_for_want_of_a_best_holds_and_more_patience_goes_on(mpii, tmp_path):
    def run(patience, resume=True):
        keras.utils.set_random_seed(4)
        model = small_pose_model()
        model.compile("sgd", pose_regression_loss("l1l2", 0.01), jit_compile=False)
        loader = BatchLoader(mpii, ["frame"], ["pose"], TRAIN_MODE, batch_size=2)
        score = EvaluationCallback(lambda m: {"pckh": 0.5}, patience=patience)
        save = trainer.SavePlan(tmp_path)
        loop = trainer.MultiModelTrainer(
            [model], [loader], callbacks=[score], save=save
        )
        loop.train(6, 1, verbose=0, resume=resume)
        return len(score.scores)

    assert run(1, resume=False) == 2
    assert run(1) == 2
    assert run(3) == 4


def test_facts_must_not_change(mpii, tmp_path):
    found = progress.Progress([], [], 4, {"batch size": 2})
    plan = trainer.SavePlan(tmp_path)
    plan.write(found, 1, 0)
    other = progress.Progress([], [], 4, {"batch size": 4})
    with pytest.raises(ValueError, match="batch size differ. In the checkpoint: 2"):
        other.restore(progress.read_progress(tmp_path))


def test_a_state_is_due_after_steps_or_minutes(tmp_path):
    plan = trainer.SavePlan(tmp_path, steps=3, minutes=60)
    assert [plan.is_due(step) for step in (1, 3, 4, 6)] == [False, True, False, True]
    assert trainer.SavePlan(tmp_path, minutes=1e-9).is_due(1)
    assert not trainer.SavePlan(tmp_path).is_due(1)


def test_the_checkpoint_of_another_training_is_refused(mpii, tmp_path):
    train(mpii, tmp_path)
    with pytest.raises(
        ValueError, match=r"its steps of an epoch differ. In the checkpoint: 4. Now: 5"
    ):
        train(mpii, tmp_path, resume=True, steps=5)


def test_a_full_disk_is_logged_and_training_goes_on(
    mpii, whole, tmp_path, monkeypatch, caplog
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(progress, "write_state", full)
    with caplog.at_level(logging.ERROR):
        assert_same(train(mpii, tmp_path), whole)
    assert "no checkpoint could be written after epoch 0, step 2" in caplog.text


SCRIPT = "exp/mpii/train_mpii_singleperson.py"
FLAGS = (
    *("--size", "32", "--blocks", "1", "--ksize", "3", "--stem", "vgg16"),
    *("--context", "0", "--batch-size", "2"),
    *("--epochs", "2", "--steps-per-epoch", "12", "--checkpoint-steps", "1"),
    *("--eval-every", "2"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a training without a stop, `whole`, and one killed twice."""
    folder = tmp_path_factory.mktemp("place")
    write_tiny_mpii(folder / "mpii", train=5, valid=2)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_twice, folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            load(SCRIPT).main(["whole", "--data", "mpii", *FLAGS])
        killed.result()
    return folder


def kill_twice(folder):
    """Kills a training in its first and, after it has gone on, in its second epoch."""
    command = [sys.executable, str(REPOSITORY / SCRIPT), "killed", "--resume"]
    for least in (3, 14):
        process = subprocess.Popen(
            [*command, "--data", "mpii", *FLAGS],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while steps_done(folder / "killed") < least:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
        process.wait()


def test_a_script_killed_twice_ends_with_the_same_weights(place):
    done = run(SCRIPT, "killed", "--resume", cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "resumed: 1 epochs and " in done.stdout
    assert equal(place / "whole", place / "killed")
    with open(place / "killed" / "losses.csv", newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]


def steps_done(folder):
    names = [path.stem for path in folder.glob("checkpoints/state-*.npz")]
    places = [tuple(map(int, name.split("-")[1:])) for name in names]
    return max((12 * epoch + step for epoch, step in places), default=0)
