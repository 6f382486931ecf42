"""The scripts of own data as a user calls them: poses, actions, evaluation, predict."""

import json

import numpy as np
import pytest
import tiny_custom
from scripts import load, read_json
from weight_files import write_tiny_network

from deephar.commands.predict import main as predict
from deephar.evaluation.custom import score_custom
from deephar.evaluation.pose import PosePredictions
from deephar.evaluation.results import read_result
from deephar.inference.schema import validate
from deephar.networks.known_weights import known_settings

TRAIN = load("exp/custom/train_pose.py")
ACTION = load("exp/custom/train_action.py")
EVALUATE = load("exp/custom/eval.py")
SHORT = ("--epochs", "1", "--verbose", "0", "--workers", "1", "--batch-size", "2")
SMALL = ("--size", "32", "--blocks", "1", "--ksize", "3", "--steps-per-epoch", "1")
SMALL += ("--stem", "vgg16", "--context", "0")
STAGE = (*SHORT, "--frames", "4", "--no-augmentation", "--steps-per-epoch", "1")
LAST = "weights_last.weights.h5"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data.json, and a training of poses and of actions in runs."""
    folder = tmp_path_factory.mktemp("own")
    content = tiny_custom.content()
    content["layout"]["sigmas"] = [0.05, 0.1, 0.1, 0.05]
    late = tiny_custom.clip("late", 5, "valid", action="sit")
    for frame in late["frames"]:
        frame["file"] = "images/2.png"
    content["clips"].append(late)
    tiny_custom.write_tiny_custom(folder, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        TRAIN.main(["runs/pose", "--data", "data.json", *SMALL, *SHORT])
        poses = ("--pose-weights", f"runs/pose/{LAST}", "--frozen-features")
        where = ("--stage", "action", "--data", "data.json")
        ACTION.main(["runs/action", *where, *poses, *STAGE])
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def test_a_training_keeps_the_datas_layout(here):
    settings = read_json("runs/pose/model.json")
    assert (settings["network"], settings["size"]) == ("mpii", 32)
    layout = tiny_custom.LAYOUT
    assert settings["layout"]["joints"] == layout["joints"]
    assert settings["layout"]["flips"] == layout["flips"]
    scores = read_json("runs/pose/scores.json")["1"]
    assert set(scores["per_joint"]) == set(layout["joints"])
    assert scores["by_head"]["people"] == scores["samples"]
    assert 0 <= scores["by_sigmas"]["oks75"] <= scores["by_sigmas"]["oks50"] <= 1


def test_a_training_of_actions_keeps_joints_actions_and_a_step(here):
    settings = read_json("runs/action/model.json")
    assert settings["layout"]["joints"] == tiny_custom.LAYOUT["joints"]
    assert (settings["actions"], settings["classes"]) == (2, "jump,sit")
    assert settings["step"] == 2  # spans of 4, 7 and 12 frames, looked at through 4
    assert read_json("runs/action/scores.json")["1"]["videos"] == 1


def test_predict_finds_joints_by_the_model_json(here, capsys):
    found = ["images/2.png", "--weights", f"runs/pose/{LAST}", "--out", "runs/seen"]
    predict([*found, "--detector", "whole", "--confidence", "0"])
    layout = read_json("runs/seen/2.json")["layout"]
    assert layout["joint_names"] == tiny_custom.LAYOUT["joints"]


def test_poses_and_actions_are_scored(here, capsys):
    where = ("--data", "data.json", "--workers", "1")
    EVALUATE.main(["runs/a", "--weights", f"runs/pose/{LAST}", *where, "--report"])
    told = capsys.readouterr().out
    for text in ("PCK@0.2 of the box", "PCKh@0.5 (%), people:", "OKS by the layout's"):
        assert text in told
    scores = read_json("runs/a/evaluation.json")
    assert scores["receipt"]["other_settings"]["layout"] == "cross"
    assert read_result("runs/a/evaluation.json") == []
    action = ("--weights", f"runs/action/{LAST}")
    EVALUATE.main(["runs/b", *action, *where])
    assert "| jump" in capsys.readouterr().out
    EVALUATE.main(["runs/c", *action, *where, "--task", "poses"])
    mine = read_json("runs/c/evaluation.json")["receipt"]["part"]
    assert mine == "valid"


def test_the_stage_all_teaches_joints_and_actions_that_weights_have_not(here):
    content = tiny_custom.content()
    content["layout"]["joints"] = ["top", "left_end", "right_end", "root"]
    text = json.dumps(content).replace('"foot"', '"root"').replace('"sit"', '"lie"')
    (here / "other.json").write_text(text)
    where = ("--stage", "all", "--data", "other.json")
    ACTION.main(["runs/all", *where, "--weights", f"runs/action/{LAST}", *STAGE[:-2]])
    settings = read_json("runs/all/model.json")
    assert settings["classes"] == "jump,lie"
    kept = {one.partition(" ")[2] for one in settings["replaced"]}
    assert kept == {"(kept 3 of 4 joints)", "(kept 1 of 2 actions)"}
    assert "replaced" not in known_settings(f"runs/all/{LAST}", "penn")[1]
    args = [f"runs/all/{LAST}", "--data", "data.json"]
    with pytest.raises(ValueError, match="must have the actions of .*jump, lie. Recei"):
        EVALUATE.main(["runs/d", "--weights", *args])


def test_a_training_goes_on_with_its_own_joints_alone(here):
    again = ["runs/pose", "--resume", "--epochs", "2", "--verbose", "0"]
    content = tiny_custom.content()
    text = json.dumps(content).replace('"foot"', '"root"')
    (here / "turned.json").write_text(text)
    with pytest.raises(ValueError, match="must have the joints of runs/pose, top, lef"):
        TRAIN.main([*again, "--data", "turned.json"])


def test_what_does_not_go_together_is_refused(here):
    pose = ["--weights", f"runs/pose/{LAST}", "--data", "data.json"]
    with pytest.raises(ValueError, match="--task actions needs a network of actions"):
        EVALUATE.main(["runs/e", *pose, "--task", "actions"])
    with pytest.raises(ValueError, match="--refine are for --task poses"):
        weights = ["--weights", f"runs/action/{LAST}", "--data", "data.json"]
        EVALUATE.main(["runs/e", *weights, "--multi-crop"])
    with pytest.raises(ValueError, match="human36m finds joints in 3D"):
        TRAIN.main(["runs/f", "--data", "data.json", "--network", "human36m", *SHORT])
    with pytest.raises(ValueError, match="--stage action needs --pose-weights"):
        ACTION.main(["runs/g", "--stage", "action", "--data", "data.json", *SHORT])


def test_weights_that_are_not_there_are_told_before_anything_is_done(here):
    data = ("--data", "no_such_data.json")
    with pytest.raises(FileNotFoundError, match="smal_pose: is neither a file nor the"):
        EVALUATE.main(["runs/h", "--weights", "smal_pose", *data])
    with pytest.raises(FileNotFoundError, match=r"none.weights.h5: is neither a file"):
        TRAIN.main(["runs/h", "--weights", "none.weights.h5", *data, *SHORT])
    with pytest.raises(FileNotFoundError, match="runs/pose: is neither a file nor the"):
        where = ("--stage", "action", "--pose-weights", "runs/pose")
        ACTION.main(["runs/h", *where, *data, *SHORT])
    assert not (here / "runs/h").exists()


def test_joints_in_space_need_no_links(tmp_path, monkeypatch):
    content = tiny_custom.content()
    content["layout"] |= {"dim": 3, "links": []}
    deep = {name: [0, 10, 3000 + 50 * z] for z, name in enumerate(tiny_custom.JOINTS)}
    for picture in content["pictures"]:
        picture["people"][0]["joints_3d"] = deep
    data = tiny_custom.write_tiny_custom(tmp_path, content)
    shape = {"size": 32, "blocks": 1, "ksize": 3, "stem": "vgg16", "depth_maps": 4}
    weights = write_tiny_network(
        tmp_path, "human36m", layout=content["layout"], **shape
    )
    # What has learned nothing finds people of a few px.
    monkeypatch.setattr("deephar.inference.people.LEAST_EXTENT", 0)
    args = [f"{tmp_path}/images/2.png", "--weights", f"{weights}", "--confidence", "0"]
    predict([*args, "--detector", "whole", "--out", f"{tmp_path}/seen"])
    found = read_json(tmp_path / "seen/2.json")
    validate(found)
    assert set(found["frames"][0]["people"][0]["pose_3d"]["joints"]) == set(deep)
    args = ["--data", f"{data}", "--weights", f"{weights}", "--workers", "1"]
    EVALUATE.main([f"{tmp_path}/scored", *args, "--report"])
    report = (tmp_path / "scored/report.html").read_text(encoding="utf-8")
    assert "Poses in space" in report and report.count('class="pose3d"') == 1


def test_heads_and_sigmas_are_scored_where_they_are_known():
    truth = np.array([[[0.0, 0.0], [10.0, 0.0]]] * 2)
    poses = truth + np.array([3.0, 0.0])
    found = PosePredictions(
        poses=poses[None],
        confidence=np.ones((1, 2, 2)),
        truth=truth,
        truth_inside=truth,
        head_size=np.array([[6.0], [np.nan]]),
        readable=np.ones(2, bool),
        errors={},
    )

    class People:
        class poselayout:
            num_joints, joint_names, sigmas = 2, ["a", "b"], [0.1, 0.05]

        people = [type("One", (), {"box": (0, 0, 10, 40)})] * 2

        @staticmethod
        def box_sides():
            return np.array([40.0, 10.0])

    scores = score_custom(found, People)
    assert scores["pck"] == 0.5 and scores["by_head"]["people"] == 1
    assert scores["by_head"]["pckh"] == 1  # 3 px are half a head
    oks = np.mean(np.exp([-9 / (2 * 400 * 0.2**2), -9 / (2 * 400 * 0.1**2)]))
    np.testing.assert_allclose(scores["by_sigmas"]["oks"], oks)
    assert scores["by_sigmas"]["oks50"] == (oks >= 0.5)
