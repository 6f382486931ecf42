"""Layers over time: convolutions of tracks, and their batch normalisation.

A temporal convolution is one product of matrices: the frames that a position sees lie
side by side, times the kernel. That is what it costs on a CPU, forwards and backwards.
Frames side by side are copies, as many as the kernel is wide: kernels wider than
`WIDEST_COPIED`, which dense networks have, are the backend's convolution instead.

Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019.
"""

import keras
from keras import initializers, layers, ops

# From width 7 on the backend's convolution is as fast, with a fraction of the memory.
WIDEST_COPIED = 5


@keras.saving.register_keras_serializable(package="deephar")
class TemporalConv(layers.Layer):
    """1-D convolution over frames without padding, dilated or strided.

    Kernel and bias start uniform in +-1 / sqrt(width * in_channels), as PyTorch's do.

    Args:
        filters: Number of output channels.
        width: Frames that a position sees.
        dilation: Distance between these frames.
        use_bias: Whether to add a bias.

    Input shape: `(batch, frames, in_channels)`.
    Output shape: `(batch, frames - (width - 1) * dilation, filters)`; with `strided` in
        the call `(batch, frames // width, filters)`: the same kernel on neighbouring
        frames, each seen once, whatever the dilation.
    """

    def __init__(self, filters, width, dilation=1, use_bias=False, **kwargs):
        super().__init__(**kwargs)
        for name, value in [
            ("filters", filters),
            ("width", width),
            ("dilation", dilation),
        ]:
            if value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {name}={value}"
                )
        self.filters = filters
        self.width = width
        self.dilation = dilation
        self.use_bias = use_bias

    def build(self, input_shape):
        channels = input_shape[-1]
        bound = (self.width * channels) ** -0.5
        start = initializers.RandomUniform(-bound, bound)
        self.kernel = self.add_weight(
            shape=(self.width, channels, self.filters), initializer=start, name="kernel"
        )
        if self.use_bias:
            # An initializer gives equal numbers for equal shapes: one for each.
            start = initializers.RandomUniform(-bound, bound)
            self.bias = self.add_weight(
                shape=(self.filters,), initializer=start, name="bias"
            )

    def call(self, x, strided=False):
        frames = self._frames(x.shape[1], strided)
        if not strided and self.dilation == 1 and self.width > WIDEST_COPIED:
            y = ops.conv(x, self.kernel, data_format="channels_last")
        else:
            y = self._product(x, frames, strided)
        return ops.add(y, self.bias) if self.use_bias else y

    def compute_output_shape(self, input_shape, strided=False):
        return (input_shape[0], self._frames(input_shape[1], strided), self.filters)

    def compute_output_spec(self, x, strided=False):
        shape = self.compute_output_shape(x.shape, strided)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "width": self.width,
            "dilation": self.dilation,
            "use_bias": self.use_bias,
        }

    def _product(self, x, frames, strided):
        """What each position sees, side by side, times the kernel."""
        seen = self.width * x.shape[-1]
        x = x if strided else self._side_by_side(x)
        if frames is None:
            frames = ops.shape(x)[1] // (self.width if strided else 1)
        y = ops.matmul(
            ops.reshape(x, (-1, seen)), ops.reshape(self.kernel, (seen, self.filters))
        )
        return ops.reshape(y, (-1, frames, self.filters))

    def _side_by_side(self, x):
        """What each position sees: `(batch, positions, width * channels)`."""
        reach = (self.width - 1) * self.dilation
        if reach == 0:
            return x
        starts = range(0, reach + 1, self.dilation)
        seen = [x[:, start : start - reach or None] for start in starts]
        return ops.concatenate(seen, axis=-1)

    def _frames(self, frames, strided):
        """Number of output frames; None where that of the input is None."""
        if frames is None:
            return None
        reach = (self.width - 1) * self.dilation
        fits = frames % self.width == 0 if strided else frames > reach
        if not fits:
            rule = "a multiple of the width" if strided else f"more than {reach}"
            raise ValueError(
                f"The number of frames must be {rule} in layer {self.name}. "
                f"Received: frames={frames}, width={self.width}, "
                f"dilation={self.dilation}"
            )
        return frames // self.width if strided else frames - reach


@keras.saving.register_keras_serializable(package="deephar")
class TemporalBatchNorm(layers.BatchNormalization):
    """Batch normalisation over the last axis as PyTorch computes it.

    The moving variance is the unbiased one (of n - 1), and the momentum is a weight
    that does not train, so that a schedule changes it in a traced step as well.

    Args:
        momentum: Share of the old statistics that remains (PyTorch's is 1 minus that).
        epsilon: Added to the variance.

    Input and output shape: `(..., channels)`.
    """

    def __init__(self, momentum=0.9, epsilon=1e-5, **kwargs):
        self._momentum_weight = None
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    @property
    def momentum(self):
        """The weight, once it is there; what is set to this is assigned to it."""
        weight = self._momentum_weight
        return self._first_momentum if weight is None else weight

    @momentum.setter
    def momentum(self, momentum):
        if self._momentum_weight is None:
            self._first_momentum = momentum
        else:
            self._momentum_weight.assign(momentum)

    def build(self, input_shape):
        super().build(input_shape)
        self._momentum_weight = self.add_weight(
            shape=(),
            initializer=initializers.Constant(self._first_momentum),
            trainable=False,
            autocast=False,
            name="momentum",
        )

    def call(self, inputs, training=None):
        x = ops.cast(inputs, "float32")
        mean, variance = self.moving_mean, self.moving_variance
        if training and self.trainable:
            axes = tuple(range(len(x.shape) - 1))
            mean, variance = ops.moments(x, axes=axes)
            self._move(mean, variance, ops.size(x) / x.shape[-1])
        y = ops.batch_normalization(
            x,
            mean,
            variance,
            axis=-1,
            offset=ops.cast(self.beta, "float32"),
            scale=ops.cast(self.gamma, "float32"),
            epsilon=self.epsilon,
        )
        return ops.cast(y, self.compute_dtype)

    def _move(self, mean, variance, count):
        """Takes the statistics of `count` positions into the moving ones."""
        count = ops.cast(count, "float32")
        unbiased = variance * (count / ops.maximum(count - 1.0, 1.0))
        new = 1.0 - self.momentum
        for moving, found in (
            (self.moving_mean, mean),
            (self.moving_variance, unbiased),
        ):
            moving.assign(moving * self.momentum + found * new)

    def get_config(self):
        return {**super().get_config(), "momentum": self._first_momentum}


@keras.saving.register_keras_serializable(package="deephar")
class SelectFrames(layers.Layer):
    """Takes every step-th frame from a first to a last one.

    Args:
        first: The first frame that is taken.
        dropped: Frames left out at the end.
        step: Distance between frames that are taken.

    Input shape: `(batch, frames, channels)`.
    Output shape: `(batch, ceil((frames - first - dropped) / step), channels)`.
    """

    def __init__(self, first, dropped=0, step=1, **kwargs):
        super().__init__(**kwargs)
        self.first = first
        self.dropped = dropped
        self.step = step

    def call(self, x):
        return x[:, self.first : -self.dropped or None : self.step]

    def compute_output_shape(self, input_shape):
        batch, frames, *rest = input_shape
        if frames is not None:
            frames = len(range(self.first, frames - self.dropped, self.step))
        return (batch, frames, *rest)

    def get_config(self):
        return {
            **super().get_config(),
            "first": self.first,
            "dropped": self.dropped,
            "step": self.step,
        }
