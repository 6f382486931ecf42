"""Action recognition from clips: pose and appearance of every frame, seen together.

A clip model is a frame model and a clip head (J joints, F features):

    frames -> frame_model, one frame at a time
        Stem -> rBlock1 -+-> Model1 (the other blocks) -> H -+-> pose, confidence
                         |                                   |
                         |                     softmax of H -+
                         +--> features under each joint <----+
    pose, confidence, features of all frames of a clip -> clip_head (see there)
        -> p1 ... p4 by pose, v1 ... v4 by appearance, m by both
           (`apart`: mmm and mmmvvv, what m is made of)

The frame model is made of the layers of a pose network (`reception`) and has its
weights. Only its last used block predicts, with a sharper confidence: of 4 times the
maps in 2D, of 2 times the maps in 3D.

Source: Luvizon, Picard, Tabia, "2D/3D Pose Estimation and Action Recognition using
Multitask Deep Learning", CVPR 2018.
"""

import keras
from keras import layers

from deephar.layers import (
    ChannelSoftmax2D,
    FoldFrames,
    UnfoldFrames,
    VolumeProbability,
)
from deephar.losses import binary_crossentropy
from deephar.models.blocks import build_context_aggregation
from deephar.models.clip_head import (
    APART,
    NUM_PREDICTIONS,
    OUTPUTS,
    action_top,
    build_act_pred_block,
    build_clip_head,
    build_pose_model,
    build_visual_model,
    predictions,
)
from deephar.models.common import features_of_joints
from deephar.models.nested import nested
from deephar.models.reception import (
    check_counts,
    pose_regression_2d,
    pose_regression_2d_context,
    pose_regression_3d,
)
from deephar.objectives import elasticnet_loss_on_valid_joints

__all__ = [
    "APART",
    "OUTPUTS",
    "action_top",
    "build_act_pred_block",
    "build_clip_head",
    "build_frame_model",
    "build_guided_visual_model",
    "build_merge_model",
    "build_pose_model",
    "build_visual_model",
    "compile",
]

_ALPHA = 0.8
_CONFIDENCE_GAIN = {2: 4.0, 3: 2.0}


def build_frame_model(model_pe, num_blocks=None, name="frame_model"):
    """Builds the part of a clip model that looks at one frame.

    Args:
        model_pe: Pose network of `reception`; its layers are used, not copied.
        num_blocks: How many of its blocks; None is all.
        name: Name of the model.

    Returns:
        Model of pictures `(batch, rows, cols, 3)` -> `[pose (batch, joints, dim),
        confidence (batch, joints, 1), features (batch, joints, 576)]`, float32; dim
        is that of the pose network.

    Raises:
        ValueError: `model_pe` is no such network, or has fewer blocks.
    """
    sizes = _sizes_of(model_pe)
    num_blocks = sizes["num_blocks"] if num_blocks is None else num_blocks
    check_counts(num_blocks=num_blocks)
    if num_blocks > sizes["num_blocks"]:
        raise ValueError(
            f"`num_blocks` must be at most that of the pose network, "
            f"{sizes['num_blocks']}. Received: {num_blocks=}"
        )
    pictures = keras.Input(model_pe.input_shape[1:], name="picture")
    x = model_pe.get_layer("rBlock1")(model_pe.get_layer("Stem")(pictures))
    h = nested(x, "Model1", lambda xi, _: _last_maps(xi, model_pe, num_blocks))
    pose, confidence, maps = _regress(h, model_pe, sizes)
    maps = ChannelSoftmax2D(name="ChannelSoftmax")(maps)
    features = features_of_joints(maps, x)
    return keras.Model(pictures, [pose, confidence, features], name=name)


def _last_maps(x, model_pe, num_blocks):
    """Heat maps of the last block from the features of the first."""
    for n in range(1, num_blocks + 1):
        if n > 1:
            x = model_pe.get_layer(f"rBlock{n}")(x)
        y = model_pe.get_layer(f"SepConv{n}")(x)
        h = model_pe.get_layer(f"RegMap{n}")(y)
        if n < num_blocks:
            back = model_pe.get_layer(f"fReMap{n}")(h)
            x = layers.Add(name=f"add_{n}")([x, y, back])
    return h


def _regress(h, model_pe, sizes):
    """Pose, confidence and own maps of joints, as the pose network but sharper."""
    part, joints, dim = model_pe.get_layer, sizes["num_joints"], sizes["pose_dim"]
    gain = layers.Rescaling(_CONFIDENCE_GAIN[dim], dtype="float32", name="sharpen")

    def sharper(maps):
        model = part("sjProb") if dim == 2 else VolumeProbability(name="Model1_prob")
        return model(keras.tree.map_structure(gain, maps))

    if dim == 3:
        depth = sizes["depth_maps"]
        sams = part("sSAM"), part("zSAM")
        return pose_regression_3d(h, joints, depth, *sams, jprob_model=sharper)
    context = sizes["num_context_per_joint"]
    if context == 0:
        h = layers.Activation("linear", dtype="float32", name="Model1_float32")(h)
        return pose_regression_2d(h, part("sSAM"), sharper)
    agg = build_context_aggregation(joints, context, _ALPHA, name="Agg")
    parts = part("sSAM"), part("cSAM"), part("cjProb"), agg
    return pose_regression_2d_context(h, joints, *parts, sharper)


def build_guided_visual_model(
    model_pe,
    num_actions,
    input_shape,
    num_frames,
    num_joints,
    num_blocks,
    num_context_per_joint=2,
):
    """Builds the recognition of actions from appearance alone, the frame model frozen.

    Args: as of `build_merge_model`.

    Returns:
        Model of frames `(batch, num_frames, rows, cols, 3)` -> four predictions
        `(batch, num_actions)`. Its layer "frame_model" gives the features alone.

    Raises:
        ValueError: as of `build_merge_model`.
    """
    sizes = {"num_joints": num_joints, "num_context_per_joint": num_context_per_joint}
    _check_pose_model(model_pe, input_shape=tuple(input_shape), pose_dim=2, **sizes)
    whole = build_frame_model(model_pe, num_blocks)
    frame_model = keras.Model(whole.input, whole.outputs[2], name="frame_model")
    frame_model.trainable = False
    frames = keras.Input((num_frames, *input_shape), name="frames")
    (features,) = _per_clip(frame_model, frames, ["features"])
    head = build_visual_model(
        num_joints, num_actions, features.shape[-1], num_frames, name="GuidedVisAR"
    )
    return keras.Model(frames, head(features), name="guided_visual")


def build_merge_model(
    model_pe,
    num_actions,
    input_shape,
    num_frames,
    num_joints,
    num_blocks,
    pose_dim=2,
    depth_maps=8,
    num_context_per_joint=2,
    pose_net_version="v1",
    output_poses=False,
    weighted_merge=True,
    ar_pose_weights=None,
    ar_visual_weights=None,
    full_trainable=False,
    apart=False,
    num_predictions=NUM_PREDICTIONS,
):
    """Builds the recognition of actions from pose and appearance.

    The parts are the layers "frame_model" and "clip_head"; each can be used alone. The
    frame model consists of the layers of `model_pe`: what one learns or loads the other
    has, and freezing one freezes those layers in the other.

    Args:
        model_pe: Pose network of `reception`.
        num_actions: Number of actions.
        input_shape: `(rows, cols, channels)`, as of `model_pe`.
        num_frames: Frames of a clip, a multiple of 4.
        num_joints: As of `model_pe`.
        num_blocks: How many blocks of `model_pe` are used.
        pose_dim: As of `model_pe`, 2 or 3.
        depth_maps: As of `model_pe` (3D only).
        num_context_per_joint: As of `model_pe` (2D only).
        pose_net_version: "v1" or "v2"; see `build_pose_model`.
        output_poses: Whether to put out poses and confidences.
        weighted_merge, ar_pose_weights, ar_visual_weights: See `build_clip_head`.
        full_trainable: Whether the frame model is trained. If not, its batch norms
            use and keep their moving statistics.
        apart: Whether to put out `APART` too; see `build_clip_head`.
        num_predictions: Blocks that predict actions, by pose and by appearance, 1 to
            4; the frame model is the same whatever their number.

    Returns:
        Model of frames `(batch, num_frames, rows, cols, channels)`. Its outputs: on
        request pose `(batch, num_frames, num_joints, pose_dim)` and confidence
        `(batch, num_frames, num_joints, 1)`; then the probabilities `OUTPUTS` (with
        fewer `num_predictions` p1 ... pk, v1 ... vk, m), and `APART` if asked for,
        `(batch, num_actions)` each. All are float32.

    Raises:
        ValueError: an argument is out of range or is not as of `model_pe`, or weights
            do not fit.
        OSError: a file of weights cannot be read.
    """
    sizes = {"num_joints": num_joints, "pose_dim": pose_dim}
    if pose_dim == 3:
        sizes["depth_maps"] = depth_maps
    else:
        sizes["num_context_per_joint"] = num_context_per_joint
    _check_pose_model(model_pe, input_shape=tuple(input_shape), **sizes)
    frame_model = build_frame_model(model_pe, num_blocks)
    frame_model.trainable = full_trainable
    head = build_clip_head(
        num_joints,
        num_actions,
        num_frames,
        num_features=frame_model.outputs[2].shape[-1],
        pose_dim=pose_dim,
        pose_net_version=pose_net_version,
        weighted_merge=weighted_merge,
        ar_pose_weights=ar_pose_weights,
        ar_visual_weights=ar_visual_weights,
        apart=apart,
        num_predictions=num_predictions,
    )
    frames = keras.Input((num_frames, *input_shape), name="frames")
    clip = _per_clip(frame_model, frames, ["pose", "confidence", "features"])
    actions = predictions(head, clip)
    outputs = [*clip[:2], *actions] if output_poses else actions
    return keras.Model(frames, outputs, name="merge")


def _per_clip(frame_model, frames, names):
    """What the frame model gives for every frame of clips, in one batch."""
    found = frame_model(FoldFrames(dtype="float32", name="fold")(frames))
    return [
        UnfoldFrames(frames.shape[1], dtype="float32", name=name)(x)
        for name, x in zip(names, keras.tree.flatten(found), strict=True)
    ]


def compile(model, lr=0.001, momentum=0.95, loss_weights=None, pose_predicted=False):
    """Compiles a model of actions: Nesterov's SGD and categorical cross-entropy.

    With poses, these get the elastic net loss, confidences the binary cross-entropy;
    without, the accuracy of every output is measured. Only on JAX the step is compiled
    by XLA.

    Args:
        model: As the builders of this module give it.
        lr: Learning rate.
        momentum: Momentum.
        loss_weights: None or a weight for each output.
        pose_predicted: Whether the first two outputs are pose and confidence.

    Raises:
        ValueError: the outputs are not of that form.
    """
    ranks = [len(output.shape) for output in model.outputs]
    poses = 2 if pose_predicted else 0
    if ranks != [4] * poses + [2] * (len(ranks) - poses):
        shapes = [tuple(output.shape) for output in model.outputs]
        raise ValueError(
            "The outputs must be predictions (batch, actions), after pose and "
            "confidence if `pose_predicted`. Received: "
            f"{pose_predicted=}, output shapes={shapes}"
        )
    pose_losses = [elasticnet_loss_on_valid_joints, binary_crossentropy]
    actions = len(ranks) - poses
    model.compile(
        loss=pose_losses[:poses] + ["categorical_crossentropy"] * actions,
        optimizer=keras.optimizers.SGD(lr, momentum=momentum, nesterov=True),
        loss_weights=loss_weights,
        metrics=None if pose_predicted else [["acc"]] * actions,
        jit_compile=keras.backend.backend() == "jax",
    )


def _sizes_of(model_pe):
    """The arguments that a pose network was built with, read off its layers."""
    found = {layer.name: layer for layer in model_pe.layers}
    blocks = 0
    while {f"{part}{blocks + 1}" for part in ("rBlock", "SepConv", "RegMap")} <= set(
        found
    ):
        blocks += 1
    if blocks == 0 or not {"Stem", "sSAM"} <= set(found):
        raise ValueError(
            "`model_pe` must be a network of deephar.models.reception. "
            f"Received: layers {', '.join(found)}"
        )
    if found["Stem"].output_shape != found["rBlock1"].input_shape:
        raise ValueError("`model_pe` must not be built with old_model=True.")
    joints = found["sSAM"].output_shape[-2]
    sizes = {"input_shape": model_pe.input_shape[1:], "num_joints": joints}
    sizes |= {"num_blocks": blocks, "pose_dim": 3 if "zSAM" in found else 2}
    if "zSAM" in found:
        return sizes | {"depth_maps": found["zSAM"].input_shape[1]}
    maps = found["RegMap1"].output_shape[-1]
    return sizes | {"num_context_per_joint": maps // joints - 1}


def _check_pose_model(model_pe, **wanted):
    sizes = _sizes_of(model_pe)
    for name, value in wanted.items():
        if sizes.get(name) != value:
            raise ValueError(
                f"`{name}` must be that of `model_pe`, {sizes.get(name)}. "
                f"Received: {name}={value}"
            )
