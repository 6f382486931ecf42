"""From a picture file to RGB pixels: whole, or only what a crop looks at.

Of a JPEG the part that a crop needs is decoded, at 1/2, 1/4 or 1/8 where the crop
shrinks it so far. Where TensorFlow is loaded its JPEG decoder is taken, which passes
over the rows and columns around the part; without it Pillow decodes the whole picture.
The pixels are the same.
"""

import abc
import contextlib
import errno
import io
import math
import os
import pathlib
import struct
import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

from deephar.utils.warp import Resampler, source_step

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}
"""Of the files of a folder that are taken for pictures."""

_UNREADABLE = (
    Image.DecompressionBombError,
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders raise, here or there, for damaged files."""

_FAST_SHRINK = 2**0.5
"""How much smaller than the crop wants it a picture may be decoded for `fast`."""
_MARGIN = 2
"""Px around a part: the colours of a JPEG's outermost columns lack a neighbour."""
_END_OF_JPEG = b"\xff\xd9"
_SIZE_TOLERANCE = 2
"""How far the size of a picture may be from the annotated one, px."""


class PictureError(OSError):
    """A picture that is there and cannot be read.

    Attributes:
        path: The file.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str):
        super().__init__(f"cannot read the picture {path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self):
        return type(self), (self.path, self.reason)


class AnnotationError(OSError):
    """Annotations of a sample that cannot be read, or do not tell where to look.

    Attributes:
        path: The file, or the video.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str):
        super().__init__(f"no annotations of {path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self):
        return type(self), (self.path, self.reason)


def open_picture(path: str | os.PathLike, upright: bool = False) -> Image.Image:
    """Reads a whole picture and makes it RGB; see `to_rgb`.

    Args:
        path: The file.
        upright: Whether to turn the picture as its EXIF orientation says, as viewers
            do: for predictions on a user's own pictures. The labels of a data set refer
            to the pixels as stored, so its pictures are not turned.

    Returns:
        Decoded PIL picture in mode RGB.

    Raises:
        FileNotFoundError: if there is no such file.
        PictureError: if it is cut short, damaged or no picture, or its values have no
            meaning as colours.
    """
    path = os.fspath(path)
    with reading(path), Image.open(path) as image:
        image.load()
        return to_rgb(ImageOps.exif_transpose(image) if upright else image)


def read_size(path: str | os.PathLike) -> tuple[int, int]:
    """Returns the (w, h) of a picture, px, as stored; it is not decoded.

    Raises:
        FileNotFoundError: if there is no such file.
        PictureError: if it is no picture.
    """
    path = os.fspath(path)
    with reading(path), Image.open(path) as image:
        return image.size


def num_pages(path: str | os.PathLike, of_format: str | None = None) -> int:
    """Returns the number of pages, or pictures of an animation, in a picture file.

    Args:
        path: The file.
        of_format: Pillow's name of the only format that counts; others have one page.

    Raises:
        FileNotFoundError: if there is no such file.
        PictureError: if it is no picture.
    """
    path = os.fspath(path)
    with reading(path), Image.open(path) as image:
        # The other pictures of a phone's JPEG belong to the first: depth, brightness.
        alone = image.format == "MPO" or of_format not in (None, image.format)
        return 1 if alone else getattr(image, "n_frames", 1)


def picture_files(path: str | os.PathLike) -> list[pathlib.Path]:
    """The picture itself, or the pictures of a folder by name.

    Raises:
        ValueError: if the folder has none.
    """
    place = pathlib.Path(path)
    if not place.is_dir():
        return [place]
    files = (p for p in place.iterdir() if p.is_file())
    found = sorted(p for p in files if p.suffix.lower() in ENDINGS)
    if not found:
        raise ValueError(f"{place}: no pictures ({' '.join(sorted(ENDINGS))}) in it")
    return found


def check_size(
    path: str, size: tuple[int, int], annotated: tuple[int, int] | None
) -> None:
    """Raises PictureError if the (w, h) of a picture is not as it is annotated, px."""
    if annotated is None:
        return
    if np.abs(np.subtract(size, annotated)).max() > _SIZE_TOLERANCE:
        raise PictureError(
            path, f"it must have the annotated size {tuple(annotated)} px, not {size}"
        )


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Names the picture in whatever its decoder raises."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "no such picture", path) from error
    except _UNREADABLE as error:
        reason = str(error) or type(error).__name__
        raise PictureError(path, reason) from error


class PictureSource(abc.ABC):
    """A picture from which crops are made.

    Args:
        path: The file.
        size: (w, h) of the picture, px.
        is_jpeg: Whether it can be decoded at reduced size.
        fast: Whether a crop interpolates between four pixels instead of averaging over
            all that a pixel of it covers, and takes the picture at half its size
            already where it shrinks it by 1.4 instead of 2.
    """

    def __init__(
        self, path: str, size: tuple[int, int], is_jpeg: bool, fast: bool = False
    ):
        self.path = path
        self.size = size
        self.is_jpeg = is_jpeg
        self.fast = fast

    def crop(self, matrix: np.ndarray, size: Sequence[int]) -> np.ndarray:
        """Returns a crop of the picture.

        Args:
            matrix: (3, 3), from px of the picture to px of the crop.
            size: (w, h) of the crop, px.

        Returns:
            uint8 array (h, w, 3), RGB, black outside the picture.

        Raises:
            PictureError: if the picture cannot be read.
        """
        ratio = self.ratio(source_step(matrix))
        reduced = reduced_size(self.size, ratio)
        if ratio > 1:
            matrix = matrix @ np.diag([ratio, ratio, 1.0])
        resampler = Resampler(matrix, size, reduced, antialias=not self.fast)
        return resampler(*self.read(ratio, resampler.box))

    def ratio(self, step: float) -> int:
        """Returns 2, 4 or 8 where a JPEG is needed at that part of its size only.

        Args:
            step: Px of the picture, along a side, that fall on one of the crop.
        """
        if not self.is_jpeg:
            return 1
        step = min(step * _FAST_SHRINK if self.fast else step, *self.size)
        return next(ratio for ratio in (8, 4, 2, 1) if ratio <= step or ratio == 1)

    @abc.abstractmethod
    def read(
        self, ratio: int, box: tuple[int, int, int, int] | None
    ) -> tuple[np.ndarray, tuple[int, int]]:
        """Returns pixels of the picture at 1 / `ratio` of its size.

        Args:
            ratio: 1, 2, 4 or 8.
            box: (x1, y1, x2, y2), px of the reduced picture; None if none is needed.

        Returns:
            uint8 array (rows, cols, 3), RGB, that covers `box`; (x, y) of its first
            pixel.
        """


class PictureFile(PictureSource):
    """A picture file, read and of known size, not yet decoded.

    Args:
        path: The file.
        fast: See `PictureSource`.

    Raises:
        FileNotFoundError: if there is no such file.
        PictureError: if it is no picture.
    """

    def __init__(self, path: str, fast: bool = False):
        with reading(path):
            with open(path, "rb") as file:
                self._content = file.read()
            self._image = Image.open(io.BytesIO(self._content))
        is_jpeg = isinstance(self._image, JpegImagePlugin.JpegImageFile)
        super().__init__(path, self._image.size, is_jpeg, fast)

    def read(self, ratio, box):
        """Decodes the box, or the whole picture where no decoder can do less."""
        if box is not None and self._is_plain_jpeg():
            size = reduced_size(self.size, ratio)
            part = _decode_part(self._content, ratio, widen(box, _MARGIN, size))
            if part is not None:
                return part
        with reading(self.path):
            if ratio > 1:
                width, height = self.size
                self._image.draft(None, (width // ratio, height // ratio))
            self._image.load()
            if self._image.mode in ("RGB", "L", "CMYK") and box is not None:
                return np.asarray(to_rgb(self._image.crop(box))), box[:2]
            return np.asarray(to_rgb(self._image)), (0, 0)

    def _is_plain_jpeg(self):
        """Whether Pillow would read this JPEG to its end, and see nothing but RGB."""
        return (
            self._image.format == "JPEG"
            and self._image.mode in ("RGB", "L")
            and self._content.rstrip(b"\0").endswith(_END_OF_JPEG)
        )


class KeptPicture(PictureSource):
    """A picture file of which many crops are made: its pixels are kept.

    It is decoded whole, once for each reduced size that a crop asks for.

    Args and raises as of `PictureFile`.
    """

    def __init__(self, path: str, fast: bool = False):
        file = PictureFile(path, fast)
        super().__init__(path, file.size, file.is_jpeg, fast)
        self._kept: dict[int, tuple] = {}

    def read(self, ratio, box):
        """Returns the whole picture."""
        if ratio not in self._kept:
            whole = (0, 0, *reduced_size(self.size, ratio))
            self._kept[ratio] = PictureFile(self.path).read(ratio, whole)
        return self._kept[ratio]


def reduced_size(size: tuple[int, int], ratio: int) -> tuple[int, int]:
    """Returns (w, h) of a JPEG decoded at 1 / `ratio`."""
    return math.ceil(size[0] / ratio), math.ceil(size[1] / ratio)


def widen(box, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Returns `box` in whole px with a margin around, within a picture of `size`."""
    x1, y1, x2, y2 = box
    return (
        max(math.floor(x1 - margin), 0),
        max(math.floor(y1 - margin), 0),
        min(math.ceil(x2 + margin), size[0]),
        min(math.ceil(y2 + margin), size[1]),
    )


def _decode_part(content: bytes, ratio: int, box) -> Any:
    """Returns (pixels, corner) of a box of a JPEG by TensorFlow, if it is loaded.

    It is not imported for this: that takes longer than a thousand pictures. None where
    it is not loaded or refuses the file.
    """
    tensorflow = sys.modules.get("tensorflow")
    decode = getattr(getattr(tensorflow, "raw_ops", None), "DecodeAndCropJpeg", None)
    if decode is None:
        return None
    x1, y1, x2, y2 = box
    try:
        part = decode(
            contents=tensorflow.constant(content),
            crop_window=tensorflow.constant([y1, x1, y2 - y1, x2 - x1]),
            channels=3,
            ratio=ratio,
            dct_method="INTEGER_ACCURATE",
        )
    except tensorflow.errors.OpError:
        return None
    return np.asarray(memoryview(part)), (x1, y1)


def to_rgb(image: Image.Image) -> Image.Image:
    """Makes a decoded picture of any mode an RGB picture of 8 bits.

    Of 16 bits the upper 8 are kept, floating point levels go from [0, 1] to [0, 255],
    and what is transparent lies on black.

    Args:
        image: PIL picture.

    Returns:
        PIL picture in mode RGB of the same size; `image` itself if it is one already.

    Raises:
        ValueError: if floating point levels lie outside [0, 1], or Pillow has no way
            from the mode to RGB.
    """
    if image.mode == "RGB":
        return image.copy() if image.readonly else image
    if image.mode == "F":
        return _from_unit_range(np.asarray(image))
    if image.mode.startswith("I"):
        levels = np.clip(np.asarray(image) // 256, 0, 255)
        return Image.fromarray(levels.astype(np.uint8)).convert("RGB")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or (
        "transparency" in image.info
    ):
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, image).convert("RGB")
    return image.convert("RGB")


def _from_unit_range(levels: np.ndarray) -> Image.Image:
    low, high = float(levels.min()), float(levels.max())
    if not (0 <= low and high <= 1):
        raise ValueError(
            "a floating point picture must have levels in [0, 1]. "
            f"Received: levels from {low:g} to {high:g}"
        )
    return Image.fromarray(np.rint(levels * 255).astype(np.uint8)).convert("RGB")
