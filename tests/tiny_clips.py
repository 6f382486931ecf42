"""Writes tiny folders of clips: generated pictures and annotations, without chance.

The values of the original in golden/clips.npz were computed on these folders.
"""

import pathlib

import numpy as np
from PIL import Image

from deephar.data.pennaction_format import PennVideo, write_pennaction

SIZE = (200, 120)

POSE = np.array(
    [
        *[(100, 24), (90, 42), (110, 42), (82, 54), (118, 54), (76, 66), (124, 66)],
        *[(94, 68), (106, 68), (92, 84), (108, 84), (90, 100), (110, 100)],
    ],
    dtype=float,
)
"""A person that stands: the 13 joints of Penn Action, px."""

PENN_VIDEOS = ((1, 3, False, 24), (2, 0, False, 9), (3, 7, True, 14), (4, 14, True, 6))
"""Number, action, whether for training, and frames."""


def wave(count: int, *shape: int) -> np.ndarray:
    """Numbers in [-1, 1] that look like chance, (count, *shape)."""
    steps = np.arange(count * int(np.prod(shape)), dtype=float)
    return np.sin(1.7 * steps + 0.3 * steps**2 % 11).reshape(count, *shape)


def draw(path: pathlib.Path, size: tuple[int, int], time: int) -> None:
    """Writes a smooth coloured picture that moves with the time."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    x, y = x / size[0] * 200 + 3 * time, y / size[1] * 120
    waves = [np.sin(x / 9 + y / 31), np.cos(x / 23 - y / 11), np.sin((x + y) / 17)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (127.5 + 110 * np.stack(waves, axis=-1)).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def penn_video(number: int, action: int, train: bool, count: int) -> PennVideo:
    """A person that walks to the right, some of his joints not visible."""
    shift = np.stack([2.0 * np.arange(count) - 10, np.zeros(count)], axis=-1)
    joints = POSE + shift[:, None] + np.round(3 * wave(count, 13, 2), 1)
    visible = wave(count, 13) > -0.9
    if number == 1:
        visible[12] = False
        joints[5, 4], joints[11, 3] = (0, 50), (0, 0)
    numbers = np.arange(1, count + 1)
    return PennVideo(number, action, train, SIZE, numbers, joints, visible)


def write_tiny_penn(folder: pathlib.Path) -> pathlib.Path:
    """Writes two test and two training videos; returns the folder.

    In frame 12 of the first nobody is visible; two of its joints have a 0.
    """
    videos = [penn_video(*one) for one in PENN_VIDEOS]
    for video in videos:
        for number in video.frames:
            draw(folder / f"frames/{video.number:04d}/{number:06d}.jpg", SIZE, number)
    write_pennaction(folder / "annotations.mat", videos)
    return folder
