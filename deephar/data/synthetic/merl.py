"""Generated customers on disk, as MERL's shop: clips of five actions with key points.

Three actions are listed in JSON files, two in pickles with key points.
"""

import dataclasses
import functools
import json
import logging
import os
import pathlib
import pickle
from collections.abc import Callable, Iterator

import numpy as np

from deephar.data.merl import REACH_CLASSES, SHELF_CLASSES
from deephar.data.synthetic.body import INDEX, Body, make_body, rotation_z
from deephar.data.synthetic.figure import dress, make_look
from deephar.data.synthetic.film import draw_film
from deephar.data.synthetic.merl_moves import MERL_MOVES
from deephar.data.synthetic.motion import Performance, perform
from deephar.data.synthetic.props import make_prop
from deephar.data.synthetic.render import join
from deephar.data.synthetic.shop import HALF_WIDTH, make_shop
from deephar.data.synthetic.sight import coco_points
from deephar.data.synthetic.stage import Shot
from deephar.data.synthetic.writing import (
    Layout,
    check_frames,
    check_numbers,
    check_size,
    draw_count,
    jobs_of,
    map_jobs,
    prepare,
    save_picture,
)
from deephar.utils.fs import whole_path, write_text

logger = logging.getLogger(__name__)

ACTIONS = (*SHELF_CLASSES, *REACH_CLASSES)
_LISTS = ("train_2.json", "test_2.json")
_PICKLES = ("prepare_train_merl.pkl", "prepare_val_merl.pkl")
_VIDEO = r"\d+_\d_crop_\d+_\d+_[A-Za-z]+"
_LAYOUT = Layout(
    "MERL",
    "images",
    rf"{_VIDEO}-\d{{4,}}\.jpg|[A-Za-z]+/{_VIDEO}/\d+\.jpg",
    (*_LISTS, *_PICKLES),
    ("actions",),
)
_PERSONS = (range(1, 21), range(27, 42))  # of training and of test, as MERL's
_SESSIONS = 3
_FPS = 10.0
_MISSED = 0.04  # part of the frames in which a detector finds nobody
_AHEAD = 90.0  # the heading of those who look at the shelf, degrees
_FLAGS = np.array([2, 0, 1])  # of key points not labelled, hidden and visible
_SHOP, _BODY, _CLOTHES, _BOXES = 3001, 3002, 3003, 3004
_ARM = [INDEX[f"{side}_{name}"] for side in "rl" for name in ("elbow", "wrist", "hand")]


@dataclasses.dataclass(frozen=True, eq=False)
class _Video:
    """A video that was written.

    Attributes:
        name: PERSON_SESSION_crop_FIRST_LAST_ACTION.
        action: One of `ACTIONS`.
        boxes: (n, 4) x1, y1, x2, y2 of what is seen of the person, px; NaN for nothing.
        found: (n,) bool, a detector would find the person.
        points: (n, 17, 3) see `coco_points`.
    """

    name: str
    action: str
    boxes: np.ndarray
    found: np.ndarray
    points: np.ndarray


def write_merl(
    folder: str | os.PathLike,
    train: int = 200,
    test: int = 75,
    frames: tuple[int, int] = (20, 32),
    size: tuple[int, int] = (460, 340),
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes videos of a shop in the files that the users of MERL's videos have.

    Video i of a part shows action i modulo 5 of `ACTIONS`. The first three are at
    FOLDER/actions/ACTION/VIDEO/%d.jpg and in train_2.json and test_2.json with a box
    for nearly every frame; the others at FOLDER/images/VIDEO-%04d.jpg and in
    prepare_train_merl.pkl and prepare_val_merl.pkl with boxes and key points.

    A video depends on `seed`, `frames` and `size` and on nothing else: whatever
    `workers`, `train` and `test` are, it is the same. The test part shows other people,
    in the same shop. Lists and pickles come last, so a folder that has them is whole.

    Args:
        folder: Where to write; made if it does not exist.
        train: Number of training videos.
        test: Number of test videos.
        frames: Smallest and largest number of frames of a video.
        size: (width, height) of the pictures, px; those of MERL's have (920, 680).
        seed: Which shop and people.
        workers: Processes that draw.
        overwrite: Replace the generated files of a folder that is not empty.
        progress: Called with the number of videos done and of all videos.

    Raises:
        ValueError: if a number is out of its range or there is nothing to write.
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds pictures or annotations of another origin.
        OSError: if the folder cannot be written.
    """
    check_numbers({"train": train, "test": test}, seed, workers)
    check_frames(frames)
    check_size(size)
    folder = pathlib.Path(folder)
    flags = {"train": train, "test": test, "frames": frames, "size": size}
    prepare(folder, _LAYOUT, overwrite, flags | {"seed": seed})
    work = functools.partial(_write_one, folder, seed, frames, size)
    jobs = jobs_of((train, test))
    videos = list(map_jobs(work, jobs, workers, progress=progress))
    for part, found in enumerate((videos[:train], videos[train:])):
        _write_labels(folder / _LISTS[part], folder / _PICKLES[part], found, size)
    logger.info("wrote %d videos to %s", train + test, folder)


def _write_labels(
    listed: pathlib.Path,
    pickled: pathlib.Path,
    videos: list[_Video],
    size: tuple[int, int],
) -> None:
    """Writes the list of three actions and the pickle of two."""
    entries = [one for video in videos for one in _list_entries(video, size)]
    write_text(listed, json.dumps(entries) + "\n")
    people = [one for video in videos for one in _people(video, size)]
    people = [{"image_id": 1 + i, **person} for i, person in enumerate(people)]
    with whole_path(pickled) as draft:
        draft.write_bytes(pickle.dumps(people, protocol=2))


def make_shop_clip(
    seed: int,
    part: int,
    index: int,
    frames: tuple[int, int] = (20, 32),
    size: tuple[int, int] = (460, 340),
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields picture, box and key points of each frame of one video.

    Args:
        seed: Which shop and people.
        part: 0 for people of training, 1 for those of the test.
        index: Which video of the part.
        frames: Smallest and largest number of frames.
        size: (width, height) of the pictures, px.

    Yields:
        picture (height, width, 3) uint8 RGB; box (4,) x1, y1, x2, y2 of what is seen of
        the person, px, NaN if nothing is; key points (17, 3), see `coco_points`.
    """
    rng = np.random.default_rng((seed, part, index))
    number, session = person_of(part, index)
    body = make_body(np.random.default_rng((seed, _BODY, number)))
    clothes = np.random.default_rng((seed, _CLOTHES, number, session))
    person = dress(body, make_look(clothes, body.female))
    show = act(rng, ACTIONS[index % len(ACTIONS)], body, draw_count(rng, frames))
    held = make_prop(rng, show, body)
    stage, view = make_shop(np.random.default_rng((seed, _SHOP)), size)
    shot = Shot(stage, view, draw_film(rng, size))
    for i, (joints, axes) in enumerate(zip(show.joints, show.frames, strict=True)):
        figure = person.solids(joints, axes)
        take = shot.take(joints, join(figure, held[i]) if held else figure)
        seen = (take.index >= 0) & (take.owner[take.index] == 0)
        points = coco_points(
            body, joints, axes, take.view, take.depth, take.index, take.owner
        )
        points[points[:, 2] > 0, :2] += take.corner
        yield take.picture, _box_of(seen) + np.tile(take.corner, 2), points


def person_of(part: int, index: int) -> tuple[int, int]:
    """Returns the numbers of a video's person and session."""
    persons = _PERSONS[part]
    round_, place = divmod(index, len(ACTIONS))
    again, who = divmod(round_, len(persons))
    return persons[(who + place) % len(persons)], 1 + again % _SESSIONS


def act(rng: np.random.Generator, action: str, body: Body, count: int) -> Performance:
    """Has a person do something at a place before the shelf."""
    ways = MERL_MOVES[action]
    move = ways[rng.integers(len(ways))]
    show = perform(rng, move, body, count, _FPS)
    reaches = action in REACH_CLASSES
    turn, aside = rng.uniform(-15, 15), rng.uniform(-0.6, 0.6) * HALF_WIDTH
    if action == "GlanceAtShelf":
        walks = _AHEAD + (90 if show.left else -90) + 0.5 * turn
        show = _at(show, count // 2, walks, (0.3 * aside, -rng.uniform(800, 1500)))
    elif reaches:
        show = _at(show, count // 2, _AHEAD + turn, (aside, 0.0))
        show = _moved(show, (0.0, _room_to_reach(rng, show, body)))
    else:
        away = rng.uniform(480, 800)
        show = _at(show, count - 1, _AHEAD + 1.5 * turn, (aside, -away))
    return show


def _at(
    show: Performance, frame: int, heading: float, place: tuple[float, float]
) -> Performance:
    """Moves a performance so that the pelvis is at a place (mm) in a frame.

    The person's heading, degrees to the left from world x, is given there too.
    """
    angle = heading - show.heading[frame]
    turn = rotation_z(angle)
    turned = dataclasses.replace(
        show,
        joints=show.joints @ turn.T,
        frames=turn @ show.frames,
        heading=show.heading + angle,
    )
    return _moved(turned, place - turned.joints[frame, INDEX["pelvis"], :2])


def _moved(show: Performance, step: tuple[float, float] | np.ndarray) -> Performance:
    """Moves a performance by x, y on the floor, mm."""
    return dataclasses.replace(show, joints=show.joints + (*step, 0.0))


def _room_to_reach(rng: np.random.Generator, show: Performance, body: Body) -> float:
    """Returns how far to go so that the hand is just in the shelf, the rest before."""
    hand = show.joints[:, INDEX["l_hand" if show.left else "r_hand"], 1].max()
    others = np.delete(show.joints[..., 1] + body.flesh, _ARM, axis=1).max()
    return float(min(rng.uniform(-30, 50) - hand, -60 - others))


def _box_of(seen: np.ndarray) -> np.ndarray:
    """Returns x1, y1, x2, y2 of a mask, px; NaN if it is empty."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return np.full(4, np.nan)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)


def _write_one(
    folder: pathlib.Path,
    seed: int,
    frames: tuple[int, int],
    size: tuple[int, int],
    job: tuple[int, int],
) -> _Video:
    """Draws and writes one video."""
    part, index = job
    action = ACTIONS[index % len(ACTIONS)]
    clip = list(make_shop_clip(seed, part, index, frames, size))
    first = 1 + 50 * index
    person = "_".join(map(str, person_of(part, index)))
    name = f"{person}_crop_{first}_{first + len(clip) - 1}_{action}"
    rng = np.random.default_rng((seed, _BOXES, part, index))
    boxes = np.array([box for _, box, _ in clip])
    missed = rng.random(len(clip)) < _MISSED
    video = _Video(
        name=name,
        action=action,
        boxes=boxes,
        found=np.isfinite(boxes[:, 0]) & ~missed,
        points=np.array([points for _, _, points in clip]),
    )
    for i, (picture, _, _) in enumerate(clip):
        path = folder / _picture(video, i)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_picture(picture, path)
    return video


def _picture(video: _Video, frame: int) -> str:
    """Returns the path of a frame's picture, below the folder."""
    if video.action in SHELF_CLASSES:
        return f"actions/{video.action}/{video.name}/{frame + 1}.jpg"
    return f"images/{video.name}-{frame + 1:04d}.jpg"


def _list_entries(video: _Video, size: tuple[int, int]) -> list[dict]:
    """Returns the entries of a video in a list of three actions."""
    if video.action not in SHELF_CLASSES:
        return []
    entries = []
    for frame, box in enumerate(video.boxes):
        url = _picture(video, frame)
        image = {"url": url, "file_name": f"{frame + 1}.jpg"}
        entries.append(
            {
                "action": video.action,
                "keypoints": [],
                "id": f"{video.action}_{video.name}",
                "image": {**image, "width": size[0], "height": size[1]},
                "person_bbox": [int(x) for x in box] if video.found[frame] else [],
            }
        )
    return entries


def _people(video: _Video, size: tuple[int, int]) -> list[dict]:
    """Returns the entries of a video in a pickle of two actions, but for their ids."""
    if video.action not in REACH_CLASSES:
        return []
    entries = []
    for frame, (box, points) in enumerate(zip(video.boxes, video.points, strict=True)):
        if not np.isfinite(box).all():
            continue
        x1, y1, x2, y2 = box.tolist()
        flags = _FLAGS[points[:, 2].astype(int)].tolist()
        places = points[:, :2].tolist()
        entries.append(
            {
                "img_paths": pathlib.PurePosixPath(_picture(video, frame)).name,
                "img_width": size[0],
                "img_height": size[1],
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "num_keypoints": sum(flag != 2 for flag in flags),
                "keypoints": [
                    [x, y, flag] for (x, y), flag in zip(places, flags, strict=True)
                ],
            }
        )
    return entries
