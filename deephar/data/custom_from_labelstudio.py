"""Own data from Label Studio's JSON export: key points, rectangles and choices.

Source of the format: https://labelstud.io/guide/task_format
"""

import os
import urllib.parse
from typing import Any

import numpy as np

from deephar.data.custom_drafts import Draft, MakeDraft
from deephar.data.custom_matching import Labelled, gather_points
from deephar.data.pictures import ENDINGS
from deephar.data.placed_json import JsonFile, Node

POINTS, BOXES, CHOICES = "keypointlabels", "rectanglelabels", "choices"
"""The kinds of results that are brought over."""


def from_labelstudio(
    path: str | os.PathLike,
    make: MakeDraft,
    category: str | None = None,
) -> Draft:
    """Reads an export of the kind "JSON".

    Of a task the first annotation that was not cancelled is taken. A key point belongs
    to the rectangle that it names as its parent, else to the smallest that holds it.
    Without key points the rectangles are people of whom no joint is known. Joints are
    sorted by name. Choices of whole pictures are kept for clips.

    Args:
        path: The file.
        make: Makes the draft of the joints' names and links.
        category: Label of the rectangles to take; None for all.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not as it should be, told by file and line.
    """
    file = JsonFile(path)
    tasks = (file.root.items() if file.root else None) or []
    parts = [task.having("data", "annotations") for task in tasks]
    file.check()
    results = [result.value for one in parts for result in _results(one)]
    file.check()
    names = sorted({label for one in results for label in _labels(one, POINTS)})
    if not names and not any(_labels(one, BOXES) for one in results):
        raise ValueError(f"{path} must have {POINTS} or {BOXES}. Received: none")
    draft = make(names)
    for one in parts:
        _add_task(one, draft, category)
    file.check()
    return draft


def _annotations(task: dict[str, Node]) -> list[Node]:
    """Returns the annotations of a task that have results and were not cancelled."""
    return [
        one
        for one in task["annotations"].items() or []
        if isinstance(one.value, dict)
        and isinstance(one.value.get("result"), list)
        and not one.value.get("was_cancelled")
    ]


def _results(task: dict[str, Node]) -> list[Node]:
    """Returns the results of a task's first annotation."""
    first = _annotations(task)[:1]
    found = [result for one in first for result in one.at("result").items()]
    return [one for one in found if isinstance(one.value, dict)]


def _labels(result: dict[str, Any], kind: str) -> list[str]:
    """Returns the labels of a result of a kind."""
    value = result.get("value")
    found = value.get(kind) if isinstance(value, dict) else None
    same = result.get("type") == kind and isinstance(found, list)
    return [str(one) for one in found if one] if same else []


def _add_task(task: dict[str, Node], draft: Draft, category: str | None) -> None:
    """Adds the picture of a task."""
    name = _picture_name(task["data"].value)
    if name is None:
        draft.lost["tasks without a picture"] += 1
        return
    size, boxes, points, tags = None, {}, [], []
    for result in _results(task):
        value, kind = result.value, result.value.get("type")
        labels = _labels(value, str(kind))
        if kind == CHOICES and labels and "x" in value["value"]:
            draft.lost["choices of single regions"] += 1
        elif kind == CHOICES:
            tags += labels
        elif kind not in (POINTS, BOXES) or not labels:
            draft.lost[f"results of the type {kind}"] += 1
        elif value.get("image_rotation"):
            draft.lost["results on turned pictures"] += 1
        else:
            size = _size(result) or size
            corners = _corners(result, kind)
            if corners is None:
                continue
            if kind == POINTS:
                points.append((labels[0], corners[0], str(value.get("parentID"))))
            elif category in (None, labels[0]):
                box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
                boxes[str(value.get("id", len(boxes)))] = Labelled({}, box)
            else:
                draft.lost["rectangles of other labels"] += 1
    given, usable = len(task["annotations"].value), len(_annotations(task))
    draft.lost["further annotations of a task"] += max(0, usable - 1)
    draft.lost["annotations that were cancelled or have no results"] += given - usable
    loose = []
    for label, (x, y), parent in points:
        owner = boxes.get(parent)
        point = (float(x), float(y), True)
        if owner is None or label in owner.points:
            loose.append((label, point))
        else:
            owner.points[label] = point
    alone, lost = gather_points(loose, list(boxes.values()))
    draft.lost["key points that are nobody's"] += lost
    draft.add_picture(name, size, [*boxes.values(), *alone], tags=tags)


def _size(result: Node) -> tuple[int, int] | None:
    """Returns the (w, h) of a result's picture, px."""
    keys = ("original_width", "original_height")
    sizes = [result.value.get(key) for key in keys]
    return Node(sizes, result.place, result.notes).size()


def _corners(result: Node, kind: str) -> np.ndarray | None:
    """Returns the point (1, 2), or the corners (4, 2) of a rectangle, px.

    A rectangle is turned about its upper left corner.
    """
    keys = ("x", "y") if kind == POINTS else ("x", "y", "width", "height")
    size, value = _size(result), result.value["value"]
    values = [value.get(key) for key in keys] + [value.get("rotation") or 0]
    percent = Node(values, (*result.place, "value"), result.notes)
    what = f"{', '.join(keys)} in percent, and the angle"
    if size is None or percent.numbers(what, len(keys) + 1) is None:
        return None
    scale = np.array(size) / 100
    place = np.array(values[:2]) * scale
    if kind == POINTS:
        return place[None]
    cosine, sine = np.cos(np.deg2rad(values[-1])), np.sin(np.deg2rad(values[-1]))
    sides = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * np.array(values[2:4]) * scale
    return place + sides @ np.array([[cosine, sine], [-sine, cosine]])


def _picture_name(data: Any) -> str | None:
    """Returns the path of a task's picture, as far as it can be told from its address.

    Of /data/local-files/?d=PATH it is PATH, of other addresses their path.
    """
    for value in data.values() if isinstance(data, dict) else ():
        if isinstance(value, str):
            address = urllib.parse.urlsplit(value)
            local = urllib.parse.parse_qs(address.query).get("d", [address.path])[0]
            name = urllib.parse.unquote(local).lstrip("/")
            if os.path.splitext(name)[1].lower() in ENDINGS:
                return name
    return None
