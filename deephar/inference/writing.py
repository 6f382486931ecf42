"""Predictions as a JSON file, frame by frame; see `inference.schema` for its form."""

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from deephar import __version__
from deephar.inference.results import FramePrediction
from deephar.utils.fs import whole_path

FORMAT, VERSION = "deephar-predictions", 1

_ENDINGS = {
    complete: f'\n ],\n "complete": {json.dumps(complete)}\n}}\n'.encode()
    for complete in (True, False)
}

UNITS = {
    "time": "s from the beginning",
    "size": "px of the picture, width and height",
    "box": "px of the picture: x1, y1, x2, y2",
    "pose": "x, y in px of the picture; z in mm behind the root",
    "pose_3d": "mm by the camera's axes: x right, y down, z forward; from the root, or "
    "from the camera where placed",
    "confidence": "of a joint, more is surer",
    "scores": "probabilities of the actions, in the order of the labels",
}


def prediction_header(
    poselayout, about: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """What stands before the frames of a file.

    Args:
        poselayout: layout of the poses.
        about: of the predictor: weights, network, device and so on.
        more: what else to tell, such as the labels of actions or the command.
    """
    links = [[int(joint) for joint in pair] for pair in poselayout.links]
    layout = {"joint_names": list(poselayout.joint_names), "links": links}
    known = {"weights": None, "network": None, **about, **more}
    return {**known, "units": UNITS, "layout": layout}


class PredictionWriter:
    """Writes a JSON file of predictions as they come, in little memory.

    The file gets its name when the context ends: then it is whole and valid, with all
    that was written so far, whether the end is that of the source, an error or Ctrl-C.
    `complete` in it says which. A full disk is such an error: room for the end is taken
    with every frame. Killed without notice, it leaves nothing, or what was there
    before.

    Args:
        path: the file.
        header: what stands before the frames, as of `prediction_header`.

    Attributes:
        complete: whether all that was to be seen was; true unless somebody says
            otherwise, and never of a file that ended by an error.

    Raises:
        OSError: if it cannot be written.
    """

    def __init__(self, path: str | os.PathLike, header: Mapping[str, Any]):
        self.path, self.complete = path, True
        versions = {"format": FORMAT, "version": VERSION}
        self._header = {**versions, "deephar": __version__, **header}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "PredictionWriter":
        head = json.dumps(self._header, indent=1, default=str, allow_nan=False)
        with contextlib.ExitStack() as stack:
            draft = stack.enter_context(whole_path(self.path))
            # What a buffer could not write would be tried again at the end.
            self._file = stack.enter_context(open(draft, "wb", buffering=0))
            self._end = 0
            self._add(f'{head[:-2]},\n "frames": ['.encode())
            self._begin = self._end
            self._stack = stack.pop_all()
        return self

    def write(self, found: FramePrediction) -> None:
        """Adds a frame.

        Raises:
            OSError: if it cannot be written.
        """
        comma = b"," if self._end > self._begin else b""
        self._add(comma + b"\n  " + found.to_json().encode())

    def _add(self, text: bytes) -> None:
        """Puts a text, and the end of the file after it."""
        self._put(text + _ENDINGS[False])
        self._end += len(text)

    def _put(self, text: bytes) -> None:
        """Writes in place of the end; the disk may take it in parts.

        Ctrl-C may have come before the last text was counted: it is written over.
        """
        self._file.seek(self._end)
        rest = memoryview(text)
        while rest:
            rest = rest[self._file.write(rest) :]

    def __exit__(self, kind, error, trace) -> None:
        """Ends the file, whatever the reason."""
        ending = _ENDINGS[kind is None and self.complete]
        with self._stack:
            # An error or Ctrl-C may have come in the middle of a line.
            self._put(ending)
            self._file.truncate(self._end + len(ending))
