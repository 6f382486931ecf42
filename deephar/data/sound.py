"""The sound of a video on its way into the MP4 of its drawn pictures."""

import io
import logging
import os
from collections.abc import Iterator
from fractions import Fraction

import av

from deephar.data.encoding import filtered
from deephar.data.videos import Video, sound_stream

logger = logging.getLogger(__name__)

COPIED = ("aac", "mp3", "opus", "ac3", "eac3", "alac")
"""Kinds of sound that an MP4 can hold as they are, but for MP3 of few samples a second;
others are encoded anew, as AAC."""

_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Samples a second of AAC."""
_FRAME = 1024
"""Samples of a frame of AAC."""
_LEAD = 0.05
"""Sound before the start that is kept, s: a decoder needs some to begin with. Players
pass over it, as the file tells them."""


def open_sound(path: str | os.PathLike) -> "Sound | None":
    """The sound of a video; None where it has none.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no video.
    """
    with Video(path) as video:
        return Sound(video.path, video.start) if video.has_sound else None


class Sound:
    """The sound of a video, which is put into an MP4 while it is written.

    Args:
        path: The video.
        start: Time of its first frame by its own clock, s.
    """

    def __init__(self, path: str, start: float):
        self.path, self._start = path, start
        self._source = av.open(os.path.abspath(path), metadata_errors="replace")
        self._stream = sound_stream(self._source)

    def begin(self, container, time: float) -> None:
        """Adds the sound's stream to an MP4, before anything is written to it.

        Args:
            container: The MP4, of PyAV.
            time: Where the pictures begin, s from the first frame on.
        """
        self._container = container
        start = Fraction(self._start + time)
        name = self._stream.codec.canonical_name
        # Without its head AAC comes from a transport stream, whose form is another.
        headless = name == "aac" and not self._stream.codec_context.extradata
        if name in COPIED and not headless and _fits(self._stream):
            packets = self._copied(start)
        else:
            packets = self._encoded(start)
        self._packets = self._told(packets)
        self._next = next(self._packets, None)

    def write_until(self, time: float) -> None:
        """Writes what begins before a time, s from the first picture written."""
        while self._next is not None and self._next[0] < time:
            self._container.mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Closes the file."""
        self._source.close()

    def _told(self, packets: Iterator) -> Iterator:
        """Ends, and says so, where the sound cannot be read further."""
        try:
            yield from packets
        except av.FFmpegError as error:
            logger.warning("%s: the sound ends early: %s", self.path, error.strerror)

    def _copied(self, start: Fraction) -> Iterator[tuple[float, av.Packet]]:
        """Yields (when it begins, packet), as they are in the file."""
        stream = self._container.add_stream_from_template(self._stream)

        def shifted():
            for packet in self._source.demux(self._stream):
                if not packet.size or packet.pts is None or packet.dts is None:
                    continue
                shift = round(start / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                begin = float(packet.pts * packet.time_base)
                if begin >= -_LEAD:
                    packet.stream = stream
                    yield begin, packet

        return shifted()

    def _encoded(self, start: Fraction) -> Iterator[tuple[float, av.Packet]]:
        """Yields (when it begins, packet) of AAC."""
        source = self._stream.codec_context
        enough = (rate for rate in _RATES if rate >= source.sample_rate)
        rate = next(enough, _RATES[-1])
        layout = "mono" if source.layout.nb_channels == 1 else "stereo"
        try:
            graph = self._graph(start, rate, layout)
        except av.FFmpegError as error:
            about = (self.path, error.strerror)
            logger.warning("%s: the sound cannot be taken over: %s", *about)
            return iter(())
        stream = self._container.add_stream("aac", rate=rate, layout=layout)

        def encoded(frame=None):
            for packet in stream.encode(frame):
                yield float(packet.pts * packet.time_base), packet

        def all_encoded():
            for packet in self._source.demux(self._stream):
                for frame in self._decode(packet):
                    graph.push(frame)
                    for one in filtered(graph):
                        yield from encoded(one)
            graph.push(None)
            for one in filtered(graph):
                yield from encoded(one)
            yield from encoded()

        return all_encoded()

    def _decode(self, packet) -> list[av.AudioFrame]:
        try:
            return packet.decode()
        except av.FFmpegError as error:
            about = (self.path, float((packet.pts or 0) * packet.time_base))
            logger.warning("%s: no sound at %.2f s: %s", *about, error.strerror)
            return []

    def _graph(self, start: Fraction, rate: int, layout: str):
        """Filters: from the start on, gaps filled, as the encoder wants it."""
        graph = av.filter.Graph()
        begin = f"{float(start):.6f}"
        form = f"sample_fmts=fltp:sample_rates={rate}:channel_layouts={layout}"
        steps = (
            graph.add_abuffer(template=self._stream),
            graph.add("atrim", f"start={begin}"),
            graph.add("asetpts", f"PTS-{begin}/TB"),
            graph.add("aresample", "async=1:first_pts=0"),
            graph.add("aformat", form),
            graph.add("asetnsamples", f"n={_FRAME}:p=0"),
            graph.add("abuffersink"),
        )
        graph.link_nodes(*steps).configure()
        return graph


def _fits(stream: av.AudioStream) -> bool:
    """Whether an MP4 takes sound of a kind in `COPIED` as it is."""
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as container:
            container.add_stream_from_template(stream)
            container.start_encoding()
    except av.FFmpegError:
        return False
    return True
