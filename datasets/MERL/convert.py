"""Makes lists of clips of five actions from MERL Shopping's own labels.

    python datasets/MERL/convert.py Labels datasets/MERL/frames datasets/MERL
    python datasets/MERL/convert.py Labels frames out --every 2 --boxes found.json

Writes OUT/train.json, val.json and test.json, as `MERL5Action` reads them: a video for
every time that an action is seen, with the pictures FRAMES/1_1_crop/00156.jpg and so on
that extract_frames.py writes. --every must be the same there and here. A picture that a
label wants and that is not there makes its clip a bad one.
"""

import argparse
import collections
import json
import os
import pathlib
import sys

from PIL import Image

from deephar.data.detections import read_detections
from deephar.data.merl_shopping import ACTIONS, PARTS, Interval, Labels, read_labels
from deephar.data.pictures import reading
from deephar.utils.fs import write_text

Boxes = dict[tuple[str, str], tuple[float, float, float, float]]
"""Boxes x1 y1 x2 y2, px, by the picture's folder and name."""


def read_boxes(path: str) -> Boxes:
    """Reads a detector's JSON; returns the box of the highest score of each picture.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another form, or a name does not end in VIDEO/PICTURE.
    """
    found = {}
    for number, one in enumerate(read_detections(path), 1):
        parts = pathlib.PurePosixPath(one.file_name).parts
        if len(parts) < 2:
            raise ValueError(
                f"{path}, entry {number}: `file_name` must end in VIDEO/PICTURE. "
                f"Received: {one.file_name!r}"
            )
        if one.boxes:
            best = max(range(len(one.boxes)), key=one.scores.__getitem__)
            found[parts[-2], parts[-1]] = one.boxes[best]
    return found


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
        OSError, ValueError: if labels are bad and --bad says to stop, or no clip is
            left.
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
    arguments.out.mkdir(parents=True, exist_ok=True)
    for part, clips in parts.items():
        path = arguments.out / f"{part}.json"
        if clips:
            entries = [one for clip in clips for one in clip]
            write_text(path, json.dumps(entries) + "\n")
        else:
            path.unlink(missing_ok=True)
    return parts, wrong


def report(parts: dict[str, list]) -> None:
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
    report(parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
