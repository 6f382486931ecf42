"""Soft-argmax: the expected position under a probability map. No weights.

The original writes these layers as frozen convolutions with constant kernels, which
lie in its weight files. `published_kernels` says what those constants are, so that
`deephar.checkpoints` can check and drop them. All computation is in float32, also
under mixed precision.

Source: Luvizon, Tabia, Picard, "Human Pose Regression by Combining Indirect Part
Detection and Contextual Information", 2017, section 3.2.
"""

import keras
import numpy as np
from keras import layers, ops

from deephar.activations import channel_softmax_1d, channel_softmax_2d
from deephar.layers.names import layer_name, suffixed


class Float32Layer(layers.Layer):
    """A layer that computes in float32 whatever the global dtype policy."""

    def __init__(self, **kwargs):
        """Takes the arguments of a Keras layer; `dtype` is float32 unless given."""
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable(package="deephar")
class ChannelSoftmax2D(Float32Layer):
    """Softmax over the rows and columns of each channel.

    Args:
        alpha: Sharpness; the maps are multiplied by it first.

    Input and output shape: `(batch, [frames,] rows, cols, channels)`.
    """

    def __init__(self, alpha=1, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, x):
        return channel_softmax_2d(self.alpha)(x)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


@keras.saving.register_keras_serializable(package="deephar")
class ChannelSoftmax1D(Float32Layer):
    """Softmax over the depth of each channel.

    Input and output shape: `(batch, depth, channels)`.
    """

    def call(self, x):
        return channel_softmax_1d()(x)

    def compute_output_shape(self, input_shape):
        return input_shape


class _Expectation(Float32Layer):
    """A layer that needs the size of its maps; `map_shape` is their shape."""

    map_rank = None

    def build(self, input_shape):
        self.map_shape = tuple(input_shape[-self.map_rank :])
        if None in self.map_shape:
            raise ValueError(
                "Soft-argmax needs maps of a fixed size. "
                f"Received: input_shape={tuple(input_shape)}"
            )


@keras.saving.register_keras_serializable(package="deephar")
class LinearInterpolation2D(_Expectation):
    """Expected column or row, in [0, 1], under probability maps.

    The first column (row) counts as 0 and the last as 1.

    Args:
        axis: 0 for x (over the columns), 1 for y (over the rows).

    Input shape: `(batch, [frames,] rows, cols, channels)`.
    Output shape: `(batch, [frames,] channels, 1)`.
    """

    published_families = ("custom_sam", "separable_conv2d")
    map_rank = 3

    def __init__(self, axis, **kwargs):
        super().__init__(**kwargs)
        if axis not in (0, 1):
            raise ValueError(f"`axis` must be 0 (x) or 1 (y). Received: {axis=}")
        self.axis = axis

    def call(self, x):
        weighted = x * ops.convert_to_tensor(self._positions(), self.compute_dtype)
        return ops.expand_dims(ops.sum(weighted, axis=(-3, -2)), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], input_shape[-1], 1)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}

    def published_kernels(self):
        """The original's constants: {option: [(role, array), ...]}."""
        rows, cols, channels = self.map_shape
        depthwise = np.broadcast_to(
            self._positions()[..., np.newaxis], (rows, cols, channels, 1)
        )
        pointwise = np.eye(channels, dtype="float32")[np.newaxis, np.newaxis]
        return {
            None: [("depthwise_kernel", depthwise), ("pointwise_kernel", pointwise)]
        }

    def _positions(self):
        rows, cols, _ = self.map_shape
        if self.axis == 0:
            return _line(cols).reshape(1, cols, 1)
        return _line(rows).reshape(rows, 1, 1)


@keras.saving.register_keras_serializable(package="deephar")
class LinearInterpolation1D(_Expectation):
    """Expected depth under probability columns.

    Args:
        positions: "centers" counts the d bins as 1 / 2d ... 1 - 1 / 2d (the original's
            branch master), "ends" as 0 ... 1 (branch cvpr18).

    Input shape: `(batch, depth, channels)`.
    Output shape: `(batch, channels, 1)`.
    """

    published_families = ("conv1d",)
    map_rank = 2

    def __init__(self, positions="centers", **kwargs):
        super().__init__(**kwargs)
        self.positions = positions

    @property
    def positions(self):
        """Where the bins lie: "centers" or "ends"."""
        return self._where

    @positions.setter
    def positions(self, positions):
        if positions not in ("centers", "ends"):
            raise ValueError(
                f'`positions` must be "centers" or "ends". Received: {positions=}'
            )
        self._where = positions

    def call(self, x):
        line = self._line(self.positions)[:, np.newaxis]
        weighted = x * ops.convert_to_tensor(line, self.compute_dtype)
        return ops.expand_dims(ops.sum(weighted, axis=-2), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-2], input_shape[-1], 1)

    def get_config(self):
        return {**super().get_config(), "positions": self.positions}

    def published_kernels(self):
        """The original's constants: {option: [(role, array), ...]}."""
        identity = np.eye(self.map_shape[-1], dtype="float32")
        return {
            where: [("kernel", self._line(where)[:, np.newaxis, np.newaxis] * identity)]
            for where in (self.positions, *{"centers", "ends"} - {self.positions})
        }

    def select_published(self, option):
        """Takes the positions that a file was written with."""
        self.positions = option

    def _line(self, where):
        depth = self.map_shape[0]
        start = 1 / (2 * depth) if where == "centers" else 0.0
        return _line(depth, start, 1 - start)


def _line(size, start=0.0, end=1.0):
    return np.linspace(start, end, num=size).astype("float32")


def act_channel_softmax(x, name=None):
    """Softmax over rows and columns as a layer."""
    return ChannelSoftmax2D(name=layer_name(name, "channel_softmax2d"))(x)


def act_depth_softmax(x, name=None):
    """Softmax over depth as a layer."""
    return ChannelSoftmax1D(name=layer_name(name, "channel_softmax1d"))(x)


def lin_interpolation_1d(inp, positions="centers", name="conv1d_1"):
    """Expected depth `(batch, depth, channels)` -> `(batch, channels, 1)`."""
    name = layer_name(name, "conv1d")
    return LinearInterpolation1D(positions, name=name)(inp)


def lin_interpolation_2d(x, axis, vmin=0.0, vmax=1.0, name=None):
    """Expected column (axis 0) or row (axis 1) of maps, in [0, 1].

    Args:
        x: `(batch, [frames,] rows, cols, channels)`.
        axis: 0 or 1.
        vmin, vmax: Taken for the original's signature; they have no effect there
            either, and the published networks count on that.
        name: Name of the layer; custom_sam_AXIS by default.
    """
    name = layer_name(name, "custom_sam") or f"custom_sam_{axis}"
    return LinearInterpolation2D(axis, name=name)(x)


def softargmax2d(x, limits=(0, 0, 1, 1), name=None):
    """Expected (x, y), in [0, 1], under probability maps.

    Args:
        x: `(batch, [frames,] rows, cols, channels)`.
        limits: No effect, as in the original; see `lin_interpolation_2d`.
        name: Name of the result; its halves are NAME_x and NAME_y.

    Returns:
        `(batch, [frames,] channels, 2)`.
    """
    xmin, ymin, xmax, ymax = limits
    columns = lin_interpolation_2d(x, 0, xmin, xmax, name=suffixed(name, "_x"))
    rows = lin_interpolation_2d(x, 1, ymin, ymax, name=suffixed(name, "_y"))
    name = layer_name(name, "concatenate")
    return layers.Concatenate(dtype="float32", name=name)([columns, rows])
