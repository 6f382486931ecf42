"""Shared blocks and entry flows: values of the original, shapes, names."""

import keras
import numpy as np
import pytest

from deephar.layers import LayerNames
from deephar.models import blocks


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "layers.npz") as file:
        return dict(file)


def count_of(model, kind):
    return sum(isinstance(layer, kind) for layer in model.layers)


@pytest.mark.parametrize(
    "model, inputs, expected",
    [
        (blocks.build_softargmax_2d((32, 32, 4), name="SAM"), ["hh"], "SAM2d"),
        (blocks.build_softargmax_2d((32, 32, 4), rho=0.01), ["hh"], "SAM2d_rho"),
        (blocks.build_softargmax_1d((16, 5), name="zSAM"), ["hz"], "SAM1d"),
        (blocks.build_joints_probability((32, 32, 4)), ["hh"], "jProb"),
        (blocks.build_context_aggregation(4, 2, 0.8), ["ys", "yc", "pc"], "agg"),
        (
            blocks.build_context_aggregation(4, 2, 0.8, num_frames=3),
            ["ys5", "yc5", "pc5"],
            "agg5",
        ),
    ],
)
def test_weightless_models_are_the_original(values, model, inputs, expected):
    x = [values[name] for name in inputs]
    y = model(x if len(x) > 1 else x[0])
    np.testing.assert_allclose(y, values[expected], rtol=1e-5, atol=1e-6)
    assert not model.weights


def test_softargmax_with_rho_adds_the_kl_loss(values):
    model = blocks.build_softargmax_2d((32, 32, 4), rho=0.01)
    model(values["hh"])
    assert len(model.losses) == 1 and float(model.losses[0]) != 0


@pytest.mark.parametrize("stem", [blocks.stem_inception_v4, blocks.stem_residual_eccv])
@pytest.mark.parametrize("image_div", [4, 8, 16, 32])
def test_stems_divide_the_sides(stem, image_div):
    channels = {
        blocks.stem_inception_v4: {4: 448, 8: 576, 16: 576, 32: 576},
        blocks.stem_residual_eccv: {4: 256, 8: 384, 16: 512, 32: 512},
    }[stem][image_div]
    inp = keras.Input((64, 96, 3), name="picture")
    first = keras.Model(inp, stem(inp, image_div, name=LayerNames()))
    second = keras.Model(inp, stem(inp, image_div, name=LayerNames()))
    shape = (None, 64 // image_div, 96 // image_div, channels)
    assert first.output_shape == shape
    assert [x.name for x in first.layers] == [x.name for x in second.layers]


@pytest.mark.parametrize("stem", [blocks.stem_inception_v4, blocks.stem_residual_eccv])
def test_stems_refuse_another_division(stem):
    with pytest.raises(ValueError, match="`image_div` must be 4, 8, 16 or 32"):
        stem(keras.Input((64, 64, 3)), image_div=2)


def test_resnet_blocks_keep_or_project_the_shortcut():
    inp = keras.Input((8, 8, 6))
    projected = blocks.conv_block(inp, (3, 3), (4, 4, 10))
    kept = blocks.identity_block(inp, (3, 3), (4, 4, 6), last_act=False)
    assert projected.shape == (None, 8, 8, 10) and kept.shape == (None, 8, 8, 6)
    assert count_of(keras.Model(inp, projected), keras.layers.Conv2D) == 4
    model = keras.Model(inp, kept)
    assert count_of(model, keras.layers.Conv2D) == 3
    assert isinstance(model.layers[-1], keras.layers.Add)


@pytest.mark.parametrize("levels", [2, 3])
def test_reception_block_keeps_the_shape(levels):
    inp = keras.Input((16, 16, 8))
    x = blocks.reception_block(inp, levels, (3, 3), name=LayerNames())
    model = keras.Model(inp, x)
    assert model.output_shape == (None, 16, 16, 8)
    assert count_of(model, keras.layers.MaxPooling2D) == levels - 1
    with pytest.raises(ValueError, match="`num_levels` must be at least 2"):
        blocks.reception_block(inp, 1, (3, 3))


def regressor(dim, num_maps):
    shape = (4, 5, 3)
    inp = keras.Input(shape)
    sam = keras.Model(inp, blocks.lin_interpolation_2d(inp, 0), name="x")
    both = keras.layers.Concatenate()([sam(inp), sam(inp)])
    sam2 = keras.Model(inp, both, name="sam")
    prob = blocks.build_joints_probability(shape, name="prob", form="sigmoid")
    return blocks.build_keypoints_regressor(shape, dim, num_maps, sam2, prob)


def test_keypoints_regressor_weighs_maps_by_probability():
    model = regressor(2, 2)
    h = np.zeros((2, 1, 4, 5, 3), "float32")
    h[0, :, 1, 0] = 50
    h[1, :, 1, 4] = 50
    pose, probability = model(list(h))
    np.testing.assert_allclose(pose, np.full((1, 3, 2), 0.5), atol=1e-5)
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-1)), rtol=1e-5)


def test_keypoints_regressor_reads_depth_under_the_heat_map():
    model = regressor(3, 1)
    h = np.zeros((1, 4, 5, 3), "float32")
    d = np.full((1, 4, 5, 3), -9.0, "float32")
    h[:, 1, 2], d[:, 1, 2] = 50, 0
    pose, _ = model([h, d])
    np.testing.assert_allclose(pose, np.full((1, 3, 3), 0.5), atol=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [((2, 0), "`num_maps` must be at least 1"), ((4, 1), "`dim` must be 2 or 3")],
)
def test_keypoints_regressor_names_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        regressor(*arguments)
