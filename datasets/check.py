"""Tells what of a data set is there, and what is missing or wrong.

    python datasets/check.py PennAction /data/PennAction
    python datasets/check.py COCO /data/COCO
    python datasets/check.py MERL /data/MERL
    python datasets/check.py Human3.6M /data/Human3.6M --all
    python datasets/check.py NTU /data/NTU --json
    python datasets/check.py lifting data

Looks for every annotated picture and reads a sample of them, with --all every one;
compares files of boxes with the videos, and boxes of people with their pictures.
Pictures that are not annotated are wrong where a video of Penn Action or NTU has them
beside annotated ones; else they are told. Of lifting's .npz files all are read, and key
points compared with where the cameras see the joints. The exit status is 0 where
nothing is missing or wrong, else 1.
"""

import argparse
import collections
import json
import os
import pathlib
import sys

import numpy as np

from deephar.data.boxes import ClipBoxes, FrameBoxes, read_boxes
from deephar.data.inspection import KINDS, MODES, People
from deephar.data.lifting_inspection import inspect_lifting
from deephar.data.ntu_format import FOLDER, read_ntu
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, mode_name

LIFTING = "lifting"
"""Folders of tracks, without pictures."""
CLIP_SIZES = {"MERL": 8, "NTU": 20}
"""Frames of the clips of the networks; 16 where nothing is said."""
WIDEST = 3.0
"""So many times as wide as the picture a box may be."""
ANNOTATED_WHOLE = frozenset({"PennAction", "NTU"})
"""Every picture of a video of these is annotated."""
BOXES = "*bbox*.json"
"""Names of the files of boxes, the original's penn_pred_bboxes_16f.json among them."""
SAMPLE = 200
LINES = 10
"""So many of the missing and of the wrong files are printed, unless with --all."""


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


def check_frame_boxes(name: str, boxes: FrameBoxes, kind) -> tuple[str, list[str]]:
    """Compares boxes by frame with the frames.

    Returns:
        What they cover, and what is wrong: frames without a box in a part that has
        boxes, boxes of frames that do not exist or that cannot be in the picture.
    """
    texts, wrong = [], []
    for mode in (TEST_MODE, TRAIN_MODE):
        part, frames = mode_name(mode), {*kind.places(mode)}
        found = boxes.modes[mode]
        lacking, beyond = sorted(frames - set(found)), sorted(set(found) - frames)
        if not found and frames:
            texts.append(f"none of the part {part!r}")
        elif lacking:
            wrong.append(
                f"{name}: {len(lacking)} of {len(frames)} frames of the part {part!r} "
                f"have no box, the first {_key(lacking[0])}"
            )
        if beyond:
            wrong.append(
                f"{name}: {len(beyond)} boxes of the part {part!r} are of frames that "
                f"do not exist, the first {_key(beyond[0])}"
            )
        near = {key: found[key] for key in frames & set(found)}
        wrong += check_sizes(name, kind, mode, near)
    covered = "; ".join(["boxes by frame", *texts])
    return covered, wrong


def check_clip_boxes(name: str, boxes: ClipBoxes, kind) -> tuple[str, list[str]]:
    """Compares boxes by clip with the clips of the test videos; as above."""
    steps = sorted({step for _, step, _, _ in boxes.boxes})
    flips = sorted({flip for *_, flip in boxes.boxes})
    known, optional = set(), set()
    for video in range(kind.data.get_length(TEST_MODE)):
        for step in steps:
            clips = kind.data.get_clip_index(video, TEST_MODE, [step])
            known.update((video, step, clip) for clip in range(len(clips)))
        optional.add((video, min(steps, default=0), 0))  # of a video that is too short
    wanted = {(*clip, flip) for clip in known for flip in flips}
    allowed = wanted | {(*clip, flip) for clip in optional for flip in flips}
    lacking, beyond = sorted(wanted - {*boxes.boxes}), sorted({*boxes.boxes} - allowed)
    wrong = []
    for keys, what in ((lacking, "clips have no box"), (beyond, "boxes have no clip")):
        if keys:
            wrong.append(
                f"{name}: {len(keys)} {what} (test videos, steps {steps}, clips of "
                f"{kind.data.clip_size} frames), the first {_key(keys[0])}. Were they "
                "made for these annotations?"
            )
    near = {key: boxes.boxes[key] for key in allowed & set(boxes.boxes)}
    wrong += check_sizes(name, kind, TEST_MODE, near)
    return f"{len(boxes.boxes)} boxes by clip", wrong


def check_sizes(name: str, kind, mode: int, boxes: dict) -> list[str]:
    """Returns a line if boxes lie outside their pictures or are far too wide."""
    odd = []
    for key, (x1, y1, x2, y2) in sorted(boxes.items()):
        width, height = kind.sizes[mode, key[0]]
        outside = x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0
        if outside or max(x2 - x1, y2 - y1) > WIDEST * max(width, height):
            odd.append(key)
    if not odd:
        return []
    return [
        f"{name}: {len(odd)} boxes of the part {mode_name(mode)!r} are outside their "
        f"picture or more than {WIDEST:g} times as wide, the first {_key(odd[0])}"
    ]


def _key(numbers) -> str:
    return ".".join(str(number) for number in numbers)


def check_boxes(folder: pathlib.Path, kind) -> tuple[dict, list[str]]:
    """Reads the files of boxes; returns {file: what it covers} and what is wrong."""
    found, wrong = {}, []
    for path in sorted(folder.glob(BOXES)):
        try:
            boxes = read_boxes(path)
        except (OSError, ValueError) as error:
            wrong.append(str(error))
            continue
        compare = (
            check_frame_boxes if isinstance(boxes, FrameBoxes) else check_clip_boxes
        )
        found[path.name], more = compare(path.name, boxes, kind)
        wrong += more
    return found, wrong


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
        result["boxes"], wrong = check_boxes(folder, kind)
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


def print_text(result: dict, whole: bool) -> None:
    """Prints the result for a reader."""
    print(f"{result['dataset']} in {result['folder']}")
    for part, numbers in result["parts"].items():
        numbers = dict(numbers)
        actions = numbers.pop("actions", None)
        shown = {k: n for k, n in numbers.items() if n or isinstance(n, float)}
        texts = [f"{count} {what}" for what, count in shown.items()]
        texts += [f"{len(actions)} actions"] if actions else []
        print(f"  {part}: {', '.join(texts) or 'nothing'}")
    for file, text in result.get("boxes", {}).items():
        print(f"  {file}: {text}")
    if "pictures_read" in result:
        print(f"  {result['pictures_read']} pictures read")
    for what in ("extra", "missing", "wrong"):
        lines = by_folder(result[what]) if what == "missing" else result[what]
        shown = lines if whole else lines[:LINES]
        for line in shown:
            print(f"{what}: {line}")
        if len(shown) < len(lines):
            print(f"{what}: and {len(lines) - len(shown)} more (--all, --json)")
    print("sound" if not (result["missing"] or result["wrong"]) else "not sound")


def main(argv=None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", choices=[*KINDS, LIFTING])
    parser.add_argument("folder", type=pathlib.Path, help="folder of the data set")
    parser.add_argument(
        "--all", action="store_true", help="read all pictures, print all lines"
    )
    parser.add_argument(
        "--clip-size",
        type=int,
        help="frames of a clip, as the networks have (MERL 8, NTU 20, the others 16)",
    )
    cameras = "JSON file of HumanEva's cameras, of lifting only"
    parser.add_argument("--cameras", type=pathlib.Path, metavar="FILE", help=cameras)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(argv)
    if not arguments.folder.is_dir():
        parser.error(f"no such folder: {arguments.folder}")
    size = arguments.clip_size
    if arguments.dataset == LIFTING and size is not None:
        parser.error("--clip-size is of data sets with pictures")
    if arguments.dataset != LIFTING and arguments.cameras:
        parser.error("--cameras is of lifting")
    if size is None:
        size = CLIP_SIZES.get(arguments.dataset, 16)
    if size < 1:
        parser.error(f"--clip-size must be at least 1: {size}")
    if arguments.dataset == LIFTING:
        result = check_tracks(arguments.folder, arguments.cameras)
    else:
        result = check(arguments.dataset, arguments.folder, arguments.all, size)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print_text(result, arguments.all)
    return int(bool(result["missing"] or result["wrong"]))


if __name__ == "__main__":
    sys.exit(main())
