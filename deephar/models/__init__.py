"""Functions that return functional Keras models."""

from deephar.models import (
    action,
    action_2D,
    action_pose,
    blocks,
    common,
    lifting,
    reception,
    spnet,
    stems,
)

__all__ = [
    "action",
    "action_2D",
    "action_pose",
    "blocks",
    "common",
    "lifting",
    "reception",
    "spnet",
    "stems",
]
