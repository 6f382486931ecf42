"""MPII's test set: its people, and the file of predictions that the benchmark takes.

The labels of the test set are not public. The owners' release has its pictures, in each
the centres and scales of its people, and in `single_person` who of them counts in the
single-person benchmark. `annotations.mat` keeps that as a third variable, `annot_te`
(3, pictures), a column for every test picture of the release, in its order:

    row 0   (k, 1) numbers of the single people, counted from 1
    row 1   name of the picture below the folder images/
    row 2   (n, 3) x, y of the centre (px) and scale (height / 200 px) of all people;
            NaN where the release has none

Source: the single-person part of the README of MPII's evaluation toolkit (evalMPII),
and what its evaluatePCKh, flatten_annolist and annolist2matrix read.
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from deephar.data.matfile import list_of, read_mat, save_mat

NUM_JOINTS = 16
VARIABLE = "annot_te"


@dataclasses.dataclass(frozen=True, eq=False)
class BenchmarkPicture:
    """A picture of the test set.

    Attributes:
        name: File name below the folder images/.
        single: Numbers, from 0, of the people whose pose is asked for.
        people: (n, 3) x, y of the centre, px, and scale of all people; NaN where the
            release has none.

    Raises:
        ValueError: if the name leads out of images/, a number is not one of the people,
            or he has no centre and scale.
    """

    name: str
    single: tuple[int, ...]
    people: np.ndarray

    def __post_init__(self) -> None:
        check_name(self.name)
        people = np.asarray(self.people, dtype=np.float64).reshape(-1, 3)
        object.__setattr__(self, "people", people)
        object.__setattr__(self, "single", tuple(int(i) for i in self.single))
        for i in self.single:
            known = 0 <= i < len(people) and np.isfinite(people[i]).all()
            if not (known and people[i, 2] > 0):
                raise ValueError(
                    f"picture {self.name}: person {i + 1} must be one of its "
                    f"{len(people)} people, with a centre and a scale above 0"
                )


def check_name(picture: str) -> None:
    """Raises ValueError unless a name is that of a file below the folder images/."""
    if not isinstance(picture, str) or not picture:
        raise ValueError(f"`picture` must be a file name. Received: {picture=}")
    path = pathlib.PureWindowsPath(picture)  # knows the separators of both worlds
    if path.anchor or ".." in path.parts:
        raise ValueError(
            f'`picture` must lie below images/: relative, without "..". '
            f"Received: {picture=}"
        )


def from_release(release: Any) -> list[BenchmarkPicture]:
    """Returns the test pictures of the owners' release.

    Args:
        release: The variable RELEASE, loaded with struct_as_record=False and
            squeeze_me=True.

    Raises:
        ValueError: if the fields differ in length or a picture is not as it should be.
    """
    lists = [list_of(release.annolist), list_of(release.single_person)]
    in_train = np.atleast_1d(release.img_train)
    if {len(part) for part in lists} != {len(in_train)}:
        raise ValueError(
            "RELEASE.annolist, single_person and img_train must have one length. "
            f"Received: {len(lists[0])}, {len(lists[1])} and {len(in_train)}"
        )
    pictures = []
    for number, (row, single) in enumerate(zip(*lists, strict=True)):
        if in_train[number]:
            continue
        try:
            people = np.array([_place(rect) for rect in list_of(row.annorect)])
            people = people.reshape(-1, 3)
            # The benchmark's own reader passes over people without a centre.
            single = [int(i) - 1 for i in np.ravel(single)]
            single = [i for i in single if np.isfinite(people[i]).all()]
            name = str(row.image.name)
            pictures.append(BenchmarkPicture(name, tuple(single), people))
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"picture {number + 1}: {error}") from error
    return pictures


def _place(rect: Any) -> list[float]:
    center = getattr(rect, "objpos", None)
    return [number_of(center, "x"), number_of(center, "y"), number_of(rect, "scale")]


def number_of(owner: Any, name: str) -> float:
    """A field of a MATLAB struct as float; NaN where it is absent or empty."""
    value = np.asarray(getattr(owner, name, np.nan))
    return float(value) if value.size == 1 else np.nan


def columns(pictures: Sequence[BenchmarkPicture]) -> np.ndarray:
    """Returns the cell array (3, pictures) of `annot_te`."""
    cells = np.empty((3, len(pictures)), dtype=object)
    for i, picture in enumerate(pictures):
        cells[0, i] = np.array(picture.single, dtype=np.uint16).reshape(-1, 1) + 1
        cells[1, i] = picture.name
        cells[2, i] = picture.people
    return cells


def read_benchmark(filename: str | os.PathLike) -> list[BenchmarkPicture]:
    """Returns the test pictures of annotations.mat; none if it has no `annot_te`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is cut short, is no MATLAB file or is laid out otherwise.
    """
    cells = read_mat(filename, (), optional=(VARIABLE,)).get(VARIABLE)
    if cells is None:
        return []
    if cells.dtype != object or cells.ndim != 2 or cells.shape[0] != 3:
        raise ValueError(
            f"{os.fspath(filename)}: {VARIABLE} must be a cell array (3, pictures). "
            f"Received: {cells.dtype} {cells.shape}"
        )
    try:
        return [
            BenchmarkPicture(str(name[0]), tuple(np.ravel(single) - 1), people)
            for single, name, people in cells.T
        ]
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(filename)}: {VARIABLE}: {error}") from error


def write_predictions(
    path: str | os.PathLike, pictures: Sequence[BenchmarkPicture], poses: np.ndarray
) -> None:
    """Writes `pred_keypoints_mpii.mat`, the benchmark's form of single-person poses.

    The variable `pred` is the list of all test pictures, as `RELEASE.annolist(
    RELEASE.img_train == 0)`: image.name and annorect, a struct for each person with
    scale, objpos and annopoints.point (x, y, id from 0 to 15); annopoints is empty for
    those who are not asked for.

    Args:
        path: The file to write; its folder must exist.
        pictures: The test pictures, in the order of the release.
        poses: (people, 16, 2) x, y of the joints in MPII order, for all single people
            one after the other; in the px of the annotations, which count as MATLAB
            does: no shift is applied. NaN counts as wrong.

    Raises:
        ValueError: if there is not one pose for each single person.
        FileNotFoundError: if the folder of `path` does not exist.
    """
    poses = np.asarray(poses, dtype=np.float64)
    expected = (sum(len(picture.single) for picture in pictures), NUM_JOINTS, 2)
    if poses.shape != expected:
        raise ValueError(
            f"`poses` must have the shape {expected}, a pose for each single person. "
            f"Received: poses.shape={poses.shape}"
        )
    rest = iter(poses)
    rows = []
    for picture in pictures:
        found = {i: next(rest) for i in picture.single}
        rects = [_rect(one, found.get(i)) for i, one in enumerate(picture.people)]
        rows.append({"image": {"name": picture.name}, "annorect": _structs(rects)})
    save_mat(path, {"pred": _structs(rows)})


def _rect(person: np.ndarray, pose: np.ndarray | None) -> dict[str, Any]:
    x, y, scale = person
    center = {"x": x, "y": y} if np.isfinite([x, y]).all() else _empty()
    points = _empty()
    if pose is not None:
        rows = [{"x": x, "y": y, "id": float(i)} for i, (x, y) in enumerate(pose)]
        points = {"point": _structs(rows)}
    return {
        "scale": scale if np.isfinite(scale) else _empty(),
        "objpos": center,
        "annopoints": points,
    }


def _structs(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """MATLAB struct array (1, n) of dictionaries with the same keys; [] for none."""
    if not rows:
        return _empty()
    array = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array


def _empty() -> np.ndarray:
    return np.zeros((0, 0))
