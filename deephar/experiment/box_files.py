"""What the scripts share that make files of predicted boxes."""

import argparse
import logging
import pathlib
from collections.abc import Sequence

import keras

from deephar.data.boxes import FrameBoxes, write_boxes
from deephar.data.clips import ClipDataset
from deephar.evaluation.boxes import (
    CONFIDENCE,
    MARGIN,
    FoundBoxes,
    boxes_by_clip,
    predict_boxes,
)
from deephar.experiment.compute import Compute
from deephar.experiment.looking import (
    add_looking_arguments,
    describe_looking,
    pose_predictor,
)
from deephar.experiment.receipts import receipt
from deephar.experiment.run import write_json
from deephar.experiment.settings import add_network_arguments, network_settings
from deephar.inference.crops import Window
from deephar.inference.predictor import PosePredictor
from deephar.networks.building import build_network, pose_view
from deephar.networks.recipes import (
    NETWORKS,
    default_settings,
    pose_networks,
    poselayout,
)
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name
from deephar.utils.numbers import fraction, positive_float, positive_int

logger = logging.getLogger(__name__)


def add_box_arguments(
    parser: argparse.ArgumentParser, data: str, of_actions: Sequence[str]
) -> None:
    """Adds the flags of a prediction of boxes.

    Args:
        parser: the script's parser.
        data: default of the data set's folder.
        of_actions: names of the networks that the boxes are for; the pose part of the
            first looks if neither `--network` nor the weights name another.
    """
    add = parser.add_argument
    add("--data", default=data, help="folder of the data (%(default)s)")
    add("--weights", required=True, help="weights file, or a published name")
    least = "least confidence of the joints that a box lies around (%(default)s)"
    add("--confidence", type=fraction, default=CONFIDENCE, help=least)
    side = "side of a box over the extent of the joints (%(default)s)"
    add("--margin", type=positive_float, default=MARGIN, help=side)
    seen = "side of what is looked at over the picture's longer side (%(default)s)"
    add("--scale", type=positive_float, default=1.0, help=seen)
    number = {"type": positive_int, "metavar": "N"}
    owns = "default: the network of actions' own, else the paper's"
    add("--clip-size", help=f"frames ({owns})", **number)
    steps = f"steps of the clips whose boxes are written ({owns})"
    add("--subsample", nargs="+", help=steps, **number)
    add("--batch-size", default=8, help="frames a step (%(default)s)", **number)
    add("--workers", default=2, help="threads that read", **number)
    # Boxes by clip are for evaluations with many clips, and so is their step.
    parser.set_defaults(multi_clip=True)
    add_looking_arguments(parser)
    add_network_arguments(parser, _that_look(of_actions))


def _that_look(of_actions: Sequence[str]) -> tuple[str, ...]:
    return pose_networks(NETWORKS[of_actions[0]].pose_part)


def box_predictor(
    args: argparse.Namespace, compute: Compute, of_actions: Sequence[str]
) -> tuple[PosePredictor, dict]:
    """The predictor of the flags: a pose network, or the part of one of actions.

    `args` gets the size and the step of clips where it has none.

    Args:
        args: parsed arguments of `add_box_arguments`.
        compute: what `configure_compute` chose.
        of_actions: as of `add_box_arguments`; of the one of the same architecture the
            settings count where the network that looks has none.

    Returns:
        The predictor, and the settings.

    Raises:
        ValueError: if both --frames and --clip-size are given.
    """
    if args.clip_size and args.frames:
        raise ValueError(
            "--clip-size is instead of --frames: give one of them. Received: "
            f"--clip-size {args.clip_size}, --frames {args.frames}"
        )
    settings = network_settings(args, _that_look(of_actions))
    network = settings["network"]
    settings = {**_of_clips(args, network, of_actions), **settings}
    args.clip_size = args.clip_size or settings["frames"]
    args.subsample = args.subsample or [settings["step"]]
    model = build_network(network, settings, weights=args.weights)
    model, layout = pose_view(model, settings), poselayout(settings)
    predictor = pose_predictor(args, compute, model, layout, args.batch_size)
    return predictor, settings


def _of_clips(
    args: argparse.Namespace, network: str, of_actions: Sequence[str]
) -> dict:
    """What the recipe says of clips and their videos, and the flags where they do."""
    kinds = {NETWORKS[name].family.architecture: name for name in of_actions}
    name = kinds[NETWORKS[network].family.architecture]
    recipe, settings = NETWORKS[name].settings, default_settings(name)
    names = ["frames", *(name for name, one in recipe.items() if one.of_data)]
    flags = {name: getattr(args, name, None) for name in names}
    return {name: flags[name] or settings[name] for name in names}


def write_predicted_boxes(
    args: argparse.Namespace, predictor: PosePredictor, dataset: ClipDataset, name: str
) -> list[pathlib.Path]:
    """Finds boxes in all videos and writes them to the run folder.

    `pred_bboxes_NAME.json` has those of every frame, `NAME_pred_bboxes_Tf.json` those
    of the test videos' clips of T frames, and `boxes.json` says what was not found.

    Args:
        args: parsed arguments of `add_box_arguments`.
        predictor: what `box_predictor` made.
        dataset: the data set, with whole pictures for windows.
        name: of the data set, in the files' names.

    Returns:
        The files of boxes.
    """
    parts, report = [], {}
    for mode in (TEST_MODE, TRAIN_MODE, VALID_MODE):
        parts.append({})
        if dataset.get_length(mode) > 0:
            found = _find_boxes(args, predictor, dataset, mode)
            parts[-1] = found.boxes
            report[mode_name(mode)] = {
                "frames": len(found.boxes),
                "nobody": _names(dataset, mode, found.nobody),
                "unreadable": _names(dataset, mode, found.unreadable),
            }
    _log_counts(report)
    folder, boxes = pathlib.Path(args.logdir), FrameBoxes(tuple(parts))
    paths = [
        folder / f"pred_bboxes_{name}.json",
        folder / f"{name}_pred_bboxes_{dataset.clip_size}f.json",
    ]
    write_boxes(paths[0], boxes)
    write_boxes(paths[1], boxes_by_clip(boxes, dataset, TEST_MODE, args.subsample))
    report["receipt"] = receipt(args.weights, args.data) | {
        "looking": describe_looking(args),
        "scale": args.scale,
        "steps": args.subsample,
    }
    if hasattr(dataset, "protocol"):
        report["receipt"]["protocol"] = dataset.protocol
    write_json(folder / "boxes.json", report)
    return paths


def _find_boxes(
    args: argparse.Namespace, predictor: PosePredictor, dataset: ClipDataset, mode: int
) -> FoundBoxes:
    """The boxes of a part of the data set, with a progress bar."""

    def look(pictures, windows):
        scaled = [Window(*window).changed(args.scale, 0, 0) for window in windows]
        return predictor.locate(pictures, scaled, keep=0.0)

    keys = range(dataset.get_length(mode))
    frames = sum(dataset.num_frames(key, mode) for key in keys)
    return predict_boxes(
        look,
        dataset,
        mode,
        confidence=args.confidence,
        margin=args.margin,
        batch_size=args.batch_size,
        workers=args.workers,
        progress=keras.utils.Progbar(frames, unit_name="frame").update,
    )


def _log_counts(report: dict) -> None:
    for part, counts in report.items():
        logger.info(
            "%s: %d frames, nobody found in %d, %d unreadable; these have the whole "
            "picture for a box",
            *(part, counts["frames"], len(counts["nobody"]), len(counts["unreadable"])),
        )


def _names(dataset: ClipDataset, mode: int, places: list[tuple[int, int]]) -> list[str]:
    """The places as "video.frame", by the videos' names."""
    return [f"{dataset.video_name(key, mode)}.{frame}" for key, frame in places]
