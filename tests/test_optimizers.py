"""Optimizers against the rules that they repeat."""

import keras
import numpy as np
import pytest

from deephar import optimizers

GRADIENTS = np.array([[0.5, -1e-8, 3.0], [-0.1, 1e-8, 0.0], [0.2, 1e-7, -2.0]])


def pytorch_adam(gradients, rate, amsgrad):
    """The rule in float64, as PyTorch's documentation states it."""
    m, v, largest, x = np.zeros((4, 3))
    for step, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        largest = np.maximum(largest, v)
        root = np.sqrt((largest if amsgrad else v) / (1 - 0.999**step))
        x = x - rate / (1 - 0.9**step) * m / (root + 1e-8)
    return x


@pytest.mark.parametrize("amsgrad", [True, False])
def test_adam_is_pytorchs_also_where_gradients_are_small(amsgrad):
    x = keras.Variable(np.zeros(3))
    optimizer = optimizers.adam(0.01, amsgrad=amsgrad)
    for g in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(g, "float32")], [x])
    expected = pytorch_adam(GRADIENTS, 0.01, amsgrad)
    np.testing.assert_allclose(x, expected, rtol=1e-5)


def test_adam_survives_its_config():
    optimizer = optimizers.adam(0.02, beta_1=0.8)
    config = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is optimizers.PytorchAdam
    assert again.get_config() == optimizer.get_config()
    assert (again.epsilon, again.amsgrad, again.beta_1) == (1e-8, True, 0.8)


def test_rmsprop_divides_by_the_root_of_small_gradients_too():
    x = keras.Variable(np.zeros(1))
    optimizer = optimizers.rmsprop(0.01)
    optimizer.apply([keras.ops.convert_to_tensor([1e-5])], [x])
    np.testing.assert_allclose(x, [-0.01 / np.sqrt(0.1)], rtol=1e-3)
