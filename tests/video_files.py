"""Small videos whose frames tell their number: whole, timed, turned, with sound."""

import contextlib
import struct
import wave
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest


def write_video(path, frames, size=(64, 48), rate=25):
    """Writes a video of grey frames: frame i, from 1, has the level 10 * i."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, size)
    for number in range(1, frames + 1):
        writer.write(np.full((size[1], size[0], 3), 10 * number, np.uint8))
    writer.release()
    return path


def write_timed_video(path, times, size=(64, 48), sound=None, codec="libx264"):
    """Writes a video whose frames, of levels as above, are shown at these times.

    Args:
        path: The file; its ending is that of the container.
        times: Of the frames, ms.
        size: (w, h), px.
        sound: None, or (codec, start, end, rate): a tone of 440 Hz, ms and samples/s.
        codec: Of the pictures.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream(sound[0], rate=sound[3]) if sound else None
        for number, time in enumerate(times, 1):
            grey = np.full((size[1], size[0], 3), 10 * number % 250, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            for frame in _tone(*sound[1:]):
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def _tone(start, end, rate):
    """Frames of a tone from `start` to `end`, ms."""
    count = (end - start) * rate // 1000
    wave = 8000 * np.sin(2 * np.pi * 440 * np.arange(count) / rate)
    for first in range(0, count, 1000):
        part = wave[None, first : first + 1000].astype(np.int16)
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = start * rate // 1000 + first
        yield frame


def write_sound(path):
    """Writes a file of sound alone."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    return path


def turn(path, matrix):
    """Gives an MP4 the display matrix (a, b, c, d) of a phone that was turned.

    The pixel (x, y) is shown at (a x + c y, b x + d y), moved into the picture.
    """
    content = bytearray(path.read_bytes())
    # In the box of the track: version, flags, times, number, length, layer, volume.
    start = content.index(b"tkhd") + 4 + 40
    one, (a, b, c, d) = 1 << 16, matrix
    values = (a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    content[start : start + 36] = struct.pack(">9i", *values)
    path.write_bytes(content)
    return path


@contextlib.contextmanager
def full_disk(size):
    """No file can be larger than so many bytes, as if the disk were full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def cut(path, part=0.8):
    """Cuts a file short."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    return path
