"""The optimizer of the original's recipes, with the update rule that it had."""

import keras

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
