"""What looks at people through windows of a picture, whatever network it has."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from deephar.inference.crops import Window
from deephar.inference.results import Person, Pose, Pose3D


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
