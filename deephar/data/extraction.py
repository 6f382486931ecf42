"""Frames of video files as JPEGs, written whole or not at all."""

import dataclasses
import os
import pathlib
import sys
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from deephar.data.videos import Video, VideoInfo
from deephar.utils.fs import whole_path


def write_jpeg(path: str | os.PathLike, picture: np.ndarray, quality: int = 90) -> None:
    """Writes a JPEG file; it appears whole or not at all.

    Several processes may write it at once.

    Args:
        path: The file to write; its folder must exist.
        picture: uint8 array (h, w, 3), RGB.
        quality: Of the compression, 1 to 100.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if the picture cannot be encoded.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder of `path` must exist. Received: path={str(path)!r}"
        )
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ValueError(f"cannot encode the picture {path}. Received: {picture.shape}")
    with whole_path(path, shared=True) as draft:
        draft.write_bytes(data.tobytes())


@dataclasses.dataclass(frozen=True)
class Extraction:
    """What `extract_frames` did for one video.

    Attributes:
        written: Number of pictures written now.
        kept: Number of wanted pictures that were there before.
        problem: What is wrong, naming the file, or None.
    """

    written: int
    kept: int
    problem: str | None = None


def extract_frames(
    path: str | os.PathLike,
    folder: str | os.PathLike,
    numbers: Callable[[VideoInfo], Iterable[int]],
    shrink: int = 1,
    quality: int = 90,
) -> Extraction:
    """Writes frames of a video as `folder/%05d.jpg`, by their number from 1.

    Pictures that are there already stay as they are, and a video of which nothing is
    lacking is not decoded, so that a run that was broken off goes on where it stopped.

    Args:
        path: The video.
        folder: Where the pictures go; it is made.
        numbers: Tells the wanted frames from what the head of the file says.
        shrink: The pictures have 1 / `shrink` of the video's width and height, resized
            bicubically.
        quality: Of the compression, 1 to 100.

    Returns:
        What was done. A video that is not there, cannot be read or ends before the last
        wanted frame is a `problem`; what it has is written all the same.
    """
    folder = pathlib.Path(folder)
    written = kept = 0
    try:
        with Video(path) as video:
            wanted = {int(number) for number in numbers(video.info)}
            lacking = {n for n in wanted if not (folder / f"{n:05d}.jpg").is_file()}
            kept = len(wanted) - len(lacking)
            folder.mkdir(parents=True, exist_ok=True)
            size = tuple(length // shrink for length in video.info.size)
            for number, frame, _ in video.frames(lacking):
                if shrink > 1:
                    frame = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
                write_jpeg(folder / f"{number:05d}.jpg", frame, quality)
                written += 1
            if written < len(lacking):
                raise ValueError(
                    f"{video.path} must have the frame {max(lacking)}. "
                    f"Received: {video.num_decoded} frames"
                )
    except (OSError, ValueError) as error:
        return Extraction(written, kept, str(error))
    return Extraction(written, kept)


Task = tuple[pathlib.Path, pathlib.Path, Callable[[VideoInfo], Iterable[int]]]
"""A video, the folder of its pictures, and what tells the wanted frames."""


def extract_videos(
    tasks: Iterable[Task], problems: list[str], shrink: int = 1, quality: int = 90
) -> int:
    """Writes frames of many videos, and tells of it, for the scripts of data sets.

    Args:
        tasks: The videos.
        problems: What is wrong, a line a video; `tasks` may add to it.
        shrink, quality: As of `extract_frames`.

    Returns:
        The exit status: 1 if a video is missing or damaged.
    """
    videos = written = kept = 0
    for path, folder, numbers in tasks:
        done = extract_frames(path, folder, numbers, shrink, quality)
        videos, written, kept = videos + 1, written + done.written, kept + done.kept
        if done.problem:
            problems.append(done.problem)
        if done.written:
            sys.stdout.write(f"{folder.name}: {done.written} pictures\n")
            sys.stdout.flush()
    for line in problems:
        sys.stderr.write(f"extract_frames.py: {line}\n")
    sys.stdout.write(
        f"{videos} videos: {written} pictures written, {kept} there before, "
        f"{len(problems)} missing or damaged\n"
    )
    return int(bool(problems))
