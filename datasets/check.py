"""Tells what of a data set is there, and what is missing or wrong.

    python datasets/check.py PennAction /data/PennAction
    python datasets/check.py Human3.6M /data/Human3.6M --all
    python datasets/check.py NTU /data/NTU --json

Looks for every annotated picture and reads a sample of them, with --all every one. The
exit status is 0 where nothing is missing or wrong, else 1.
"""

import argparse
import collections
import json
import os
import pathlib
import sys

import numpy as np

from deephar.config import (
    human36m_dataconf,
    mpii_sp_dataconf,
    ntu_dataconf,
    pennaction_dataconf,
)
from deephar.data.boxes import FrameBoxes, read_boxes
from deephar.data.human36m import Human36M
from deephar.data.mpii import MpiiSinglePerson
from deephar.data.ntu import Ntu
from deephar.data.ntu_format import FOLDER, read_ntu
from deephar.data.pennaction import PennAction
from deephar.data.pictures import open_picture
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name

MODES = (TRAIN_MODE, VALID_MODE, TEST_MODE)
CLIP_SIZE = 16
BOXES = "*bbox*.json"
"""Names of the files of boxes, the original's penn_pred_bboxes_16f.json among them."""
SAMPLE = 200
LINES = 10
"""So many of the missing and of the wrong files are printed, unless with --all."""


class People:
    """MPII: people in single pictures."""

    def __init__(self, folder):
        self.data = MpiiSinglePerson(folder, mpii_sp_dataconf)

    def count(self, mode) -> dict:
        """Returns the numbers of a part."""
        people = self.data.get_length(mode)
        return {"people": people, "pictures": len(self.places(mode))}

    def places(self, mode) -> list:
        """Returns what `read` takes, for every picture."""
        keys = range(self.data.get_length(mode))
        return sorted({self.data.picture(key, mode) for key in keys})

    def read(self, mode, place) -> None:
        """Reads a picture; OSError if it cannot be read."""
        open_picture(place)


class Videos:
    """Penn Action, Human3.6M, NTU: annotated frames of videos."""

    def __init__(self, data):
        self.data = data

    def count(self, mode) -> dict:
        """Returns the numbers of a part; reads the joints of all frames."""
        actions, short, empty = collections.Counter(), 0, 0
        lengths = [self.data.num_frames(key, mode) for key in self._keys(mode)]
        labels = dict(enumerate(self.data.action_labels))
        for key, length in enumerate(lengths):
            action = self.data.action(key, mode)
            actions[labels.get(action, f"action {action}")] += 1
            short += length < CLIP_SIZE
            if length:
                joints = self.data.clip(key, mode, range(length)).joints
                empty += int(np.isnan(joints).any(axis=-1).all(axis=-1).sum())
        return {
            "videos": len(lengths),
            "frames": sum(lengths),
            "actions": dict(actions),
            f"videos shorter than {CLIP_SIZE} frames": short,
            "frames without a joint": empty,
        }

    def _keys(self, mode):
        return range(self.data.get_length(mode))

    def places(self, mode) -> list:
        """Returns what `read` takes, for every picture."""
        counts = ((key, self.data.num_frames(key, mode)) for key in self._keys(mode))
        return [(key, frame) for key, count in counts for frame in range(count)]

    def read(self, mode, place) -> None:
        """Reads a picture; OSError if it cannot be read or has another size."""
        picture = self.data.open_frame(place[0], mode, place[1])
        picture.read(1, (0, 0, *picture.size))


def open_penn(folder):
    """Opens Penn Action."""
    return Videos(PennAction(folder, pennaction_dataconf))


def open_human36m(folder):
    """Opens Human3.6M."""
    return Videos(Human36M(folder, human36m_dataconf))


def open_ntu(folder):
    """Opens NTU RGB+D."""
    return Videos(Ntu(folder, ntu_dataconf))


DATASETS = {
    "MPII": People,
    "Human3.6M": open_human36m,
    "PennAction": open_penn,
    "NTU": open_ntu,
}


def check_arrays(folder: pathlib.Path) -> list[str]:
    """Reads all of NTU's files of joints; returns what is wrong, a line a file."""
    wrong = []
    for path in sorted((folder / FOLDER).glob("*.npy")):
        try:
            read_ntu(path)
        except (OSError, ValueError) as error:
            wrong.append(str(error))
    return wrong


def check_boxes(folder: pathlib.Path, kind) -> tuple[dict, list[str]]:
    """Reads the files of boxes; returns {file: what it covers} and what is wrong."""
    found, wrong = {}, []
    for path in sorted(folder.glob(BOXES)):
        try:
            boxes = read_boxes(path)
        except (OSError, ValueError) as error:
            wrong.append(str(error))
            continue
        if isinstance(boxes, FrameBoxes):
            places = [{*kind.places(mode)} for mode in (TEST_MODE, TRAIN_MODE)]
            lacking = [len(part - set(boxes.modes[i])) for i, part in enumerate(places)]
            found[path.name] = (
                f"boxes by frame; {lacking[0]} test and {lacking[1]} training frames "
                "have none"
            )
        else:
            found[path.name] = f"{len(boxes.boxes)} boxes by clip"
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


def check(name: str, folder: pathlib.Path, read_all: bool) -> dict:
    """Checks a data set.

    Returns:
        dataset, folder; parts: {name: numbers}; boxes: {file: what it covers};
        pictures_read; missing, wrong: lists of texts.
    """
    result = {"dataset": name, "folder": os.fspath(folder), "parts": {}, "boxes": {}}
    result.update(pictures_read=0, missing=[], wrong=[])
    if name == "NTU":
        result["wrong"] += check_arrays(folder)
        if result["wrong"]:
            return result
    try:
        kind = DATASETS[name](folder)
    except FileNotFoundError as error:
        result["missing"].append(str(error))
        return result
    except ValueError as error:
        result["wrong"].append(str(error))
        return result
    for mode in MODES:
        numbers = kind.count(mode)
        missing = kind.data.missing_pictures(mode)
        count = sys.maxsize if read_all else SAMPLE
        done, wrong = read_pictures(kind, mode, count)
        numbers["pictures missing"] = len(missing)
        result["parts"][mode_name(mode)] = numbers
        result["pictures_read"] += done
        result["missing"] += missing
        result["wrong"] += wrong
    if name != "MPII":
        result["boxes"], wrong = check_boxes(folder, kind)
        result["wrong"] += wrong
    if not any(kind.places(mode) for mode in MODES):
        result["missing"].append(f"{folder} has nothing annotated")
    return result


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
        texts = [f"{count} {what}" for what, count in numbers.items() if count]
        texts += [f"{len(actions)} actions"] if actions else []
        print(f"  {part}: {', '.join(texts) or 'nothing'}")
    for file, text in result["boxes"].items():
        print(f"  {file}: {text}")
    print(f"  {result['pictures_read']} pictures read")
    for what in ("missing", "wrong"):
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
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("folder", type=pathlib.Path, help="folder of the data set")
    parser.add_argument("--all", action="store_true", help="read all pictures")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(argv)
    if not arguments.folder.is_dir():
        parser.error(f"no such folder: {arguments.folder}")
    result = check(arguments.dataset, arguments.folder, arguments.all)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print_text(result, arguments.all)
    return int(bool(result["missing"] or result["wrong"]))


if __name__ == "__main__":
    sys.exit(main())
