"""Finds poses and actions in pictures, videos and cameras; draws them, writes JSON.

python -m deephar predict photo.jpg
python -m deephar predict holiday/ film.mp4 --people 4 --out runs/seen
python -m deephar predict 0 --show

A SOURCE is a picture, a folder of pictures, a video, the number of a camera, or a list
of pictures with boxes. Of NAME.jpg the folder of --out gets NAME.jpg with the poses
drawn and NAME.json; of a video NAME.mp4, with its sound, and NAME.json; of a folder or
a list of pictures NAME/, with a drawing each, and NAME.json. Ctrl-C ends a video or a
camera; what was seen until then is kept.
"""

import argparse
from collections.abc import Sequence

from deephar.commands import command_parser
from deephar.utils.machine import CHOSEN_PRECISIONS
from deephar.utils.numbers import fraction, natural, positive_float, positive_int

DEFAULTS = {"detector": "auto", "detect_every": 5, "every": 1}
"""Of flags whose being given is asked: not every source takes them."""

DETECTORS = ("auto", "hog", "whole")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags; a command line that cannot be ends in a message and status 2."""
    parser = command_parser("predict", __doc__)
    sources = "picture, folder of pictures, video, number of a camera, or box list"
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=sources)
    _add_output_flags(parser)
    _add_network_flags(parser)
    _add_people_flags(parser)
    _add_video_flags(parser)
    args = parser.parse_args(argv)
    _check(parser, args)
    return args


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuses flags that mean nothing beside others."""
    if args.causal and args.lift is None:
        parser.error("--causal needs --lift, whose network it is of")
    if args.box is not None or args.boxes is not None:
        for name in ("detector", "detect_every", "people"):
            if getattr(args, name) is not None:
                flag = f"--{name.replace('_', '-')}"
                parser.error(f"{flag}: not with --box or --boxes, which tell the same")
    if args.detector == "whole" and args.people is not None:
        parser.error("--people: not with --detector whole, which is one person")


def main(argv: Sequence[str] | None = None) -> None:
    """Looks at all sources.

    Raises:
        OSError, ValueError: if flags, weights and sources do not fit together; if some
            of several sources could not be looked at, when the others are done.
    """
    args = parse(argv)
    # Not at the top: Keras takes seconds, and --help has no need of it.
    from deephar.commands.watching import watch_sources

    watch_sources(args)


def _add_output_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is written")
    add = group.add_argument
    folder = "folder (%(default)s)"
    add("--out", default="runs/predict", metavar="FOLDER", help=folder)
    add("--overwrite", action="store_true", help="replace what the folder has")
    json = {"action": argparse.BooleanOptionalAction, "default": True}
    add("--json", help="write what was found as NAME.json", **json)
    draw = {"action": argparse.BooleanOptionalAction, "default": True}
    add("--draw", help="write drawings and videos", **draw)
    show = "show a window; space: next picture, q or Escape: the end"
    add("--show", action="store_true", help=show)


def _add_network_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what looks")
    add = group.add_argument
    model = (
        "pose, action, or the name of a network that --weights are of (default: pose "
        "for pictures, action for videos and cameras; else what --weights are of)"
    )
    add("--model", metavar="pose|action|NETWORK", help=model)
    weights = "a file, or a name of weights (default: small_pose or small_action)"
    add("--weights", metavar="FILE|NAME", help=weights)
    block = "cut the network after its first K predictions (all)"
    add("--block", type=positive_int, metavar="K", help=block)
    add("--flip", action="store_true", help="average with the mirrored crop")
    crops = "average over 7 crops: three scales, four shifts"
    add("--multi-crop", action="store_true", help=crops)
    refine = "new windows around the pose before the last look (%(default)s)"
    add("--refine", type=natural, default=1, metavar="N", help=refine)
    add("--device", metavar="cpu|gpu|gpu:N", help="where to compute (Keras's choice)")
    precision = "of the network (%(default)s)"
    add("--precision", choices=CHOSEN_PRECISIONS, default="float32", help=precision)
    add("--batch-size", type=positive_int, default=8, help="most crops (%(default)s)")


def _add_people_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who is looked at")
    add, where = group.add_argument, group.add_mutually_exclusive_group()
    box = (
        "a person, px; give it for each (of a video: where they are in the first frame)"
    )
    corners = {"type": float, "nargs": 4, "metavar": ("X1", "Y1", "X2", "Y2")}
    where.add_argument("--box", action="append", help=box, **corners)
    lists = "a list of pictures with boxes; of a video they are 00001.jpg, 00002.jpg"
    where.add_argument("--boxes", metavar="BOXLIST", help=lists)
    detectors = "hog: OpenCV's; whole: one person fills the picture; auto: whole where "
    detectors += f"hog finds nobody ({DEFAULTS['detector']})"
    add("--detector", choices=DETECTORS, help=detectors)
    every = f"in videos the detector sees one frame in N ({DEFAULTS['detect_every']})"
    add("--detect-every", type=positive_int, metavar="N", help=every)
    add("--people", type=positive_int, metavar="N", help="at most so many in a frame")
    least = "leave out people whose joints have less on average (%(default)s)"
    add("--confidence", type=fraction, default=0.2, metavar="LEAST", help=least)


def _add_video_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("videos and cameras")
    add = group.add_argument
    rate = "a folder or list of pictures is a video of so many a second"
    add("--rate", type=positive_float, metavar="FPS", help=rate)
    add("--every", type=positive_int, metavar="N", help="look at one in N")
    add("--frames", type=positive_int, metavar="N", help="end after so many")
    lift = "3D poses from the track of 2D ones: a file or a name (small_lift)"
    add("--lift", nargs="?", const="small_lift", metavar="FILE|NAME", help=lift)
    causal = "the --lift network is causal, where its file does not tell"
    add("--causal", action="store_true", help=causal)
