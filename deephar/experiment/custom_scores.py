"""Evaluations on own data: poses of people, and actions of clips."""

import argparse
import pathlib
from collections.abc import Sequence

from deephar.config import pennaction_ar_dataconf
from deephar.data import CustomClips, CustomPeople
from deephar.data.custom_data import PARTS, CustomData
from deephar.data.custom_format import read_custom
from deephar.evaluation.action import score_actions
from deephar.evaluation.action_report import action_page
from deephar.evaluation.custom import score_custom
from deephar.experiment.arguments import argument_parser
from deephar.experiment.boxed_people import people_dataconf
from deephar.experiment.boxed_scores import write_people_scores
from deephar.experiment.compute import Compute, configure_compute
from deephar.experiment.custom_actions import check_actions_of
from deephar.experiment.custom_poses import VALID, add_custom_data, flat_layout
from deephar.experiment.looking import (
    add_people_arguments,
    describe_looking,
    in_layout,
    look_at_people,
    pose_predictor,
)
from deephar.experiment.people_scores import name_blocks
from deephar.experiment.receipts import receipt
from deephar.experiment.recognition import (
    clip_predictor,
    finish_actions,
    look_at_videos,
)
from deephar.experiment.run import start
from deephar.experiment.settings import (
    add_network_arguments,
    network_settings,
    sized,
)
from deephar.networks.building import build_network, pose_view
from deephar.networks.recipes import NETWORKS, poselayout
from deephar.utils.modes import VALID_MODE

POSES, ACTIONS = "poses", "actions"


def parse_custom_evaluation(
    doc: str, logdir: str, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of an evaluation on own data.

    Args:
        doc: the script's docstring.
        logdir: default of the run folder.
        argv: the command line; None for the real one.
    """
    parser = argument_parser(doc, logdir)
    add = parser.add_argument
    add_custom_data(parser)
    add("--part", choices=PARTS, default=VALID, help="of the data (%(default)s)")
    what = "what is scored (of a network of actions: actions, else poses)"
    add("--task", choices=(POSES, ACTIONS), help=what)
    add_people_arguments(parser, None, "any of 2D poses, or of actions")
    add_network_arguments(parser, tuple(NETWORKS))
    report = "write report.html with pictures, of poses report.md too"
    add("--report", action="store_true", help=report)
    return parser.parse_args(argv)


def evaluate_custom(args: argparse.Namespace) -> str:
    """Scores a network on a part of own data and writes the report.

    The run folder gets evaluation.json and evaluation.md; of actions also confusion.png
    and outputs.png; with --report the report.

    Args:
        args: what `parse_custom_evaluation` returns.

    Returns:
        The tables, Markdown.

    Raises:
        ValueError: if the data have mistakes, or joints or actions that the network has
            not; or a flag is of the other task.
        OSError: if a file cannot be read.
    """
    start(args)
    compute = configure_compute(args)
    data = read_custom(args.data)
    settings = network_settings(args, tuple(NETWORKS))
    merged = NETWORKS[settings["network"]].family.merged
    task = args.task or (ACTIONS if merged else POSES)
    if task == POSES:
        return _score_people(args, compute, data, settings)
    if not merged:
        raise ValueError(
            "--task actions needs a network of actions. "
            f"Received: {NETWORKS[settings['network']].about}"
        )
    if args.multi_crop or args.refine:
        raise ValueError("--multi-crop and --refine are for --task poses")
    return _score_clips(args, compute, data, settings)


def _score_people(
    args: argparse.Namespace, compute: Compute, data: CustomData, settings: dict
) -> str:
    dataconf = people_dataconf(settings)
    people = CustomPeople(data, args.part, dataconf, flat_layout(data.layout))
    model = build_network(settings["network"], settings, args.weights)
    view = (pose_view(model, settings), poselayout(settings), args.batch_size)
    predictor = pose_predictor(args, compute, *view)
    found = look_at_people(predictor, people, VALID_MODE, args.workers)
    scores = name_blocks(score_custom(found, people), settings)
    known = receipt(args.weights, args.data, evaluation="custom", settings=settings)
    known |= {"part": args.part, "looking": describe_looking(args)}
    scores["receipt"] = known
    space = None
    if args.report and data.layout.dim == predictor.poselayout.dim == 3:
        deep = CustomPeople(data, args.part, dataconf)
        layouts = predictor.poselayout, deep.poselayout
        space = deep, in_layout(predictor.predict_crops, *layouts)
    return write_people_scores(args, scores, found, people, space)


def _score_clips(
    args: argparse.Namespace, compute: Compute, data: CustomData, settings: dict
) -> str:
    check_actions_of(settings, data, args.weights)
    dataconf, size = sized(pennaction_ar_dataconf, settings), settings["frames"]
    clips = CustomClips(data, args.part, dataconf, clip_size=size)
    model = build_network(settings["network"], settings, args.weights)
    predictor = clip_predictor(args, compute, model)
    found = look_at_videos(args, predictor, clips, False)
    scores = score_actions(found)
    kind = {"evaluation": "custom_actions", "settings": settings}
    known = receipt(args.weights, args.data, **kind)
    scores["receipt"] = {**known, "part": args.part, "flip": args.flip}
    training = pathlib.Path(args.weights).parent

    def draw(folder: pathlib.Path) -> list[str]:
        return action_page(folder, scores, None, training, False)

    return finish_actions(args, scores, draw, predictor, clips, found, settings)
