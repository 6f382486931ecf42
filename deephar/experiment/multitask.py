"""The stages in which SPNet learns poses and actions, each from data of its own.

action       actions from clips, poses frozen
joint        both in turn: a batch of frames for the poses, one of clips for the actions
pose-only    poses alone, everything that they need learns
action-only  actions alone, everything that they need learns, poses untaught

The network is split into two models over shared variables, with an optimizer each. The
frames of a batch of poses are drawn one by one and grouped into clips, which is all
that the network takes. The last two stages are what `joint` is to be compared with.

Source: exp/pennaction/train_penn_multimodel.py and exp/ntu/train_ntu_spnet.py of the
branch master of https://github.com/dluvizon/deephar.
"""

import abc
import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from deephar.data.loader import BatchLoader
from deephar.experiment.arguments import (
    add_pose_loss_arguments,
    add_training_arguments,
    parse_training,
)
from deephar.experiment.mixing import DataMaker
from deephar.experiment.pose import shares
from deephar.experiment.scoring import Predict, Scorer, action_scorer, join_scorers
from deephar.experiment.settings import (
    add_network_arguments,
    network_settings,
)
from deephar.experiment.stages import (
    check_actions,
    check_first_weights,
    stage_parser,
)
from deephar.experiment.training import TrainingRun, optimizer, start_training
from deephar.losses import pose_regression_loss
from deephar.models import spnet
from deephar.networks.building import build_network, model_config, pose_view
from deephar.trainer import set_batch_norm_momentum
from deephar.utils.numbers import weight

logger = logging.getLogger(__name__)

TASK_STAGES = {
    "action": "actions, from clips, poses frozen",
    "joint": "poses from frames and actions from clips, in turn",
    "pose-only": "poses alone, from frames",
    "action-only": "actions alone, from clips",
}
"""The stages and what they learn."""

POSE_STAGES = ("joint", "pose-only")
"""Those that learn poses."""
ACTION_STAGES = ("action", "joint", "action-only")
"""Those that learn actions."""


class TaskData(abc.ABC):
    """The data sets of a training, made when they are asked for.

    Args:
        args: the flags.
        settings: what `network_settings` returned.

    Attributes:
        network: name of the network.
        target: key of the action among the targets.
        folder: where the data set of the actions lies unless told otherwise.
        poselayout: layout of the poses.
        recipes: arguments of `add_training_arguments` by stage.
        action_weight: of the recipe, of the actions' loss.
        check_arguments: refuses flags of `add_arguments` that do not go together, by
            `parser.error`; None where all do.
        make: makes data sets of the layout.
    """

    network: str
    target: str
    folder: str
    poselayout: Any
    recipes: Mapping[str, Mapping]
    action_weight: float
    check_arguments: Callable[..., None] | None = None

    def __init__(self, args: argparse.Namespace, settings: dict):
        self.args = args
        self.settings = settings
        self.make = DataMaker(args, settings, self.poselayout)

    @staticmethod
    @abc.abstractmethod
    def add_arguments(parser: argparse.ArgumentParser, stage: str) -> None:
        """Adds the flags of the data that a stage learns poses from."""

    @abc.abstractmethod
    def frames(self) -> list[tuple[Any, float]]:
        """Data sets of single frames, each with its share of a batch of poses."""

    @abc.abstractmethod
    def clips(self) -> Any:
        """The data set of the actions."""

    @abc.abstractmethod
    def pose_scorers(
        self, run: TrainingRun, predict: Predict
    ) -> dict[str, Scorer | None]:
        """What scores poses after epochs, by the figure that counts, as `scoring`."""

    @abc.abstractmethod
    def steps(self, batch_size: int) -> int:
        """Steps of an epoch with so many clips a step, as `epoch_steps` counts."""


def parse_multitask(
    doc: str, data: type[TaskData], argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of a stage; those of other stages are unknown to it.

    Args:
        doc: the script's docstring.
        data: the data sets.
        argv: the command line; None for the real one.
    """
    parser, stage = stage_parser(doc, TASK_STAGES, data.network, data.folder, argv)
    add = parser.add_argument
    if stage is not None:
        add("--pose-weights", help="of the pose network, a file or a published name")
        data.add_arguments(parser, stage)
        if stage in POSE_STAGES:
            add_pose_loss_arguments(parser)
        if stage in ACTION_STAGES:
            share = {"type": weight, "default": data.action_weight}
            add("--action-weight", help="of the actions' loss (%(default)s)", **share)
        add_network_arguments(parser, data.network)
        add_training_arguments(parser, **data.recipes[stage])
    args = parse_training(parser, argv)
    check_first_weights(parser, args)
    if args.stage in POSE_STAGES and data.check_arguments is not None:
        data.check_arguments(parser, args)
    return args


def train_multitask(args: argparse.Namespace, data: type[TaskData]) -> None:
    """Trains the stage of the flags, scores epochs, saves best and last weights.

    Args:
        args: what `parse_multitask` returns.
        data: the data sets.

    Raises:
        ValueError: if the stage has no weights to begin with, or the network and the
            data set differ in their actions.
    """
    run = start_training(args)
    if args.stage == "action" and not (
        args.weights or args.pose_weights or run.goes_on
    ):
        raise ValueError("--stage action needs --pose-weights or --weights")
    settings = network_settings(args, data.network, run.model_file)
    sets = data(args, settings)
    with run.strategy.scope():
        network = _build(run, settings)
        pose, action = _compile_parts(run, network, settings)
    models, loaders, scorers = [], [], {}
    if args.stage in ACTION_STAGES:
        clips = sets.clips()
        check_actions(clips, settings)
        count = len(action.outputs)
        models.append(action)
        loaders.append(run.loader(clips, run.batch_size, [sets.target], count))
        predictor = run.clip_predictor(network)
        scorers["accuracy"] = action_scorer(run, predictor, clips)
    if args.stage in POSE_STAGES:
        models.insert(0, pose)
        count = len(pose.outputs)
        loaders.insert(0, _frame_loader(run, sets, settings["frames"], count))
        with run.strategy.scope():
            view = pose_view(network, settings)
        predict = run.predictor(view, sets.poselayout).predict_crops
        scorers.update(sets.pose_scorers(run, predict))
    score, figure, mode = join_scorers(scorers)
    callbacks = run.callbacks(score, figure, network, mode)
    steps = sets.steps(run.batch_size)
    run.train(models, loaders, steps, callbacks, settings, network=network)


def _build(run: TrainingRun, settings: dict) -> keras.Model:
    """The whole network with the weights that the stage begins with."""
    args = run.args
    weights = {"pose_weights": run.first(args.pose_weights)}
    name = settings["network"]
    network = build_network(name, settings, run.first(args.weights), **weights)
    set_batch_norm_momentum(network, args.bn_momentum)
    return network


def _compile_parts(
    run: TrainingRun, network: keras.Model, settings: dict
) -> list[keras.Model]:
    """The model of the poses and that of the actions, compiled.

    Every stage begins with the replicas of the maps as copies of them.
    """
    args = run.args
    config = model_config(settings)
    options = {}
    if args.stage in POSE_STAGES:
        loss = pose_regression_loss(args.loss, args.visibility_weight)
        options["pose_loss"] = loss
    if args.stage in ACTION_STAGES:
        options["ar_loss_weights"] = args.action_weight
    models = spnet.compile_split_models(
        network,
        config,
        optimizer(args),
        pose_trainable=args.stage != "action",
        copy_replica=config.pose_replica and not run.goes_on,
        **options,
    )
    for model in models:
        model.jit_compile = run.compute.jit
    return models


def _frame_loader(
    run: TrainingRun, sets: TaskData, frames: int, count: int
) -> BatchLoader:
    """Batches of clips of `frames` frames of people who have nothing in common."""
    datasets, parts = zip(*sets.frames(), strict=True)
    sizes = shares(frames, parts, "--frames", "a clip of poses", "frames")
    logger.info("frames of a clip of poses, by data set: %s", sizes)
    return run.loader(datasets, sizes, counts=count, clips=run.batch_size)
