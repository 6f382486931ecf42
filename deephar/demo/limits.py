"""How much the demo page takes of anybody, in bytes, pixels, seconds and places."""

import dataclasses

_MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Limits:
    """What an upload may be, and what the server keeps.

    Attributes:
        max_mb: MiB of an upload.
        max_seconds: of a clip that are looked at; the rest is left out, and that said.
        timeout: s that receiving an upload, reading it and looking at it may take,
            each.
        pixels: of a picture or a frame, as stored.
        picture_side: px to which the longer side of a picture is brought, at most.
        clip_side: that of the frames of a clip and of a webcam.
        rate: frames a second of a clip that are looked at, at most.
        places: uploads that are received, wait or are looked at, at most.
        kept: uploads whose results are kept; the oldest goes first.
        streams: webcams at a time.
        frame_mb: MiB of a webcam's frame.
        idle: s without a frame after which a webcam's place is another's.
        memory_mb: MiB of addresses that the process which reads uploads may take.
    """

    max_mb: float = 64.0
    max_seconds: float = 20.0
    timeout: float = 180.0
    pixels: int = 64_000_000
    picture_side: int = 1600
    clip_side: int = 960
    rate: float = 30.0
    places: int = 6
    kept: int = 6
    streams: int = 4
    frame_mb: float = 2.0
    idle: float = 30.0
    memory_mb: int = 4096

    @property
    def max_bytes(self) -> int:
        """Bytes of an upload."""
        return int(self.max_mb * _MIB)

    @property
    def frame_bytes(self) -> int:
        """Bytes of a webcam's frame."""
        return int(self.frame_mb * _MIB)
