"""What the scripts share that evaluate the recognition of actions."""

import argparse
import pathlib
from collections.abc import Callable, Mapping, Sequence

import keras

from deephar.checkpoints import KNOWN
from deephar.config import DataConfig
from deephar.data.boxes import ClipBoxes, read_boxes
from deephar.data.clips import ClipDataset
from deephar.evaluation.action import (
    ActionPredictions,
    predict_actions,
    score_actions,
)
from deephar.evaluation.action_report import action_page
from deephar.evaluation.cases import add_clips
from deephar.evaluation.looks import Boxes
from deephar.evaluation.papers import PAPER_ACTIONS
from deephar.evaluation.report_page import write_report_page
from deephar.experiment.compute import Compute, configure_compute
from deephar.experiment.receipts import receipt
from deephar.experiment.run import start, write_page, write_scores
from deephar.experiment.settings import network_settings, sized
from deephar.inference.clips import ClipPredictor
from deephar.networks.building import build_network
from deephar.networks.published import published_settings
from deephar.networks.recipes import default_settings, poselayout
from deephar.pages import Page
from deephar.utils.modes import TEST_MODE
from deephar.utils.numbers import positive_int

TRUTH, WHOLE = "truth", "whole"
"""Boxes: around the annotated joints of the clip, or the whole picture."""
ONE, MANY, BOTH = "one", "many", "both"
_WAYS = {ONE: (False,), MANY: (True,), BOTH: (False, True)}
_MULTI_CLIP = "--multi-clip"


def add_action_arguments(
    parser: argparse.ArgumentParser, data: str, published: str
) -> None:
    """Adds the flags of an evaluation of actions, by one clip a video or by many.

    Args:
        parser: the script's parser.
        data: default of the data set's folder.
        published: name of the published weights.
    """
    add_clip_arguments(parser, data, published)
    add_flip_argument(parser)
    many = "all clips of a video, not the one in its middle; mirrored ones too"
    parser.add_argument(_MULTI_CLIP, action="store_true", help=many)
    add_report_argument(parser)


def add_flip_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--flip`, whether the scores of mirrored clips are multiplied in."""
    switch = argparse.BooleanOptionalAction
    many = "mirrored clips too (default: of many clips)"
    parser.add_argument("--flip", action=switch, help=many)


def add_clips_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--clips`: one clip a video, many, or both in one run."""
    which = (
        "one clip a video, in its middle; many: all, mirrored ones too (%(default)s)"
    )
    parser.add_argument("--clips", choices=tuple(_WAYS), default=BOTH, help=which)


def add_clip_arguments(
    parser: argparse.ArgumentParser, data: str, published: str
) -> None:
    """Adds what any evaluation of actions needs; see `add_action_arguments`."""
    add = parser.add_argument
    add("--data", default=data, help="folder of the data (%(default)s)")
    named = f"weights file, or a published name: {published}"
    add("--weights", required=True, help=named)
    steps = "steps instead of --step; several for many clips"
    number = {"type": positive_int, "nargs": "+", "metavar": "N"}
    add("--subsample", help=steps, **number)
    kinds = f"{TRUTH}, {WHOLE}, or a file of predicted boxes (%(default)s)"
    add("--boxes", default=TRUTH, help=kinds)
    add("--batch-size", type=positive_int, default=16, help="frames (%(default)s)")
    add("--workers", type=positive_int, default=2, help="threads that read")


def add_report_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--report`, whether to write the page with pictures."""
    page = "write report.html with pictures"
    parser.add_argument("--report", action="store_true", help=page)


def ways(args: argparse.Namespace) -> tuple[bool, ...]:
    """How the flags look at a video, one by one: False for one clip, True for many."""
    if "clips" in args:
        return _WAYS[args.clips]
    return (getattr(args, "multi_clip", False),)


def _many_alone(args: argparse.Namespace) -> str:
    """What looks at many clips and at nothing else: a flag, if the script has one."""
    if "clips" in args:
        return f"--clips {MANY}"
    return _MULTI_CLIP if "multi_clip" in args else "evaluations by many clips"


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
    if len(args.subsample) > 1 and False in ways(args):
        raise ValueError(
            f"one clip has one --subsample; several are for {_many_alone(args)}. "
            f"Received: {args.subsample}"
        )
    return sized(dataconf, {**settings, "step": args.subsample[0]})


def box_options(args: argparse.Namespace) -> dict:
    """The arguments of the data set for the boxes of the flags.

    A file of boxes by clip is read by `score_videos`; clips without one there are
    looked at as a whole.

    Raises:
        ValueError: if there are boxes by clip for the one clip of the middle.
    """
    if args.boxes in (TRUTH, WHOLE):
        return {"use_gt_bbox": args.boxes == TRUTH}
    if isinstance(read_boxes(args.boxes), ClipBoxes):
        if False in ways(args):
            raise ValueError(
                f"boxes by clip are for {_many_alone(args)}; the clip in the middle "
                f"is none of them and needs boxes by frame. Received: {args.boxes}"
            )
        return {}
    return {"pred_bboxes_file": pathlib.Path(args.boxes).resolve()}


def start_on_videos(
    args: argparse.Namespace,
    network: str,
    kind: type[ClipDataset],
    dataconf: DataConfig,
) -> tuple[Compute, dict, ClipDataset]:
    """Starts an evaluation of actions, as the flags say.

    Args:
        args: parsed arguments of `add_clip_arguments`.
        network: name of the network.
        kind: class of the data set.
        dataconf: its configuration in the recipe.

    Returns:
        (compute, settings, dataset): what `configure_compute` chose, what
        `network_settings` returned, and the videos, of the network's split if it has
        one, with the boxes of the flags. Boxes of annotated joints lie around the
        joints that the network has.
    """
    start(args)
    compute = configure_compute(args)
    settings = network_settings(args, network)
    options = {key: settings[key] for key in ("protocol",) if key in settings}
    dataconf = action_dataconf(args, settings, dataconf)
    options |= {"clip_size": settings["frames"], **box_options(args)}
    options["poselayout"] = poselayout(settings)
    return compute, settings, kind(args.data, dataconf, **options)


def evaluate_actions(
    args: argparse.Namespace,
    compute: Compute,
    settings: dict,
    dataset: ClipDataset,
) -> str:
    """Scores a network on the test videos and writes the report.

    The run folder gets evaluation.json, evaluation.md, confusion.png and outputs.png;
    with --report also report.html.

    Args:
        args: parsed arguments of `add_action_arguments`.
        compute: what `configure_compute` chose.
        settings: what `network_settings` returned.
        dataset: the data set, with the boxes of `box_options`.

    Returns:
        The text of evaluation.md, and where the report is.
    """
    network = settings["network"]
    model = build_network(network, settings, weights=args.weights)
    (many,) = ways(args)
    predictor = clip_predictor(args, compute, model)
    found = look_at_videos(args, predictor, dataset, many)
    scores = score_actions(found)
    scores["receipt"] = action_receipt(args, settings, network, args.data)
    paper = paper_accuracy(args, settings)
    training = pathlib.Path(args.weights).parent

    def draw(folder: pathlib.Path) -> list[str]:
        return action_page(folder, scores, paper, training)

    return finish_actions(args, scores, draw, predictor, dataset, found, settings)


def clip_predictor(
    args: argparse.Namespace, compute: Compute, model: keras.Model
) -> ClipPredictor:
    """What recognises the actions of clips, as the flags say."""
    return ClipPredictor(model, args.batch_size, compute.fold, compute.jit)


def look_at_videos(
    args: argparse.Namespace,
    predictor: ClipPredictor,
    dataset: ClipDataset,
    many: bool,
) -> ActionPredictions:
    """Looks at the test videos, with a progress bar.

    Args:
        args: parsed arguments of `add_clip_arguments`, or of those `batch_size` and
            `workers`; then the boxes are the data set's own.
        predictor: what `clip_predictor` returned.
        dataset: the data set, with the boxes of `box_options`.
        many: whether to look at many clips a video.
    """
    flip = getattr(args, "flip", None)
    bar = keras.utils.Progbar(dataset.get_length(TEST_MODE), unit_name="video")
    return predict_actions(
        predictor,
        dataset,
        TEST_MODE,
        subsamples=args.subsample if many else None,
        flip=many if flip is None else flip,
        boxes=_clip_boxes(args),
        batch_size=args.batch_size,
        workers=args.workers,
        progress=bar.update,
    )


def score_videos(
    args: argparse.Namespace,
    predictor: ClipPredictor,
    dataset: ClipDataset,
    many: bool,
) -> dict:
    """What `score_actions` says of the test videos; args as of `look_at_videos`."""
    return score_actions(look_at_videos(args, predictor, dataset, many))


def finish_actions(
    args: argparse.Namespace,
    scores: dict,
    draw: Callable[[pathlib.Path], list[str]],
    predictor: ClipPredictor,
    dataset: ClipDataset,
    found: ActionPredictions,
    settings: dict,
) -> str:
    """Writes the files of an evaluation; the scores before anything is drawn.

    Args:
        args: parsed arguments with `report`, `logdir` and `weights`.
        scores: for evaluation.json.
        draw: draws the pictures to a folder, and returns the parts of evaluation.md.
        predictor: what `clip_predictor` returned.
        dataset: the data set.
        found: what `look_at_videos` returned.
        settings: the network's, which tell the layout of its poses.

    Returns:
        The text of evaluation.md, and where the report is.
    """
    folder = pathlib.Path(args.logdir)
    write_scores(folder, scores)
    parts = draw(folder)
    text = "\n\n".join(parts)
    write_page(folder, text)
    return text + _report_clips(args, parts, predictor, dataset, found, settings)


def _report_clips(
    args: argparse.Namespace,
    parts: Sequence[str],
    predictor: ClipPredictor,
    dataset: ClipDataset,
    found: ActionPredictions,
    settings: dict,
) -> str:
    """Writes report.html if the flags ask for it; returns what is printed of it."""
    if not args.report:
        return ""

    def cases(page: Page) -> None:
        look = predictor.describe_frames, poselayout(settings)
        add_clips(page, dataset, TEST_MODE, found, *look)

    training = pathlib.Path(args.weights).parent
    path = write_report_page(args.logdir, parts, [cases], training)
    return f"\n\nreport: {path}"


def action_receipt(
    args: argparse.Namespace,
    settings: dict,
    evaluation: str,
    data: str | Mapping[str, str],
) -> dict:
    """The receipt of an evaluation of actions: with what else decides its figures.

    That is boxes, clips, whether mirrored ones count (None: of many clips), steps, the
    step of the paper or the published weights, and the split.

    Args:
        args: parsed arguments of `add_clip_arguments`.
        settings: what `network_settings` returned.
        evaluation, data: as of `receipt`.
    """
    known = receipt(args.weights, data, evaluation=evaluation, settings=settings)
    looks = ways(args)
    clips = BOTH if len(looks) > 1 else MANY if looks[0] else ONE
    known |= {"boxes": args.boxes, "clips": clips, "flip": getattr(args, "flip", None)}
    known |= {
        "steps": args.subsample,
        "recipe_step": _recipe_step(known, True in looks),
    }
    if "protocol" in settings:
        known["protocol"] = settings["protocol"]
    return known


def _recipe_step(known: Mapping, many: bool) -> int:
    """The step of the published weights of a receipt, or of the paper's recipe."""
    if known["published"] is not None:
        return published_settings(KNOWN[known["published"]], many)["step"]
    return default_settings(known["network"])["step"]


def paper_accuracy(args: argparse.Namespace, settings: dict) -> float | None:
    """The paper's accuracy of a network by the boxes of the flags; None if unknown.

    The figures of NTU are of the cross-subject split.
    """
    if settings.get("protocol", "cs") != "cs":
        return None
    figures = PAPER_ACTIONS.get(settings["network"], {})
    return figures.get("truth" if args.boxes == TRUTH else "other")


def _clip_boxes(args: argparse.Namespace) -> Boxes | None:
    if getattr(args, "boxes", TRUTH) in (TRUTH, WHOLE):
        return None
    boxes = read_boxes(args.boxes)
    return boxes.boxes if isinstance(boxes, ClipBoxes) else None
