"""Pictures to MP4 and GIF, by FFmpeg (PyAV)."""

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np

GIF_RATE = 50
"""Viewers show no more frames of a GIF per second."""

_WHOLE_FRAMES = {"gifflags": "0"}
"""FFmpeg writes what changed since the frame before if a palette is that of the first
frame, and takes equal numbers for equal colours even if the palettes differ."""

_BT601 = 5
"""FFmpeg's number for how its colours become those of MP4. Players that are not told
guess by the size, and would show another red."""


class Mp4Encoder:
    """An MP4 that is being written.

    Args:
        path: The file.
        size: (h, w) of the pictures, px.
        rate: Pictures a second.
        bitrate: Of the pictures, bit/s.
        time_base: Of their times, s, where they vary; None for a constant rate.

    Attributes:
        container: The file, of PyAV, to which streams may be added at first.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        size: tuple[int, int],
        rate: Fraction,
        bitrate: int,
        time_base: Fraction | None = None,
    ):
        self._height, self._width = (length + length % 2 for length in size)
        options = {"movflags": "+faststart"}
        self.container = av.open(str(path), "w", format="mp4", options=options)
        stream = self.container.add_stream("libx264", rate=rate)
        stream.width, stream.height = self._width, self._height
        stream.bit_rate, stream.pix_fmt = bitrate, "yuv420p"
        stream.codec_context.colorspace = _BT601
        stream.options = {"preset": "faster"}
        if time_base is not None:
            # MP4 takes a track for as long as it is decoded, which is too short where
            # frames that lie far apart are decoded in another order.
            stream.options |= {"bf": "0"}
        self._time_base = time_base or 1 / rate
        stream.codec_context.time_base = stream.time_base = self._time_base
        self._duration = round(1 / rate / self._time_base)
        self._stream = stream

    def encode(self, picture: np.ndarray, stamp: int) -> None:
        """Takes a picture (h, w, 3), RGB, shown at `stamp` times the time base."""
        rows, cols = self._height - picture.shape[0], self._width - picture.shape[1]
        even = np.pad(picture, ((0, rows), (0, cols), (0, 0)), mode="edge")
        frame = _as_frame(even, stamp, self._time_base)
        frame.duration = self._duration
        self.container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Writes the pictures that the encoder still has."""
        self.container.mux(self._stream.encode(None))

    def close(self) -> None:
        """Writes the head, and closes the file."""
        self.container.close()


def encode_gif(
    path: str | os.PathLike,
    size: tuple[int, int],
    frames: Iterable[np.ndarray],
    rate: Fraction,
) -> int:
    """Writes an animated GIF that repeats for ever; returns the number of pictures.

    Args:
        path: The file.
        size: (h, w) of the pictures, px.
        frames: uint8 arrays (h, w, 3), RGB.
        rate: Pictures a second.
    """
    height, width = size
    number = 0
    with av.open(str(path), "w", format="gif") as container:
        stream = container.add_stream("gif", rate=min(rate, Fraction(GIF_RATE)))
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        stream.options = _WHOLE_FRAMES
        graph = _palette_graph(width, height, rate)
        for number, frame in enumerate(frames, 1):
            graph.push(_as_frame(frame, number - 1, 1 / rate))
            for reduced in filtered(graph):
                container.mux(stream.encode(reduced))
        graph.push(None)
        for reduced in filtered(graph):
            container.mux(stream.encode(reduced))
        container.mux(stream.encode(None))
    return number


def _as_frame(picture, stamp, time_base):
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame.pts, frame.time_base = stamp, time_base
    return frame


def _palette_graph(width, height, rate):
    """Filters that bring each frame to 256 colours of its own."""
    graph = av.filter.Graph()
    last = graph.add_buffer(
        width=width, height=height, format="rgb24", time_base=1 / rate
    )
    if rate > GIF_RATE:
        source, last = last, graph.add("fps", str(GIF_RATE))
        source.link_to(last)
    split = graph.add("split")
    palette = graph.add("palettegen", "stats_mode=single")
    colours = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=5")
    end = graph.add("buffersink")
    last.link_to(split)
    split.link_to(palette, 0, 0)
    split.link_to(colours, 1, 0)
    palette.link_to(colours, 0, 1)
    colours.link_to(end)
    graph.configure()
    return graph


def filtered(graph: av.filter.Graph) -> Iterator[av.frame.Frame]:
    """Yields the frames that have passed the filters so far."""
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
