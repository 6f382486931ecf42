"""The networks that the command `predict` looks with, as its flags say."""

import argparse
import dataclasses
import pathlib
import sys

import keras

from deephar.checkpoints import load_weights
from deephar.checkpoints.lifting import NETWORKS as LIFTING_PARTS
from deephar.checkpoints.lifting import network_arguments, read_lifting
from deephar.checkpoints.pytorch import is_pytorch
from deephar.inference.actions import ActionPredictor
from deephar.inference.crops import MULTI_CROP, SINGLE_CROP
from deephar.inference.lifting_stream import KEYPOINTS, LiftingStream
from deephar.inference.loading import DEFAULT_ACTION, DEFAULT_POSE
from deephar.inference.people import LEAST_CONFIDENCE
from deephar.inference.predictor import PosePredictor
from deephar.inference.stream import ActionStream
from deephar.models import lifting
from deephar.networks import NETWORKS, weights_settings
from deephar.networks.shipped import SHIPPED, shipped_path

POSE, ACTION = "pose", "action"
_DEFAULTS = {POSE: DEFAULT_POSE, ACTION: DEFAULT_ACTION}


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


class Eyes:
    """Loads the networks of the flags, each when it is first needed.

    Args:
        args: of `predict.parse`.

    Attributes:
        failed: whether a network could not be loaded, which ends the command.

    Raises:
        ValueError: if `--model` is no task and no network, or names a network whose
            weights nobody gave.
    """

    def __init__(self, args: argparse.Namespace):
        self._args, self._known, self.failed = args, {}, False
        if args.model not in (None, POSE, ACTION, *NETWORKS):
            raise ValueError(
                f"--model must be {POSE}, {ACTION} or the name of a network: "
                f"{', '.join(NETWORKS)}. Received: {args.model}"
            )
        if args.model in NETWORKS and args.weights is None:
            raise ValueError(f"--model {args.model} needs --weights of that network")

    def of(self, moving: bool) -> Eye:
        """The one for pictures, or for frames that follow each other.

        Raises:
            OSError, ValueError: if the weights cannot be had, or do not fit the flags.
        """
        try:
            task, weights, network = self._asked(moving)
            lifts = moving and self._args.lift is not None
            if (task, lifts) not in self._known:
                eye = self._load(task, weights, network, lifts)
                self._known[task, lifts] = eye
        except (OSError, ValueError):
            self.failed = True
            raise
        return self._known[task, lifts]

    def _asked(self, moving: bool) -> tuple[str, str, str]:
        """What to look for, by which weights, of which network."""
        args = self._args
        asked = args.model if args.model in (POSE, ACTION) else None
        weights = args.weights or _DEFAULTS[asked or (ACTION if moving else POSE)]
        names = list(NETWORKS) if asked == args.model else args.model
        network = weights_settings(weights, names)[1]["network"]
        acts = NETWORKS[network].family.merged
        if asked == ACTION and not acts:
            raise ValueError(
                f"--model {ACTION}: {weights} must be of a network of actions. "
                f"Received: {NETWORKS[network].about}"
            )
        task = ACTION if acts and moving and asked != POSE else POSE
        return task, weights, network

    def _load(self, task: str, weights: str, network: str, lifts: bool) -> Eye:
        args = self._args
        kind = PosePredictor if task == POSE else ActionPredictor
        _tell(task, weights)
        looker = kind.load(
            weights,
            network=network,
            flip=args.flip,
            crops=MULTI_CROP if args.multi_crop else SINGLE_CROP,
            batch_size=args.batch_size,
            device=args.device,
            precision=args.precision,
            block=args.block,
        )
        labels = looker.labels if task == ACTION else None
        lifted = None
        if lifts and looker.poselayout.dim == 3:
            raise ValueError(
                "--lift makes 3D poses of 2D ones; without it this network tells its "
                f"own 3D poses. Received: --lift {args.lift} with {weights} of the "
                f"network {network}"
            )
        if lifts:
            _tell("lift", args.lift)
            lifted = lifting_networks(args.lift, args.causal)
        eye = Eye(looker, labels, lifted)
        try:
            eye.lifting()
        except ValueError as error:
            raise ValueError(f"--lift {args.lift}: {error}") from error
        return eye


def _tell(task: str, weights: str) -> None:
    """Says on the console which weights look, and what they have learned from."""
    about = f" ({SHIPPED[weights].about})" if weights in SHIPPED else ""
    sys.stdout.write(f"{task}: weights {weights}{about}\n")


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
    models = [lifting.build(**shape)]
    load_weights(models[0], path)
    if checkpoint.model_traj is not None:
        models.append(lifting.build(**{**shape, "num_joints_out": 1}))
        load_weights(models[1], path, key=LIFTING_PARTS[1])
    return models, keypoints
