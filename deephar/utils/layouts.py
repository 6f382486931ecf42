"""Layouts of any joints, and layouts by name.

A layout is a class as those of `deephar.utils.pose`, where its attributes are told.
"""

import copyreg
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from deephar.utils.messages import shown
from deephar.utils.pose import (
    coco17j,
    h36m17j,
    ntu25j3d,
    pa16j2d,
    pa16j3d,
    pa17j2d,
    pa17j3d,
    pa20j3d,
    pa21j3d,
)

LAYOUTS = {
    layout.__name__: layout
    for layout in (
        *(pa16j2d, pa16j3d, pa17j2d, pa17j3d, pa20j3d, pa21j3d),
        *(coco17j, h36m17j, ntu25j3d),
    )
}
"""The layouts that have a name."""
_COLORS = ["g", "r", "b"]
_SIDES = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "l": "r", "L": "R"}
_SIDES |= {right: left for left, right in _SIDES.items()}
_SIDE = re.compile(
    r"left|right|Left|Right|LEFT|RIGHT"
    r"|(?<![^\W_])[lrLR](?![^\W_])"  # a word of its own: l_paw, paw.L
    r"|(?<=[a-z])[LR]$"
)
_GLUED = re.compile(r"^[lrLR](?=[^\W\d_])")
_KEYS = ("name", "joints", "flips", "links", "dim", "sigmas", "head")


class _CustomLayout(type):
    """Of layouts that are made: they travel to other processes by description."""


def custom_layout(
    joint_names: Sequence[str],
    flips: Iterable[Sequence[str]] = (),
    links: Iterable[Sequence[str]] = (),
    dim: int = 2,
    name: str = "custom",
    sigmas: Sequence[float] | None = None,
    head: Sequence[str] | None = None,
) -> type:
    """Makes a layout of any joints.

    Args:
        joint_names: A name for every joint, in the order of the rows.
        flips: Pairs of names that a mirror exchanges: left and right.
        links: Pairs of names between which a limb is drawn.
        dim: Coordinates of a joint: 2 or 3.
        name: Name of the class.
        sigmas: Of every joint the standard deviation of its labels by the square root
            of the person's area, as COCO's OKS has it; None where it is not known.
        head: Two names: their distance is the head size of PCKh; None for none.

    Returns:
        A class with `num_joints`, `dim`, `joint_names`, `map_hflip`, `color`, `cmap`
        (joints of no pair green, the first of a pair red, the second blue), `links`,
        and `sigmas` and `head` (rows of the two joints), None where not given.

    Raises:
        ValueError: if an argument breaks these rules, or a joint is in two flips.
    """
    names = list(joint_names)
    _check(joint_names, dim, name, sigmas)
    mirrored, cmap = list(range(len(names))), [0] * len(names)
    for first, second in (_rows("flips", pair, names) for pair in flips):
        if mirrored[first] != first or mirrored[second] != second:
            raise ValueError(
                "`flips` must have a joint in one pair at most. "
                f"Received: {names[first]!r} and {names[second]!r}, one of them before"
            )
        mirrored[first], mirrored[second] = second, first
        cmap[first], cmap[second] = 1, 2
    return _CustomLayout(
        name,
        (),
        {
            "__doc__": f"A layout of {len(names)} joints.",
            "num_joints": len(names),
            "dim": int(dim),
            "joint_names": names,
            "map_hflip": mirrored,
            "color": _COLORS,
            "cmap": cmap,
            "links": [_rows("links", pair, names) for pair in links],
            "sigmas": None if sigmas is None else [float(one) for one in sigmas],
            "head": None if head is None else _rows("head", head, names),
        },
    )


def mirrored_name(name: str) -> str:
    """Returns the name of a joint with its sides exchanged; itself if it has none.

    Sides are left and right in it (Left, LEFT), l and r (L, R) as words, L and R at its
    end (pawL), and, where there is none of these, l and r (L, R) at its beginning
    (lpaw, LPaw). What begins with l or r need not have a side: what is returned counts
    if it is the name of another joint.
    """
    pattern = _SIDE if _SIDE.search(name) else _GLUED
    return pattern.sub(lambda found: _SIDES[found[0]], name)


def side_pairs(joint_names: Sequence[str]) -> list[list[str]]:
    """Returns pairs [right, left] of joints that are such by their names."""
    pairs = []
    for row, name in enumerate(joint_names):
        other = mirrored_name(name)
        if other in joint_names[:row] and mirrored_name(other) == name:
            side = (_SIDE.search(name) or _GLUED.search(name))[0]
            pairs.append([other, name] if side[0] in "lL" else [name, other])
    return pairs


def describe_layout(layout: Any) -> dict[str, Any]:
    """Returns what `layout_from` makes a layout of again, as JSON can hold it."""
    names = layout.joint_names
    flips = [
        [names[row], names[other]]
        for row, other in enumerate(layout.map_hflip)
        if row != other and _is_first(layout, row, other)
    ]
    described = {
        "name": layout.__name__,
        "joints": list(names),
        "flips": flips,
        "links": [[names[row] for row in link] for link in layout.links],
        "dim": layout.dim,
    }
    sigmas, head = (getattr(layout, key, None) for key in ("sigmas", "head"))
    if sigmas is not None:
        described["sigmas"] = list(sigmas)
    if head is not None:
        described["head"] = [names[row] for row in head]
    return described


def layout_from(described: str | Mapping[str, Any]) -> type:
    """Returns a layout: one of `LAYOUTS` by its name, or what is described.

    A description with the name of one of `LAYOUTS` that equals it is that layout.

    Args:
        described: A name, or what `describe_layout` returns.

    Raises:
        ValueError: if there is none of this name, or the description has other keys or
            values.
    """
    if isinstance(described, str):
        if described not in LAYOUTS:
            raise ValueError(
                f"a layout must be one of {', '.join(LAYOUTS)}, or be described. "
                f"Received: {shown(described)}"
            )
        return LAYOUTS[described]
    if not isinstance(described, Mapping) or "joints" not in described:
        raise ValueError(
            f"a layout must be a name, or have `joints`. Received: {shown(described)}"
        )
    unknown = [key for key in described if key not in _KEYS]
    if unknown:
        raise ValueError(
            f"a layout has {', '.join(_KEYS)}. Received: {shown(unknown[0])}"
        )
    named = LAYOUTS.get(described.get("name", ""))
    if named is not None and describe_layout(named) == dict(described):
        return named
    others = {key: one for key, one in described.items() if key != "joints"}
    return custom_layout(described["joints"], **others)


copyreg.pickle(_CustomLayout, lambda layout: (layout_from, (describe_layout(layout),)))


def _check(joint_names, dim, name, sigmas) -> None:
    """Raises ValueError unless arguments of `custom_layout` are as they should be."""
    names = list(joint_names)
    texts = all(isinstance(one, str) and one for one in names)
    if isinstance(joint_names, str) or not names or not texts:
        raise ValueError(
            "`joint_names` must be a list of names. "
            f"Received: joint_names={shown(joint_names)}"
        )
    twice = [one for i, one in enumerate(names) if one in names[:i]]
    if twice:
        raise ValueError(
            f"`joint_names` must differ. Received: {shown(twice[0])} twice"
        )
    if dim not in (2, 3):
        raise ValueError(f"`dim` must be 2 or 3. Received: dim={shown(dim)}")
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(
            f"`name` must be a name of letters, digits and _. Received: {shown(name)}"
        )
    if sigmas is not None and not _are_sigmas(sigmas, len(names)):
        raise ValueError(
            f"`sigmas` must be {len(names)} numbers above 0, one a joint. "
            f"Received: sigmas={shown(sigmas)}"
        )


def _is_first(layout, row, other):
    """Tells which of a pair comes first: by colour where they are made by flips."""
    if layout.color is _COLORS:
        return layout.cmap[row] == 1
    return row < other


def _rows(argument, pair, names):
    """Returns the rows of a pair of joints."""
    two = isinstance(pair, list | tuple) and len(pair) == 2
    if not two or pair[0] == pair[1] or not all(one in names for one in pair):
        raise ValueError(
            f"`{argument}` must be of two different joints of the layout. "
            f"Received: {shown(pair)}"
        )
    return [names.index(one) for one in pair]


def _are_sigmas(sigmas, count):
    return (
        isinstance(sigmas, list | tuple)
        and len(sigmas) == count
        and all(type(one) in (int, float) and 0 < one < float("inf") for one in sigmas)
    )
