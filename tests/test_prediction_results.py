"""Results of predictions as values and as plain numbers."""

import json

import numpy as np

from deephar.inference import Action, FramePrediction, Person, Pose, Pose3D
from deephar.utils.pose import (
    pa17j3d,
)

POSE = Pose(np.array([[1.234, np.nan]]), np.array([0.51239]), (0, 0, 2, 2), ("head",))
ACTION = Action(
    ("sit", "stand"),
    {"p1": np.array([0.7, 0.3]), "m": np.array([0.25, 0.75])},
    *("m", (3, 10)),
)


def test_a_pose_becomes_numbers_and_what_is_not_finite_null():
    joint = {"x": 1.23, "y": None, "confidence": 0.5124}
    assert json.loads(POSE.to_json()) == {
        "box": [0, 0, 2, 2],
        "joints": {"head": joint},
    }


def test_an_action_answers_by_the_output_that_counts():
    assert (ACTION.answer, ACTION.score) == ("stand", 0.75)
    assert ACTION.to_dict() == {
        "answer": "stand",
        "score": 0.75,
        "output": "m",
        "frames": [3, 10],
        "labels": ["sit", "stand"],
        "scores": {"p1": [0.7, 0.3], "m": [0.25, 0.75]},
    }


def test_a_frame_holds_its_people_and_what_is_not_known_is_none():
    person = Person(POSE, (1, 2, 3, 4), id=np.int64(7), action=ACTION)
    found = FramePrediction("a.mp4", 2, 1 / 3, (np.int64(64), 48), (person,))
    frame = json.loads(found.to_json())
    assert (frame["number"], frame["time"], frame["size"]) == (2, 0.333333, [64, 48])
    assert frame["error"] is None
    (someone,) = frame["people"]
    assert (someone["id"], someone["score"], someone["pose_3d"]) == (7, None, None)
    assert someone["action"]["answer"] == "stand"


def test_a_window_is_2250_mm_wide_at_the_root_of_a_3d_pose():
    joints = np.tile([100.0, 50.0, 10.0], (17, 1))
    joints[3] += (40.0, -20.0, 120.0)
    pose = Pose3D.of_picture(joints, pa17j3d, width=90.0)
    np.testing.assert_allclose(pose.joints[0], 0)
    np.testing.assert_allclose(pose.joints[3], (1000, -500, 120))
    assert pose.to_dict()["joints"]["head"] == [1000.0, -500.0, 120.0]
    assert pose.layout is pa17j3d and not pose.placed
