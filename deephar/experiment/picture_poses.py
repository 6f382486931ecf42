"""Poses in a user's own pictures: predicted, drawn, written."""

import argparse
import logging
import pathlib
from collections.abc import Mapping, Sequence

from deephar.data.pictures import open_picture, picture_files
from deephar.experiment.arguments import argument_parser, flag_names
from deephar.experiment.compute import configure_compute
from deephar.experiment.looking import add_looking_arguments, pose_predictor
from deephar.experiment.run import start, write_json
from deephar.experiment.settings import add_network_arguments, network_settings
from deephar.inference.predictor import PosePredictor
from deephar.networks import NAMED
from deephar.networks.building import build_network, pose_view
from deephar.networks.recipes import poselayout
from deephar.utils.drawing import draw_pose

logger = logging.getLogger(__name__)


def picture_parser(
    doc: str,
    logdir: str,
    networks: Sequence[str],
    also: Mapping[str, str] | None = None,
    required: bool = True,
) -> argparse.ArgumentParser:
    """A parser with the flags of a prediction of poses in pictures.

    Args:
        doc: the script's docstring.
        logdir: default of the run folder.
        networks: names of the networks that may look; see `pose_networks`.
        also: further names of flags, such as FORK_FLAGS, and `--log-dir` with them.
        required: whether `--picture` must be given.
    """
    parser = argument_parser(doc, logdir, log_dir_flag=also is not None)
    add = parser.add_argument
    named = f"weights file, or a name: {', '.join(NAMED)}"
    add(*flag_names("--weights", also), required=True, help=named)
    add("--picture", required=required, help="a picture, or a folder of pictures")
    add("--box", type=float, nargs=4, metavar=("X1", "Y1", "X2", "Y2"), help="px")
    add_looking_arguments(parser)
    add_network_arguments(parser, networks, also)
    return parser


def draw_in_pictures(args: argparse.Namespace, networks: Sequence[str]) -> None:
    """Predicts the pictures of `--picture`; writes NAME.png and NAME.json of each.

    Args:
        args: flags of `picture_parser`.
        networks: as given to it.

    Raises:
        ValueError: if there are no pictures, a drawing would replace a picture, or the
            box or the weights do not fit.
        OSError: if a picture cannot be read; where there are several, after the others
            are written.
    """
    paths = picture_files(args.picture)
    targets = drawing_targets(paths, pathlib.Path(args.logdir))
    start(args)
    predictor = flags_predictor(args, networks)
    boxes = None if args.box is None else [args.box]
    unreadable = 0
    for path, target in zip(paths, targets, strict=True):
        try:
            picture = open_picture(path, upright=True)
        except OSError as error:
            if len(paths) == 1:
                raise
            logger.warning("passed over: %s", error)
            unreadable += 1
            continue
        people = predictor.predict(picture, boxes)
        for pose in people:
            layout = predictor.poselayout
            picture = draw_pose(picture, pose.joints, layout, pose.confidence)
        picture.save(f"{target}.png")
        record = {"picture": str(path), "people": [pose.to_dict() for pose in people]}
        write_json(f"{target}.json", record)
        logger.info("%s.png", target)
    if unreadable:
        raise OSError(f"{unreadable} of {len(paths)} pictures could not be read")


def flags_predictor(
    args: argparse.Namespace, networks: Sequence[str], batch_size: int = 8
) -> PosePredictor:
    """The predictor of the flags `--weights`, of looking and of the network.

    Args:
        args: the flags.
        networks: names of the networks that may look.
        batch_size: most crops a step.
    """
    compute = configure_compute(args)
    settings = network_settings(args, networks)
    model = build_network(settings["network"], settings, args.weights)
    layout, model = poselayout(settings), pose_view(model, settings)
    return pose_predictor(args, compute, model, layout, batch_size)


def drawing_names(paths: Sequence[pathlib.Path]) -> list[str]:
    """A name for each picture's drawing: without ending, unless two then were equal."""
    names = [path.stem for path in paths]
    return names if len(set(names)) == len(names) else [path.name for path in paths]


def drawing_targets(
    paths: Sequence[pathlib.Path], folder: pathlib.Path
) -> list[pathlib.Path]:
    """A path without ending for each drawing: none twice, none a picture's own.

    Raises:
        ValueError: if a drawing would replace a picture that is not one of ours.
    """
    names = drawing_names(paths)
    inputs = {path.resolve() for path in paths}
    for name in names:
        drawing = folder / f"{name}.png"
        ours = (folder / f"{name}.json").exists()
        if drawing.exists() and (drawing.resolve() in inputs or not ours):
            raise ValueError(f"{drawing}: would be overwritten; choose another folder")
    return [folder / name for name in names]
