"""Makes lists of clips of five actions from MERL Shopping's own labels.

    python datasets/MERL/convert.py Labels datasets/MERL/frames datasets/MERL
    python datasets/MERL/convert.py Labels frames out --every 2 --boxes found.json

Writes OUT/train.json, val.json and test.json, as `MERL5Action` reads them: a video for
every time that an action is seen, with the pictures FRAMES/1_1_crop/00156.jpg and so on
that extract_frames.py writes. --every must be the same there and here. A picture that a
label wants and that is not there makes its clip a bad one. A part without clips gets no
file, and a file of it that is there is left as it is.
"""

import argparse
import collections
import itertools
import json
import os
import pathlib
import sys
from collections.abc import Iterable, Sequence

from PIL import Image

from deephar.data.detections import read_detections
from deephar.data.merl_shopping import ACTIONS, PARTS, Interval, Labels, read_labels
from deephar.data.pictures import reading
from deephar.utils.fs import write_text

Boxes = dict[tuple[str, str], Sequence[float]]
"""Boxes x1 y1 x2 y2, px, or nothing, by the picture's folder and name."""


def read_boxes(path: str) -> Boxes:
    """Reads a detector's JSON; returns the box of the highest score of each picture.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another form, a name does not end in VIDEO/PICTURE, or
            two do in the same.
    """
    found = {}
    for number, one in enumerate(read_detections(path), 1):
        parts = pathlib.PureWindowsPath(one.file_name).parts
        if len(parts) < 2 or parts[-2:] in found:
            raise ValueError(
                f"{path}, entry {number}: `file_name` must end in VIDEO/PICTURE, each "
                f"in another. Received: {one.file_name!r}"
            )
        best = max(range(len(one.boxes)), key=one.scores.__getitem__, default=None)
        found[parts[-2:]] = [] if best is None else one.boxes[best]
    return found


def without_clip(boxes: Boxes, entries: Iterable[dict]) -> list[str]:
    """Returns a line about pictures of a detector that no clip has, if there are some.

    Raises:
        ValueError: if no clip has one of them.
    """
    known = {tuple(one["image"]["url"].split("/")[-2:]) for one in entries}
    strange = ["/".join(names) for names in boxes if names not in known]
    if not strange:
        return []
    line = (
        f"boxes of {len(strange)} of {len(boxes)} pictures, which no clip has, the "
        f"first {strange[0]}"
    )
    if len(strange) == len(boxes):
        raise ValueError(f"{line}. Wrote nothing")
    return [line]


def clips_of(labels: Labels, arguments, boxes: Boxes) -> tuple[list[list[dict]], list]:
    """Returns the clips of a video, each a list of entries, and what is wrong."""
    folder = arguments.frames / labels.video
    found = set(os.listdir(folder)) if folder.is_dir() else set()
    clips, wrong, size = [], [], None
    for one in labels.intervals:
        names = [f"{number:05d}.jpg" for number in one.frames(arguments.every)]
        lacking = [name for name in names if name not in found]
        if lacking:
            wrong.append(
                f"{folder}: {ACTIONS[one.action]} from {one.first} to {one.last} lacks "
                f"{len(lacking)} of {len(names)} pictures, the first {lacking[0]}"
            )
            continue
        size = size or size_of(folder / names[0])
        clips.append([entry(labels, one, n, size, arguments, boxes) for n in names])
    return clips, wrong


def entry(
    labels: Labels, one: Interval, name: str, size: tuple, arguments, boxes: Boxes
) -> dict:
    """Returns the entry of a picture."""
    action = ACTIONS[one.action]
    folder = os.path.relpath(arguments.frames / labels.video, arguments.out)
    return {
        "id": f"{labels.video}_{one.first}_{one.last}_{action}",
        "action": action,
        "image": {
            "url": f"{pathlib.Path(folder).as_posix()}/{name}",
            "file_name": name,
            "width": size[0],
            "height": size[1],
        },
        "person_bbox": boxes.get((labels.video, name), []),
    }


def size_of(path: pathlib.Path) -> tuple[int, int]:
    """Returns (w, h) of a picture; OSError if it is none."""
    with reading(os.fspath(path)), Image.open(path) as image:
        return image.size


def convert(arguments) -> tuple[dict[str, list], list[str]]:
    """Writes the files; returns the clips by part and what is wrong, a line each.

    Raises:
        OSError, ValueError: if labels are bad and --bad says to stop, no clip is left
            or has one of the boxes, or a file is there and --overwrite is not given.
    """
    boxes = {} if arguments.boxes is None else read_boxes(arguments.boxes)
    parts, wrong = {part: [] for part in PARTS}, []
    paths = sorted(arguments.labels.glob("*_label.mat"))
    if not paths:
        raise FileNotFoundError(f"no *_label.mat in the folder: {arguments.labels}")
    for path in paths:
        try:
            labels = read_labels(path)
            clips, bad = clips_of(labels, arguments, boxes)
        except (OSError, ValueError) as error:
            wrong.append(str(error))
            continue
        parts[labels.part] += clips
        wrong += bad
    if wrong and arguments.bad == "stop":
        raise ValueError(
            "\n".join([*wrong, f"{len(wrong)} are bad. Wrote nothing; "])
            + "--bad leave-out leaves them out"
        )
    if not any(parts.values()):
        raise ValueError("\n".join([*wrong, "no clip is left. Wrote nothing"]))
    entries = {
        arguments.out / f"{part}.json": [one for clip in clips for one in clip]
        for part, clips in parts.items()
        if clips
    }
    wrong += without_clip(boxes, itertools.chain(*entries.values()))
    there = [str(path) for path in entries if path.exists()]
    if there and not arguments.overwrite:
        raise ValueError(
            f"{', '.join(there)} must not be there, or --overwrite be given. "
            "Wrote nothing"
        )
    arguments.out.mkdir(parents=True, exist_ok=True)
    for path, records in entries.items():
        write_text(path, json.dumps(records) + "\n")
    return parts, wrong


def report(parts: dict[str, list], out: pathlib.Path) -> None:
    """Prints the numbers of clips, frames and boxes, by part and by action."""
    counts = collections.Counter(
        (part, clip[0]["action"]) for part, clips in parts.items() for clip in clips
    )
    print(f"{'action':<16}" + "".join(f"{part:>7}" for part in parts))
    for name in ACTIONS:
        print(f"{name:<16}" + "".join(f"{counts[part, name]:>7}" for part in parts))
    for part, clips in parts.items():
        entries = [one for clip in clips for one in clip]
        boxed = sum(bool(one["person_bbox"]) for one in entries)
        print(f"{part}: {len(clips)} clips, {len(entries)} frames, {boxed} with a box")
        if not clips and (out / f"{part}.json").exists():
            print(f"{out / part}.json: left as it was")


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=pathlib.Path, help="folder with *_label.mat")
    parser.add_argument("frames", type=pathlib.Path, help="what extract_frames.py made")
    parser.add_argument("out", type=pathlib.Path, help="where the files go")
    parser.add_argument("--every", type=int, default=1, help="step between frames")
    parser.add_argument(
        "--boxes", help="a detector's JSON: file_name, boxes (x1 y1 x2 y2), scores"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace lists that are there"
    )
    parser.add_argument(
        "--bad",
        choices=("stop", "leave-out"),
        default="stop",
        help="what to do about damaged labels and clips that lack pictures",
    )
    arguments = parser.parse_args(argv)
    if arguments.every < 1:
        parser.error(f"--every must be at least 1. Received: {arguments.every}")
    return arguments


def main(argv=None) -> int:
    """Runs the command line; returns the exit status."""
    arguments = parse_arguments(argv)
    try:
        parts, wrong = convert(arguments)
    except (OSError, ValueError) as error:
        print(f"convert.py: {error}", file=sys.stderr)
        return 1
    for line in wrong:
        print(f"left out: {line}", file=sys.stderr)
    report(parts, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
