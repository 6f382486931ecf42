"""The clip head of `action`: what sees the pose and appearance of all frames together.

    pose, confidence -> PoseAR -------> p1 ... p4 --+
                                                    +--> m
    features --------> GuidedVisAR ---> v1 ... v4 --+

PoseAR and GuidedVisAR take a clip as a picture whose rows are its frames and whose
columns are its joints. Each of their four blocks makes maps of the actions, and their
maxima plus minima the probabilities; m is those of the two last blocks together, mmm
and mmmvvv those of the one and the other as they are put together. With fewer blocks,
`num_predictions`, m is that of the last ones there are.
"""

import keras
import numpy as np
from keras import layers

from deephar.checkpoints import load_weights
from deephar.layers import (
    LayerNames,
    act_conv,
    act_conv_bn,
    conv_bn,
    conv_bn_act,
    global_max_min_pooling,
    max_min_pooling,
)
from deephar.models.reception import check_counts
from deephar.models.stems import STEM_SIZE

NUM_PREDICTIONS = 4
"""Blocks of PoseAR, and of GuidedVisAR, that predict the action one after the other."""


def output_names(num_predictions=NUM_PREDICTIONS):
    """Names of a merged model's predictions of the action, in their order."""
    numbers = range(1, num_predictions + 1)
    return (*(f"p{i}" for i in numbers), *(f"v{i}" for i in numbers), "m")


OUTPUTS = output_names()
"""Those of the whole one: p1, p2, p3, p4, v1, v2, v3, v4, m."""

APART = ("mmm", "mmmvvv")
"""Names of what m is made of, by pose and by appearance: put out where asked for."""

POSE_NETS = {"v1": ((8, 16, 24), 56, 32), "v2": ((12, 24, 36), 112, 64)}
"""Filters of the pose networks: three first branches, two second ones, a reduction."""

_VISUAL_SIZE = 256


def action_top(x, name=None):
    """Maps `(batch, rows, cols, actions)` to probabilities `(batch, actions)`."""
    pooling = f"{name}_pooling" if name else None
    x = global_max_min_pooling(x, name=pooling)
    return layers.Activation("softmax", dtype="float32", name=name)(x)


def build_act_pred_block(
    x, num_out, name=None, last=False, include_top=True, names=None
):
    """One block that predicts the action and puts its answer back into the features.

    Args:
        x: `(batch, rows, cols, features)`, sides even.
        num_out: Number of actions.
        name: Name of the prediction.
        last: Whether no block follows.
        include_top: Whether to predict probabilities, not maps.
        names: None or the `LayerNames` of the model.

    Returns:
        Features of the shape of `x` for the next block (of the last one: unspecified)
        and the prediction, `(batch, num_out)` or `(batch, rows / 2, cols / 2,
        num_out)`.
    """
    names = names or LayerNames(f"{name}_" if name else "")
    size = x.shape[-1]
    y = act_conv_bn(x, size // 2, (1, 1), name=names)
    y = act_conv_bn(y, size, (3, 3), name=names)
    x = layers.Add(name=names("add"))([x, y])

    y = act_conv_bn(x, size, (3, 3), name=names)
    maps = max_min_pooling(y, (2, 2), name=names)
    maps = act_conv(maps, num_out, (3, 3), name=names)
    prediction = action_top(maps, name) if include_top else maps
    if not last:
        back = layers.UpSampling2D((2, 2), name=names("up_sampling2d"))(maps)
        back = act_conv_bn(back, size, (3, 3), name=names)
        x = layers.Add(name=names("add"))([x, y, back])
    return x, prediction


def build_pose_model(
    num_joints,
    num_actions,
    num_temp_frames=None,
    pose_dim=2,
    name=None,
    include_top=True,
    network_version="v1",
    num_predictions=NUM_PREDICTIONS,
    by_fours=False,
):
    """Builds the network that tells an action from poses.

    Args:
        num_joints: Number of joints.
        num_actions: Number of actions.
        num_temp_frames: Frames of a clip, a multiple of 4; None is any such number.
        pose_dim: 2 or 3.
        name: Name of the model.
        include_top: Whether to predict probabilities, not maps.
        network_version: "v1", or the wider "v2".
        num_predictions: Blocks that predict, 1 to 4.
        by_fours: Whether zeros stand behind joints up to a multiple of 4, so that the
            maps fit those of the other network; else only where the halves need it.

    Returns:
        Model of `[pose (batch, frames, joints, pose_dim), confidence (batch, frames,
        joints, 1)]` -> `num_predictions` predictions, `(batch, num_actions)` each, or
        without top maps of about `(batch, frames / 4, joints / 4, num_actions)`.

    Raises:
        ValueError: for an argument out of range.
    """
    check_counts(num_joints=num_joints, num_actions=num_actions)
    _check_predictions(num_predictions)
    _check_halves("up", num_temp_frames)
    _check_pose(pose_dim, network_version)
    branches, size, reduced = POSE_NETS[network_version]
    names = LayerNames()
    with keras.name_scope(name or "pose_model"):
        shape = (num_temp_frames, num_joints)
        pose = keras.Input((*shape, pose_dim), name="pose")
        confidence = keras.Input((*shape, 1), name="confidence")
        x = layers.Multiply(name=names("multiply"))([pose, confidence])
        kernels = ((3, 1), (3, 3), (3, 5))
        parts = [
            conv_bn_act(x, filters, kernel, name=names)
            for filters, kernel in zip(branches, kernels, strict=True)
        ]
        x = layers.Concatenate(name=names("concatenate"))(parts)
        a = conv_bn(x, size, (3, 3), name=names)
        b = conv_bn(x, reduced, (1, 1), name=names)
        b = conv_bn(b, size, (3, 3), name=names)
        x = layers.Concatenate(name=names("concatenate"))([a, b])
        x = _pad_joints(x, names, "up", by_fours)
        x = max_min_pooling(x, (2, 2), name=names)
        blocks = (num_actions, num_predictions, include_top, names)
        outputs = _prediction_blocks(x, *blocks)
        return keras.Model([pose, confidence], outputs, name=name)


def build_visual_model(
    num_joints,
    num_actions,
    num_features,
    num_temp_frames=None,
    name=None,
    include_top=True,
    num_predictions=NUM_PREDICTIONS,
    by_fours=False,
):
    """Builds the network that tells an action from what each joint looks like.

    Args:
        num_joints: Number of joints.
        num_actions: Number of actions.
        num_features: Features of a joint.
        num_temp_frames: Frames of a clip, a multiple of 4; None is any such number.
        name: Name of the model.
        include_top: Whether to predict probabilities, not maps.
        num_predictions: Blocks that predict, 1 to 4.
        by_fours: Whether zeros stand behind joints up to a multiple of 4, so that the
            maps fit those of the other network; else only where the halves need it.

    Returns:
        Model of features `(batch, frames, joints, num_features)` -> predictions as of
        `build_pose_model`.

    Raises:
        ValueError: for an argument out of range.
    """
    check_counts(
        num_joints=num_joints, num_actions=num_actions, num_features=num_features
    )
    _check_predictions(num_predictions)
    _check_halves("down", num_temp_frames)
    names = LayerNames()
    with keras.name_scope(name or "visual_model"):
        shape = (num_temp_frames, num_joints, num_features)
        features = keras.Input(shape, name="features")
        x = conv_bn(features, _VISUAL_SIZE, (1, 1), name=names)
        x = _pad_joints(x, names, "down", by_fours)
        x = layers.MaxPooling2D((2, 2), name=names("max_pooling2d"))(x)
        blocks = (num_actions, num_predictions, include_top, names)
        outputs = _prediction_blocks(x, *blocks)
        return keras.Model(features, outputs, name=name)


def _prediction_blocks(x, num_actions, num_predictions, include_top, names):
    outputs = []
    for i in range(1, num_predictions + 1):
        more = {"last": i == num_predictions, "include_top": include_top}
        x, y = build_act_pred_block(x, num_actions, f"y{i}", **more, names=names)
        outputs.append(y)
    return outputs


def build_clip_head(
    num_joints,
    num_actions,
    num_frames,
    num_features=STEM_SIZE,
    pose_dim=2,
    pose_net_version="v1",
    weighted_merge=True,
    ar_pose_weights=None,
    ar_visual_weights=None,
    apart=False,
    num_predictions=NUM_PREDICTIONS,
    name="clip_head",
):
    """Builds the part of a clip model that sees all frames together.

    Args:
        num_joints: Number of joints.
        num_actions: Number of actions.
        num_frames: Frames of a clip, a multiple of 4; None is any such number.
        num_features: Features of a joint.
        pose_dim: 2 or 3.
        pose_net_version: "v1" or "v2"; see `build_pose_model`.
        weighted_merge: Whether trained weights, 1 at first, stand at the two last
            blocks' maps where they are added.
        ar_pose_weights: File with the weights of PoseAR alone.
        ar_visual_weights: File with the weights of GuidedVisAR alone.
        apart: Whether to put out `APART` too, the predictions by each of the two maps
            that are added for m, weights included.
        num_predictions: Blocks of either network that predict, 1 to 4.
        name: Name of the model.

    Returns:
        Model of `[pose (batch, frames, joints, pose_dim), confidence (batch, frames,
        joints, 1), features (batch, frames, joints, num_features)]` -> the
        probabilities `output_names(num_predictions)`, and `APART` if asked for,
        `(batch, num_actions)` each.

    Raises:
        ValueError: for an argument out of range, or weights that do not fit.
        OSError: a file of weights cannot be read.
    """
    with keras.name_scope(name):
        pose_net = build_pose_model(
            num_joints,
            num_actions,
            num_frames,
            pose_dim,
            name="PoseAR",
            include_top=False,
            network_version=pose_net_version,
            num_predictions=num_predictions,
            by_fours=True,
        )
        visual_net = build_visual_model(
            num_joints,
            num_actions,
            num_features,
            num_frames,
            name="GuidedVisAR",
            include_top=False,
            num_predictions=num_predictions,
            by_fours=True,
        )
        for net, file in ((pose_net, ar_pose_weights), (visual_net, ar_visual_weights)):
            if file is not None:
                load_weights(net, file)
        inputs = [
            keras.Input(x.shape[1:], name=x.name)
            for x in (*pose_net.inputs, *visual_net.inputs)
        ]
        poses = keras.tree.flatten(pose_net(inputs[:2]))
        views = keras.tree.flatten(visual_net(inputs[2]))
        merged, *parts = _merge(poses[-1], views[-1], weighted_merge)
        outputs = output_names(num_predictions)
        maps = dict(zip(outputs, (*poses, *views, merged), strict=True))
        if apart:
            maps |= zip(APART, parts, strict=True)
        outputs = [action_top(x, output) for output, x in maps.items()]
        return keras.Model(inputs, outputs, name=name)


def predictions(clip_head, clip):
    """What a clip head makes of clips, under its names, as outputs of a model."""
    return [
        layers.Identity(dtype="float32", name=name)(y)
        for name, y in zip(clip_head.output_names, clip_head(clip), strict=True)
    ]


def _merge(p, v, weighted):
    """The sum of two maps, weighted on request, and the two as they are added."""
    names = LayerNames()
    if weighted:
        p, v = _weigh(p, names), _weigh(v, names)
    return layers.Add(name=names("add"))([p, v]), p, v


def merging_layers(clip_head):
    """The layers by which the two last blocks' maps are weighted before their sum.

    Args:
        clip_head: Model of `build_clip_head`; any other has none.
    """
    found = clip_head.layers
    if not {"PoseAR", "GuidedVisAR"} <= {layer.name for layer in found}:
        return []
    return [layer for layer in found if isinstance(layer, layers.SeparableConv2D)]


def _weigh(x, names):
    """A separable convolution over single places that changes nothing at first."""
    channels = x.shape[-1]
    conv = layers.SeparableConv2D(
        channels,
        (1, 1),
        use_bias=False,
        depthwise_initializer="ones",
        name=names("separable_conv2d"),
    )
    y = conv(x)
    conv.pointwise_kernel.assign(np.eye(channels, dtype="float32")[None, None])
    return y


def _pad_joints(x, names, rounded, by_fours):
    """Zeros behind the joints up to a multiple of 4, where they are to be by fours.

    Also where they cannot be halved twice and doubled, which crashes in the original.
    """
    joints = x.shape[2]
    if joints % 4 == 0 or (not by_fours and _can_halve(rounded, joints)):
        return x
    return layers.ZeroPadding2D(((0, 0), (0, -joints % 4)), name=names("pad"))(x)


def _can_halve(rounded, side):
    """Whether the half of a side is even, to be halved and doubled again."""
    half = (side + (rounded == "up")) // 2
    return half >= 2 and half % 2 == 0


def _check_halves(rounded, frames):
    if frames is not None and not _can_halve(rounded, frames):
        raise ValueError(
            f"Half of `num_temp_frames`, rounded {rounded}, must be an even number, as "
            f"of every multiple of 4. Received: num_temp_frames={frames}"
        )


def _check_predictions(num_predictions):
    if num_predictions not in range(1, NUM_PREDICTIONS + 1):
        raise ValueError(
            f"`num_predictions` must lie in 1 ... {NUM_PREDICTIONS}. "
            f"Received: {num_predictions=}"
        )


def _check_pose(pose_dim, network_version):
    if pose_dim not in (2, 3):
        raise ValueError(f"`pose_dim` must be 2 or 3. Received: {pose_dim=}")
    if network_version not in POSE_NETS:
        raise ValueError(
            f"`network_version` must be one of {', '.join(POSE_NETS)}. "
            f"Received: {network_version=}"
        )
