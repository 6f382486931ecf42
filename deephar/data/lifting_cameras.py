"""The four cameras of Human3.6M as temporal lifting uses them, and files of others.

Lenses are of the owners' calibration, px; places and directions, which differ from
person to person, m and quaternions (w, x, y, z). Tangential distortion is (p2, p1) of
OpenCV, as the projection wants it (`deephar.utils.camera`).

A file of cameras is JSON:

    {"S1": [{"name": "C1", "size": [640, 480], "orientation": [w, x, y, z],
             "translation": [x, y, z], "focal": [fx, fy], "centre": [cx, cy],
             "radial": [k1, k2, k3], "tangential": [p2, p1]}]}

with a list by camera, in the order of the key points, for each person; sizes, focal
lengths and centres in px, the orientation from the camera's axes to the world's, its
place in m. The last four may be missing together; then nothing can be projected.
"""

import dataclasses
import os

import numpy as np

from deephar.data.human36m_format import CAMERAS, SIZES
from deephar.data.records import check_keys, numbers, picture_size, read_json, text
from deephar.utils.camera import (
    denormalize_screen,
    normalize_screen,
    project_to_2d,
    world_to_camera,
)

_LENSES = """
1145.0494 1143.7811 512.5415 515.4515
   -0.20709892 0.24777518 -0.0030751503 -0.0009756989 -0.0014244716
1149.6757 1147.5917 508.84863 508.0649
   -0.19421363 0.24040854 0.0068199756 -0.0016190266 -0.0027408944
1149.1407 1148.799 519.81586 501.40265
   -0.20833819 0.255488 -0.0024604974 0.001484387 -0.0007599993
1145.5114 1144.7739 514.9682 501.88202
   -0.19838409 0.21832368 -0.008947807 -0.0005872056 -0.001813362
"""
"""By camera: fx, fy, cx, cy, px; k1, k2, k3, p2, p1."""

_PLACES = """
S1 0.14070565 -0.15007018 -0.7552408 0.62232804 1.841107 4.9552846 1.5634454
S1 0.6157188 -0.7648363 -0.14833826 0.11794741 1.7612785 -5.0780067 1.6062651
S1 0.14651473 -0.14647852 0.76530236 -0.60941756 -1.8467777 5.2150464 1.4919724
S1 0.58340085 -0.7853162 0.14548823 -0.14749594 -1.7947897 -3.722699 1.5748928
S5 0.14673772 -0.16237096 -0.7551893 0.6178939 2.0973916 4.8809447 1.6057324
S5 0.61597586 -0.7626792 -0.15728192 0.1189815 2.0317008 -5.167933 1.6129231
S5 0.14291371 -0.12907842 0.7678385 -0.6110143 -1.6205949 5.1716585 1.496437
S5 0.592048 -0.7814218 0.12747486 -0.15036418 -1.6371737 -3.8673174 1.5470332
S6 0.13378978 -0.15692396 -0.75710905 0.61988795 1.9354517 4.9502454 1.6180838
S6 0.61471975 -0.7628813 -0.16174768 0.11819245 1.9698039 -5.128739 1.6327788
S6 0.15299481 -0.13529131 0.76460963 -0.6112781 -1.7695965 5.1853614 1.4769934
S6 0.59161013 -0.7804774 0.1283227 -0.15615939 -1.7216687 -3.8841314 1.5404879
S7 0.14352418 -0.16313368 -0.75483286 0.6188825 1.9745129 4.9263544 1.5978327
S7 0.6141673 -0.76382625 -0.15966456 0.117792994 1.9370584 -5.11979 1.6315665
S7 0.1455006 -0.12874816 0.76605165 -0.61271393 -1.7418112 5.2082496 1.4648246
S7 0.5912848 -0.78217643 0.12445474 -0.15196487 -1.7347106 -3.8324213 1.548583
S8 0.14110588 -0.15589868 -0.75619173 0.61964405 2.150652 4.896161 1.6119046
S8 0.61696017 -0.7647668 -0.1484635 0.11158158 2.2199655 -5.148453 1.613044
S8 0.1471444 -0.1337712 0.76701283 -0.61003697 -1.5712216 5.1370187 1.4981761
S8 0.59278244 -0.78258705 0.12147816 -0.14631996 -1.4769133 -3.8967412 1.5479722
S9 0.15540588 -0.15548216 -0.75320953 0.6199595 2.0444584 4.9351172 1.4812275
S9 0.6187845 -0.7634735 -0.14132239 0.11933968 1.9909598 -5.123811 1.5688049
S9 0.13357827 -0.13671005 0.76894546 -0.61007386 -1.6709921 5.211986 1.5283879
S9 0.5879399 -0.7823407 0.14276144 -0.1479487 -1.6960435 -3.8270998 1.5914127
S11 0.15232472 -0.1544232 -0.75475633 0.619107 2.0984402 4.9265547 1.5002786
S11 0.61894494 -0.7600917 -0.15300633 0.12552583 2.0831823 -4.912173 1.5610787
S11 0.14943229 -0.15650228 0.7681234 -0.60263044 -1.6098154 5.1773357 1.5378968
S11 0.58942515 -0.7818877 0.13991211 -0.14715362 -1.590738 -3.854169 1.5780176
"""
"""By person and camera: orientation w, x, y, z; place x, y, z, m."""

_LENS_KEYS = {"focal": 2, "centre": 2, "radial": 3, "tangential": 2}


@dataclasses.dataclass(frozen=True, eq=False)
class LensCamera:
    """A camera in the world.

    Attributes:
        name: Its name.
        size: (w, h) of its pictures, px.
        orientation: float32 (4,): quaternion from the camera's axes to the world's.
        translation: float32 (3,): its place in the world, m.
        intrinsics: float32 (9,): fx, fy, cx, cy, k1, k2, k3, p1, p2 for the picture
            normalised to a width of [-1, 1] (`deephar.utils.camera.project_to_2d`);
            None where the lens is not known.
    """

    name: str
    size: tuple[int, int]
    orientation: np.ndarray
    translation: np.ndarray
    intrinsics: np.ndarray | None = None

    def __post_init__(self) -> None:
        size = picture_size(f"camera {self.name}", self.size)
        object.__setattr__(self, "size", size)
        for name, length in (("orientation", 4), ("translation", 3), ("intrinsics", 9)):
            value = getattr(self, name)
            if value is not None or name != "intrinsics":
                value = numbers(f"camera {self.name}", name, value, (length,))
                object.__setattr__(self, name, value.astype(np.float32))
        length = float(np.linalg.norm(self.orientation))
        if abs(length - 1) > 1e-3:
            raise ValueError(
                f"`orientation` of camera {self.name} must be a quaternion of length "
                f"1. Received: length {length:.4g}"
            )

    def to_axes(self, points: np.ndarray) -> np.ndarray:
        """Brings points (..., 3) of the world to the camera's axes, m."""
        return world_to_camera(points, self.orientation, self.translation)

    def see(self, points: np.ndarray) -> np.ndarray:
        """Returns where the camera sees points (n, points, 3) of the world, m.

        Returns:
            Array (n, points, 2), px.

        Raises:
            ValueError: if the lens is not known.
        """
        if self.intrinsics is None:
            raise ValueError(
                f"the lens of camera {self.name} must be known. Received: none"
            )
        lenses = np.repeat(self.intrinsics[None], len(points), axis=0)
        plane = project_to_2d(self.to_axes(points), lenses)
        return denormalize_screen(plane, self.size)


def make_intrinsics(
    size: tuple[int, int], focal, centre, radial, tangential
) -> np.ndarray:
    """Returns the lens (9,) of a normalised picture.

    Args:
        size: (w, h) of the picture, px.
        focal: Focal lengths (2,), px.
        centre: Principal point (2,), px.
        radial: k1, k2, k3.
        tangential: p1, p2 of the projection, which are (p2, p1) of OpenCV.
    """
    focal = np.float32(focal) / np.float32(size[0]) * 2
    centre = normalize_screen(np.float32(centre), size)
    return np.concatenate([focal, centre, np.float32(radial), np.float32(tangential)])


def human36m_cameras() -> dict[str, list[LensCamera]]:
    """Returns the cameras of the people of Human3.6M, {"S1": [four cameras]}."""
    lenses = np.float32(_LENSES.split()).reshape(len(CAMERAS), 9)
    found: dict[str, list[LensCamera]] = {}
    for number, line in enumerate(_PLACES.strip().split("\n")):
        subject, *values = line.split()
        place, lens = np.float32(values), lenses[number % len(CAMERAS)]
        name = CAMERAS[number % len(CAMERAS)]
        size = SIZES[name]
        lens = make_intrinsics(size, lens[:2], lens[2:4], lens[4:7], lens[7:])
        camera = LensCamera(name, size, place[:4], place[4:], lens)
        found.setdefault(subject, []).append(camera)
    return found


def level_camera(size: tuple[int, int]) -> LensCamera:
    """Returns a camera at the world's origin that looks level along y, z being up.

    It stands in where a video's camera is not known.
    """
    half = np.sqrt(0.5)
    return LensCamera("level", size, np.array([half, -half, 0, 0]), np.zeros(3))


def read_lens_cameras(path: str | os.PathLike) -> dict[str, list[LensCamera]]:
    """Reads a file of cameras.

    Returns:
        {subject: [cameras, in the order of the key points]}.

    Raises:
        OSError: if it cannot be read.
        ValueError: naming the file, the subject and the camera, if it is laid out
            otherwise.
    """
    content = read_json(path)
    views = list(content.values()) if isinstance(content, dict) else [None]
    if not views or not all(isinstance(view, list) and view for view in views):
        raise ValueError(f"{path} must be a dictionary of people, of lists of cameras")
    return {
        subject: [
            _read_camera(f"{path}, {subject}, camera {place}", view)
            for place, view in enumerate(views)
        ]
        for subject, views in content.items()
    }


def _read_camera(owner, view):
    check_keys(owner, view, ("name", "size", "orientation", "translation"))
    try:
        size, lens = picture_size("it", view["size"]), None
        if any(key in view for key in _LENS_KEYS):
            check_keys("its lens", view, tuple(_LENS_KEYS))
            parts = [numbers("it", k, view[k], (n,)) for k, n in _LENS_KEYS.items()]
            lens = make_intrinsics(size, *parts)
        place = np.asarray(view["orientation"]), np.asarray(view["translation"])
        return LensCamera(text("it", "name", view["name"]), size, *place, lens)
    except ValueError as error:
        raise ValueError(f"{owner}: {error}") from error
