"""Lists of pictures with a person's box, as detectors and trackers give them: TSV.

A line is `path TAB score TAB x1 TAB y1 TAB x2 TAB y2`: the picture, how sure the
detector is, and two corners, px. The lines are frames in their order.

Source: exp/merl/read_bboxdata.py of pminhtam's fork of deephar.
"""

import os
import pathlib
import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from deephar.utils.fs import write_text

_FORM = "path, score, x1, y1, x2, y2, parted by tabs"
_NO_PATH = re.compile(r"[\t\r\n]|^\ufeff")
"""What parts lines and their fields, and the mark that texts of Windows begin with."""


class BoxRow(NamedTuple):
    """A picture and the person's box in it.

    Attributes:
        picture: Path of the picture.
        score: How sure the detector is.
        box: (x1, y1, x2, y2) px, x1 < x2 and y1 < y2.
    """

    picture: str
    score: float
    box: tuple[float, float, float, float]


def read_box_list(
    path: str | os.PathLike, pictures: str | os.PathLike = ""
) -> list[BoxRow]:
    """Reads a list of boxes; empty lines are passed over.

    Args:
        path: The list.
        pictures: Folder that its paths start from, if not from the current one.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a line is not of that form, naming file and line; if there is no
            line.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no list of boxes: {path}")
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be a text in UTF-8: {error}") from error
    rows = [
        _parse(f"{path}, line {number}", line)
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not rows:
        raise ValueError(f"{path} must have lines of {_FORM}. Received: none")
    return [row._replace(picture=os.path.join(pictures, row.picture)) for row in rows]


def write_box_list(path: str | os.PathLike, rows: Iterable[BoxRow]) -> None:
    """Writes a list of boxes, whole or not at all.

    Raises:
        ValueError: if a row could not be read as it is.
        OSError: if the file cannot be written.
    """
    rows = list(rows)
    for number, row in enumerate(rows, 1):
        if _NO_PATH.search(row.picture):
            raise ValueError(
                f"{path}: a path must be without tabs, line breaks and U+FEFF before "
                f"it. Received: {row.picture!r}"
            )
        _parse(f"row {number} for {path}", _line(row))
    write_text(path, "".join(_line(row) + "\n" for row in rows))


def _line(row: BoxRow) -> str:
    numbers = (repr(float(n)).removesuffix(".0") for n in (row.score, *row.box))
    return "\t".join([row.picture, *numbers])


def _parse(where: str, line: str) -> BoxRow:
    picture, *texts = line.split("\t")
    try:
        numbers = np.array(texts, dtype=np.float64)
    except ValueError:
        numbers = np.array([np.nan])
    if not picture.strip() or numbers.shape != (5,) or not np.isfinite(numbers).all():
        raise ValueError(f"{where} must be {_FORM}. Received: {line!r:.200}")
    score, *box = numbers.tolist()
    if not (box[0] < box[2] and box[1] < box[3]):
        raise ValueError(
            f"{where}: a box must be x1 y1 x2 y2, px, with x1 < x2 and y1 < y2. "
            f"Received: {box}"
        )
    return BoxRow(picture, score, tuple(box))
