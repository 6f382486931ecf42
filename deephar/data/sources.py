"""What can be looked at, picture by picture: files, folders, videos, cameras, lists."""

import abc
import contextlib
import dataclasses
import logging
import os
import pathlib
import re
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from deephar.data.box_lists import BoxRow, read_box_list
from deephar.data.pictures import (
    ENDINGS,
    PictureError,
    num_pages,
    open_picture,
    picture_files,
    reading,
)
from deephar.data.videos import Video

logger = logging.getLogger(__name__)

LIST_ENDINGS = (".txt", ".tsv")
"""Of lists of boxes."""

_MOST_RATE = 1000
"""Pictures a second that a camera may have."""

_CAMERA = re.compile(r"(?:/dev/video)?([0-9]+)")
_UNKNOWN_TO_PILLOW = (".heic", ".heif")
"""Pictures of phones; FFmpeg would take their tiles for frames."""
_SHOWN_BY_NONE = "MPEG"
"""Pillow knows such files, and cannot decode them."""


class SourceFiles(NamedTuple):
    """What a source is of, as can be told before it is opened.

    Attributes:
        kind: as of `Source`.
        name: path, or the camera.
        files: paths of what will be looked at: of pictures in the order of their
            numbers; none of a camera.
        boxes: as of `Source`.
    """

    kind: str
    name: str
    files: tuple[str, ...]
    boxes: Mapping[int, Sequence[BoxRow]] = types.MappingProxyType({})


@dataclasses.dataclass(frozen=True, eq=False)
class SourceFrame:
    """A picture of a source.

    Attributes:
        picture: uint8 array (h, w, 3), RGB, upright.
        number: From 1; where a picture of several cannot be read, its number is passed
            over.
        time: s from the first frame on; None for pictures.
        name: Path of the picture or the video, or the camera.
    """

    picture: np.ndarray
    number: int
    time: float | None
    name: str


class Source(abc.ABC):
    """Pictures, one after the other: a context manager, to be iterated over once.

    What cannot be read is passed over, and told by `problem` at the end; pictures are
    logged when they are passed over.

    Attributes:
        kind: "picture", "pictures" (of a folder), "video", "camera" or "box list".
        name: Path, or the camera.
        rate: Frames per second, the mean; None for pictures and where it is not known.
        count: Number of pictures, as the head of a video says; None where not known.
        size: (w, h) px of all pictures; None where they may differ.
        has_sound: Whether a video has sound.
        boxes: The rows of people, with box and score, by the number of the picture; of
            a box list alone.
        unread: (path, error) of the pictures that could not be read until now, by their
            numbers, in order.
        problem: What was wrong with the source, naming file or camera; None if nothing
            was, and before the end.
    """

    kind: str
    rate: float | None = None
    count: int | None = None
    size: tuple[int, int] | None = None
    has_sound: bool = False
    problem: str | None = None

    def __init__(self, name: str):
        self.name = name
        self.boxes: Mapping[int, Sequence[BoxRow]] = {}
        self.unread: dict[int, tuple[str, str]] = {}
        self._opened = contextlib.ExitStack()

    @abc.abstractmethod
    def __iter__(self) -> Iterator[SourceFrame]:
        """Yields the pictures."""

    def close(self) -> None:
        """Closes file or camera."""
        self._opened.close()

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def open_source(source: str | os.PathLike | int) -> Source:
    """Opens what is to be looked at.

    Args:
        source: A picture (upright by its EXIF orientation, first page of several), a
            folder of pictures (by name), a video (an animated GIF too), a list of boxes
            (.txt or .tsv, see `box_lists`; its paths start from the current folder or,
            where there is no such file, from that of the list), or the number of a
            camera, as an integer or text ("0").

    Raises:
        FileNotFoundError: if there is nothing of that name.
        OSError: if it is a picture that cannot be read, or the camera gives no picture.
        ValueError: if it is a video or list that cannot be read, a folder without
            pictures, or none of these.
    """
    found = source_files(source)
    if found.kind == "camera":
        return _Camera(int(_CAMERA.fullmatch(found.name)[1]))
    if found.kind == "video":
        return _VideoFile(found.name)
    if found.kind == "picture":
        return _Picture(found.name)
    pictures = _Pictures(found.kind, found.name, found.files)
    pictures.boxes = found.boxes
    return pictures


def source_files(source: str | os.PathLike | int) -> SourceFiles:
    """What a source is, and of which files, without opening it.

    Args:
        source: as of `open_source`.

    Raises:
        OSError, ValueError: as `open_source`, where it can be told so early.
    """
    path = os.fspath(source) if not isinstance(source, int) else str(source)
    if os.path.isdir(path):
        files = (str(file) for file in picture_files(path))
        return SourceFiles("pictures", path, tuple(files))
    if is_camera(path):
        return SourceFiles("camera", path, ())
    if not os.path.exists(path):
        raise FileNotFoundError(f"no such picture, video, folder or list: {path}")
    ending = pathlib.PurePath(path).suffix.lower()
    if ending in LIST_ENDINGS:
        return _box_list(path)
    if ending in _UNKNOWN_TO_PILLOW:
        raise PictureError(path, f"save it as JPEG or PNG, {ending} is not read")
    still = ending in ENDINGS or _is_picture(path)
    still = still and num_pages(path, "GIF") <= 1
    return SourceFiles("picture" if still else "video", path, (path,))


class _Pictures(Source):
    def __init__(self, kind: str, name: str, paths: Sequence[str]):
        super().__init__(name)
        self.kind, self.count, self._paths = kind, len(paths), paths

    def __iter__(self):
        for number, path in enumerate(self._paths, 1):
            try:
                picture = _open(path)
            except OSError as error:
                logger.warning("passed over: %s", error)
                self.unread[number] = path, str(error)
                continue
            yield SourceFrame(picture, number, None, path)
        if self.unread:
            errors = [error for _, error in self.unread.values()]
            count = f"{len(errors)} of {self.count}"
            self.problem = f"{self.name}: {count} pictures could not be read: " + (
                errors[0] if len(errors) == 1 else f"{errors[0]}, and others"
            )


class _Picture(Source):
    kind, count = "picture", 1

    def __init__(self, path: str):
        super().__init__(path)
        self._picture = _open(path)
        self.size = (self._picture.shape[1], self._picture.shape[0])

    def __iter__(self):
        yield SourceFrame(self._picture, 1, None, self.name)


class _VideoFile(Source):
    kind = "video"

    def __init__(self, path: str):
        super().__init__(path)
        self._video = self._opened.enter_context(Video(path))
        info = self._video.info
        self.rate, self.count = info.rate or None, info.num_frames or None
        self.size, self.has_sound = info.size, self._video.has_sound

    def __iter__(self):
        try:
            for frame in self._video.frames():
                yield SourceFrame(frame.picture, frame.number, frame.time, self.name)
        except ValueError as error:
            self.problem = str(error)


class _Camera(Source):
    kind = "camera"

    def __init__(self, index: int):
        super().__init__(f"camera {index}")
        with _quiet_opencv():
            self._capture = cv2.VideoCapture(index)
        self._opened.callback(self._capture.release)
        # Of pictures that wait, the newest is wanted.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._first = self._read()
        if self._first is None:
            self.close()
            raise OSError(f"{self.name} gives no picture: is it there, and free?")
        self.size = (self._first.shape[1], self._first.shape[0])
        # Drivers that do not know it say 0, -1, NaN or what no camera has.
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate <= _MOST_RATE else None

    def _read(self) -> np.ndarray | None:
        done, frame = self._capture.read()
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) if done else None

    def __iter__(self):
        start, number, picture = time.monotonic(), 0, self._first
        while picture is not None:
            number += 1
            yield SourceFrame(picture, number, time.monotonic() - start, self.name)
            picture = self._read()
        self.problem = f"{self.name} gave no more pictures after {number}"


def is_camera(source: str) -> bool:
    """Whether a source is the number of a camera, and no file of that name."""
    known = _CAMERA.fullmatch(source) is not None
    return known and not os.path.isfile(source) and not os.path.isdir(source)


def _box_list(path: str) -> SourceFiles:
    folder = os.path.dirname(path)
    rows: dict[str, list[BoxRow]] = {}
    for row in read_box_list(path):
        beside = os.path.join(folder, row.picture)
        there = os.path.exists(row.picture) or not os.path.exists(beside)
        rows.setdefault(row.picture if there else beside, []).append(row)
    boxes = dict(enumerate(rows.values(), 1))
    return SourceFiles("box list", path, tuple(rows), boxes)


def _open(path: str) -> np.ndarray:
    """Decodes a picture, and says so where it is one of several pages."""
    picture = np.asarray(open_picture(path, upright=True))
    pages = num_pages(path)
    if pages > 1:
        logger.warning("%s: only the first of its %d pages is looked at", path, pages)
    return picture


def _is_picture(path: str) -> bool:
    """Whether Pillow knows what it is, whatever its name."""
    try:
        with reading(path), Image.open(path) as image:
            return image.format != _SHOWN_BY_NONE
    except PictureError:
        return False


@contextlib.contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Has OpenCV not write that there is no camera: an error says so."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
