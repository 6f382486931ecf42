"""Results of evaluations as files: small evaluation.json of every kind."""

import json

import numpy as np

from deephar.evaluation.action import ActionPredictions, score_actions
from deephar.evaluation.tables import GROUPS

MD5 = "d6b85ba4b8a3fc9d05c8ad73f763d999"


def receipt(evaluation, network, **changes):
    """A receipt in the form of `experiment.receipt`, on the owners' data."""
    return {
        "command": f"python exp/eval.py runs/{network} --weights w.h5",
        "date": "2026-03-02T10:00:00+00:00",
        "data": "datasets/X",
        "origin": "owners",
        "other_settings": {},
        "published": None,
        "weights": "w.h5",
        "weights_md5": MD5,
        "evaluation": evaluation,
        "network": network,
        **changes,
    }


def mpii(network="mpii", pckh=0.88, **changes):
    """Scores of `score_pckh`; the hip is 0.9, every other joint 0.8."""
    joints = {joint: 0.8 for members in GROUPS.values() for joint in members}
    joints |= {"pelvis": 0.5, "thorax": 0.6, "r_hip": 0.85, "l_hip": 0.95}
    known = {"looking": "1 crop", **changes}
    return {
        "receipt": receipt("mpii", network, **known),
        "threshold": 0.5,
        "per_joint": joints,
        "pckh": pckh,
        "pckh_original": pckh + 0.01,
        "pckh_best_block": pckh + 0.02,
    }


def human36m(network="human36m", error=60.0, actions=("Eating", "Walking"), **changes):
    """Scores of `score_mpjpe`; as the original counts 2 mm less."""
    figures = {"mpjpe": error, "mpjpe_original": error - 2, "p_mpjpe": error - 15}
    known = {"looking": "1 crop", "frames": "one in 64", **changes}
    return {
        "receipt": receipt("human36m", network, **known),
        "per_action": {
            name: {key: value + 3 * i for key, value in figures.items()}
            for i, name in enumerate(actions)
        },
        "actions_mean": {key: value + 1 for key, value in figures.items()},
        **figures,
    }


def actions(network="penn", outputs=("p1", "v1", "m"), multi_clip=False, **changes):
    """Scores of `score_actions` of four videos: the last output is right in three."""
    right = np.arange(4) < np.arange(4 - len(outputs), 4)[:, None]
    truth = np.array([0, 0, 1, 1])
    answers = np.where(right, truth, 1 - truth)
    scores = np.log(np.where(np.eye(2)[answers] > 0, 0.9, 0.1))
    found = ActionPredictions(
        names=outputs,
        labels=("wave", "jump"),
        videos=tuple("abcd"),
        actions=truth,
        scores=scores,
        products=np.exp(scores),
        seen=np.full(4, True),
        readable=np.full(4, True),
        too_short=np.array([True, False, False, False]),
        clips=np.ones(4, int),
        unboxed=np.zeros(4, int),
        errors={},
        multi_clip=multi_clip,
        flip=multi_clip,
    )
    known = {"boxes": "truth", "steps": [2], "recipe_step": 2, **changes}
    return {**score_actions(found), "receipt": receipt(network, network, **known)}


def multitask(kind="penn", pose=None, **changes):
    """Both tasks: actions by one clip, and poses if they are given; no many clips."""
    outputs = ("act1_a0", "act2_a0")
    known = {"boxes": "truth", "steps": [6], "recipe_step": 6, **changes}
    known = {"frames": "one in 64", **known}
    network = f"{kind}_spnet"
    return {
        "receipt": receipt(f"{kind}_multitask", network, **known),
        "actions": actions(network, outputs),
        "actions_multi_clip": None,
        "pose": pose,
    }


def speed(cuts=3, **changes):
    """Cuts whose last half predict actions; the later, the slower and the better."""
    known = receipt("speed2d", "penn_spnet", **changes)
    rows = []
    for i in range(1, cuts + 1):
        action = f"act{i}_a0" if i > cuts // 2 else None
        rows.append(
            {
                "prediction": i,
                "pose": f"dp1_pb{i}",
                "action": action,
                "frames_per_second": 60 / i,
                "ms_per_frame": 1000 * i / 60,
                "ms_per_frame_quartiles": [1000 * i / 61, 1000 * i / 59],
                "parameters": 100000 * i,
                "pckh": 0.5 + 0.1 * i,
                "accuracy": 0.4 + 0.1 * i if action else None,
            }
        )
    more = {"batch_size": 2, "repeats": 5, "device": "two CPU cores"}
    return {"receipt": known, "cuts": rows, **more}


def write(folder, scores):
    """Writes scores as a run folder's evaluation.json, and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "evaluation.json"
    path.write_text(json.dumps(scores))
    return path
