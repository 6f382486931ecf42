"""People in single pictures, each with a box and COCO's key points.

What COCO and MERL share: a person is a picture, a box and 17 key points. Where the
annotations come from is said in `deephar.data.coco` and `deephar.data.merl`.
"""

import dataclasses
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.base import MIN_WINDOW, Person, SinglePersonDataset
from deephar.data.cache import PictureCache
from deephar.data.records import are_numbers
from deephar.utils.messages import shown
from deephar.utils.modes import VALID_MODE, mode_name
from deephar.utils.pose import coco17j, convert_coco17j_to_pa16j, pa16j2d

logger = logging.getLogger(__name__)

WINDOW_MARGIN = 1.25
"""The window is this much larger than the longer side of the box."""
SHIFT_UNIT = 200.0
"""Drawn shifts count in px of a window of this side, as MPII's."""
FARTHEST = 1e6
"""No picture is as large: a box with a greater number is damaged, px."""


@dataclasses.dataclass(frozen=True, eq=False)
class BoxedPerson:
    """A labelled person.

    Attributes:
        picture: Path of the picture.
        box: (x, y, w, h): upper left corner and size, px.
        joints: (17, 2) x, y, px, in the order of `coco17j`; INVALID where not labelled.
        size: Annotated (w, h) of the picture, px; None where it is not known.

    Raises:
        ValueError: if the box is not finite, empty or beyond all pictures, or the
            joints have another shape.
    """

    picture: str
    box: tuple[float, float, float, float]
    joints: np.ndarray
    size: tuple[int, int] | None = None

    def __post_init__(self):
        if np.shape(self.joints) != (coco17j.num_joints, 2):
            raise ValueError(
                f"`joints` of a person in {self.picture} must have the shape (17, 2). "
                f"Received: joints.shape={np.shape(self.joints)}"
            )
        if not is_box(self.box) or max(map(abs, self.box)) > FARTHEST:
            raise ValueError(
                f"`box` of a person in {self.picture} must be numbers x, y, w, h, px, "
                f"none beyond {FARTHEST:g}, with w and h above 0. "
                f"Received: box={shown(self.box)}"
            )


def are_finite(values: Any, count: int) -> bool:
    """Tells whether `values` are so many finite numbers, see `are_numbers`."""
    return are_numbers(values, (count,)) and bool(
        np.isfinite(np.array(values, dtype=np.float64)).all()
    )


def is_box(box: Any) -> bool:
    """Tells whether `box` is four finite numbers x, y, w, h with w and h above 0."""
    return are_finite(box, 4) and min(box[2:]) > 0


def person_window(
    box: Sequence[float], augmentation: Mapping[str, Any]
) -> tuple[tuple[float, float], float]:
    """Returns the window around a box: a square, 1.25 times as long as its longer side.

    Args:
        box: (x, y, w, h), px.
        augmentation: `scale`, a factor of the side; `transx` and `transy`, shifts in px
            of a window of 200 px, whatever the scale.

    Returns:
        Centre (x, y) and side, px.
    """
    x, y, width, height = (float(value) for value in box)
    side = WINDOW_MARGIN * max(width, height)
    unit = side / SHIFT_UNIT
    center = (
        x + width / 2 + unit * augmentation["transx"],
        y + height / 2 + unit * augmentation["transy"],
    )
    return center, side * augmentation["scale"]


class BoxedPeople(SinglePersonDataset):
    """Labelled people, each in a square window around his box.

    The people are one part of a data set, whatever the mode: TRAIN_MODE draws an
    augmentation, the other modes do not. There is no head size: it is NaN. A window
    with a side below `MIN_WINDOW` becomes one of this side.

    Args:
        dataset_path: Folder of the pictures, for messages.
        people: The people.
        dataconf: Size of the crop and augmentation.
        poselayout: `coco17j`, or a layout of the 16 joints of `pa16j2d` in 2D: see
            `deephar.utils.pose.convert_coco17j_to_pa16j`.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.

    Attributes:
        people: The people.
        anno_path: Path of the annotations, if they come from a file.
        left_out: By reason, the number of those whom the annotations have beside.

    Raises:
        ValueError: if the layout is another, or there are no people.
    """

    anno_path = ""
    left_out: Mapping[str, int] = {}

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        people: Sequence[BoxedPerson],
        dataconf: DataConfig,
        poselayout: Any = pa16j2d,
        remove_outer_joints: bool = True,
        cache: PictureCache | None = None,
    ):
        super().__init__(dataset_path, dataconf, poselayout, remove_outer_joints, cache)
        check_layout(poselayout)
        self.people = list(people)
        counts = ", ".join(f"{count} {why}" for why, count in self.left_out.items())
        if not self.people:
            raise ValueError(
                f"{self.anno_path or '`people`'} must have people to look at. "
                f"Received: none; left out: {counts or 'none'}"
            )
        if self.anno_path:
            found = (self.anno_path, len(self.people), counts)
            logger.info("%s: %d people; left out: %s", *found)

    def get_length(self, mode: int) -> int:
        """Returns the number of people, the same in every mode."""
        mode_name(mode)
        return len(self.people)

    def picture(self, key: int, mode: int) -> str:
        """Returns the path of a person's picture."""
        mode_name(mode)
        return self.people[key].picture

    def person(self, key: int, mode: int, augmentation: dict[str, Any]) -> Person:
        """Returns a person and his window, which follows the drawn scale and shift."""
        mode_name(mode)
        one = self.people[key]
        center, side = person_window(one.box, augmentation)
        side = max(side, MIN_WINDOW)
        return Person(
            picture=one.picture,
            center=center,
            window=(side, side),
            joints=to_layout(one.joints, self.poselayout),
            head_size=np.nan,
            picture_size=one.size,
        )

    def box_sides(self) -> np.ndarray:
        """Returns the longer side of every person's box, (people,) px."""
        return np.array([max(one.box[2:]) for one in self.people], dtype=np.float64)

    def missing_pictures(self, mode: int = VALID_MODE) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        mode_name(mode)
        paths = {one.picture for one in self.people}
        return sorted(path for path in paths if not os.path.isfile(path))


def check_layout(poselayout: Any) -> None:
    """Raises ValueError unless COCO's key points can be brought into a layout."""
    names = poselayout.joint_names
    if poselayout.dim != 2 or names not in (coco17j.joint_names, pa16j2d.joint_names):
        raise ValueError(
            "`poselayout` must be coco17j or pa16j2d. "
            f"Received: poselayout={poselayout.__name__}"
        )


def to_layout(joints: np.ndarray, poselayout: Any) -> np.ndarray:
    """Returns joints (..., 17, 2) of `coco17j` in a layout that `check_layout` passes.

    The result is a float64 copy (..., num_joints, 2).
    """
    if poselayout.num_joints == coco17j.num_joints:
        return np.array(joints, dtype=np.float64)
    return convert_coco17j_to_pa16j(joints)
