"""The stages in which a network learns poses and actions, whatever the data set.

pose     the pose part alone, on single frames
action   the merged network on clips, its pose part frozen
all      the whole merged network on clips, poses and actions at once
"""

import argparse
import dataclasses
from collections.abc import Callable, Sequence

from deephar.experiment.arguments import (
    add_pose_loss_arguments,
    add_training_arguments,
    parse_training,
)
from deephar.experiment.clip_training import (
    ClipLesson,
    add_frozen_features,
    check_frozen_features,
    train_clips,
)
from deephar.experiment.pose import (
    MOST_STEPS,
    epoch_steps,
    parse_pose_training,
    pose_loader,
    pose_model,
    shares,
)
from deephar.experiment.scoring import frame_scorer
from deephar.experiment.settings import (
    add_network_arguments,
    network_settings,
)
from deephar.experiment.stages import check_first_weights, stage_parser
from deephar.experiment.training import TrainingRun, start_training
from deephar.networks.recipes import NETWORKS
from deephar.utils.numbers import positive_int, weight

STAGES = {
    "pose": "poses, from frames",
    "action": "actions, from clips, poses frozen",
    "all": "poses and actions, from clips",
}
"""The stages in the order of the paper: what they learn."""

_RECIPES = {
    "action": {"batch_size": 8, "epochs": 30, "lr_drops": [15, 25], "lr": 1e-3},
    "all": {
        "batch_size": 4,
        "epochs": 5,
        "lr_drops": [],
        "lr": 1e-4,
        "clip_norm": 1.0,
    },
}
"""Of the stages that see clips. SGD has momentum 0.95, Nesterov's. Clipping: the
gradient of the actions' loss in the pose part is so much larger than that of the poses'
loss that the pose part soon forgot all without."""


@dataclasses.dataclass(frozen=True)
class ActionData:
    """What the stages need to know of a data set of actions.

    Attributes:
        network: name of its merged network.
        target: key of the action among the targets.
        folder: where it lies unless told otherwise.
        others: data sets whose frames the stage "pose" can mix in, by flag: what they
            are.
        frames: from the flags and the settings of the pose network to data sets of
            single frames, its own first, then those of `others` that were asked for.
        clips: from the flags and the settings of the merged network to its clips.
    """

    network: str
    target: str
    folder: str
    others: dict[str, str]
    frames: Callable[[argparse.Namespace, dict], Sequence]
    clips: Callable[[argparse.Namespace, dict], object]


def parse_action_training(
    doc: str, data: ActionData, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of a stage; those of other stages are unknown to it.

    Args:
        doc: the script's docstring.
        data: the data set.
        argv: the command line; None for the real one.
    """
    parser, name = stage_parser(doc, STAGES, data.network, data.folder, argv)
    if name == "pose":
        _add_pose_arguments(parser, data)
        return parse_pose_training(parser, argv)
    if name is not None:
        _add_clip_arguments(parser, name, data)
    args = parse_training(parser, argv)
    if name == "action":
        check_first_weights(parser, args)
        check_frozen_features(parser, args)
    return args


def _add_pose_arguments(parser: argparse.ArgumentParser, data: ActionData) -> None:
    add = parser.add_argument
    for other, about in data.others.items():
        add(f"--{other}", metavar="FOLDER", help=f"mix in {about}")
    frames = {"type": positive_int, "default": 1000}
    add("--eval-frames", help="test frames that score an epoch (1000)", **frames)
    add_network_arguments(parser, NETWORKS[data.network].pose_part)


def _add_clip_arguments(
    parser: argparse.ArgumentParser, stage: str, data: ActionData
) -> None:
    add_stage_arguments(parser, stage)
    add_network_arguments(parser, data.network)


def add_stage_arguments(parser: argparse.ArgumentParser, stage: str) -> None:
    """Adds the flags of a stage that sees clips, and those of any training."""
    add = parser.add_argument
    if stage == "action":
        add("--pose-weights", help="of the stage pose, a file or a published name")
        add_frozen_features(parser)
    else:
        share = {"type": weight, "default": 1.0}
        add("--pose-weight", help="of the poses' loss against actions' (1)", **share)
        add_pose_loss_arguments(parser)
    add_training_arguments(parser, **_RECIPES[stage], optimizer="sgd")


def train_stage(args: argparse.Namespace, data: ActionData) -> None:
    """Trains the stage of the flags, evaluates after epochs, saves best and last.

    Args:
        args: what `parse_action_training` returns.
        data: the data set.

    Raises:
        ValueError: if a stage has no weights to begin with, or the network and the data
            set differ in their actions.
    """
    run = start_training(args)
    if args.stage == "pose":
        _train_pose(run, data)
    else:
        _train_clips(run, data)


def _train_pose(run: TrainingRun, data: ActionData) -> None:
    args, network = run.args, NETWORKS[data.network].pose_part
    settings = network_settings(args, network, run.model_file)
    sets = data.frames(args, settings)
    sizes = shares(run.batch_size, [1 / len(sets)] * len(sets))
    loader = pose_loader(run, sets, sizes, settings)
    model = pose_model(run, settings)
    predict = run.predictor(model, sets[0].poselayout).predict_crops
    score = frame_scorer(run, predict, sets[0], args.eval_frames)
    callbacks = run.callbacks(score, "pck_torso")
    steps = epoch_steps(args, sets, sizes, MOST_STEPS)
    run.train([model], [loader], steps, callbacks, settings)


def _train_clips(run: TrainingRun, data: ActionData) -> None:
    args, whole = run.args, run.args.stage == "all"
    described = not whole and args.frozen_features
    check_stage_weights(run, whole, described)
    settings = network_settings(args, data.network, run.model_file)
    clips = data.clips(args, settings)
    ways = {"learns_poses": whole, "pose_loss": whole, "described": described}
    train_clips(run, ClipLesson(settings, data.target, clips, clips, **ways))


def check_stage_weights(run: TrainingRun, whole: bool, described: bool) -> None:
    """Refuses a stage that sees clips without weights to begin with.

    Args:
        run: the training run.
        whole: whether the stage is "all".
        described: whether its frozen pose part looks once, as `ClipLesson` has it.

    Raises:
        ValueError: if there are none.
    """
    args = run.args
    if args.weights or (not whole and args.pose_weights):
        return
    if run.goes_on and not described:
        return
    needed = "--weights of the stage action" if whole else "--pose-weights"
    raise ValueError(f"--stage {args.stage} needs {needed}")
