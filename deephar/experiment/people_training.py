"""The training of a 2D pose network on MPII, whatever the network."""

import argparse
from collections.abc import Sequence

from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson, open_cache
from deephar.experiment.arguments import argument_parser
from deephar.experiment.pose import (
    MOST_STEPS,
    epoch_steps,
    parse_pose_training,
    pose_loader,
    pose_model,
)
from deephar.experiment.scoring import mpii_scorer
from deephar.experiment.settings import (
    add_network_arguments,
    network_settings,
    sized,
)
from deephar.experiment.training import start_training


def parse_people_training(
    doc: str, network: str, logdir: str, argv: Sequence[str] | None = None, **recipe
) -> argparse.Namespace:
    """Parses the flags, with the recipe as defaults.

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


def train_on_people(args: argparse.Namespace, network: str) -> None:
    """Trains, evaluates after the epochs, saves the best and the last weights.

    Args:
        args: what `parse_people_training` returns.
        network: the same name.
    """
    run = start_training(args)
    settings = network_settings(args, network, run.model_file)
    dataconf = sized(mpii_sp_dataconf, settings, not args.no_augmentation)
    mpii = MpiiSinglePerson(args.data, dataconf, cache=open_cache(args.cache))
    loader = pose_loader(run, [mpii], [run.batch_size], settings)
    model = pose_model(run, settings)
    predict = run.predictor(model, mpii.poselayout).predict_crops
    callbacks = run.callbacks(mpii_scorer(run, predict, mpii), "pckh")
    steps = epoch_steps(args, [mpii], [run.batch_size], MOST_STEPS)
    run.train([model], [loader], steps, callbacks, settings)
