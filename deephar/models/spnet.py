"""SPNet, sequential pyramids: poses and actions from pictures or clips.

Pyramids lead down to coarse levels and up again in turn. Every block on the way (pb)
predicts the pose anew, and in some pyramids the action too:

    picture -> stem -> level 0 ---------------> (+) --> pb0 --> level 0 ...
                         |                       ^
                         +-> pb1 --> level 1 -> (+) --> pb1 -----+
                               |                 ^
                               +-> pb2 --> ... --+
                   pyramid 1 (dp1), down     pyramid 2 (up2), up

A network of clips is a frame model, which sees one frame at a time, and a clip head,
which sees what the frame model says of all frames of a clip:

    frames -> frame_model -+-> a pose for each block
                           +-> pose, confidence, features of joints -> clip_head
                               for each block that predicts actions      -> actions

Nothing flows back from the actions to the poses. The blocks are described in
`spnet_frames` and `spnet_head`, the order of blocks and outputs in `pyramids`.

Source: Luvizon, Picard, Tabia, "Multi-task Deep Learning for Real-Time 3D Human Pose
Estimation and Action Recognition", TPAMI 2020.
"""

import logging

from deephar.config import ModelConfig
from deephar.models.pyramids import (
    Prediction,
    frame_names,
    get_num_predictions,
    output_names,
    predictions,
)
from deephar.models.spnet_frames import build_frame_model
from deephar.models.spnet_head import build_clip_head
from deephar.models.spnet_parts import (
    compile_split_models,
    compose,
    copy_pose_weights,
    cut,
    interlace,
    picture_model,
    split_model,
)

__all__ = [
    "Prediction",
    "build",
    "compile_split_models",
    "copy_pose_weights",
    "cut",
    "get_num_predictions",
    "interlace",
    "picture_model",
    "predictions",
    "split_model",
]

logger = logging.getLogger(__name__)

_NAME = "SPNet"
_MIN_MAP = 2
_MIN_POSE_FEATURES = 16


def build(cfg, stop_grad_stem=False):
    """Builds the network.

    Args:
        cfg: `deephar.config.ModelConfig`. An action pyramid counts only if there are
            sets of actions.
        stop_grad_stem: Whether the stem before the pyramids does not learn; its batch
            norms still follow the pictures.

    Returns:
        Model "SPNet". Of pictures `(batch, rows, cols, channels)`: its outputs are the
        poses `(batch, joints, dim + 1)` by depth, dp1_pb1 and so on: x, y (, z) in [0,
        1] of the picture, and confidence. Of clips `(batch, frames, rows, cols,
        channels)`: the poses `(batch, frames, joints, dim + 1)`; then for each block
        that predicts actions, and each set of them, act1_a0 and so on, `(batch,
        num_actions[i])`; with dbg_decoupled_pose then the poses in 2D `(batch, frames,
        joints, 3)` by the replicas of the maps, and these maps `(batch, frames, rows,
        cols, joints)`. Its layers "frame_model" and "clip_head" can be used alone.
        All outputs are float32.

    Raises:
        ValueError: the configuration is of no network; the message names the field.
    """
    _check(cfg)
    if len(cfg.input_shape) == 3:
        return build_frame_model(cfg, stop_grad_stem, name=_NAME)
    frame_model, names = build_frame_model(cfg, stop_grad_stem), frame_names(cfg)
    sizes = [
        x.shape[-1]
        for name, x in zip(names, frame_model.outputs, strict=True)
        if name.endswith("_features")
    ]
    clip_head = build_clip_head(cfg, sizes) if sizes else None
    return compose(cfg, frame_model, names, clip_head, output_names(cfg), _NAME)


def _check(cfg):
    if not isinstance(cfg, ModelConfig):
        raise ValueError(f"`cfg` must be a ModelConfig. Received: {type(cfg).__name__}")
    actions = any(prediction.actions for prediction in predictions(cfg))
    if len(cfg.input_shape) == 3 and actions:
        raise _error(cfg, "input_shape", "must be that of clips for `num_actions`")
    if cfg.num_levels < 2:
        raise _error(cfg, "num_levels", "must be at least 2")
    if cfg.dbg_decoupled_pose and actions and not cfg.pose_replica:
        raise _error(cfg, "dbg_decoupled_pose", "needs `pose_replica`")
    if actions and cfg.num_pose_features < _MIN_POSE_FEATURES:
        rule = f"must be at least {_MIN_POSE_FEATURES}"
        raise _error(cfg, "num_pose_features", rule)
    _check_sides(cfg)
    for name in ("predict_rootz", "dbg_decoupled_h"):
        if getattr(cfg, name):
            logger.warning("`%s` has no effect, as in the original", name)


def _check_sides(cfg):
    """Levels must be halves of each other to be added again on the way up."""
    halvings = 2 ** (cfg.num_levels - 1)
    for side in cfg.input_shape[-3:-1]:
        first = -(-side // cfg.image_div)
        if cfg.num_pyramids > 1 and first % halvings:
            raise _error(
                cfg,
                "input_shape",
                f"must have sides that are multiples of {cfg.image_div * halvings}, "
                f"to be halved for image_div={cfg.image_div} and "
                f"num_levels={cfg.num_levels}",
            )
        if first <= halvings * (_MIN_MAP - 1):
            raise _error(
                cfg,
                "input_shape",
                f"must leave maps of {_MIN_MAP} x {_MIN_MAP} at the coarsest level of "
                f"image_div={cfg.image_div} and num_levels={cfg.num_levels}",
            )


def _error(cfg, name, rule):
    return ValueError(f"`{name}` {rule}. Received: {name}={getattr(cfg, name)}")
