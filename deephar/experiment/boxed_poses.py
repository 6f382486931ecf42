"""Poses of people in boxes that lists of pictures name, without labels."""

import argparse
import functools
import logging
from collections.abc import Callable, Sequence

import numpy as np

from deephar.data.boxed import WINDOW_MARGIN, BoxedPeople, BoxedPerson
from deephar.data.pictures import read_size
from deephar.evaluation.pose import PosePredictions
from deephar.experiment.arguments import FORK_FLAGS, argument_parser
from deephar.experiment.boxed_people import people_dataconf, people_layout
from deephar.experiment.compute import configure_compute
from deephar.experiment.looking import add_people_arguments, predict_people
from deephar.experiment.settings import add_network_arguments, network_settings
from deephar.networks.building import build_network, pose_view
from deephar.networks.recipes import pose_networks, poselayout
from deephar.utils.bbox import check_overlap
from deephar.utils.modes import VALID_MODE
from deephar.utils.pose import INVALID, coco17j

logger = logging.getLogger(__name__)

NETWORKS = pose_networks("coco")
"""The networks that may look; those of other joints find the 16 of MPII."""


def boxed_pose_parser(doc: str, logdir: str) -> argparse.ArgumentParser:
    """A parser with the flags of a prediction of poses in boxes, and the fork's.

    Args:
        doc: the script's docstring.
        logdir: default of the run folder.
    """
    parser = argument_parser(doc, logdir, log_dir_flag=True)
    add_people_arguments(parser, None, "mpii", FORK_FLAGS)
    add_network_arguments(parser, NETWORKS, FORK_FLAGS)
    return parser


def look_by_flags(
    args: argparse.Namespace, open_people: Callable[..., BoxedPeople]
) -> tuple[BoxedPeople, PosePredictions, dict]:
    """The people, their poses in pixels, and the settings of the network of the flags.

    Args:
        args: flags of `boxed_pose_parser`.
        open_people: from the configuration of the crops and the layout to the people.
    """
    compute = configure_compute(args)
    settings = network_settings(args, NETWORKS)
    people = open_people(people_dataconf(settings), people_layout(settings))
    model = build_network(settings["network"], settings, args.weights)
    model, layout = pose_view(model, settings), poselayout(settings)
    found = predict_people(args, compute, model, people, VALID_MODE, layout)
    return people, found, settings


def whole_picture(size: Sequence[float]) -> tuple[float, float, float, float]:
    """The box whose window is as wide as the longer side of a picture.

    Args:
        size: (w, h) of the picture, px.

    Returns:
        (x, y, w, h), px.
    """
    side = max(size) / WINDOW_MARGIN
    return ((size[0] - side) / 2, (size[1] - side) / 2, side, side)


def poses_in_boxes(
    args: argparse.Namespace,
    pictures: Sequence[str],
    boxes: Sequence[Sequence[float]],
) -> tuple[PosePredictions, type]:
    """Looks at a person in each box, through the window of the data sets of people.

    Args:
        args: flags of `boxed_pose_parser`.
        pictures: path of each person's picture.
        boxes: (x, y, w, h), px, one a picture.

    Returns:
        The predictions, whose truth is INVALID, and the layout of their joints.

    Raises:
        ValueError: if a box is empty or outside its picture, or the weights do not fit.
    """
    for picture, box in zip(pictures, boxes, strict=True):
        _check_box(picture, box)
    unknown = np.full((coco17j.num_joints, 2), INVALID)
    looked_at = [
        BoxedPerson(str(picture), tuple(box), unknown)
        for picture, box in zip(pictures, boxes, strict=True)
    ]
    people, found, _ = look_by_flags(
        args, functools.partial(BoxedPeople, "", looked_at)
    )
    return found, people.poselayout


def _check_box(picture: str, box: Sequence[float]) -> None:
    """Refuses a box (x, y, w, h) that no part of the picture is in, if this is read."""
    try:
        size = read_size(picture)
    except OSError:
        return  # the predictions tell of it, and look at the others
    x, y, width, height = box
    check_overlap(f"the box of {picture}", (x, y, x + width, y + height), size)


def refuse_unreadable(found: PosePredictions, what: str) -> None:
    """Names the pictures that could not be read, after the others are written.

    Args:
        found: the predictions.
        what: what they are of, in the plural.

    Raises:
        OSError: if there are any.
    """
    for error in found.errors.values():
        logger.warning("passed over: %s", error)
    if found.num_unreadable:
        raise OSError(
            f"the pictures of {found.num_unreadable} of {len(found.readable)} {what} "
            "could not be read; the others are written"
        )
