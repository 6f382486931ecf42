"""The optimizers of the originals' recipes, with the update rules that they had."""

import math

import keras
from keras import ops

_EPSILON = 1e-14


def rmsprop(learning_rate=1e-3, **options) -> keras.optimizers.RMSprop:
    """RMSprop as Keras 2.1.4 computes it.

    There a gradient is divided by sqrt(v) + 1e-7, in Keras 3 by sqrt(v + epsilon), v
    being the mean of its squares: with Keras 3's default epsilon of 1e-7 gradients
    below 3e-4, which is most of them here, are damped. An epsilon of 1e-14 brings the
    original's rule back.

    Args:
        learning_rate: rate, or a schedule of Keras.
        **options: further arguments of `keras.optimizers.RMSprop`.
    """
    return keras.optimizers.RMSprop(learning_rate, epsilon=_EPSILON, **options)


def adam(learning_rate=1e-3, amsgrad=True, **options) -> keras.optimizers.Adam:
    """Adam as PyTorch computes it, by default with AMSGrad.

    There the epsilon (1e-8) is added after the correction of the bias, in Keras before
    it. Both take the largest second moment before the correction.

    Args:
        learning_rate: rate, or a schedule of Keras.
        amsgrad: whether to divide by the largest second moment so far.
        **options: further arguments of `keras.optimizers.Adam`.
    """
    options = {"epsilon": 1e-8, "name": "adam", **options}
    return PytorchAdam(learning_rate, amsgrad=amsgrad, **options)


@keras.saving.register_keras_serializable(package="deephar")
class PytorchAdam(keras.optimizers.Adam):
    """Adam with PyTorch's epsilon; see `adam`."""

    def update_step(self, gradient, variable, learning_rate):
        step = ops.cast(self.iterations + 1, variable.dtype)
        # 1 - beta ** step, without cancellation.
        first, second = (
            -ops.expm1(step * math.log(beta)) for beta in (self.beta_1, self.beta_2)
        )
        gradient = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, v))
            v = largest
        root = ops.sqrt(second)
        rate = ops.cast(learning_rate, variable.dtype) * root / first
        self.assign_sub(variable, m * rate / (ops.sqrt(v) + self.epsilon * root))
