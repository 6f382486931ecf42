"""Small SPNets."""

import dataclasses
from types import SimpleNamespace

from deephar.config import ModelConfig
from deephar.models import spnet

FRAMES, SIZE, ACTIONS = 4, (32, 32, 3), 3
LAYOUTS = {dim: SimpleNamespace(num_joints=5, dim=dim) for dim in (2, 3)}

CONFIG = ModelConfig(
    (FRAMES, *SIZE),
    LAYOUTS[2],
    num_actions=(ACTIONS,),
    num_pyramids=2,
    action_pyramids=(1, 2),
    num_levels=3,
    kernel_size=(3, 3),
    growth=8,
    image_div=4,
    num_pose_features=16,
    num_visual_features=24,
)


def config(**changes):
    """`CONFIG` with other values of some fields; `dim` is that of the layout."""
    if "dim" in changes:
        changes["poselayout"] = LAYOUTS[changes.pop("dim")]
    return dataclasses.replace(CONFIG, **changes)


def build(**changes):
    """An SPNet of `config`, and its configuration."""
    cfg = config(**changes)
    return spnet.build(cfg), cfg
