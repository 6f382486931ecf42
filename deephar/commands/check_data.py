r"""Tells what of a data set is there, and what is missing or wrong.

    python -m deephar check-data PennAction /data/PennAction
    python -m deephar check-data COCO /data/COCO
    python -m deephar check-data MERL /data/MERL
    python -m deephar check-data Human3.6M /data/Human3.6M --all
    python -m deephar check-data NTU /data/NTU --json
    python -m deephar check-data lifting data
    python -m deephar check-data custom FILE_OR_FOLDER
    python -m deephar check-data custom --schema

Looks for every annotated picture and reads a sample of them, with --all every one;
compares files of boxes with the videos, and boxes of people with their pictures.
Pictures that are not annotated are wrong where a video of Penn Action or NTU has them
beside annotated ones; else they are told. Of lifting's .npz files all are read, and key
points compared with where the cameras see the joints. Of own data (docs/custom.md)
every mistake is told with its file and line. The exit status is 0 where nothing is
missing or wrong, else 1.
"""

import argparse
import collections
import json
import os
import pathlib
import sys
from collections.abc import Sequence

import numpy as np

from deephar.commands import command_parser, say
from deephar.data.box_inspection import inspect_boxes
from deephar.data.custom_inspection import inspect_custom
from deephar.data.custom_schema import SCHEMA
from deephar.data.inspection import KINDS, MODES, People
from deephar.data.lifting_inspection import inspect_lifting
from deephar.data.ntu_format import FOLDER, read_ntu
from deephar.utils.modes import mode_name

LIFTING = "lifting"
"""Folders of tracks, without pictures."""
CUSTOM = "custom"
"""Own data."""
CLIP_SIZES = {CUSTOM: 8, "MERL": 8, "NTU": 20}
"""Frames of the clips of the networks; 16 where nothing is said."""
PEOPLE = frozenset({"MPII", "COCO"})
"""Data sets without clips."""
ANNOTATED_WHOLE = frozenset({"PennAction", "NTU"})
"""Every picture of a video of these is annotated."""
SAMPLE = 200
LINES = 10
"""So many of the missing and of the wrong files are printed, unless with --all."""


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    parser = command_parser("check-data", __doc__)
    add = parser.add_argument
    add("dataset", choices=[*KINDS, LIFTING, CUSTOM])
    folder = "folder of the data set; of own data its file or folder"
    add("folder", type=pathlib.Path, nargs="?", help=folder)
    add("--all", action="store_true", help="read all pictures, print all lines")
    add(
        "--clip-size",
        type=int,
        help="frames of a clip, as the networks have (MERL and own data 8, NTU 20, the "
        "others 16)",
    )
    cameras = "JSON file of HumanEva's cameras, of lifting only"
    add("--cameras", type=pathlib.Path, metavar="FILE", help=cameras)
    add("--json", action="store_true", help="print JSON")
    schema = "print the JSON Schema of own data's files, and check nothing"
    add("--schema", action="store_true", help=schema)
    args = parser.parse_args(argv)
    if args.schema and (args.dataset != CUSTOM or args.folder is not None):
        parser.error("--schema is of custom, without a folder")
    if args.folder is None and not args.schema:
        parser.error("the folder is missing")
    if args.dataset == CUSTOM:
        if args.folder is not None and not args.folder.exists():
            parser.error(f"no such file or folder: {args.folder}")
    elif not args.folder.is_dir():
        parser.error(f"no such folder: {args.folder}")
    if args.dataset == LIFTING and args.clip_size is not None:
        parser.error("--clip-size is of data sets with pictures")
    if args.dataset != LIFTING and args.cameras:
        parser.error("--cameras is of lifting")
    if args.dataset in PEOPLE and args.clip_size is not None:
        parser.error(f"--clip-size is of data sets with clips, not of {args.dataset}")
    if args.clip_size is None:
        args.clip_size = CLIP_SIZES.get(args.dataset, 16)
    if args.clip_size < 1:
        parser.error(f"--clip-size must be at least 1: {args.clip_size}")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Checks and tells; returns the exit status."""
    args = parse(argv)
    if args.schema:
        say(json.dumps(SCHEMA, indent=1))
        return 0
    if args.dataset == LIFTING:
        result = check_tracks(args.folder, args.cameras)
    elif args.dataset == CUSTOM:
        result = check_own(args.folder, args.all, args.clip_size)
    else:
        result = check(args.dataset, args.folder, args.all, args.clip_size)
    if args.json:
        say(json.dumps(result, indent=1))
    else:
        tell(result, args.all)
    return int(bool(result["missing"] or result["wrong"]))


def check_arrays(folder: pathlib.Path) -> dict[str, str]:
    """Reads all of NTU's files of joints; returns what is wrong by name of the file."""
    wrong = {}
    for path in sorted((folder / FOLDER).glob("*.npy")):
        try:
            if path.name[0] != ".":
                read_ntu(path)
        except (OSError, ValueError) as error:
            wrong[path.name] = str(error)
    return wrong


def sample(places: list, count: int) -> list:
    """Returns some of the places, spread evenly; all if there are not more."""
    if len(places) <= count:
        return places
    return [places[i] for i in np.linspace(0, len(places) - 1, count).astype(int)]


def read_pictures(kind, mode, count) -> tuple[int, list[str]]:
    """Reads some pictures; returns how many, and what is wrong, a line a picture."""
    done, wrong = 0, []
    for place in sample(kind.places(mode), count):
        try:
            kind.read(mode, place)
        except FileNotFoundError:
            continue  # is among the missing pictures
        except OSError as error:
            wrong.append(str(error))
        else:
            done += 1
    return done, wrong


def check(name: str, folder: pathlib.Path, read_all: bool, clip_size: int) -> dict:
    """Checks a data set.

    Returns:
        dataset, folder; parts: {name: numbers}; boxes: {file: what it covers};
        pictures_read; missing, wrong, extra: lists of texts.
    """
    result = {"dataset": name, "folder": os.fspath(folder), "parts": {}, "boxes": {}}
    result.update(pictures_read=0, missing=[], wrong=[], extra=[])
    damaged = check_arrays(folder) if name == "NTU" else {}
    result["wrong"] += damaged.values()
    try:
        kind = KINDS[name](folder, clip_size, damaged)
    except FileNotFoundError as error:
        result["missing"].append(str(error))
        return result
    except ValueError as error:
        result["wrong"].append(str(error))
        return result
    for mode in MODES:
        numbers = kind.count(mode)
        missing = kind.missing(mode)
        count = sys.maxsize if read_all else SAMPLE
        done, wrong = read_pictures(kind, mode, count)
        numbers["pictures missing"] = len(missing)
        result["parts"][mode_name(mode)] = numbers
        result["pictures_read"] += done
        result["missing"] += missing
        result["wrong"] += wrong
        if isinstance(kind, People):
            result["wrong"] += kind.outside(mode)
    if not isinstance(kind, People):
        result["boxes"], wrong = inspect_boxes(folder, kind)
        beside, result["extra"] = kind.unannotated()
        result["wrong" if name in ANNOTATED_WHOLE else "extra"] += beside
        result["wrong"] += wrong
    if not any(kind.places(mode) for mode in MODES):
        result["missing"].append(f"{folder} has nothing annotated")
    return result


def check_tracks(folder: pathlib.Path, cameras: pathlib.Path | None) -> dict:
    """Checks a folder of lifting's files; returns what `check` does, without boxes."""
    found = inspect_lifting(folder, cameras)
    return {"dataset": LIFTING, "folder": os.fspath(folder), **vars(found)}


def check_own(path: pathlib.Path, read_all: bool, clip_size: int) -> dict:
    """Checks own data; returns what `check` does, without boxes."""
    found = inspect_custom(path, None if read_all else SAMPLE, clip_size)
    return {"dataset": CUSTOM, "folder": os.fspath(path), **found}


def by_folder(paths: list[str]) -> list[str]:
    """Returns a line for every folder of which several files are missing."""
    folders = collections.defaultdict(list)
    for path in paths:
        folders[os.path.dirname(path)].append(path)
    return [
        paths[0]
        if len(paths) == 1
        else f"{folder}: {len(paths)} pictures, the first {os.path.basename(paths[0])}"
        for folder, paths in folders.items()
    ]


def tell(result: dict, whole: bool) -> None:
    """Prints the result for a reader."""
    say(f"{result['dataset']} in {result['folder']}")
    for part, numbers in result["parts"].items():
        numbers = dict(numbers)
        actions = numbers.pop("actions", None)
        shown = {k: n for k, n in numbers.items() if n or isinstance(n, float)}
        texts = [f"{count} {what}" for what, count in shown.items()]
        texts += [f"{len(actions)} actions"] if actions else []
        say(f"  {part}: {', '.join(texts) or 'nothing'}")
    for file, text in result.get("boxes", {}).items():
        say(f"  {file}: {text}")
    if "pictures_read" in result:
        say(f"  {result['pictures_read']} pictures read")
    for what in ("extra", "missing", "wrong"):
        lines = by_folder(result[what]) if what == "missing" else result[what]
        shown = lines if whole else lines[:LINES]
        for line in shown:
            say(f"{what}: {line}")
        if len(shown) < len(lines):
            say(f"{what}: and {len(lines) - len(shown)} more (--all, --json)")
    say("sound" if not (result["missing"] or result["wrong"]) else "not sound")
