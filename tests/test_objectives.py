"""The elastic net of the CVPR'18 networks."""

import numpy as np
import pytest
import tensorflow as tf

from deephar.objectives import elasticnet_loss_on_valid_joints
from deephar.utils.pose import INVALID


@pytest.mark.parametrize("shape", ["img2d", "img3d", "clip2d", "clip3d"])
def test_value_and_gradient_are_the_original(golden, shape):
    with np.load(golden / "losses.npz") as file:
        values = dict(file)
    y_pred = tf.constant(values[f"{shape}_yp"])
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        loss = elasticnet_loss_on_valid_joints(values[f"{shape}_yt"], y_pred)
        mean = tf.reduce_mean(loss)
    case = f"{shape}_objectives_elasticnet"
    gradient = tape.gradient(mean, y_pred)
    np.testing.assert_allclose(loss, values[case], rtol=1e-5)
    np.testing.assert_allclose(gradient, values[f"{case}_grad"], rtol=1e-5, atol=1e-6)


def test_invalid_joints_cost_nothing_and_the_sum_is_not_divided():
    y_true = np.array([[[0.0, 0.0], [INVALID, INVALID]]], "float32")
    y_pred = np.array([[[0.5, -0.5], [9.0, 9.0]]], "float32")
    loss = elasticnet_loss_on_valid_joints(y_true, y_pred)
    np.testing.assert_allclose(loss, [1.5])
