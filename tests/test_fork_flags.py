"""The scripts of the fork's networks take the flags that its users type.

The table was read off the fork's source (pminhtam/2D-3D_Multitask_Deep_Learning).
"""

import re

import pytest
from scripts import REPOSITORY, load

from deephar.experiment import FORK_FLAGS

PEOPLE = {
    "--num-block": ("blocks", "2", 2),
    "--batch-size": ("batch_size", "3", 3),
    "--epochs": ("epochs", "4", 4),
    "--num-joints": ("num_joints", "16", 16),
    "--log-dir": ("logdir", "runs/x", "runs/x"),
    "--anno-path": ("anno_path", "a.json", "a.json"),
    "--image-path": ("image_path", "images", "images"),
    "--weights-path": ("weights", "w.h5", "w.h5"),
}
SHARED = ("--num-block", "--batch-size", "--epochs", "--num-joints", "--anno-path")
VIDEO = {
    **{flag: PEOPLE[flag] for flag in SHARED},
    "--num-frames": ("frames", "4", 4),
    "--learning-rate": ("lr", "0.5", 0.5),
    "--num-actions": ("actions", "5", 5),
    "--val-anno-path": ("val_anno_path", "b.json", "b.json"),
    "--weights-pose-path": ("pose_weights", "p.h5", "p.h5"),
    "--weights-action-path": ("weights", "w.h5", "w.h5"),
}
FORK = {
    "exp/coco/train_coco_singleperson.py": PEOPLE,
    "exp/merl/train_merl_singleperson.py": PEOPLE,
    "exp/merl/train_merl_video.py": VIDEO,
    "exp/merl/val_merl_video.py": {
        "--weights-file": ("weights", "w.h5", "w.h5"),
        "--num-frames": ("frames", "4", 4),
        "--num-actions": ("actions", "5", 5),
        "--log-dir": ("logdir", "runs/x", "runs/x"),
        "--label-path": ("val_anno_path", "l.json", "l.json"),
    },
}
NEEDED = {"exp/merl/val_merl_video.py": ["--weights", "first.h5"]}
OTHER_NAMES = {
    "exp/merl/train_merl_video.py": {"--weights": "--weights-action-path"},
}
SCRIPTS = [
    path.relative_to(REPOSITORY).as_posix()
    for folder in ("coco", "merl")
    for path in sorted((REPOSITORY / "exp" / folder).glob("*.py"))
    if "parse(" in path.read_text("utf-8") and path.stem != "read_bboxdata"
]
NAMED = [*SCRIPTS, "exp/pennaction/predict_one_video.py"]


@pytest.mark.parametrize("script", FORK)
def test_a_flag_of_the_fork_sets_what_it_says(script):
    parse = load(script).parse
    needed = NEEDED.get(script, [])
    for flag, (name, text, value) in FORK[script].items():
        assert vars(parse([*needed, flag, text]))[name] == value, flag


@pytest.mark.parametrize("script", NAMED)
def test_flags_have_the_names_of_the_fork_wherever_they_are(script, capsys):
    with pytest.raises(SystemExit):
        load(script).parse(["--help"])
    flags = set(re.findall(r"(?<!\S)--[a-z-]+", capsys.readouterr().out))
    names = FORK_FLAGS | OTHER_NAMES.get(script, {}) | {"--seed": "--log-dir"}
    lacking = {ours for ours, fork in names.items() if {ours, fork} & flags == {ours}}
    assert not lacking


def test_all_scripts_are_looked_at():
    assert len(SCRIPTS) == 11
