"""Own data from COCO's key points: any category with names of key points.

Source of the format: https://cocodataset.org/#format-data
"""

import collections
import os
from collections.abc import Sequence

from deephar.data.custom_drafts import Draft, MakeDraft
from deephar.data.custom_matching import Labelled
from deephar.data.custom_naming import named_links
from deephar.data.placed_json import JsonFile, Node
from deephar.utils.messages import shown

_LISTS = ("images", "annotations", "categories")


def from_coco(
    path: str | os.PathLike,
    make: MakeDraft,
    category: str | None = None,
) -> Draft:
    """Reads a file of key points.

    Flag 0 is not labelled, 1 hidden, 2 visible.

    Args:
        path: The file.
        make: Makes the draft of the joints' names and links.
        category: Name of the category; None for the only one with key points.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not as it should be, told by file and line; or there is no
            such category, or several.
    """
    file = JsonFile(path)
    top = file.root and file.root.having(*_LISTS)
    entries = {key: top[key].items() or [] for key in _LISTS} if top else {}
    file.check()
    chosen = _choose(path, entries["categories"], category)
    names = chosen.at("keypoints").texts(1)
    links = []
    if names and chosen.value.get("skeleton"):
        links = named_links(chosen.at("skeleton"), names, 1)
    number = chosen.at("id").key()
    file.check()
    draft = make(names, links)
    people = collections.defaultdict(list)
    for node in entries["annotations"]:
        one = _person(node, number, names, draft)
        if one is not None:
            people[node.value["image_id"]].append(one)
    known = set()
    for node in entries["images"]:
        image = node.having("id", "file_name")
        name, key = (image["file_name"].text(), image["id"].key()) if image else (0, 0)
        if image and key in known:
            image["id"].wrong("must be another than those of the pictures before")
        known.add(key)
        if name:
            size = [node.value.get(side) for side in ("width", "height")]
            size = Node(size, node.place, node.notes).size() if any(size) else None
            draft.add_picture(name, size, people.pop(key, []))
    file.check()
    lost = sum(len(found) for found in people.values())
    draft.lost["annotations of pictures that are not listed"] += lost
    return draft


def _choose(path, categories: Sequence[Node], name: str | None) -> Node:
    """Returns the category to take."""
    able = [
        node
        for node in categories
        if isinstance(node.value, dict)
        and "id" in node.value
        and node.value.get("keypoints")
    ]
    chosen = [node for node in able if name in (None, node.value.get("name"))]
    if len(chosen) != 1:
        names = ", ".join(shown(node.value.get("name")) for node in able) or "none"
        raise ValueError(
            f"{path}: one category with `keypoints` must be taken, by its name. "
            f"Received: category={shown(name)}; there are: {names}"
        )
    return chosen[0]


def _person(node: Node, category, names, draft: Draft) -> Labelled | None:
    """Returns the person of an annotation; None for what is none."""
    parts = node.having("image_id", "category_id")
    keys = [one.key() for one in parts.values()] if parts else [None]
    if None in keys:
        return None
    value = node.value
    if value["category_id"] != category:
        draft.lost["annotations of other categories"] += 1
        return None
    if value.get("iscrowd"):
        draft.lost["crowds"] += 1
        return None
    draft.lost["outlines (segmentation)"] += bool(value.get("segmentation"))
    points = _points(node, names) if "keypoints" in value else {}
    box = node.at("bbox").numbers("x, y, w, h, px", 4) if value.get("bbox") else None
    if box and min(box[2:]) > 0:
        return Labelled(points, (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    if not points:
        draft.lost["people without key points and box"] += 1
        return None
    return Labelled(points)


def _points(node: Node, names: Sequence[str]) -> dict[str, tuple]:
    flat = node.at("keypoints").numbers("x, y, flag of each joint", 3 * len(names))
    points = {}
    for row, name in enumerate(names if flat else ()):
        x, y, flag = flat[3 * row : 3 * row + 3]
        if flag not in (0, 1, 2):
            node.at("keypoints").wrong("must have the flags 0, 1 or 2", flag)
        elif flag:
            points[name] = (x, y, flag == 2)
    return points
