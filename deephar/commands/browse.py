r"""Shows what a data set holds and what a network is given of it, as one HTML page.

    python -m deephar browse MPII /data/MPII --out mpii.html
    python -m deephar browse PennAction /data/PennAction --split train --samples 40
    python -m deephar browse COCO /data/COCO --no-augmentation --seed 3
    python -m deephar browse custom my_people.json
    python -m deephar browse lifting data

The page has what each part counts, what is missing or cannot be read, contact sheets
(people and clips as a network is given them, joints drawn; those of training after
augmentation) and histograms: how large people are, which joints are labelled, what
people do, how long videos are. Of lifting there are the tracks of key points and the
poses in space instead of pictures. It is one file and asks no network for anything. The
same seed gives the same page.
"""

import argparse
import pathlib
import shlex
import sys
from collections.abc import Sequence

from deephar import __version__
from deephar.commands import PROGRAM, command_parser, say
from deephar.commands.browse_lifting import add_lifting
from deephar.commands.browse_opening import open_custom, open_kind
from deephar.commands.browse_sections import (
    Look,
    add_counts,
    add_faults,
    add_part,
    faults_within,
    look_at,
)
from deephar.commands.check_data import CLIP_SIZES, CUSTOM, LIFTING, PEOPLE
from deephar.config.data import DataConfig
from deephar.config.named import get_dataconf
from deephar.data.inspection import KINDS, MODES
from deephar.pages import Page
from deephar.utils.modes import mode_name
from deephar.utils.numbers import positive_int

MOST = 2000
"""Samples whose annotations are read for the histograms of a part, unless --all."""
FIELD = 243
"""Frames that the largest of the lifting networks looks at."""
SPLITS = {mode_name(mode): mode for mode in MODES}


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    parser = command_parser("browse", __doc__)
    add = parser.add_argument
    add("dataset", choices=[*KINDS, CUSTOM, LIFTING])
    where = "folder of the data set; of custom data a file or a folder"
    add("folder", type=pathlib.Path, help=where)
    out = pathlib.Path("browse.html")
    add("--out", type=pathlib.Path, default=out, help="the page (%(default)s)")
    add("--overwrite", action="store_true", help="replace the page")
    add("--split", choices=SPLITS, help="one part of the data set (default: all)")
    add(
        "--samples",
        type=positive_int,
        default=24,
        help="samples of each part that are shown (%(default)s)",
    )
    add("--seed", type=int, default=0, help="which samples (%(default)s)")
    augmentation = "training samples with the window and colours of evaluations"
    add("--no-augmentation", action="store_true", help=augmentation)
    add("--dataconf", metavar="NAME", help="size and augmentation: deephar/config")
    add(
        "--clip-size",
        type=positive_int,
        help="frames of a clip (custom 8, MERL 8, NTU 20, lifting 243, the others 16)",
    )
    cameras = "JSON file of HumanEva's cameras, of lifting only"
    add("--cameras", type=pathlib.Path, metavar="FILE", help=cameras)
    histograms = f"histograms of all annotations, not of {MOST} samples of each part"
    add("--all", action="store_true", help=histograms)
    args = parser.parse_args(argv)
    args.command = list(sys.argv[2:] if argv is None else argv)
    if args.seed < 0:
        parser.error(f"--seed must be at least 0: {args.seed}")
    if args.dataset == LIFTING:
        for flag, value in (("split", args.split), ("dataconf", args.dataconf)):
            if value is not None:
                parser.error(f"--{flag} is of data sets with pictures")
        if args.all:
            parser.error("--all is of data sets with pictures")
    elif args.cameras is not None:
        parser.error("--cameras is of lifting")
    if args.clip_size is not None and args.dataset in PEOPLE:
        parser.error(f"--clip-size is of data sets with clips, not of {args.dataset}")
    if args.clip_size is None:
        args.clip_size = CLIP_SIZES.get(args.dataset, 16)
        if args.dataset == LIFTING:
            args.clip_size = FIELD
    if args.dataset == LIFTING and args.clip_size % 2 == 0:
        parser.error(f"--clip-size of lifting must be odd: {args.clip_size}")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Makes the page."""
    args = parse(argv)
    if args.out.exists() and not args.overwrite:
        raise FileExistsError(f"{args.out}: is there already; --overwrite replaces it")
    if not args.out.parent.is_dir():
        raise FileNotFoundError(f"no folder to write the page to: {args.out.parent}")
    if not args.folder.exists():
        raise FileNotFoundError(f"no such file or folder: {args.folder}")
    page = Page(args.dataset, f"What {args.folder} has, and what a network is given")
    told = add_tracks(page, args) if args.dataset == LIFTING else add_all(page, args)
    page.heading("How this page was made")
    command = f"{PROGRAM} browse {shlex.join(args.command)}"
    page.facts({"command": command, "deephar": __version__})
    page.write(args.out)
    say(f"{args.out}: {told}")


def add_tracks(page: Page, args: argparse.Namespace) -> str:
    """Adds what files of lifting have; returns a line about it."""
    names = add_lifting(
        *(page, args.folder, args.samples, args.seed, not args.no_augmentation),
        *(args.clip_size, args.cameras),
    )
    return ", ".join(names)


def named_config(name: str) -> DataConfig:
    """The configuration that --dataconf names.

    Raises:
        ValueError: if there is none of that name.
    """
    try:
        return get_dataconf(name)
    except ValueError as error:
        raise ValueError(f"--dataconf {name}: {error}") from error


def add_all(page: Page, args: argparse.Namespace) -> str:
    """Adds what a data set with pictures has; returns a line about it."""
    look = Look(
        samples=args.samples,
        seed=args.seed,
        augment=not args.no_augmentation,
        most=None if args.all else MOST,
        dataconf=None if args.dataconf is None else named_config(args.dataconf),
    )
    modes = [SPLITS[args.split]] if args.split else MODES
    if args.dataset == CUSTOM:
        opened = open_custom(args.folder, args.clip_size, modes)
    else:
        opened = open_kind(args.dataset, args.folder, args.clip_size, modes)
    parts = [look_at(data, mode, title, look) for title, mode, data in opened.titled()]
    if not parts:
        where = f" of the part {args.split}" if args.split else ""
        raise ValueError(f"{args.folder} must have samples{where}. Received: none")
    add_counts(page, opened.counts)
    within = [fault for part in parts for fault in faults_within(part)]
    add_faults(page, [*opened.faults, *within])
    for part in parts:
        add_part(page, part, look)
    shown = sum(len(part.shown) for part in parts)
    unread = sum(len(part.unreadable) for part in parts)
    titles = ", ".join(part.title for part in parts)
    more = f", {unread} more cannot be read" if unread else ""
    return f"{titles}; {shown} samples{more}"
