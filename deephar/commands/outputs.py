"""What the command `predict` writes of a source: names, drawings, videos, JSON."""

import argparse
import collections
import contextlib
import dataclasses
import pathlib
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from deephar.commands.eyes import Eye
from deephar.commands.overlay import Overlay
from deephar.commands.viewer import Viewer
from deephar.data.sources import Source, SourceFrame
from deephar.data.video_writing import VideoWriter
from deephar.inference.results import FramePrediction
from deephar.inference.writing import PredictionWriter, prediction_header
from deephar.utils.drawing import save_drawing

NO_RATE = 25.0
"""Frames a second of a video that does not tell."""


def source_names(sources: Sequence[str]) -> list[str]:
    """A name for what is written of each source.

    It is the file's name without ending; with it where two of the sources then had the
    same, and with the folder's name before it where they still have. Cameras are
    camera0, camera1, ...

    Raises:
        ValueError: if two have the same name all the same.
    """
    names = [_stem(source) for source in sources]
    for longer in (_name, _long_name):
        counts = collections.Counter(names)
        names = [
            longer(source) if counts[name] > 1 else name
            for source, name in zip(sources, names, strict=True)
        ]
    name, count = collections.Counter(names).most_common(1)[0]
    if count > 1:
        raise ValueError(
            "SOURCE: each must have a name of its own, as their results do. "
            f"Received: {count} sources named {name}"
        )
    return names


def _stem(source: str) -> str:
    path = pathlib.Path(source).resolve()
    if is_camera(source):
        return f"camera{source}"
    return path.name if path.is_dir() else path.stem


def _name(source: str) -> str:
    return _stem(source) if is_camera(source) else pathlib.Path(source).resolve().name


def _long_name(source: str) -> str:
    parts = pathlib.Path(source).resolve().parts[-2:]
    return _stem(source) if is_camera(source) else "_".join(parts)


def is_camera(source: str) -> bool:
    """Whether a source is the number of a camera, and no file of that name."""
    return source.isdecimal() and not pathlib.Path(source).exists()


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


class Places:
    """Where the results of one source go.

    Args:
        args: of `predict.parse`.
        name: of the source, of `source_names`.
        source: the source.
        moving: whether its drawings are frames of a video.

    Attributes:
        drawing: the picture, the video, or the folder of pictures; None without.
        json: the file; None without.
        moving, many: as of the arguments; whether it has several pictures.

    Raises:
        FileExistsError: if there is something, and not `--overwrite`.
        ValueError: if a source would be replaced.
    """

    def __init__(
        self, args: argparse.Namespace, name: str, source: Source, moving: bool
    ):
        folder, self.moving = pathlib.Path(args.out), moving
        self.many = source.kind != "picture"
        ending = ".mp4" if moving else "" if self.many else ".jpg"
        self.drawing = folder / f"{name}{ending}" if args.draw else None
        self.json = folder / f"{name}.json" if args.json else None
        for path in filter(None, (self.drawing, self.json)):
            if path.resolve() == pathlib.Path(source.name).resolve():
                raise ValueError(f"{path}: is the source; --out must be elsewhere")
            if path.exists() and not args.overwrite:
                raise FileExistsError(
                    f"{path}: is there already; --overwrite replaces it, --out FOLDER "
                    "leaves it"
                )

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Says at the end, whatever the reason, what there is now."""
        try:
            yield
        finally:
            there = [str(p) for p in (self.drawing, self.json) if p and p.exists()]
            if there:
                sys.stdout.write(f"  {', '.join(there)}\n")


class DrawnPictures:
    """Writes drawings as JPEG files.

    Args:
        place: the file; or the folder of many, which is made.
        many: whether it is a folder.
    """

    def __init__(self, place: pathlib.Path, many: bool):
        self._place, self._many, self._used = place, many, set()

    def write(self, drawing: np.ndarray, source: str) -> pathlib.Path:
        """Writes a drawing `(h, w, 3)` uint8 of a picture.

        Raises:
            ValueError: if it would replace that picture.
        """
        path = self._path(source) if self._many else self._place
        if path.resolve() == pathlib.Path(source).resolve():
            raise ValueError(f"{path}: is the source; --out must be elsewhere")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_drawing(Image.fromarray(drawing), path)
        return path

    def _path(self, source: str) -> pathlib.Path:
        """A file that no picture before was drawn to: its name, without ending."""
        path = pathlib.PurePath(source)
        short = path.stem if path.stem not in self._used else path.name
        self._used.add(short)
        return self._place / f"{short}.jpg"


class Outputs:
    """What is written and shown of one source, picture by picture.

    A context manager: at its end, whatever the reason, the video can be played and the
    JSON file read, which tells whether it is complete.

    Args:
        args: of `predict.parse`.
        places: where to.
        source: the source.
        eye: what looks at it.
        viewer: shows the drawings; None for no window.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        places: Places,
        source: Source,
        eye: Eye,
        viewer: Viewer | None,
    ):
        self._viewer = viewer
        self._overlay = self._json = self._pictures = self._video = None
        if args.draw or viewer is not None:
            layout = eye.looker.poselayout
            self._overlay = Overlay(layout, eye.labels, view_3d=eye.in_space)
        if places.json is not None:
            more = {"labels": eye.labels, "lift": args.lift if eye.lifted else None}
            header = prediction_header(eye.looker.poselayout, eye.looker.about, **more)
            self._json = PredictionWriter(places.json, header)
        if places.drawing is not None and places.moving:
            rate = (args.rate or source.rate or NO_RATE) / args.every
            sound = source.name if source.has_sound else None
            self._video = VideoWriter(places.drawing, rate, sound_from=sound)
        elif places.drawing is not None:
            self._pictures = DrawnPictures(places.drawing, places.many)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Outputs":
        with contextlib.ExitStack() as stack:
            for writer in (self._video, self._json):
                if writer is not None:
                    stack.enter_context(writer)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> bool | None:
        return self._stack.__exit__(*error)

    def note(self, prediction: FramePrediction) -> None:
        """Writes what is known of a picture, but no drawing of it."""
        if self._json is not None:
            self._json.write(prediction)

    def write(self, frame: SourceFrame, prediction: FramePrediction) -> bool:
        """Writes and shows a picture; tells whether to go on."""
        prediction = dataclasses.replace(prediction, source=frame.name)
        self.note(prediction)
        if self._overlay is None:
            return True
        drawing = self._overlay.draw(frame.picture, prediction)
        if self._pictures is not None:
            self._pictures.write(drawing, frame.name)
        if self._video is not None:
            self._video.write(drawing, frame.time)
        return self._viewer is None or self._viewer.show(drawing)
