"""Tiny videos of people with boxes: pictures and labels, without chance."""

import pathlib

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
