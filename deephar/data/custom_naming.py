"""Names of joints and actions of what is converted to own data."""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from typing import Any

from deephar.data.custom_format import read_custom
from deephar.data.placed_json import Node
from deephar.utils.layouts import LAYOUTS, describe_layout, side_pairs

_SHORT = (
    *(("left_", "l_"), ("right_", "r_")),
    *(("shoulder", "shoul"), ("elbow", "elb")),
)


@dataclasses.dataclass(frozen=True)
class Like:
    """What data that is there gives to a file that must fit it.

    Attributes:
        path: Of the data.
        layout: `layout` of the new file.
        joints: Names of the layout's joints.
        actions: Names of the actions.
    """

    path: str
    layout: str | dict[str, Any]
    joints: tuple[str, ...]
    actions: tuple[str, ...]

    def joint_names(self, names: Sequence[str]) -> dict[str, str]:
        """Returns the layout's names by the source's.

        Those of MPII and COCO may be written out: `left_shoulder` is `l_shoul`.

        Raises:
            ValueError: if one is not in the layout, or two are the same joint.
        """
        short = {_short(one): one for one in self.joints}
        found = {
            name: name if name in self.joints else short.get(_short(name))
            for name in names
        }
        given = list(found.values())
        wrong = [
            name for name, one in found.items() if one is None or given.count(one) > 1
        ]
        rule = f"joints must be among those of {self.path}, no two the same one"
        _refuse(rule, self.joints, wrong)
        return found

    def check_actions(self, names: Iterable[str]) -> None:
        """Raises ValueError if one of the names is none of the actions."""
        wrong = [name for name in names if name not in self.actions]
        _refuse(f"actions must be among those of {self.path}", self.actions, wrong)


def read_like(path: str | os.PathLike) -> Like:
    """Reads the layout and the actions of a file, or folder, of own data.

    Raises:
        OSError, ValueError: as of `read_custom`.
    """
    data = read_custom(path)
    layout = data.layout
    named = LAYOUTS.get(layout.__name__) is layout
    described = layout.__name__ if named else describe_layout(layout)
    return Like(os.fspath(path), described, tuple(layout.joint_names), data.actions)


def make_layout(
    names: Sequence[str], links: Iterable[Sequence[str]] = ()
) -> tuple[str | dict[str, Any], dict[str, str]]:
    """Makes `layout` of a file of names of joints.

    Args:
        names: The source's names.
        links: Pairs of these; those of a joint with itself are no limb.

    Returns:
        "coco17j" or "pa16j2d" where the joints are those, and "pa16j2d" where there
        are none, else joints, flips by their names, and links; and from the source's
        names to the file's.
    """
    names = list(names)
    if not names:
        return "pa16j2d", {}
    short = [_short(name) for name in names]
    for known in ("coco17j", "pa16j2d"):
        if sorted(short) == sorted(LAYOUTS[known].joint_names):
            return known, dict(zip(names, short, strict=True))
    links = [[first, second] for first, second in links if first != second]
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


def _refuse(rule: str, known: Sequence[str], wrong: Sequence[str]) -> None:
    if wrong:
        listed = ", ".join(known) or "none"
        raise ValueError(f"{rule}: {listed}. Received: {', '.join(wrong)}")


def _short(name: str) -> str:
    """Returns a joint's name as layouts of `LAYOUTS` shorten it."""
    found = name.lower().replace(" ", "_")
    for long, brief in _SHORT:
        found = found.replace(long, brief)
    return found
