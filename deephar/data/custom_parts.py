"""Pictures, clips and people of a file of own data, read and checked one by one."""

import ntpath
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from deephar.data.custom_data import (
    PARTS,
    CustomClip,
    CustomPerson,
    CustomPicture,
    Span,
)
from deephar.data.custom_files import Film, picture_head, video_head
from deephar.data.custom_rules import box_rule, holds_joint, joint_rule
from deephar.data.placed_json import Node, Place, dotted, meant
from deephar.data.records import FARTHEST
from deephar.utils.pose import INVALID, is_valid

PERSON_KEYS = ("box_xywh", "joints", "joints_3d", "head_size")
CLIP_KEYS = ("split", "size", "video", "frames", "labels", "action", "spans")


class Reading:
    """One file while it is read.

    Args:
        folder: The folder of the file.
        layout: Layout of the joints.
        actions: Names of the actions.
        part: That of what names none; None for none.
        before: The folder's files that were read before.
        look: Whether pictures and videos are looked for, and their heads read.

    Attributes:
        pictures, clips: What is sound of the file.
        places: By path where a picture stands first.
    """

    def __init__(
        self,
        folder: str,
        layout: Any,
        actions: Sequence[str],
        part: str | None,
        before: Sequence["Reading"] = (),
        look: bool = False,
    ):
        self.look = look
        self.folder, self.layout, self.part = folder, layout, part
        self.actions = tuple(actions)
        self.rows = {name: row for row, name in enumerate(layout.joint_names)}
        self.pictures: list[CustomPicture] = []
        self.clips: list[CustomClip] = []
        self.places: dict[str, Place] = {}
        self.names: dict[str, str] = before[0].names if before else {}
        self.parts: dict[str, str | None] = before[0].parts if before else {}

    def path(self, node: Node) -> str | None:
        """Returns the path of a file that a text names."""
        name = node.text()
        if name is None:
            return None
        if "\\" in name or os.path.isabs(name) or ntpath.splitdrive(name)[0]:
            return node.wrong("must be a path from the file's folder, with / in it")
        return os.path.normpath(os.path.join(self.folder, name))

    def part_of(self, members: dict[str, Node], owner: Node) -> str | None:
        """Returns the part of a picture or clip."""
        if "split" in members:
            return members["split"].one_of(PARTS)
        if self.part is None:
            owner.wrong(f"must have `split`, {' or '.join(PARTS)}, or the file must")
        return self.part

    def take_picture(self, path: str, part: str | None, node: Node) -> None:
        """Notes where a picture is, and if in two parts, so that a test is none."""
        self.places.setdefault(path, node.place)
        other = self.parts.setdefault(path, part)
        if None not in (part, other) and part != other:
            node.wrong(f"must be in one part: it is in {other} before", part)

    def take_name(self, name: str | None, node: Node, what: str) -> None:
        """Notes a name that was before; `what` has it."""
        if name is not None:
            known = self.names.setdefault(f"{what} {name}", dotted(node.place))
            if known != dotted(node.place):
                node.wrong(f"must be another {what} than that of {known}")


def read_picture(node: Node, reading: Reading) -> None:
    """Reads a picture and the people in it into `reading.pictures`."""
    parts = node.members(("file", "people"), ("size", "split"))
    if not parts:
        return
    path, part = reading.path(parts["file"]), reading.part_of(parts, node)
    size = parts["size"].size() if "size" in parts else None
    if path:
        reading.take_name(path, parts["file"], "picture")
        reading.take_picture(path, part, parts["file"])
        if reading.look:
            size = picture_head(parts["file"], path, size) or size
    people = []
    for one in parts["people"].items() or []:
        members = one.members(PERSON_KEYS[:1], PERSON_KEYS[1:])
        if members:
            people.append(_person(members, reading, size))
    if path and part:
        reading.pictures.append(CustomPicture(path, size, part, tuple(people)))


def read_clip(node: Node, reading: Reading) -> None:
    """Reads a clip into `reading.clips`."""
    parts = node.members(("name",), CLIP_KEYS)
    if not parts:
        return
    name, part = parts["name"].text(), reading.part_of(parts, node)
    reading.take_name(name, parts["name"], "clip")
    size = parts["size"].size() if "size" in parts else None
    if ("video" in parts) == ("frames" in parts):
        return node.wrong("must have either `video` or `frames`", list(parts))
    if "video" in parts:
        video, pictures = reading.path(parts["video"]), ()
        film = video_head(parts["video"], video, size) if reading.look else None
        film = film or Film(size)
        people = _labels(parts.get("labels"), reading, film)
    else:
        video = None
        pictures, people = _frames(parts["frames"], reading, size, part)
        if "labels" in parts:
            parts["labels"].wrong("is of videos: `frames` has boxes and joints")
        film = Film(size, len(pictures))
    spans = _spans(node, parts, reading, film)
    if name and part and spans and (video or pictures):
        clip = CustomClip(name, part, size, video, pictures, people, spans)
        reading.clips.append(clip)


def _frames(node, reading, size, part) -> tuple[tuple[str, ...], dict]:
    """Returns the pictures of a clip, and by number from 1 what is labelled there."""
    pictures, people = [], {}
    for number, one in enumerate(node.items(1) or [], 1):
        members = one.members(("file",), PERSON_KEYS)
        path = reading.path(members["file"]) if members else None
        if path:
            reading.take_picture(path, part, members["file"])
            pictures.append(path)
            if reading.look:
                size = picture_head(members["file"], path, size) or size
            if len(members) > 1:
                people[number] = _person(members, reading, size)
    return tuple(pictures), people


def _labels(node, reading, film: Film) -> dict[int, CustomPerson]:
    """Returns by number what is labelled in frames of a video; 0 frames: not known."""
    found, last = {}, 0
    for one in (node.items() if node else None) or []:
        members = one.members(("frame",), PERSON_KEYS)
        if not members:
            continue
        frame = members["frame"]
        number = frame.number("the number of a frame, an integer from 1", 1, True)
        if number is not None and number <= last:
            frame.wrong(f"must be greater than the frame before, {last}")
        elif number is not None and 0 < film.num_frames < number:
            frame.wrong(f"must be at most {film.num_frames}, the last of the video")
        elif number is not None:
            last = int(number)
            found[last] = _person(members, reading, film.size)
    return found


def _spans(node, parts, reading, film: Film) -> tuple[Span, ...]:
    """Returns what is done in a clip; a span of all of it where nothing is said."""
    if "action" in parts and "spans" in parts:
        return node.wrong("must have either `action` or `spans`", list(parts)) or ()
    if "spans" not in parts:
        action = _action(parts.get("action"), reading)
        return () if action is None and "action" in parts else (Span(action),)
    found = []
    for one in parts["spans"].items(1) or []:
        members = one.members(("action",), ("frames", "seconds"))
        action = _action(members["action"], reading) if members else None
        if action is None:
            continue
        if len(members) != 2:
            one.wrong("must have either `frames` or `seconds`", list(members))
        elif "seconds" in members and "video" not in parts:
            members["seconds"].wrong("is of videos: a span of pictures has `frames`")
        elif "seconds" in members:
            ends = _ends(members["seconds"], "s from the first frame", 0, film.end)
            found += [Span(action, seconds=ends)] if ends else []
        else:
            what = "numbers of frames from 1"
            ends = _ends(members["frames"], what, 1, film.num_frames)
            found += [Span(action, frames=ends)] if ends else []
    return tuple(found)


def _ends(node: Node, what: str, least: int, most: float):
    """Returns the first and the last of a span; at most 0 is not known."""
    ends = node.numbers(f"first and last, {what}", 2)
    if ends is None:
        return None
    whole = least and any(one != int(one) for one in ends)
    if whole or not least <= ends[0] <= ends[1] or (most and ends[1] > most):
        limit = f", at most {most:g}" if most else ""
        return node.wrong(f"must be first and last, {what}{limit}, and not turn back")
    return tuple(map(int, ends)) if least else tuple(ends)


def _action(node: Node | None, reading: Reading) -> int | None:
    if node is None:
        return None
    if node.value not in reading.actions:
        listed = ", ".join(reading.actions) or "none"
        rule = f"must be one of the file's `actions`: {listed}"
        return node.wrong(rule + meant(node.value, reading.actions))
    return reading.actions.index(node.value)


def _person(members: dict[str, Node], reading: Reading, size) -> CustomPerson:
    """Returns a person; what is wrong with him is noted and left out."""
    box = _box(members["box_xywh"], size) if "box_xywh" in members else None
    joints, visible = _joints(members.get("joints"), reading, size)
    known = is_valid(joints).all(axis=-1)
    if box and known.any() and not holds_joint(box, joints[known]):
        members["box_xywh"].wrong("must hold a joint of its person; it is x, y, w, h")
    head = members.get("head_size")
    head_size = head.number("a length above 0, px", 1e-6) if head else None
    return CustomPerson(
        box=box,
        joints=joints,
        visible=visible,
        joints_3d=_joints_3d(members.get("joints_3d"), reading, known),
        head_size=np.nan if head_size is None else float(head_size),
    )


def _box(node: Node, size) -> tuple[float, float, float, float] | None:
    box = node.numbers("x, y, w, h, px", 4)
    if box is None:
        return None
    rule = box_rule(box, size)
    return node.wrong(rule) if rule else tuple(map(float, box))


def _joints(node: Node | None, reading, size) -> tuple[np.ndarray, np.ndarray]:
    """Returns joints (num_joints, 2), px, and (num_joints,) which are visible."""
    joints = [[INVALID, INVALID]] * len(reading.rows)
    visible = [False] * len(reading.rows)
    for name, value in _named(node, reading):
        rule = joint_rule(value, size)
        if rule is not None:
            node.at(name).wrong(rule)
        else:
            row = reading.rows[name]
            joints[row], visible[row] = value[:2], value[2:] != [0]
    return np.array(joints, np.float64), np.array(visible)


def _joints_3d(node: Node | None, reading, known) -> np.ndarray | None:
    """Returns joints (num_joints, 3) of the camera's axes, mm."""
    if node is None:
        return None
    joints = np.full((len(reading.rows), 3), INVALID)
    for name, _ in _named(node, reading):
        row, one = reading.rows[name], node.at(name)
        if one.numbers("x right, y down, z forward, mm", 3) is None:
            continue
        if max(map(abs, one.value)) > FARTHEST:
            one.wrong(f"must be mm, none beyond {FARTHEST:g}")
        elif not known[row]:
            one.wrong("must be in `joints`, x and y in px, too", name)
        else:
            joints[row] = one.value
    return joints


def _named(node: Node | None, reading) -> Iterable[tuple[str, Any]]:
    """Yields the joints of an object by name; notes names that the layout has not."""
    if node is None:
        return
    if type(node.value) is not dict or not node.value.keys() <= reading.rows.keys():
        # What is wrong with it is noted here.
        node.members((), tuple(reading.rows), "joint of the layout")
    if isinstance(node.value, dict):
        known = node.value.keys() & reading.rows.keys()
        yield from ((name, node.value[name]) for name in node.value if name in known)
