"""What looks at people through windows of a picture, whatever network it has."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from deephar.data.pictures import open_picture, to_rgb
from deephar.inference.crops import Window
from deephar.inference.results import Person, Pose, Pose3D
from deephar.utils.bbox import bbox_to_objposwin, check_overlap, checked_box

PERSON_MARGIN = 1.25
"""Side of the crop over the longer side of the person's box, as MPII's training has."""


class Looked(NamedTuple):
    """What was seen of some people.

    Attributes:
        joints: `(blocks, people, joints, dim + 1)` float64, as of `crops.Located`; one
            block where the network has no more, or was cut. The last one counts.
        windows: the last window of every person.
        widths: of the windows in which depth has its unit, px; see
            `Pose3D.of_picture`.
        described: `(people, ...)` arrays, what a clip head wants to know of each person
            in the last window, as of `ClipPredictor.describe_frames`; none of networks
            of poses.
    """

    joints: np.ndarray
    windows: list[Window]
    widths: list[float]
    described: tuple[np.ndarray, ...] = ()


class Looker(Protocol):
    """What `PosePredictor` and `ActionPredictor` both are.

    Attributes:
        poselayout: layout of the joints.
    """

    poselayout: Any

    def window(
        self, size: tuple[int, int], box: Sequence[float] | None = None
    ) -> Window:
        """The window through which to look at a person first.

        Args:
            size: (w, h) of the picture, px.
            box: the person as (x1, y1, x2, y2) px; None looks at the whole picture.
        """

    def look(
        self, pictures: Sequence[Image.Image], windows: Sequence[Window]
    ) -> Looked:
        """Looks at one person in each window, at all in one go.

        Args:
            pictures: the decoded RGB picture of every person; one may come again.
            windows: where each of them is; there may be none.
        """


def people_of(looked: Looked, poselayout) -> list[Person]:
    """The people who were looked at, with their poses by the last block.

    Args:
        looked: what was seen of them.
        poselayout: layout of the joints; in 3D the people have a pose in space too.
    """
    names, people = tuple(poselayout.joint_names), []
    rows = zip(looked.joints[-1], looked.windows, looked.widths, strict=True)
    for joints, window, width in rows:
        pose = Pose(joints[:, :-1], joints[:, -1], window.box, names)
        in_space = None
        if poselayout.dim == 3:
            in_space = Pose3D.of_picture(pose.joints, poselayout, width)
        people.append(Person(pose, pose_3d=in_space))
    return people


def person_window(
    size: tuple[int, int], box: Sequence[float] | None, resolution: tuple[int, int]
) -> Window:
    """The window around a person's box, with the margin of training.

    Args:
        size: (w, h) of the picture, px.
        box: the person as (x1, y1, x2, y2) px; None looks at the whole picture.
        resolution: (w, h) of the network's input, whose shape the window has.

    Raises:
        ValueError: if the box is empty, outside the picture or not four numbers.
    """
    center, side = (size[0] / 2, size[1] / 2), max(size)
    if box is not None:
        center, side = _square(box, size)
    unit = side / max(resolution)
    return Window(center, (unit * resolution[0], unit * resolution[1]))


def _square(box: Sequence[float], size: tuple[int, int]) -> tuple:
    """Centre (x, y) and side of the square crop around a person's box, px."""
    values = checked_box(box)
    check_overlap("A box", values, size)
    (x, y), window = bbox_to_objposwin(values)
    return (float(x), float(y)), PERSON_MARGIN * float(max(window))


def as_picture(picture: Image.Image | np.ndarray | str | os.PathLike) -> Image.Image:
    """A picture in mode RGB, whatever it comes as.

    Args:
        picture: PIL image of any mode; array `(h, w, 3)` uint8 RGB, or with alpha
            `(h, w, 4)`, or grey `(h, w)`; or the path of a file, which is turned as
            its EXIF orientation says. Others are taken as stored.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if an array has another shape or type.
    """
    if isinstance(picture, Image.Image):
        return to_rgb(picture)
    if isinstance(picture, str | os.PathLike):
        return open_picture(picture, upright=True)
    pixels = np.asarray(picture)
    grey = pixels.ndim == 2
    if (
        pixels.dtype != np.uint8
        or not (grey or (pixels.ndim == 3 and pixels.shape[2] in (3, 4)))
        or not pixels.size
    ):
        raise ValueError(
            "`picture` must be a PIL image, a path, or an array (h, w, 3) uint8. "
            f"Received: an array {pixels.shape} of {pixels.dtype}"
        )
    return to_rgb(Image.fromarray(np.ascontiguousarray(pixels)))
