"""The file of own data: pictures and clips of people, with boxes, joints and actions.

docs/custom.md tells the form. Paths in a file are relative to it. Everything is checked
as it is read, and every mistake is told with the line on which it stands.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from deephar.data.custom_data import PARTS, CustomData
from deephar.data.custom_parts import Reading, read_clip, read_picture
from deephar.data.marker import MARKER
from deephar.data.placed_json import JsonFile, Node, Place, Problem, dotted, meant
from deephar.utils.layouts import LAYOUTS, custom_layout, side_pairs
from deephar.utils.messages import shown

FORMAT, VERSION = "deephar-data", 1
LAYOUT_KEYS = ("name", "flips", "links", "dim", "sigmas", "head")
"""What a layout may have beside its `joints`."""

_MOST = 3
"""So many mistakes an error names."""


@dataclasses.dataclass(frozen=True, eq=False)
class Checked:
    """What `check_custom` found.

    Attributes:
        problems: Mistakes, by file and line.
        data: What was read of files with one layout and one list of actions, those of
            the first; None unless there is a sound layout.
        passed_over: JSON files of a folder that do not say to be of this format.
        places: By file where its pictures stand first: {path of the picture: place}.
    """

    problems: tuple[Problem, ...]
    data: CustomData | None
    passed_over: tuple[str, ...] = ()
    places: Mapping[str, Mapping[str, Place]] = dataclasses.field(default_factory=dict)


def read_custom(path: str | os.PathLike) -> CustomData:
    """Reads a file, or all files of a folder that say to be of this format.

    Pictures and videos are not looked for.

    Args:
        path: The file or folder. Files of a folder have one layout and one list of
            actions.

    Raises:
        FileNotFoundError: if there is nothing of this name.
        ValueError: if something is wrong; the first mistakes are told by file and line.
    """
    found = check_custom(path)
    if found.problems:
        lines = [str(one) for one in found.problems]
        more = f"\nand {len(lines) - _MOST} more" if len(lines) > _MOST else ""
        count = f"{len(lines)} mistake{'s' * (len(lines) > 1)}"
        raise ValueError(f"{path} has {count}:\n" + "\n".join(lines[:_MOST]) + more)
    return found.data


def check_custom(path: str | os.PathLike, look: bool = False) -> Checked:
    """Reads a file or folder as `read_custom` does, and tells all that is wrong.

    Args:
        path: The file or folder.
        look: Whether pictures and videos are looked for, and their heads read.

    Raises:
        OSError: if there is nothing of this name, or it cannot be read.
    """
    files, passed_over = _files(pathlib.Path(path))
    if not files:
        text = f'must hold a file with "format": "{FORMAT}". Received: none'
        problem = Problem(os.fspath(path), 0, text)
        return Checked((problem,), None, passed_over)
    problems: list[Problem] = []
    readings: list[Reading] = []
    places: dict[str, Mapping[str, Place]] = {}
    for file in files:
        reading = _read(file, readings, look)
        problems += file.problems()
        if reading is not None:
            readings.append(reading)
            places[file.path] = reading.places
    if not readings:
        return Checked(tuple(problems), None, passed_over)
    first = readings[0]
    readings = [one for one in readings if _is_like(one, first)]
    data = CustomData(
        files=tuple(file.path for file in files),
        layout=first.layout,
        actions=first.actions,
        pictures=tuple(one for reading in readings for one in reading.pictures),
        clips=tuple(one for reading in readings for one in reading.clips),
    )
    return Checked(tuple(problems), data, passed_over, places)


def _files(path: pathlib.Path) -> tuple[list[JsonFile], tuple[str, ...]]:
    """Returns the files to read, and the paths of those that are of another format."""
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(f"no such file or folder: {path}")
        return [JsonFile(path)], ()
    found, others = [], []
    for one in sorted(path.glob("*.json")):
        if one.name == MARKER:
            continue
        file = JsonFile(one)
        value = file.root and file.root.value
        if file.root is None or (isinstance(value, dict) and "layout" in value):
            found.append(file)
        elif isinstance(value, dict) and value.get("format") == FORMAT:
            found.append(file)
        else:
            others.append(os.fspath(one))
    return found, tuple(others)


_TOP = ("format", "version", "layout")
_MORE = ("$schema", "actions", "split", "pictures", "clips", "about")


def _read(file: JsonFile, before: Sequence[Reading], look: bool) -> Reading | None:
    """Reads one file; None where its layout is not sound."""
    top = file.root and file.root.members(_TOP, _MORE)
    if not top:
        return None
    top["format"].one_of((FORMAT,))
    if top["version"].value != VERSION or isinstance(top["version"].value, bool):
        top["version"].wrong(f"must be {VERSION}, the only one there is")
    layout = _layout(top["layout"])
    actions = _actions(top["actions"]) if "actions" in top else ()
    part = top["split"].one_of(PARTS) if "split" in top else None
    if layout is None:
        return None
    folder = os.path.dirname(file.path)
    reading = Reading(folder, layout, actions, part, before, look)
    if before:
        _check_same(top, reading, before[0])
    for key, read in (("pictures", read_picture), ("clips", read_clip)):
        for one in (top[key].items() if key in top else None) or []:
            read(one, reading)
    if not (top.keys() & {"pictures", "clips"}):
        file.root.wrong("must have pictures or clips", list(file.root.value))
    return reading


def _actions(node: Node) -> tuple[str, ...]:
    """Returns the names of the actions."""
    found = node.texts()
    for one in node.items() or []:
        if isinstance(one.value, str) and "," in one.value:
            one.wrong("must be a name without a comma, which is between names")
    return tuple(found)


def _check_same(top: dict[str, Node], ours: Reading, first: Reading) -> None:
    """Notes layouts and actions that differ from those of the folder's first file."""
    if not _has_layout(ours, first):
        top["layout"].wrong("must be that of the folder's other files")
    if "actions" in top and ours.actions != first.actions:
        top["actions"].wrong(
            f"must be those of the folder's other files: {', '.join(first.actions)}"
        )


def _is_like(ours: Reading, first: Reading) -> bool:
    """Whether a file has the first one's layout, and its actions or none."""
    return _has_layout(ours, first) and ours.actions in ((), first.actions)


def _has_layout(ours: Reading, first: Reading) -> bool:
    keys = ("joint_names", "map_hflip", "dim")
    return all(getattr(ours.layout, k) == getattr(first.layout, k) for k in keys)


def _layout(node: Node) -> Any:
    """Returns the layout that is named or listed; None where it is not sound."""
    if isinstance(node.value, str):
        return LAYOUTS.get(node.one_of(tuple(LAYOUTS)))
    parts = node.members(("joints",), LAYOUT_KEYS)
    count = len(node.notes)
    known = parts and parts["joints"].texts(1)
    if not known:
        return None
    pairs = {key: _pairs(parts.get(key), known) for key in ("flips", "links")}
    if len(node.notes) == count:
        _check_sides(parts, known, pairs["flips"])
    others = {
        k: parts[k].value for k in ("name", "dim", "sigmas", "head") if k in parts
    }
    if len(node.notes) > count:
        return None
    try:
        return custom_layout(known, **pairs, **others)
    except ValueError as error:
        node.notes.append((node.place, f"{dotted(node.place)}: {error}"))
        return None


def _pairs(node: Node | None, names: Sequence[str]) -> list[list[str]]:
    """Returns pairs of joints."""
    found = []
    for pair in (node.items() if node else None) or []:
        if not isinstance(pair.value, list) or len(pair.value) != 2:
            pair.wrong("must be a pair of joints, [name, name]")
        elif wrong := [one for one in pair.value if one not in names]:
            pair.wrong(f"must be of the layout's joints{meant(wrong[0], names)}")
        else:
            found.append(pair.value)
    return found


def _check_sides(
    parts: dict[str, Node], names: Sequence[str], flips: Sequence[Sequence[str]]
) -> None:
    """Notes a left joint that no mirror exchanges with its right one."""
    paired = {frozenset(pair) for pair in flips}
    node = parts.get("flips", parts["joints"])
    for pair in side_pairs(names):
        if frozenset(pair) not in paired:
            node.wrong(
                f"must have the pair {shown(pair)}, or a mirrored picture would have "
                "them the wrong way round",
                list(flips),
            )
