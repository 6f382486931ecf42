"""What a detector of people says of pictures: a JSON file.

A list with, for each picture, an object:

    file_name   of the picture
    boxes       lists [x1, y1, x2, y2], px
    scores      how sure the detector is, a number for each box
    ids         which tracked person it is, one for each box; where people are tracked

Source: exp/merl/read_bboxdata.py of pminhtam's fork of deephar.
"""

import os
import pathlib
import re
from typing import Any, NamedTuple

from deephar.data.records import numbers, read_json
from deephar.utils.messages import shown

_ID = re.compile(r"[\w-]+")


class Detection(NamedTuple):
    """The people in a picture.

    Attributes:
        file_name: The picture, as it stands in the file.
        boxes: (x1, y1, x2, y2) of each, px, x1 < x2 and y1 < y2.
        scores: How sure the detector is of each.
        ids: Which tracked person each is; empty unless asked for.
    """

    file_name: str
    boxes: list[tuple[float, float, float, float]]
    scores: list[float]
    ids: list


def read_detections(path: str | os.PathLike, ids: bool = False) -> list[Detection]:
    """Reads a detector's JSON.

    Args:
        path: The file.
        ids: Whether the boxes must have ids.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another form, naming the file and the entry, from 1.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file of boxes: {path}")
    entries = read_json(path)
    if not isinstance(entries, list):
        kind = type(entries).__name__
        raise ValueError(f"{path} must be a list of pictures. Received: {kind}")
    return [
        _detection(f"{path}, entry {number}", entry, ids)
        for number, entry in enumerate(entries, 1)
    ]


def _detection(where: str, entry: Any, with_ids: bool) -> Detection:
    if not isinstance(entry, dict) or not isinstance(entry.get("file_name"), str):
        raise ValueError(f'{where} must have a "file_name". Received: {shown(entry)}')
    keys = ("boxes", "scores", *(["ids"] if with_ids else []))
    columns = [entry.get(key) for key in keys]
    lists = all(isinstance(column, list) for column in columns)
    if not lists or len({len(column) for column in columns}) > 1:
        names = ", ".join(keys)
        raise ValueError(f"{where} must have as many {names}. Received: {shown(entry)}")
    boxes, scores, *ids = columns
    for one in ids[0] if ids else ():
        if type(one) not in (int, str) or not _ID.fullmatch(str(one)):
            raise ValueError(
                f"{where}: `ids` must be numbers, or texts of letters and digits. "
                f"Received: {shown(one)}"
            )
    return Detection(
        entry["file_name"],
        [_box(where, box) for box in boxes],
        numbers(where, "scores", scores, (len(boxes),)).tolist(),
        *(ids or [[]]),
    )


def _box(where: str, box: Any) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = numbers(where, "boxes", box, (4,)).tolist()
    if not (x1 < x2 and y1 < y2):
        raise ValueError(
            f"{where}: a box must be x1, y1, x2, y2, px, with x1 < x2 and y1 < y2. "
            f"Received: {box}"
        )
    return x1, y1, x2, y2
