"""Writes the labelled frames of MERL Shopping's videos as pictures.

    python datasets/MERL/extract_frames.py Videos_MERL_Shopping_Dataset Labels
    python datasets/MERL/extract_frames.py Videos Labels --every 2 --out /data/MERL

1_1_crop.mp4 becomes frames/1_1_crop/00156.jpg and so on, for the frames that
1_1_label.mat gives an action; with --every 2 the first of every time that an action is
seen, and every second after it. A run that was broken off goes on where it stopped.
"""

import argparse
import pathlib
import sys
from collections.abc import Iterator

from deephar.data.extraction import Task, extract_videos
from deephar.data.merl_shopping import read_labels


def tasks(arguments, problems: list[str]) -> Iterator[Task]:
    """Yields the videos that have labels; what is wrong goes to `problems`."""
    for path in sorted(arguments.labels.glob("*_label.mat")):
        try:
            labels = read_labels(path)
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        yield (
            arguments.source / f"{labels.video}.mp4",
            arguments.out / "frames" / labels.video,
            lambda info, labels=labels: labels.frames(arguments.every),
        )


def parse_arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=pathlib.Path, help="folder with *_crop.mp4")
    parser.add_argument("labels", type=pathlib.Path, help="folder with *_label.mat")
    parser.add_argument("--out", type=pathlib.Path, default=here, help="data folder")
    parser.add_argument("--every", type=int, default=1, help="step between frames")
    parser.add_argument("--quality", type=int, default=90, help="of the JPEG files")
    arguments = parser.parse_args(argv)
    if arguments.every < 1:
        parser.error(f"--every must be at least 1. Received: {arguments.every}")
    if not 1 <= arguments.quality <= 100:
        parser.error(f"--quality must be 1 to 100. Received: {arguments.quality}")
    for folder in (arguments.source, arguments.labels):
        if not folder.is_dir():
            parser.error(f"no such folder: {folder}")
    if not any(arguments.labels.glob("*_label.mat")):
        parser.error(f"no *_label.mat in the folder: {arguments.labels}")
    return arguments


def main(argv=None) -> int:
    """Runs the command line; returns 1 if a video or a label is missing or damaged."""
    arguments, problems = parse_arguments(argv), []
    found = tasks(arguments, problems)
    return extract_videos(found, problems, quality=arguments.quality)


if __name__ == "__main__":
    sys.exit(main())
