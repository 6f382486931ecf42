"""Action recognition from clips by 2D poses, with what each of its parts says.

The network of `action`, in 2D, whose outputs go on after m with `APART`: mmm, what the
pose says, and mmmvvv, what the appearance says, as they are put together for m.

Source: pminhtam/2D-3D_Multitask_Deep_Learning, models/action_2D.py.
"""

from deephar.models import action
from deephar.models.action import (
    APART,
    OUTPUTS,
    action_top,
    build_act_pred_block,
    build_pose_model,
    build_visual_model,
    compile,
)

__all__ = [
    "APART",
    "OUTPUTS",
    "action_top",
    "build_act_pred_block",
    "build_merge_model",
    "build_pose_model",
    "build_visual_model",
    "compile",
]


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
):
    """Builds the recognition of actions from pose and appearance, and of each apart.

    Args:
        pose_dim: 2.
        depth_maps: Has no effect, there being none in 2D.

    The others are as of `action.build_merge_model`.

    Returns:
        As `action.build_merge_model` with `apart`: eleven outputs, and pose and
        confidence before them if `output_poses`.

    Raises:
        ValueError: `pose_dim` is not 2, or as of `action.build_merge_model`.
        OSError: a file of weights cannot be read.
    """
    if pose_dim != 2:
        raise ValueError(
            "`pose_dim` must be 2; `action.build_merge_model` takes 3 too. "
            f"Received: {pose_dim=}"
        )
    return action.build_merge_model(
        model_pe,
        num_actions,
        input_shape,
        num_frames,
        num_joints,
        num_blocks,
        pose_dim,
        depth_maps,
        num_context_per_joint,
        pose_net_version,
        output_poses,
        weighted_merge,
        ar_pose_weights,
        ar_visual_weights,
        full_trainable,
        apart=True,
    )
