"""Action recognition from what a pose network has found in the frames of a clip.

The clip head of `action_2D` for frames that are looked at elsewhere, by a model of
`build_frame_model`. It takes of each frame the pose, the confidence, the heat maps of
the joints and the features that the maps are laid over; `action.build_clip_head` takes
the features of each joint in place of these two.

Source: pminhtam/2D-3D_Multitask_Deep_Learning, models/action_pose.py.
"""

import keras
from keras import layers

from deephar.layers import KroneckerProduct
from deephar.models import action
from deephar.models.action import (
    APART,
    OUTPUTS,
    action_top,
    build_act_pred_block,
    build_clip_head,
    build_pose_model,
    build_visual_model,
    compile,
)
from deephar.models.clip_head import predictions
from deephar.models.common import ONE_FRAME
from deephar.models.reception import check_counts, check_input_shape
from deephar.models.stems import STEM_SIZE

__all__ = [
    "APART",
    "OUTPUTS",
    "action_top",
    "build_act_pred_block",
    "build_frame_model",
    "build_merge_model",
    "build_pose_model",
    "build_visual_model",
    "compile",
]

_STRIDE = 8
"""Sides of the pictures over those of the maps."""


def build_frame_model(model_pe, num_blocks=None, name="frame_model"):
    """Builds the model that finds in one frame what `build_merge_model` takes.

    Args: as of `action.build_frame_model`.

    Returns:
        Model of pictures `(batch, rows, cols, 3)` -> `[y, p, hs, xb1]`, as there but
        without the axis of frames.

    Raises:
        ValueError: as of `action.build_frame_model`.
    """
    whole = action.build_frame_model(model_pe, num_blocks)
    gathered = [whole.get_layer(layer).input for layer in ONE_FRAME]
    return keras.Model(whole.input, [*whole.outputs[:2], *gathered], name=name)


def build_merge_model(
    num_actions,
    input_shape,
    num_frames,
    num_joints,
    pose_dim=2,
    depth_maps=8,
    num_context_per_joint=2,
    pose_net_version="v1",
    output_poses=False,
    weighted_merge=True,
    ar_pose_weights=None,
    ar_visual_weights=None,
    full_trainable=False,
):
    """Builds the recognition of actions from poses, heat maps and features.

    Args:
        num_actions: Number of actions.
        input_shape: `(rows, cols, channels)` of the pictures in which the poses were
            found; the maps have an eighth of their sides.
        num_frames: Frames of a clip, a multiple of 4.
        num_joints: Number of joints.
        pose_dim: 2 or 3.
        depth_maps, num_context_per_joint, full_trainable: Have no effect: they are of
            the pose network, which is not here.
        pose_net_version: "v1" or "v2"; see `build_pose_model`.
        output_poses: Whether to put out y and p, as they came, first.
        weighted_merge, ar_pose_weights, ar_visual_weights: See `build_clip_head`.

    Returns:
        Model of four inputs: y, poses `(batch, num_frames, num_joints, pose_dim)` in
        [0, 1] of the picture; p, confidences `(batch, num_frames, num_joints, 1)`; hs,
        heat maps `(batch, num_frames, rows / 8, cols / 8, num_joints)`, each summing
        to 1; xb1, features `(batch, num_frames, rows / 8, cols / 8, 576)`. Its outputs:
        pose and confidence on request; then the probabilities `OUTPUTS` and `APART`,
        `(batch, num_actions)` each. All are float32.

    Raises:
        ValueError: an argument is out of range, or weights do not fit.
        OSError: a file of weights cannot be read.
    """
    inputs = _inputs(input_shape, num_frames, num_joints, pose_dim)
    clip_head = build_clip_head(
        num_joints,
        num_actions,
        num_frames,
        pose_dim=pose_dim,
        pose_net_version=pose_net_version,
        weighted_merge=weighted_merge,
        ar_pose_weights=ar_pose_weights,
        ar_visual_weights=ar_visual_weights,
        apart=True,
    )
    return _model(clip_head, inputs, output_poses)


def _model(clip_head, inputs, output_poses):
    """The model from the inputs to what the clip head says."""
    features = KroneckerProduct(name="Kronecker_prod")(inputs[2:])
    outputs = predictions(clip_head, [*inputs[:2], features])
    if output_poses:
        names = ("pose", "confidence")
        found = zip(names, inputs[:2], strict=True)
        poses = [layers.Identity(dtype="float32", name=name)(x) for name, x in found]
        outputs = [*poses, *outputs]
    return keras.Model(inputs, outputs, name="merge")


def _inputs(input_shape, num_frames, num_joints, pose_dim):
    """The inputs y, p, hs and xb1 of clips."""
    check_input_shape(input_shape)
    check_counts(num_frames=num_frames, num_joints=num_joints)
    rows, cols = (side // _STRIDE for side in input_shape[:2])
    shapes = {
        "y": (num_joints, pose_dim),
        "p": (num_joints, 1),
        "hs": (rows, cols, num_joints),
        "xb1": (rows, cols, STEM_SIZE),
    }
    return [keras.Input((num_frames, *shape), name=n) for n, shape in shapes.items()]
