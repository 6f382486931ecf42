"""Pooling, and what is read off the maximum of a heat map."""

import keras
from keras import layers, ops

from deephar.layers.frames import per_frame
from deephar.layers.names import layer_name
from deephar.layers.softargmax import Float32Layer

PROBABILITIES = ("sigmoid", "window")


@keras.saving.register_keras_serializable(package="deephar")
class JointProbability(Float32Layer):
    """How sure a heat map is of its joint. No weights.

    Args:
        form: "sigmoid" is the sigmoid of the raw map's maximum (the original's branch
            cvpr18). "window" is the largest sum of a 2x2 window (branch master): a
            probability where the maps are, and any real number where they are raw.

    Input shape: `(batch, [frames,] rows, cols, joints)`.
    Output shape: `(batch, [frames,] joints, 1)`.
    """

    def __init__(self, form="sigmoid", **kwargs):
        super().__init__(**kwargs)
        if form not in PROBABILITIES:
            raise ValueError(
                f"`form` must be one of {', '.join(PROBABILITIES)}. Received: {form=}"
            )
        self.form = form

    def call(self, x):
        if self.form == "sigmoid":
            p = ops.sigmoid(ops.max(x, axis=(-3, -2)))
        else:
            pairs = x[..., :-1, :, :] + x[..., 1:, :, :]
            p = ops.max(pairs[..., :-1, :] + pairs[..., 1:, :], axis=(-3, -2))
        return ops.expand_dims(p, axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], input_shape[-1], 1)

    def get_config(self):
        return {**super().get_config(), "form": self.form}


@keras.saving.register_keras_serializable(package="deephar")
class VolumeProbability(Float32Layer):
    """Joint probability in 3D: sigmoid of the maxima over the picture and the depth.

    Input shape: `[(batch, rows, cols, joints), (batch, depth, joints)]`.
    Output shape: `(batch, joints, 1)`.
    """

    def call(self, inputs):
        hxy, hz = inputs
        logit = ops.max(hxy, axis=(-3, -2)) + ops.max(hz, axis=-2)
        return ops.expand_dims(ops.sigmoid(logit), axis=-1)

    def compute_output_shape(self, input_shape):
        hxy, _ = input_shape
        return (*hxy[:-3], hxy[-1], 1)


@keras.saving.register_keras_serializable(package="deephar")
class MaxMinPooling2D(layers.Layer):
    """The window's maximum plus its minimum: keeps strong values of either sign.

    Args:
        strides: Size and step of the window.
        padding: "same" or "valid".

    Input shape: `(batch, rows, cols, channels)`.
    Output shape: as of a max pooling.
    """

    def __init__(self, strides=(2, 2), padding="same", **kwargs):
        super().__init__(**kwargs)
        self.strides = strides
        self.padding = padding
        self._pool = layers.MaxPooling2D(strides, padding=padding, name="pool")

    def call(self, x):
        return self._pool(x) - self._pool(-x)

    def compute_output_shape(self, input_shape):
        return self._pool.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "strides": self.strides,
            "padding": self.padding,
        }


@keras.saving.register_keras_serializable(package="deephar")
class GlobalMaxMinPooling2D(layers.Layer):
    """The map's maximum plus its minimum.

    Input shape: `(batch, rows, cols, channels)`.
    Output shape: `(batch, channels)`.
    """

    def call(self, x):
        return ops.max(x, axis=(-3, -2)) + ops.min(x, axis=(-3, -2))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], input_shape[-1])


def maxpooling2d(x, kernel_size=(2, 2), strides=(2, 2), padding="same", name=None):
    """Max pooling of pictures or clips."""
    name = layer_name(name, "max_pooling2d")
    return per_frame(layers.MaxPooling2D(kernel_size, strides, padding, name=name), x)


def upsampling2d(x, kernel_size=(2, 2), name=None):
    """Nearest-neighbour upsampling of pictures or clips."""
    name = layer_name(name, "up_sampling2d")
    return per_frame(layers.UpSampling2D(kernel_size, name=name), x)


def keypoint_confidence(x, name=None):
    """Confidence of each joint from probability maps: the best 2x2 window's sum.

    Args:
        x: `(batch, [frames,] rows, cols, joints)`, each map summing to 1.
        name: Name of the layer.

    Returns:
        `(batch, [frames,] joints, 1)` in [0, 1].
    """
    name = layer_name(name, "keypoint_confidence")
    return JointProbability("window", name=name)(x)


def max_min_pooling(x, strides=(2, 2), padding="same", name=None):
    """`MaxMinPooling2D`; named MaxMinPooling2D unless told otherwise."""
    name = layer_name(name, "MaxMinPooling2D") or "MaxMinPooling2D"
    return MaxMinPooling2D(strides, padding, name=name)(x)


def global_max_min_pooling(x, name=None):
    """`GlobalMaxMinPooling2D`; named so unless told otherwise."""
    name = layer_name(name, "GlobalMaxMinPooling2D") or "GlobalMaxMinPooling2D"
    return GlobalMaxMinPooling2D(name=name)(x)
