"""The networks of actions against the original: values, numbers, files."""

import numpy as np
import pytest
from formula_weights import set_formula_weights
from tiny_merged import formula_clips

from deephar import checkpoints
from deephar.checkpoints import KNOWN
from deephar.models import action, reception

# Folder in shared/golden/models -> joint probability, dim, joints, actions, context
# maps, version of the pose network.
PUBLISHED_MODELS = {
    "d_merge2d_poses": ("window", 2, 16, 15, 2, "v1"),
    "g_cvpr18_merge2d": ("sigmoid", 2, 16, 15, 2, "v1"),
    "e_merge3d": ("sigmoid", 3, 20, 60, 0, "v2"),
}

# Name in tests/golden/action.npz -> arguments of the pose network, of the merged one.
SMALL = (64, 96, 3)
FORMULA_MODELS = {
    "2d": (
        {"num_joints": 4, "dim": 2, "num_blocks": 2, "num_context_per_joint": 1},
        {"num_actions": 3, "num_frames": 8},
    ),
    "2d_part": (
        {"num_joints": 8, "dim": 2, "num_blocks": 3, "ksize": (5, 5)},
        {
            "num_actions": 5,
            "num_frames": 4,
            "num_blocks": 2,
            "pose_net_version": "v2",
            "weighted_merge": False,
        },
    ),
    "3d": (
        {"num_joints": 4, "dim": 3, "num_blocks": 3, "depth_maps": 4},
        {
            "num_actions": 3,
            "num_frames": 8,
            "pose_net_version": "v2",
            "weighted_merge": False,
        },
    ),
    "3d_wide": (
        {"num_joints": 8, "dim": 3, "num_blocks": 2, "depth_maps": 2},
        {"num_actions": 4, "num_frames": 4},
    ),
}

# The constants that the published files hold and our layers do not: of soft-argmax in
# the picture, over depth, and of the context aggregation.
SAM = {16: 2 * (32 * 32 * 16 + 16 * 16), 20: 2 * (32 * 32 * 20 + 20 * 20)}
PARAMETERS = {
    "penn_merge": 12_906_496 - SAM[16] - 2 * (32 * 32 * 32 + 32 * 32) - 32 * 16,
    "ntu_merge": 16_988_568 - SAM[20] - 8 * 20 * 20,
}


def arrays(path):
    with np.load(path) as file:
        return dict(file)


def build_published(name):
    form, dim, joints, actions, context, version = PUBLISHED_MODELS[name]
    shape = (256, 256, 3)
    pose = reception.build(
        *(shape, joints, dim),
        num_blocks=2,
        depth_maps=8,
        ksize=(5, 5),
        concat_pose_confidence=False,
        joint_probability=form,
    )
    return action.build_merge_model(
        *(pose, actions, shape, 8, joints, 2, dim),
        num_context_per_joint=context,
        pose_net_version=version,
        output_poses=True,
    )


def small_pose(branch, **arguments):
    form = {"master": "window", "cvpr18": "sigmoid"}[branch]
    return reception.build(SMALL, **arguments, joint_probability=form)


def assert_original(golden, case, model, inputs):
    """A model with formula weights gives the values of the original."""
    values = arrays(golden / "action.npz")
    set_formula_weights(model)
    assert len(model.weights) == values[f"{case}_tensors"]
    outputs = model(inputs, training=False)
    assert f"{case}_{len(outputs)}" not in values
    for i, y in enumerate(outputs):
        np.testing.assert_allclose(y, values[f"{case}_{i}"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "branch, case",
    [("master", "2d"), *(("cvpr18", case) for case in FORMULA_MODELS)],
)
def test_formula_weights_give_the_outputs_of_the_original(golden, branch, case):
    pose_arguments, arguments = FORMULA_MODELS[case]
    pose = small_pose(branch, **pose_arguments)
    if "3d" in case:
        pose.get_layer("zSAM").get_layer("conv1d_1").positions = "ends"
    model = action.build_merge_model(
        pose,
        **{
            "input_shape": SMALL,
            "num_joints": pose_arguments["num_joints"],
            "num_blocks": pose_arguments["num_blocks"],
            "pose_dim": pose_arguments["dim"],
            "depth_maps": pose_arguments.get("depth_maps", 8),
            "num_context_per_joint": pose_arguments.get("num_context_per_joint", 2),
            "output_poses": True,
            **arguments,
        },
    )
    clips = formula_clips(2, (arguments["num_frames"], *SMALL))
    assert_original(golden, f"{branch}_{case}", model, clips)


def test_the_guided_visual_model_gives_the_outputs_of_the_original(golden):
    # The original's builder crashes: it was given one argument less.
    pose = small_pose("cvpr18", **FORMULA_MODELS["2d"][0])
    model = action.build_guided_visual_model(pose, 3, SMALL, 8, 4, 2, 1)
    clips = formula_clips(2, (8, *SMALL))
    assert_original(golden, "cvpr18_guided", model, clips)


def test_the_networks_of_clips_alone_give_the_outputs_of_the_original(golden):
    rng = np.random.RandomState(9)
    pose = rng.uniform(0, 1, (2, 8, 7, 3)).astype("float32")
    confidence = rng.uniform(0, 1, (2, 8, 7, 1)).astype("float32")
    features = rng.standard_normal((2, 8, 5, 6)).astype("float32")
    for version in ("v1", "v2"):
        model = action.build_pose_model(7, 5, 8, 3, network_version=version)
        case = f"cvpr18_pose_{version}"
        assert_original(golden, case, model, [pose, confidence])
    model = action.build_visual_model(5, 5, 6, 8)
    assert_original(golden, "cvpr18_visual", model, features)


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_published_layout_gives_the_outputs_of_the_original(shared, name):
    model, folder = build_published(name), shared / "golden" / "models" / name
    for variable in model.weights:
        variable.assign(np.full(variable.shape, 7.0))
    checkpoints.load_weights(model, folder / "weights.h5")
    assert not any(np.all(v.numpy() == 7.0) for v in model.weights)
    expected = arrays(folder / "output.npz")
    outputs = model(arrays(folder / "input.npz")["in_0"][:1], training=False)
    assert len(outputs) == len(expected) == 11
    for i, y in enumerate(outputs):
        # The window form sums raw maps: its confidences go up to some hundreds.
        np.testing.assert_allclose(y, expected[f"out_{i:02d}"][:1], 1e-5, atol=1e-4)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_counts_are_the_original_ones_without_constants(name):
    assert KNOWN[name].network.build().count_params() == PARAMETERS[name]


def test_a_saved_file_has_the_layers_and_tensors_of_the_original(shared, tmp_path):
    from test_original_layouts import assert_same_tensors, groups_of_file

    path = shared / "golden" / "models" / "d_merge2d_poses" / "weights.h5"
    model = build_published("d_merge2d_poses")
    checkpoints.load_weights(model, path)
    checkpoints.save_weights(model, tmp_path / "again.h5")
    assert_same_tensors(path, tmp_path / "again.h5")
    theirs, ours = (
        [layer for _, layers in groups_of_file(file) for layer, _ in layers]
        for file in (path, tmp_path / "again.h5")
    )
    assert len(theirs) == len(ours) == len(set(ours))
