"""Files of boxes that a network has found: JSON, in the original's two forms.

By frame: a list [test, training, validation] of {"V.F": [x1, y1, x2, y2]}: video and
frame, both from 0 in the data set's order. By clip: {"VVVV.S.CCC.H": [...]}: video,
step between the frames, number of the clip, and 1 for the mirrored one. Boxes in px; an
empty one is as good as one of 32 px (`base.MIN_WINDOW`), a reversed one is an error.

Source: compute_clip_bbox, predict_bboxes.py and eval_multiclip_dataset of
https://github.com/dluvizon/deephar.
"""

import dataclasses
import json
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

import numpy as np

from deephar.utils.fs import write_text
from deephar.utils.modes import mode_name

_FRAME_KEY = re.compile(r"(\d+)\.(\d+)")
_CLIP_KEY = re.compile(r"(\d{4,})\.(\d+)\.(\d{3,})\.([01])")


@dataclasses.dataclass(frozen=True)
class FrameBoxes:
    """Boxes by frame.

    Attributes:
        modes: For test, training and validation {(video, frame): (x1, y1, x2, y2)}.
        path: Where they come from, for messages.
    """

    modes: tuple[Mapping[tuple[int, int], Sequence[float]], ...]
    path: str = "boxes"

    def clip_box(self, mode: int, video: int, frames: Sequence[int]) -> np.ndarray:
        """Returns the box (4,) around the boxes of some frames of a video.

        Raises:
            ValueError: if a frame has no box.
        """
        found = []
        for frame in frames:
            box = self.modes[mode].get((int(video), int(frame)))
            if box is None:
                raise ValueError(
                    f"{self.path} must hold a box for every frame. Received: none with "
                    f"the key '{video}.{frame}' in the part {mode_name(mode)!r}"
                )
            found.append(box)
        boxes = np.array(found, dtype=np.float64)
        return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


@dataclasses.dataclass(frozen=True)
class ClipBoxes:
    """Boxes by clip.

    Attributes:
        boxes: {(video, step, clip, hflip): (x1, y1, x2, y2)}.
        path: Where they come from, for messages.
    """

    boxes: Mapping[tuple[int, int, int, int], Sequence[float]]
    path: str = "boxes"


def read_boxes(path: str | os.PathLike) -> FrameBoxes | ClipBoxes:
    """Reads a file of boxes; its keys say which form it has.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no JSON or has neither form, naming the file and the key.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no file of boxes: {path}")
    try:
        content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} must be a whole JSON file. {error}") from error
    if isinstance(content, dict):
        return ClipBoxes(_parse(path, content, _CLIP_KEY, "VVVV.S.CCC.H"), path)
    if not isinstance(content, list) or len(content) != 3:
        raise ValueError(
            f"{path} must hold boxes by clip, or a list of boxes by frame for test, "
            f"training and validation. Received: {type(content).__name__}"
            + (f" of {len(content)}" if isinstance(content, list) else "")
        )
    parts = [_parse(path, part, _FRAME_KEY, "V.F") for part in content]
    return FrameBoxes(tuple(parts), path)


def write_boxes(path: str | os.PathLike, boxes: FrameBoxes | ClipBoxes) -> None:
    """Writes a file of boxes, whole px as the original does; whole or not at all.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if a box is not four finite numbers.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder of `path` must exist. Received: path={str(path)!r}"
        )
    if isinstance(boxes, ClipBoxes):
        content = _format(path, boxes.boxes, lambda key: _clip_key(*key))
    else:
        content = [
            _format(path, part, lambda key: f"{key[0]}.{key[1]}")
            for part in boxes.modes
        ]
    write_text(path, json.dumps(content))


def _clip_key(video, step, clip, hflip) -> str:
    return f"{video:04d}.{step}.{clip:03d}.{hflip}"


def _format(path, boxes, name) -> dict[str, list[int]]:
    return {
        name(key): [int(edge) for edge in _check(path, name(key), box)]
        for key, box in boxes.items()
    }


def _parse(path, part, pattern, form) -> dict[tuple[int, ...], tuple[float, ...]]:
    if not isinstance(part, dict):
        raise ValueError(
            f"{path} must hold {{key: box}} for each part. "
            f"Received: {type(part).__name__}"
        )
    boxes = {}
    for key, box in part.items():
        match = pattern.fullmatch(key)
        if match is None:
            raise ValueError(
                f"{path}: the keys of boxes must be {form}. Received: {key!r}"
            )
        boxes[tuple(int(number) for number in match.groups())] = _check(path, key, box)
    return boxes


def _check(path, key, box) -> tuple[float, ...]:
    try:
        values = np.array(box, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array(np.nan)
    if values.shape != (4,) or not np.isfinite(values).all():
        raise ValueError(
            f"{path}: the box {key!r} must be four finite numbers. Received: {box}"
        )
    if (values[:2] > values[2:]).any():
        raise ValueError(
            f"{path}: the box {key!r} must be x1 y1 x2 y2, none reversed. "
            f"Received: {box}"
        )
    return tuple(values.tolist())
