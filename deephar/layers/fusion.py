"""Layers that bring maps, features and predictions together. No weights.

As in `deephar.layers.softargmax`, `published_kernels` names the constants that the
original stores for a layer.
"""

import keras
import numpy as np
from keras import config, layers, ops
from keras.regularizers import l1

from deephar.layers.names import layer_name, suffixed
from deephar.layers.softargmax import Float32Layer


@keras.saving.register_keras_serializable(package="deephar")
class ContextAggregation(Float32Layer):
    """Mixes each joint's own estimate with those of its context maps.

    y = alpha * ys + (1 - alpha) * sum(pc * yc) / sum(pc), the sums running over the
    context maps of a joint.

    Args:
        num_context: Context maps of a joint; joint j owns maps j * num_context ...
        alpha: Weight of the joint's own estimate.

    Input shape: `[(batch, ..., joints, dim), (batch, ..., joints * num_context, dim),
        (batch, ..., joints * num_context, 1)]`: own and context estimates and the
        context's probabilities.
    Output shape: `(batch, ..., joints, dim)`.
    Reference: Luvizon et al., "Human Pose Regression ...", 2017, equation 6.
    """

    published_families = ("dense",)

    def __init__(self, num_context, alpha, **kwargs):
        super().__init__(**kwargs)
        if num_context < 1:
            raise ValueError(
                f"`num_context` must be at least 1. Received: {num_context=}"
            )
        self.num_context = num_context
        self.alpha = alpha

    def build(self, input_shape):
        own, context, _ = input_shape
        if context[-2] != own[-2] * self.num_context:
            raise ValueError(
                f"There must be {self.num_context} context maps for each joint. "
                f"Received: joints={own[-2]}, context maps={context[-2]}"
            )
        self.num_joints = own[-2]

    def call(self, inputs):
        ys, yc, pc = inputs
        mean = self._joint_sums(pc * yc) / self._joint_sums(pc)
        return self.alpha * ys + (1 - self.alpha) * mean

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_context": self.num_context,
            "alpha": self.alpha,
        }

    def published_kernels(self):
        """The original's constants: {option: [(role, array), ...]}."""
        identity = np.eye(self.num_joints, dtype="float32")
        return {None: [("kernel", np.repeat(identity, self.num_context, axis=0))]}

    def _joint_sums(self, x):
        *lead, _, dim = ops.shape(x)
        shape = (*lead, self.num_joints, self.num_context, dim)
        return ops.sum(ops.reshape(x, shape), axis=-2)


@keras.saving.register_keras_serializable(package="deephar")
class KroneckerProduct(layers.Layer):
    """Features gathered under each joint's heat map, by one einsum.

    Input shape: `[(batch, frames, rows, cols, joints),
        (batch, frames, rows, cols, features)]`; or of four axes, without frames.
    Output shape: `(batch, frames, joints, features)`. Without frames the original
        keeps the rows and sums over columns and joints, and so does this layer:
        `(batch, rows, features)`.
    Reference: Luvizon et al., CVPR 2018, section 3.3 (appearance recognition).
    """

    def call(self, inputs):
        maps, features = inputs
        if len(maps.shape) == 5:
            return ops.einsum("bthwj,bthwf->btjf", maps, features)
        return ops.einsum("bhwj,bhwf->bhf", maps, features)

    def compute_output_shape(self, input_shape):
        maps, features = input_shape
        if len(maps) not in (4, 5) or len(maps) != len(features):
            raise ValueError(
                "Heat maps and features must both have four or five axes. "
                f"Received: shapes {tuple(maps)} and {tuple(features)}"
            )
        kept = maps[-1] if len(maps) == 5 else maps[1]
        lead = maps[:2] if len(maps) == 5 else maps[:1]
        return (*lead, kept, features[-1])


@keras.saving.register_keras_serializable(package="deephar")
class KLDivergenceRegularizer(Float32Layer):
    """Passes probability maps on and adds a loss that pulls them to their peak.

    The loss is rho * sum(y * (log y - log d)) / (rows * cols), d being 1 at each
    map's maximum and 0 elsewhere, logarithms clipped at Keras' epsilon.

    Args:
        rho: Weight of the loss.

    Input and output shape: `(batch, rows, cols, channels)`.
    """

    published_families = ("conv2d",)

    def __init__(self, rho=0.01, **kwargs):
        super().__init__(**kwargs)
        self.rho = rho

    def build(self, input_shape):
        self.map_shape = tuple(input_shape[-3:])

    def call(self, y):
        rows, cols, _ = self.map_shape
        peak = ops.cast(y >= ops.max(y, axis=(1, 2), keepdims=True), y.dtype)
        gap = _clipped_log(y) - _clipped_log(peak)
        self.add_loss(self.rho * ops.sum(y * gap) / (rows * cols))
        return y

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rho": self.rho}

    def published_kernels(self):
        """The original's constants: {option: [(role, array), ...]}."""
        identity = np.eye(self.map_shape[-1], dtype="float32")
        return {None: [("kernel", identity[np.newaxis, np.newaxis])]}


def _clipped_log(x):
    return ops.log(ops.clip(x, config.epsilon(), 1.0))


@keras.saving.register_keras_serializable(package="deephar")
class PositionProbability(layers.Layer):
    """`aggregate_position_probability` as a layer over `[y, p]`."""

    def call(self, inputs):
        return aggregate_position_probability(inputs)

    def compute_output_shape(self, input_shape):
        y, _ = input_shape
        return (*y[:-1], 2 * y[-1])


@keras.saving.register_keras_serializable(package="deephar")
class SelectChannels(layers.Layer):
    """Picks channels by index (the original: a frozen dense layer of zeros and ones).

    Args:
        indices: Channels of the input, in the order of the output.

    Input shape: `(batch, ..., channels)`.
    Output shape: `(batch, ..., len(indices))`.
    """

    published_families = ("dense",)

    def __init__(self, indices, **kwargs):
        super().__init__(**kwargs)
        self.indices = tuple(int(i) for i in indices)

    def build(self, input_shape):
        self.num_channels = input_shape[-1]
        if not all(0 <= i < self.num_channels for i in self.indices):
            raise ValueError(
                f"Indices must lie in [0, {self.num_channels}). "
                f"Received: indices={self.indices}"
            )

    def call(self, x):
        return ops.take(x, np.array(self.indices, "int32"), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], len(self.indices))

    def get_config(self):
        return {**super().get_config(), "indices": self.indices}

    def published_kernels(self):
        """The original's constants: {option: [(role, array), ...]}."""
        identity = np.eye(self.num_channels, dtype="float32")
        return {None: [("kernel", identity[:, list(self.indices)])]}


@keras.saving.register_keras_serializable(package="deephar")
class SplitChannels(Float32Layer):
    """Parts the first channels from the rest.

    Args:
        size: Number of channels of the first part.

    Input shape: `(batch, ..., channels)`.
    Output shape: `[(batch, ..., size), (batch, ..., channels - size)]`.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, x):
        return [x[..., : self.size], x[..., self.size :]]

    def compute_output_shape(self, input_shape):
        *lead, channels = input_shape
        return [(*lead, self.size), (*lead, channels - self.size)]

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="deephar")
class SplitVolume(Float32Layer):
    """Means of volumetric heat maps over depth and over the picture.

    Args:
        depth_maps: Number of depth maps of a joint; channel d * joints + j is the map
            of joint j at depth d.

    Input shape: `(batch, ..., rows, cols, depth_maps * joints)`.
    Output shape: `[(batch, ..., rows, cols, joints),
        (batch, ..., depth_maps, joints)]`.
    """

    def __init__(self, depth_maps, **kwargs):
        super().__init__(**kwargs)
        self.depth_maps = depth_maps

    def build(self, input_shape):
        if input_shape[-1] % self.depth_maps:
            raise ValueError(
                f"The number of maps must be a multiple of {self.depth_maps}. "
                f"Received: input_shape={tuple(input_shape)}"
            )

    def call(self, x):
        *lead, channels = ops.shape(x)
        joints = channels // self.depth_maps
        volume = ops.reshape(x, (*lead, self.depth_maps, joints))
        return [ops.mean(volume, axis=-2), ops.mean(volume, axis=(-4, -3))]

    def compute_output_shape(self, input_shape):
        *lead, rows, cols, channels = input_shape
        joints = channels // self.depth_maps
        return [(*lead, rows, cols, joints), (*lead, self.depth_maps, joints)]

    def get_config(self):
        return {**super().get_config(), "depth_maps": self.depth_maps}


@keras.saving.register_keras_serializable(package="deephar")
class MapExpectation(Float32Layer):
    """Expected value of a map under a probability map.

    Input shape: `[(batch, rows, cols, joints), the same]`: probabilities and values.
    Output shape: `(batch, joints, 1)`.
    """

    def call(self, inputs):
        probabilities, values = inputs
        mean = ops.sum(probabilities * values, axis=(-3, -2))
        return ops.expand_dims(mean, axis=-1)

    def compute_output_shape(self, input_shape):
        maps, _ = input_shape
        return (*maps[:-3], maps[-1], 1)


@keras.saving.register_keras_serializable(package="deephar")
class WeightedMean(Float32Layer):
    """Mean of n estimates by their weights.

    Input shape: `[estimates (..., dim) n times, weights (..., 1) n times]`.
    Output shape: `(..., dim)`.
    """

    def call(self, inputs):
        half = len(inputs) // 2
        estimates, weights = inputs[:half], inputs[half:]
        total = sum(e * w for e, w in zip(estimates, weights, strict=True))
        return total / sum(weights)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def aggregate_position_probability(inp):
    """Parts positions into their likely and unlikely share.

    Args:
        inp: `[y, p]`: positions `(..., 2)` and probabilities `(..., 1)`.

    Returns:
        `(..., 4)`: p * y beside (1 - p) * y.
    """
    y, p = inp
    return ops.concatenate([p * y, (1 - p) * y], axis=-1)


def fc_aggregation_block(y, p, name=None):
    """Refines positions by two dense layers over likely and unlikely shares.

    Args:
        y: Positions `(batch, joints, dim)`.
        p: Probabilities `(batch, joints, 1)`.
        name: Of the shares; the layers are NAME_fc1, NAME_act, NAME_fc2.
    """
    dim = y.shape[-1]
    shared = layer_name(name, "position_probability")
    x = PositionProbability(name=shared)([y, p])
    x = layers.Dense(
        2 * dim,
        use_bias=False,
        kernel_regularizer=l1(0.0002),
        name=layer_name(suffixed(name, "_fc1"), "dense"),
    )(x)
    name_act = layer_name(suffixed(name, "_act"), "activation")
    x = layers.Activation("relu", name=name_act)(x)
    return layers.Dense(
        dim,
        kernel_regularizer=l1(0.0002),
        name=layer_name(suffixed(name, "_fc2"), "dense"),
    )(x)


def sparse_fc_mapping(x, input_idxs, name="dense_1"):
    """Picks the channels `input_idxs` of `x`."""
    return SelectChannels(input_idxs, name=layer_name(name, "dense"))(x)


def kl_divergence_regularizer(x, rho=0.01, name="conv2d_1"):
    """Adds the loss of `KLDivergenceRegularizer` on probability maps `x`."""
    return KLDivergenceRegularizer(rho, name=layer_name(name, "conv2d"))(x)


def kronecker_prod(h, f, name="Kronecker_prod"):
    """Features `f` gathered under heat maps `h`; see `KroneckerProduct`."""
    return KroneckerProduct(name=layer_name(name, "kronecker_product"))([h, f])
