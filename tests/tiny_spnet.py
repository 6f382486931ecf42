"""Small SPNets."""

import dataclasses
from types import SimpleNamespace

from deephar.config import ModelConfig
from deephar.models import spnet

FRAMES, SIZE, ACTIONS = 4, (32, 32, 3), 3
JOINTS = 5

CONFIG = ModelConfig(
    (FRAMES, *SIZE),
    SimpleNamespace(num_joints=JOINTS, dim=2),
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
    """`CONFIG` with other fields; `joints` and `dim` are those of the layout."""
    joints, dim = changes.pop("joints", JOINTS), changes.pop("dim", 2)
    layout = SimpleNamespace(num_joints=joints, dim=dim)
    return dataclasses.replace(CONFIG, poselayout=layout, **changes)


def build(**changes):
    """An SPNet of `config`, and its configuration."""
    cfg = config(**changes)
    return spnet.build(cfg), cfg
