"""What the command `predict` writes of a source: drawings, videos, JSON."""

import argparse
import contextlib
import dataclasses
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from deephar.commands.overlay import Overlay
from deephar.commands.planning import Plan
from deephar.commands.viewer import Viewer
from deephar.data.sources import Source, SourceFrame
from deephar.data.video_writing import VideoWriter
from deephar.frameworks import device_names
from deephar.inference.eye import Eye
from deephar.inference.results import FramePrediction
from deephar.inference.writing import PredictionWriter, prediction_header
from deephar.utils.drawing import save_drawing

NO_RATE = 25.0
"""Frames a second of a video that does not tell."""

_SETTINGS = (
    *("flip", "multi_crop", "refine", "box", "boxes", "detector", "detect_every"),
    *("people", "confidence", "rate", "every", "frames", "causal"),
)
"""Flags that the JSON file tells."""


def prepare_folder(folder: pathlib.Path) -> None:
    """Makes the folder of results, and sees that files can be written there.

    Raises:
        OSError: if not; the message names it.
    """
    probe = folder / ".deephar-probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"--out {folder}: cannot write there: {error}") from error


class Outputs:
    """What is written and shown of one source, picture by picture.

    A context manager: at its end, whatever the reason, the video can be played and the
    JSON file read, which tells whether it is complete; what was written is said then.
    Before the first picture nothing is written or replaced.

    Args:
        args: of `predict.parse`.
        plan: where to.
        source: the source.
        eye: what looks at it.
        viewer: shows the drawings; None for no window.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        plan: Plan,
        source: Source,
        eye: Eye,
        viewer: Viewer | None,
    ):
        self._args, self._plan, self._source = args, plan, source
        self._eye, self._viewer = eye, viewer
        self._overlay = self._json = self._video = None
        self._begun, self._drawn = False, 0
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Outputs":
        return self

    def __exit__(self, *error) -> bool | None:
        try:
            return self._stack.__exit__(*error)
        finally:
            written = [str(path) for path in self._written() if path.exists()]
            if written:
                sys.stdout.write(f"  {', '.join(written)}\n")

    def end(self, complete: bool) -> None:
        """Says whether all of the source was looked at."""
        if self._json is not None:
            self._json.complete = complete

    def note(self, prediction: FramePrediction) -> None:
        """Writes what is known of a picture, but no drawing of it."""
        self._begin()
        if self._json is not None:
            self._json.write(prediction)

    def write(self, frame: SourceFrame, prediction: FramePrediction) -> bool:
        """Writes and shows a picture; tells whether to go on.

        Of pictures that are no video each is shown until a key is pressed.
        """
        prediction = dataclasses.replace(prediction, source=frame.name)
        self.note(prediction)
        if self._plan.drawing is None and self._viewer is None:
            return True
        if self._overlay is None or not self._plan.moving:
            # What is at its side or below is of the frames before.
            layout, labels = self._eye.looker.poselayout, self._eye.labels
            self._overlay = Overlay(layout, labels, view_3d=self._eye.in_space)
        drawing = self._overlay.draw(frame.picture, prediction)
        if self._video is not None:
            self._video.write(drawing, frame.time)
        elif self._plan.drawing is not None:
            self._draw(drawing, frame.name)
        if self._viewer is None:
            return True
        return self._viewer.show(drawing) and (self._plan.moving or self._viewer.wait())

    def _begin(self) -> None:
        """Opens the files, at the first picture."""
        if self._begun:
            return
        self._begun = True
        if self._plan.drawing is not None and self._plan.moving:
            args, source = self._args, self._source
            rate = (args.rate or source.rate or NO_RATE) / args.every
            sound = source.name if source.has_sound else None
            writer = VideoWriter(self._plan.drawing, rate, sound_from=sound)
            self._video = self._stack.enter_context(writer)
        if self._plan.json is not None:
            writer = PredictionWriter(self._plan.json, self._header())
            self._json = self._stack.enter_context(writer)

    def _header(self) -> dict[str, Any]:
        """What the JSON file says of all frames."""
        args, eye = self._args, self._eye
        about = eye.looker.about
        here = (device_names("gpu") or device_names("cpu"))[0]
        return prediction_header(
            eye.looker.poselayout,
            about,
            device=about.get("device") or here,
            labels=eye.labels,
            lift=args.lift if eye.lifted else None,
            settings=flag_settings(args, self._plan),
        )

    def _draw(self, drawing: np.ndarray, picture: str) -> None:
        """Writes the drawing of a picture as JPEG."""
        path = self._plan.drawings.get(picture, self._plan.drawing)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_drawing(Image.fromarray(drawing), path)
        self._drawn += 1

    def _written(self) -> Iterator[pathlib.Path]:
        """What is there now by this run."""
        if self._video is not None or self._drawn:
            yield self._plan.drawing
        if self._json is not None:
            yield self._plan.json


def flag_settings(args: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """The flags that say how a source was looked at; null of those that said nothing.

    Args:
        args: of `predict.parse`, with defaults.
        plan: of the source.
    """
    found = {name: getattr(args, name) for name in _SETTINGS}
    given = args.box is not None or plan.boxes is not None
    if given:
        found["detector"] = None
    if given or not plan.moving:
        found["detect_every"] = None
    return found
