"""Videos written by PyAV: H.264 in MP4, with sound, and GIF."""

import contextlib
import logging
import os
import pathlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

import av
import numpy as np

from deephar.data.encoding import Mp4Encoder, encode_gif
from deephar.data.sound import open_sound
from deephar.utils.fs import whole_path
from deephar.utils.messages import shown

logger = logging.getLogger(__name__)

BITRATE = 3_000_000
"""Of an MP4's pictures, bit/s."""

SUFFIXES = (".mp4", ".gif")
"""What `write_video` can write."""

_FINEST_RATE = 1001
"""Denominators of the rates of films go no higher: 30000 / 1001."""

_TICK = Fraction(1, 90_000)
"""What times are rounded to, s; those of films are multiples of it."""


class VideoWriter:
    """Writes an MP4 picture by picture, with the sound of another video.

    Whatever ends it, what was written before is a finished file that plays, and has its
    name: after Ctrl-C, which waits for the picture at hand, and after errors too
    (`write_video` then leaves nothing). Only a full disk leaves nothing: what tells
    players where the pictures lie is written last. Until the end the file has no name.
    The format is that of `write_video`.

    Sound that an MP4 can hold is copied as it is; other kinds are encoded as AAC. It
    begins and ends with the pictures.

    Args:
        path: The file, .mp4; its folder must exist.
        rate: Pictures a second; where they have times, the mean, roughly.
        sound_from: A video, whose sound is taken if it has some; `time` must then be
            that of its frames.
        bitrate: Of the pictures, bit/s.

    Attributes:
        path: The file.
        count: Number of pictures so far.

    Raises:
        FileNotFoundError: if the folder of `path`, or `sound_from`, does not exist.
        PermissionError: if the folder cannot be written to.
        ValueError: if `path` has another suffix, `rate` and `bitrate` are not positive,
            or `sound_from` is no video.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        rate: float,
        sound_from: str | os.PathLike | None = None,
        bitrate: int = BITRATE,
    ):
        self.path, self.count = pathlib.Path(path), 0
        check_video_path(self.path, (".mp4",))
        self._rate, self._bitrate = _checked_rate(rate, bitrate), bitrate
        self._opened, self._closed = contextlib.ExitStack(), False
        self._sound, self._stamp = None, -1
        if sound_from is not None and (sound := open_sound(sound_from)) is not None:
            self._sound = self._opened.enter_context(contextlib.closing(sound))

    def write(self, picture: np.ndarray, time: float | None = None) -> None:
        """Takes a picture.

        Args:
            picture: uint8 array (h, w, 3), RGB; all of one size.
            time: When it is shown, s, above that of the picture before. The first
                one's is where the file begins. None for all where the rate is
                constant.

        Raises:
            OSError: if it cannot be written.
            ValueError: if picture or time are not what they should be.
        """
        with _uninterrupted(), _writing(self.path):
            if not self.count:
                self._begin(picture, time)
            _check_picture("picture", picture, self._shape)
            self._encoder.encode(picture, self._next_stamp(time))
            self.count += 1
            if self._sound is not None:
                self._sound.write_until(self._end())

    def _begin(self, picture: np.ndarray, time: float | None) -> None:
        _check_picture("picture", picture, np.shape(picture))
        self._shape, self._timed, self._first = picture.shape, time is not None, time
        base = _TICK if self._timed else None
        self._time_base = base or 1 / self._rate
        draft = self._opened.enter_context(whole_path(self.path))
        options = (self._rate, self._bitrate, base)
        self._encoder = Mp4Encoder(draft, self._shape[:2], *options)
        self._opened.callback(self._encoder.close)
        if self._sound is not None:
            self._sound.begin(self._encoder.container, time or 0.0)

    def _next_stamp(self, time: float | None) -> int:
        if self._timed != (time is not None):
            raise ValueError(f"`time` must be given always or never. Received: {time}")
        stamp = self.count
        if self._timed:
            stamp = round(Fraction(time - self._first) / self._time_base)
        if stamp <= self._stamp:
            raise ValueError(f"`time` must grow from picture to picture. Got: {time}")
        self._stamp = stamp
        return stamp

    def _end(self) -> float:
        """When the last picture ends, s from the first one on."""
        return float(self._stamp * self._time_base + 1 / self._rate)

    def close(self) -> None:
        """Finishes the file.

        Raises:
            OSError: if it cannot be written.
            ValueError: if no picture was written: then there is no file.
        """
        if self._closed:
            return
        self._closed = True
        with _uninterrupted(), _writing(self.path), self._opened:
            if not self.count:
                raise ValueError(f"{self.path} must get a picture at least. Got none")
            self._encoder.finish()

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind, error, trace) -> None:
        try:
            self.close()
        except (OSError, ValueError) as other:
            if error is None:
                raise
            logger.warning("not written: %s", other)


def write_video(
    path: str | os.PathLike,
    frames: Iterable[np.ndarray],
    rate: float,
    bitrate: int = BITRATE,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Writes a video; it appears whole or not at all.

    Only a few frames are in memory at a time. An MP4 is H.264 in yuv420p with its head
    in front, which players and browsers show while it still loads; as it needs even
    lengths, the last row or column of a frame may stand twice. A GIF repeats for ever,
    each frame has a palette of its own, and of a rate above 50 frames are left out.

    Args:
        path: The file, .mp4 or .gif; its folder must exist.
        frames: uint8 arrays (h, w, 3), RGB, all of one size.
        rate: Frames per second.
        bitrate: Of an MP4, bit/s.
        progress: Called with the number of frames so far, after each.

    Returns:
        Number of frames taken.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if `path` has another suffix, if there are no frames, or if they are
            not what they should be.
        OSError: if the file cannot be written.
    """
    path = pathlib.Path(path)
    check_video_path(path)
    rate = _checked_rate(rate, bitrate)
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError(f"`frames` must hold a frame at least, for {path}")
    given = (np.shape(first)[:2], _counted(first, frames, progress), rate)
    with whole_path(path) as draft:
        if path.suffix.lower() == ".gif":
            return encode_gif(draft, *given)
        return _encode_mp4(draft, *given, bitrate)


def check_video_path(
    path: str | os.PathLike, suffixes: Sequence[str] = SUFFIXES
) -> None:
    """Refuses what could not be written to, before frames are made for it.

    Args:
        path: The file.
        suffixes: That it may have.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        PermissionError: if the folder cannot be written to.
        ValueError: if `path` has another suffix.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in suffixes:
        raise ValueError(
            f"`path` must end in {' or '.join(suffixes)}. Received: path={str(path)!r}"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder of `path` must exist. Received: path={str(path)!r}"
        )
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f"the folder of `path` must be writable. Received: path={str(path)!r}"
        )


def _checked_rate(rate: float, bitrate: int) -> Fraction:
    if not 0 < rate < float("inf") or bitrate < 1:
        raise ValueError(
            f"`rate` and `bitrate` must be positive. "
            f"Received: rate={rate}, bitrate={bitrate}"
        )
    return Fraction(rate).limit_denominator(_FINEST_RATE) or Fraction(1, _FINEST_RATE)


def _check_picture(name: str, picture: object, shape: tuple) -> None:
    good = isinstance(picture, np.ndarray) and picture.dtype == np.uint8
    if not good or picture.ndim != 3 or picture.shape != (*shape[:2], 3):
        raise ValueError(
            f"`{name}` must be uint8 arrays (h, w, 3) of one size, the first has "
            f"{shape}. Received: {shown(picture)}"
        )


def _counted(
    first: np.ndarray, others: Iterable[np.ndarray], progress: Callable | None
) -> Iterator[np.ndarray]:
    """Gives the frames, checked, and tells of each when the next one is asked for."""
    shape, number = np.shape(first), 0
    while first is not None:
        _check_picture("frames", first, shape)
        yield first
        number += 1
        if progress is not None:
            progress(number)
        first = next(others, None)


def _encode_mp4(path, size, frames, rate, bitrate) -> int:
    number = 0
    with contextlib.closing(Mp4Encoder(path, size, rate, bitrate)) as encoder:
        for number, frame in enumerate(frames, 1):
            encoder.encode(frame, number - 1)
        encoder.finish()
    return number


@contextlib.contextmanager
def _writing(path: pathlib.Path) -> Iterator[None]:
    """Names the file in what FFmpeg raises."""
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Has Ctrl-C wait for the end: what the encoder gave half of would spoil the file.

    Signals come to the main thread only.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(
        before
    ):
        yield
        return
    caught = []
    signal.signal(signal.SIGINT, lambda *given: caught.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if caught:
            before(*caught[0])
