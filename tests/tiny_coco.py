"""Writes a tiny COCO folder: a few pictures and a person_keypoints file of a part."""

import json
import pathlib

import numpy as np
from PIL import Image

NAMES = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder "
    "left_elbow right_elbow left_wrist right_wrist left_hip right_hip left_knee "
    "right_knee left_ankle right_ankle"
).split()
SIZE = (200, 120)
POSE = np.array(
    [
        *[(100, 30), (102, 28), (98, 28), (105, 30), (95, 30)],
        *[(110, 42), (90, 42), (118, 54), (82, 54), (124, 66), (76, 66)],
        *[(106, 68), (94, 68), (108, 84), (92, 84), (110, 100), (90, 100)],
    ],
    dtype=float,
)
"""A person that stands and faces the viewer: his right is on the left, COCO order."""


def annotation(number: int, image: int, shift: float = 0.0, **changes) -> dict:
    """The one pose, `shift` px to the right, every key point visible."""
    points = np.column_stack([POSE + [shift, 0], np.full(17, 2)])
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "num_keypoints": 17,
        "area": 2000.0,
        "bbox": [72.0 + shift, 20.0, 56.0, 84.0],
        "keypoints": points.ravel().tolist(),
        "segmentation": [],
        **changes,
    }


def unlabelled(entry: dict, *joints: int, flag: int = 0) -> dict:
    """The annotation with a flag at some key points; those of flag 0 lie at (0, 0)."""
    points = np.array(entry["keypoints"]).reshape(17, 3)
    points[list(joints), 2] = flag
    points[points[:, 2] == 0] = 0
    count = int((points[:, 2] > 0).sum())
    return {**entry, "keypoints": points.ravel().tolist(), "num_keypoints": count}


def write_tiny_coco(folder: pathlib.Path, annotations, part: str = "val") -> tuple:
    """Writes FOLDER/PART2017 and its annotations; returns both paths."""
    pictures = folder / f"{part}2017"
    path = folder / "annotations" / f"person_keypoints_{part}2017.json"
    for place in (pictures, path.parent):
        place.mkdir(parents=True, exist_ok=True)
    numbers = sorted({entry["image_id"] for entry in annotations})
    images = []
    for number in numbers:
        name = f"{number:012d}.jpg"
        Image.new("RGB", SIZE, (90, 120, 60)).save(pictures / name)
        width, height = SIZE
        images.append(
            {"id": number, "file_name": name, "width": width, "height": height}
        )
    person = {"id": 1, "name": "person", "keypoints": NAMES, "skeleton": []}
    content = {"images": images, "categories": [person], "annotations": annotations}
    path.write_text(json.dumps(content))
    return pictures, path


def four_people() -> list[dict]:
    """Two people in picture 7, one in 3 without wrists and nose, one in 5 hidden."""
    lacking = unlabelled(annotation(13, 3), 0, 9, 10)
    hidden = unlabelled(annotation(14, 5), *range(5, 17), flag=1)
    return [annotation(11, 7), annotation(12, 7, 40.0), lacking, hidden]


def write_both_parts(folder: pathlib.Path) -> None:
    """Writes a folder with both parts, five pictures and three."""
    train = [annotation(20 + i, 10 + i, 2.0 * i) for i in range(5)]
    crowd = annotation(30, 10, iscrowd=1, num_keypoints=0)
    write_tiny_coco(folder, [*train, crowd], "train")
    write_tiny_coco(folder, four_people(), "val")
