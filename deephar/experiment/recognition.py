"""What the scripts share that evaluate the recognition of actions."""

import argparse
import dataclasses
import pathlib

import keras

from deephar.config import DataConfig
from deephar.data.boxes import ClipBoxes, read_boxes
from deephar.data.clips import ClipDataset
from deephar.evaluation.action import predict_actions, score_actions
from deephar.evaluation.action_report import action_page
from deephar.evaluation.looks import Boxes
from deephar.evaluation.papers import PAPER_ACTIONS
from deephar.experiment.building import build_network
from deephar.experiment.compute import Compute
from deephar.experiment.run import receipt, write_evaluation
from deephar.inference.clips import ClipPredictor
from deephar.utils.modes import TEST_MODE
from deephar.utils.numbers import positive_int

TRUTH, WHOLE = "truth", "whole"
"""Boxes: around the annotated joints of the clip, or the whole picture."""


def add_action_arguments(
    parser: argparse.ArgumentParser, data: str, published: str
) -> None:
    """Adds the flags of an evaluation of actions.

    Args:
        parser: the script's parser.
        data: default of the data set's folder.
        published: name of the published weights.
    """
    add = parser.add_argument
    add("--data", default=data, help="folder of the data (%(default)s)")
    named = f"weights file, or a published name: {published}"
    add("--weights", required=True, help=named)
    many = "all clips of a video, not the one in its middle; mirrored ones too"
    add("--multi-clip", action="store_true", help=many)
    switch = argparse.BooleanOptionalAction
    add("--flip", action=switch, help="mirrored clips too (default: with --multi-clip)")
    steps = "steps instead of --step; several with --multi-clip"
    number = {"type": positive_int, "nargs": "+", "metavar": "N"}
    add("--subsample", help=steps, **number)
    kinds = f"{TRUTH}, {WHOLE}, or a file of predicted boxes (%(default)s)"
    add("--boxes", default=TRUTH, help=kinds)
    add("--batch-size", type=positive_int, default=16, help="frames (%(default)s)")
    add("--workers", type=positive_int, default=2, help="threads that read")


def action_dataconf(
    args: argparse.Namespace, settings: dict, dataconf: DataConfig
) -> DataConfig:
    """The data configuration with the crop and the step of the flags.

    Raises:
        ValueError: if several steps are given for one clip, or both flags of steps.
    """
    if args.subsample and args.step:
        raise ValueError(
            "--subsample is instead of --step: give one of them. Received: --subsample "
            f"{args.subsample}, --step {args.step}"
        )
    args.subsample = args.subsample or [settings["step"]]
    if len(args.subsample) > 1 and not args.multi_clip:
        raise ValueError(
            "one clip has one --subsample; several are for --multi-clip. "
            f"Received: {args.subsample}"
        )
    side = settings["size"]
    return dataclasses.replace(
        dataconf, crop_resolution=(side, side), fixed_subsampling=args.subsample[0]
    )


def box_options(args: argparse.Namespace) -> dict:
    """The arguments of the data set for the boxes of the flags.

    A file of boxes by clip is read by `evaluate_actions`; clips without one there are
    looked at as a whole.

    Raises:
        ValueError: if there are boxes by clip for the one clip of the middle.
    """
    if args.boxes in (TRUTH, WHOLE):
        return {"use_gt_bbox": args.boxes == TRUTH}
    if isinstance(read_boxes(args.boxes), ClipBoxes):
        if not args.multi_clip:
            raise ValueError(
                "boxes by clip are of the clips of --multi-clip; the one in the middle "
                f"is none of them and needs boxes by frame. Received: {args.boxes}"
            )
        return {}
    return {"pred_bboxes_file": pathlib.Path(args.boxes).resolve()}


def evaluate_actions(
    args: argparse.Namespace,
    compute: Compute,
    settings: dict,
    dataset: ClipDataset,
    comparable: bool = True,
) -> str:
    """Scores a network on the test videos and writes the report.

    The run folder gets evaluation.json, evaluation.md, confusion.png and outputs.png.

    Args:
        args: parsed arguments of `add_action_arguments`.
        compute: what `configure_compute` chose.
        settings: what `network_settings` returned.
        dataset: the data set, with the boxes of `box_options`.
        comparable: whether the paper has a figure for this part of the data.

    Returns:
        The text of evaluation.md.
    """
    network = settings["network"]
    model = build_network(network, settings, weights=args.weights)
    predictor = ClipPredictor(model, args.batch_size, compute.fold, compute.jit)
    bar = keras.utils.Progbar(dataset.get_length(TEST_MODE), unit_name="video")
    found = predict_actions(
        predictor,
        dataset,
        TEST_MODE,
        subsamples=args.subsample if args.multi_clip else None,
        flip=args.multi_clip if args.flip is None else args.flip,
        boxes=_clip_boxes(args),
        batch_size=args.batch_size,
        workers=args.workers,
        progress=bar.update,
    )
    scores = score_actions(found)
    scores["receipt"] = receipt(
        args.weights, args.data, evaluation=network, network=network
    ) | {
        "boxes": args.boxes,
        "steps": args.subsample,
    }
    if "protocol" in settings:
        scores["receipt"]["protocol"] = settings["protocol"]
    folder = pathlib.Path(args.logdir)
    figures = PAPER_ACTIONS[network] if comparable else {}
    paper = figures.get("truth" if args.boxes == TRUTH else "other")
    training = pathlib.Path(args.weights).parent
    text = "\n\n".join(action_page(folder, scores, paper, training))
    write_evaluation(folder, scores, text)
    return text


def _clip_boxes(args: argparse.Namespace) -> Boxes | None:
    if args.boxes in (TRUTH, WHOLE):
        return None
    boxes = read_boxes(args.boxes)
    return boxes.boxes if isinstance(boxes, ClipBoxes) else None
