"""A tiny file of own data: three pictures and two clips of four joints."""

import copy
import json

import numpy as np
from PIL import Image

LAYOUT = {
    "name": "cross",
    "joints": ["top", "left_end", "right_end", "foot"],
    "flips": [["left_end", "right_end"]],
    "links": [["top", "foot"], ["left_end", "right_end"]],
    "head": ["top", "foot"],
}
JOINTS = {
    "top": [40, 20],
    "left_end": [60, 40],
    "right_end": [20, 40, 0],
    "foot": [40, 60.5],
}
SIZE = (80, 72)


def person(**changes):
    """A person in the middle of the picture."""
    return {"box_xywh": [18, 16, 44, 48], "joints": dict(JOINTS), **changes}


def picture(number, part="train", people=None):
    people = [person()] if people is None else people
    return {
        "file": f"images/{number}.png",
        "size": list(SIZE),
        "split": part,
        "people": people,
    }


def clip(name, count, part="train", **more):
    """A clip of pictures; the first frame has no box."""
    frames = [{"file": f"images/{i % 2}.png", **person()} for i in range(count)]
    del frames[0]["box_xywh"]
    return {"name": name, "split": part, "frames": frames, **more}


def content():
    """What the tiny file holds."""
    spans = [{"action": "sit", "frames": [1, 4]}, {"action": "jump", "frames": [3, 9]}]
    return {
        "format": "deephar-data",
        "version": 1,
        "layout": copy.deepcopy(LAYOUT),
        "actions": ["jump", "sit"],
        "pictures": [
            picture(0),
            picture(1, people=[person(head_size=12), {"box_xywh": [1, 2, 30, 40]}]),
            picture(2, "valid"),
        ],
        "clips": [
            clip("one", 12, action="jump"),
            clip("two", 9, spans=spans),
            clip("none", 3),
        ],
    }


def write_tiny_custom(folder, data=None):
    """Writes images/*.png and data.json; returns the path of the latter."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number in range(3):
        pixels = np.full((SIZE[1], SIZE[0], 3), 60 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"images/{number}.png")
    path = folder / "data.json"
    path.write_text(json.dumps(content() if data is None else data, indent=1))
    return path
