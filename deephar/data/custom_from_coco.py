"""Own data from COCO's key points: any category with names of key points.

Source of the format: https://cocodataset.org/#format-data
"""

import collections
import os
from typing import Any

from deephar.data.custom_drafts import Draft
from deephar.data.custom_matching import Labelled
from deephar.data.placed_json import JsonFile, Node
from deephar.utils.messages import shown


def from_coco(
    path: str | os.PathLike,
    out: str | os.PathLike,
    images: str | os.PathLike,
    part: str = "train",
    category: str | None = None,
) -> Draft:
    """Reads a file of key points.

    Flag 0 is not labelled, 1 hidden, 2 visible.

    Args:
        path: The file.
        out, images, part: As of `Draft`.
        category: Name of the category; None for the only one with key points.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not as it should be, told by file and line; or there is no
            such category, or several.
    """
    file = JsonFile(path)
    lists = ("images", "annotations", "categories")
    top = file.root and known(file.root, lists)
    entries = {key: top[key].items() for key in lists} if top else {}
    raise_mistakes(file)
    chosen = _choose(path, [node.value for node in entries["categories"]], category)
    names = [str(name) for name in chosen["keypoints"]]
    links = [
        [names[joint - 1] for joint in pair]
        for pair in chosen.get("skeleton") or []
        if len(pair) == 2 and all(0 < joint <= len(names) for joint in pair)
    ]
    draft = Draft(out, images, names, links, part)
    people = collections.defaultdict(list)
    for node in entries["annotations"]:
        one = _person(node, chosen["id"], names, draft)
        if one is not None:
            people[node.value["image_id"]].append(one)
    for node in entries["images"]:
        image = known(node, ("id", "file_name"))
        name = image and image["file_name"].text()
        if name:
            size = [node.value.get(key) for key in ("width", "height")]
            whole = all(type(one) is int and one > 0 for one in size)
            found = people.pop(node.value["id"], [])
            draft.add_picture(name, size if whole else None, found)
    raise_mistakes(file)
    lost = sum(len(found) for found in people.values())
    draft.lost["annotations of pictures that are not listed"] += lost
    return draft


def known(node: Node, keys: tuple[str, ...]) -> dict[str, Node] | None:
    """Returns some values of an object, whatever else it has; notes those lacking."""
    if not isinstance(node.value, dict):
        return node.wrong(f"must be an object with {', '.join(keys)}")
    lacking = [key for key in keys if key not in node.value]
    if lacking:
        return node.wrong(f"must have {', '.join(lacking)}", list(node.value))
    return {key: node.at(key) for key in keys}


def raise_mistakes(file: JsonFile) -> None:
    """Raises ValueError with the first of a file's mistakes, if it has any."""
    problems = file.problems()
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(f"{problems[0]}{more}")


def _choose(path, categories: list[Any], name: str | None) -> dict[str, Any]:
    """Returns the category to take."""
    able = [
        one
        for one in categories
        if isinstance(one, dict) and one.get("keypoints") and "id" in one
    ]
    chosen = [one for one in able if name in (None, one.get("name"))]
    if len(chosen) != 1:
        names = ", ".join(str(one.get("name")) for one in able) or "none"
        raise ValueError(
            f"{path}: one category with `keypoints` must be taken, by its name. "
            f"Received: category={shown(name)}; there are: {names}"
        )
    return chosen[0]


def _person(node: Node, category, names, draft: Draft) -> Labelled | None:
    """Returns the person of an annotation; None for what is none."""
    parts = known(node, ("image_id", "category_id"))
    if not parts:
        return None
    value = node.value
    if parts["category_id"].value != category:
        draft.lost["annotations of other categories"] += 1
        return None
    if value.get("iscrowd"):
        draft.lost["crowds"] += 1
        return None
    draft.lost["outlines (segmentation)"] += bool(value.get("segmentation"))
    points, box = {}, None
    if "keypoints" in value:
        flat = node.at("keypoints").numbers("x, y, flag of each joint", 3 * len(names))
        for row, name in enumerate(names if flat else ()):
            x, y, flag = flat[3 * row : 3 * row + 3]
            if flag not in (0, 1, 2):
                node.at("keypoints").wrong("must have the flags 0, 1 or 2", flag)
            elif flag:
                points[name] = (x, y, flag == 2)
    if value.get("bbox"):
        box = node.at("bbox").numbers("x, y, w, h, px", 4)
    if box and min(box[2:]) > 0:
        return Labelled(points, (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    if not points:
        draft.lost["people without key points and box"] += 1
        return None
    return Labelled(points)
