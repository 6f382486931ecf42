"""Files of own data while they are made of something else, and what got lost.

`custom_from_*` fill a `Draft`; `write_custom` writes what it holds.
"""

import collections
import hashlib
import itertools
import json
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from deephar.data.custom_format import FORMAT, VERSION
from deephar.data.custom_matching import Labelled
from deephar.data.pictures import ENDINGS
from deephar.data.placed_json import Node
from deephar.utils.bbox import overlaps
from deephar.utils.fs import write_text
from deephar.utils.layouts import LAYOUTS, side_pairs

_MARGIN = 0.1
"""Around joints on every side, where a person has no box: a part of their span."""
_SPAN = 8.0
"""Joints of a smaller span, px, do not tell where a person is."""
_UPLOADED = re.compile(r"[0-9a-f]{8}-")
"""What Label Studio puts before the names of uploads."""
_SHORT = (
    *(("left_", "l_"), ("right_", "r_")),
    *(("shoulder", "shoul"), ("elbow", "elb")),
)


class Draft:
    """A file of own data that is being made.

    Args:
        out: The file to write; paths in it are relative to its folder.
        images: Folder of the pictures and videos.
        names: The source's names of the joints, in order.
        links: Pairs of these between which a limb is drawn.
        part: `split` of all.

    Attributes:
        lost: By what it is, how much could not be brought over as it was.
        layout: `layout` of the file: a name where the joints are those of `coco17j` or
            `pa16j2d`, or there are none.
    """

    def __init__(
        self,
        out: str | os.PathLike,
        images: str | os.PathLike,
        names: Sequence[str],
        links: Iterable[Sequence[str]] = (),
        part: str = "train",
    ):
        self.folder = pathlib.Path(out).absolute().parent
        self.images, self.part = pathlib.Path(images), part
        self.lost: collections.Counter[str] = collections.Counter()
        self.pictures: list[dict[str, Any]] = []
        self.clips: list[dict[str, Any]] = []
        self.actions: list[str] = []
        self.layout, self._names = make_layout(names, links)

    def person(
        self, one: Labelled, size: Sequence[int] | None, boxed: bool = True
    ) -> dict[str, Any] | None:
        """Returns a person as the file has him; None if it is not known where he is.

        Args:
            one: Of the source.
            size: (w, h) of the picture, px; None where not known.
            boxed: Whether a box is made where there is none.
        """
        joints = {}
        for name, (x, y, visible) in one.points.items():
            outside = size and not (0 <= x <= size[0] and 0 <= y <= size[1])
            if outside and visible:
                self.lost["joints outside their picture, now called hidden"] += 1
            point = [_rounded(x), _rounded(y)]
            joints[self._names[name]] = point + [0] * (not visible or bool(outside))
        box = one.box
        if box is None and joints and boxed:
            places = np.array([point[:2] for point in one.points.values()])
            if np.ptp(places, axis=0).max() < _SPAN:
                what = f"people without a box, their joints within {_SPAN:g} px"
                self.lost[what] += 1
                return None
            box = _box_around(places)
            self.lost["people without a box, now one around their joints"] += 1
        found: dict[str, Any] = {}
        if box is not None:
            x1, y1, x2, y2 = box
            if not (x1 < x2 and y1 < y2) or (size and not overlaps(box, size)):
                self.lost["people whose box is empty or outside the picture"] += 1
                return None
            found["box_xywh"] = [_rounded(v) for v in (x1, y1, x2 - x1, y2 - y1)]
        return {**found, **({"joints": joints} if joints else {})}

    def path(self, name: str) -> str:
        """Returns the path of a picture or video of the source, for the file.

        It is looked for under its own name and, where that is not there, under the last
        part of it, without what Label Studio puts before, or with an ending: CVAT gives
        frames of videos none.
        """
        name = name.replace("\\", "/")
        last = name.rsplit("/", 1)[-1]
        names = [name, last, _UPLOADED.sub("", last, 1)]
        names += [name + one for end in sorted(ENDINGS) for one in (end, end.upper())]
        places = [self.images / one for one in names]
        place = next((one for one in places if one.is_file()), None)
        if place is None:
            self.lost["pictures or videos that are not there"] += 1
            place = places[0]
        relative = os.path.relpath(place.absolute(), self.folder)
        return pathlib.PurePath(relative).as_posix()

    def add_picture(
        self,
        name: str,
        size: Sequence[int] | None,
        people: Iterable[Labelled],
        part: str | None = None,
        tags: Sequence[str] = (),
    ) -> None:
        """Adds a picture; of its tags one may become the action of a clip."""
        found = [self.person(one, size) for one in people]
        entry = {
            "file": self.path(name),
            **({"size": [int(one) for one in size]} if size else {}),
            "split": part or self.part,
            "people": [one for one in found if one is not None],
        }
        self.pictures.append({**entry, "tags": list(tags)})

    def action(self, name: str) -> str:
        """Returns the name of an action, which is one of the file's from now on."""
        if name not in self.actions:
            self.actions.append(name)
        return name

    def make_clips(self) -> None:
        """Makes a clip of each folder in which pictures have tags.

        Frames are in the order of their names; frames with one tag one after the other
        are a span.
        """
        tagged = {_folder(one) for one in self.pictures if one["tags"]}
        pictures = [one for one in self.pictures if _folder(one) in tagged]
        pictures.sort(key=lambda one: _by_number(one["file"]))
        self.pictures = [one for one in self.pictures if _folder(one) not in tagged]
        for folder, group in itertools.groupby(pictures, _folder):
            frames = list(group)
            entry = {"name": folder or ".", "split": frames[0]["split"]}
            sizes = {tuple(one.get("size", ())) for one in frames}
            if len(sizes) == 1 and () not in sizes:
                entry["size"] = list(sizes.pop())
            actions = [(one["tags"] or [None])[0] for one in frames]
            more = sum(len(one["tags"]) > 1 for one in frames)
            self.lost["frames of several tags, of which the first is taken"] += more
            pictures = [self._frame(one) for one in frames]
            self.add_clip(entry, dict(enumerate(actions, 1)), frames=pictures)

    def add_clip(
        self, entry: dict[str, Any], actions: Mapping[int, str | None], **more: Any
    ) -> None:
        """Adds a clip; frames of one action one after the other are a span.

        Args:
            entry: What it begins with.
            actions: By number of the frame what is done there, None where not known.
            more: What is behind the spans.
        """
        spans = []
        for action, group in itertools.groupby(sorted(actions), actions.get):
            numbers = list(group)
            if action is not None:
                ends = [numbers[0], numbers[-1]]
                spans.append({"action": self.action(action), "frames": ends})
        known = {"spans": spans} if spans else {}
        self.clips.append({**entry, **known, **more})

    def _frame(self, picture: Mapping[str, Any]) -> dict[str, Any]:
        people = picture["people"]
        self.lost["people of frames beside the first"] += max(0, len(people) - 1)
        return {"file": picture["file"], **(people[0] if people else {})}

    def content(self, valid: float = 0.0) -> dict[str, Any]:
        """Returns what is to be written.

        Args:
            valid: This part of the pictures, and of the films of the clips, that are
                `train` becomes `valid`: those whose paths have the least MD5, always
                the same.
        """
        for entries in (self.pictures, self.clips):
            train = [one for one in entries if one["split"] == "train"]
            films = sorted({_film(one) for one in train}, key=_mark)
            chosen = set(films[: round(valid * len(films))])
            for one in train:
                one["split"] = "valid" if _film(one) in chosen else "train"
        tags = sum(len(one.pop("tags", ())) for one in self.pictures)
        self.lost["tags of pictures (--clips makes clips of them)"] += tags
        self.lost = +self.lost
        return {
            "format": FORMAT,
            "version": VERSION,
            "layout": self.layout,
            **({"actions": sorted(self.actions)} if self.actions else {}),
            **({"pictures": self.pictures} if self.pictures else {}),
            **({"clips": self.clips} if self.clips else {}),
        }


MakeDraft = Callable[..., Draft]
"""From names of joints, and links between them if there are any, to a `Draft`."""


def make_layout(
    names: Sequence[str], links: Iterable[Sequence[str]] = ()
) -> tuple[str | dict[str, Any], dict[str, str]]:
    """Makes `layout` of a file of names of joints.

    Args:
        names: The source's names.
        links: Pairs of these.

    Returns:
        "coco17j" or "pa16j2d" where the joints are those, and "pa16j2d" where there
        are none, else joints, flips by their names, and links; and from the source's
        names to the file's.
    """
    names = list(names)
    if not names:
        return "pa16j2d", {}
    short = []
    for name in names:
        one = name.lower().replace(" ", "_")
        for long, brief in _SHORT:
            one = one.replace(long, brief)
        short.append(one)
    for known in ("coco17j", "pa16j2d"):
        if sorted(short) == sorted(LAYOUTS[known].joint_names):
            return known, dict(zip(names, short, strict=True))
    links = [[first, second] for first, second in links]
    layout = {"joints": names, "flips": side_pairs(names), "links": links}
    return layout, {name: name for name in names}


def named_links(node: Node, names: Sequence[str], first: int) -> list[list[str]] | None:
    """Returns pairs of joints that are given by their numbers; others are noted.

    Args:
        node: The list of pairs.
        names: Names of the joints.
        first: Number of the first of them.
    """
    numbers, found = range(first, first + len(names)), []
    for pair in node.items() or []:
        two = isinstance(pair.value, list) and len(pair.value) == 2
        if two and all(type(one) is int and one in numbers for one in pair.value):
            found.append([names[one - first] for one in pair.value])
        else:
            pair.wrong(f"must be two joints by number, {first} to {numbers[-1]}")
    return found


def write_custom(path: str | os.PathLike, content: Mapping[str, Any]) -> None:
    """Writes a file of own data, a line for every picture, person and frame.

    Raises:
        OSError: if it cannot be written.
    """
    lines = []
    for key, value in content.items():
        if key in ("pictures", "clips"):
            entries = ",\n".join(_entry(one) for one in value)
            lines.append(f' "{key}": [\n{entries}\n ]')
        else:
            lines.append(f' "{key}": {json.dumps(value, ensure_ascii=False)}')
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _entry(entry: Mapping[str, Any]) -> str:
    """Returns a picture or clip: its people or frames on lines of their own."""
    parts = []
    for key, value in entry.items():
        text = json.dumps(value, ensure_ascii=False)
        if key in ("people", "frames", "labels", "spans") and value:
            text = ",\n   ".join(json.dumps(one, ensure_ascii=False) for one in value)
            text = f"[\n   {text}\n  ]"
        parts.append(f'"{key}": {text}')
    return "  {" + ", ".join(parts) + "}"


def _box_around(points: np.ndarray) -> tuple[float, float, float, float]:
    """Returns the box around points (n, 2), with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * (high - low).max()
    return (*(low - margin).tolist(), *(high + margin).tolist())


def _folder(picture: Mapping[str, Any]) -> str:
    return os.path.dirname(picture["file"])


def _film(entry: Mapping[str, Any]) -> str:
    """Returns what clips of one film share: its path, or that of its first picture."""
    first = entry["frames"][0] if "frames" in entry else entry
    return first["video"] if "video" in first else first["file"]


def _rounded(value: float) -> float:
    return round(float(value), 2)


def _by_number(path: str) -> list:
    """Returns what sorts 2.jpg before 10.jpg, folder by folder."""
    parts = re.split(r"(\d+)", os.path.basename(path))
    numbers = [int(one) if one.isdigit() else one for one in parts]
    return [os.path.dirname(path), *numbers]


def _mark(name: str) -> str:
    return hashlib.md5(name.encode()).hexdigest()
