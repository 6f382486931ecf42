"""Videos written by PyAV, whole or not at all: H.264 in MP4, and GIF."""

import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import av
import numpy as np

from deephar.utils.fs import whole_path
from deephar.utils.messages import shown

SUFFIXES = (".mp4", ".gif")
"""What `write_video` can write."""

GIF_RATE = 50
"""Viewers show no more frames of a GIF per second."""

_WHOLE_FRAMES = {"gifflags": "0"}
"""FFmpeg writes what changed since the frame before if a palette is that of the first
frame, and takes equal numbers for equal colours even if the palettes differ."""

_FINEST_RATE = 1001
"""Denominators of the rates of films go no higher: 30000 / 1001."""


def write_video(
    path: str | os.PathLike,
    frames: Iterable[np.ndarray],
    rate: float,
    bitrate: int = 3_000_000,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Writes a video; it appears whole or not at all.

    Only a few frames are in memory at a time. An MP4 is H.264 in yuv420p with its head
    in front, which players and browsers show while it still loads; as it needs even
    lengths, the last row or column of a frame may stand twice. A GIF repeats for ever,
    each frame has a palette of its own, and of a rate above `GIF_RATE` frames are left
    out.

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
    if not 0 < rate < float("inf") or bitrate < 1:
        raise ValueError(
            f"`rate` and `bitrate` must be positive. "
            f"Received: rate={rate}, bitrate={bitrate}"
        )
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError(f"`frames` must hold a frame at least, for {path}")
    rate = Fraction(rate).limit_denominator(_FINEST_RATE) or Fraction(1, _FINEST_RATE)
    given = (np.shape(first)[:2], _counted(first, frames, progress), rate)
    with whole_path(path) as draft:
        if path.suffix.lower() == ".gif":
            return _encode_gif(draft, *given)
        return _encode_mp4(draft, *given, bitrate)


def check_video_path(path: str | os.PathLike) -> None:
    """Refuses what `write_video` could not write to, before frames are made for it.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if `path` has another suffix than .mp4 and .gif.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"`path` must end in {' or '.join(SUFFIXES)}. Received: path={str(path)!r}"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder of `path` must exist. Received: path={str(path)!r}"
        )


def _counted(
    first: np.ndarray, others: Iterable[np.ndarray], progress: Callable | None
) -> Iterator[np.ndarray]:
    """Gives the frames, checked, and tells of each when the next one is asked for."""
    shape, number = np.shape(first), 0
    while first is not None:
        good = isinstance(first, np.ndarray) and first.dtype == np.uint8
        if not good or first.ndim != 3 or first.shape != (*shape[:2], 3):
            raise ValueError(
                f"`frames` must be uint8 arrays (h, w, 3) of one size, the first has "
                f"{shape}. Received: {shown(first)}"
            )
        yield first
        number += 1
        if progress is not None:
            progress(number)
        first = next(others, None)


def _encode_mp4(path, size, frames, rate, bitrate) -> int:
    height, width = (length + length % 2 for length in size)
    number = 0
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate, stream.options = bitrate, {"preset": "faster"}
        for number, frame in enumerate(frames, 1):
            rows, cols = height - frame.shape[0], width - frame.shape[1]
            even = np.pad(frame, ((0, rows), (0, cols), (0, 0)), mode="edge")
            container.mux(stream.encode(_as_frame(even, number, rate)))
        container.mux(stream.encode(None))
    return number


def _encode_gif(path, size, frames, rate) -> int:
    height, width = size
    number = 0
    with av.open(str(path), "w", format="gif") as container:
        stream = container.add_stream("gif", rate=min(rate, Fraction(GIF_RATE)))
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        stream.options = _WHOLE_FRAMES
        graph = _palette_graph(width, height, rate)
        for number, frame in enumerate(frames, 1):
            graph.push(_as_frame(frame, number, rate))
            for reduced in _ready(graph):
                container.mux(stream.encode(reduced))
        graph.push(None)
        for reduced in _ready(graph):
            container.mux(stream.encode(reduced))
        container.mux(stream.encode(None))
    return number


def _as_frame(picture, number, rate):
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame.pts, frame.time_base = number - 1, 1 / rate
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


def _ready(graph):
    """Gives the frames that have passed the filters."""
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
