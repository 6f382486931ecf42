"""Uploads are read in a process of their own, which may be killed for it.

What comes from outside goes through the decoders of Pillow and FFmpeg in that process
alone: a file on which they hang, crash or take all memory costs the process, and not
the server. It sends JPEGs that it made itself, of a bounded size, and texts.
"""

import contextlib
import dataclasses
import io
import itertools
import json
import logging
import multiprocessing
import signal
import struct
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from deephar.data.pictures import (
    PictureError,
    num_pages,
    open_picture,
    read_size,
    reading,
)
from deephar.data.videos import Video
from deephar.demo.limits import Limits

logger = logging.getLogger(__name__)

PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""Pillow's names of the pictures that are read; those of JPEGs are also MPO."""
VIDEOS = (
    "mov",
    "matroska",
    "webm",
    "avi",
    "gif",
    "mpegts",
    "mpeg",
    "flv",
    "asf",
    "ogg",
)
"""FFmpeg's names of the videos that are read: none that names other files."""
PICTURE, CLIP = "picture", "clip"
_KNOWN = (
    "JPEG, PNG, WebP, GIF, BMP and TIFF; MP4, MOV, WebM, Matroska, AVI, MPEG, FLV, ASF "
    "(WMV) and Ogg"
)
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}
_QUALITY = 92
_MOST_MESSAGE = 64 << 20
"""Bytes of what the process sends at a time."""
_SHARE = 0.8
"""Part of the time limit after which a clip is cut off by the process itself."""
_ROUNDING = 0.1
"""Part of a step between two frames by which a rate may be above the limit."""


class Frame(NamedTuple):
    """A picture that was uploaded, or a frame of a clip.

    Attributes:
        jpeg: the picture, upright, as JPEG.
        time: s from the beginning of the clip; None of a picture.
    """

    jpeg: bytes
    time: float | None


class Decoder:
    """The process; it starts with the first file, and anew where it had to be killed.

    One file is read at a time, by one thread; another may `stop` it.

    Args:
        limits: of pixels, seconds, memory.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        self._process: Any = None
        self._connection: Connection | None = None
        self._lock, self._stopped = threading.Lock(), False

    def read(self, path: str) -> Iterator[dict[str, Any] | Frame]:
        """Reads a file.

        Args:
            path: of the file; its name tells nothing.

        Yields:
            First {"kind": PICTURE or CLIP, "size": (w, h) px as it is looked at}, then
            the frames, at last {"notes": what was left out or is damaged}.

        Raises:
            ValueError: if it is nothing that can be read, goes beyond a limit, or ended
                the process.
        """
        deadline = time.monotonic() + self._limits.timeout
        connection, whole = self._ask(path), False
        try:
            while not whole:
                message = self._next(connection, deadline)
                whole = isinstance(message, dict) and "notes" in message
                if isinstance(message, dict) and "error" in message:
                    whole = True
                    raise ValueError(message["error"])
                yield message
        finally:
            if not whole:
                self.close()

    def stop(self) -> None:
        """From another thread: what is being read fails, and nothing more is read."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """Ends the process, whatever it does; the next file starts another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = self._connection = None

    def _ask(self, path: str) -> Connection:
        """Tells the process what to read; starts it where there is none."""
        asked = json.dumps({"path": path}).encode()
        with self._lock:
            if self._stopped:
                raise ValueError("the server ends")
            if self._process is not None:
                with contextlib.suppress(OSError):
                    self._connection.send_bytes(asked)
                    return self._connection
                self._end()
            context = multiprocessing.get_context("spawn")
            connection, theirs = context.Pipe()
            limits = dataclasses.asdict(self._limits)
            process = context.Process(target=_serve, args=(theirs, limits))
            process.daemon = True
            process.start()
            theirs.close()
            self._process, self._connection = process, connection
            connection.send_bytes(asked)
            return connection

    def _next(self, connection: Connection, deadline: float) -> dict | Frame:
        if not connection.poll(max(0.0, deadline - time.monotonic())):
            raise ValueError(
                f"reading the file took longer than {self._limits.timeout:g} s"
            )
        try:
            message = connection.recv_bytes(_MOST_MESSAGE)
        except (EOFError, OSError) as error:
            logger.warning("the process that reads uploads ended: %r", error)
            raise ValueError(
                "the file could not be read: the decoder crashed on it, or it needs "
                "too much memory"
            ) from error
        if message[:1] == b"{":
            return json.loads(message)
        (seconds,) = struct.unpack("<d", message[1:9])
        return Frame(message[9:], None if np.isnan(seconds) else seconds)


def _serve(connection: Connection, limits: dict) -> None:
    """The process: reads the files that it is told of until nobody is there."""
    limits = Limits(**limits)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    # The head tells the size before anything is decoded: see _check_pixels.
    Image.MAX_IMAGE_PIXELS = None
    if sys.platform == "linux":
        import resource

        most = limits.memory_mb << 20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            path = json.loads(connection.recv_bytes())["path"]
        except (EOFError, OSError):
            return
        try:
            for message in decode(path, limits):
                connection.send_bytes(_packed(message))
        except (OSError, ValueError, MemoryError) as error:
            text = str(error) or "not enough memory for it"
            text = text.replace(f"the picture {path}", "the picture")
            text = text.replace(path, "the file")
            connection.send_bytes(_packed({"error": text}))


def _packed(message: dict | Frame) -> bytes:
    if isinstance(message, dict):
        return json.dumps(message).encode()
    seconds = float("nan") if message.time is None else message.time
    return b"F" + struct.pack("<d", seconds) + message.jpeg


def decode(path: str, limits: Limits) -> Iterator[dict[str, Any] | Frame]:
    """Reads a file in this process; see `Decoder.read`.

    Raises:
        OSError, ValueError: if it cannot be read, or goes beyond a limit.
    """
    with open(path, "rb") as file:
        head = file.read(16)
    if not head:
        raise ValueError("the file is empty")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        raise ValueError("HEIC is not read: save the picture as JPEG or PNG")
    yield from _picture(path, limits) if _is_picture(path) else _clip(path, limits)


def _is_picture(path: str) -> bool:
    """Whether it is a picture that Pillow reads; those that move are clips."""
    try:
        with reading(path), Image.open(path, formats=PICTURES) as image:
            kind, size = image.format, image.size
    except PictureError:
        return False
    return kind != "GIF" or not all(size) or num_pages(path) <= 1


def _picture(path: str, limits: Limits) -> Iterator[dict[str, Any] | Frame]:
    _check_pixels(read_size(path), limits)
    pages = num_pages(path)
    picture = open_picture(path, upright=True)
    jpeg, size = _shrunk(picture, limits.picture_side)
    yield {"kind": PICTURE, "size": size}
    yield Frame(jpeg, None)
    first = f"only the first of its {pages} pictures is looked at"
    yield {"notes": [first] if pages > 1 else []}


def _clip(path: str, limits: Limits) -> Iterator[dict[str, Any] | Frame]:
    try:
        video = Video(path, VIDEOS)
    except ValueError as error:
        reason = str(error).rpartition("Received: ")[2]
        raise ValueError(
            f"the file is no picture or video that can be read ({_KNOWN}): {reason}"
        ) from error
    with video:
        _check_pixels(video.info.size, limits)
        notes = yield from _frames(video, limits)
    yield {"notes": notes}


def _frames(video: Video, limits: Limits) -> Iterator[dict[str, Any] | Frame]:
    """The frames of a video, not too many of them; returns what is to be said."""
    notes, begun, due, left_out = [], time.monotonic(), 0.0, 0
    frames = video.frames()
    for number in itertools.count():
        try:
            frame = next(frames, None)
        except ValueError as error:
            if number == 0:
                raise
            notes.append(str(error).replace(video.path, "the file"))
            break
        if frame is None:
            break
        if frame.time >= limits.max_seconds:
            notes.append(f"only the first {limits.max_seconds:g} s are looked at")
            break
        if time.monotonic() - begun > _SHARE * limits.timeout:
            notes.append(
                f"only the first {frame.time:.1f} s are looked at: reading takes long"
            )
            break
        if frame.time < due - _ROUNDING / limits.rate:
            left_out += 1
            continue
        due = max(due, frame.time) + 1 / limits.rate
        jpeg, size = _shrunk(Image.fromarray(frame.picture), limits.clip_side)
        if number == 0:
            yield {"kind": CLIP, "size": size}
        yield Frame(jpeg, frame.time)
    if left_out:
        notes.append(f"at most {limits.rate:g} frames a second are looked at")
    return notes


def _check_pixels(size: tuple[int, int], limits: Limits) -> None:
    if size[0] * size[1] > limits.pixels:
        raise ValueError(
            f"a picture may have {limits.pixels / 1e6:g} megapixels. "
            f"Received: {size[0]} x {size[1]} px"
        )


def _shrunk(picture: Image.Image, side: int) -> tuple[bytes, tuple[int, int]]:
    """A picture as JPEG, its longer side `side` px at most, and its (w, h)."""
    share = min(1.0, side / max(picture.size))
    if share < 1.0:
        size = tuple(max(1, round(share * length)) for length in picture.size)
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue(), picture.size
