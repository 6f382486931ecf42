"""Files that are no pictures and no videos, and what is said of them."""

import struct
import zlib

from demo_server import encoded


def png_of(width, height):
    """The head of a PNG of any size, and no pixels."""
    head = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head
    return start + struct.pack(">2I", zlib.crc32(head), 9) + b"IDAT" + bytes(9)


NEITHER = "the file is no picture or video that can be read"
MALFORMED = {
    "nothing": (b"", "the file is empty"),
    "a byte": (b"x", NEITHER),
    "text": (b"hello, this is no picture\n" * 50, NEITHER),
    "html": (b"<!doctype html><script>alert(1)</script>", NEITHER),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", NEITHER),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nrun", NEITHER),
    "zip": (b"PK\x03\x04" + bytes(200), NEITHER),
    "zeros": (bytes(4000), NEITHER),
    "noise": (bytes(range(256)) * 20, NEITHER),
    "a playlist": (b"#EXTM3U\n#EXTINF:9,\nfile:///a.mp4\n#EXT-X-ENDLIST\n", NEITHER),
    "a list of files": (b"ffconcat version 1.0\nfile upload\n", NEITHER),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50), "HEIC is not read"),
    "the head of a jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", NEITHER),
    "half a jpeg": (encoded("JPEG", (200, 200), quality=95)[:700], "is truncated"),
    "half a png": (encoded("PNG", (99, 99))[:60], "the picture: image file"),
    "400 megapixels": (png_of(20000, 20000), "may have 64 megapixels. Received: 20"),
    "a picture of no size": (png_of(0, 9), "cannot read the picture|no picture"),
    "a gif without pictures": (b"GIF89a\x09\0\x09\0\0\0\0;", "cannot read|no picture"),
    "a broken tiff": (b"II*\0\xff\xff\xff\x7f" + bytes(40), NEITHER),
    "a broken bmp": (b"BM" + struct.pack("<IHHIIiiHH", 99, 0, 0, 54, 40, -5, 9, 1, 24),
                     "cannot read|no picture"),
}  # fmt: skip
