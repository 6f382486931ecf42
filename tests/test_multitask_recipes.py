"""The recipes of SPNet's trainings, and the parts that they are made of."""

import argparse
import types

import keras
import numpy as np
import pytest
from scripts import load

from deephar import experiment
from deephar.data import BatchLoader
from deephar.trainer.progress import Progress
from deephar.utils import TRAIN_MODE, coco17j, pa16j2d, pa17j3d

PENN = load("exp/pennaction/train_penn_multimodel.py")
BASELINE = load("exp/ntu/train_pose_baseline.py")
NTU = load("exp/ntu/train_ntu_spnet.py")


def parse(data, stage, *flags):
    return experiment.parse_multitask("", data, ["run", "--stage", stage, *flags])


@pytest.mark.parametrize(
    ("data", "stage", "expected"),
    [
        (PENN.Penn, "action", ("rmsprop", 1e-3, 2, [])),
        (PENN.Penn, "joint", ("rmsprop", 1e-3, 28, [14, 24])),
        (PENN.Penn, "pose-only", ("rmsprop", 1e-3, 28, [14, 24])),
        (NTU.NtuTasks, "action", ("sgd", 1e-2, 50, [])),
        (NTU.NtuTasks, "joint", ("sgd", 1e-3, 70, [39, 51])),
    ],
)
def test_the_recipes_are_the_originals(data, stage, expected):
    args = parse(data, stage)
    assert (args.optimizer, args.lr, args.epochs, args.lr_drops) == expected
    assert (args.batch_size, args.lr_factor) == (4, 0.1)


def test_weights_of_the_actions_and_momentum_are_the_originals():
    assert parse(PENN.Penn, "joint").action_weight == 0.01
    args = parse(NTU.NtuTasks, "joint")
    assert (args.action_weight, args.momentum) == (0.1, 0.9)
    assert experiment.optimizer(args).momentum == 0.9


def test_a_batch_of_the_baseline_is_what_the_data_sets_give():
    args = BASELINE.parse(["run"])
    assert BASELINE.samples(args) == {"mpii": 14, "h36m": 14, "penn": 2, "ntu": 2}
    assert args.batch_size == 32
    args = BASELINE.parse(["run", "--h36m-samples", "0", "--penn-samples", "4"])
    assert BASELINE.samples(args) == {"mpii": 14, "penn": 4, "ntu": 2}
    assert args.batch_size == 20


NOTHING = [flag for name in BASELINE.SAMPLES for flag in (f"--{name}-samples", "0")]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (NOTHING, "a batch must have samples of some data set"),
        (["--h36m-samples", "0", "--h36m-every", "9"], "--h36m-samples 0 takes none"),
    ],
)
def test_a_baseline_of_nothing_or_scored_on_nothing_is_refused(capsys, flags, message):
    with pytest.raises(SystemExit):
        BASELINE.parse(["run", *flags])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--mpii a", "--mpii is mixed in by --mpii-share: give that too"),
        ("--h36m a", "--h36m is mixed in by --h36m-share: give that too"),
        ("--h36m-share 0.5", "--h36m-share is a share of --h36m: give that too"),
        ("--h36m-every 9", "--h36m-every is of --h36m: give that too"),
        (
            "--mpii a --mpii-share 0.4 --h36m b --h36m-share 0.6",
            "be less than 1 together. Received: 0.4 and 0.6",
        ),
    ],
)
def test_a_mix_in_space_needs_folders_and_shares_that_leave_some(
    capsys, flags, message
):
    with pytest.raises(SystemExit):
        parse(NTU.NtuTasks, "joint", *flags.split())
    assert message in capsys.readouterr().err


def test_a_share_of_no_frame_of_a_clip_is_refused_by_what_sets_it():
    rule = r"a clip of poses must have frames of every data set \(--frames, shares\)"
    with pytest.raises(
        ValueError, match=rf"{rule}\. Received: 8 frames, shares \[0.95"
    ):
        experiment.shares(8, [1 - 0.05, 0.05], "--frames", "a clip of poses", "frames")


def test_momentum_is_of_sgd_alone(capsys):
    with pytest.raises(SystemExit):
        parse(PENN.Penn, "joint", "--momentum", "0.5")
    expected = "--momentum is of sgd. Received: --optimizer rmsprop"
    assert expected in capsys.readouterr().err
    assert parse(PENN.Penn, "joint").momentum is None
    assert parse(PENN.Penn, "joint", "--optimizer", "sgd").momentum == 0.95
    flags = ("--optimizer", "sgd", "--momentum", "0.5")
    assert parse(PENN.Penn, "joint", *flags).momentum == 0.5


@pytest.mark.parametrize("flags", [(), ("--batch-size", "8")])
def test_an_epoch_of_penn_has_the_steps_of_the_original(flags, caplog):
    args = parse(PENN.Penn, "joint", *flags)
    sets = PENN.Penn(args, experiment.default_settings("penn_spnet"))
    sets.mpii = types.SimpleNamespace(get_length=lambda mode: 22246)
    assert sets.steps(4) == 22246 // 6
    with caplog.at_level("INFO"):
        assert sets.steps(8) == 22246 // 12
    assert "[12] a step of 8 clips (0.8 x 8 by 4 clips)" in caplog.text
    assert sets.steps(1) == 22246


@pytest.mark.parametrize(
    ("stage", "flag"), [("pose-only", "--action-weight"), ("action", "--loss")]
)
def test_flags_of_another_stage_are_unknown(capsys, stage, flag):
    with pytest.raises(SystemExit):
        parse(PENN.Penn, stage, flag, "1")
    assert f"unrecognized arguments: {flag} 1" in capsys.readouterr().err


def test_the_stage_action_needs_weights(tmp_path):
    with pytest.raises(ValueError, match="action needs --pose-weights or --weights"):
        PENN.main([str(tmp_path / "run"), "--stage", "action"])


class Numbers:
    """Samples that hold their key."""

    def get_length(self, mode):
        return 40

    def get_shape(self, dictkey):
        return (1,)

    def get_data(self, key, mode):
        return {"frame": np.array([key]), "pose": np.array([-key])}


def test_a_batch_of_clips_groups_the_frames_of_as_many_batches():
    flags = {"seed": 3, "strict": True, "processes": 0}
    run = types.SimpleNamespace(args=argparse.Namespace(**flags))
    make = experiment.TrainingRun.loader
    (clips,), poses = make(run, [Numbers()], [4], counts=2, clips=3).get_batch(1, 2)
    assert clips.shape == (3, 4, 1) and len(poses) == 2
    np.testing.assert_array_equal(poses[1], -clips)
    frames = BatchLoader(
        [Numbers()], ["frame"], ["pose"], TRAIN_MODE, batch_size=[4], seed=3
    )
    expected = [frames.get_batch(1, number)[0][0] for number in (6, 7, 8)]
    np.testing.assert_array_equal(clips, expected)


def test_a_checkpoint_holds_what_no_part_of_the_network_trains():
    x = keras.Input((2,))
    one, other = keras.layers.Dense(1)(x), keras.layers.Dense(3)(x)
    network, part = keras.Model(x, [one, other]), keras.Model(x, one)
    part.compile("sgd", "mse")
    few, all_of_it = (Progress([part], [], 1, None, n) for n in (None, network))
    assert len(all_of_it.state()[0]) == len(few.state()[0]) + 2
    saved = types.SimpleNamespace(
        **dict(zip(("arrays", "record"), all_of_it.state(), strict=True))
    )
    before = network.get_weights()
    network.set_weights([w + 1 for w in before])
    all_of_it.restore(saved)
    for ours, theirs in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_pose_in_space_is_scored_in_the_picture_by_its_first_16_joints():
    joints = np.arange(2 * 3 * 17 * 4, dtype=float).reshape(2, 3, 17, 4)
    found = experiment.in_layout(lambda crops: joints, pa17j3d, pa16j2d)(None)
    np.testing.assert_array_equal(found, joints[:, :, :16, [0, 1, 3]])


def test_a_pose_without_all_of_the_16_joints_is_not_scored_as_if_it_had_them():
    with pytest.raises(ValueError, match="pa16j2d of coco17j, which has not: .*pelvis"):
        experiment.in_layout(lambda crops: crops, coco17j, pa16j2d)


def test_several_scores_are_one_and_the_first_tells_the_best_epoch():
    scorers = {"pckh": None, "mpjpe": lambda _: {"mpjpe": 9.0, "frames": 2}}
    scorers["accuracy"] = lambda _: {"accuracy": 0.5}
    score, figure, mode = experiment.join_scorers(scorers)
    assert (figure, mode) == ("mpjpe", "min")
    found = score(None)
    assert [*found] == ["mpjpe", "accuracy", "scores"]
    assert found["scores"]["mpjpe"] == {"mpjpe": 9.0, "frames": 2}
    assert experiment.join_scorers({"pckh": None})[0] is None
