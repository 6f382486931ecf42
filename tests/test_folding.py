import keras
import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights
from keras import layers

from deephar.inference import fold_batch_norm
from deephar.models import reception

MODELS = {
    "2d": {"dim": 2, "num_blocks": 2},
    "2d, old stem": {"dim": 2, "num_blocks": 1, "old_model": True},
    "2d, maps": {"dim": 2, "num_blocks": 1, "export_heatmaps": True},
    "3d": {"dim": 3, "num_blocks": 1, "depth_maps": 4},
    "vgg16": {"dim": 2, "num_blocks": 1, "stem": "vgg16"},
}


def norms(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, layers.BatchNormalization)
    ]


def set_random_weights(model):
    rng = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    return model


def assert_equal_outputs(model, folded, *inputs):
    x = inputs if len(inputs) > 1 else inputs[0]
    expected, found = (one(x, training=False) for one in (model, folded))
    for y, z in zip(
        keras.tree.flatten(expected), keras.tree.flatten(found), strict=True
    ):
        np.testing.assert_allclose(z, y, rtol=0, atol=1e-5 * np.abs(y).max())


@pytest.mark.parametrize("name", MODELS)
def test_a_folded_network_gives_the_same_poses_without_batch_norm(name):
    model = reception.build((64, 64, 3), 3, ksize=(5, 5), **MODELS[name])
    set_formula_weights(model)
    before = model.get_weights()
    folded = fold_batch_norm(model)
    assert norms(model) and not norms(folded)
    assert_equal_outputs(model, folded, formula_pictures())
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_inputs_outputs_and_names_stay_in_their_order():
    options = {"concat_pose_confidence": False, "export_vfeat_block": 1}
    model = reception.build((64, 64, 3), 3, dim=2, num_blocks=2, **options)
    folded = fold_batch_norm(model)
    assert folded.name == model.name
    assert [x.name for x in folded.inputs] == [x.name for x in model.inputs]
    assert folded.output_names == model.output_names
    assert [layer.name for layer in folded.layers] == [one.name for one in model.layers]
    assert folded.output_shape == model.output_shape
    kernels = [v.path for v in model.variables if v.name.endswith("kernel")]
    assert {v.path for v in folded.variables} >= set(kernels)


def test_the_models_weights_are_not_shared():
    model = reception.build((32, 32, 3), 3, dim=2, num_blocks=1)
    shared = {id(v) for v in model.variables}
    assert not shared & {id(v) for v in fold_batch_norm(model).variables}


@pytest.mark.parametrize(
    "conv",
    [
        layers.Conv2D(4, 3, strides=2, groups=2),
        layers.Conv2D(4, 1, use_bias=False, activation="linear"),
        layers.SeparableConv2D(5, 3, depth_multiplier=2),
        layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
        layers.Dense(3),
    ],
)
@pytest.mark.parametrize("parts", [(True, True), (False, False)])
def test_each_kind_is_folded_with_or_without_its_bias_offset_and_scale(conv, parts):
    x = keras.Input((8, 8, 4))
    center, scale = parts
    copy = type(conv).from_config(conv.get_config())
    norm = layers.BatchNormalization(center=center, scale=scale, epsilon=0.1)
    model = set_random_weights(keras.Model(x, norm(copy(x))))
    folded = fold_batch_norm(model)
    assert not norms(folded)
    assert folded.output_names == model.output_names
    assert_equal_outputs(model, folded, formula_pictures((2, 8, 8, 4)))


def _used_twice(x):
    y = layers.Conv2D(4, 1)(x)
    return [layers.BatchNormalization()(y), y]


def _shared(x):
    conv, norm = layers.Conv2D(4, 1), layers.BatchNormalization()
    return [norm(conv(x)), norm(conv(-x))]


def _other_axis(x):
    return layers.BatchNormalization(axis=1)(layers.Conv2D(4, 1)(x))


def _activated(x):
    return layers.BatchNormalization()(layers.Conv2D(4, 1, activation="relu")(x))


def _no_convolution(x):
    return layers.BatchNormalization()(layers.MaxPooling2D()(x))


@pytest.mark.parametrize(
    "body", [_used_twice, _shared, _other_axis, _activated, _no_convolution]
)
def test_what_no_convolution_can_take_is_a_rescaling_or_stays(body):
    x = keras.Input((8, 8, 4))
    model = set_random_weights(keras.Model(x, body(x)))
    folded = fold_batch_norm(model)
    assert len(norms(folded)) == (body is _other_axis)
    assert_equal_outputs(model, folded, formula_pictures((2, 8, 8, 4)))


def test_a_nested_model_that_is_shared_stays_shared():
    xi = keras.Input((8, 8, 4))
    part = keras.Model(xi, layers.BatchNormalization()(layers.Conv2D(4, 1)(xi)))
    set_random_weights(part)
    a, b = keras.Input((8, 8, 4), name="a"), keras.Input((8, 8, 4), name="b")
    model = keras.Model([a, b], {"p": part(a), "q": part(part(b))})
    folded = fold_batch_norm(model)
    assert len(folded.weights) == 2
    assert set(folded.output) == {"p", "q"}
    x = formula_pictures((2, 8, 8, 4))
    assert_equal_outputs(model, folded, x, 1 - x)


def test_a_mixed_network_is_folded_in_float32():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model = reception.build((32, 32, 3), 3, dim=2, num_blocks=1)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    set_formula_weights(model)
    folded = fold_batch_norm(model)
    assert folded.get_layer("rBlock1").layers[3].compute_dtype == "bfloat16"
    assert {v.dtype for v in folded.variables} == {"float32"}
    x = formula_pictures((2, 32, 32, 3))
    np.testing.assert_allclose(folded(x), model(x), atol=0.02)


def test_a_compiled_model_is_folded_too():
    model = reception.build((32, 32, 3), 3, dim=2, num_blocks=1)
    model.compile("sgd", lambda y_true, y_pred: y_pred - y_true, jit_compile=False)
    assert_equal_outputs(
        model, fold_batch_norm(model), formula_pictures((1, 32, 32, 3))
    )


def test_a_model_without_graph_is_refused():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="functional model. Received: Sequential"):
        fold_batch_norm(model)
