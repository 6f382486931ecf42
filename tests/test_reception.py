"""The reception network: values of the original, outputs, names, arguments."""

import h5py
import keras
import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights

from deephar import checkpoints
from deephar.models import reception

SMALL = (64, 64, 3)
LARGE = {
    "input_shape": (256, 256, 3),
    "num_joints": 16,
    "dim": 2,
    "num_blocks": 2,
    "num_context_per_joint": 2,
    "ksize": (5, 5),
    "joint_probability": "window",
}

# Name in tests/golden/reception.npz -> arguments of build.
FORMULA_MODELS = {
    "2d": {"dim": 2, "num_blocks": 2},
    "2d_old": {
        "dim": 2,
        "num_blocks": 1,
        "num_context_per_joint": 1,
        "old_model": True,
        "alpha": 0.5,
        "concat_pose_confidence": False,
    },
    "2d_maps": {
        "dim": 2,
        "num_blocks": 2,
        "ksize": (5, 5),
        "export_heatmaps": True,
        "export_vfeat_block": 1,
    },
    "2d_zero": {"dim": 2, "num_blocks": 2, "num_context_per_joint": 0},
    "2d_wide": {"dim": 2, "num_blocks": 1, "input_shape": (32, 96, 3)},
    "3d": {"dim": 3, "num_joints": 5, "num_blocks": 2, "depth_maps": 8},
}

# Folder in shared/golden/models -> folder of its weights, arguments of build.
PUBLISHED_MODELS = {
    "a_rec2d": ("a_rec2d", {**LARGE, "concat_pose_confidence": False}),
    "a_rec2d_concat": ("a_rec2d_concat", LARGE),
    "a_rec2d_heatmaps": (
        "a_rec2d",
        {**LARGE, "concat_pose_confidence": False, "export_heatmaps": True},
    ),
    "a_rec2d_oldmodel": (
        "a_rec2d_oldmodel",
        {**LARGE, "concat_pose_confidence": False, "old_model": True},
    ),
    "g_cvpr18_rec2d": (
        "g_cvpr18_rec2d",
        {**LARGE, "concat_pose_confidence": False, "joint_probability": "sigmoid"},
    ),
    "b_rec3d": (
        "b_rec3d",
        {
            "input_shape": (256, 256, 3),
            "num_joints": 17,
            "dim": 3,
            "num_blocks": 2,
            "depth_maps": 16,
            "ksize": (5, 5),
            "concat_pose_confidence": False,
        },
    ),
}

PARAMETERS = {
    (2, 2): 4_545_600 - 101_376,
    (2, 8): 14_847_936 - 101_376,
    (3, 2): 4_871_314 - 40_018,
    (3, 8): 16_721_938 - 40_018,
}


def arrays(path):
    with np.load(path) as file:
        return dict(file)


def small(**kwargs):
    return reception.build(**{"input_shape": SMALL, "num_joints": 6, **kwargs})


def tiny(**kwargs):
    return reception.build((32, 32, 3), 2, **{"dim": 2, "num_blocks": 1, **kwargs})


def outputs_of(model, x):
    outputs = model(x, training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [keras.ops.convert_to_numpy(y) for y in outputs]


def all_names(model):
    names = []
    for layer in model.layers:
        names.append(layer.name)
        if isinstance(layer, keras.Model):
            names += [f"{layer.name}/{name}" for name in all_names(layer)]
    return names


@pytest.mark.parametrize(
    "branch, case",
    [("master", case) for case in FORMULA_MODELS]
    + [("cvpr18", case) for case in ("2d", "2d_zero", "3d")],
)
def test_formula_weights_give_the_outputs_of_the_original(golden, branch, case):
    values = arrays(golden / "reception.npz")
    form = {"master": "window", "cvpr18": "sigmoid"}[branch]
    model = small(**FORMULA_MODELS[case], joint_probability=form)
    set_formula_weights(model)
    if branch == "cvpr18" and case == "3d":
        model.get_layer("zSAM").get_layer("conv1d_1").positions = "ends"
    outputs = outputs_of(model, formula_pictures((2, *model.input_shape[1:])))
    assert f"{branch}_{case}_{len(outputs)}" not in values
    for i, y in enumerate(outputs):
        y = y[:, ::2, ::2, ::16] if y.shape[-1] == 576 else y
        np.testing.assert_allclose(y, values[f"{branch}_{case}_{i}"], atol=1e-4)


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_published_layout_gives_the_outputs_of_the_original(shared, name):
    weights, arguments = PUBLISHED_MODELS[name]
    folder = shared / "golden" / "models"
    model = reception.build(**arguments)
    for variable in model.weights:
        variable.assign(np.full(variable.shape, 7.0))
    checkpoints.load_weights(model, folder / weights / "weights.h5")
    assert not any(np.all(v.numpy() == 7.0) for v in model.weights)
    expected = arrays(folder / name / "output.npz")
    outputs = outputs_of(model, arrays(folder / name / "input.npz")["in_0"])
    assert len(outputs) == len(expected)
    for i, y in enumerate(outputs):
        np.testing.assert_allclose(y, expected[f"out_{i:02d}"], atol=1e-4)


def test_first_batch_moves_the_batch_norm_statistics_by_its_momentum(shared):
    values = arrays(shared / "golden" / "train_rec2d.npz")
    model = reception.build(**{**LARGE, "num_blocks": 1})
    norm = model.get_layer("Stem").get_layer("batch_normalization_1")
    kernel = model.get_layer("Stem").get_layer("conv2d_1").kernel
    path = shared / "golden" / "models" / "a_rec2d_concat" / "weights.h5"
    with h5py.File(path) as file:
        kernel.assign(file["Stem/conv2d_1/kernel:0"][...])
    norm.moving_mean.assign(values["bn1_before_mean"])
    model(values["x"], training=True)
    expected = 0.99 * values["bn1_before_mean"] + 0.01 * values["bn1_batch_mean"]
    np.testing.assert_allclose(norm.moving_mean.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("dim, blocks", PARAMETERS)
def test_parameter_counts_are_the_original_ones_without_constants(dim, blocks):
    joints = {2: 16, 3: 17}[dim]
    model = reception.build((256, 256, 3), joints, dim, num_blocks=blocks, ksize=(5, 5))
    assert model.count_params() == PARAMETERS[dim, blocks]


def test_building_prints_nothing(capfd):
    tiny()
    capfd.readouterr()
    reception.build((256, 256, 3), 16, dim=2, num_blocks=8, ksize=(5, 5))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dim", [2, 3])
def test_building_twice_gives_equal_names(dim):
    first, second = (
        small(dim=dim, num_blocks=2, export_heatmaps=True, export_vfeat_block=2)
        for _ in range(2)
    )
    assert all_names(first) == all_names(second)
    paths = [v.path for v in first.weights]
    assert paths == [v.path for v in second.weights]
    assert len(paths) == len(set(paths))
    names = [name for name in all_names(first) if "/" not in name]
    assert len(names) == len(set(names))


def test_blocks_and_their_layers_have_the_names_of_the_original():
    names = set(all_names(small(dim=2, num_blocks=2)))
    blocks = {f"{kind}{n}" for kind in ("rBlock", "SepConv", "RegMap") for n in (1, 2)}
    blocks |= {"Stem", "fReMap1", "sSAM", "cSAM", "Agg", "sjProb", "cjProb"}
    assert blocks <= names
    assert "fReMap2" not in names
    assert {"Stem/conv2d_11", "Stem/sepconv1_shortcut_conv"} <= names
    assert {"rBlock2/sepconv_l2_3_shortcut", "rBlock2/conv2d_1"} <= names
    assert {"zSAM", "sSAM"} <= set(all_names(small(dim=3, num_blocks=1)))


@pytest.mark.parametrize(
    "arguments, shapes",
    [
        ({}, [(6, 3), (6, 3)]),
        ({"dim": 3}, [(6, 4), (6, 4)]),
        ({"concat_pose_confidence": False}, [(6, 2), (6, 1)] * 2),
        ({"export_heatmaps": True}, [(6, 3), (8, 12, 6)] * 2),
        ({"dim": 3, "export_heatmaps": True}, [(6, 4), (8, 12, 6)] * 2),
        ({"export_vfeat_block": 1}, [(6, 3), (6, 3), (8, 12, 576)]),
        ({"num_context_per_joint": 0}, [(6, 3), (6, 3)]),
        ({"old_model": True, "export_vfeat_block": 2}, [(6, 3)] * 2 + [(8, 12, 512)]),
        ({"stem": "vgg16"}, [(6, 3), (6, 3)]),
    ],
)
def test_outputs_come_in_the_order_of_the_original(arguments, shapes):
    arguments = {"dim": 2, "num_blocks": 2, "input_shape": (64, 96, 3), **arguments}
    model = small(**arguments)
    assert [tuple(y.shape[1:]) for y in model.outputs] == shapes


@pytest.mark.parametrize(
    "arguments",
    [
        {"dim": 2, "export_heatmaps": True, "export_vfeat_block": 1},
        {"dim": 2, "num_context_per_joint": 0, "export_heatmaps": True},
        {"dim": 3, "export_heatmaps": True, "concat_pose_confidence": False},
        {"dim": 2, "stem": "vgg16"},
    ],
)
def test_outputs_are_float32_under_mixed_precision(arguments):
    plain = tiny(**arguments)
    set_formula_weights(plain)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = tiny(**arguments)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    set_formula_weights(model)
    conv = model.get_layer("RegMap1").get_layer("conv2d_1")
    assert conv.compute_dtype == "bfloat16"
    x = formula_pictures((1, 32, 32, 3))
    for mixed, full in zip(outputs_of(model, x), outputs_of(plain, x), strict=True):
        assert mixed.dtype == np.float32
        if mixed.ndim == 3:
            np.testing.assert_allclose(mixed[..., :2], full[..., :2], atol=0.1)


def test_vgg_stem_has_the_layers_of_keras_applications():
    stem = tiny(stem="vgg16").get_layer("Stem")
    published = keras.applications.VGG16(weights=None, include_top=False)
    for block, convs in ((1, 2), (2, 2), (3, 3)):
        for i in range(1, convs + 1):
            name = f"block{block}_conv{i}"
            theirs = published.get_layer(name)
            stem.get_layer(name).set_weights(theirs.get_weights())
    picture = formula_pictures((1, 32, 32, 3))
    ours = keras.Model(stem.input, stem.get_layer("block3_pool").output)
    theirs = keras.Model(published.input, published.get_layer("block3_pool").output)
    expected = outputs_of(
        theirs, keras.applications.vgg16.preprocess_input((picture + 1) * 127.5)
    )
    np.testing.assert_allclose(
        outputs_of(ours, picture)[0], expected[0], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"dim": 4}, r"`dim` must be 2 or 3. Received: dim=4"),
        ({"num_joints": 0}, r"`num_joints` must be at least 1. Received: num_joints=0"),
        ({"num_blocks": 0}, r"`num_blocks` must be at least 1"),
        ({"depth_maps": -1}, r"`depth_maps` must be at least 1"),
        ({"input_shape": (64, 65, 3)}, r"multiples of 32. Received: input_shape"),
        ({"input_shape": (64, 64)}, r"`input_shape` must be \(rows, cols, channels\)"),
        ({"input_shape": (0, 64, 3)}, r"multiples of 32"),
        ({"input_shape": (None, None, 3)}, r"multiples of 32"),
        ({"num_context_per_joint": -1}, r"None or at least 0"),
        ({"dim": 3, "num_context_per_joint": 2}, r"3D has no context maps"),
        ({"joint_probability": "max"}, r"`joint_probability` must be one of sigmoid"),
        ({"stem": "resnet"}, r"`stem` must be one of inception, vgg16"),
        ({"stem": "vgg16", "old_model": True}, r"`old_model` is only for"),
        ({"stem": "vgg16", "input_shape": (64, 64, 1)}, r"three channels"),
        ({"export_vfeat_block": 3}, r"`export_vfeat_block` must lie in 1 \.\.\. 2"),
        ({"ksize": (0, 3)}, r"`ksize` must be"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**{"dim": 2, "num_blocks": 2, **arguments})


def test_three_dimensions_accept_zero_context():
    assert small(dim=3, num_blocks=1, num_context_per_joint=0).count_params() > 0


def test_compile_gives_a_target_for_every_output_and_trains():
    model = tiny(num_blocks=2, concat_pose_confidence=False)
    pose = np.full((4, 2, 2), 0.5, "float32")
    visible = np.ones((4, 2, 1), "float32")
    targets = reception.compile(model, pose, visible)
    assert [t.shape for t in targets] == [(4, 2, 2), (4, 2, 1)] * 2
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    assert model.jit_compile is False
    before = model.get_layer("RegMap2").get_weights()[0]
    x = formula_pictures((4, 32, 32, 3))
    history = model.fit(x, targets, batch_size=4, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    assert np.any(model.get_layer("RegMap2").get_weights()[0] != before)


def test_compile_refuses_poses_and_confidences_in_one_output():
    with pytest.raises(ValueError, match="concat_pose_confidence=False"):
        reception.compile(tiny(num_blocks=2), None, None)


def test_one_depth_map_and_numpy_integers_are_fine():
    model = reception.build((32, 32, 3), np.int64(2), 3, num_blocks=1, depth_maps=1)
    pose = model(np.zeros((1, 32, 32, 3), np.float32), training=False)[0]
    np.testing.assert_allclose(pose[:, 2], 0.5, atol=1e-6)
