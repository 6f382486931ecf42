"""Frames of video files, by OpenCV; pictures written whole or not at all."""

import dataclasses
import os
import pathlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator

import cv2
import numpy as np

from deephar.utils.fs import whole_path


@dataclasses.dataclass(frozen=True)
class VideoInfo:
    """What the head of a video file says.

    Attributes:
        size: (w, h) of the frames, px.
        num_frames: Number of frames.
        rate: Frames per second; 0 where it is not known.
    """

    size: tuple[int, int]
    num_frames: int
    rate: float


class Video:
    """A video file, opened for reading; a context manager.

    Args:
        path: The file.

    Attributes:
        path: The file.
        info: What its head says.
        num_decoded: Number of frames that were decoded so far.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no video or has no frame.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self.num_decoded = 0
        if not os.path.isfile(self.path):
            raise FileNotFoundError(f"no such video: {self.path}")
        self._capture = cv2.VideoCapture(self.path, cv2.CAP_FFMPEG)
        read = self._capture.get
        width, height, count = (
            round(read(what))
            for what in (
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FRAME_COUNT,
            )
        )
        self.info = VideoInfo((width, height), count, read(cv2.CAP_PROP_FPS))
        if not self._capture.isOpened() or min(width, height, count) < 1:
            self.close()
            raise ValueError(
                f"{self.path} must be a video with frames that FFmpeg can read. "
                f"Received: {count} frames of ({width}, {height}) px"
            )

    def frames(
        self, wanted: Collection[int] | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Decodes the frames, once, in order.

        Args:
            wanted: Numbers of the frames to give, from 1; None for all. Others are
                passed over, at a lower cost, and nothing behind the last is decoded.

        Yields:
            (number, frame): the frame is a uint8 array (h, w, 3), RGB.

        Raises:
            ValueError: behind the last frame, if the file ends before the wanted frames
                that its head promises.
        """
        end = self.info.num_frames if wanted is None else max(wanted, default=0)
        while self.num_decoded < end and self._capture.grab():
            number = self.num_decoded + 1
            if wanted is None or number in wanted:
                decoded, frame = self._capture.retrieve()
                if not decoded:
                    break
                yield number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            self.num_decoded = number
        if self.num_decoded < min(end, self.info.num_frames):
            raise ValueError(
                f"{self.path} must be whole. Received: {self.num_decoded} frames, but "
                f"its head promises {self.info.num_frames}"
            )

    def close(self) -> None:
        """Closes the file."""
        self._capture.release()

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Reads the head of a video file; raises as `Video` does."""
    with Video(path) as video:
        return video.info


def write_jpeg(path: str | os.PathLike, picture: np.ndarray, quality: int = 90) -> None:
    """Writes a JPEG file; it appears whole or not at all.

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
    with whole_path(path) as draft:
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
            for number, frame in video.frames(lacking):
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
