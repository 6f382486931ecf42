import argparse
import re

import numpy as np
import pytest
from PIL import Image
from scripts import read_json
from test_action_report import cells

from deephar.evaluation import action_report
from deephar.evaluation.action import ActionPredictions, score_actions
from deephar.evaluation.multitask_report import multitask_page
from deephar.evaluation.pose import PosePredictions, score_pckh
from deephar.evaluation.report import block_table
from deephar.experiment import recognition
from deephar.utils import pa16j2d

NAMES = ("act1_a0", "act2_a0")


def _actions(many=False):
    """Two videos, the second too short: the first output is wrong on both."""
    scores = np.log([[[0.1, 0.9], [0.9, 0.1]], [[0.9, 0.1], [0.1, 0.9]]])
    seen = np.array([True, not many])
    found = ActionPredictions(
        names=NAMES,
        labels=("wave", "jump"),
        videos=("a", "b"),
        actions=np.array([0, 1]),
        scores=scores,
        products=np.exp(scores),
        seen=seen,
        readable=np.full(2, True),
        too_short=np.array([False, True]),
        clips=np.array([3, 1]),
        unboxed=np.zeros(2, int),
        errors={},
        multi_clip=many,
        flip=many,
    )
    return score_actions(found)


def _poses():
    """Nobody's joints, all of them where they are."""
    truth = np.random.default_rng(0).uniform(0, 100, (2, 16, 2))
    return score_pckh(
        PosePredictions(
            poses=np.stack([truth + 50, truth]),
            confidence=np.ones((2, 2, 16)),
            truth=truth,
            truth_inside=truth,
            head_size=np.full((2, 1), 10.0),
            readable=np.full(2, True),
            errors={},
        ),
        pa16j2d,
    )


def _scores(**parts):
    receipt = {"evaluation": "penn_multitask", "data": {"penn": "here"}}
    absent = dict.fromkeys(("actions", "actions_multi_clip", "pose"))
    return {"receipt": receipt, **absent, **parts}


def test_the_last_action_of_spnet_stands_beside_the_paper_and_the_best():
    rows = cells(action_report.accuracy_table(_actions(), 0.98))
    last = ["pose and appearance (act2_a0)", "50.0", "100.0", "100.0", "98.0"]
    assert rows[1:] == [
        last,
        ["best output on these videos", "-", "-", "100.0", "98.0"],
    ]
    assert [row[0] for row in cells(action_report.output_table(_actions()))[1:]] == [
        *NAMES
    ]


def test_blocks_are_called_by_the_names_of_the_outputs_where_there_are_any():
    scores = _poses()
    assert [row[0] for row in cells(block_table(scores))[1:]] == ["1", "2"]
    rows = cells(block_table(scores | {"block_names": ["dp1_pb1", "up2_pb2"]}))
    assert rows[1:] == [
        ["1 (dp1_pb1)", "0.0", "0.0"],
        ["2 (up2_pb2)", "100.0", "100.0"],
    ]


def test_the_page_has_both_ways_of_looking_and_the_poses(tmp_path):
    both = {"actions": _actions(), "actions_multi_clip": _actions(True)}
    parts = multitask_page(tmp_path, _scores(**both, pose=_poses()))
    assert all(parts) and parts[0] == "# Actions and poses: Penn Action"
    text = "\n".join(parts)
    assert "2 videos, one clip each; 4 clips in all." in text
    assert "2 videos, many clips each, also mirrored" in text
    assert "2 people; 0 with unreadable pictures" in text
    pictures = set(re.findall(r"\((\w+\.png)\)", text))
    assert pictures == {path.name for path in tmp_path.glob("*.png")}
    assert len(pictures) == 4
    with Image.open(tmp_path / "outputs_multi_clip.png") as picture:
        orange = np.asarray(picture.convert("RGB")) == (255, 127, 14)
    assert orange.all(axis=-1).sum() > 100


@pytest.mark.parametrize("kind, flag", [("penn", "--mpii"), ("ntu", "--h36m")])
def test_the_page_says_what_was_not_scored(tmp_path, kind, flag):
    scores = _scores(actions=_actions())
    scores["receipt"]["evaluation"] = f"{kind}_multitask"
    text = "\n".join(multitask_page(tmp_path, scores))
    assert "Not scored: --clips leaves them out." in text
    assert f"Not scored: {flag} names no folder." in text


def test_scores_are_kept_when_a_picture_cannot_be_drawn(tmp_path):
    args = argparse.Namespace(logdir=str(tmp_path), weights="w.h5", report=False)

    def draw(folder):
        raise ValueError("no such font")

    with pytest.raises(ValueError, match="font"):
        recognition.finish_actions(args, {"accuracy": 0.5}, draw, None, None, None, {})
    assert read_json(tmp_path, "evaluation.json") == {"accuracy": 0.5}
