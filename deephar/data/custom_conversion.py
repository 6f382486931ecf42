"""The command line of datasets/Custom/convert.py."""

import argparse
import collections
import functools
import pathlib
import sys
from collections.abc import Sequence

from deephar.data.custom_data import PARTS
from deephar.data.custom_drafts import Draft, write_custom
from deephar.data.custom_format import check_custom
from deephar.data.custom_from_coco import from_coco
from deephar.data.custom_from_cvat import from_cvat
from deephar.data.custom_from_labelstudio import from_labelstudio
from deephar.data.custom_from_predictions import from_predictions
from deephar.data.custom_naming import read_like

READERS = {
    "coco": from_coco,
    "cvat": from_cvat,
    "labelstudio": from_labelstudio,
    "predictions": from_predictions,
}
"""By the name of the source, what makes a `Draft` of a file."""
PROGRAM = "convert.py"

_LINES = 10
"""So many mistakes are printed."""


def parse(doc: str | None, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags; `doc` is the help."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("source", choices=list(READERS))
    add("file", type=pathlib.Path, metavar="IN", help="what was exported")
    add("out", type=pathlib.Path, metavar="OUT.json", help="file to write")
    images = (
        "folder of the pictures (default: the folder images beside IN if it is there, "
        "else that of IN; for predictions the current one)"
    )
    add("--images", type=pathlib.Path, metavar="DIR", help=images)
    add("--split", choices=PARTS, default="train", help="part of all (train)")
    valid = "share of the train pictures, and films, that becomes valid, such as 0.2"
    add("--valid", type=float, default=0.0, metavar="SHARE", help=valid)
    clips = "make a clip of each folder in which pictures have tags or choices"
    add("--clips", action="store_true", help=clips)
    label = "category, label of the skeletons, or label of the rectangles to take"
    add("--category", metavar="NAME", help=label)
    add("--video", metavar="FILE", help="of CVAT's tracks: their video, in the folder")
    least = "of predictions: least confidence of joints, and score of actions (0.5)"
    add("--confidence", type=float, metavar="C", help=least)
    like = "own data, such as train.json, whose layout and actions OUT.json is to have"
    add("--like", type=pathlib.Path, metavar="FILE_OR_FOLDER", help=like)
    add("--overwrite", action="store_true", help="replace OUT.json")
    args = parser.parse_args(argv)
    if not args.file.is_file():
        parser.error(f"no such file: {args.file}")
    if args.like is not None and not args.like.exists():
        parser.error(f"no such file or folder: {args.like}")
    if args.out.exists() and not args.overwrite:
        parser.error(f"{args.out} is there (--overwrite)")
    if not 0 <= args.valid <= 1:
        parser.error(f"--valid must be within [0, 1]: {args.valid}")
    if args.valid and args.split != "train":
        parser.error(f"--valid is of what is train, not of --split {args.split}")
    if args.confidence is not None and args.source != "predictions":
        parser.error("--confidence is of predictions")
    if args.category is not None and args.source == "predictions":
        parser.error("--category is not of predictions")
    if args.video is not None and args.source != "cvat":
        parser.error("--video is of cvat")
    if args.clips and args.source not in ("cvat", "labelstudio"):
        parser.error("--clips is of cvat and labelstudio")
    return args


def convert(args: argparse.Namespace) -> Draft:
    """Makes the file; returns what it was made of.

    Raises:
        OSError, ValueError: as of the readers, `read_like` and `write_custom`.
    """
    images = args.images or _images_of(args)
    like = None if args.like is None else read_like(args.like)
    make = functools.partial(Draft, args.out, images, part=args.split, like=like)
    flags = {"category": args.category, "video": args.video}
    flags["confidence"] = args.confidence
    given = {key: value for key, value in flags.items() if value is not None}
    draft = READERS[args.source](args.file, make, **given)
    if args.clips:
        draft.make_clips()
    write_custom(args.out, draft.content(args.valid))
    return draft


def _images_of(args: argparse.Namespace) -> pathlib.Path:
    if args.source == "predictions":
        return pathlib.Path()
    beside = args.file.parent / "images"
    return beside if beside.is_dir() else args.file.parent


def _told_by_part(draft: Draft, valid: float) -> list[str]:
    """Returns a line for each part, and a warning for each left empty by `--valid`."""
    counts = {
        "pictures": collections.Counter(one["split"] for one in draft.pictures),
        "clips": collections.Counter(one["split"] for one in draft.clips),
    }
    lines = [
        f"{part}: " + ", ".join(f"{one[part]} {what}" for what, one in counts.items())
        for part in PARTS
        if any(one[part] for one in counts.values())
    ]
    asked = ["valid"] * (valid > 0) + ["train"] * (0 < valid < 1)
    lines += [
        f"warning: --valid {valid:g} gives {part} no {what}: shares are rounded to "
        f"whole {'films' if what == 'clips' else what}"
        for what, one in counts.items()
        for part in asked
        if one and not one[part]
    ]
    return lines


def run(doc: str | None, argv: Sequence[str] | None = None) -> int:
    """Converts, checks and tells; returns the exit status."""
    args = parse(doc, argv)
    try:
        draft = convert(args)
        problems = check_custom(args.out, look=True).problems
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return 1
    people = sum(len(one["people"]) for one in draft.pictures)
    told = [
        f"{len(draft.pictures)} pictures, {people} people, {len(draft.clips)} clips"
    ]
    joints = draft.layout if isinstance(draft.layout, str) else draft.layout["joints"]
    if not isinstance(joints, str):
        joints = f"{len(joints)} joints, {len(draft.layout['flips'])} flips"
    told.append(f"layout: {joints}")
    told += _told_by_part(draft, args.valid)
    told += [f"{count} {what}" for what, count in sorted(draft.lost.items())]
    told += [f"wrong: {one}" for one in problems[:_LINES]]
    if len(problems) > _LINES:
        told.append(f"wrong: and {len(problems) - _LINES} more (check-data custom)")
    sys.stdout.write("\n".join([f"{args.out}: {told[0]}", *told[1:]]) + "\n")
    return int(bool(problems))
