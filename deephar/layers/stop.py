"""Where learning stops."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="deephar")
class StopGradient(layers.Layer):
    """Passes a tensor on and no gradient back.

    Input and output shape: any.
    """

    def call(self, x):
        return ops.stop_gradient(x)

    def compute_output_shape(self, input_shape):
        return input_shape
