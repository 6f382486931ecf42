"""Writes the frames of Human3.6M's videos as pictures.

    python datasets/Human3.6M/extract_frames.py H36M
    python datasets/Human3.6M/extract_frames.py H36M --valid-every 1 --subjects 9 11

H36M/S1/Videos/Directions 1.54138969.mp4 becomes images/a02_s01_e01_c01/00001.jpg and so
on. As the original does, every 5th frame of the training people and every 64th of the
validation people is taken, from the first. A run that was broken off goes on where it
stopped. README.md in this folder says where the videos come from.
"""

import argparse
import pathlib
import sys
from collections.abc import Iterator

from deephar.data.extraction import Task, extract_videos
from deephar.data.human36m_format import TRAIN_SUBJECTS
from deephar.data.human36m_names import (
    SUBJECTS,
    TRAIN_STEP,
    VALID_STEP,
    all_sequences,
    sequence_name,
    video_name,
)


def tasks(arguments) -> Iterator[Task]:
    """Yields the videos of the people who are asked for."""
    for subject, action, take, camera in all_sequences():
        if subject not in arguments.subjects:
            continue
        name = sequence_name(subject, action, take, camera)
        train = subject in TRAIN_SUBJECTS
        every = arguments.train_every if train else arguments.valid_every
        yield (
            arguments.source / video_name(subject, action, take, camera),
            arguments.out / "images" / name,
            lambda info, every=every: range(1, info.num_frames + 1, every),
        )


def parse_arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=pathlib.Path, help="folder with S1/Videos/...")
    parser.add_argument("--out", type=pathlib.Path, default=here, help="data folder")
    parser.add_argument(
        "--train-every", type=int, default=TRAIN_STEP, help="step between frames"
    )
    parser.add_argument(
        "--valid-every", type=int, default=VALID_STEP, help="step between frames"
    )
    parser.add_argument(
        "--subjects", type=int, nargs="+", choices=SUBJECTS, default=list(SUBJECTS)
    )
    parser.add_argument("--quality", type=int, default=90, help="of the JPEG files")
    arguments = parser.parse_args(argv)
    for name in ("train_every", "valid_every"):
        if getattr(arguments, name) < 1:
            option = f"--{name.replace('_', '-')}"
            parser.error(f"{option} must be at least 1: {getattr(arguments, name)}")
    if not 1 <= arguments.quality <= 100:
        parser.error(f"--quality must be 1 to 100. Received: {arguments.quality}")
    if not arguments.source.is_dir():
        parser.error(f"no such folder: {arguments.source}")
    return arguments


def main(argv=None) -> int:
    """Runs the command line; returns 1 if a video is missing or damaged."""
    arguments = parse_arguments(argv)
    return extract_videos(tasks(arguments), [], quality=arguments.quality)


if __name__ == "__main__":
    sys.exit(main())
