"""The flags of temporal lifting are VideoPose3D's."""

import argparse
import re

import pytest

from deephar.experiment import (
    EVALUATE_LIFTING,
    RENDER_LIFTING,
    TRAIN_LIFTING,
    lifting_parser,
    parse_lifting,
)
from deephar.experiment.lifting_flags import flag_of

DEFAULTS = """
-d --dataset h36m
-k --keypoints cpn_ft_h36m_dbb
-str --subjects-train ('S1', 'S5', 'S6', 'S7', 'S8')
-ste --subjects-test ('S9', 'S11')
-sun --subjects-unlabeled ()
-a --actions ('*',)
-c --checkpoint checkpoint
--checkpoint-frequency 10
-r --resume None
--evaluate None
--render False
--by-subject False
--no-eval False
--export-training-curves False
-arc --architecture (3, 3, 3)
-ch --channels 1024
-drop --dropout 0.25
--causal False
--dense False
--disable-optimizations False
-s --stride 1
-e --epochs 60
-b --batch-size 1024
-lr --learning-rate 0.001
-lrd --lr-decay 0.95
-no-da --no-data-augmentation False
-no-tta --no-test-time-augmentation False
--warmup 1
--subset 1.0
--downsample 1
--linear-projection False
--no-bone-length False
--no-proj False
--viz-subject None
--viz-action None
--viz-camera 0
--viz-video None
--viz-skip 0
--viz-output None
--viz-export None
--viz-bvh None
--viz-bitrate 3000
--viz-no-ground-truth False
--viz-limit None
--viz-downsample 1
--viz-size 5
"""


@pytest.fixture(scope="module")
def parser():
    return lifting_parser("text")


def _parse(parser, line, task=None):
    return parse_lifting(parser, line.split(), task)


def _refused(parser, capsys, line, task=None):
    with pytest.raises(SystemExit):
        _parse(parser, line, task)
    return capsys.readouterr().err.split("error: ")[1]


def test_every_flag_of_the_original_is_there_with_its_default(parser):
    args = vars(_parse(parser, ""))
    known = {name: one for one in parser._actions for name in one.option_strings}
    for line in DEFAULTS.strip().splitlines():
        names = re.findall(r"^(-\S+)(?: (--\S+))?", line)[0]
        value = line.split(names[1] or names[0])[1].strip()
        dests = {known[name].dest for name in names if name}
        assert len(dests) == 1
        assert str(args[dests.pop()]) == value, line


def test_short_flags_that_begin_alike_are_told_apart(parser):
    args = _parse(parser, "-s 3 -str S1 -ste S5 -sun S6 -e 2 -lr 0.1 -lrd 0.5 -d h36m")
    assert (args.stride, args.epochs, args.learning_rate, args.lr_decay) == (
        *(3, 2, 0.1, 0.5),
    )
    assert args.subjects_train == ("S1",) and args.subjects_test == ("S5",)
    assert args.subjects_unlabeled == ("S6",) and args.task == TRAIN_LIFTING


@pytest.mark.parametrize(
    ("line", "task"),
    [
        (
            "-k cpn_ft_h36m_dbb -arc 3,3,3,3,3 -c checkpoint --evaluate "
            "pretrained_h36m_cpn.bin",
            EVALUATE_LIFTING,
        ),
        (
            "-d humaneva15 -k detectron_pt_coco -str Train/S1,Train/S2,Train/S3 -ste "
            "Validate/S1,Validate/S2,Validate/S3 -c checkpoint --evaluate x.bin -a "
            "Walk,Jog,Box --by-subject",
            EVALUATE_LIFTING,
        ),
        ("-e 80 -k cpn_ft_h36m_dbb -lrd 0.95 -arc 3,3,3,3,3", TRAIN_LIFTING),
        (
            "-k gt --subjects-train S1 --subset 0.1 --subjects-unlabeled S5,S6,S7,S8 "
            "-e 200 -lrd 0.98 -arc 3,3,3,3,3 --warmup 5 -b 64",
            TRAIN_LIFTING,
        ),
        (
            "-d custom -k mine -arc 3,3,3,3,3 -c checkpoint --evaluate x.bin --render "
            "--viz-subject a.mp4 --viz-action custom --viz-camera 0 --viz-video a.mp4 "
            "--viz-output b.mp4 --viz-size 6 --viz-limit -1",
            RENDER_LIFTING,
        ),
    ],
)
def test_command_lines_of_the_original_are_understood(parser, line, task):
    assert _parse(parser, line).task == task


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-r a --evaluate b", "--resume --evaluate"),
        ("-r a --overwrite", "goes on or starts anew"),
        ("-r= -str=", "--subjects-train must name a subject"),
        ("--no-eval --export-training-curves", "--export-training-curves --no-eval"),
        ("--dense --disable-optimizations", "no faster form"),
        ("-s 3 --disable-optimizations", "--stride --disable-optimizations"),
        ("-s 9 -b 8", "--batch-size 8 --stride 9"),
        ("--warmup 2", "semi-supervised training: add -sun. Received: --warmup"),
        ("--no-proj", "add -sun"),
        ("-sun S2 --warmup 60", "--epochs 60 --warmup 60"),
        ("-sun S2 --no-proj --no-bone-length", "learned .* --no-proj --no-bone-length"),
        ("-str=", "--subjects-train must name a subject"),
        ("-sun S9", "--subjects-unlabeled .* Received: S9"),
        ("-ste=", "--subjects-test must name a subject"),
        ("--viz-size 3", "--viz-size belongs to rendering: add --render"),
        ("--evaluate a -b 3", "--batch-size belongs to training"),
        ("--evaluate a --viz-limit 3", "--viz-limit belongs to rendering"),
        ("--render", "--render needs --evaluate, --viz-subject, --viz-action"),
        (
            "--render --evaluate a --viz-subject b --viz-action c",
            "needs --viz-output, --viz-export or --viz-bvh",
        ),
        (
            "--render --evaluate a --viz-subject b --viz-action c --viz-export d -a e",
            "--actions belongs to training and evaluation",
        ),
        (
            "--render --evaluate a --viz-subject b --viz-action c --viz-bvh d "
            "--viz-size 3",
            "of the drawing: add --viz-output. Received: --viz-size",
        ),
        (
            "--render --evaluate a --viz-subject b --viz-action c --viz-output d.gif "
            "--viz-bitrate 9",
            "a GIF has no bit rate. Received: --viz-bitrate 9 --viz-output d.gif",
        ),
        ("-arc 3,2", "must be odd numbers .* Received: 3,2"),
        ("-arc 3,", "must be odd numbers"),
        ("-str S1,S1", "must be different names"),
        ("--subset 1.5", "must be at most 1. Received: 1.5"),
        ("--viz-limit 0", "at least 1"),
        ("--epoch 3", "unrecognized arguments: --epoch"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(parser, capsys, line, reason):
    assert re.search(reason, _refused(parser, capsys, line))


def test_a_script_of_one_task_takes_no_other(parser, capsys):
    assert "--evaluate names" in _refused(parser, capsys, "-k gt", EVALUATE_LIFTING)
    line = "--evaluate a --viz-subject b --viz-action c --viz-output d.mp4"
    assert _parse(parser, line, RENDER_LIFTING).task == RENDER_LIFTING
    text = _refused(parser, capsys, line + " --render", EVALUATE_LIFTING)
    assert "nothing is drawn" in text


def test_weights_may_be_another_name_of_evaluate():
    parser = lifting_parser("text", evaluate_flags=["--weights"])
    assert isinstance(parser, argparse.ArgumentParser)
    assert _parse(parser, "--weights a").evaluate == "a"
    assert flag_of("no_proj") == "--no-proj"
