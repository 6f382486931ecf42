"""Which points and boxes of an annotation tool are one person's."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from deephar.data.custom_rules import box_rule

Point = tuple[float, float, bool]
"""x, y, px, and whether it is visible."""


@dataclasses.dataclass(eq=False)
class Labelled:
    """A person as a source has him.

    Attributes:
        points: By the source's names of joints.
        box: (x1, y1, x2, y2), px; None where there is none.
        group: Number that joins a box and points; None or 0 for none.
    """

    points: dict[str, Point]
    box: tuple[float, float, float, float] | None = None
    group: Any = None


def join_boxes(boxes: list[Labelled], people: list[Labelled]) -> list[Labelled]:
    """Gives people without a box the boxes that are theirs.

    A box is joined by its group or, without one, to those of whose points it holds the
    most and more than half, the smallest box first.

    Args:
        boxes: People with a box and no points.
        people: People with points.

    Returns:
        The people, and the boxes that are nobody's.
    """
    left = sorted(boxes, key=lambda one: _area(one.box))
    for person in people:
        if person.box is not None:
            continue
        same = [one for one in left if person.group and one.group == person.group]
        if not same and not person.group:
            same = [
                one for one in left if not one.group and share_inside(one, person) > 0.5
            ]
            same.sort(key=lambda one: -share_inside(one, person))
        if same:
            person.box = same[0].box
            left.remove(same[0])
    return [*people, *(one for one in boxes if one in left)]


def gather_points(
    points: Iterable[tuple[str, Point]], boxes: list[Labelled]
) -> tuple[list[Labelled], int]:
    """Makes people of single points.

    Without boxes, stray clicks aside, all points are one person's. Else a point belongs
    to the smallest box that holds it.

    Args:
        points: Name of the joint, and where it is.
        boxes: People with a box, who get the points.

    Returns:
        Those who were made beside the boxes, and how many points are nobody's: those in
        no box, and those of a joint that the person has before.
    """
    alone, lost = Labelled({}), 0
    sound = [one for one in boxes if box_rule(box_xywh(one.box), None) is None]
    ordered = sorted(sound, key=lambda one: _area(one.box))
    for name, point in points:
        here = Labelled({name: point})
        holders = (
            [one for one in ordered if share_inside(one, here)] if sound else [alone]
        )
        owner = next((one for one in holders if name not in one.points), None)
        if owner is None:
            lost += 1
        else:
            owner.points[name] = point
    return ([alone] if alone.points else []), lost


def box_xywh(corners: Sequence[float]) -> list[float]:
    """Returns the box x, y, w, h of corners x1, y1, x2, y2, as files have it."""
    x1, y1, x2, y2 = corners
    return [rounded(one) for one in (x1, y1, x2 - x1, y2 - y1)]


def rounded(px: float) -> float:
    """Returns px as files have them, to a hundredth."""
    return round(float(px), 2)


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def share_inside(box: Labelled, person: Labelled) -> float:
    """Returns the part of a person's points that a box holds."""
    x1, y1, x2, y2 = box.box
    inside = [x1 <= x <= x2 and y1 <= y <= y2 for x, y, _ in person.points.values()]
    return sum(inside) / max(len(inside), 1)
