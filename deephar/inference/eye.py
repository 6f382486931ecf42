"""What looks at pictures and videos: a network of poses or actions, one of lifting."""

import dataclasses
import pathlib

import keras

from deephar.checkpoints.lifting import network_arguments, read_lifting
from deephar.checkpoints.pytorch import is_pytorch
from deephar.inference.actions import ActionPredictor
from deephar.inference.lifting_stream import KEYPOINTS, LiftingStream
from deephar.inference.people import LEAST_CONFIDENCE
from deephar.inference.predictor import PosePredictor
from deephar.inference.stream import ActionStream
from deephar.networks.lifting import build_lifting, load_lifting
from deephar.networks.shipped import shipped_path


@dataclasses.dataclass(frozen=True)
class Eye:
    """What looks at a source.

    Attributes:
        looker: finds poses, and what actions are told by.
        labels: of the actions; None of a network of poses.
        lifted: networks of `models.lifting`, and the name of their key points; None
            where nothing is lifted.
    """

    looker: PosePredictor | ActionPredictor
    labels: tuple[str, ...] | None
    lifted: tuple[list[keras.Model], str] | None

    @property
    def in_space(self) -> bool:
        """Whether it finds poses in space."""
        return self.lifted is not None or self.looker.poselayout.dim == 3

    def actions(self, every: int = 1) -> ActionStream | None:
        """A stream of actions of its own; None where there are none.

        Args:
            every: frames of the video from one that is looked at to the next. The step
                of the clips in time is as near as can be to that of the network.
        """
        if self.labels is None:
            return None
        step = max(1, round((self.looker.step or 1) / every))
        return ActionStream(self.looker.clip_predictor, step, early=True)

    def lifting(self) -> LiftingStream | None:
        """A stream of poses in space of its own; None where nothing is lifted."""
        if self.lifted is None:
            return None
        models, keypoints = self.lifted
        return LiftingStream(
            models, self.looker.poselayout, keypoints, least=LEAST_CONFIDENCE
        )


def lifting_networks(
    weights: str, causal: bool = False
) -> tuple[list[keras.Model], str]:
    """The networks of a checkpoint of lifting, and the name of their key points.

    Args:
        weights: the file, this program's or VideoPose3D's, or a name.
        causal: whether they are, where the file does not tell.

    Raises:
        OSError: if it is not there or cannot be read.
        ValueError: if it is no checkpoint of lifting.
    """
    path = pathlib.Path(shipped_path(weights))
    if path.is_file() and not is_pytorch(path):
        raise ValueError(
            f"--lift must be a checkpoint as train_lifting.py and VideoPose3D write "
            f"them. Received: {path}"
        )
    checkpoint = read_lifting(path)
    shape = network_arguments(checkpoint)
    if causal and not shape.setdefault("causal", True):
        raise ValueError(f"--causal: {path} is of a network that is not causal")
    keypoints = checkpoint.deephar.get("layout") or "h36m"
    wanted = KEYPOINTS[keypoints].num_joints if keypoints in KEYPOINTS else None
    if wanted != shape["num_joints_in"]:
        raise ValueError(
            f"--lift {path}: must take the key points of {', '.join(KEYPOINTS)}. "
            f"Received: {shape['num_joints_in']} key points named {keypoints}"
        )
    models = build_lifting(checkpoint, shape)
    load_lifting(models, path)
    return models, keypoints
