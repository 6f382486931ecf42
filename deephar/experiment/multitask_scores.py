"""Evaluation of SPNet in both its tasks, in one run."""

import argparse
import pathlib
from collections.abc import Callable

from deephar.data.clips import ClipDataset
from deephar.evaluation.action import score_actions
from deephar.evaluation.multitask_report import multitask_page
from deephar.experiment.compute import Compute
from deephar.experiment.looking import describe_frames
from deephar.experiment.people_scores import part_predictor
from deephar.experiment.recognition import (
    action_receipt,
    add_clip_arguments,
    add_clips_argument,
    add_flip_argument,
    add_report_argument,
    clip_predictor,
    finish_actions,
    look_at_videos,
    paper_accuracy,
    ways,
)
from deephar.inference.predictor import PosePredictor
from deephar.networks.building import build_network


def add_multitask_arguments(
    parser: argparse.ArgumentParser, data: str, published: str, people: str, about: str
) -> None:
    """Adds the flags of an evaluation of both tasks.

    Args:
        parser: the script's parser.
        data: default of the folder of the data set of actions.
        published: name of the published weights.
        people: name of the data set of poses; its folder has the flag `--NAME`.
        about: what is scored there.
    """
    add_clip_arguments(parser, data, published)
    add_clips_argument(parser)
    add_flip_argument(parser)
    add_report_argument(parser)
    parser.add_argument(f"--{people}", metavar="FOLDER", help=f"score {about} too")


def evaluate_multitask(
    args: argparse.Namespace,
    compute: Compute,
    settings: dict,
    dataset: ClipDataset,
    evaluation: str,
    people: str,
    score_poses: Callable[[PosePredictor, str], dict],
) -> str:
    """Scores SPNet on the test videos, and its pose part on people; writes the report.

    The run folder gets evaluation.json (`{"receipt", "actions", "actions_multi_clip",
    "pose"}`, None for what was not asked for), evaluation.md and its pictures; with
    --report also report.html, whose clips are those of the last way of looking.

    Args:
        args: parsed arguments of `add_multitask_arguments`.
        compute: what `configure_compute` chose.
        settings: what `network_settings` returned.
        dataset: the data set of actions, with the boxes of `box_options`.
        evaluation: "penn_multitask" or "ntu_multitask".
        people: name of the data set of poses.
        score_poses: from what predicts poses, and the folder, to their scores.

    Returns:
        The text of evaluation.md, and where the report is.
    """
    network, folder = settings["network"], getattr(args, people)
    data = {network.partition("_")[0]: args.data}
    if folder is not None:
        data[people] = folder
    receipt = action_receipt(args, settings, evaluation, data)
    if folder is not None and "every" in args:
        receipt["frames"] = describe_frames(args)
    scores = {
        "receipt": receipt,
        "actions": None,
        "actions_multi_clip": None,
        "pose": None,
    }
    model = build_network(network, settings, weights=args.weights)
    if folder is not None:
        poses = part_predictor(args, compute, model, settings)
        scores["pose"] = score_poses(poses, folder)
    predictor = clip_predictor(args, compute, model)
    for many in ways(args):
        found = look_at_videos(args, predictor, dataset, many)
        key = "actions_multi_clip" if many else "actions"
        scores[key] = score_actions(found)
    paper = paper_accuracy(args, settings)

    def draw(folder: pathlib.Path) -> list[str]:
        return multitask_page(folder, scores, paper)

    return finish_actions(args, scores, draw, predictor, dataset, found, settings)
