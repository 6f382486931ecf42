"""The lifting networks: values of the original, and its other forms."""

import keras
import lifting_values
import numpy as np
import pytest
import tensorflow as tf

from deephar import losses
from deephar.checkpoints.lifting import state_dict
from deephar.inference import fold_batch_norm
from deephar.layers import TemporalBatchNorm, TemporalConv, temporal
from deephar.models import lifting
from deephar.trainer import set_batch_norm_momentum

NAMES = [
    "model_333_c64",
    "model_333_c64_causal",
    "model_333_c64_dense",
    "model_333_c64_traj",
    "model_333_c64_traj_causal",
    "model_33333_c16",
]


@pytest.fixture(scope="module", params=NAMES)
def original(request, shared):
    """Values of a network of the original, and ours with its weights."""
    with np.load(shared / "golden" / "lifting" / f"{request.param}.npz") as file:
        values = dict(file)
    return values, lifting_values.build(values)


def test_outputs_are_the_originals(original):
    values, model = original
    for x, y in (("x", "y_eval"), ("x1", "y1_eval")):
        np.testing.assert_allclose(model(values[x]), values[y], atol=1e-5)


def test_the_state_has_the_originals_names_order_and_numbers(original):
    values, model = original
    expected = {key[3:]: values[key] for key in values if key.startswith("sd/")}
    found = state_dict(model, int(expected["expand_bn.num_batches_tracked"]))
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("original", ["model_33333_c16"], indirect=True)
def test_the_published_size_has_the_originals_names_and_shapes(original, shared):
    file = shared / "golden" / "lifting" / "state_dict_243f_c1024.txt"
    found = [
        f"{name} {tensor.shape} torch.{tensor.dtype}\n"
        for name, tensor in state_dict(original[1]).items()
    ]
    assert "".join(found) == file.read_text().replace("1024", "16")


def test_the_strided_form_gives_the_originals_outputs(original):
    values, model = original
    if lifting.settings(model)["dense"]:
        with pytest.raises(ValueError, match="'dense': True"):
            strided_form(model)
    else:
        y = strided_form(model)(values["x1"])
        np.testing.assert_allclose(y, values["y1_opt_eval"], atol=1e-5)


def strided_form(model):
    given = lifting.settings(model)
    given.pop("dense")
    return lifting.build_strided(**given, model=model)


def test_training_gives_the_originals_gradients_and_statistics(original):
    values, model = original
    forms = {"full": lambda model: model, "opt": strided_form}
    trained = 0
    for form in forms.keys() & {key.split("_train_loss")[0] for key in values}:
        network = forms[form](lifting_values.build(values))
        assert_trains_as_the_original(network, values, form)
        trained += 1
    assert trained == (1 if lifting.settings(model)["dense"] else 2)


def assert_trains_as_the_original(network, values, form):
    with tf.GradientTape() as tape:
        y = network(values["x1"], training=True)
        loss = losses.mpjpe(values["t1"], y)
    np.testing.assert_allclose(y, values[f"{form}_train_y1"], atol=1e-5)
    np.testing.assert_allclose(loss, values[f"{form}_train_loss"], rtol=1e-5)
    gradients = tape.gradient(loss, network.trainable_variables)
    pairs = zip(network.trainable_variables, gradients, strict=True)
    lifting_values.assert_close(pairs, values, f"{form}_grad/", 1e-4)
    moved = [(v, v) for v in lifting_values.statistics(network)]
    lifting_values.assert_close(moved, values, f"{form}_after/", 1e-5)


@pytest.mark.parametrize(
    ("widths", "joints", "count"),
    [
        ((3, 3, 3), 17, 8_555_571),
        ((3, 3, 3, 3), 17, 12_753_971),
        ((3, 3, 3, 3, 3), 17, 16_952_371),
        ((3, 3, 3, 3, 3), 1, 16_903_171),
    ],
)
def test_networks_have_the_papers_numbers_of_parameters(widths, joints, count):
    model = lifting.build(17, 2, joints, widths)
    assert sum(v.value.shape.num_elements() for v in model.trainable_variables) == count


OTHERS = [(1,), (5,), (1, 1, 1), (3, 1), (5, 3), (3, 5, 3), (7, 1, 3)]


def set_random_weights(model):
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if "seed" not in variable.path:
            low = 0.5 if variable.name in ("gamma", "moving_variance") else -0.5
            variable.assign(rng.uniform(low, 1, variable.shape))
    return model


def small(widths, causal=False, **options):
    options = {"channels": 4, "causal": causal, **options}
    return set_random_weights(lifting.build(3, 2, 5, widths, **options))


def keypoints(frames, batch=2):
    rng = np.random.default_rng(1)
    return rng.normal(size=(batch, frames, 3, 2)).astype("float32")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", OTHERS)
def test_the_strided_form_gives_each_pose_of_the_whole_sequence(widths, causal):
    model = small(widths, causal)
    strided = lifting.build_strided(3, 2, 5, widths, 4, causal=causal, model=model)
    seen = lifting.receptive_field(widths)
    x = keypoints(seen + 3)
    whole = model(x)
    assert whole.shape == (2, 4, 5, 3) and strided.output_shape == (None, 1, 5, 3)
    for frame in range(4):
        one = strided(x[:, frame : frame + seen])
        np.testing.assert_allclose(one[:, 0], whole[:, frame], atol=1e-5)


@pytest.mark.parametrize("widths", [(5,), (1, 1, 1), (3, 5, 3)])
def test_settings_are_read_off_a_network_loaded_or_folded(widths, tmp_path):
    for causal, dense in [(False, False), (True, False), (True, True)]:
        given = {
            "num_joints_in": 3,
            "in_features": 2,
            "num_joints_out": 5,
            "filter_widths": widths,
            "channels": 4,
            "dropout": 0.1,
            "causal": causal,
            "dense": dense,
        }
        model = set_random_weights(lifting.build(**given))
        folded = fold_batch_norm(model)
        x = keypoints(lifting.receptive_field(widths) + 1)
        np.testing.assert_allclose(folded(x), model(x), rtol=1e-4, atol=1e-5)
        assert lifting.settings(model) == lifting.settings(folded) == given
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert lifting.settings(loaded) == given
    np.testing.assert_array_equal(loaded(x), model(x))


def test_a_dense_network_with_gaps_of_zeros_is_the_dilated_one():
    model, dense = small((3, 3, 3)), small((3, 3, 3), dense=True)
    for layer, other in zip(model.layers, dense.layers, strict=True):
        weights = layer.get_weights()
        if isinstance(layer, TemporalConv):
            kernel = np.zeros(other.kernel.shape, "float32")
            kernel[:: layer.dilation] = weights[0]
            weights[0] = kernel
        other.set_weights(weights)
    np.testing.assert_allclose(dense(keypoints(30)), model(keypoints(30)), atol=1e-5)


def test_wide_kernels_are_the_product_without_the_copies(monkeypatch):
    conv = TemporalConv(4, 9, use_bias=True)
    conv.build((None, 40, 4))
    x = np.random.default_rng(2).normal(size=(2, 40, 4)).astype("float32")
    found, most = {}, {}
    for widest in (5, 9):
        monkeypatch.setattr(temporal, "WIDEST_COPIED", widest)
        graph = tf.function(lambda x: conv(x)).get_concrete_function(x).graph
        values = [y for op in graph.get_operations() for y in op.outputs]
        most[widest] = max(y.shape.num_elements() for y in values if y.shape.rank)
        with tf.GradientTape() as tape:
            y = conv(x)
            loss = tf.reduce_mean(y**2)
        found[widest] = y, *tape.gradient(loss, conv.trainable_variables)
    assert (most[5], most[9]) == (x.size, 2 * 32 * 9 * 4)
    for wide, copied in zip(found[5], found[9], strict=True):
        np.testing.assert_allclose(wide, copied, atol=1e-5)


def test_layers_are_named_as_the_tensors_of_checkpoints():
    model = lifting.build(17, 2, 17, (3, 3), channels=4)
    names = [layer.name for layer in model.layers if isinstance(layer, TemporalConv)]
    assert names == ["expand_conv", "layers_conv_0", "layers_conv_1", "shrink"]
    names = [n.name for n in model.layers if isinstance(n, TemporalBatchNorm)]
    assert names == ["expand_bn", "layers_bn_0", "layers_bn_1"]
    strided = lifting.build_strided(17, 2, 17, (3, 3), channels=4)
    assert [n.name for n in strided.layers] == [n.name for n in model.layers]


def test_padding_is_half_of_the_receptive_field_and_moves_left_for_causal_ones():
    assert lifting.receptive_field((3, 3, 5)) == 45
    assert lifting.padding((3, 3, 5)) == 22
    assert lifting.causal_shift((3, 3, 5), causal=True) == 22
    assert lifting.causal_shift((3, 3, 5), causal=False) == 0


def test_both_forms_draw_their_dropout_from_the_same_numbers():
    model = small((3, 3), dropout=0.5)
    strided = lifting.build_strided(3, 2, 5, (3, 3), 4, 0.5, model=model)
    assert {id(v) for v in strided.variables} == {id(v) for v in model.variables}
    assert len([v for v in model.variables if "seed" in v.path]) == 3
    x = keypoints(9)
    first, second = (strided(x, training=True).numpy() for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_kernels_start_uniform_within_pytorchs_bounds_each_with_numbers_of_its_own():
    keras.utils.set_random_seed(3)
    model = lifting.build(17, 2, 17, (3, 3, 3), channels=64)
    kernel = model.get_layer("expand_conv").kernel.numpy()
    bound = (3 * 34) ** -0.5
    assert 0.99 * bound < kernel.max() <= bound
    assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.02)
    bias = model.get_layer("shrink").bias.numpy()
    assert 0.8 / 8 < np.abs(bias).max() <= 1 / 8
    first, second = (model.get_layer(f"layers_conv_{i}").kernel for i in (0, 2))
    assert np.abs(first.numpy() - second.numpy()).max() > 0.01


def test_moving_statistics_follow_by_the_momentum_and_are_unbiased():
    model = lifting.build(3, 2, 5, (1,), channels=4)
    set_batch_norm_momentum(model, 0.75)
    model(keypoints(6), training=True)
    seen = model.get_layer("expand_conv")(keypoints(6).reshape(2, 6, 6)).numpy()
    norm = model.get_layer("expand_bn")
    mean, variance = (f(seen.reshape(12, 4), axis=0) for f in (np.mean, np.var))
    np.testing.assert_allclose(norm.moving_mean, 0.25 * mean, atol=1e-6)
    expected = 0.75 + 0.25 * variance * 12 / 11
    np.testing.assert_allclose(norm.moving_variance, expected, rtol=1e-5)


def test_half_precision_keeps_statistics_momentum_and_poses_in_float32():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = lifting.build(3, 2, 5, (3,), channels=4)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    set_batch_norm_momentum(model, 0.999)
    y = model(keypoints(5), training=True)
    assert y.dtype == "float32"
    assert model.get_layer("expand_conv").compute_dtype == "bfloat16"
    moved = 1 - model.get_layer("expand_bn").moving_variance.numpy()
    assert (0 < moved).all() and (moved < 0.001).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lifting.build(0, 2, 17, (3,)), "`num_joints_in` must be at least 1"),
        (lambda: lifting.build(17, 2, 17, (3,), channels=0), "`channels` must be at"),
        (lambda: lifting.build(17, 2, 17, (3, 4)), r"odd numbers .*=\(3, 4\)"),
        (lambda: lifting.build(17, 2, 17, ()), "`filter_widths` must be odd"),
        (lambda: lifting.build(17, 2, 17, (3,), dropout=1), r"must lie in \[0, 1\)"),
        (lambda: lifting.settings(keras.Sequential(name="other")), "Received: other"),
        (lambda: TemporalConv(0, 3), "`filters` must be at least 1. Received: filters"),
        (lambda: TemporalConv(4, 3, dilation=0), "dilation=0"),
        (lambda: TemporalConv(4, 3)(np.zeros((1, 2, 3))), "must be more than 2"),
        (lambda: TemporalConv(4, 3)(np.zeros((1, 4, 3)), strided=True), "a multiple"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_strided_form_of_another_network_is_refused():
    for other in (small((3,)), small((3, 3), causal=True), small((3, 3), dense=True)):
        with pytest.raises(ValueError, match="`model` must be the network of the argu"):
            lifting.build_strided(3, 2, 5, (3, 3), 4, model=other)
