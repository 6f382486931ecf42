"""What the flags of lifting's training do and how it goes on; no step is taken."""

import dataclasses
import os
import signal
import threading
import types

import numpy as np
import pytest
from tiny_lifting import write_tiny_lifting

from deephar.checkpoints.lifting import read_lifting, write_lifting
from deephar.experiment import lifting_parser, lifting_training, parse_lifting
from deephar.experiment.lifting import (
    follow_training,
    lifting_data,
    read_weights,
    scored_sequences,
)
from deephar.models import lifting
from deephar.trainer.interruption import until_signal
from deephar.trainer.lifting import LiftingRecipe, LiftingTrainer
from deephar.utils.camera import project_to_2d

TAKES = {"Walking": 24, "Walking 1": 25, "Sitting": 26}
SMALL = "-k gt -str S1 -ste S9 -arc 3 -ch 4"
SEMI = "-sun S5 --causal"
PARSER = lifting_parser("text")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    return write_tiny_lifting(folder, dict.fromkeys(("S1", "S5", "S9"), TAKES))


@pytest.fixture
def make(place, tmp_path):
    """Makes the training of a command line, as train_lifting does."""

    def make_trainer(line="", weights=None):
        args = _args(place, tmp_path, line)
        data = lifting_data(args)
        tested = scored_sequences(args, data)
        return lifting_training.lifting_trainer(args, data, tested, weights)

    return make_trainer


def _args(place, folder, line):
    line = f"{SMALL} {line} -c {folder} --data {place}"
    return parse_lifting(PARSER, line.split())


def _record(trainer):
    """Has the steps of a trainer do nothing; returns what they are given."""
    taken = []

    def step(*batch):
        taken.append(batch)
        return {"pos": 1.0}

    trainer.step.supervised = trainer.step.semi_supervised = step
    return taken


def _same(one, other):
    """Asserts that two nested values are equal, arrays in all numbers."""
    if isinstance(one, np.random.RandomState):
        one, other = one.get_state(), other.get_state()
    if isinstance(one, dict):
        assert list(one) == list(other)
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list | tuple):
        for mine, theirs in zip(one, other, strict=True):
            _same(mine, theirs)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", (False, True, True)),
        ("--linear-projection", (True, True, True)),
        ("--no-bone-length", (False, False, True)),
        ("--no-proj", (False, True, False)),
    ],
)
def test_the_losses_are_those_of_the_flags(make, line, expected):
    step = make(f"-sun S5 {line}").step
    assert (step.linear_projection, step.bone_length, step.projection) == expected


@pytest.mark.parametrize(
    ("line", "target"),
    [("", 1), (SEMI, 2), ("--causal -arc 3,3", 8), ("--dense -arc 3,3 -s 3", 4)],
)
def test_poses_are_those_of_the_target_frame(make, line, target):
    trainer = make(f"{line} -b 6")
    assert trainer.step.target_frame == target
    lenses, poses, keypoints = next(trainer.loader.next_epoch())
    poses[:, :, 1:] += poses[:, :, :1]
    seen = project_to_2d(poses, lenses)
    frames = keypoints[:, target : target + poses.shape[1]]
    np.testing.assert_allclose(seen, frames, atol=1e-5)
    if trainer.unlabelled is not None:
        assert next(trainer.unlabelled.next_epoch())[2].shape == keypoints.shape


@pytest.mark.parametrize(
    ("line", "strided"),
    [
        ("-arc 3,3", True),
        ("-arc 3,3 --disable-optimizations", False),
        ("-arc 3,3 -s 4 --causal", False),
        ("-arc 3,3 --dense", False),
    ],
)
def test_the_network_that_is_trained_takes_the_batches(make, line, strided):
    trainer = make(f"{line} -b 8")
    model = trainer.step.model_pos
    assert (model is not trainer.models["model_pos"]) == strided
    _, poses, keypoints = next(trainer.loader.next_epoch())
    assert model(keypoints, training=True).shape == poses.shape


@pytest.mark.parametrize(
    ("line", "labelled", "unlabelled"),
    [
        ("-no-da", 300, 300),
        ("", 600, 600),
        ("-no-da --subset 0.5", 4 * (12 + 12 + 13), 300),
        ("-no-da --downsample 2", 4 * (12 + 13 + 13), 4 * (12 + 13 + 13)),
        ("-no-da -a Sitting", 4 * 26, 4 * 26),
    ],
)
def test_chunks_are_those_of_the_flags(make, line, labelled, unlabelled):
    trainer = make(f"-sun S5 -b 1 {line}")
    assert trainer.loader.num_batches == labelled
    assert trainer.unlabelled.num_batches == unlabelled


def test_a_batch_has_so_many_predicted_frames(make):
    trainer = make("-sun S5 -s 5 -b 11")
    assert trainer.loader.batch_size == trainer.unlabelled.batch_size == 2
    assert trainer.unlabelled.endless and not trainer.loader.endless


def test_epochs_are_evaluated_on_what_they_learn_and_on_whole_test_tracks(
    make, monkeypatch
):
    measured, pauses = {}, []

    def errors(sequences, predict, predict_root, linear):
        place = (len(measured), linear)
        measured[place] = sum(len(one.keypoints) for one in sequences)
        predict(0), predict_root(0)
        return {"3d": len(measured)}

    lifter = types.SimpleNamespace(lift=lambda keypoints: keypoints)
    monkeypatch.setattr(lifting_training, "epoch_errors", errors)
    monkeypatch.setattr(lifting_training, "lifter_of", lambda *_, **more: lifter)
    line = "--downsample 2 --subset 0.5 -a Walking,Sitting --linear-projection"
    trainer = make(f"-sun S5 {line}")
    figures = trainer.evaluate(lambda: pauses.append(1))
    assert figures == {"train_3d": 1, "valid_3d": 2, "unlabelled_3d": 3}
    part, whole, thinned = 4 * (6 + 6 + 7), 300, 4 * (12 + 13 + 13)
    assert measured == {(0, True): part, (1, True): whole, (2, True): thinned}
    assert len(pauses) == 6
    make("-a Sitting -sun S5").evaluate(lambda: None)
    assert list(measured.values())[3:] == [104, 104, 104]
    assert make("--no-eval").evaluate is None


def test_the_course_of_a_training_is_that_of_the_flags(make):
    line = "-e 7 -lr 0.01 -lrd 0.9 --warmup 3 --checkpoint-frequency 2 -sun S5"
    assert make(line).recipe == LiftingRecipe(7, 0.01, 0.9, 3, 2)
    assert make("-no-tta").recipe == LiftingRecipe(60, 1e-3, 0.95, 1, 10)


@pytest.mark.parametrize("flag", ["--causal", "--dense"])
def test_the_networks_are_those_of_the_flags(make, flag):
    models = make(f"-arc 3,1 -ch 6 -drop 0.125 -sun S5 {flag}").models
    expected = {
        **{"num_joints_in": 17, "in_features": 2, "num_joints_out": 17},
        **{"filter_widths": (3, 1), "channels": 6, "dropout": 0.125},
        **{"causal": flag == "--causal", "dense": flag == "--dense"},
    }
    assert lifting.settings(models["model_pos"]) == expected
    expected["num_joints_out"] = 1
    assert lifting.settings(models["model_traj"]) == expected


def test_a_seed_decides_weights_and_order(make):
    kernels, orders = [], []
    for seed in (0, 0, 1):
        trainer = make(f"-sun S5 --seed {seed} -b 20")
        kernels.append(trainer.models["model_traj"].get_weights()[0])
        orders.append(next(trainer.unlabelled.next_epoch())[2])
        orders.append(next(trainer.loader.next_epoch())[2])
    _same([kernels[0], *orders[:2]], [kernels[1], *orders[2:4]])
    assert (kernels[1] != kernels[2]).all()
    assert (orders[0] != orders[4]).any() and (orders[1] != orders[5]).any()
    assert trainer.loader.random_state.get_state()[1][0] == 1235


def test_learning_rate_and_momentum_fall_as_the_originals(make, monkeypatch, shared):
    with np.load(shared / "golden" / "lifting" / "schedules.npz") as file:
        momenta, rates = file["bn_momentum_after_epoch"], file["lr"]
    trainer = make("-b 1000 --no-eval -arc 3,1")
    seen = []
    layers = [
        layer
        for model in (trainer.models["model_pos"], trainer.step.model_pos)
        for layer in model.layers
        if "momentum" in {weight.name for weight in layer.weights}
    ]

    def step(*batch):
        rate = float(trainer.step.optimizer.learning_rate)
        held = {1 - float(np.asarray(layer.momentum)) for layer in layers}
        seen.append((rate, *held))
        return {"pos": 1.0}

    trainer.step.supervised = step
    monkeypatch.setattr("deephar.trainer.lifting.write_lifting", lambda *_: None)
    rows = trainer.train()
    assert len(layers) == 6
    np.testing.assert_allclose(seen, np.stack([rates, momenta], 1)[:-1], rtol=1e-4)
    np.testing.assert_allclose([row["learning_rate"] for row in rows], rates[:-1])
    assert trainer.checkpoint().lr == pytest.approx(rates[-1], rel=1e-12)


def test_a_semi_supervised_training_goes_on_within_the_unlabelled_data(make, tmp_path):
    # 3 labelled batches an epoch, of 6 unlabelled ones, first in the second epoch.
    line = f"{SEMI} --subset 0.5 -b 100 -e 5 --checkpoint-frequency 1 --no-eval"
    trainer = make(line)
    whole = _record(trainer)
    trainer.train()
    assert (trainer.loader.num_batches, trainer.unlabelled.num_batches) == (3, 6)
    assert [batch[4] for batch in whole] == 3 * [True] + 12 * [False]
    assert all((batch[2] is None) == batch[4] for batch in whole)
    path = tmp_path / "epoch_4.bin"
    assert read_lifting(path).deephar["unlabelled_position"] == 3
    again = make(line, read_weights(path))
    rest = _record(again)
    assert len(again.train()) == 5
    _same(whole[12:], rest)
    _same(_state(trainer), _state(again))


def _state(trainer):
    return dataclasses.asdict(trainer.checkpoint())


@pytest.mark.parametrize("kind", ["sup", "semi"])
def test_a_checkpoint_that_the_original_wrote_goes_on(make, shared, kind):
    weights = read_weights(shared / "golden" / "lifting" / f"trainsteps_{kind}.bin")
    line = "-arc 3,3,3 -ch 64 " + "-sun S5 " * (kind == "semi")
    ours, theirs = make(line, weights).checkpoint(), weights.checkpoint
    for name in ("random_state", "random_state_semi", "model_pos", "model_traj"):
        _same(getattr(theirs, name), getattr(ours, name))
    _same(theirs.optimizer["state"], ours.optimizer["state"])
    assert (ours.epoch, ours.lr) == (1, 0.00095)
    with pytest.raises(ValueError, match=r"learning rate 0.00095. .* --lr-decay 0.9"):
        make(f"{line} -lrd 0.9", weights)


@pytest.fixture(scope="module")
def written(place, tmp_path_factory):
    """A checkpoint of a training that has not begun, in a file of its own."""
    folder = tmp_path_factory.mktemp("written")
    args = _args(place, folder, "-sun S5")
    data = lifting_data(args)
    tested = scored_sequences(args, data)
    trainer = lifting_training.lifting_trainer(args, data, tested)
    trainer.rows.append({"epoch": 1, "loss_pos": 0.5})
    write_lifting(folder / "last.bin", trainer.checkpoint())
    return folder / "last.bin"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("training", 5, "deephar/training must be flags by name. Received: 5"),
        ("training", {"subjects_train": 5}, "--subjects-train .* Received: 5"),
        ("training", {"stride": "x"}, "--stride .* Received: 'x'"),
        ("training", {"stride": 0}, "--stride .* Received: 0"),
        ("training", {"seed": True}, "--seed .* Received: True"),
        ("training", {"causal": 1}, "--causal .* Received: 1"),
        ("training", {"architecture": [3, 2]}, r"--architecture .* \(3, 2\)"),
        ("layout", 3, "deephar/layout must be a name. Received: 3"),
        ("cameras", "x", "deephar/cameras must be a checksum. Received: 'x'"),
        ("losses", [1], r"deephar/losses must be numbers by epoch. Received: \[1\]"),
        ("losses", [{"epoch": "a"}], "deephar/losses must be"),
        ("unlabelled_position", "x", "unlabelled_position must be a number of b"),
        ("unlabelled_position", 99, "at batch 99 of the unlabelled .* 1 batches"),
        ("dropout", None, "deephar/dropout must be pairs of 32 bits"),
        ("dropout", [[-1, 2]], "deephar/dropout must be pairs"),
        ("dropout", [[1]] * 2, "deephar/dropout must be pairs"),
        ("dropout", [[1, 2]], "a training with 1 dropouts. Received: 2"),
    ],
)
def test_damaged_notes_of_a_training_are_refused(
    make, written, tmp_path, name, value, reason
):
    checkpoint = read_lifting(written)
    checkpoint.deephar[name] = value
    write_lifting(tmp_path / "bad.bin", checkpoint)
    with pytest.raises(ValueError, match=rf"bad.bin: .*{reason}"):
        make("-sun S5", read_weights(tmp_path / "bad.bin"))


def test_a_training_goes_on_with_the_same_cameras(place, tmp_path, written):
    args = _args(place, tmp_path, "-sun S5")
    data = lifting_data(args)
    tested = scored_sequences(args, data)
    weights = read_weights(written)
    assert weights.training["subjects_unlabeled"] == ("S5",)
    trainer = lifting_training.lifting_trainer(args, data, tested, weights)
    assert trainer.rows == [{"epoch": 1, "loss_pos": 0.5}]
    data.cameras = data.cameras | {"S5": data.cameras["S9"]}
    with pytest.raises(ValueError, match="last.bin: .* must not change its cameras"):
        lifting_training.lifting_trainer(args, data, tested, weights)


def test_an_evaluation_is_left_without_loss_of_the_epoch(make, tmp_path):
    trainer = make("-b 1000 -e 3")
    _record(trainer)

    def evaluate(pause):
        os.kill(os.getpid(), signal.SIGTERM)
        pause()

    trainer.evaluate = evaluate
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert read_lifting(tmp_path / "last.bin").epoch == 1
    trainer.evaluate = lambda pause: {"valid_3d": 0.25}
    trainer.train()
    rows = read_lifting(tmp_path / "last.bin").deephar["losses"]
    assert [row.get("valid_3d") for row in rows] == [None, 0.25, 0.25]


def test_subjects_without_poses_are_refused_before_the_training(
    place, tmp_path, monkeypatch, quiet
):
    args = _args(place, tmp_path, "-ste S9,S5 --by-subject --no-eval")
    data = lifting_data(args)
    del data.positions["S5"]
    monkeypatch.setattr(lifting_training, "lifting_data", lambda _: data)
    monkeypatch.setattr(LiftingTrainer, "train", lambda _: pytest.fail("has begun"))
    with pytest.raises(ValueError, match="S5 must have takes with poses in space"):
        lifting_training.train_lifting(args)


def test_nothing_of_an_earlier_training_is_left(place, tmp_path, monkeypatch, quiet):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(LiftingTrainer, "train", stop)
    names = "epoch_3.bin last.bin losses.csv loss_3d.png evaluation.md evaluation.json"
    for name in (*names.split(), "pretrained.bin"):
        (tmp_path / name).write_bytes(b"earlier")
    with pytest.raises(FileExistsError, match=r"training \(epoch_3.bin\); go on with"):
        lifting_training.train_lifting(_args(place, tmp_path, ""))
    with pytest.raises(KeyboardInterrupt):
        lifting_training.train_lifting(_args(place, tmp_path, "--overwrite"))
    left = {path.name for path in tmp_path.iterdir() if path.suffix != ".json"}
    assert left == {"pretrained.bin", "log.txt"}
    assert not (tmp_path / "evaluation.json").exists()


def test_another_data_set_has_not_the_subjects_of_the_training(
    place, tmp_path, written
):
    def followed(line):
        args = parse_lifting(PARSER, ["--evaluate", "x", *line.split()])
        follow_training(args, read_weights(written))
        return args.dataset, args.keypoints, args.subjects_test

    assert followed("") == followed("-d h36m") == ("h36m", "gt", ("S9",))
    assert followed("-k mine") == ("h36m", "mine", ("S9",))
    assert followed("-d custom -k v") == ("custom", "v", ("S9", "S11"))


def test_a_handler_that_is_not_pythons_is_left_alone(monkeypatch):
    real, changed = signal.signal, []
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    monkeypatch.setattr(signal, "signal", lambda *args: changed.append(args))
    with until_signal(threading.Event()):
        pass
    assert not changed and real is not signal.signal
