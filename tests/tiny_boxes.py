"""Tiny videos of people with boxes: pictures and labels, without chance."""

import json
import pathlib
import pickle

import numpy as np
from tiny_clips import draw

from deephar.data.boxed_clips import BoxedVideo
from deephar.utils.pose import INVALID

SIZE = (120, 80)
POSE = np.array(
    [
        *[(40, 14), (43, 12), (37, 12), (46, 14), (34, 14), (50, 24), (30, 24)],
        *[(54, 34), (26, 34), (56, 44), (24, 44), (46, 44), (34, 44)],
        *[(47, 56), (33, 56), (47, 68), (33, 68)],
    ],
    dtype=float,
)
"""A person that stands: COCO's 17 key points, px."""
BOX = (20.0, 8.0, 60.0, 72.0)
"""His box, x1 y1 x2 y2, px."""
STEP = 2.0
"""He moves to the right by so much from frame to frame, px."""


def video(folder: pathlib.Path, name: str, action: int | None, count: int):
    """A person who walks; his box is not known in frame 1, nor his left ankle."""
    pictures = [folder / name / f"{number}.jpg" for number in range(count)]
    for number, path in enumerate(pictures):
        draw(path, SIZE, number)
    shift = STEP * np.arange(count)
    boxes = np.array(BOX) + shift[:, None] * [1, 0, 1, 0]
    joints = POSE + shift[:, None, None] * [1, 0]
    joints[1:2, 15], boxes[1:2] = INVALID, np.nan
    return BoxedVideo(name, action, tuple(map(str, pictures)), SIZE, boxes, joints)


def pickled_people(folder: pathlib.Path, videos, prefix: str = "1_1_crop_5_90") -> list:
    """Writes the pictures VIDEO-NUMBER.jpg of people; returns the pickle's records.

    `videos` are (name, frames). The left ankle is hidden, the nose not labelled.
    """
    records = []
    for name, count in videos:
        for number in range(count):
            picture = f"{prefix}_{name}-{number + 1:04d}.jpg"
            draw(folder / picture, SIZE, number)
            points = np.insert(POSE + [STEP * number, 0], 2, 1, axis=1)
            points[15, 2], points[0] = 0, (0, 0, 2)
            x1, y1, x2, y2 = BOX
            record = {
                "img_paths": picture,
                "img_width": SIZE[0],
                "img_height": SIZE[1],
                "image_id": len(records) + 1,
                "bbox": [x1 + STEP * number, y1, x2 - x1, y2 - y1],
                "num_keypoints": 24,
                "keypoints": points.tolist(),
            }
            records.append(record)
    return records


def action_entries(folder: pathlib.Path, videos, root: str = "") -> list:
    """Writes the pictures of videos below actions/; returns the entries of a JSON file.

    `videos` are (action, name, frames). The first frame has no box. `root` stands
    before the urls.
    """
    entries = []
    for action, name, count in videos:
        for number in range(count):
            place = f"actions/{action}/{name}/{number}.jpg"
            draw(folder / place, SIZE, number)
            image = {"url": root + place, "file_name": f"{number}.jpg"}
            image.update(width=SIZE[0], height=SIZE[1])
            entries.append(
                {
                    "action": action,
                    "keypoints": [],
                    "id": f"{action}_{name}",
                    "image": image,
                    "person_bbox": list(BOX) if number else [],
                }
            )
    return entries


def write_tiny_merl(folder: pathlib.Path) -> None:
    """Writes pictures, a pickle of seven people, one without a box, and JSON files."""
    people = pickled_people(folder / "images", [("ReachToShelf", 7)])
    people[6]["bbox"][2] = 0
    (folder / "prepare_train_merl.pkl").write_bytes(pickle.dumps(people))
    lists = {
        "train_2.json": [("ApproachtoShelf", "a", 4), ("lookatShelf", "b", 3)],
        "train.json": [("HandInShelf", "c", 5)],
        "test_2.json": [("GlanceatShelf", "d", 6)],
    }
    for name, videos in lists.items():
        (folder / name).write_text(json.dumps(action_entries(folder, videos)))
