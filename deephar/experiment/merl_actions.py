"""Actions of MERL Shopping: the training and the evaluation of its merged network."""

import argparse
import logging
import pathlib
from collections.abc import Sequence

from deephar.config import DataConfig, pennaction_ar_dataconf
from deephar.data import merl_shopping, open_cache
from deephar.data.boxed_clips import BoxedClips
from deephar.data.merl import (
    PEOPLE_FILES,
    PEOPLE_PICTURES,
    REACH_CLASSES,
    SHELF_CLASSES,
    MERL5Action,
    MERLAction,
)
from deephar.evaluation.action import score_actions
from deephar.evaluation.action_report import action_page
from deephar.experiment.arguments import (
    FORK_FLAGS,
    add_training_arguments,
    argument_parser,
    flag_names,
    parse_training,
)
from deephar.experiment.boxed_people import MERL_PEOPLE, NONE
from deephar.experiment.clip_training import (
    ClipLesson,
    add_frozen_features,
    check_frozen_features,
    train_clips,
)
from deephar.experiment.compute import configure_compute
from deephar.experiment.receipts import receipt
from deephar.experiment.recognition import (
    add_report_argument,
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
from deephar.experiment.stages import check_first_weights
from deephar.experiment.training import TrainingRun, start_training
from deephar.networks.building import build_network
from deephar.networks.classes import class_names
from deephar.networks.known_weights import check_classes, known_settings
from deephar.utils.modes import VALID_MODE
from deephar.utils.numbers import positive_int

logger = logging.getLogger(__name__)

NETWORK, EVALUATION = "merl", "merl_actions"
DATA, TRAIN = MERL_PEOPLE.root, "train_2.json"
POSE_WEIGHTS = (
    "weights_merl_061.h5",
    "runs/merl_singleperson/weights_last.weights.h5",
)
"""Where the pose part's weights are looked for: the fork's file, then ours."""
_PICKLE = ".pkl"
_HELD_OUT = {
    ",".join(SHELF_CLASSES).lower(): ("test_2.json", "test_2.json"),
    ",".join(REACH_CLASSES).lower(): (PEOPLE_FILES[VALID_MODE],) * 2,
    ",".join(merl_shopping.ACTIONS).lower(): ("val.json", "test.json"),
}
"""Files of DATA by the classes: the one that scores epochs, and that for the end."""
_THEIRS = "that of DATA with the network's classes"


def add_clip_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--data` and `--image-path`."""
    add = parser.add_argument
    add("--data", default=DATA, help="folder of the files below (%(default)s)")
    where = "pictures (as a JSON says; of a pickle DATA/images)"
    add("--image-path", metavar="DIR", help=where)


def open_clips(
    args: argparse.Namespace,
    path: str | pathlib.Path,
    settings: dict,
    dataconf: DataConfig,
) -> BoxedClips:
    """The clips of a file of annotations: a JSON, or a pickle of key points.

    Args:
        args: flags of `add_clip_data_arguments`; `cache` if the script has it.
        path: the file.
        settings: the network's; its classes are taken.
        dataconf: size and augmentation of the crops.

    Raises:
        FileNotFoundError: if the annotations or the folder of pictures are missing.
        ValueError: if the annotations are not as they should be.
    """
    path, images = pathlib.Path(path), args.image_path
    options = {
        "dataconf": dataconf,
        "clip_size": settings["frames"],
        "classes": tuple(settings["classes"].split(",")),
        "cache": open_cache(getattr(args, "cache", None)),
    }
    if path.suffix == _PICKLE:
        folder = pathlib.Path(args.data) / PEOPLE_PICTURES if images is None else images
        return MERLAction(folder, path, **options)
    return MERL5Action(path, image_path=images, **options)


def parse_merl_training(
    doc: str, logdir: str, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of a training of MERL's actions, the fork's names included.

    Args:
        doc: the script's docstring.
        logdir: default of the run folder.
        argv: the command line; None for the real one.
    """
    also = {**FORK_FLAGS, "--weights": "--weights-action-path"}
    parser = argument_parser(doc, logdir, log_dir_flag=True)
    add = parser.add_argument
    add_clip_data_arguments(parser)
    kinds = f"JSON, or a pickle (.pkl) of key points (DATA/{TRAIN})"
    add("--anno-path", metavar="FILE", help=kinds)
    scores = f'to score the epochs; "{NONE}" for no scores ({_THEIRS}, if it is there)'
    add("--val-anno-path", metavar="FILE", help=scores)
    add("--num-joints", type=int, choices=(16,), default=16, help="only 16 (16)")
    where = f"of the pose part ({' or '.join(POSE_WEIGHTS)})"
    add(*flag_names("--pose-weights", also), metavar="FILE", help=where)
    alone = "the pose part stays as it is; without, it learns by the actions' loss"
    add("--freeze-poses", action="store_true", help=alone)
    add_frozen_features(parser)
    add_network_arguments(parser, NETWORK, also)
    recipe = {"batch_size": 2, "epochs": 1000, "lr_drops": [], "optimizer": "sgd"}
    add_training_arguments(parser, **recipe, patience=10, also=also)
    args = parse_training(parser, argv)
    check_first_weights(parser, args)
    check_frozen_features(parser, args)
    if args.frozen_features and not args.freeze_poses:
        parser.error("--frozen-features needs --freeze-poses")
    return args


def train_merl_actions(args: argparse.Namespace) -> None:
    """Trains on MERL's actions, scores epochs, saves best and last.

    Args:
        args: what `parse_merl_training` returns.

    Raises:
        ValueError: if there are no weights to begin with; as of `train_clips`.
        OSError: if a file is missing or cannot be read.
    """
    run = start_training(args)
    folder = pathlib.Path(args.data)
    train = pathlib.Path(args.anno_path or folder / TRAIN)
    _choose_weights(run)
    settings = _settings(args, train, run.model_file)
    _tell_other_classes(run, settings["classes"])
    augmented = sized(pennaction_ar_dataconf, settings, not args.no_augmentation)
    clips = open_clips(args, train, settings, augmented)
    held_out = _held_out(args, settings)
    test_clips = None
    if held_out is not None:
        test_clips = open_clips(args, held_out, settings, augmented)
    elif args.patience is not None:
        logger.info("no scores, and so no --patience")
        args.patience = None
    lesson = ClipLesson(
        settings,
        clips.label,
        clips,
        test_clips,
        learns_poses=not args.freeze_poses,
        described=args.frozen_features,
    )
    train_clips(run, lesson)


def _tell_other_classes(run: TrainingRun, classes: str) -> None:
    """Warns if weights that learned other classes are to go on with these."""
    if run.first(run.args.weights) is None:
        return
    known = known_settings(run.args.weights, NETWORK)[1].get("classes")
    if known is not None and known.lower() != classes.lower():
        what = "%s: has learned the classes %s and goes on with %s"
        logger.warning(what, run.args.weights, known, classes)


def _held_out(args: argparse.Namespace, settings: dict) -> pathlib.Path | None:
    """The annotations that score the epochs; None, which is logged, for none."""
    if args.val_anno_path is not None:
        given = args.val_anno_path
        return None if given == NONE else pathlib.Path(given)
    names = _HELD_OUT.get(settings["classes"].lower())
    if names is None:
        logger.info("no file of these classes is known, so there will be no scores")
        return None
    usual = pathlib.Path(args.data) / names[0]
    if not usual.is_file():
        logger.info("%s: is not there, so there will be no scores", usual)
        return None
    return usual


def _choose_weights(run: TrainingRun) -> None:
    """Looks for weights of the pose part where none are given and some are needed."""
    args = run.args
    if args.weights or args.pose_weights or (run.goes_on and not args.frozen_features):
        return
    found = next((w for w in POSE_WEIGHTS if pathlib.Path(w).is_file()), None)
    if found is None:
        raise FileNotFoundError(
            f"there are no weights to begin with: neither {' nor '.join(POSE_WEIGHTS)} "
            "is there; give --weights-pose-path, of exp/merl/train_merl_singleperson.py"
            " or exp/coco/train_coco_singleperson.py, or --weights-action-path"
        )
    logger.info("weights of the pose part: %s", found)
    args.pose_weights = found


def _settings(
    args: argparse.Namespace,
    path: pathlib.Path | None = None,
    model_file: pathlib.Path | None = None,
) -> dict:
    """The settings of a network, with as many classes as it tells actions apart.

    Args:
        args: the flags. Without --classes a pickle's are taken, and without --actions
            their number, where nothing is known of the weights.
        path: the annotations; None for those of the network's classes.
        model_file: as of `network_settings`.

    Raises:
        ValueError: if the numbers differ; as of `network_settings`.
    """
    if model_file is None:
        known = known_settings(args.weights, NETWORK)[1] if args.weights else {}
        pickled = path is not None and path.suffix == _PICKLE
        if pickled and args.classes is None and "classes" not in known:
            args.classes = ",".join(REACH_CLASSES)
        if args.actions is None and args.classes is not None and not known:
            args.actions = len(args.classes.split(","))
    settings = network_settings(args, NETWORK, model_file)
    class_names(settings)
    return settings


def parse_merl_evaluation(
    doc: str, logdir: str, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of an evaluation of MERL's actions; args as of the training."""
    parser = argument_parser(doc, logdir, log_dir_flag=True)
    add = parser.add_argument
    paths = (FORK_FLAGS["--weights"], "--weights-file")
    add("--weights", *paths, required=True, help="weights file")
    add_clip_data_arguments(parser)
    kinds = f"JSON, or a pickle (.pkl) of key points ({_THEIRS})"
    add("--val-anno-path", "--label-path", metavar="FILE", help=kinds)
    add("--batch-size", type=positive_int, default=16, help="frames (%(default)s)")
    add("--workers", type=positive_int, default=2, help="threads that read")
    add_report_argument(parser)
    add_network_arguments(parser, NETWORK, FORK_FLAGS)
    return parser.parse_args(argv)


def merl_settings(args: argparse.Namespace, path: pathlib.Path | None = None) -> dict:
    """The settings of a trained network; classes that gainsay its own are refused.

    Args:
        args: parsed arguments of `add_network_arguments`, with `weights`.
        path: the annotations of videos to look at, if there are any: a pickle has
            classes of its own where nothing is known of the weights.

    Raises:
        ValueError: as of `network_settings`, or if the classes are not as many as the
            network's actions, or the weights are known to be of others.
    """
    settings = _settings(args, path)
    check_classes(args.weights, NETWORK, settings["classes"])
    return settings


def _test_file(args: argparse.Namespace, settings: dict) -> pathlib.Path:
    """The annotations of the videos that a network of these classes is tested on."""
    names = _HELD_OUT.get(settings["classes"].lower())
    if args.val_anno_path is None and names is None:
        raise ValueError(
            "no file of the network's classes is known: give --val-anno-path "
            f"(--label-path). Received: classes {settings['classes']}"
        )
    return pathlib.Path(args.val_anno_path or pathlib.Path(args.data) / names[1])


def evaluate_merl_actions(args: argparse.Namespace) -> str:
    """Scores a network on videos of MERL, one clip each, and writes the report.

    The run folder gets evaluation.json, evaluation.md, a picture of each of the three
    confusion matrices, and outputs.png; with --report also report.html.

    Args:
        args: what `parse_merl_evaluation` returns.

    Returns:
        The text of evaluation.md.
    """
    start(args)
    compute = configure_compute(args)
    given = args.val_anno_path
    settings = merl_settings(args, None if given is None else pathlib.Path(given))
    path = _test_file(args, settings)
    clips = open_clips(args, path, settings, sized(pennaction_ar_dataconf, settings))
    model = build_network(NETWORK, settings, args.weights)
    predictor = clip_predictor(args, compute, model)
    found = look_at_videos(args, predictor, clips, False)
    scores = score_actions(found)
    known = receipt(args.weights, path, evaluation=EVALUATION, settings=settings)
    scores["receipt"] = {**known, "classes": settings["classes"]}
    training = pathlib.Path(args.weights).parent

    def draw(folder: pathlib.Path) -> list[str]:
        return action_page(folder, scores, None, training, False)

    return finish_actions(args, scores, draw, predictor, clips, found, settings)
