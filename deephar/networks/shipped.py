"""Small weights that come with the package, so that it answers from the first minute.

They have learned from generated people only: `weights/README.md` says from which, by
which commands, and how good they are.
"""

import dataclasses
import pathlib
import sysconfig

_BESIDE = pathlib.Path(__file__).resolve().parents[2]
"""Folder that the package lies in: a checkout, or where it was installed."""
_CHECKOUT = _BESIDE / "weights"
_INSTALLED = "share/deephar/weights"
"""Folder below that of an installation's data, see setup.py."""


@dataclasses.dataclass(frozen=True)
class Shipped:
    """Weights that come with the package.

    Attributes:
        name: what flags and `load` call them.
        file: name of the file in the folder of that name, with a model.json and a
            receipt.json beside it.
        about: what they are of.
    """

    name: str
    file: str
    about: str

    @property
    def path(self) -> pathlib.Path:
        """Where the file lies: in a checkout, else where it was installed.

        Raises:
            FileNotFoundError: if it is at none of these places.
        """
        for place in self._places():
            if place.is_file():
                return place
        places = ", ".join(map(str, self._places()))
        raise FileNotFoundError(
            f"{self.name}: these weights come with a checkout or a wheel of deephar, "
            f"but are at none of {places}"
        )

    def is_here(self) -> bool:
        """Whether the file is at one of its places."""
        return any(place.is_file() for place in self._places())

    def _places(self) -> list[pathlib.Path]:
        user = sysconfig.get_preferred_scheme("user")
        # pip puts data beside the package with --target, and below that of the user
        # with --user.
        roots = (_BESIDE, sysconfig.get_path("data"), sysconfig.get_path("data", user))
        folders = [_CHECKOUT, *(pathlib.Path(root, _INSTALLED) for root in roots)]
        return [folder / self.name / self.file for folder in folders]


SMALL_POSE = Shipped(
    "small_pose",
    "small_pose.weights.h5",
    "2D poses in pictures, 16 joints; learned from generated people only",
)
SMALL_ACTION = Shipped(
    "small_action",
    "small_action.weights.h5",
    "2D poses and Penn Action's 15 actions in clips; learned from generated people "
    "only",
)
SMALL_LIFT = Shipped(
    "small_lift",
    "small_lift.bin",
    "3D poses from tracks of 2D poses; learned from generated motion only",
)

SHIPPED = {one.name: one for one in (SMALL_POSE, SMALL_ACTION, SMALL_LIFT)}
"""The weights that come with the package, by name."""


def shipped_path(weights: str) -> str:
    """The path of weights that are named; any other is returned as it is.

    A file that is there goes before a name.

    Raises:
        FileNotFoundError: as of `Shipped.path`.
    """
    if weights in SHIPPED and not pathlib.Path(weights).is_file():
        return str(SHIPPED[weights].path)
    return weights
