"""Own data's clips: the training of a network on actions of any names."""

import argparse
import logging
from collections.abc import Sequence

import numpy as np

from deephar.config import pennaction_ar_dataconf
from deephar.data import CustomClips, open_cache
from deephar.data.custom_data import CustomData
from deephar.data.custom_format import read_custom
from deephar.experiment.action_training import (
    STAGES,
    add_stage_arguments,
    check_stage_weights,
)
from deephar.experiment.arguments import parse_training
from deephar.experiment.clip_training import (
    ClipLesson,
    check_frozen_features,
    train_clips,
)
from deephar.experiment.custom_poses import FOLDER, TRAIN, VALID, check_joints
from deephar.experiment.settings import (
    add_network_arguments,
    network_settings,
    sized,
)
from deephar.experiment.stages import check_first_weights, stage_parser
from deephar.experiment.training import TrainingRun, start_training
from deephar.networks.classes import class_names
from deephar.networks.recipes import (
    NETWORKS,
    clip_networks,
    with_classes,
    with_layout,
)

logger = logging.getLogger(__name__)

ACTION_NETWORKS = tuple(n for n in clip_networks() if not NETWORKS[n].family.apart)
"""The networks whose clips have a step: merged ones and SPNets."""
_STAGES = {name: STAGES[name] for name in ("action", "all")}
"""Poses alone are learned by the script of people."""


def parse_custom_actions(
    doc: str, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of a stage of a training of actions on own data.

    Args:
        doc: the script's docstring.
        argv: the command line; None for the real one.
    """
    parser, stage = stage_parser(doc, _STAGES, "custom", FOLDER, argv)
    if stage is not None:
        add_network_arguments(parser, ACTION_NETWORKS)
        add_stage_arguments(parser, stage)
    args = parse_training(parser, argv)
    if args.stage == "action":
        check_first_weights(parser, args)
        check_frozen_features(parser, args)
    return args


def train_custom_actions(args: argparse.Namespace) -> None:
    """Trains on own data's clips, scores epochs, saves the best and the last weights.

    The heads of --weights of other actions are new, and in the stage "all" those of
    other joints; model.json lists them, and has layout and actions.

    Args:
        args: what `parse_custom_actions` returns.

    Raises:
        ValueError: if the data have mistakes, there are no weights to begin with, or
            these differ in more than joints and actions.
        OSError: if a file cannot be read.
    """
    run = start_training(args)
    whole = args.stage == "all"
    described = not whole and args.frozen_features
    check_stage_weights(run, whole, described)
    data = read_custom(args.data)
    settings = _settings(run, data, whole)
    options = {"clip_size": settings["frames"], "cache": open_cache(args.cache)}
    dataconf = sized(pennaction_ar_dataconf, settings, not args.no_augmentation)
    clips = CustomClips(data, TRAIN, dataconf, **options)
    if whole and not any(one.joints is not None for one in clips.videos):
        raise ValueError(
            f"{clips.anno_path}: must have joints in the frames of clips for --stage "
            "all, which learns poses too. Received: none"
        )
    if not run.goes_on:
        settings["step"] = _step(clips, settings["frames"])
    test_clips = None
    if _has_clips(data, VALID):
        test_clips = CustomClips(data, VALID, dataconf, **options)
    ways = {"learns_poses": whole, "pose_loss": whole, "described": described}
    lesson = ClipLesson(settings, clips.label, clips, test_clips, **ways, replaces=True)
    train_clips(run, lesson)


def _settings(run: TrainingRun, data: CustomData, whole: bool) -> dict:
    """The settings of the network, with the actions of the data.

    Its joints are those of the weights that it begins with, where poses are not taught.
    """
    settings = network_settings(run.args, ACTION_NETWORKS, run.model_file)
    if run.goes_on:
        check_actions_of(settings, data, run.folder)
        if whole:
            check_joints(settings, data, run.folder)
        return settings
    settings = with_classes(settings, data.actions)
    return with_layout(settings, data.layout) if whole else settings


def check_actions_of(settings: dict, data: CustomData, owner: object) -> None:
    """Refuses data of other actions than those of a network; as of `check_joints`.

    Raises:
        ValueError: if the actions, or their order, differ.
    """
    known = class_names(settings)
    if [name.lower() for name in known] != [name.lower() for name in data.actions]:
        raise ValueError(
            f"{data.files[0]}: must have the actions of {owner}, {', '.join(known)}. "
            f"Received: {', '.join(data.actions) or 'none'}"
        )


def _has_clips(data: CustomData, part: str) -> bool:
    """Whether a part of own data has clips with actions; logs if not."""
    spans = [span for one in data.clips if one.part == part for span in one.spans]
    there = any(span.action is not None for span in spans)
    if not there:
        logger.info("%s: no actions to score in the part %s", data.files[0], part)
    return there


def _step(clips: CustomClips, frames: int) -> int:
    """The step at which a video is to be looked at: as the clips are, on average."""
    lengths = [len(one.pictures) for one in clips.videos]
    step = max(1, round((float(np.median(lengths)) - 1) / (frames - 1)))
    about = "clips of %d frames (median) are looked at through %d: --step %d in videos"
    logger.info(about, np.median(lengths), frames, step)
    return step
