"""SPNets on own data: the stages of actions, from weights of other actions and poses.

What `train_action.py` does with merged networks is in test_custom_scripts.py.
"""

import json

import h5py
import pytest
import tiny_custom
from scripts import load, read_json
from weight_files import write_tiny_network

from deephar.commands.described_weights import describe_weights

ACTION = load("exp/custom/train_action.py")
EVALUATE = load("exp/custom/eval.py")
SHAPE = {"size": 32, "pyramids": 1, "levels": 2, "growth": 8, "image_div": 4}
SHAPE |= {"ksize": 3}
CLIPS = {"frames": 4, "action_pyramids": "1", "replica": "no"}
CLIPS |= {"pose_features": 16, "visual_features": 16, "pyramids": 1}
BEGUN = ["--network", "penn_spnet", "--pose-weights", "pose/w.weights.h5"]
BEGUN += [f"--{name.replace('_', '-')}={value}" for name, value in CLIPS.items()]
ONCE = ("--epochs", "1", "--steps-per-epoch", "1", "--batch-size", "2")
ONCE += ("--no-augmentation", "--verbose", "0", "--workers", "1")
OTHERS, LAST = ("--data", "others.json"), "weights_last.weights.h5"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data of two kinds, an SPNet of poses, and runs of two stages."""
    folder = tmp_path_factory.mktemp("own_spnet")
    content = tiny_custom.content()
    text = json.dumps(content).replace('"jump"', '"lie"')
    content["clips"] = [one for one in content["clips"] if one["name"] == "two"]
    tiny_custom.write_tiny_custom(folder, content)
    (folder / "others.json").write_text(text)
    (folder / "pose").mkdir()
    write_tiny_network(folder / "pose", "mpii_spnet", **SHAPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        ACTION.main(["runs/action", "--stage", "action", *OTHERS, *BEGUN, *ONCE])
        first = ("--data", "data.json", "--weights", f"runs/action/{LAST}")
        ACTION.main(["runs/all", "--stage", "all", *first, *ONCE])
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def tensors(path):
    """The tensors of a file of weights: of the frame model, and of the clip head."""
    parts = {"layers/functional/": {}, "layers/functional_1/": {}}

    def keep(name, one):
        for part, found in parts.items():
            if name.startswith(part) and isinstance(one, h5py.Dataset):
                found[name] = one.shape, one[()].tobytes()

    with h5py.File(path) as file:
        file.visititems(keep)
    frames, head = parts.values()
    assert frames and head
    return frames, head


def test_the_stage_action_teaches_the_clip_head_of_an_spnet_of_poses(here):
    with h5py.File("pose/w.weights.h5") as pose:
        kernel = pose["layers/conv2d/vars/0"]
        first = kernel.shape, kernel[()].tobytes()
    before = tensors(f"runs/action/{LAST}")
    assert first in before[0].values()
    settings = read_json("runs/action/model.json")
    assert (settings["actions"], settings["classes"]) == (2, "lie,sit")
    assert (settings["network"], settings["step"]) == ("penn_spnet", 2)
    assert not {"layout", "replaced"} & settings.keys()
    again = ("--resume", "--epochs", "2", "--verbose", "0")
    ACTION.main(["runs/action", *again, *OTHERS])
    after = tensors(f"runs/action/{LAST}")
    assert before[0] == after[0] and before[1] != after[1]


def test_the_stage_all_teaches_the_datas_joints_and_actions(here):
    before, after = tensors(f"runs/action/{LAST}")[0], tensors(f"runs/all/{LAST}")[0]
    assert all(before[name] != after[name] for name in after if "conv" in name)
    settings = read_json("runs/all/model.json")
    assert settings["layout"]["joints"] == tiny_custom.LAYOUT["joints"]
    assert settings["classes"] == "jump,sit"
    new = settings["replaced"]
    assert "clip_head/act1_action_pred_conv2h0 (kept 1 of 2 actions)" in new
    assert "frame_model/dp1_pb1_heatmaps_conv1 (kept 0 of 4 joints)" in new
    assert describe_weights(f"runs/all/{LAST}")["replaced"] == new


def test_eval_scores_the_actions_of_what_was_trained(here):
    weights = ("--weights", f"runs/all/{LAST}", "--workers", "1")
    EVALUATE.main(["runs/a", *weights, "--data", "data.json", "--part", "train"])
    scores = read_json("runs/a/evaluation.json")
    assert scores["videos"] == 2
    assert scores["receipt"]["other_settings"]["layout"] == "cross"


def test_a_report_draws_the_networks_joints_where_the_data_have_others(here):
    weights = ("--weights", f"runs/action/{LAST}", "--workers", "1")
    EVALUATE.main(["runs/b", *weights, *OTHERS, "--part", "train", "--report"])
    page = (here / "runs/b/report.html").read_text()
    assert "the surest first: " in page and "data:image/" in page


def test_frozen_features_are_refused_where_they_learn(here):
    flags = (*OTHERS, *BEGUN, *ONCE, "--frozen-features", "--replica", "yes")
    with pytest.raises(ValueError, match="no joint maps of their own.*--replica yes"):
        ACTION.main(["runs/c", "--stage", "action", *flags])
