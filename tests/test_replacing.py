"""Networks that begin with weights of other joints or actions."""

import json
import logging

import numpy as np
import pytest

from deephar.checkpoints import save_weights
from deephar.data.pennaction import ACTION_LABELS
from deephar.inference import PosePredictor
from deephar.networks import build_network, default_settings, poselayout
from deephar.networks.known_weights import known_settings, what_is_known
from deephar.networks.recipes import other_settings, with_classes, with_layout
from deephar.networks.replacing import start_network
from deephar.utils.layouts import custom_layout
from deephar.utils.pose import pa16j2d

CAT = custom_layout(["head", "tail", "l_wrist", "r_wrist"], [["l_wrist", "r_wrist"]])
SMALL = {
    "mpii": {"size": 32, "blocks": 2},
    "human36m": {"size": 32, "blocks": 1, "depth_maps": 4},
    "penn": {"size": 32, "blocks": 1, "frames": 4, "predictions": 1},
    "penn_spnet": {
        **{"size": 64, "pyramids": 1, "levels": 2, "growth": 16, "frames": 4},
        "action_pyramids": "1",
    },
}


def settings_of(network):
    return {**default_settings(network), **SMALL[network]}


def saved(folder, settings):
    """A network of the settings, saved with its model.json; the model, the file."""
    folder.mkdir(exist_ok=True)
    model = build_network(settings["network"], settings)
    (folder / "model.json").write_text(json.dumps(settings))
    save_weights(model, folder / "w.weights.h5")
    return model, str(folder / "w.weights.h5")


def values(model):
    return {variable.path: variable.numpy() for variable in model.weights}


def changed(before, after):
    """The tensors that are not as they were, without their layers' last names."""
    before, after = values(before), values(after)
    return {
        path
        for path, value in after.items()
        if value.shape != before[path].shape or (value != before[path]).any()
    }


def test_other_joints_make_heads_new_and_keep_joints_of_one_name(tmp_path, caplog):
    source, file = saved(tmp_path / "a", settings_of("mpii"))
    settings = with_layout(settings_of("mpii"), CAT)
    with caplog.at_level(logging.INFO):
        model, new = start_network(settings, file)
    heads = ["RegMap1/conv2d_1", "fReMap1/conv2d_1", "RegMap2/conv2d_1"]
    assert new == [f"{head} (kept 3 of 4 joints)" for head in heads]
    assert changed(source, model) == {f"{head}/kernel" for head in heads}
    assert "joints that keep their channels: head, r_wrist, l_wrist" in caplog.text
    before, after = (values(m)["RegMap1/conv2d_1/kernel"] for m in (source, model))
    names = pa16j2d.joint_names
    for row, name in enumerate(CAT.joint_names):
        if name == "tail":
            continue
        place = names.index(name)
        ours = [row, 4 + 2 * row, 5 + 2 * row]  # its own map and its two of context
        theirs = [place, 16 + 2 * place, 17 + 2 * place]
        np.testing.assert_array_equal(after[..., ours], before[..., theirs])


def test_joints_of_other_names_are_new_even_if_they_are_as_many(tmp_path):
    source, file = saved(tmp_path / "a", settings_of("mpii"))
    other = custom_layout([f"point {i}" for i in range(16)])
    model, new = start_network(with_layout(settings_of("mpii"), other), file)
    assert len(new) == len(changed(source, model)) == 3
    same, none = start_network(settings_of("mpii"), file)
    assert none == [] and not changed(source, same)


@pytest.mark.parametrize(("network", "heads"), [("human36m", 1), ("penn_spnet", 5)])
def test_depth_maps_and_pyramids_keep_joints_by_name(tmp_path, network, heads):
    source, file = saved(tmp_path / "a", settings_of(network))
    before = poselayout(settings_of(network))
    turned = custom_layout(before.joint_names[::-1], dim=before.dim)
    settings = with_layout(settings_of(network), turned)
    model, new = start_network(settings, file)
    assert len(new) == len({path.rpartition("/")[0] for path in changed(source, model)})
    if network == "human36m":
        x = np.random.default_rng(0).random((1, 32, 32, 3), "float32")
        ours, theirs = (np.asarray(m(x, training=False)) for m in (model, source))
        np.testing.assert_allclose(ours[:, ::-1], theirs, atol=1e-5)


def test_other_actions_keep_those_of_one_name(tmp_path):
    source, file = saved(tmp_path / "a", settings_of("penn"))
    settings = with_classes(settings_of("penn"), ["wave", "bowl"])
    model, new = start_network(settings, file)
    assert {one.partition(" ")[2] for one in new} == {"(kept 1 of 2 actions)"}
    assert all(path.startswith("clip_head/") for path in changed(source, model))
    last = "clip_head/PoseAR/conv2d_10/kernel"
    kept = values(source)[last][..., ACTION_LABELS.index("bowl")]
    np.testing.assert_array_equal(values(model)[last][..., 1], kept)


def test_all_else_must_fit(tmp_path):
    _, file = saved(tmp_path / "a", settings_of("mpii"))
    settings = with_layout({**settings_of("mpii"), "blocks": 1}, CAT)
    with pytest.raises(
        ValueError, match="a network with blocks 2, and only joints and"
    ):
        start_network(settings, file)


def test_predictors_find_the_layout_in_model_json(tmp_path):
    settings = {**with_layout(settings_of("mpii"), CAT), "blocks": 1}
    _, file = saved(tmp_path / "a", {**settings, "replaced": ["RegMap1/conv2d_1"]})
    predictor = PosePredictor.load(file, fold=False)
    assert predictor.poselayout.joint_names == CAT.joint_names
    assert predictor.poselayout.map_hflip == [0, 1, 3, 2]
    poses = predictor.predict(np.zeros((40, 40, 3), np.uint8))
    assert poses[0].joints.shape == (4, 2)
    assert other_settings(settings)["layout"] == "custom"
    assert "replaced" not in known_settings(file, "mpii")[1]
    assert "replaced" not in what_is_known(file)[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "mpii"}, "`layout`: a layout must be one of"),
        ({"layout": {"joints": []}}, "`layout`: `joint_names` must be a list"),
        ({"layout": {"joints": ["a"], "dim": 3}}, "`layout` must be of 2D"),
        ({"replaced": "all"}, "`replaced` must be texts"),
        ({"classes": "a,b"}, r"unknown keys \['classes'\]"),
    ],
)
def test_a_model_json_that_breaks_the_rules_is_refused(tmp_path, changes, message):
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**default_settings("mpii"), **changes}))
    (tmp_path / "w.weights.h5").write_bytes(b"")
    with pytest.raises(ValueError, match=message):
        known_settings(str(tmp_path / "w.weights.h5"), "mpii")


def test_settings_of_another_dimension_or_of_bad_actions_are_refused():
    with pytest.raises(ValueError, match="human36m finds joints in 3D"):
        with_layout(settings_of("human36m"), CAT)
    for labels, message in (
        (["sit,down", "up"], "no comma"),
        (["sit"], "at least two"),
        (["sit", "Sit"], "different names"),
    ):
        with pytest.raises(ValueError, match=message):
            with_classes(settings_of("penn"), labels)
