"""Limbs, boxes, plates and texts painted on uint8 pictures, in place and smoothly.

What the drawings of `deephar.utils.drawing`, `deephar.utils.animation` and of the
command `predict` are made of. OpenCV fills shapes of any width to a sixteenth of a
pixel; Pillow writes, as OpenCV knows no letters beyond ASCII. A text that was written
once is kept, for the next frame of a video mostly says the same.
"""

import functools
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deephar.utils.fonts import font_file

OUTLINE = (25, 25, 25)
"""Of limbs, so that they are seen on any ground."""

INK, DARK_INK = (245, 245, 245), (18, 20, 24)
"""Of texts, on dark and on bright ground."""

PEOPLE = (
    *((0, 200, 255), (255, 145, 30), (150, 225, 60), (255, 100, 170), (165, 125, 255)),
    *((255, 220, 60), (60, 220, 170), (240, 80, 70), (110, 160, 255), (215, 175, 130)),
)
"""Colours of people: each number has one, and after ten they begin again."""

_SHIFT = 4
"""Bits of a pixel's fraction."""
_ROUND = [np.linspace(-np.pi / 2, np.pi / 2, corners) for corners in (7, 15)]
"""Angles of the corners of a rounded end, of a small one and a large one."""
_LARGE = 6.0
"""Radius of a large one, px."""
_RIM = 0.5
"""Px by which OpenCV's smooth edge of a shape reaches beyond it."""
_BAND = 32
"""Rows that are blended at once."""
_FAR = 1e6
_DOT = 3.5
"""Least radius of a joint that no limb leads to, px."""
_SMALL = 14
"""Size of letters, px, below which spaces are widened."""
_MORE = "…"


def person_color(number: int) -> tuple[int, int, int]:
    """RGB of a person by number, from 0."""
    return PEOPLE[number % len(PEOPLE)]


def paint_figure(
    picture: np.ndarray,
    points: np.ndarray,
    alpha: np.ndarray,
    links: Sequence[tuple[int, int]],
    colors: np.ndarray,
    width: float,
) -> None:
    """Paints limbs and joints with dark outlines.

    Args:
        picture: uint8 array (h, w, 3), changed in place.
        points: Array (joints, 2): (x, y) px.
        alpha: Opacity of each joint, [0, 1]; 0 for one that is not painted, nor are its
            limbs. A limb is as faint as the fainter of its two joints.
        links: Pairs of joints between which a limb is; later ones are above.
        colors: Array (joints, 3), RGB; a limb has the colour of its first joint.
        width: Of a limb, px; a joint is half as wide again, and one that is in no link
            two and a half times as wide.
    """
    joints = np.flatnonzero(alpha > 0)
    corner, size = _part(picture, points[joints], 2 * width + 2)
    if not size.all():
        return
    links = np.array(links, dtype=int).reshape(-1, 2)
    alone = max(1.25 * width, _DOT)
    dots = np.where(np.isin(joints, links), 0.75 * width, alone)
    links = links[(alpha[links] > 0).all(axis=1)]
    opacity = np.concatenate([alpha[links].min(axis=1), alpha[joints]])
    shades = np.concatenate([colors[links[:, 0]], colors[joints]])
    starts = np.concatenate([points[links[:, 0]], points[joints]]) - corner
    ends = np.concatenate([points[links[:, 1]], points[joints]]) - corner
    radius = np.concatenate([np.full(len(links), 0.5 * width), dots])
    order = np.argsort(opacity, kind="stable")
    paint = _ground(size[::-1], OUTLINE)
    mask = np.zeros(size[::-1], np.uint8)
    for extra, inner in ((max(0.25 * width, 0.6), False), (0.0, True)):
        shapes = _capsules(starts, ends, radius + extra)
        for one in order:
            shade = int(round(255 * opacity[one]))
            _fill(mask, shapes[one], shade)
            if inner:
                _fill(paint, shapes[one], tuple(int(v) for v in shades[one]))
    _blend(_cut(picture, corner, size), paint, mask)


def paint_strokes(
    picture: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    radii: np.ndarray,
    colors: Sequence[Sequence[float]],
) -> None:
    """Paints lines with round ends, one over the other; a dot, where the ends are one.

    Args:
        picture: uint8 array (h, w, 3), changed in place.
        starts, ends: Arrays (n, 2): (x, y) px.
        radii: Array (n,): half of the widths, px.
        colors: RGB of each.
    """
    shapes = _capsules(starts, ends, radii)
    for shape, color in zip(shapes, colors, strict=True):
        _fill(picture, shape, tuple(int(v) for v in color))


def paint_box(
    picture: np.ndarray,
    box: Sequence[float],
    color: tuple[int, int, int],
    width: float,
) -> None:
    """Paints a frame: thin along its sides, thick at its corners.

    Args:
        picture: uint8 array (h, w, 3), changed in place.
        box: (x1, y1, x2, y2) px; what is beyond the picture is left out.
        color: RGB.
        width: Of the sides, px; the corners are twice as thick.
    """
    x1, y1, x2, y2 = np.clip(np.asarray(box, np.float64), -_FAR, _FAR)
    arm = min(0.22 * min(x2 - x1, y2 - y1), 14 * width)
    corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    inward = arm * np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    tips = [corners + inward * axis for axis in np.eye(2)]
    starts, ends = np.tile(corners, (3, 1)), np.roll(corners, -1, axis=0)
    radii = np.repeat([0.5, 1.0], [4, 8]) * width
    paint_strokes(picture, starts, np.concatenate([ends, *tips]), radii, [color] * 12)


def paint_plate(
    picture: np.ndarray,
    box: Sequence[float],
    color: tuple[int, int, int],
    radius: float = 0.0,
    alpha: float = 1.0,
) -> None:
    """Fills a box with a colour, more or less opaque, its corners rounded.

    Args:
        picture: uint8 array (h, w, 3), changed in place.
        box: (x1, y1, x2, y2), rounded to whole px.
        color: RGB.
        radius: Of the corners, px.
        alpha: Opacity, [0, 1].
    """
    x1, y1, x2, y2 = (int(round(v)) for v in box)
    if x2 <= x1 or y2 <= y1:
        return
    if alpha == 1 and round(radius) == 0:
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), color, cv2.FILLED)
    else:
        mask = _plate(x2 - x1, y2 - y1, int(round(radius)), int(round(255 * alpha)))
        _stamp(picture, (x1, y1), mask, color)


def paint_text(
    picture: np.ndarray,
    text: str,
    place: tuple[float, float],
    color: tuple[int, int, int],
    size: float,
    align: float = 0.0,
) -> None:
    """Writes a line of text.

    Args:
        picture: uint8 array (h, w, 3), changed in place.
        text: The line.
        place: (x, y) px of the middle of its height, and of its left end.
        color: RGB.
        size: Of the font, px.
        align: 0 to begin at x, 0.5 to have its middle there, 1 to end there.
    """
    if not text:
        return
    mask = _written(text, round(size))
    x = int(round(place[0] - align * mask.shape[1]))
    y = int(round(place[1] - mask.shape[0] / 2))
    _stamp(picture, (x, y), mask, color)


def text_width(text: str, size: float) -> int:
    """Px that a line of text is wide."""
    return _written(text, round(size)).shape[1] if text else 0


@functools.lru_cache(maxsize=512)
def fit_text(text: str, width: float, size: float) -> str:
    """Shortens a text to a width in px: "Throw the ba…"; empty if not a letter fits."""
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip() + _MORE, size) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + _MORE if low else ""


def ink_on(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """The ink that is read better on a colour."""
    return DARK_INK if np.dot(color, (0.299, 0.587, 0.114)) > 115 else INK


def text_size(size: tuple[int, int]) -> int:
    """Height of a line of text, px, that suits a picture (w, h): 11 px or more."""
    return max(11, round(0.021 * float(size[0] * size[1]) ** 0.5))


def picture_array(picture) -> np.ndarray:
    """A uint8 array (rows, cols, 3), RGB, itself, or that of a PIL picture.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(picture, Image.Image):
        return np.array(picture.convert("RGB"))
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3:
        raise ValueError(
            f"`picture` must be a PIL picture or a uint8 array (rows, cols, 3). "
            f"Received: shape={picture.shape}, dtype={picture.dtype}"
        )
    return picture


def _part(picture, points, margin):
    """Corner (x, y) and size (w, h) of the part of a picture around points."""
    height, width = picture.shape[:2]
    if not len(points):
        return np.zeros(2, int), np.zeros(2, int)
    low = np.clip(np.floor(points.min(axis=0) - margin), 0, (width, height))
    high = np.clip(np.ceil(points.max(axis=0) + margin), 0, (width, height))
    return low.astype(int), np.maximum(high - low, 0).astype(int)


def _cut(picture, corner, size):
    return picture[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]]


def _capsules(starts, ends, radius):
    """Corners (n, corners, 2) of lines (n, 2) to (n, 2) with round ends."""
    along = ends - starts
    turn = np.arctan2(along[:, 1], along[:, 0])[:, None]
    turn = turn + _ROUND[int(np.max(radius, initial=0) > _LARGE)]
    arc = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    arc *= np.maximum(radius - _RIM, 0.05)[:, None, None]
    shapes = np.concatenate([ends[:, None] + arc, starts[:, None] - arc], axis=1)
    return np.rint(shapes * (1 << _SHIFT)).clip(-(1 << 30), 1 << 30).astype(np.int32)


def _ground(shape, color):
    return cv2.merge([np.full(shape, value, np.uint8) for value in color])


def _fill(picture, shape, color):
    cv2.fillConvexPoly(picture, shape, color, cv2.LINE_AA, _SHIFT)


def _blend(picture, paint, mask):
    """Puts paint (h, w, 3) on a part of a picture, as opaque as a mask (h, w).

    It goes band by band, and leaves out what lies beside: a figure covers little of the
    part around it.
    """
    for top in range(0, len(mask), _BAND):
        band = slice(top, top + _BAND)
        covered = np.flatnonzero(mask[band].any(axis=0))
        if len(covered):
            part = (band, slice(covered[0], covered[-1] + 1))
            opacity = np.multiply(mask[part], np.float32(1 / 255))
            below = picture[part]
            below[:] = cv2.blendLinear(paint[part], below, opacity, 1 - opacity)


def _stamp(picture, corner, mask, color):
    """Puts a colour on a picture, as opaque as a mask, of which a part may hang out."""
    x, y = corner
    left, top = max(-x, 0), max(-y, 0)
    mask = mask[top : picture.shape[0] - y, left : picture.shape[1] - x]
    if mask.size and x < picture.shape[1] and y < picture.shape[0]:
        height, width = mask.shape
        part = picture[y + top : y + top + height, x + left : x + left + width]
        _blend(part, _ground(mask.shape, color), mask)


@functools.lru_cache(maxsize=64)
def _plate(width, height, radius, opacity):
    """Mask (height, width) of a rounded rectangle."""
    if not radius:
        return np.full((height, width), opacity, np.uint8)
    zoom = 4
    image = Image.new("L", (zoom * width, zoom * height))
    box = (0, 0, zoom * width - 1, zoom * height - 1)
    ImageDraw.Draw(image).rounded_rectangle(box, zoom * radius, opacity)
    return np.array(image.reduce(zoom))


@functools.lru_cache(maxsize=512)
def _written(text, size):
    """Mask (height, width) of a line of text, as high as all lines of its size."""
    font = text_font(text, size)
    if _is_plain(text) and size < _SMALL:
        # The spaces of Pillow's font are hardly seen.
        text = text.replace(" ", "  ")
    ascent, descent = font.getmetrics()
    width = max(1, int(np.ceil(font.getlength(text))))
    image = Image.new("L", (width, ascent + descent))
    ImageDraw.Draw(image).text((0, 0), text, 255, font)
    return np.array(image)


def _is_plain(text):
    return text.replace(_MORE, "").isascii()


def text_font(text: str, size: float) -> ImageFont.FreeTypeFont:
    """Pillow's own font; of letters that it lacks, one that has them.

    Args:
        text: What is to be written, see `deephar.utils.fonts.font_file`.
        size: Of the letters, px.
    """
    return _font(None if _is_plain(text) else font_file(text), size)


@functools.lru_cache(maxsize=64)
def _font(file, size):
    if file is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(file, 0.92 * size)
