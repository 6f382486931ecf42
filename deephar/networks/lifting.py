"""Networks of temporal lifting: of poses, and of the root where a checkpoint has it."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from deephar.checkpoints import load_weights
from deephar.checkpoints.lifting import NETWORKS, LiftingCheckpoint
from deephar.models import lifting


def build_lifting(
    checkpoint: LiftingCheckpoint | None, settings: Mapping[str, Any]
) -> list[keras.Model]:
    """The pose network, and the trajectory network if the checkpoint has one.

    Args:
        checkpoint: what `read_lifting` returned; None of weights of Keras.
        settings: the pose network's, arguments of `models.lifting.build`.
    """
    models = [lifting.build(**settings)]
    if checkpoint is not None and checkpoint.model_traj is not None:
        models.append(lifting.build(**{**settings, "num_joints_out": 1}))
    return models


def load_lifting(models: Sequence[keras.Model], path: str | pathlib.Path) -> None:
    """Sets the weights of what `build_lifting` returned from its file.

    Raises:
        OSError, ValueError: as of `checkpoints.load_weights`.
    """
    pose, *others = models
    load_weights(pose, path)
    for model, key in zip(others, NETWORKS[1:], strict=False):
        load_weights(model, path, key=key)
