"""Generated people on disk, as COCO has them: pictures and JSON of key points."""

import dataclasses
import functools
import json
import logging
import os
import pathlib
from collections.abc import Callable

import cv2
import numpy as np

from deephar.data.synthetic.background import make_things, paint_background, seat_under
from deephar.data.synthetic.film import draw_film
from deephar.data.synthetic.render import Solids, View, join, rasterize, shade
from deephar.data.synthetic.scene import (
    FRONTAL,
    Figure,
    check_frontal,
    floor_axes,
    occluder,
    random_figure,
    random_light,
    stand_before,
    things_about,
    zoom,
)
from deephar.data.synthetic.sight import coco_points
from deephar.data.synthetic.writing import (
    Layout,
    check_numbers,
    jobs_of,
    map_jobs,
    prepare,
    save_picture,
)
from deephar.utils.fs import write_text

logger = logging.getLogger(__name__)

CATEGORY = {
    "supercategory": "person",
    "id": 1,
    "name": "person",
    "keypoints": (
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder "
        "left_elbow right_elbow left_wrist right_wrist left_hip right_hip left_knee "
        "right_knee left_ankle right_ankle"
    ).split(),
    "skeleton": [
        *([16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13]),
        *([6, 7], [6, 8], [7, 9], [8, 10], [9, 11], [2, 3], [1, 2], [1, 3]),
        *([2, 4], [3, 5], [4, 6], [5, 7]),
    ],
}
_PARTS = ("train2017", "val2017")
_LAYOUT = Layout(
    "COCO",
    _PARTS[0],
    r"\d{12}\.jpg",
    ("annotations/person_keypoints_*2017.json",),
    _PARTS[1:],
)
_CHUNK = 16
_FIRST = (1, 1_000_001)  # the number of a part's first picture
_MOST = 1_000_000
_PEOPLE = 100  # annotations of a picture, at most
_BESIDE = (0.55, 0.3, 0.15)  # how often there are none, one or two people beside
_SMALL = 32.0**2  # px of a person whose key points the owners do not label either
_TALL = (28.0, 75.0)  # px of people in the distance
_TRIES = 20  # cameras drawn before one that does not see far is accepted
_EVERY, _DISTANT, _CROWDED, _EMPTY = 10, 3, 7, 19  # of 10 and of 20 pictures: which


@dataclasses.dataclass(frozen=True, eq=False)
class CocoPicture:
    """One picture with its annotations.

    Attributes:
        picture: (height, width, 3) uint8 RGB.
        annotations: Those of COCO's files, without their numbers.
    """

    picture: np.ndarray
    annotations: list[dict]


def write_coco(
    folder: str | os.PathLike,
    train: int,
    valid: int,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    frontal: float = FRONTAL,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes FOLDER/{train,val}2017/%012d.jpg and FOLDER/annotations/*.json.

    The files depend on `seed` and `frontal` and on nothing else: picture i is the same
    whatever `workers`, `train` and `valid` are. Validation shows other people than
    training. The annotations come last, so a folder that has them is whole.

    Args:
        folder: Where to write; made if it does not exist.
        train: Number of training pictures.
        valid: Number of validation pictures.
        seed: Which people.
        workers: Processes that draw.
        overwrite: Replace the generated files of a folder that is not empty.
        frontal: Part of the people who face the camera, see `make_sample`.
        progress: Called with the number of pictures done and of all pictures.

    Raises:
        ValueError: if a number is out of its range, there is nothing to write or no
            worker.
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds pictures or annotations of another origin.
        OSError: if the folder cannot be written.
    """
    check_numbers({"train": train, "valid": valid}, seed, workers)
    check_frontal(frontal)
    if max(train, valid) > _MOST:
        raise ValueError(
            f"`train` and `valid` must be at most {_MOST}. Received: {train=}, {valid=}"
        )
    folder = pathlib.Path(folder)
    flags = {"train": train, "valid": valid, "frontal": frontal, "seed": seed}
    prepare(folder, _LAYOUT, overwrite, flags)
    (folder / "annotations").mkdir(exist_ok=True)
    work = functools.partial(_write_one, folder, seed, frontal)
    jobs = jobs_of((train, valid))
    found = list(map_jobs(work, jobs, workers, _CHUNK, progress))
    for name, part in zip(_PARTS, (found[:train], found[train:]), strict=True):
        _write_annotations(folder / f"annotations/person_keypoints_{name}.json", part)
    logger.info("wrote %d pictures to %s", len(found), folder)


def _write_annotations(path: pathlib.Path, part: list[tuple[dict, list[dict]]]) -> None:
    """Writes the entries of pictures, each with its annotations."""
    content = {
        "info": {"description": "Generated people in COCO's format"},
        "licenses": [],
        "categories": [CATEGORY],
        "images": [image for image, _ in part],
        "annotations": [one for _, people in part for one in people],
    }
    write_text(path, json.dumps(content) + "\n")


def make_coco_picture(
    seed: int | tuple[int, ...], index: int, frontal: float = FRONTAL
) -> CocoPicture:
    """Makes picture number `index` of the endless set that belongs to a seed.

    Most pictures show one to three people. One in ten has some in the distance too, of
    whom the small ones are not labelled, and one in ten a crowd; one in twenty is
    empty.

    Args:
        seed: Which people.
        index: Which of the pictures.
        frontal: Part of the people who face the camera, see `make_sample`.
    """
    check_frontal(frontal)
    rng = np.random.default_rng((*np.atleast_1d(seed).tolist(), index))
    far = index % _EVERY in (_DISTANT, _CROWDED)
    for _ in range(_TRIES):
        view, figures = _people_in_front(rng, frontal)
        if not far or _shows_horizon(view):
            break
    first, axes = figures[0], floor_axes(view)
    things = things_about(rng, first, axes)
    for other in figures[1:]:
        if other.action.seat:
            body = other.person.body
            things.append(seat_under(rng, body, other.joints, other.frames))
    if rng.random() < 0.15:
        things.append(occluder(rng, figures[rng.integers(len(figures))], axes))
    if index % (2 * _EVERY) == _EMPTY:
        figures = []
        wide, tall = rng.uniform(80, 500, (1, 2)), rng.uniform(200, 1500, 1)
        things.append(make_things(rng, first.joints[:1, :2], wide, tall))
    crowd = None
    if index % _EVERY == _DISTANT:
        figures += _in_the_distance(rng, view, int(rng.integers(1, 4)))
    elif index % _EVERY == _CROWDED:
        crowd = len(figures)
        figures += _in_the_distance(rng, view, int(rng.integers(5, 9)), apart=False)
    return _draw(rng, view, figures, things, crowd)


def _people_in_front(
    rng: np.random.Generator, frontal: float
) -> tuple[View, list[Figure]]:
    """Draws one to three people and the camera that they are in front of."""
    first = random_figure(rng)
    size = (int(rng.integers(288, 417)), int(rng.integers(256, 361)))
    view = stand_before(rng, first, frontal, size)
    figures = [first, *_people_beside(rng, first, view, frontal)]
    return zoom(rng, view, figures), figures


def _shows_horizon(view: View) -> bool:
    """Tells whether people in the distance would be in the picture."""
    ahead = view.rotation @ np.append(floor_axes(view)[0], 0.0)
    row = view.center[1] + view.focal[1] * ahead[1] / ahead[2]
    return 0.1 < row / view.size[1] < 0.9


def _people_beside(
    rng: np.random.Generator, first: Figure, view: View, frontal: float
) -> list[Figure]:
    """Draws up to two people beside the first."""
    count = int(rng.choice(len(_BESIDE), p=_BESIDE))
    middle, axes = first.joints[:, :2].mean(axis=0), floor_axes(view)
    sides = rng.permutation((-1.0, 1.0))
    found = []
    for side in sides[:count]:
        step = np.array([rng.uniform(-500, 900), side * rng.uniform(600, 1300)])
        found.append(_figure_at(rng, middle + step @ axes, view, frontal))
    return found


def _figure_at(
    rng: np.random.Generator, place: np.ndarray, view: View, frontal: float
) -> Figure:
    """Draws somebody at a place (2,) on the floor, mm."""
    toward = np.degrees(np.arctan2(*(view.position[:2] - place)[::-1]))
    near = np.clip(25 * rng.standard_normal(), -50, 50)
    turn = near if rng.random() < frontal else rng.uniform(-180, 180)
    return random_figure(rng, place, toward + turn)


def _in_the_distance(
    rng: np.random.Generator, view: View, count: int, apart: bool = True
) -> list[Figure]:
    """Draws small people, each anywhere or all of them side by side."""
    away, left = floor_axes(view)
    width = view.size[0]
    tall = rng.uniform(*_TALL)
    middle = rng.uniform(0.2, 0.8) * width
    found = []
    for number in range(count):
        x = middle + (number - count / 2) * rng.uniform(0.2, 0.5) * tall
        if apart:
            x, tall = rng.uniform(0.05, 0.95) * width, rng.uniform(*_TALL)
        far = view.focal[0] * 1700 / tall * rng.uniform(0.95, 1.05)
        aside = (view.center[0] - x) / view.focal[0] * far
        place = view.position[:2] + far * away + aside * left
        found.append(_figure_at(rng, place, view, 0.5))
    return found


def _draw(
    rng: np.random.Generator,
    view: View,
    figures: list[Figure],
    things: list[Solids],
    crowd: int | None,
) -> CocoPicture:
    """Takes the picture; figures from number `crowd` on are one annotation."""
    light = random_light(rng, view)
    people = [
        figure.person.solids(figure.joints, figure.frames, number)
        for number, figure in enumerate(figures)
    ]
    solids = join(*people, *things)
    joints = np.array([figure.joints for figure in figures]).reshape(-1, 21, 3)
    picture = paint_background(rng, view, light, joints)
    depth, index = rasterize(solids, view)
    shade(picture, depth, index, solids, view, light)
    picture = draw_film(rng, view.size).develop(picture)
    owners = np.append(solids.owner, -1)[index]  # -1, the last, where nothing is
    annotations = []
    for number, figure in enumerate(figures[:crowd]):
        mask = owners == number
        others = np.where(solids.owner == number, 0, 1)
        points = coco_points(
            figure.person.body, figure.joints, figure.frames, view, depth, index, others
        )
        annotations += _annotate(mask, points)
    if crowd is not None:
        annotations += _annotate((owners >= crowd) & (owners < len(figures)), None)
    return CocoPicture(picture, annotations)


def _annotate(mask: np.ndarray, points: np.ndarray | None) -> list[dict]:
    """Returns the annotation of a mask (height, width), or none if it is empty.

    Args:
        mask: Where somebody is seen, bool.
        points: (17, 3) key points, see `coco_points`; None for a crowd.
    """
    area = int(mask.sum())
    if not area:
        return []
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    box = [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y]
    crowd = points is None
    if crowd or area < _SMALL:
        points = np.zeros((17, 3))
    numbers = [[round(x, 2), round(y, 2), int(v)] for x, y, v in points.tolist()]
    return [
        {
            "segmentation": _runs(mask) if crowd else _outlines(mask),
            "num_keypoints": int((points[:, 2] > 0).sum()),
            "area": float(area),
            "iscrowd": int(crowd),
            "keypoints": [value for point in numbers for value in point],
            "bbox": [float(value) for value in box],
            "category_id": CATEGORY["id"],
        }
    ]


def _runs(mask: np.ndarray) -> dict:
    """Returns a mask as run lengths down its columns, zeros first."""
    line = mask.T.ravel()
    ends = np.flatnonzero(line[1:] != line[:-1]) + 1
    runs = np.diff(np.concatenate([[0], ends, [line.size]])).tolist()
    return {"counts": [0, *runs] if line[0] else runs, "size": list(mask.shape)}


def _outlines(mask: np.ndarray) -> list[list[int]]:
    """Returns the polygons x1, y1, x2, y2, ... about the parts of a mask, px."""
    found, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    rough = [cv2.approxPolyDP(line, 1.0, True) for line in found]
    return [line.ravel().tolist() for line in rough if len(line) > 2]


def _write_one(
    folder: pathlib.Path, seed: int, frontal: float, job: tuple[int, int]
) -> tuple[dict, list[dict]]:
    """Draws and writes one picture; returns its entry and its annotations."""
    part, index = job
    made = make_coco_picture((seed, part), index, frontal)
    number = _FIRST[part] + index
    height, width = made.picture.shape[:2]
    name = f"{number:012d}.jpg"
    save_picture(made.picture, folder / _PARTS[part] / name)
    image = {"file_name": name, "height": height, "width": width, "id": number}
    people = [
        {**one, "image_id": number, "id": _PEOPLE * number + place}
        for place, one in enumerate(made.annotations)
    ]
    return image, people
