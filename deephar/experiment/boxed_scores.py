"""Evaluations of people with boxes and COCO's key points."""

import argparse
import functools
import pathlib
from collections.abc import Callable, Sequence

from deephar.data.boxed import BoxedPeople
from deephar.evaluation.keypoint_report import keypoint_page, write_keypoint_report
from deephar.evaluation.pose import PosePredictions
from deephar.experiment.boxed_people import BoxedData, add_part_arguments, open_part
from deephar.experiment.boxed_poses import boxed_pose_parser, look_by_flags
from deephar.experiment.looking import describe_looking
from deephar.experiment.people_scores import name_blocks
from deephar.experiment.receipts import receipt
from deephar.experiment.run import write_evaluation


def parse_boxed_evaluation(
    doc: str, data: BoxedData, logdir: str, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of an evaluation of people with boxes.

    Args:
        doc: the script's docstring.
        data: the data set.
        logdir: default of the run folder.
        argv: the command line; None for the real one.
    """
    parser = boxed_pose_parser(doc, logdir)
    add_part_arguments(parser, data, data.valid)
    report = "write report.md and report.html"
    parser.add_argument("--report", action="store_true", help=report)
    return parser.parse_args(argv)


def predict_boxed_people(
    args: argparse.Namespace, data: BoxedData
) -> tuple[BoxedPeople, PosePredictions, dict]:
    """The people of the flags, their poses in pixels, and the network's settings.

    Args:
        args: what `parse_boxed_evaluation` returned.
        data: as given to it.
    """
    return look_by_flags(args, functools.partial(open_part, args, data, data.valid))


def finish_boxed_evaluation(
    args: argparse.Namespace,
    data: BoxedData,
    scores: dict,
    found: PosePredictions,
    people: BoxedPeople,
    settings: dict,
) -> str:
    """Writes evaluation.json, evaluation.md and, if it is asked for, the report.

    Args:
        args, data: as of `predict_boxed_people`.
        scores: what `data.score` returned.
        found, people, settings: what `predict_boxed_people` returned.

    Returns:
        The tables, Markdown, and where the report is.
    """
    if "by_box" in scores:
        scores = {**scores, "by_box": name_blocks(scores["by_box"], settings)}
    else:
        scores = name_blocks(scores, settings)
    known = receipt(
        args.weights, people.anno_path, evaluation=data.name, settings=settings
    )
    looking = describe_looking(args)
    scores["receipt"] = {**known, "pictures": people.dataset_path, "looking": looking}
    return write_people_scores(args, scores, found, people)


def write_people_scores(
    args: argparse.Namespace,
    scores: dict,
    found: PosePredictions,
    people: BoxedPeople,
    space: tuple[BoxedPeople, Callable] | None = None,
) -> str:
    """Writes files of scores with their receipt; see `finish_boxed_evaluation`.

    `space` is that of `write_keypoint_report`.
    """
    folder = pathlib.Path(args.logdir)
    text = "\n\n".join(keypoint_page(scores))
    write_evaluation(folder, scores, text)
    if args.report:
        training = pathlib.Path(args.weights).parent
        path = write_keypoint_report(folder, scores, found, people, training, space)
        text += f"\n\nreport: {path}"
    return text
