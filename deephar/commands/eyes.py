"""The networks that the command `predict` looks with, as its flags say."""

import argparse
import sys

from deephar.inference.actions import ActionPredictor
from deephar.inference.crops import MULTI_CROP, SINGLE_CROP
from deephar.inference.eye import Eye, lifting_networks
from deephar.inference.loading import DEFAULT_ACTION, DEFAULT_POSE
from deephar.inference.predictor import PosePredictor
from deephar.networks import NETWORKS, weights_settings
from deephar.networks.shipped import SHIPPED

POSE, ACTION = "pose", "action"
_DEFAULTS = {POSE: DEFAULT_POSE, ACTION: DEFAULT_ACTION}


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
