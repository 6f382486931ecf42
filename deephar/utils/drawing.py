"""Poses and actions drawn on pictures, and pictures in a table.

Colours tell the sides apart: green spine, red right arm, blue left arm, yellow right
leg, magenta left leg.
"""

import functools
import os
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from deephar.utils.painting import OUTLINE, paint_figure, picture_array, text_font
from deephar.utils.pose import is_valid

_RGB = {
    "g": (70, 205, 90),
    "r": (235, 55, 50),
    "b": (50, 120, 250),
    "y": (250, 205, 45),
    "m": (225, 65, 220),
    "w": (240, 240, 240),
}
_GIRDLES = (
    *(("thorax", "r_shoul"), ("thorax", "l_shoul")),
    *(("pelvis", "r_hip"), ("pelvis", "l_hip")),
)
_TITLE_HEIGHT, _TITLE_SIZE = 18, 10
_GAP = 4
_FARTHEST = 1e5
_MOST_SCORES = 5
_JPEG_QUALITY = 92


def draw_pose(
    picture,
    pose: np.ndarray,
    poselayout,
    confidence: np.ndarray | None = None,
    line_width: float | None = None,
) -> Image.Image:
    """Draws one pose on a copy of a picture.

    Args:
        picture: PIL picture or uint8 array (rows, cols, 3).
        pose: Array (joints, 2 or more): (x, y) in px of the picture, then anything.
            Invalid, NaN and infinite joints and their limbs are left out.
        poselayout: Layout of `deephar.utils.pose`.
        confidence: Array (joints,) or (joints, 1) in [0, 1]: joints fade with it, and a
            limb with the weaker of its two; None to fade nothing.
        line_width: Width of a limb, px; None for one that suits the person's size.

    Returns:
        RGB picture of the same size.

    Raises:
        ValueError: `pose` or `confidence` does not have the layout's joints.
    """
    array = np.array(picture_array(picture), order="C")
    paint_pose(array, pose, poselayout, confidence, line_width)
    return Image.fromarray(array)


def paint_pose(
    picture: np.ndarray,
    pose: np.ndarray,
    poselayout,
    confidence: np.ndarray | None = None,
    line_width: float | None = None,
) -> None:
    """As `draw_pose`, on the uint8 array (rows, cols, 3) itself."""
    points, alpha = _points_and_alpha(pose, poselayout, confidence)
    known = alpha > 0
    if not known.any():
        return
    if line_width is None:
        size = np.ptp(points[known], axis=0).max()
        line_width = np.clip(size / 45, 1.5, max(14, len(picture) / 80))
    links, colors = limbs(poselayout)
    paint_figure(picture, points, alpha, links, colors, line_width)


def _to_image(picture):
    """Returns an RGB copy of a PIL picture or of a uint8 array."""
    return Image.fromarray(picture_array(picture))


def _points_and_alpha(pose, poselayout, confidence):
    """Returns (joints, 2) and the opacity of each joint, 0 for one not to be drawn."""
    pose = np.asarray(pose, dtype=np.float64)
    joints = poselayout.num_joints
    if pose.ndim != 2 or len(pose) != joints or pose.shape[1] < 2:
        raise ValueError(
            f"`pose` must have the shape ({joints}, 2 or more). "
            f"Received: pose.shape={pose.shape}"
        )
    points = pose[:, :2]
    known = (is_valid(points) & (np.abs(points) < _FARTHEST)).all(axis=-1)
    alpha = np.ones(joints)
    if confidence is not None:
        if np.size(confidence) != joints:
            raise ValueError(
                f"`confidence` must have {joints} values. "
                f"Received: confidence.shape={np.shape(confidence)}"
            )
        alpha = np.clip(np.nan_to_num(np.reshape(confidence, joints)), 0.12, 1.0)
    return np.where(known[:, None], points, 0.0), alpha * known


@functools.lru_cache(maxsize=16)
def limbs(poselayout) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Returns how a layout's poses are drawn.

    Returns:
        Pairs of joints between which a limb is drawn, those of the girdles first, and
        the colours (joints, 3), RGB.
    """
    names = list(poselayout.joint_names)
    girdles = [pair for pair in _GIRDLES if set(pair) <= set(names)]
    links = [(names.index(a), names.index(b)) for a, b in girdles]
    colors = [_RGB[poselayout.color[index]] for index in poselayout.cmap]
    return [*links, *(tuple(link) for link in poselayout.links)], np.array(colors)


def limbs_in_space(poselayout) -> tuple[list[tuple[int, int]], np.ndarray]:
    """As `limbs`, for figures that turn: each limb once, by its second joint."""
    links, colors = limbs(poselayout)
    return sorted(set(links), key=lambda link: link[::-1]), colors


def draw_action(
    picture,
    labels: Sequence[str],
    scores: Sequence[float],
    box: Sequence[float] | None = None,
    answer: str | None = None,
) -> Image.Image:
    """Draws the action, the scores of the classes and the box on a copy of a picture.

    They stand in a dark panel in the upper left corner: the answer, then the classes
    with their scores and bars as long, five at most, the best ones in their order.

    Args:
        picture: PIL picture or uint8 array (rows, cols, 3).
        labels: Names of the classes.
        scores: Probability of each, [0, 1]; NaN counts as 0.
        box: (x1, y1, x2, y2) of the person, px; None for none.
        answer: The text of the first line; None for the class of the best score.

    Returns:
        RGB picture of the same size.

    Raises:
        ValueError: There are not as many scores as labels, or none.
    """
    image = _to_image(picture)
    values = np.clip(np.nan_to_num(np.asarray(scores, dtype=np.float64)), 0, 1)
    if values.shape != (len(labels),) or not len(labels):
        raise ValueError(
            f"`scores` must be one for each of the {len(labels)} labels, at least one. "
            f"Received: scores.shape={values.shape}"
        )
    if box is not None:
        image = draw_box(image, box)
    canvas = ImageDraw.Draw(image, "RGBA")
    best = np.sort(np.argsort(-values, kind="stable")[:_MOST_SCORES])
    answer = labels[int(values.argmax())] if answer is None else answer
    rows = [(f"{labels[i]} {values[i]:.3f}", float(values[i])) for i in best]
    _draw_panel(canvas, answer, rows, _text_size(image))
    return image


def draw_box(picture, box: Sequence[float]) -> Image.Image:
    """Draws a person's box on a copy of a picture.

    Args:
        picture: PIL picture or uint8 array (rows, cols, 3).
        box: (x1, y1, x2, y2), px.

    Returns:
        RGB picture of the same size.
    """
    image = _to_image(picture)
    width = max(2, round(_text_size(image) / 8))
    canvas = ImageDraw.Draw(image, "RGBA")
    canvas.rectangle(tuple(box), outline=_RGB["y"], width=width)
    return image


def close_up(
    picture, window: Sequence[float], side: int = 384
) -> tuple[Image.Image, Callable]:
    """Cuts a window out of a picture and enlarges it, to draw on.

    Args:
        picture: PIL picture or uint8 array (rows, cols, 3).
        window: (x1, y1, x2, y2), px; beyond the picture it is black.
        side: Longer side of the result, px.

    Returns:
        RGB picture, and the function from points (n, 2 or more), x and y in px of the
        picture, to the same in px of the result.
    """
    corners = np.array([*np.floor(window[:2]), *np.ceil(window[2:])], dtype=int)
    size = corners[2:] - corners[:2]
    zoom = side / size.max()

    def move(points: np.ndarray) -> np.ndarray:
        moved = np.array(points, dtype=np.float64)
        known = is_valid(moved[:, :2])
        inside = (moved[:, :2] - corners[:2]) * zoom
        moved[:, :2] = np.where(known, inside, moved[:, :2])
        return moved

    cut = _to_image(picture).crop(tuple(corners.tolist()))
    small = tuple(np.maximum(np.rint(size * zoom), 1).astype(int).tolist())
    return cut.resize(small, Image.Resampling.LANCZOS), move


def save_drawing(image: Image.Image, path: str | os.PathLike) -> None:
    """Saves a picture that was drawn on as JPEG; thin lines keep their colours."""
    image.save(path, format="JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4")


def _text_size(image):
    """Height of a line of text, px, that suits a picture."""
    return float(np.clip(min(image.size) / 24, 9, 28))


def _draw_panel(canvas, answer, rows, size):
    """Draws a line of text and lines of text with bars; `size` of the text in px."""
    large, small = text_font(answer, 1.15 * size), 0.9 * size
    widths = [canvas.textlength(text, text_font(text, small)) for text, _ in rows]
    width = max(canvas.textlength(answer, large), *widths) + size
    canvas.rectangle((0, 0, width, (1.8 + 1.4 * len(rows)) * size), (*OUTLINE, 200))
    canvas.text((size / 2, 0.2 * size), answer, _RGB["w"], large)
    for number, (text, value) in enumerate(rows):
        top = (1.7 + 1.4 * number) * size
        full = (width - size) * value
        bar = (size / 2, top, size / 2 + full, top + 1.2 * size)
        canvas.rectangle(bar, (*_RGB["b"], 200))
        place = (size / 2, top + 0.05 * size)
        canvas.text(place, text, _RGB["w"], text_font(text, small))


def contact_sheet(
    pictures: Sequence, columns: int = 4, titles: Sequence[str] | None = None
) -> Image.Image:
    """Lays pictures out in a table, row by row.

    Args:
        pictures: PIL pictures or uint8 arrays (rows, cols, 3), of any sizes; a cell is
            as large as the largest.
        columns: Pictures in a row.
        titles: A line of text above each picture, cut to its width; None for none.

    Returns:
        RGB picture with a white ground.
    """
    images = [_to_image(picture) for picture in pictures]
    if not images or columns < 1:
        raise ValueError(
            f"`pictures` and `columns` must be at least one. "
            f"Received: {len(images)} pictures, columns={columns}"
        )
    if titles is not None and len(titles) != len(images):
        raise ValueError(
            f"`titles` must be one for each of the {len(images)} pictures. "
            f"Received: {len(titles)} titles"
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    head = 0 if titles is None else _TITLE_HEIGHT
    width = max(image.width for image in images)
    height = max(image.height for image in images) + head
    size = (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    sheet = Image.new("RGB", size, "white")
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        corner = (_GAP + column * (width + _GAP), _GAP + row * (height + _GAP))
        if titles is not None:
            sheet.paste(_title(str(titles[number]), width), corner)
        sheet.paste(image, (corner[0], corner[1] + head))
    return sheet


def _title(text, width):
    line = Image.new("RGB", (width, _TITLE_HEIGHT), "white")
    ImageDraw.Draw(line).text((1, 1), text, "black", text_font(text, _TITLE_SIZE))
    return line
