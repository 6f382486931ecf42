"""Writes the annotated frames of NTU RGB+D's videos as pictures of half the size.

    python datasets/NTU/extract_frames.py nturgb+d_rgb
    python datasets/NTU/extract_frames.py nturgb+d_rgb --setups 1 2 3

nturgb+d_rgb/NAME_rgb.avi becomes images-small/NAME/00001.jpg and so on, for the frames
that nturgb+d_numpy/NAME.npy has; convert.py, which makes those files, comes first. A
run that was broken off goes on where it stopped.
"""

import argparse
import pathlib
import sys
from collections.abc import Iterator

from deephar.data.extraction import Task, extract_videos
from deephar.data.ntu_format import COLOUR_SIZE, FOLDER, parse_name, read_ntu
from deephar.data.videos import VideoInfo

SHRINK = 2


def annotated_frames(path: pathlib.Path, info: VideoInfo) -> list[int]:
    """Returns the numbers of the frames that an annotation has.

    Raises:
        ValueError: if the annotation is damaged, or the video has not the size that
            annotations refer to.
    """
    if info.size != COLOUR_SIZE:
        raise ValueError(
            f"the video of {path.stem} must be of {COLOUR_SIZE} px. "
            f"Received: {info.size}"
        )
    return read_ntu(path).frames.tolist()


def tasks(arguments, problems: list[str]) -> Iterator[Task]:
    """Yields the videos that have annotations; other names go to `problems`."""
    paths = sorted((arguments.out / FOLDER).glob("*.npy"))
    for path in (path for path in paths if path.name[0] != "."):
        try:
            setup = parse_name(path.stem)[0]
        except ValueError as error:
            problems.append(f"{path}: {error}")
            continue
        if arguments.setups and setup not in arguments.setups:
            continue
        yield (
            arguments.source / f"{path.stem}_rgb.avi",
            arguments.out / "images-small" / path.stem,
            lambda info, path=path: annotated_frames(path, info),
        )


def parse_arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=pathlib.Path, help="folder with *_rgb.avi")
    parser.add_argument("--out", type=pathlib.Path, default=here, help="data folder")
    parser.add_argument("--setups", type=int, nargs="+", help="only these, S001 is 1")
    parser.add_argument("--quality", type=int, default=95, help="of the JPEG files")
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.quality <= 100:
        parser.error(f"--quality must be 1 to 100. Received: {arguments.quality}")
    for folder in (arguments.source, arguments.out / FOLDER):
        if not folder.is_dir():
            parser.error(f"no such folder: {folder}")
    return arguments


def main(argv=None) -> int:
    """Runs the command line; returns 1 if a video is missing or damaged."""
    arguments, problems = parse_arguments(argv), []
    found = tasks(arguments, problems)
    return extract_videos(found, problems, SHRINK, arguments.quality)


if __name__ == "__main__":
    sys.exit(main())
