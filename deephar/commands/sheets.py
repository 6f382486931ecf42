"""Samples drawn for contact sheets: a crop with its joints, a clip as a strip."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from deephar.data.showing import Shown, some_frames
from deephar.utils.drawing import paint_pose

SIDE = 224
"""Longer side of a person's picture on the page, px."""
STRIP_SIDE = 144
"""Longer side of a frame of a strip, px."""
STRIP_FRAMES = 8
"""So many frames of a clip are shown at most."""
_GAP = 3
_PAPER = 128
"""Grey between the frames of a strip, seen on white and on black."""
_CUBE = 2000.0
"""Side of the cube that depth, and here the crop too, is [0, 1] of, mm."""


def tile(frame: np.ndarray, pose: np.ndarray, poselayout, side: int) -> np.ndarray:
    """Draws a crop with its joints.

    Args:
        frame: uint8 (h, w, 3), RGB.
        pose: (joints, 2 or more), x and y in px of the crop.
        poselayout: Layout of the pose.
        side: Longer side of the result, px.
    """
    rows, cols = frame.shape[:2]
    zoom = side / max(rows, cols)
    size = (max(1, round(cols * zoom)), max(1, round(rows * zoom)))
    how = Image.Resampling.LANCZOS if zoom < 1 else Image.Resampling.BICUBIC
    picture = np.array(Image.fromarray(frame).resize(size, how))
    paint_pose(picture, pose[:, :2] * zoom, poselayout)
    return picture


def strip(sample: Shown, poselayout) -> np.ndarray:
    """Draws frames of a clip side by side."""
    chosen = some_frames(len(sample.frames), STRIP_FRAMES)
    tiles = [
        tile(sample.frames[i], sample.poses[i], poselayout, STRIP_SIDE) for i in chosen
    ]
    return beside(tiles)


def beside(tiles: Sequence[np.ndarray]) -> np.ndarray:
    """Puts pictures (h, w, 3) of one height side by side."""
    between = np.full((tiles[0].shape[0], _GAP, 3), _PAPER, np.uint8)
    parts = [part for one in tiles for part in (between, one)]
    return np.concatenate(parts[1:], axis=1)


def sheet_picture(sample: Shown, poselayout) -> np.ndarray:
    """Draws a sample: a person, or a clip as a strip."""
    if len(sample.frames) > 1:
        return strip(sample, poselayout)
    return tile(sample.frames[0], sample.poses[0], poselayout, SIDE)


def caption(sample: Shown) -> str:
    """Tells which sample this is, and how it was drawn."""
    facts = [f"{sample.key}: {sample.name}"]
    if sample.action:
        facts.append(sample.action)
    if sample.numbers:
        facts.append(_frames_told(sample.numbers))
    facts.append(_joints_told(sample))
    if abs(sample.angle) > 0.5:
        facts.append(f"turned {sample.angle:+.0f}°")
    if sample.mirrored:
        facts.append("mirrored")
    return f"{', '.join(facts)}, {sample.zoom:.2f}×"


def space_pose(sample: Shown) -> np.ndarray:
    """The first pose of a sample in space, as the network is to give it.

    Returns:
        (joints, 3), mm: x and y of the crop and the depth, as if [0, 1] of each were
        2 m.
    """
    rows, cols = sample.frames.shape[1:3]
    joints = sample.poses[0]
    return joints[:, :3] * [_CUBE / cols, _CUBE / rows, _CUBE]


def _frames_told(numbers: tuple[int, ...]) -> str:
    if len(numbers) == 1 or numbers[0] == numbers[-1]:
        return f"frame {numbers[0]}"
    steps = {
        later - earlier for earlier, later in zip(numbers, numbers[1:], strict=False)
    }
    step = f" by {steps.pop()}" if len(steps) == 1 else ""
    return f"frames {numbers[0]} to {numbers[-1]}{step}"


def _joints_told(sample: Shown) -> str:
    inside = (sample.poses[..., -1] > 0.5).sum(axis=1)
    joints = sample.poses.shape[1]
    low, high = int(inside.min()), int(inside.max())
    count = f"{low}" if low == high else f"{low} to {high}"
    return f"{count} of {joints} joints"
