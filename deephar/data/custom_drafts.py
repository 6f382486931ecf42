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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from deephar.data.custom_format import FORMAT, VERSION
from deephar.data.custom_matching import Labelled, Point, box_xywh, rounded
from deephar.data.custom_naming import Like, make_layout
from deephar.data.custom_rules import box_rule, holds_joint, joint_rule
from deephar.data.pictures import ENDINGS, PictureError, read_size
from deephar.utils.fs import write_text

_MARGIN = 0.1
"""Around joints on every side, where a person has no box: a part of their span."""
_SPAN = 8.0
"""Joints of a smaller span, px, do not tell where a person is."""
_UPLOADED = re.compile(r"[0-9a-f]{8}-")
"""What Label Studio puts before the names of uploads."""


class Draft:
    """A file of own data that is being made.

    Args:
        out: The file to write; paths in it are relative to its folder.
        images: Folder of the pictures and videos.
        names: The source's names of the joints, in order.
        links: Pairs of these between which a limb is drawn.
        part: `split` of all.
        like: Whose layout and actions the file has; None for those of the source.

    Attributes:
        lost: By what it is, how much could not be brought over as it was.
        layout: `layout` of the file: that of `like`, or a name where the joints are
            those of `coco17j` or `pa16j2d`, or there are none.

    Raises:
        ValueError: if a joint is not among those of `like`.
    """

    def __init__(
        self,
        out: str | os.PathLike,
        images: str | os.PathLike,
        names: Sequence[str],
        links: Iterable[Sequence[str]] = (),
        part: str = "train",
        like: Like | None = None,
    ):
        self.folder = pathlib.Path(out).absolute().parent
        self.images, self.part = pathlib.Path(images), part
        self.lost: collections.Counter[str] = collections.Counter()
        self.pictures: list[dict[str, Any]] = []
        self.clips: list[dict[str, Any]] = []
        self.actions: list[str] = []
        self._like = like
        if like is None:
            self.layout, self._names = make_layout(names, links)
        else:
            self.layout, self._names = like.layout, like.joint_names(names)

    def person(
        self, one: Labelled, size: Sequence[int] | None
    ) -> dict[str, Any] | None:
        """Returns a person as the file has him; None if it is not known where he is.

        A box that breaks a rule, or holds no joint, gives way to one around the joints.

        Args:
            one: Of the source.
            size: (w, h) of the picture, px; None where not known.
        """
        joints = self._joints(one.points, size)
        places = np.array([point[:2] for point in joints.values()])
        box = one.box and box_xywh(one.box)
        if box and box_rule(box, size):
            what = "boxes of no more than 1 px, outside their picture or far larger"
            self.lost[what] += 1
            box = None
        elif box and joints and not holds_joint(box, places):
            if _span(places) < _SPAN:
                self.lost["joints outside the box of their person"] += len(joints)
                joints = {}
            else:
                self.lost["boxes that hold no joint of their person"] += 1
                box = None
        box = box or self._box_around(places, size)
        return box and {"box_xywh": box, **({"joints": joints} if joints else {})}

    def _joints(
        self, points: Mapping[str, Point], size: Sequence[int] | None
    ) -> dict[str, list]:
        """Returns joints by name as the file has them."""
        joints = {}
        for name, (x, y, visible) in points.items():
            hidden = [rounded(x), rounded(y), 0]
            if joint_rule(hidden, size):
                self.lost["joints far beyond any picture"] += 1
                continue
            outside = visible and joint_rule(hidden[:2], size) is not None
            self.lost["joints outside their picture, now called hidden"] += outside
            shown = visible and not outside
            joints[self._names[name]] = hidden[:2] if shown else hidden
        return joints

    def _box_around(
        self, places: np.ndarray, size: Sequence[int] | None
    ) -> list[float] | None:
        """Returns a box around joints (n, 2); None if they do not tell one."""
        if not len(places):
            self.lost["people with neither a sound box nor joints"] += 1
            return None
        if _span(places) < _SPAN:
            what = f"people without a box, their joints within {_SPAN:g} px"
            self.lost[what] += 1
            return None
        low, high = places.min(axis=0), places.max(axis=0)
        margin = _MARGIN * _span(places)
        box = box_xywh((*(low - margin), *(high + margin)))
        if box_rule(box, size):
            what = "people without a box, their joints outside the picture or far apart"
            self.lost[what] += 1
            return None
        self.lost["people without a box, now one around their joints"] += 1
        return box

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
        path, people = self.path(name), list(people)
        if people and not size:
            size = self._size_of(path)
        found = [self.person(one, size) for one in people]
        entry = {
            "file": path,
            **({"size": [int(one) for one in size]} if size else {}),
            "split": part or self.part,
            "people": [one for one in found if one is not None],
        }
        self.pictures.append({**entry, "tags": list(tags)})

    def _size_of(self, path: str) -> tuple[int, int] | None:
        """Returns (w, h) of a picture, px; None where the check will tell why not."""
        try:
            return read_size(self.folder / path)
        except (FileNotFoundError, PictureError):
            return None

    def action(self, name: str) -> str:
        """Returns the name of an action, which is one of the file's from now on.

        Its commas become semicolons, for commas are between names.
        """
        found = name.replace(",", ";")
        if found not in self.actions:
            commas = "actions with commas in their names, now semicolons"
            self.lost[commas] += found != name
            self.actions.append(found)
        return found

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
            entry: What it begins with; a number is put behind a name that was before.
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
        name = _unused(entry["name"], {one["name"] for one in self.clips})
        self.clips.append({**entry, "name": name, **known, **more})

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

        Raises:
            ValueError: if an action is not among those of `like`.
        """
        for entries in (self.pictures, self.clips):
            train = [one for one in entries if one["split"] == "train"]
            films = sorted({_film(one) for one in train}, key=_mark)
            chosen = set(films[: round(valid * len(films))])
            for one in train:
                one["split"] = "valid" if _film(one) in chosen else "train"
        actions = sorted(self.actions)
        if self._like is not None:
            self._like.check_actions(actions)
            actions = list(self._like.actions)
        tags = sum(len(one.pop("tags", ())) for one in self.pictures)
        self.lost["tags of pictures (--clips makes clips of them)"] += tags
        self.lost = +self.lost
        return {
            "format": FORMAT,
            "version": VERSION,
            "layout": self.layout,
            **({"actions": actions} if actions else {}),
            **({"pictures": self.pictures} if self.pictures else {}),
            **({"clips": self.clips} if self.clips else {}),
        }


MakeDraft = Callable[..., Draft]
"""From names of joints, and links between them if there are any, to a `Draft`."""


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


def _span(places: np.ndarray) -> float:
    """Returns the longer side of what joints (n, 2) take up, px."""
    return float(np.ptp(places, axis=0).max())


def _unused(name: str, names: Collection[str]) -> str:
    """Returns a name that is none of `names`: itself, or with a number behind it."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in names)


def _folder(picture: Mapping[str, Any]) -> str:
    return os.path.dirname(picture["file"])


def _film(entry: Mapping[str, Any]) -> str:
    """Returns what clips of one film share: its path, or that of its first picture."""
    first = entry["frames"][0] if "frames" in entry else entry
    return first["video"] if "video" in first else first["file"]


def _by_number(path: str) -> list:
    """Returns what sorts 2.jpg before 10.jpg, folder by folder."""
    parts = re.split(r"(\d+)", os.path.basename(path))
    numbers = [int(one) if one.isdigit() else one for one in parts]
    return [os.path.dirname(path), *numbers]


def _mark(name: str) -> str:
    return hashlib.md5(name.encode()).hexdigest()
