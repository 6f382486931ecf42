"""Pose regression losses: values and gradients of the original, invalid joints."""

import numpy as np
import pytest
import tensorflow as tf

from deephar import losses, objectives
from deephar.utils.pose import INVALID

SHAPES = ("img2d", "img3d", "clip2d", "clip3d")
PLAIN = (
    "elasticnet_loss_on_valid_joints",
    "elasticnet_bincross_loss_on_valid_joints",
    "l1_loss_on_valid_joints",
    "l2_loss_on_valid_joints",
)
POSE_LOSSES = ("l1l2", "l1", "l2", "l1l2bincross")


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "losses.npz") as file:
        return dict(file)


def value_and_gradient(loss, y_true, y_pred):
    y_pred = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
        mean = tf.reduce_mean(value)
    return value.numpy(), tape.gradient(mean, y_pred).numpy()


def check(values, case, loss, y_true, y_pred):
    value, gradient = value_and_gradient(loss, values[y_true], values[y_pred])
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, values[case], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, values[f"{case}_grad"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PLAIN)
def test_losses_and_gradients_are_the_original(values, shape, name):
    loss = getattr(losses, name)
    check(values, f"{shape}_{name}", loss, f"{shape}_yt", f"{shape}_yp")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", POSE_LOSSES)
def test_pose_losses_and_gradients_are_the_original(values, shape, name):
    loss = losses.pose_regression_loss(name, 0.01)
    case = f"{shape}_pose_regression_{name}"
    check(values, case, loss, f"{shape}_full_t", f"{shape}_full_p")


@pytest.mark.parametrize("name", POSE_LOSSES)
def test_a_pose_without_valid_joints_costs_only_its_visibility(name):
    y_true = np.full((1, 4, 3), INVALID, "float32")
    y_true[..., -1] = 0
    y_pred = np.full((1, 4, 3), 0.5, "float32")
    loss = losses.pose_regression_loss(name, 0.01)
    value, gradient = value_and_gradient(loss, y_true, y_pred)
    np.testing.assert_allclose(value, 0.01 * np.log(2), rtol=1e-5)
    np.testing.assert_array_equal(gradient[..., :-1], 0)
    np.testing.assert_allclose(gradient[..., -1], 0.01 * 2 / 4, rtol=1e-5)


@pytest.mark.parametrize("name", POSE_LOSSES)
@pytest.mark.parametrize("prediction", [-30.0, 0.0, 1.0, 30.0])
def test_gradients_are_finite_everywhere(name, prediction):
    y_true = np.array([[[0, 1, 1], [INVALID, INVALID, INVALID]]], "float32")
    y_pred = np.full((1, 2, 3), prediction, "float32")
    loss = losses.pose_regression_loss(name, 1.0)
    value, gradient = value_and_gradient(loss, y_true, y_pred)
    assert np.isfinite(value).all() and np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[:, 1], 0)


def test_a_coordinate_of_zero_counts():
    y_true = np.zeros((1, 2, 2), "float32")
    y_pred = np.full((1, 2, 2), 0.5, "float32")
    loss = losses.elasticnet_loss_on_valid_joints(y_true, y_pred)
    np.testing.assert_allclose(loss, [0.75])


def test_half_precision_is_computed_in_float32():
    y_true = np.full((1, 50, 2), 300, "float32")
    loss = losses.l2_loss_on_valid_joints(y_true, np.zeros((1, 50, 2), "float16"))
    assert loss.dtype == "float32"
    np.testing.assert_allclose(loss, [90000])


def test_binary_crossentropy_clips_as_keras_2_did():
    y_true = np.array([[1.0, 0.0]], "float32")
    y_pred = np.array([[0.0, 1.0]], "float32")
    loss = losses.binary_crossentropy(y_true, y_pred)
    np.testing.assert_allclose(loss, [16.03024], rtol=1e-5)


def test_an_unknown_pose_loss_is_named():
    with pytest.raises(ValueError, match="`pose_loss` must be one of l1l2, l1, l2"):
        losses.pose_regression_loss("huber", 0.01)


def test_elasticnet_with_visibility_is_the_recipe_of_the_cvpr18_networks():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.uniform(0.1, 0.9, (2, 4, 5, 3)).astype("float32")
    y_true[..., 2] = y_true[..., 2] > 0.5
    y_true[0, 1, :2] = INVALID
    loss = losses.pose_regression_loss("elasticnet", 0.01)(y_true, y_pred)
    pose = objectives.elasticnet_loss_on_valid_joints(y_true[..., :2], y_pred[..., :2])
    visibility = losses.binary_crossentropy(y_true[..., 2:], y_pred[..., 2:])
    expected = pose + 0.01 * np.mean(visibility, axis=-1)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.fixture(scope="module")
def lifting_values(shared):
    with np.load(shared / "golden" / "lifting" / "loss.npz") as file:
        return dict(file)


def test_losses_of_lifting_are_the_originals(lifting_values):
    true, found = lifting_values["target"], lifting_values["pred"]
    results = {
        "mpjpe": losses.mpjpe(true, found),
        "weighted_mpjpe": losses.weighted_mpjpe(true, found, lifting_values["w"]),
        "n_mpjpe": losses.n_mpjpe(true, found),
    }
    for name, value in results.items():
        np.testing.assert_allclose(value, lifting_values[f"{name}_float64"], rtol=1e-6)
    _, gradient = value_and_gradient(losses.mpjpe, true, found.astype("float32"))
    expected = lifting_values["mpjpe_grad_float64"]
    np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_joints_that_are_right_have_no_gradient():
    pose = np.ones((1, 1, 2, 3), "float32")
    value, gradient = value_and_gradient(losses.mpjpe, pose, pose + [[[[0.0], [2.0]]]])
    np.testing.assert_allclose(value, 2 * 3**0.5 / 2, rtol=1e-6)
    np.testing.assert_allclose(gradient[0, 0], [[0] * 3, [0.5 / 3**0.5] * 3], rtol=1e-6)


def test_bone_lengths_are_compared_as_means_over_each_set():
    parents = [-1, 0, 1]
    line = np.zeros((2, 1, 3, 3), "float32")
    line[:, :, 1, 0], line[:, :, 2, 0] = 1, 3
    longer = np.repeat(line, 2, axis=1) * np.array([[[[1.0]], [[2.0]]]])
    penalty = losses.bone_length_penalty(line, longer.astype("float32"), parents)
    np.testing.assert_allclose(penalty, (0.5 + 1.0) / 2)
    np.testing.assert_allclose(losses.bone_length_penalty(line, -line, parents), 0)
