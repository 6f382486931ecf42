"""The networks of actions: parts, names, what learns, arguments."""

import keras
import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights
from tiny_merged import (
    ACTIONS,
    FRAMES,
    JOINTS,
    SIZE,
    build_merged,
    build_pose,
    formula_clips,
)
from tiny_models import convolutions

from deephar import checkpoints
from deephar.models import action


def all_names(model):
    names = []
    for layer in model.layers:
        names.append(layer.name)
        if isinstance(layer, keras.Model):
            names += [f"{layer.name}/{name}" for name in all_names(layer)]
    return names


# --- shapes and names ---


@pytest.fixture(scope="module")
def merged():
    return build_merged(output_poses=True)


def test_building_twice_gives_equal_names(merged):
    again = build_merged(output_poses=True)
    assert all_names(again) == all_names(merged)
    paths = [v.path for v in merged.weights]
    assert paths == [v.path for v in again.weights]
    assert len(paths) == len(set(paths))


def test_a_clip_model_is_a_frame_model_and_a_clip_head(merged):
    shapes = [tuple(y.shape[1:]) for y in merged.outputs]
    assert shapes == [(FRAMES, JOINTS, 2), (FRAMES, JOINTS, 1), *[(ACTIONS,)] * 9]
    assert tuple(merged.output_names) == ("pose", "confidence", *action.OUTPUTS)
    frame_model = merged.get_layer("frame_model")
    clip_head = merged.get_layer("clip_head")
    described = [(JOINTS, 2), (JOINTS, 1), (JOINTS, 576)]
    assert [tuple(y.shape[1:]) for y in frame_model.outputs] == described
    assert [tuple(x.shape[2:]) for x in clip_head.inputs] == described
    assert tuple(clip_head.output_names) == action.OUTPUTS
    assert merged.count_params() == sum(
        part.count_params() for part in (frame_model, clip_head)
    )


def test_the_trace_holds_one_copy_of_the_frame_network():
    pose = build_pose(num_blocks=4)
    sizes = (ACTIONS, SIZE, 16, JOINTS, 4)
    model = action.build_merge_model(pose, *sizes)
    parts = [model.get_layer(name) for name in ("frame_model", "clip_head")]
    assert convolutions(parts[0]) == convolutions(pose) > 60
    assert convolutions(model) == sum(map(convolutions, parts))


# --- poses ---


@pytest.mark.parametrize("dim, gain", [(2, 4), (3, 2)])
@pytest.mark.parametrize("num_blocks", [1, 2])
def test_poses_are_those_of_the_last_used_block_and_surer(dim, gain, num_blocks):
    pose_model = build_pose(dim, 2)
    build_merged(dim, num_blocks, pose_model)
    frame_model = action.build_frame_model(pose_model, num_blocks)
    set_formula_weights(pose_model)
    x = formula_clips(1)[0]
    pose, confidence = pose_model(x, training=False)[2 * num_blocks - 2 :][:2]
    found = frame_model(x, training=False)
    np.testing.assert_allclose(found[0], pose, atol=1e-6)
    p = np.array(confidence)
    sharper = p**gain / (p**gain + (1 - p) ** gain)
    np.testing.assert_allclose(found[1], sharper, atol=1e-5)


def test_features_are_those_of_the_first_block_under_the_maps():
    options = {"export_heatmaps": True, "export_vfeat_block": 1}
    pose_model = build_pose(2, 1, num_context_per_joint=0, **options)
    set_formula_weights(pose_model)
    x = formula_pictures((2, *SIZE))
    _, _, maps, features = (np.array(y) for y in pose_model(x, training=False))
    maps = np.exp(maps) / np.exp(maps).sum(axis=(1, 2), keepdims=True)
    expected = np.einsum("bhwj,bhwf->bjf", maps, features)
    found = action.build_frame_model(pose_model)(x, training=False)[2]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_no_context_maps_are_fine_in_2d():
    pose_model = build_pose(2, 1, num_context_per_joint=0)
    model = build_merged(2, 1, pose_model, num_context_per_joint=0, output_poses=True)
    x = formula_clips(1)
    expected = pose_model(x[0], training=False)[0]
    np.testing.assert_allclose(model(x)[0][0], expected, atol=1e-6)


# --- the merge ---


def test_the_merge_adds_the_two_last_maps_at_first():
    arguments = (JOINTS, ACTIONS, FRAMES, 6)
    weighted, plain = (
        action.build_clip_head(*arguments, weighted_merge=w) for w in (True, False)
    )
    for name in ("PoseAR", "GuidedVisAR"):
        plain.get_layer(name).set_weights(weighted.get_layer(name).get_weights())
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((2, *x.shape[1:])) for x in plain.inputs]
    one, other = (np.stack(m(inputs, training=False)) for m in (weighted, plain))
    np.testing.assert_allclose(one, other, atol=1e-6)
    extra = weighted.count_params() - plain.count_params()
    assert extra == 2 * (ACTIONS + ACTIONS * ACTIONS)


# --- freezing ---


def changed_by(model, function):
    """Paths of the variables that a function changes."""
    before = [v.numpy() for v in model.weights]
    function()
    pairs = zip(model.weights, before, strict=True)
    return {v.path for v, old in pairs if (v.numpy() != old).any()}


def paths(model):
    return {v.path for v in model.weights}


def test_a_frozen_frame_model_neither_learns_nor_moves_its_statistics(merged):
    head, frames = merged.get_layer("clip_head"), merged.get_layer("frame_model")
    assert not frames.trainable_variables
    assert {v.path for v in merged.trainable_variables} == {
        v.path for v in head.trainable_variables
    }
    moved = changed_by(merged, lambda: merged(formula_clips(2), training=True))
    assert moved == {v.path for v in head.non_trainable_variables}


def test_a_free_frame_model_learns_and_the_pose_model_with_it():
    pose_model = build_pose(2, 1)
    model = build_merged(2, 1, pose_model, full_trainable=True, output_poses=True)
    assert {id(v) for v in pose_model.weights} <= {id(v) for v in model.weights}
    x = formula_clips(2)
    before = np.array(pose_model(x[0], training=False)[0])
    np.testing.assert_allclose(model(x, training=False)[0][0], before, atol=1e-6)

    action.compile(model, lr=0.01, pose_predicted=True)
    model.run_eagerly = True  # quicker than a trace for a single step
    pose = np.full((2, FRAMES, JOINTS, 2), 0.5, "float32")
    actions = [np.eye(ACTIONS, dtype="float32")[[0, 1]]] * 9
    y = [pose, np.ones_like(pose[..., :1]), *actions]
    moved = changed_by(model, lambda: model.train_on_batch(x, y))
    assert len(moved & paths(pose_model)) > 0.9 * len(pose_model.weights)
    assert len(moved) > 0.9 * len(model.weights)
    after = np.array(pose_model(x[0], training=False)[0])
    assert np.abs(after - before).max() > 1e-5
    np.testing.assert_allclose(model(x, training=False)[0][0], after, atol=1e-6)


@pytest.mark.parametrize("ending", [".h5", ".weights.h5"])
def test_loading_does_not_depend_on_what_is_frozen(tmp_path, ending):
    frozen, free = build_merged(num_blocks=1), build_merged(num_blocks=1)
    free.get_layer("frame_model").trainable = True
    source, target = (free, frozen) if ending == ".h5" else (frozen, free)
    checkpoints.save_weights(source, tmp_path / f"weights{ending}")
    expected = {v.path: v.numpy() for v in target.weights}
    for variable in target.weights:
        variable.assign(np.full(variable.shape, 7.0))
    checkpoints.load_weights(target, tmp_path / f"weights{ending}")
    for variable in target.weights:
        np.testing.assert_array_equal(variable, expected[variable.path])


# --- files ---


def test_weights_of_the_parts_can_come_from_files_of_their_own(tmp_path):
    nets = {
        "ar_pose_weights": action.build_pose_model(
            JOINTS, ACTIONS, FRAMES, include_top=False
        ),
        "ar_visual_weights": action.build_visual_model(JOINTS, ACTIONS, 6, FRAMES),
    }
    for name, net in nets.items():
        set_formula_weights(net)
        checkpoints.save_weights(net, tmp_path / f"{name}.h5")
    files = {name: tmp_path / f"{name}.h5" for name in nets}
    head = action.build_clip_head(JOINTS, ACTIONS, FRAMES, 6, **files)
    for part, net in zip(("PoseAR", "GuidedVisAR"), nets.values(), strict=True):
        pairs = zip(head.get_layer(part).weights, net.weights, strict=True)
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match=r"ar_visual_weights\.h5: .* not the model's"):
        files["ar_pose_weights"] = files["ar_visual_weights"]
        action.build_clip_head(JOINTS, ACTIONS, FRAMES, 6, **files)


# --- precision ---


@pytest.mark.parametrize("dim", [2, 3])
def test_outputs_are_float32_under_mixed_precision(dim):
    plain = build_merged(dim, 1, output_poses=True)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_merged(dim, 1, output_poses=True)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    x = formula_clips(1)
    frames = model.get_layer("frame_model")
    assert frames.get_layer("Stem").get_layer("conv2d_1").compute_dtype == "bfloat16"
    described = frames(x[0])
    assert {keras.backend.standardize_dtype(y.dtype) for y in described} == {"float32"}
    for mixed, full in zip(model(x), plain(x), strict=True):
        assert keras.backend.standardize_dtype(mixed.dtype) == "float32"
        np.testing.assert_allclose(mixed, full, atol=0.05)


# --- compiling ---


def test_compile_takes_the_losses_and_the_optimizer_of_the_original(merged):
    action.compile(merged, loss_weights=[1.0, 0.01, *[0.1] * 9], pose_predicted=True)
    merged.run_eagerly = True
    optimizer = merged.optimizer
    assert isinstance(optimizer, keras.optimizers.SGD) and optimizer.nesterov
    assert float(optimizer.learning_rate) == pytest.approx(1e-3)
    assert optimizer.momentum == 0.95
    x, y = formula_clips(2), np.eye(ACTIONS, dtype="float32")[[0, 2]]
    rng = np.random.default_rng(0)
    pose = rng.uniform(0, 1, (2, FRAMES, JOINTS, 2)).astype("float32")
    visible = rng.integers(0, 2, (2, FRAMES, JOINTS, 1)).astype("float32")
    losses = merged.test_on_batch(x, [pose, visible, *[y] * 9], return_dict=True)
    p, v, *predictions = (np.array(output) for output in merged(x, training=False))
    elastic = (np.abs(pose - p) + (pose - p) ** 2).sum(axis=(-1, -2)).mean()
    cross = -(visible * np.log(v) + (1 - visible) * np.log(1 - v)).mean()
    actions = [-(y * np.log(q)).sum(axis=-1).mean() for q in predictions]
    found = [losses[f"{name}_loss"] for name in merged.output_names]
    np.testing.assert_allclose(found, [elastic, cross, *actions], rtol=1e-4)
    total = elastic + 0.01 * cross + 0.1 * sum(actions)
    assert losses["loss"] == pytest.approx(total, rel=1e-4)


def test_compile_without_poses_measures_the_accuracy_of_every_output():
    model = action.build_visual_model(JOINTS, ACTIONS, 6, FRAMES)
    action.compile(model, lr=0.01, momentum=0.5)
    x, y = np.zeros((2, FRAMES, JOINTS, 6)), np.eye(ACTIONS)[[0, 1]]
    logs = model.test_on_batch(x, [y] * 4, return_dict=True)
    assert {f"y{i}_acc" for i in (1, 2, 3, 4)} <= set(logs)
    assert model.optimizer.momentum == 0.5


def test_compile_refuses_outputs_of_another_kind(merged):
    with pytest.raises(ValueError, match="pose_predicted=False, output shapes="):
        action.compile(merged)
    with pytest.raises(ValueError, match="pose_predicted=True, output shapes="):
        action.compile(action.build_visual_model(4, 3, 6), pose_predicted=True)


# --- the parts alone ---


def test_the_guided_visual_model_stands_on_a_frozen_frame_model():
    sizes = (build_pose(2, 1), ACTIONS, SIZE, FRAMES, JOINTS, 1)
    model = action.build_guided_visual_model(*sizes)
    assert [tuple(y.shape[1:]) for y in model.outputs] == [(ACTIONS,)] * 4
    frames, head = model.get_layer("frame_model"), model.get_layer("GuidedVisAR")
    assert tuple(frames.output.shape[1:]) == (JOINTS, 576)
    assert not frames.trainable_variables
    assert len(model.trainable_variables) == len(head.trainable_variables) > 30


@pytest.mark.parametrize("top, shape", [(True, (3,)), (False, (2, 1, 3))])
def test_networks_of_clips_take_any_number_of_frames(top, shape):
    pose_net = action.build_pose_model(4, 3, include_top=top, pose_dim=3)
    visual_net = action.build_visual_model(4, 3, 6, include_top=top)
    pose = np.zeros((1, 8, 4, 3), "float32"), np.zeros((1, 8, 4, 1), "float32")
    for outputs in (pose_net(pose), visual_net(np.zeros((1, 8, 4, 6), "float32"))):
        assert [tuple(y.shape[1:]) for y in outputs] == [shape] * 4


# --- arguments ---


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_frames": 6}, r"Half of `num_temp_frames`.*Received: num_temp_frames=6"),
        ({"num_frames": 0}, r"Half of `num_temp_frames`.*num_temp_frames=0"),
        ({"num_actions": 0}, r"`num_actions` must be at least 1"),
        ({"num_blocks": 3}, r"`num_blocks` must be at most that .* 2. Received: num_b"),
        ({"num_blocks": 0}, r"`num_blocks` must be at least 1"),
        ({"num_joints": 8}, r"`num_joints` must be that of `model_pe`, 4. Received"),
        ({"pose_dim": 3}, r"`pose_dim` must be that of `model_pe`, 2. Received"),
        ({"input_shape": (64, 32, 3)}, r"`input_shape` must be that of `model_pe`"),
        ({"num_context_per_joint": 1}, r"`num_context_per_joint` must be that.* 2\. R"),
        ({"pose_net_version": "v3"}, r"`network_version` must be one of v1, v2. Rec"),
    ],
)
def test_bad_arguments_are_named(pose_model, arguments, message):
    good = {"num_actions": 3, "input_shape": SIZE, "num_frames": 8, "num_joints": 4}
    with pytest.raises(ValueError, match=message):
        action.build_merge_model(pose_model, **{**good, "num_blocks": 2, **arguments})


@pytest.fixture(scope="module")
def pose_model():
    return build_pose()


def test_other_networks_are_refused():
    inp = keras.Input((32, 32, 3))
    with pytest.raises(ValueError, match="must be a network of deephar.models.recept"):
        action.build_frame_model(keras.Model(inp, keras.layers.Flatten()(inp)))
    with pytest.raises(ValueError, match="must not be built with old_model=True"):
        action.build_frame_model(build_pose(2, 1, old_model=True))
    wrong = build_pose(3, 1)
    sizes = (ACTIONS, SIZE, FRAMES, JOINTS, 1, 3)
    with pytest.raises(ValueError, match="`depth_maps` must be that of .* 4. Received"):
        action.build_merge_model(wrong, *sizes, depth_maps=8)


@pytest.mark.parametrize("joints", [1, 15, 17])
def test_joints_by_fours_are_made_by_zeros_behind_them(joints):
    shapes = [(2, 8, joints, size) for size in (2, 1, 6)]
    inputs = [np.ones(shape, "float32") for shape in shapes]
    head = action.build_clip_head(joints, 3, 8, 6)
    assert {tuple(y.shape) for y in head(inputs)} == {(2, 3)}
    fours = action.build_clip_head(joints + -joints % 4, 3, 8, 6)
    assert fours.count_params() == head.count_params()


@pytest.mark.parametrize("frames", [2, 13])
def test_frames_that_cannot_be_halved_twice_are_refused(frames):
    with pytest.raises(ValueError, match=f"`num_temp_frames`, rounded up.*={frames}"):
        action.build_pose_model(4, 3, frames)
    with pytest.raises(ValueError, match="`pose_dim` must be 2 or 3"):
        action.build_pose_model(4, 3, pose_dim=4)
    with pytest.raises(ValueError, match="`num_temp_frames`, rounded down.*=15"):
        action.build_visual_model(4, 3, 6, 15)
