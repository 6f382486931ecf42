"""SPNet: names, parts, what learns, arguments."""

import logging

import keras
import numpy as np
import pytest
from formula_weights import set_named_weights
from test_action import all_names, changed_by
from tiny_merged import formula_clips
from tiny_models import convolutions
from tiny_spnet import FRAMES, SIZE, build, config

from deephar.models import common, spnet

PLANS = {
    "late_sets": {
        **{"num_pyramids": 3, "action_pyramids": (2,), "num_actions": (3, 4)},
        **{"dim": 3},
    },
    "apart": {
        **{"num_pyramids": 3, "action_pyramids": (1, 3), "num_levels": 2},
        **{"pose_replica": True, "dbg_decoupled_pose": True},
    },
}
ONE = {"num_pyramids": 1, "action_pyramids": (1,), "num_levels": 2}
"""Of the smallest network."""


@pytest.fixture(scope="module")
def networks():
    """{name: (model, configuration)} of PLANS, with weights; not to be changed."""
    found = {name: build(**changes) for name, changes in PLANS.items()}
    for model, _ in found.values():
        set_named_weights(model)
    return found


def outputs(model, clips):
    found = keras.tree.flatten(model(clips, training=False))
    return {n: np.array(y) for n, y in zip(model.output_names, found, strict=True)}


def assert_part(part, expected, clips):
    """A model gives some outputs of another one."""
    for name, y in outputs(part, clips).items():
        np.testing.assert_allclose(y, expected[name], atol=1e-6, err_msg=name)


# --- names and shapes ---


def test_building_again_gives_equal_names_whatever_was_built_between(networks):
    again = build(**PLANS["apart"])[0]
    model, _ = networks["apart"]
    assert all_names(again) == all_names(model)
    paths = [v.path for v in again.weights]
    assert paths == [v.path for v in model.weights]
    assert len(paths) == len(set(paths))
    assert {"act1_xy2_x", "dp1_pb1_xy_x"} <= {x.name for x in common.layers_of(again)}


def test_outputs_are_poses_by_depth_then_actions_then_debugging(networks):
    model, cfg = networks["late_sets"]
    poses = ["dp1_pb1", "dp1_pb2", "up2_pb1", "up2_pb0", "dp3_pb1", "dp3_pb2"]
    actions = ["act1_a0", "act1_a1", "act2_a0", "act2_a1"]
    assert model.name == "SPNet" and model.output_names == poses + actions
    shapes = [tuple(y.shape[1:]) for y in model.outputs]
    assert shapes == [(FRAMES, 5, 4)] * 6 + [(3,), (4,)] * 2
    assert len(poses) == spnet.get_num_predictions(3, 3)
    plan = spnet.predictions(cfg)
    assert [p.pose for p in plan] == poses
    assert [p.actions for p in plan] == [
        *((), (), ("act1_a0", "act1_a1"), ("act2_a0", "act2_a1"), (), ())
    ]
    described = model.get_layer("frame_model").outputs[6:]
    assert [tuple(x.shape[1:]) for x in described] == [
        *((5, 3), (5, 1), (5, 24), (5, 3), (5, 1), (5, 16))
    ]
    debug = networks["apart"][0].output_names[-4:]
    assert debug == ["dp1_pb1_dbg", "dp3_pb1_dbg", "dp1_pb1_dbg_h", "dp3_pb1_dbg_h"]


def test_action_pyramids_count_only_with_sets_of_actions():
    assert all(not p.actions for p in spnet.predictions(config(num_actions=())))
    model, cfg = build(num_actions=(), num_levels=2)
    assert model.output_names == ["dp1_pb1", "up2_pb0"]
    with pytest.raises(
        ValueError, match=r"must predict actions to be split. .*=\(\), "
    ):
        spnet.split_model(model, cfg)


def test_the_trace_holds_one_copy_of_the_frame_network():
    model, _ = build(**ONE)
    parts = [model.get_layer(name) for name in ("frame_model", "clip_head")]
    assert convolutions(parts[0]) > 10
    assert convolutions(model) == sum(map(convolutions, parts))


# --- parts ---


@pytest.mark.parametrize("plan", PLANS)
def test_split_models_give_the_outputs_of_the_whole_poses_first(networks, plan):
    model, cfg = networks[plan]
    clips = formula_clips(2, (FRAMES, *SIZE))
    expected = outputs(model, clips)
    woven = spnet.interlace(model, cfg)
    assert_part(woven, expected, clips)
    split = [spnet.split_model(model, cfg), spnet.split_model(woven, cfg, True)]
    for poses, actions in split:
        predictions = spnet.predictions(cfg)
        assert poses.output_names == [p.pose for p in predictions]
        assert actions.output_names == [a for p in predictions for a in p.actions]
        assert (poses.name, actions.name) == ("Pose", "Action")
    for part in (*split[0], *split[1]):
        assert_part(part, expected, clips)
        assert {id(v) for v in part.weights} < {id(v) for v in model.weights}


def test_interlaced_outputs_are_each_blocks_pose_and_actions(networks):
    model, cfg = networks["late_sets"]
    assert spnet.interlace(model, cfg).output_names == [
        *("dp1_pb1", "dp1_pb2", "up2_pb1", "act1_a0", "act1_a1"),
        *("up2_pb0", "act2_a0", "act2_a1", "dp3_pb1", "dp3_pb2"),
    ]


@pytest.mark.parametrize("plan", PLANS)
def test_every_variable_of_a_split_model_has_a_gradient(networks, plan):
    # Keras warns of those without one, and warnings are errors.
    model, cfg = networks[plan]
    before = model.get_weights()
    clips, rng = formula_clips(2, (FRAMES, *SIZE)), np.random.default_rng(0)
    models = spnet.compile_split_models(model, cfg, "sgd", pose_trainable=True)
    assert models[0].optimizer is not models[1].optimizer
    for part in models:
        part.run_eagerly = True
        shapes = [(2, *y.shape[1:]) for y in part.outputs]
        targets = [rng.uniform(0, 1, shape).astype("float32") for shape in shapes]
        values = [v.numpy() for v in part.trainable_variables]
        part.train_on_batch(clips, targets)
        pairs = zip(part.trainable_variables, values, strict=True)
        still = [v.path for v, old in pairs if (v.numpy() == old).all()]
        assert len(still) < 0.05 * len(values), still
    model.set_weights(before)


def test_a_cut_ends_at_a_prediction(networks):
    model, cfg = networks["late_sets"]
    clips = formula_clips(2, (FRAMES, *SIZE))
    expected, sizes = outputs(model, clips), []
    for number, prediction in enumerate(spnet.predictions(cfg), 1):
        part = spnet.cut(model, cfg, number)
        assert part.output_names == [prediction.pose, *prediction.actions]
        sizes.append(part.count_params())
        if number in (1, 3, 6):
            assert_part(part, expected, clips)
    assert sizes[:4] == sorted(sizes[:4]) and sizes[4] < sizes[3]
    with pytest.raises(
        ValueError, match=r"must lie in 1 ... 6. Received: prediction=7"
    ):
        spnet.cut(model, cfg, 7)


def test_a_configuration_of_another_model_is_refused(networks):
    model, _ = networks["late_sets"]
    for function in (spnet.interlace, spnet.split_model, spnet.picture_model):
        with pytest.raises(ValueError, match="must have the outputs of `cfg`, dp1_pb1"):
            function(model, networks["apart"][1])
    with pytest.raises(ValueError, match="must have the outputs of `cfg`"):
        spnet.split_model(model, networks["late_sets"][1], interlaced=True)


# --- weights of poses ---


def test_poses_of_pictures_go_into_a_network_of_clips(networks, caplog):
    source, _ = build(input_shape=SIZE, num_actions=(), num_pyramids=3, num_levels=2)
    set_named_weights(source)
    target, cfg = build(**ONE, pose_replica=True)
    head = target.get_layer("clip_head").get_weights()
    with caplog.at_level(logging.INFO):
        spnet.copy_pose_weights(source, target)
    assert "layers of the source have no place: " in caplog.text
    clips = formula_clips(1, (FRAMES, *SIZE))
    found, expected = outputs(target, clips), outputs(source, clips[0])
    for prediction in spnet.predictions(cfg):
        name = prediction.pose
        np.testing.assert_allclose(found[name][0], expected[name], atol=1e-6)
    frames = target.get_layer("frame_model")
    replica, own = (
        frames.get_layer(f"dp1_pb1_heatmaps_conv1{end}") for end in ("_replica", "")
    )
    np.testing.assert_array_equal(replica.kernel, own.kernel)
    pairs = zip(head, target.get_layer("clip_head").get_weights(), strict=True)
    assert all((old == new).all() for old, new in pairs)
    other, _ = networks["apart"]
    spnet.copy_pose_weights(other, target)
    theirs = other.get_layer("frame_model").get_layer(replica.name)
    np.testing.assert_array_equal(replica.kernel, theirs.kernel)


def test_a_source_that_lacks_a_layer_is_refused_and_nothing_copied(networks):
    target, _ = networks["late_sets"]
    before = target.get_weights()
    source, _ = build(dim=3, input_shape=SIZE, num_actions=(), num_pyramids=2)
    with pytest.raises(ValueError, match="a source without up2_pb0_heatmaps_fw_maps"):
        spnet.copy_pose_weights(source, target)
    with pytest.raises(ValueError, match=r"must have .* of the shapes .*Received: sha"):
        spnet.copy_pose_weights(build(dim=3, growth=4, num_levels=2)[0], target)
    pairs = zip(before, target.get_weights(), strict=True)
    assert all((old == new).all() for old, new in pairs)


# --- what learns ---


def test_frozen_poses_leave_the_actions_to_learn(networks):
    model, cfg = build(**ONE, pose_replica=True)
    spnet.compile_split_models(model, cfg, "sgd", copy_replica=True)
    learning = {v.path for v in model.trainable_variables}
    assert learning and all("action" in path for path in learning)
    assert learning == {
        v.path for v in model.get_layer("clip_head").trainable_variables
    }
    for layer in common.layers_of(model):
        if layer.name.endswith("_replica"):
            own = model.get_layer("frame_model").get_layer(layer.name[:-8])
            np.testing.assert_array_equal(layer.kernel, own.kernel)
    common.set_trainable_layers(model, "replica", True)
    assert {v.path for v in model.trainable_variables} - learning
    common.set_trainable_layers(model, "action", False, True)
    assert not model.get_layer("clip_head").trainable_variables
    assert model.get_layer("frame_model").trainable_variables


def test_a_part_frozen_as_a_whole_can_be_freed_by_layer():
    model, _ = build(**ONE)
    every = len(model.trainable_variables)
    model.get_layer("frame_model").trainable = False
    common.set_trainable_layers(model, "conv1", True)
    found = {v.path.split("/")[1] for v in model.trainable_variables}
    assert {"conv1", "dp1_pb1_conv1"} <= found
    assert len(model.trainable_variables) < every
    assert "dp1_pb1_bn1" not in found


def test_a_stopped_stem_does_not_learn_but_counts(networks):
    cfg = config(input_shape=SIZE, num_actions=(), num_levels=2)
    model, free = spnet.build(cfg, stop_grad_stem=True), spnet.build(cfg)
    set_named_weights(model)
    set_named_weights(free)
    x = formula_clips(1, (4, *SIZE))[0]
    assert_part(model, outputs(free, x), x)
    for trainable in (False, True):
        common.set_trainable_layers(model, "action", None, trainable)
    common.compile_model(model, "mse", "sgd")
    model.run_eagerly = True
    targets = [np.zeros((4, 5, 3), "float32")] * 2
    moved = changed_by(model, lambda: model.train_on_batch(x, targets))
    stem = {path for path in moved if path.split("/")[1].startswith(("conv1", "res"))}
    assert stem and all("moving" in path for path in stem)
    assert any(path.endswith("dp1_pb1_conv1/pointwise_kernel") for path in moved)


def test_a_stopped_stem_of_clips_stays_so_when_poses_are_freed_again():
    cfg = config(**ONE)
    model = spnet.build(cfg, stop_grad_stem=True)
    expected = [v.path for v in model.trainable_variables]
    assert not any(path.split("/")[1] == "conv1" for path in expected)
    spnet.compile_split_models(model, cfg, "sgd", pose_trainable=False)
    spnet.compile_split_models(model, cfg, "sgd", pose_trainable=True)
    assert [v.path for v in model.trainable_variables] == expected


def test_losses_and_weights_are_one_for_each_output(networks):
    model, _ = build(input_shape=SIZE, num_actions=(), num_levels=2)
    common.compile_model(model, "mse", "sgd", 0.5)
    model.run_eagerly = True
    x, y = np.zeros((1, *SIZE)), np.zeros((1, 5, 3))
    logs = model.test_on_batch(x, [y, y], return_dict=True)
    total = 0.5 * (logs["dp1_pb1_loss"] + logs["up2_pb0_loss"])
    assert logs["loss"] == pytest.approx(total, rel=1e-5)
    for name, arguments in (
        ("loss", (["mse"],)),
        ("loss_weights", ("mse", "sgd", [1])),
    ):
        arguments = arguments if len(arguments) > 1 else (*arguments, "sgd")
        with pytest.raises(
            ValueError, match=f"`{name}` must have one .* the 2 outputs"
        ):
            common.compile_model(model, *arguments)


def test_a_replica_without_its_original_is_named(networks):
    actions = spnet.split_model(*networks["apart"])[1]
    with pytest.raises(ValueError, match="must have the layer dp3_pb1_heatmaps_conv1,"):
        common.copy_replica_layers(actions)


def test_a_step_in_mixed_precision_trains():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model, cfg = build(**ONE, dim=3, pose_replica=True)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    plain, _ = build(**ONE, dim=3, pose_replica=True)
    set_named_weights(plain)
    model.set_weights(plain.get_weights())
    clips = formula_clips(2, (FRAMES, *SIZE))
    expected = outputs(plain, clips)
    for name, y in outputs(model, clips).items():
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, expected[name], atol=0.1)
    models = spnet.compile_split_models(model, cfg, "sgd", pose_trainable=True)
    targets = [np.full((2, FRAMES, 5, 4), 0.5)], [np.eye(3)[:2]]
    for part, y in zip(models, targets, strict=True):
        part.run_eagerly = True
        assert np.isfinite(part.train_on_batch(clips, y)).all()


# --- arguments ---


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"input_shape": SIZE}, r"`input_shape` must be that of clips for `num_acti"),
        ({"input_shape": (4, 36, 32, 3)}, r"`input_shape` .* multiples of 16, .*36"),
        (
            {"input_shape": (4, 32, 8, 3), "num_pyramids": 1},
            r"must leave maps of 2 x 2",
        ),
        ({"num_levels": 1}, r"`num_levels` must be at least 2. Received: num_levels=1"),
        ({"dbg_decoupled_pose": True}, r"`dbg_decoupled_pose` needs `pose_replica`"),
        (
            {"num_pose_features": 8},
            r"`num_pose_features` must be at least 16. Received",
        ),
    ],
)
def test_bad_configurations_are_named(changes, message):
    changes = {"action_pyramids": (1,), **changes}
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_pictures_without_action_pyramids_have_poses_whatever_the_actions():
    model, _ = build(input_shape=SIZE, action_pyramids=(), num_levels=2)
    assert model.output_names == ["dp1_pb1", "up2_pb0"]


def test_other_arguments_are_named(networks):
    with pytest.raises(ValueError, match=r"must be two, .*Received: model_names=\('P'"):
        spnet.split_model(*networks["late_sets"], model_names=("P",))
    with pytest.raises(ValueError, match="`cfg` must be a ModelConfig. Received: dict"):
        spnet.build({})
    for function in (common.add_tensorlist, common.concat_tensorlist):
        with pytest.raises(ValueError, match=r"`t` must be a list of tensors.*t=\[\]"):
            function([])


def test_options_without_effect_are_logged(caplog):
    changes = {**ONE, "input_shape": SIZE, "num_actions": ()}
    model, _ = build(predict_rootz=True, dbg_decoupled_h=True, **changes)
    assert "`predict_rootz` has no effect" in caplog.text
    assert "`dbg_decoupled_h` has no effect" in caplog.text
    assert all_names(model) == all_names(build(**changes)[0])
