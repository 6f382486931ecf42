"""Layers and helpers: values of the original, names, clips, files, dtypes."""

import keras
import numpy as np
import pytest

from deephar import layers as L
from deephar.models import blocks


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "layers.npz") as file:
        return dict(file)


@pytest.fixture
def half_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


def names_of(model):
    return [layer.name for layer in model.layers[1:]]


def helper_model(helper, shape, *args, **kwargs):
    inp = keras.Input(shape)
    return keras.Model(inp, helper(inp, *args, **kwargs))


@pytest.mark.parametrize(
    "function, inputs, expected",
    [
        (L.max_min_pooling, "h", "max_min_pooling"),
        (L.max_min_pooling, "h9", "max_min_pooling_odd"),
        (L.global_max_min_pooling, "h", "global_max_min_pooling"),
        (L.softargmax2d, "softmax2d", "softargmax2d"),
        (L.softargmax2d, "softmax2d_5", "softargmax2d_5"),
        (L.keypoint_confidence, "softmax2d", "keypoint_confidence"),
        (L.keypoint_confidence, "softmax2d_5", "keypoint_confidence_5"),
        (L.lin_interpolation_1d, "softmax1d", "lin_interpolation_1d"),
        (L.act_channel_softmax, "h5", "softmax2d_5"),
        (L.act_depth_softmax, "h1", "softmax1d"),
    ],
)
def test_weightless_layers_are_the_original(values, function, inputs, expected):
    y = np.asarray(function(values[inputs]))
    np.testing.assert_allclose(y, values[expected], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "maps, features, expected",
    [("h5", "feat", "kronecker"), ("h", "feat4", "kronecker4")],
)
def test_kronecker_product_is_the_original(values, maps, features, expected):
    y = np.asarray(L.kronecker_prod(values[maps], values[features]))
    np.testing.assert_allclose(y, values[expected], rtol=1e-5, atol=1e-4)


def test_kronecker_product_refuses_unequal_axes(values):
    with pytest.raises(ValueError, match="both have four or five axes"):
        L.KroneckerProduct().compute_output_shape([(1, 2, 2, 3), (1, 2, 2, 2, 3)])


def test_soft_argmax_follows_the_peak_from_corner_to_corner():
    h = np.zeros((2, 3, 5, 1), "float32")
    h[0, 0, 0] = h[1, 2, 4] = 1
    np.testing.assert_allclose(L.softargmax2d(h), [[[0, 0]], [[1, 1]]])


@pytest.mark.parametrize(
    "positions, expected", [("centers", [0.125, 0.875]), ("ends", [0.0, 1.0])]
)
def test_depth_positions_are_centres_or_ends_of_the_bins(positions, expected):
    h = np.zeros((2, 4, 1), "float32")
    h[0, 0] = h[1, 3] = 1
    z = L.lin_interpolation_1d(h, positions=positions)
    np.testing.assert_allclose(np.ravel(z), expected)


def test_joint_probability_has_two_forms():
    h = np.zeros((1, 3, 3, 1), "float32")
    h[0, 1, 1] = 2
    h[0, 0, 0] = 1
    sigmoid = L.JointProbability("sigmoid")(h)
    np.testing.assert_allclose(np.ravel(sigmoid), 1 / (1 + np.exp(-2)), rtol=1e-6)
    np.testing.assert_allclose(np.ravel(L.JointProbability("window")(h)), 3)


def test_context_aggregation_is_a_weighted_mean():
    ys = np.array([[[0.0, 1.0]]], "float32")
    yc = np.array([[[0.2, 0.4], [0.6, 0.8]]], "float32")
    pc = np.array([[[1.0], [3.0]]], "float32")
    y = L.ContextAggregation(2, alpha=0.5)([ys, yc, pc])
    np.testing.assert_allclose(y, [[[0.25, 0.85]]], rtol=1e-6)


def test_kl_regulariser_passes_maps_and_adds_a_loss():
    layer = L.KLDivergenceRegularizer(rho=0.1)
    y = np.full((2, 2, 2, 1), 0.25, "float32")
    y[1] = np.reshape([1, 0, 0, 0], (2, 2, 1))
    np.testing.assert_array_equal(layer(y), y)
    expected = 0.1 * np.log(0.25) / 4
    np.testing.assert_allclose(layer.losses[0], expected, rtol=1e-5)


def test_positions_are_parted_by_probability():
    y, p = np.array([[[2.0, 4.0]]]), np.array([[[0.25]]])
    parted = L.aggregate_position_probability([y, p])
    np.testing.assert_allclose(parted, [[[0.5, 1.0, 1.5, 3.0]]])


def test_fc_aggregation_block_has_two_dense_layers():
    y, p = keras.Input((5, 2)), keras.Input((5, 1))
    model = keras.Model([y, p], L.fc_aggregation_block(y, p, name="fc"))
    assert names_of(model)[1:] == ["fc", "fc_fc1", "fc_act", "fc_fc2"]
    assert model.output_shape == (None, 5, 2)
    assert model.count_params() == 4 * 4 + 4 * 2 + 2


def test_sparse_mapping_picks_channels():
    y = L.sparse_fc_mapping(np.array([[1.0, 2.0, 3.0]]), [2, 0])
    np.testing.assert_array_equal(y, [[3.0, 1.0]])
    with pytest.raises(ValueError, match=r"Indices must lie in \[0, 3\)"):
        L.sparse_fc_mapping(np.zeros((1, 3)), [3])


def test_volume_maps_are_averaged_over_depth_and_picture():
    h = np.random.RandomState(0).rand(2, 3, 4, 10).astype("float32")
    hxy, hz = L.SplitVolume(depth_maps=5)(h)
    volume = h.reshape(2, 3, 4, 5, 2)
    np.testing.assert_allclose(hxy, volume.mean(axis=3), rtol=1e-6)
    np.testing.assert_allclose(hz, volume.mean(axis=(1, 2)), rtol=1e-6)


NAMES = {
    L.conv_bn: ["n_conv", "n"],
    L.conv_act: ["n_conv", "n"],
    L.conv_bn_act: ["n_conv", "n_bn", "n"],
    L.bn_act_conv: ["n_bn", "n_act", "n"],
    L.act_conv_bn: ["n_act", "n_conv", "n"],
    L.act_conv: ["n_act", "n"],
    L.separable_conv_bn: ["n_conv", "n"],
    L.separable_conv_bn_act: ["n_conv", "n_bn", "n"],
    L.separable_act_conv_bn: ["n_act", "n_conv", "n"],
}


@pytest.mark.parametrize("helper", NAMES, ids=lambda helper: helper.__name__)
def test_helpers_name_their_layers_as_the_original(helper):
    model = helper_model(helper, (8, 8, 4), 6, (3, 3), strides=(2, 2), name="n")
    assert names_of(model) == NAMES[helper]
    assert model.output_shape == (None, 4, 4, 6)
    convs = [layer for layer in model.layers if hasattr(layer, "use_bias")]
    assert not any(layer.use_bias for layer in convs)
    numbered = helper_model(helper, (8, 8, 4), 6, (3, 3), name=L.LayerNames())
    assert all(name.endswith("_1") for name in names_of(numbered))


@pytest.mark.parametrize(
    "helper, shape",
    [
        (lambda x, name: L.conv2d(x, 4, (3, 3), name=name), (6, 6, 3)),
        (lambda x, name: L.sepconv2d(x, 4, (3, 3), name=name), (6, 6, 3)),
        (lambda x, name: L.conv2dtranspose(x, 4, (2, 2), (2, 2), name=name), (6, 6, 3)),
        (lambda x, name: L.deconv(x, 4, (2, 2), name=name), (6, 6, 3)),
        (lambda x, name: L.maxpooling2d(x, name=name), (5, 6, 3)),
        (lambda x, name: L.upsampling2d(x, name=name), (5, 6, 3)),
        (lambda x, name: L.conv_bn_act(x, 4, (3, 3), name=name), (5, 6, 3)),
        (lambda x, name: L.localconv1d(x, 4, 3, strides=2, name=name), (9, 3)),
    ],
)
def test_clips_go_through_frame_by_frame(helper, shape):
    picture = keras.Model(inp := keras.Input(shape), helper(inp, "n"))
    clip = keras.Model(inp := keras.Input((3, *shape)), helper(inp, "n"))
    clip.set_weights(picture.get_weights())
    assert "n" in names_of(clip)
    x = np.random.RandomState(0).rand(2, 3, *shape).astype("float32")
    expected = picture(x.reshape(6, *shape))
    np.testing.assert_allclose(
        np.reshape(clip(x), expected.shape), expected, rtol=1e-5, atol=1e-6
    )


def test_locally_connected_kernel_differs_from_place_to_place():
    layer = L.LocallyConnected1D(2, 3, strides=2)
    x = np.random.RandomState(0).rand(4, 9, 5).astype("float32")
    y = layer(x)
    kernel, bias = layer.get_weights()
    assert kernel.shape == (4, 15, 2) and bias.shape == (4, 2)
    for place in range(4):
        window = x[:, 2 * place : 2 * place + 3].reshape(4, 15)
        np.testing.assert_allclose(y[:, place], window @ kernel[place], atol=1e-5)
    with pytest.raises(ValueError, match="`kernel_size` must not exceed"):
        L.LocallyConnected1D(2, 10)(x)


def test_relu_may_leak():
    np.testing.assert_allclose(L.relu(np.array([-2.0, 3.0])), [0, 3])
    np.testing.assert_allclose(L.relu(np.array([-2.0, 3.0]), True), [-0.2, 3])


def test_dense_helpers_penalise_their_kernel():
    model = helper_model(L.bn_act_dense, (3,), 2, name="d")
    assert names_of(model) == ["d_bn", "d_act", "d"]
    model.get_layer("d").kernel.assign(np.ones((3, 2)))
    np.testing.assert_allclose(float(sum(model.losses)), 0.006, rtol=1e-5)


def test_bn_act_conv3d_convolves_clips():
    model = helper_model(L.bn_act_conv3d, (4, 6, 6, 2), 5, (3, 3, 3), name="c")
    assert names_of(model) == ["c_bn", "c_act", "c"]
    assert model.output_shape == (None, 4, 6, 6, 5)


def test_pooling_layers_have_fixed_names():
    pooled = L.max_min_pooling(inp := keras.Input((4, 4, 1)))
    model = keras.Model(inp, L.global_max_min_pooling(pooled))
    assert names_of(model) == ["MaxMinPooling2D", "GlobalMaxMinPooling2D"]


@pytest.mark.parametrize("scaled", [(4, (1, 1)), (6, (1, 1)), (4, (2, 2))])
@pytest.mark.parametrize("convtype", ["depthwise", "normal"])
def test_residual_has_a_shortcut_convolution_only_where_needed(scaled, convtype):
    out_size, strides = scaled
    model = helper_model(
        L.residual,
        (8, 8, 4),
        strides=strides,
        out_size=out_size,
        convtype=convtype,
        name="r",
    )
    projected = scaled != (4, (1, 1))
    assert ("r_shortcut_conv" in names_of(model)) == projected
    assert ("r_conv2" in names_of(model)) == (convtype == "normal")
    assert model.output_shape == (None, 8 // strides[0], 8 // strides[0], out_size)


def test_residual_refuses_another_convolution():
    with pytest.raises(ValueError, match='`convtype` must be "depthwise" or "normal"'):
        L.residual(np.zeros((1, 4, 4, 2), "float32"), convtype="dilated")


@pytest.mark.parametrize("out_size", [2, 4, 6])
def test_separable_residual_reduces_and_projects(out_size):
    model = helper_model(L.sepconv_residual, (8, 8, 4), out_size, "u", add_name="sum")
    names = names_of(model)
    assert ("u_shortcut" in names) == (out_size != 4)
    assert ("u_reduce" in names) == (out_size < 4)
    assert model.output_shape == (None, 8, 8, out_size)


LAYERS = [
    (L.ChannelSoftmax2D(2.0), (4, 5, 3)),
    (L.ChannelSoftmax1D(), (4, 3)),
    (L.LinearInterpolation2D(1), (4, 5, 3)),
    (L.LinearInterpolation1D("ends"), (4, 3)),
    (L.JointProbability("window"), (4, 5, 3)),
    (L.MaxMinPooling2D(padding="valid"), (4, 5, 3)),
    (L.GlobalMaxMinPooling2D(), (4, 5, 3)),
    (L.KLDivergenceRegularizer(0.1), (4, 5, 3)),
    (L.SelectChannels([1, 0]), (4, 3)),
    (L.StopGradient(), (4, 3)),
    (L.SplitChannels(2), (4, 5, 3)),
    (L.SplitVolume(3), (4, 5, 6)),
    (L.LocallyConnected1D(2, 3), (4, 3)),
    (L.FoldFrames(), (4, 5, 3)),
    (L.UnfoldFrames(2), (4, 5, 3)),
    (L.ContextAggregation(2, 0.8), [(3, 2), (6, 2), (6, 1)]),
    (L.KroneckerProduct(), [(2, 4, 5, 3), (2, 4, 5, 6)]),
    (L.PositionProbability(), [(3, 2), (3, 1)]),
    (L.VolumeProbability(), [(4, 5, 3), (6, 3)]),
    (L.MapExpectation(), [(4, 5, 3), (4, 5, 3)]),
    (L.TemporalConv(4, 3, dilation=2, use_bias=True), (7, 3)),
    (L.TemporalBatchNorm(momentum=0.8), (7, 3)),
    (L.SelectFrames(2, dropped=1, step=3), (9, 3)),
    (L.WeightedMean(), [(3, 2), (3, 2), (3, 1), (3, 1)]),
]


@pytest.mark.parametrize("layer, shape", LAYERS, ids=lambda x: type(x).__name__)
def test_every_layer_states_its_shape_and_survives_its_config(layer, shape):
    shapes = shape if isinstance(shape, list) else [shape]
    rng = np.random.RandomState(0)
    x = [rng.rand(2, *s).astype("float32") for s in shapes]
    x = x if isinstance(shape, list) else x[0]
    y = layer(x)
    stated = layer.compute_output_shape(
        [v.shape for v in x] if isinstance(x, list) else x.shape
    )
    for tensor, s in zip(keras.tree.flatten(y), _shapes(stated), strict=True):
        assert all(a in (None, b) for a, b in zip(s, tensor.shape, strict=True))

    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()
    assert config["registered_name"].startswith("deephar>")
    again(x)
    again.set_weights(layer.get_weights())
    for a, b in zip(keras.tree.flatten(again(x)), keras.tree.flatten(y), strict=True):
        np.testing.assert_array_equal(a, b)


def _shapes(stated):
    return stated if isinstance(stated, list) else [stated]


def test_every_layer_class_is_in_the_table_above():
    listed = {type(layer) for layer, _ in LAYERS} | {L.Float32Layer}
    classes = {c for c in vars(L).values() if isinstance(c, type)} - {L.LayerNames}
    assert classes == listed


def test_soft_argmax_stays_float32_under_mixed_precision(half_precision):
    model = blocks.build_softargmax_2d((64, 64, 2), name="SAM")
    h = np.zeros((1, 64, 64, 2), "float16")
    h[0, 3, 61] = 30
    xy = model(h)
    assert xy.dtype == "float32"
    np.testing.assert_allclose(xy, [[[61 / 63, 3 / 63]] * 2], rtol=1e-5)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: L.LinearInterpolation2D(2), r"`axis` must be 0 \(x\) or 1 \(y\)"),
        (lambda: L.LinearInterpolation1D("middle"), '"centers" or "ends"'),
        (lambda: L.JointProbability("max"), "`form` must be one of sigmoid, window"),
        (lambda: L.ContextAggregation(0, 0.8), "`num_context` must be at least 1"),
        (lambda: L.UnfoldFrames(None), "`frames` must be a fixed number"),
        (lambda: L.SplitVolume(4)(np.zeros((1, 2, 2, 6))), "must be a multiple of 4"),
        (
            lambda: L.ContextAggregation(2, 0.8)(
                [np.zeros((1, 3, 2)), np.zeros((1, 5, 2)), np.zeros((1, 5, 1))]
            ),
            "must be 2 context maps for each joint",
        ),
        (
            lambda: L.lin_interpolation_2d(keras.Input((None, 8, 2)), 0),
            "maps of a fixed size",
        ),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
