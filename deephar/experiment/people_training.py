"""The training of a 2D pose network on people: MPII's, or those of data with boxes."""

import argparse
from collections.abc import Callable, Sequence

import keras

from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson, open_cache
from deephar.experiment.arguments import FORK_FLAGS, argument_parser
from deephar.experiment.boxed_people import (
    BoxedData,
    add_part_arguments,
    add_validation_arguments,
    open_part,
    open_validation,
    people_dataconf,
    people_layout,
)
from deephar.experiment.pose import (
    MOST_STEPS,
    epoch_steps,
    parse_pose_training,
    pose_loader,
    pose_model,
)
from deephar.experiment.scoring import Predict, Scorer, boxed_scorer, mpii_scorer
from deephar.experiment.settings import (
    add_network_arguments,
    network_settings,
    sized,
)
from deephar.experiment.training import TrainingRun, start_training

_BOXED = {"batch_size": 16, "epochs": 100, "also": FORK_FLAGS}
"""What the fork's recipes of COCO and MERL share."""
_BY_JOINTS = {16: "coco", 17: "coco17"}


def parse_people_training(
    doc: str, network: str, logdir: str, argv: Sequence[str] | None = None, **recipe
) -> argparse.Namespace:
    """Parses the flags of a training on MPII, with the recipe as defaults.

    Args:
        doc: the script's docstring.
        network: name of a network of 16 joints in the picture.
        logdir: default of the run folder.
        argv: the command line; None for the real one.
        recipe: as of `parse_pose_training`.
    """
    parser = argument_parser(doc, logdir)
    folder = "folder of annotations.mat and images/"
    parser.add_argument("--data", default="datasets/MPII", help=folder)
    add_network_arguments(parser, network)
    return parse_pose_training(parser, argv, **recipe)


def parse_boxed_training(
    doc: str,
    data: BoxedData,
    logdir: str,
    argv: Sequence[str] | None = None,
    **recipe,
) -> argparse.Namespace:
    """As `parse_people_training`, for people with boxes, with the fork's flags.

    Args:
        doc, logdir, argv, recipe: as of `parse_people_training`.
        data: the data set.
    """
    parser = argument_parser(doc, logdir, log_dir_flag=True)
    add_part_arguments(parser, data, data.train)
    add_validation_arguments(parser, data)
    parser.add_argument(
        "--num-joints",
        type=int,
        choices=tuple(_BY_JOINTS),
        default=16,
        help="16: MPII's joints; 17: COCO's key points (%(default)s)",
    )
    add_network_arguments(parser, _BY_JOINTS[16], FORK_FLAGS)
    return parse_pose_training(parser, argv, **_BOXED, **recipe)


def train_on_people(args: argparse.Namespace, network: str) -> None:
    """Trains on MPII, evaluates after the epochs, saves the best and the last weights.

    Args:
        args: what `parse_people_training` returns.
        network: the same name.
    """
    run = start_training(args)
    settings = network_settings(args, network, run.model_file)
    dataconf = sized(mpii_sp_dataconf, settings, not args.no_augmentation)
    mpii = MpiiSinglePerson(args.data, dataconf, cache=open_cache(args.cache))

    def scorer(predict: Predict) -> Scorer | None:
        return mpii_scorer(run, predict, mpii)

    train_poses(run, settings, mpii, scorer, "pckh", MOST_STEPS)


def train_on_boxed_people(args: argparse.Namespace, data: BoxedData) -> None:
    """As `train_on_people`, on people with boxes; an epoch is once through the data.

    Args:
        args: what `parse_boxed_training` returns.
        data: the data set.
    """
    run = start_training(args)
    settings = network_settings(args, _BY_JOINTS[args.num_joints], run.model_file)
    dataconf = people_dataconf(settings, not args.no_augmentation)
    look = (dataconf, people_layout(settings))
    people = open_part(args, data, data.train, *look)
    held_out = open_validation(args, data, *look)

    def scorer(predict: Predict) -> Scorer | None:
        if held_out is None:
            return None
        return boxed_scorer(run, predict, held_out, data.score)

    train_poses(run, settings, people, scorer, data.figure)


def train_poses(
    run: TrainingRun,
    settings: dict,
    dataset,
    scorer: Callable[[Predict], Scorer | None],
    figure: str,
    most_steps: int | None = None,
    model: keras.Model | None = None,
) -> None:
    """Trains on a data set, scored by what `scorer` makes of the network's answers.

    Args:
        run: the training run.
        settings: what `network_settings` returned, for model.json.
        dataset: the people.
        scorer: from what predicts poses in crops to what scores an epoch.
        figure: the figure that tells the best epoch.
        most_steps: steps of an epoch at most, unless the flag asks for more.
        model: what is trained, compiled; None for what `pose_model` makes.
    """
    loader = pose_loader(run, [dataset], [run.batch_size], settings)
    model = pose_model(run, settings) if model is None else model
    predict = run.predictor(model, dataset.poselayout).predict_crops
    callbacks = run.callbacks(scorer(predict), figure)
    steps = epoch_steps(run.args, [dataset], [run.batch_size], most_steps)
    run.train([model], [loader], steps, callbacks, settings)
