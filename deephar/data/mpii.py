"""MPII Human Pose, one person at a time, from the original's annotations.mat.

The layout of the file is described in `deephar.data.mpii_format`; makers of it are in
datasets/MPII.
"""

import os
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.base import Person, SinglePersonDataset
from deephar.data.cache import PictureCache
from deephar.data.matfile import read_mat
from deephar.data.mpii_benchmark import BenchmarkPicture, read_benchmark
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name
from deephar.utils.pose import INVALID, pa16j2d

NUM_MPII_JOINTS = 16
WINDOW_SIDE = 200.0
"""Side of the window for a scale of 1, px."""
WINDOW_MARGIN = 1.25
"""The window is this much larger than the person's height."""
CENTER_SHIFT = 12.0
"""The window lies lower than the annotated centre by this, px at a scale of 1."""

_SIZES = {"head": 4, "objpos": 2, "scale": 1, "visible": NUM_MPII_JOINTS}
_POSE_SHAPE = (2, NUM_MPII_JOINTS)
_PARTS = (
    (TRAIN_MODE, "training (annot_tr)"),
    (VALID_MODE, "validation (annot_val)"),
)


def load_mpii_mat_annotation(filename: str | os.PathLike) -> tuple[list, list, list]:
    """Reads annotations.mat.

    Returns:
        (rectidxs, images, annorect): three lists with the entries None (test), training
        and validation. An entry is an array with an element for each picture: (k, 1)
        numbers of the people to use, counted from 1; name (1,) of the picture; cell
        array (n, 1) of the people.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is cut short, is no MATLAB file or is laid out otherwise.
    """
    content = read_mat(filename, ("annot_tr", "annot_val"))
    for name, cells in content.items():
        if cells.dtype != object or cells.ndim != 2 or cells.shape[0] != 3:
            raise ValueError(
                f"{os.fspath(filename)}: {name} must be a cell array (3, pictures). "
                f"Received: {cells.dtype} {cells.shape}"
            )
    train, valid = content["annot_tr"], content["annot_val"]
    rectidxs, images, annorect = ([None, train[i], valid[i]] for i in range(3))
    return rectidxs, images, annorect


def serialize_annorect(
    rectidxs: Any, annorect: Any, images: Any = None
) -> list[dict[str, Any]]:
    """Lists the people to use, one after the other.

    Args:
        rectidxs: For each picture, (k, 1) numbers of its people, counted from 1.
        annorect: For each picture, cell array (n, 1) of its people.
        images: For each picture, its name (1,), for the errors; None to number them.

    Returns:
        A dictionary for each person: head (4,) x1 y1 x2 y2 px; objpos (2,) px; scale,
        height / 200 px; pose (2, 16) px in MPII order, NaN where not labelled; visible
        (16,), whether nothing hides a joint, or None; imgidx, number of the picture.

    Raises:
        ValueError: if a person is not there, a field is missing or has another size, or
            the person's window or head box is empty.
    """
    if len(rectidxs) != len(annorect):
        raise ValueError(
            "`rectidxs` and `annorect` must have the same length. "
            f"Received: {len(rectidxs)} and {len(annorect)}"
        )
    people = []
    for i, (numbers, rects) in enumerate(zip(rectidxs, annorect, strict=True)):
        name = i if images is None else _picture_name(images[i], i)
        rects = rects.ravel()
        for number in np.ravel(numbers).tolist():
            if not 1 <= number <= len(rects):
                raise ValueError(
                    f"picture {name}: person {number} must be one of its {len(rects)} "
                    f"people"
                )
            try:
                person = _read_person(rects[number - 1])
            except ValueError as error:
                raise ValueError(f"picture {name}: {error}") from error
            people.append({**person, "imgidx": i})
    return people


def _picture_name(cell: Any, number: int) -> str:
    names = np.ravel(cell)
    if names.size != 1 or not str(names[0]):
        raise ValueError(f"picture {number} must have one name. Received: {names}")
    return str(names[0])


def _read_person(rect: Any) -> dict[str, Any]:
    rect = rect[0, 0] if isinstance(rect, np.ndarray) else rect
    head = _read_numbers(rect, "head").ravel()
    objpos = _read_numbers(rect, "objpos").ravel()
    scale = float(_read_numbers(rect, "scale").ravel()[0])
    pose = _read_numbers(rect, "pose")
    if not 0 < scale < np.inf or not np.isfinite(objpos).all():
        raise ValueError(
            "the person's box must not be empty. Received: "
            f"scale={scale}, objpos={objpos.tolist()}"
        )
    if not np.isfinite(head).all() or not (head[:2] < head[2:]).all():
        raise ValueError(
            "the head box must be x1 y1 x2 y2 with x1 < x2 and y1 < y2. "
            f"Received: head={head.tolist()}"
        )
    told = "visible" in rect.dtype.names
    visible = _read_numbers(rect, "visible").ravel() > 0 if told else None
    person = {"head": head, "objpos": objpos, "scale": scale, "pose": pose}
    return {**person, "visible": visible}


def _read_numbers(rect: Any, field: str) -> np.ndarray:
    try:
        value = np.asarray(rect[field], dtype=np.float64)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no numbers in the field {field!r}. {error}") from error
    if field == "pose":
        fits, rule = value.shape == _POSE_SHAPE, "16 joints (2, 16)"
    else:
        fits, rule = value.size == _SIZES[field], f"{_SIZES[field]} numbers"
    if not fits:
        raise ValueError(f"{field!r} must hold {rule}. Received: shape {value.shape}")
    return value


def calc_head_size(head_annot: np.ndarray) -> float:
    """Returns the head size of PCKh: 0.6 x the diagonal of the head box.

    Args:
        head_annot: (4,) x1, y1, x2, y2, px.
    """
    x1, y1, x2, y2 = (float(value) for value in head_annot)
    return 0.6 * float(np.hypot(x2 - x1, y2 - y1))


def _benchmark_people(pictures: list[BenchmarkPicture]) -> list[dict[str, Any]]:
    """The single people of the test pictures, as `serialize_annorect` lists others."""
    unknown = {
        "head": np.full(4, np.nan),
        "pose": np.full(_POSE_SHAPE, np.nan),
        "visible": None,
    }
    people = []
    for i, picture in enumerate(pictures):
        for x, y, scale in picture.people[list(picture.single)]:
            place = {"objpos": np.array([x, y]), "scale": float(scale), "imgidx": i}
            people.append({**unknown, **place})
    return people


class MpiiSinglePerson(SinglePersonDataset):
    """People of MPII, each in a square window around him.

    The folder holds `annotations.mat` and `images/`. The window has 1.25 times the
    person's height and lies 12 px x 1.25 x scale lower than the annotated centre, as in
    the original. The test samples are the single people of `annot_te`, where the file
    has it: the labels of the test set are not public, so their joints are INVALID and
    their head size is NaN.

    Args:
        dataset_path: The folder.
        dataconf: Size of the crop and augmentation.
        poselayout: Layout of the poses; it must have `map_to_mpii`. Joints that MPII
            has not, and depths, are INVALID.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.

    Raises:
        FileNotFoundError: if the annotations or the folder of pictures are missing.
            Pictures are looked for when they are read; see `missing_pictures`.
        ValueError: if the annotations are not as they should be.

    Source: deephar/data/mpii.py of https://github.com/dluvizon/deephar.
    """

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any = pa16j2d,
        remove_outer_joints: bool = True,
        cache: PictureCache | None = None,
    ):
        super().__init__(dataset_path, dataconf, poselayout, remove_outer_joints, cache)
        if not hasattr(poselayout, "map_to_mpii"):
            raise ValueError(
                "`poselayout` must have `map_to_mpii`. "
                f"Received: poselayout={poselayout.__name__}"
            )
        self.load_annotations(os.path.join(self.dataset_path, "annotations.mat"))
        folder = os.path.join(self.dataset_path, "images")
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f"no folder of pictures: {folder}. See datasets/MPII/README.md"
            )

    def load_annotations(self, filename: str | os.PathLike) -> None:
        """Reads the people of a file; ValueError, which names it, if one is wrong."""
        rectidxs, images, annorect = load_mpii_mat_annotation(filename)
        self.benchmark: list[BenchmarkPicture] = read_benchmark(filename)
        self.samples: dict[int, list] = {TEST_MODE: _benchmark_people(self.benchmark)}
        images[TEST_MODE] = [[picture.name] for picture in self.benchmark]
        self.images = images
        for mode, part in _PARTS:
            try:
                people = serialize_annorect(
                    rectidxs[mode], annorect[mode], images[mode]
                )
            except ValueError as error:
                raise ValueError(f"{filename}: {part}: {error}") from error
            self.samples[mode] = people

    def get_length(self, mode: int) -> int:
        """Returns the number of people; 0 for TEST_MODE without `annot_te`."""
        mode_name(mode)
        return len(self.samples[mode])

    def picture(self, key: int, mode: int) -> str:
        """Returns the path of a person's picture."""
        name = str(self.images[mode][self.samples[mode][key]["imgidx"]][0])
        return os.path.join(self.dataset_path, "images", name)

    def person(self, key: int, mode: int, augmentation: dict[str, Any]) -> Person:
        """Returns a person and his window, which follows the drawn scale and shift."""
        annotation = self.samples[mode][key]
        scale = WINDOW_MARGIN * annotation["scale"]
        shift = np.array([augmentation["transx"], augmentation["transy"]])
        center = annotation["objpos"] + scale * (shift + [0.0, CENTER_SHIFT])
        side = WINDOW_SIDE * scale * augmentation["scale"]
        pose = annotation["pose"].T
        joints = np.full((self.poselayout.num_joints, 2), INVALID)
        known = np.isfinite(pose).all(axis=-1, keepdims=True)
        joints[self.poselayout.map_to_mpii] = np.where(known, pose, INVALID)
        return Person(
            picture=self.picture(key, mode),
            center=(float(center[0]), float(center[1])),
            window=(side, side),
            joints=joints,
            head_size=calc_head_size(annotation["head"]),
        )

    def visible_joints(self, key: int, mode: int) -> np.ndarray | None:
        """Returns which joints of a person are not hidden; None if the file tells not.

        Those of datasets/MPII/generate.py tell, and of convert.py from the release.
        """
        told = self.samples[mode][key]["visible"]
        if told is None:
            return None
        visible = np.ones(self.poselayout.num_joints, dtype=bool)
        visible[self.poselayout.map_to_mpii] = told
        return visible

    def missing_pictures(self, mode: int) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        paths = {self.picture(key, mode) for key in range(self.get_length(mode))}
        return sorted(path for path in paths if not os.path.isfile(path))
