"""The two files of the MERL data of pminhtam's fork of deephar: readers.

A pickle of people is a list with a dictionary for each of them:

    img_paths               name of the picture, VIDEO-NUMBER.jpg, in one folder or
                            below it
    img_width, img_height   of the picture, px
    bbox                    x, y, w, h, px
    keypoints               17 lists [x, y, flag], px, in the order of COCO; the flag is
                            1 labelled and visible, 0 labelled but hidden, 2 not
                            labelled (then x and y mean nothing)

VIDEO holds the name of an action where there is one. Other keys (image_id,
num_keypoints) are not read: in the fork's example num_keypoints is 24.

A JSON file of actions is a list with an object for each frame:

    id              name of the video, or its number
    action          name of the action, the same for all frames of a video
    image           {"url": path of the picture, "width", "height": px}
    person_bbox     [x1, y1, x2, y2], px, or [] where there is none

A url that is no absolute path is one from the folder of the file. Other keys
(keypoints, file_name of the image) are not read.

Names of actions are compared without regard to case: the fork's files spell
GlanceAtShelf and GlanceatShelf. The frames of a video are put in the order of the last
number of their file names.
"""

import dataclasses
import logging
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from deephar.data.boxed import is_box
from deephar.data.boxed_clips import BoxedVideo
from deephar.data.records import check_keys, numbers, picture_size, read_json, text
from deephar.utils.messages import shown
from deephar.utils.pickles import restricted_load
from deephar.utils.pose import INVALID, coco17j

logger = logging.getLogger(__name__)

PEOPLE_KEYS = ("img_paths", "img_width", "img_height", "bbox", "keypoints")
ACTION_KEYS = ("id", "action", "image", "person_bbox")
IMAGE_KEYS = ("url", "width", "height")
VISIBLE, HIDDEN, NOT_LABELLED = 1, 0, 2
"""Flags of the key points of a pickle."""

_BOX = (4,)
_POINTS = (coco17j.num_joints, 3)
_NO_BOX = (np.nan,) * 4
_NUMBER = re.compile(r"\d+")


@dataclasses.dataclass(frozen=True, eq=False)
class MerlPerson:
    """A person of a pickle.

    Attributes:
        picture: Name of the picture in its folder.
        size: (w, h) of the picture, px.
        box: (x, y, w, h), px; w or h may be 0.
        keypoints: (17, 3) x, y, px, and the flag.
    """

    picture: str
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    keypoints: np.ndarray

    def joints(self, occluded: bool = False) -> np.ndarray:
        """Returns the key points (17, 2), px, INVALID where they do not count.

        Args:
            occluded: Whether hidden ones count too.
        """
        counted = (VISIBLE, HIDDEN) if occluded else (VISIBLE,)
        known = np.isin(self.keypoints[:, 2:], counted)
        return np.where(known, self.keypoints[:, :2], INVALID)


@dataclasses.dataclass(frozen=True, eq=False)
class ActionFrame:
    """A frame of a video of an action.

    Attributes:
        owner: What messages call it: the file and the record.
        video: Name of the video.
        action: Index of the action.
        picture: Path of the picture, or what is to become one.
        size: (w, h) of the picture, px.
        box: (4,) x1 y1 x2 y2, px, NaN where there is none.
        joints: (17, 2) px, INVALID where not labelled, or None.
    """

    owner: str
    video: str
    action: int
    picture: str
    size: tuple[int, int]
    box: Sequence[float]
    joints: np.ndarray | None = None


def read_people(path: str | os.PathLike) -> list[MerlPerson]:
    """Reads a pickle of people, running nothing that it asks for.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds anything but data, or a record is not as it should be;
            it names the file and the record.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"no annotation file: {path}. See datasets/MERL/README.md"
        )
    records = restricted_load(path)
    _check_list(path, records)
    people = []
    for number, record in enumerate(records):
        owner = f"{path}: record {number}"
        check_keys(owner, record, PEOPLE_KEYS)
        people.append(_person(owner, record))
    return people


def _person(owner: str, record: dict[str, Any]) -> MerlPerson:
    box = numbers(owner, "bbox", record["bbox"], _BOX)
    if (box[2:] < 0).any():
        raise ValueError(
            f"`bbox` of {owner} must be x, y, w, h, with w and h of at least 0. "
            f"Received: bbox={box.tolist()}"
        )
    points = numbers(owner, "keypoints", record["keypoints"], _POINTS, finite=False)
    flags, placed = points[:, 2], np.isfinite(points[:, :2]).all(axis=1)
    if not np.isin(flags, (VISIBLE, HIDDEN, NOT_LABELLED)).all():
        raise ValueError(
            f"{owner}: the flags of `keypoints` must be {VISIBLE}, {HIDDEN} or "
            f"{NOT_LABELLED}. Received: {flags.tolist()}"
        )
    if not (placed | (flags == NOT_LABELLED)).all():
        raise ValueError(f"{owner}: labelled `keypoints` must be finite")
    size = picture_size(owner, (record["img_width"], record["img_height"]))
    picture = _below(owner, record["img_paths"])
    return MerlPerson(picture, size, tuple(box.tolist()), points)


def _below(owner: str, name: Any) -> str:
    """Returns the path of a picture in a folder, which must not lead out of it."""
    path = text(owner, "img_paths", name).replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(
            f"`img_paths` of {owner} must be a path below the folder of pictures. "
            f"Received: img_paths={shown(name)}"
        )
    return path


def action_frames(
    path: str | os.PathLike, people: Iterable[MerlPerson], classes: Sequence[str]
) -> list[ActionFrame]:
    """Returns people of a pickle as frames of the videos that their pictures name.

    The video is the part of the file name before the first "-"; it holds the name of
    one of the classes.

    Raises:
        ValueError: if a name has another form or another class.
    """
    frames = []
    for number, one in enumerate(people):
        owner = f"{os.fspath(path)}: record {number}"
        folder, name = os.path.split(one.picture)
        video, dash, _ = name.partition("-")
        found = [i for i, text in enumerate(classes) if text.lower() in video.lower()]
        if not dash or len(found) != 1:
            raise ValueError(
                f"{owner}: `img_paths` must be VIDEO-NUMBER.jpg, and VIDEO hold one of "
                f"{', '.join(classes)}. Received: img_paths={shown(one.picture)}"
            )
        x, y, width, height = one.box
        box = (x, y, x + width, y + height) if is_box(one.box) else _NO_BOX
        frames.append(
            ActionFrame(
                *(owner, os.path.join(folder, video), found[0]),
                *(one.picture, one.size, box, one.joints()),
            )
        )
    return frames


def read_entries(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Reads a JSON file of actions; returns its entries as they are.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no JSON, or an entry lacks something; it names the file and
            the entry.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"no annotation file: {path}. See datasets/MERL/README.md"
        )
    entries = read_json(path)
    _check_list(path, entries)
    for number, entry in enumerate(entries):
        owner = f"{path}: record {number}"
        check_keys(owner, entry, ACTION_KEYS)
        check_keys(f"{owner}, image", entry["image"], IMAGE_KEYS)
        text(owner, "action", entry["action"])
        text(owner, "url", entry["image"]["url"])
        if type(entry["id"]) is not int:
            text(owner, "id", entry["id"])
        if entry["person_bbox"] != []:
            _check_corners(owner, entry["person_bbox"])
    return entries


def _check_corners(owner: str, box: Any) -> None:
    x1, y1, x2, y2 = numbers(owner, "person_bbox", box, _BOX)
    if not is_box((x1, y1, x2 - x1, y2 - y1)):
        raise ValueError(
            f"`person_bbox` of {owner} must be [] or x1, y1, x2, y2 with x1 < x2 and "
            f"y1 < y2. Received: person_bbox={box}"
        )


def entry_frames(
    path: str | os.PathLike, entries: Iterable[dict[str, Any]], classes: Sequence[str]
) -> list[ActionFrame]:
    """Returns the entries of a JSON file as frames; the picture is the url.

    Raises:
        ValueError: if an action is none of the classes, or a size is not positive.
    """
    indices = {name.lower(): index for index, name in enumerate(classes)}
    frames = []
    for number, entry in enumerate(entries):
        owner, action = f"{os.fspath(path)}: record {number}", entry["action"]
        if action.lower() not in indices:
            raise ValueError(
                f"{owner}: `action` must be one of {', '.join(classes)}. "
                f"Received: action={shown(action)}"
            )
        image = entry["image"]
        frames.append(
            ActionFrame(
                *(owner, str(entry["id"]), indices[action.lower()], image["url"]),
                picture_size(owner, (image["width"], image["height"])),
                entry["person_bbox"] or _NO_BOX,
            )
        )
    return frames


def _check_list(path: str, records: Any) -> None:
    if not isinstance(records, list | tuple) or not records:
        raise ValueError(
            f"{path} must hold a list of records. Received: "
            f"{type(records).__name__ if not isinstance(records, list) else 'none'}"
        )


def group_frames(
    path: str | os.PathLike, frames: Iterable[ActionFrame]
) -> list[BoxedVideo]:
    """Returns the videos of frames, in the order in which they first appear.

    Of several people in one picture the one with the largest box is taken; how many are
    left out is logged, and how many records only repeat another.

    Raises:
        ValueError: if the frames of a video have several actions or sizes, or a name of
            a picture holds no number.
    """
    videos: dict[str, dict[str, ActionFrame]] = {}
    left_out = repeated = 0
    for one in frames:
        video = videos.setdefault(one.video, {})
        other = video.get(one.picture, one)
        if other is not one:
            same = np.array_equal(other.box, one.box, equal_nan=True)
            repeated, left_out = repeated + same, left_out + (not same)
        _check_alike(one, next(iter(video.values()), one))
        video[one.picture] = max(other, one, key=_box_size)
    if left_out:
        logger.warning(
            "%s: %d people are not looked at beside others with a larger box in the "
            "same picture",
            *(os.fspath(path), left_out),
        )
    if repeated:
        logger.warning(
            "%s: %d records repeat the picture and box of another",
            *(os.fspath(path), repeated),
        )
    return [_video(name, list(video.values())) for name, video in videos.items()]


def _check_alike(one: ActionFrame, first: ActionFrame) -> None:
    for what in ("action", "size"):
        values = getattr(first, what), getattr(one, what)
        if values[0] != values[1]:
            raise ValueError(
                f"{one.owner}: all frames of the video {one.video} must have one "
                f"{what}. Received: {values[1]} after {values[0]}"
            )


def _box_size(frame: ActionFrame) -> float:
    x1, y1, x2, y2 = frame.box
    return (x2 - x1) * (y2 - y1) if is_box((x1, y1, x2 - x1, y2 - y1)) else -1.0


def _number(frame: ActionFrame) -> int:
    name = os.path.splitext(frame.picture.replace("\\", "/").rsplit("/", 1)[-1])[0]
    found = _NUMBER.findall(name)
    if not found:
        raise ValueError(
            f"{frame.owner}: the name of a picture must hold its number. "
            f"Received: {shown(frame.picture)}"
        )
    return int(found[-1])


def _video(name: str, frames: list[ActionFrame]) -> BoxedVideo:
    frames = sorted(frames, key=_number)
    joints = [one.joints for one in frames]
    return BoxedVideo(
        name=name,
        action=frames[0].action,
        pictures=tuple(one.picture for one in frames),
        size=frames[0].size,
        boxes=np.array([one.box for one in frames], dtype=np.float64),
        joints=None if any(one is None for one in joints) else np.stack(joints),
    )
