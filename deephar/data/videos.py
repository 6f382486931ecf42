"""Frames of video files, by FFmpeg (PyAV), upright and with their time."""

import dataclasses
import os
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

_LEAST_STEP = 1e-4
"""S from one frame to the next; of AVI files with frames out of order FFmpeg gives some
times twice, but for rounding."""

_NO_RATE = 25
"""Frames a second of a video that tells neither rate nor times."""
_TELL_DURATION = {"avi": "dts", "matroska,webm": "pts", "flv": "pts"}
"""Containers whose head tells how long they are, but not how many frames there are
(those of AVI count the empty ones too), and by which times of their packets."""
_PICTURES = ("_pipe", "image2", "tty")
"""What FFmpeg calls pictures and texts, where it finds such in a file."""
_ROUNDING = 0.002
"""Of times, s: Matroska has ms."""


@dataclasses.dataclass(frozen=True)
class VideoInfo:
    """What the head of a video file says.

    Attributes:
        size: (w, h) of the frames as they are shown, px.
        num_frames: Number of frames; by duration and rate where the head does not tell
            it, 0 where it does not tell these either.
        rate: Frames per second, the mean; 0 where it is not known.
    """

    size: tuple[int, int]
    num_frames: int
    rate: float


class VideoFrame(NamedTuple):
    """A frame of a video.

    Attributes:
        number: From 1.
        picture: uint8 array (h, w, 3), RGB, turned as it is shown.
        time: When it is shown, s from the first frame on.
    """

    number: int
    picture: np.ndarray
    time: float


class Video:
    """A video file, opened for reading; a context manager.

    Frames are turned and mirrored as the file's display matrix says (phones do not turn
    the pixels), to the nearest right angle. Times are those of the file, so that a rate
    may vary; where a time is lacking or does not grow, the mean rate goes on. What is
    damaged is passed over and told at the end.

    Args:
        path: The file.
        formats: Names of FFmpeg's formats that the file may have, for files of others:
            there are formats which name further files to be read. Empty for all.

    Attributes:
        path: The file.
        info: What its head says.
        has_sound: Whether there is sound in it.
        start: Time of the first frame by the file's own clock, s.
        num_decoded: Number of frames that were passed so far.
        num_damaged: Number of parts so far that could not be decoded as they should.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no video or has no frame.
    """

    def __init__(self, path: str | os.PathLike, formats: Sequence[str] = ()):
        self.path = os.fspath(path)
        self._options = {"protocol_whitelist": "file"} if formats else {}
        if formats:
            self._options["format_whitelist"] = ",".join(formats)
        self.num_decoded = self.num_damaged = self._num_packets = 0
        self._broken, self._last = "", 0.0
        self._last_picture = self._longest = 0.0
        self._container = self._open()
        try:
            self._stream = self._find_stream()
            self._frames = self._decoded()
            first = next(self._frames, None)
            if first is None:
                raise self._no_video(self._broken or "no frame")
        except ValueError:
            self.close()
            raise
        self.has_sound = sound_stream(self._container) is not None
        self.start = float(self._stamp(first) or 0)
        self._first, self._stored_size = first, (first.width, first.height)
        self._matrix = _display_matrix(first)
        self._reformatter = av.video.reformatter.VideoReformatter()
        height, width = self._picture(first).shape[:2]
        self.info = VideoInfo((width, height), *_length(self._container, self._stream))

    def _open(self):
        if not os.path.isfile(self.path):
            raise FileNotFoundError(f"no such video: {self.path}")
        try:
            # A relative name with a colon in it would be taken for an address.
            path = os.path.abspath(self.path)
            container = av.open(path, metadata_errors="replace", options=self._options)
        except av.FFmpegError as error:
            raise self._no_video(error.strerror) from error
        kind = container.format.name
        if kind.endswith(_PICTURES):
            container.close()
            raise self._no_video(f"pictures ({kind})")
        return container

    def _find_stream(self):
        cover = av.stream.Disposition.attached_pic
        for stream in self._container.streams.video:
            if not stream.disposition & cover and stream.codec_context is not None:
                # Threads for frames may give one before others have found its damage.
                stream.thread_type = "SLICE"
                return stream
        raise self._no_video("no pictures in it, or no whole head")

    def _no_video(self, reason) -> ValueError:
        return ValueError(
            f"{self.path} must be a video with frames that FFmpeg can read. "
            f"Received: {reason}"
        )

    def frames(self, wanted: Collection[int] | None = None) -> Iterator[VideoFrame]:
        """Decodes the frames, once, in order.

        Args:
            wanted: Numbers of the frames to give, from 1; None for all. Others are
                passed over, at a lower cost, and nothing behind the last is decoded.

        Yields:
            The frames.

        Raises:
            ValueError: behind the last frame, if the file ends before the wanted frames
                that its head promises, or a part before them is damaged.
        """
        end = float("inf") if wanted is None else max(wanted, default=0)
        time = -1 / (self.info.rate or _NO_RATE)
        while self.num_decoded < end:
            frame, self._first = self._first or next(self._frames, None), None
            if frame is None:
                break
            self.num_decoded += 1
            time = self._time(frame, time)
            if wanted is None or self.num_decoded in wanted:
                yield VideoFrame(self.num_decoded, self._picture(frame), time)
        problem = self._problem(end)
        if problem:
            raise ValueError(problem)

    def times(self) -> np.ndarray:
        """Reads when each frame is shown, without decoding: that of its packet.

        Returns:
            (frames,) s from the first frame on; by the mean rate where a packet tells
            no time.

        Raises:
            ValueError: if the file ends in the middle of a packet.
        """
        try:
            with self._open() as container:
                stream = container.streams[self._stream.index]
                packets = [one for one in container.demux(stream) if one.size]
        except av.FFmpegError as error:
            raise self._no_video(error.strerror) from error
        stamps = [one.pts for one in packets if not one.is_discard]
        if None in stamps or not stamps:
            return np.arange(self.info.num_frames) / (self.info.rate or _NO_RATE)
        times = np.sort(stamps) * float(self._stream.time_base)
        return times - times[0]

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Decodes what can be decoded, and counts what cannot."""
        streams = (self._stream, *self._container.streams.audio)
        try:
            for packet in self._container.demux(streams):
                self._note_time(packet)
                # An empty packet would tell the decoder that this is the end.
                if packet.size and packet.stream is self._stream:
                    self._num_packets += 1
                    yield from self._decode(packet)
        except av.FFmpegError as error:
            self._broken = error.strerror
        yield from self._decode(None)

    def _note_time(self, packet: av.Packet) -> None:
        """Notes when the last packet begins, and the longest step of the pictures."""
        kind = _TELL_DURATION.get(self._container.format.name, "pts")
        if (stamp := getattr(packet, kind)) is None:
            return
        self._last = max(self._last, time := float(stamp * packet.time_base))
        if packet.stream is self._stream:
            self._longest = max(self._longest, time - self._last_picture)
            self._last_picture = time

    def _decode(self, packet) -> Iterator[av.VideoFrame]:
        try:
            frames = self._stream.decode(packet)
        except av.FFmpegError as error:
            self.num_damaged += 1
            self._broken = error.strerror
            return
        for frame in frames:
            self.num_damaged += frame.is_corrupt
            yield frame

    def _problem(self, end: float) -> str | None:
        """What is wrong with the frames up to the last that was wanted."""
        found = self.num_decoded
        if found < end and (promise := self._broken_promise()):
            damage = f"{found} frames, but its head promises {promise}"
        elif self.num_damaged:
            damage = f"{found} frames, damaged parts: {self.num_damaged}"
        elif self._broken:
            damage = f"{found} frames, then: {self._broken}"
        else:
            return None
        return f"{self.path} must be whole. Received: {damage}"

    def _broken_promise(self) -> str | None:
        """What the head says of the length, if the file has ended before."""
        if self._container.format.name not in _TELL_DURATION:
            # Packets count, not frames: some are to be decoded and not to be shown.
            promised = self._stream.frames
            return str(promised) if self._num_packets < promised else None
        seconds = float(_duration(self._container, self._stream))
        # The last frame may be shown as long as another one.
        missing = seconds - self._last > self._longest + _ROUNDING
        return f"{seconds:.2f} s" if missing and self._longest else None

    def _time(self, frame: av.VideoFrame, before: float) -> float:
        stamp = self._stamp(frame)
        time = before if stamp is None else float(stamp) - self.start
        later = time > before + _LEAST_STEP
        return time if later else before + 1 / (self.info.rate or _NO_RATE)

    def _stamp(self, frame: av.VideoFrame) -> Fraction | None:
        """When a frame is shown, s by the file's clock."""
        return None if frame.pts is None else frame.pts * self._stream.time_base

    def _picture(self, frame: av.VideoFrame) -> np.ndarray:
        width, height = self._stored_size
        # Of the methods, OpenCV's: FFmpeg's own is for speed.
        rgb = self._reformatter.reformat(
            frame, width, height, "rgb24", interpolation="BICUBIC"
        )
        return _turned(rgb.to_ndarray(), self._matrix)

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def sound_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """The first sound of a container that FFmpeg can decode, if there is one."""
    sounds = container.streams.audio
    return next((one for one in sounds if one.codec_context is not None), None)


def _length(container, stream) -> tuple[int, float]:
    """Returns (number of frames, rate) of a video stream; 0 for what is not known."""
    rate = stream.average_rate or stream.guessed_rate or Fraction(0)
    duration = _duration(container, stream)
    return stream.frames or round(duration * rate), float(rate)


def _duration(container, stream) -> Fraction:
    """What the head says, s; 0 where it says nothing."""
    if stream.duration is not None:
        return stream.duration * stream.time_base
    return Fraction(container.duration or 0, av.time_base)


def _display_matrix(frame: av.VideoFrame) -> np.ndarray:
    """Returns (2, 2): row i says where axis i of the stored picture, (x, y), points.

    Source: libavutil/display.h, (a, b, u, c, d, v, x, y, w) with x' = a x + c y + ...
    """
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]
    return np.eye(2, dtype=np.int32)


def _turned(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turns and mirrors a picture (h, w, 3) by right angles, the nearest ones."""
    (a, b), (c, d) = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        picture, a, d = picture.transpose(1, 0, 2), c, b
    picture = picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(picture)


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Reads the head of a video file; raises as `Video` does."""
    with Video(path) as video:
        return video.info
