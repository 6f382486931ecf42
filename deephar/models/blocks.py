"""Blocks that the networks share, each a function of tensors or a small model."""

import keras
from keras import layers

from deephar.layers import (
    ContextAggregation,
    JointProbability,
    LayerNames,
    MapExpectation,
    WeightedMean,
    act_channel_softmax,
    act_conv_bn,
    act_depth_softmax,
    conv_bn,
    conv_bn_act,
    kl_divergence_regularizer,
    layer_name,
    lin_interpolation_1d,
    lin_interpolation_2d,
    relu,
    residual,
    suffixed,
)
from deephar.models.stems import stem_inception_v4, stem_residual_eccv

__all__ = [
    "build_context_aggregation",
    "build_joints_probability",
    "build_keypoints_regressor",
    "build_softargmax_1d",
    "build_softargmax_2d",
    "conv_block",
    "identity_block",
    "reception_block",
    "stem_inception_v4",
    "stem_residual_eccv",
]


def conv_block(inp, kernel_size, filters, last_act=True, name=None):
    """ResNet bottleneck whose shortcut is a 1x1 convolution.

    Args:
        inp: `(batch, rows, cols, channels)`.
        kernel_size: Of the middle convolution.
        filters: Channels of the three convolutions.
        last_act: Whether a ReLU follows the sum.
        name: None or a `LayerNames`.
    """
    x = _bottleneck_path(inp, kernel_size, filters, name)
    shortcut = conv_bn(inp, filters[2], (1, 1), name=name)
    return _sum([x, shortcut], last_act, name)


def identity_block(inp, kernel_size, filters, last_act=True, name=None):
    """ResNet bottleneck whose shortcut is the input itself; see `conv_block`."""
    x = _bottleneck_path(inp, kernel_size, filters, name)
    return _sum([x, inp], last_act, name)


def reception_block(
    x, num_levels, kernel_size, int_size=None, convtype="depthwise", name=None
):
    """Hourglass of `residual` units over `num_levels` resolutions.

    Args:
        x: `(batch, rows, cols, channels)`, sides multiples of 2 ** (num_levels - 1).
        num_levels: Number of resolutions, at least 2.
        kernel_size: Of the units.
        int_size: Bottleneck of the units (convtype "normal").
        convtype: "depthwise" or "normal".
        name: None or a `LayerNames`.

    Returns:
        A tensor of the shape of `x`.
    """
    if num_levels < 2:
        raise ValueError(f"`num_levels` must be at least 2. Received: {num_levels=}")

    def unit(x, out_size=None):
        return residual(
            x,
            kernel_size,
            out_size=out_size,
            int_size=int_size,
            convtype=convtype,
            name=name,
        )

    def hourglass(x, level):
        channels = x.shape[-1]
        up = unit(x)
        low = layers.MaxPooling2D((2, 2), name=layer_name(name, "max_pooling2d"))(x)
        if level == num_levels:
            low = act_conv_bn(low, channels // 2, (1, 1), name=name)
        low = unit(low)
        low = hourglass(low, level - 1) if level > 2 else unit(low)
        low = unit(low, out_size=channels)
        low = layers.UpSampling2D((2, 2), name=layer_name(name, "up_sampling2d"))(low)
        return layers.Add(name=layer_name(name, "add"))([up, low])

    return hourglass(x, num_levels)


def build_keypoints_regressor(
    input_shape, dim, num_maps, sam_model, prob_model, name=None, verbose=0
):
    """Model that merges the poses of several heat maps of each joint.

    Each map gives a position and a probability; the result is the mean position
    weighted by probability, and the largest probability. In 3D every heat map has a
    depth map, whose sigmoid is averaged under the heat map.

    Args:
        input_shape: `(rows, cols, joints)`.
        dim: 2 or 3.
        num_maps: Heat maps of each joint.
        sam_model: Maps `(batch, rows, cols, joints)` -> `(batch, joints, 2)`.
        prob_model: Maps -> `(batch, joints, 1)`.
        name: Name of the model.
        verbose: Whether to print its summary.

    Returns:
        Model of `num_maps` heat maps (3D: then as many depth maps) -> `[pose
        (batch, joints, dim), probability (batch, joints, 1)]`.
    """
    if num_maps < 1:
        raise ValueError(f"`num_maps` must be at least 1. Received: {num_maps=}")
    if dim not in (2, 3):
        raise ValueError(f"`dim` must be 2 or 3. Received: {dim=}")
    names = LayerNames()
    maps = [_input(input_shape, names) for _ in range(num_maps)]
    depths = [_input(input_shape, names) for _ in range(num_maps if dim == 3 else 0)]
    poses, probabilities = [], []
    for i, h in enumerate(maps):
        h = act_channel_softmax(h, name=names)
        pose = sam_model(h)
        if dim == 3:
            pose = _with_depth(pose, h, depths[i], names)
        poses.append(pose)
        probabilities.append(prob_model(h))

    pose, probability = poses[0], probabilities[0]
    if num_maps > 1:
        pose = WeightedMean(name=names("weighted_mean"))([*poses, *probabilities])
        probability = layers.Maximum(name=names("maximum"))(probabilities)
    model = keras.Model([*maps, *depths], [pose, probability], name=name)
    if verbose:
        model.summary()
    return model


def build_context_aggregation(num_joints, num_context, alpha, num_frames=1, name=None):
    """Model of `ContextAggregation`: [own, context, probability] -> pose.

    Args:
        num_joints: Number of joints.
        num_context: Context maps of each joint.
        alpha: Weight of a joint's own estimate.
        num_frames: Frames of a clip; 1 is for pictures.
        name: Name of the model.

    Returns:
        Model of `[(batch, [frames,] joints, 2), (batch, [frames,] joints *
        num_context, 2), (batch, [frames,] joints * num_context, 1)]` ->
        `(batch, [frames,] joints, 2)`.
    """
    names = LayerNames()
    frames = (num_frames,) if num_frames > 1 else ()
    num_maps = num_joints * num_context
    inputs = [
        _input((*frames, num_joints, 2), names),
        _input((*frames, num_maps, 2), names),
        _input((*frames, num_maps, 1), names),
    ]
    y = ContextAggregation(num_context, alpha, name=names("dense"))(inputs)
    return keras.Model(inputs, y, name=name)


def build_softargmax_1d(input_shape, name=None):
    """Model of softmax and soft-argmax over depth.

    Args:
        input_shape: `(depth, joints)`.
        name: Name of the model.

    Returns:
        Model `(batch, depth, joints)` -> `(batch, joints, 1)` in [0, 1].
    """
    names = LayerNames()
    inp = _input(input_shape, names)
    x = act_depth_softmax(inp, name=suffixed(name, "_softmax") or names)
    return keras.Model(inp, lin_interpolation_1d(x), name=name)


def build_softargmax_2d(input_shape, rho=0.0, name=None):
    """Model of softmax and soft-argmax over rows and columns.

    Args:
        input_shape: `(rows, cols, joints)`.
        rho: Weight of the KL regulariser of the probability maps; 0 is without.
        name: Name of the model.

    Returns:
        Model `(batch, rows, cols, joints)` -> `(batch, joints, 2)`, (x, y) in [0, 1].
    """
    names = LayerNames()
    inp = _input(input_shape, names)
    x = act_channel_softmax(inp, name=suffixed(name, "_softmax") or names)
    if rho > 0:
        x = kl_divergence_regularizer(x, rho=rho, name=names)
    halves = [lin_interpolation_2d(x, axis=0), lin_interpolation_2d(x, axis=1)]
    xy = layers.Concatenate(dtype="float32", name=names("concatenate"))(halves)
    return keras.Model(inp, xy, name=name)


def build_joints_probability(input_shape, name=None, verbose=0, form="window"):
    """Model of `JointProbability`.

    Args:
        input_shape: `(rows, cols, joints)`.
        name: Name of the model.
        verbose: Whether to print its summary.
        form: "window" (the original's branch master) or "sigmoid" (cvpr18).

    Returns:
        Model `(batch, rows, cols, joints)` -> `(batch, joints, 1)`.
    """
    names = LayerNames()
    inp = _input(input_shape, names)
    p = JointProbability(form, name=names("joint_probability"))(inp)
    model = keras.Model(inp, p, name=name)
    if verbose:
        model.summary()
    return model


def _input(shape, names):
    return keras.Input(shape=shape, dtype="float32", name=names("input"))


def _bottleneck_path(x, kernel_size, filters, name):
    x = conv_bn_act(x, filters[0], (1, 1), name=name)
    x = conv_bn_act(x, filters[1], kernel_size, name=name)
    return conv_bn(x, filters[2], (1, 1), name=name)


def _sum(tensors, last_act, name):
    x = layers.Add(name=layer_name(name, "add"))(tensors)
    return relu(x, name=name) if last_act else x


def _with_depth(pose, h, depth, names):
    """Appends z: the sigmoid of a depth map averaged under the heat map."""
    depth = layers.Activation("sigmoid", dtype="float32", name=names("activation"))(
        depth
    )
    z = MapExpectation(name=names("map_expectation"))([h, depth])
    return layers.Concatenate(dtype="float32", name=names("concatenate"))([pose, z])
