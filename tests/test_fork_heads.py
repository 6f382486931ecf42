"""The heads of the fork, action_2D and action_pose: values, files, parts, arguments.

tests/golden/fork.npz holds what the fork's code (Keras 2.1.4) makes of formula weights,
read from files that `checkpoints.save_weights` wrote: the two are interchangeable.
"""

import keras
import numpy as np
import pytest
from formula_weights import set_formula_weights
from tiny_merged import ACTIONS, FRAMES, JOINTS, SIZE, build_pose, formula_clips
from weight_files import assert_equal, constant

from deephar import checkpoints
from deephar.inference import ClipPredictor
from deephar.models import action, action_2D, action_pose, reception

NAMES = (*action.OUTPUTS, "mmm", "mmmvvv")
POSES = ("pose", "confidence")

# Name in tests/golden/fork.npz -> arguments of the pose network, of the merged one.
SMALL = (64, 96, 3)
MERGED = {
    "2d": (
        {"num_joints": 4, "num_blocks": 2, "num_context_per_joint": 1},
        {"num_actions": 3, "num_frames": 8, "num_blocks": 2, "output_poses": True},
    ),
    "2d_part": (
        {"num_joints": 8, "num_blocks": 3, "ksize": (5, 5)},
        {
            **{"num_actions": 5, "num_frames": 4, "num_blocks": 2},
            **{"pose_net_version": "v2", "weighted_merge": False},
        },
    ),
}
# Name there -> arguments of action_pose. The fork's maps are always 32 x 32.
HEADS = {
    "pose": {
        **{"num_actions": 3, "num_frames": 8, "num_joints": 4},
        **{"weighted_merge": False, "output_poses": True},
    },
    "pose_wide": {
        **{"num_actions": 5, "num_frames": 4, "num_joints": 8},
        **{"pose_dim": 3, "pose_net_version": "v2"},
    },
}


def arrays(path):
    with np.load(path) as file:
        return dict(file)


def found_in_frames(frames, joints, dim):
    """y, p, hs and xb1 of two clips, as the fork was given them."""
    rng, clips = np.random.RandomState(6), (2, frames)
    y = rng.uniform(0, 1, (*clips, joints, dim))
    p = rng.uniform(0, 1, (*clips, joints, 1))
    hs = np.exp(4 * rng.standard_normal((*clips, 32, 32, joints)))
    hs /= hs.sum(axis=(2, 3), keepdims=True)
    xb1 = rng.standard_normal((*clips, 32, 32, 576))
    return [x.astype("float32") for x in (y, p, hs, xb1)]


def assert_fork(golden, case, model, inputs, poses):
    values = arrays(golden / "fork.npz")
    set_formula_weights(model)
    assert len(model.weights) == values[f"{case}_tensors"]
    assert tuple(model.output_names) == (*(POSES if poses else ()), *NAMES)
    outputs = model(inputs, training=False)
    assert f"{case}_{len(outputs)}" not in values
    for i, y in enumerate(outputs):
        np.testing.assert_allclose(y, values[f"{case}_{i}"], atol=1e-5)


@pytest.mark.parametrize("case", MERGED)
def test_merged_models_give_the_outputs_of_the_fork(golden, case):
    pose, arguments = MERGED[case]
    model = action_2D.build_merge_model(
        reception.build(SMALL, dim=2, **pose),
        input_shape=SMALL,
        num_joints=pose["num_joints"],
        num_context_per_joint=pose.get("num_context_per_joint", 2),
        **arguments,
    )
    clips = formula_clips(2, (arguments["num_frames"], *SMALL))
    assert_fork(golden, case, model, clips, "output_poses" in arguments)


@pytest.mark.parametrize("case", HEADS)
def test_heads_on_poses_give_the_outputs_of_the_fork(golden, case):
    model = action_pose.build_merge_model(input_shape=(256, 256, 3), **HEADS[case])
    sizes = (HEADS[case][name] for name in ("num_frames", "num_joints"))
    found = found_in_frames(*sizes, HEADS[case].get("pose_dim", 2))
    assert_fork(golden, case, model, found, "output_poses" in HEADS[case])


# --- its files ---


@pytest.fixture(scope="module")
def models():
    """The networks of the golden files of the fork."""
    shape = (256, 256, 3)
    options = {"num_blocks": 2, "ksize": (5, 5), "concat_pose_confidence": False}
    pose = reception.build(shape, 16, 2, **options)
    merged = (pose, 5, shape, 8, 16, 2)
    return {
        "g_action2d": action_2D.build_merge_model(*merged, output_poses=True),
        "g_action_pose": action_pose.build_merge_model(5, shape, 8, 16),
    }


@pytest.mark.parametrize("name", ["g_action2d", "g_action_pose"])
def test_files_of_the_fork_give_its_outputs(shared, models, name):
    model, folder = constant(models[name]), shared / "golden" / "models" / name
    checkpoints.load_weights(model, folder / "weights.h5")
    assert not any(np.all(v.numpy() == 7.0) for v in model.weights)
    expected = arrays(folder / "output.npz")
    found = [x[:1] for x in arrays(folder / "input.npz").values()]
    outputs = model(found if len(found) > 1 else found[0], training=False)
    assert len(outputs) == len(expected)
    for i, y in enumerate(outputs):
        np.testing.assert_allclose(y, expected[f"out_{i:02d}"][:1], atol=1e-4)


@pytest.mark.parametrize("name", ["g_action2d", "g_action_pose"])
def test_files_of_the_fork_are_read_by_name_and_written_again(
    shared, models, name, tmp_path
):
    from test_original_layouts import assert_same_tensors

    path = shared / "golden" / "models" / name / "weights.h5"
    model = constant(models[name])
    checkpoints.load_weights(model, path)
    checkpoints.save_weights(model, tmp_path / "again.h5")
    assert_same_tensors(path, tmp_path / "again.h5")
    other = keras.models.clone_model(model)
    checkpoints.load_weights(constant(other), path, by_name=True)
    assert_equal(other, model)


def test_the_file_of_a_merged_model_is_no_file_of_a_head(shared, models):
    path = shared / "golden" / "models" / "g_action2d" / "weights.h5"
    with pytest.raises(ValueError, match=r"layer 1 is not the model's.*Stem"):
        checkpoints.load_weights(models["g_action_pose"], path)


# --- what pose and appearance say ---


def build_2d(**options):
    """A small model of action_2D with formula weights."""
    pose = build_pose(num_blocks=1)
    model = action_2D.build_merge_model(
        pose, ACTIONS, SIZE, FRAMES, JOINTS, 1, **options
    )
    set_formula_weights(model)
    return model


def test_without_weights_the_parts_of_m_are_the_last_blocks():
    found = dict(
        zip(NAMES, build_2d(weighted_merge=False)(formula_clips()), strict=True)
    )
    np.testing.assert_array_equal(found["mmm"], found["p4"])
    np.testing.assert_array_equal(found["mmmvvv"], found["v4"])
    assert np.abs(found["m"] - found["mmm"]).max() > 1e-3


def test_the_weights_of_m_shape_its_parts_too():
    model = build_2d()
    before = dict(zip(NAMES, model(formula_clips()), strict=True))
    head = model.get_layer("clip_head")
    weigh = head.get_layer("separable_conv2d_2").pointwise_kernel
    weigh.assign(2 * weigh.numpy())
    after = dict(zip(NAMES, model(formula_clips()), strict=True))
    changed = {n for n in NAMES if np.abs(after[n] - before[n]).max() > 1e-4}
    assert changed == {"m", "mmmvvv"}


def test_all_outputs_are_predicted_and_each_alone():
    model, clips = build_2d(output_poses=True), formula_clips()
    expected = dict(zip(model.output_names, model(clips, training=False), strict=True))
    predictor = ClipPredictor(model)
    assert predictor.names == NAMES
    found = predictor.predict_clips(clips)
    for name, y in zip(NAMES, found, strict=True):
        np.testing.assert_allclose(y, expected[name], atol=1e-5)
    alone = ClipPredictor(model, outputs=("mmm",))
    assert alone.described == ("pose", "confidence")
    np.testing.assert_allclose(
        alone.predict_clips(clips)[0], expected["mmm"], atol=1e-5
    )


def test_a_head_makes_of_described_frames_what_the_whole_makes_of_clips():
    pose = build_pose(num_blocks=2)
    sizes = {"num_frames": FRAMES, "num_joints": JOINTS, "output_poses": True}
    whole = action_2D.build_merge_model(pose, ACTIONS, SIZE, num_blocks=1, **sizes)
    set_formula_weights(whole)
    head = action_pose.build_merge_model(ACTIONS, SIZE, **sizes)
    head.get_layer("clip_head").set_weights(whole.get_layer("clip_head").get_weights())
    frame_model, clips = action_pose.build_frame_model(pose, 1), formula_clips()
    found = frame_model(clips.reshape(-1, *SIZE), training=False)
    found = [np.array(x).reshape(2, FRAMES, *x.shape[1:]) for x in found]
    np.testing.assert_allclose(found[2].sum(axis=(2, 3)), 1, atol=1e-5)
    expected = whole(clips, training=False)
    for y, other in zip(head(found, training=False), expected, strict=True):
        np.testing.assert_allclose(y, other, atol=1e-5)


# --- learning and arguments ---


def test_a_head_learns_by_the_loss_of_the_actions():
    head = action_pose.build_merge_model(ACTIONS, SIZE, 4, 4)
    action_pose.compile(head, lr=0.1)
    head.run_eagerly = True
    before = head.get_weights()
    found = [np.full((2, *x.shape[1:]), 0.1, "float32") for x in head.inputs]
    labels = np.eye(ACTIONS, dtype="float32")[[0, 1]]
    loss, *more = head.train_on_batch(found, [labels] * len(NAMES))
    assert np.isfinite(loss) and len(more) >= len(NAMES)
    steps = [
        np.abs(v.numpy() - old).max()
        for v, old in zip(head.weights, before, strict=True)
    ]
    assert sum(step > 1e-6 for step in steps) > 40


def test_arguments_out_of_range_are_named():
    pose = build_pose(num_blocks=1)
    with pytest.raises(
        ValueError, match="`pose_dim` must be 2; .*Received: pose_dim=3"
    ):
        action_2D.build_merge_model(pose, ACTIONS, SIZE, FRAMES, JOINTS, 1, pose_dim=3)
    for arguments, message in (
        ((3, (100, 100, 3), 8, 4), "multiples of 32. Received: input_shape=.100, "),
        ((3, SIZE, None, 4), "`num_frames` must be at least 1. .*num_frames=None"),
        ((0, SIZE, 8, 4), "`num_actions` must be at least 1. .*num_actions=0"),
    ):
        with pytest.raises(ValueError, match=message):
            action_pose.build_merge_model(*arguments)
