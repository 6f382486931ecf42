"""Own data's people: the training of a pose network on joints of any layout."""

import argparse
import logging
from collections.abc import Sequence

from deephar.data import CustomPeople, open_cache
from deephar.data.custom_format import CustomData, read_custom
from deephar.evaluation.custom import score_custom
from deephar.experiment.arguments import argument_parser
from deephar.experiment.boxed_people import people_dataconf
from deephar.experiment.looking import in_layout
from deephar.experiment.people_training import train_poses
from deephar.experiment.pose import compile_poses, parse_pose_training
from deephar.experiment.scoring import Predict, Scorer, boxed_scorer
from deephar.experiment.settings import add_network_arguments, network_settings
from deephar.experiment.training import TrainingRun, start_training
from deephar.networks.recipes import NETWORKS, REPLACED, poselayout, with_layout
from deephar.networks.replacing import start_network
from deephar.utils.layouts import custom_layout, describe_layout
from deephar.utils.pose import is_valid

logger = logging.getLogger(__name__)

FOLDER = "datasets/Custom"
TRAIN, VALID = "train", "valid"
POSE_NETWORKS = tuple(name for name, one in NETWORKS.items() if not one.family.merged)
"""The networks of poses, of which the first two are those that are built anew."""


def parse_custom_poses(
    doc: str, logdir: str, argv: Sequence[str] | None = None, **recipe
) -> argparse.Namespace:
    """Parses the flags of a training of poses on own data.

    Args:
        doc: the script's docstring.
        logdir: default of the run folder.
        argv: the command line; None for the real one.
        recipe: as of `parse_pose_training`.
    """
    parser = argument_parser(doc, logdir)
    add_custom_data(parser)
    add_network_arguments(parser, POSE_NETWORKS)
    return parse_pose_training(parser, argv, **recipe)


def add_custom_data(parser: argparse.ArgumentParser) -> None:
    """Adds `--data`, the file or folder of own data."""
    about = "JSON file of own data, or folder of such files (%(default)s)"
    parser.add_argument("--data", default=FOLDER, help=about)


def train_custom_poses(args: argparse.Namespace) -> None:
    """Trains on own data's people, scores epochs, saves the best and the last weights.

    The heads of --weights of other joints are new; model.json lists them, and has the
    layout.

    Args:
        args: what `parse_custom_poses` returns.

    Raises:
        ValueError: if the data have mistakes, the network is of another dimension, or
            the weights differ in more than their joints.
        OSError: if a file cannot be read.
    """
    run = start_training(args)
    data = read_custom(args.data)
    settings = pose_settings(run, data)
    options = {"cache": open_cache(args.cache)}
    dataconf = people_dataconf(settings, not args.no_augmentation)
    people = CustomPeople(data, TRAIN, dataconf, **options)
    held_out = None
    if has_people(data, VALID):
        layout = flat_layout(people.poselayout)
        held_out = CustomPeople(data, VALID, dataconf, layout, **options)

    def scorer(predict: Predict) -> Scorer | None:
        if held_out is None:
            return None
        flat = in_layout(predict, people.poselayout, held_out.poselayout)
        return boxed_scorer(run, flat, held_out, score_custom)

    with run.strategy.scope():
        model, new = start_network(settings, run.first(args.weights))
        compile_poses(run, model)
    if new:
        settings = {**settings, REPLACED: new}
    train_poses(run, settings, people, scorer, "pck", model=model)


def pose_settings(run: TrainingRun, data: CustomData) -> dict:
    """The settings of the network of the flags, with the joints of the data.

    Raises:
        ValueError: as of `network_settings` and `with_layout`; or if a training that
            goes on has learned other joints.
    """
    dim = data.layout.dim
    names = [name for name in POSE_NETWORKS if NETWORKS[name].family.dim == dim]
    settings = network_settings(run.args, names, run.model_file)
    if run.goes_on:
        check_joints(settings, data, run.folder)
        return settings
    return with_layout(settings, data.layout)


def check_joints(settings: dict, data: CustomData, owner: object) -> None:
    """Refuses data of other joints than those of a network.

    Args:
        settings: the network's.
        data: the data.
        owner: whose joints they are, for the message.

    Raises:
        ValueError: if the joints, or their order, differ.
    """
    known = list(poselayout(settings).joint_names)
    if known != list(data.layout.joint_names):
        raise ValueError(
            f"{data.files[0]}: must have the joints of {owner}, {', '.join(known)}. "
            f"Received: {', '.join(data.layout.joint_names)}"
        )


def has_people(data: CustomData, part: str) -> bool:
    """Whether anybody in a part of own data has box and joints; logs if not."""
    people = [p for one in data.pictures if one.part == part for p in one.people]
    for one in data.clips:
        people += one.people.values() if one.part == part else ()
    there = any(p.box is not None and is_valid(p.joints).any() for p in people)
    if not there:
        logger.info("%s: nobody to score in the part %s", data.files[0], part)
    return there


def flat_layout(layout):
    """The layout of the same joints in the picture; itself if it is of two axes."""
    if layout.dim == 2:
        return layout
    described = {**describe_layout(layout), "dim": 2, "name": f"{layout.__name__}2d"}
    names = described.pop("joints")
    return custom_layout(names, **described)
