"""People in single pictures, each with a box and joints.

What COCO, MERL and own data share: a person is a picture, a box and joints, 17 key
points of the first two. Where the annotations come from is said in `deephar.data.coco`,
`deephar.data.merl` and `deephar.data.custom`.
"""

import dataclasses
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.base import HALF_DEPTH, MIN_WINDOW, Person, SinglePersonDataset
from deephar.data.cache import PictureCache
from deephar.data.records import FARTHEST, are_numbers
from deephar.utils.messages import shown
from deephar.utils.modes import VALID_MODE, mode_name
from deephar.utils.pose import (
    INVALID,
    coco17j,
    convert_coco17j_to_pa16j,
    is_valid,
    pa16j2d,
)

logger = logging.getLogger(__name__)

WINDOW_MARGIN = 1.25
"""The window is this much larger than the longer side of the box."""
SHIFT_UNIT = 200.0
"""Drawn shifts count in px of a window of this side, as MPII's."""


@dataclasses.dataclass(frozen=True, eq=False)
class BoxedPerson:
    """A labelled person.

    Attributes:
        picture: Path of the picture.
        box: (x, y, w, h): upper left corner and size, px.
        joints: (num_joints, 2 or 3) x, y, px, and depth, mm, in the order of `coco17j`
            or another layout; INVALID where not labelled.
        size: Annotated (w, h) of the picture, px; None where it is not known.
        head_size: Head size of PCKh, px; NaN where it is not known.

    Raises:
        ValueError: if the box is not finite, empty or beyond all pictures.
    """

    picture: str
    box: tuple[float, float, float, float]
    joints: np.ndarray
    size: tuple[int, int] | None = None
    head_size: float = np.nan

    def __post_init__(self):
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
    augmentation, the other modes do not. A window with a side below `MIN_WINDOW`
    becomes one of this side. With a layout of 3 coordinates, 0.5 is the depth of the
    first joint, and [0, 1] a metre to either side of it times the window's scale.

    Args:
        dataset_path: Folder of the pictures, for messages.
        people: The people.
        dataconf: Size of the crop and augmentation.
        poselayout: `labelled`; where that is `coco17j`, a layout of the 16 joints of
            `pa16j2d` in 2D too: see `deephar.utils.pose.convert_coco17j_to_pa16j`.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.
        labelled: Layout of the people's joints.

    Attributes:
        people: The people.
        anno_path: Path of the annotations, if they come from a file.
        left_out: By reason, the number of those whom the annotations have beside.
        visible: (people, joints) which joints of `labelled` are labelled and not
            hidden; None where the annotations do not tell.

    Raises:
        ValueError: if the layout is another, or the joints have another shape, or there
            are no people.
    """

    anno_path = ""
    left_out: Mapping[str, int] = {}
    visible: np.ndarray | None = None

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        people: Sequence[BoxedPerson],
        dataconf: DataConfig,
        poselayout: Any = pa16j2d,
        remove_outer_joints: bool = True,
        cache: PictureCache | None = None,
        labelled: Any = coco17j,
    ):
        super().__init__(dataset_path, dataconf, poselayout, remove_outer_joints, cache)
        check_layout(poselayout, labelled)
        self.labelled = labelled
        self.people = list(people)
        counts = ", ".join(f"{count} {why}" for why, count in self.left_out.items())
        if not self.people:
            raise ValueError(
                f"{self.anno_path or '`people`'} must have people to look at. "
                f"Received: none; left out: {counts or 'none'}"
            )
        for one in self.people:
            check_joints(f"a person in {one.picture}", one.joints, (), labelled)
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
        joints = to_layout(one.joints, self.poselayout, self.labelled)
        depth = joints[:, 2:]
        known = is_valid(depth) & is_valid(depth[:1])
        whole = 2 * HALF_DEPTH * augmentation["scale"]
        joints[:, 2:] = np.where(known, (depth - depth[:1]) / whole + 0.5, INVALID)
        return Person(
            picture=one.picture,
            center=center,
            window=(side, side),
            joints=joints,
            head_size=one.head_size,
            picture_size=one.size,
        )

    def visible_joints(self, key: int, mode: int) -> np.ndarray | None:
        """Returns which joints of a person are not hidden, made ones among them."""
        mode_name(mode)
        if self.visible is None:
            return None
        told = dict(zip(self.labelled.joint_names, self.visible[key], strict=True))
        return np.array([told.get(name, True) for name in self.poselayout.joint_names])

    def box_sides(self) -> np.ndarray:
        """Returns the longer side of every person's box, (people,) px."""
        return np.array([max(one.box[2:]) for one in self.people], dtype=np.float64)

    def missing_pictures(self, mode: int = VALID_MODE) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        mode_name(mode)
        paths = {one.picture for one in self.people}
        return sorted(path for path in paths if not os.path.isfile(path))


def check_layout(poselayout: Any, labelled: Any = coco17j) -> None:
    """Raises ValueError unless labelled joints can be brought into a layout."""
    names, of_coco = labelled.joint_names, labelled is coco17j
    options = (names, pa16j2d.joint_names) if of_coco else (names,)
    flat = poselayout.dim == 2 or not of_coco
    if not flat or poselayout.joint_names not in options:
        others = " or pa16j2d" if of_coco else ""
        raise ValueError(
            f"`poselayout` must be {labelled.__name__}{others}. "
            f"Received: poselayout={poselayout.__name__}"
        )


def check_joints(
    owner: str, joints: np.ndarray, before: tuple[int, ...], labelled: Any
) -> None:
    """Raises ValueError unless joints have the shape of a layout behind `before`."""
    shapes = [(*before, labelled.num_joints, dim) for dim in (2, 3)]
    if np.shape(joints) not in shapes[: labelled.dim - 1]:
        raise ValueError(
            f"`joints` of {owner} must have the shape {shapes[0]}. "
            f"Received: joints.shape={np.shape(joints)}"
        )


def to_layout(
    joints: np.ndarray, poselayout: Any, labelled: Any = coco17j
) -> np.ndarray:
    """Returns joints (..., num_joints, dim) in a layout that `check_layout` passes.

    The result is a float64 copy.
    """
    if poselayout.joint_names == labelled.joint_names:
        return np.array(joints, dtype=np.float64)
    return convert_coco17j_to_pa16j(joints)
