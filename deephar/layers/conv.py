"""Convolution, batch norm and activation in all their orders.

Every helper takes a tensor and returns a tensor. `name` is a string, None (Keras
chooses) or a `LayerNames` that numbers the layers of a model. Convolutions have no
bias and batch norms no scale, as in the original network; clips
`(batch, frames, rows, cols, channels)` go through frame by frame.
"""

import functools

import keras
from keras import layers, ops
from keras.regularizers import l1

from deephar.layers.frames import per_frame
from deephar.layers.names import layer_name, suffixed


@keras.saving.register_keras_serializable(package="deephar")
class LocallyConnected1D(layers.Layer):
    """A 1-D convolution whose kernel differs from place to place.

    Args:
        filters: Number of output channels.
        kernel_size: Length of the window.
        strides: Step of the window.
        use_bias: Whether to add a bias, one for each place and channel.

    Input shape: `(batch, ..., length, channels)`.
    Output shape: `(batch, ..., (length - kernel_size) // strides + 1, filters)`.
    Reference: the layer of this name in Keras 2; its kernel has the same layout,
    `(places, kernel_size * channels, filters)`.
    """

    def __init__(self, filters, kernel_size, strides=1, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = _single(kernel_size)
        self.strides = _single(strides)
        self.use_bias = use_bias

    def build(self, input_shape):
        places, channels = self._places(input_shape), input_shape[-1]
        if places < 1:
            raise ValueError(
                "`kernel_size` must not exceed the length of the input. Received: "
                f"kernel_size={self.kernel_size}, input_shape={tuple(input_shape)}"
            )
        shape = (places, self.kernel_size * channels, self.filters)
        self.kernel = self.add_weight(shape=shape, name="kernel")
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(places, self.filters), initializer="zeros", name="bias"
            )

    def call(self, x):
        places, window = self.kernel.shape[:2]
        first = self.strides * ops.arange(places)
        index = ops.expand_dims(first, -1) + ops.arange(self.kernel_size)
        windows = ops.take(x, index, axis=-2)
        windows = ops.reshape(windows, (*ops.shape(x)[:-2], places, window))
        y = ops.einsum("...pk,pkf->...pf", windows, self.kernel)
        return y + self.bias if self.use_bias else y

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-2], self._places(input_shape), self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "use_bias": self.use_bias,
        }

    def _places(self, input_shape):
        return (input_shape[-2] - self.kernel_size) // self.strides + 1


def _single(value):
    return value[0] if isinstance(value, (tuple, list)) else value


def relu(x, leakyrelu=False, name=None):
    """ReLU, or with `leakyrelu` one of slope 0.1 below zero."""
    if leakyrelu:
        name = layer_name(name, "leaky_re_lu")
        return layers.LeakyReLU(negative_slope=0.1, name=name)(x)
    return layers.Activation("relu", name=layer_name(name, "activation"))(x)


def batch_norm(x, name=None):
    """Batch normalisation over all axes but the last, with offset and no scale."""
    name = layer_name(name, "batch_normalization")
    return layers.BatchNormalization(axis=-1, scale=False, name=name)(x)


def localconv1d(x, filters, kernel_size, strides=1, use_bias=True, name=None):
    """`LocallyConnected1D` over `(batch, [frames,] length, channels)`."""
    name = layer_name(name, "locally_connected1d")
    layer = LocallyConnected1D(filters, kernel_size, strides, use_bias, name=name)
    return layer(x)


def _unbiased(kind, filters, kernel_size, strides, padding, name):
    """A convolution layer of a class of Keras, without bias."""
    return kind(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        name=name,
    )


def conv2d(x, filters, kernel_size, strides=(1, 1), padding="same", name=None):
    """2-D convolution of pictures or clips, without bias."""
    name = layer_name(name, "conv2d")
    layer = _unbiased(layers.Conv2D, filters, kernel_size, strides, padding, name)
    return per_frame(layer, x)


def sepconv2d(x, filters, kernel_size, strides=(1, 1), padding="same", name=None):
    """Depthwise separable 2-D convolution of pictures or clips, without bias."""
    name = layer_name(name, "separable_conv2d")
    layer = _unbiased(
        layers.SeparableConv2D, filters, kernel_size, strides, padding, name
    )
    return per_frame(layer, x)


def conv2dtranspose(x, filters, kernel_size, strides=(1, 1), padding="same", name=None):
    """Transposed 2-D convolution of pictures or clips, without bias."""
    name = layer_name(name, "conv2d_transpose")
    layer = _unbiased(
        layers.Conv2DTranspose, filters, kernel_size, strides, padding, name
    )
    return per_frame(layer, x)


conv = conv2d


def deconv(x, filters, size, strides=(1, 1), padding="same", name=None):
    """`conv2dtranspose` under the original's older name."""
    return conv2dtranspose(x, filters, size, strides, padding, name)


def chain(x, order, main, name=None):
    """Applies a main layer, batch norm and ReLU in the given order.

    The last layer carries `name`, each other one `name` and its role: the order
    ("act", "conv", "bn") gives NAME_act, NAME_conv, NAME.

    Args:
        x: A tensor.
        order: Roles: "conv" for the main layer, "bn", "act".
        main: The main layer as a function of (tensor, name=name).
        name: See the module.
    """
    steps = {"conv": main, "bn": batch_norm, "act": relu}
    for role in order[:-1]:
        x = steps[role](x, name=suffixed(name, f"_{role}"))
    return steps[order[-1]](x, name=name)


def _main(convolution, filters, size, strides, padding):
    """A convolution helper as the main layer of `chain`."""
    return functools.partial(
        convolution, filters=filters, kernel_size=size, strides=strides, padding=padding
    )


def conv_bn(x, filters, size, strides=(1, 1), padding="same", name=None):
    """Convolution and batch norm."""
    main = _main(conv2d, filters, size, strides, padding)
    return chain(x, ("conv", "bn"), main, name)


def conv_act(x, filters, size, strides=(1, 1), padding="same", name=None):
    """Convolution and ReLU."""
    main = _main(conv2d, filters, size, strides, padding)
    return chain(x, ("conv", "act"), main, name)


def conv_bn_act(x, filters, size, strides=(1, 1), padding="same", name=None):
    """Convolution, batch norm and ReLU."""
    main = _main(conv2d, filters, size, strides, padding)
    return chain(x, ("conv", "bn", "act"), main, name)


def bn_act_conv(x, filters, size, strides=(1, 1), padding="same", name=None):
    """Batch norm, ReLU and convolution."""
    main = _main(conv2d, filters, size, strides, padding)
    return chain(x, ("bn", "act", "conv"), main, name)


def act_conv(x, filters, size, strides=(1, 1), padding="same", name=None):
    """ReLU and convolution."""
    main = _main(conv2d, filters, size, strides, padding)
    return chain(x, ("act", "conv"), main, name)


def act_conv_bn(x, filters, size, strides=(1, 1), padding="same", name=None):
    """ReLU, convolution and batch norm."""
    main = _main(conv2d, filters, size, strides, padding)
    return chain(x, ("act", "conv", "bn"), main, name)


def separable_conv_bn(x, filters, size, strides=(1, 1), padding="same", name=None):
    """Separable convolution and batch norm."""
    main = _main(sepconv2d, filters, size, strides, padding)
    return chain(x, ("conv", "bn"), main, name)


def separable_conv_bn_act(x, filters, size, strides=(1, 1), padding="same", name=None):
    """Separable convolution, batch norm and ReLU."""
    main = _main(sepconv2d, filters, size, strides, padding)
    return chain(x, ("conv", "bn", "act"), main, name)


def separable_act_conv_bn(x, filters, size, strides=(1, 1), padding="same", name=None):
    """ReLU, separable convolution and batch norm."""
    main = _main(sepconv2d, filters, size, strides, padding)
    return chain(x, ("act", "conv", "bn"), main, name)


def bn_act_conv3d(x, filters, size, strides=(1, 1, 1), padding="same", name=None):
    """3-D convolution `(batch, frames, rows, cols, channels)` after norm and ReLU."""

    def main(x, name):
        name = layer_name(name, "conv3d")
        return _unbiased(layers.Conv3D, filters, size, strides, padding, name)(x)

    return chain(x, ("bn", "act", "conv"), main, name)


def dense(x, filters, name=None):
    """Dense layer with an L1 penalty of 0.001 on its kernel."""
    name = layer_name(name, "dense")
    return layers.Dense(filters, kernel_regularizer=l1(0.001), name=name)(x)


def bn_act_dense(x, filters, name=None):
    """`dense` after batch norm and ReLU."""
    main = functools.partial(dense, filters=filters)
    return chain(x, ("bn", "act", "conv"), main, name)
