"""The command `predict` at work: a source after the other, frame by frame."""

import argparse
import contextlib
import dataclasses
import itertools
import logging
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from PIL import Image

from deephar.commands.eyes import Eye, Eyes
from deephar.commands.outputs import (
    Outputs,
    Places,
    prepare_folder,
    source_names,
)
from deephar.commands.progress import Progress
from deephar.commands.viewer import Viewer
from deephar.data.box_lists import read_box_list
from deephar.data.pictures import picture_files
from deephar.data.sources import Source, SourceFrame, open_source
from deephar.inference.people import (
    DETECTORS,
    GivenBoxes,
    PeopleDetector,
    look_for_people,
)
from deephar.inference.results import FramePrediction
from deephar.inference.tracking import Tracker
from deephar.inference.video import VideoPredictor

logger = logging.getLogger(__name__)


class Watcher(Protocol):
    """What looks at the frames of a source."""

    def step(self, frame: SourceFrame) -> Sequence[FramePrediction]:
        """Takes the next frame; gives what is known now, of it or of frames before."""

    def finish(self) -> Sequence[FramePrediction]:
        """Gives what is known of the other frames."""


def watch_sources(args: argparse.Namespace) -> None:
    """Looks at every source of the flags, and writes what is found.

    Args:
        args: of `predict.parse`.

    Raises:
        OSError, ValueError: if flags, folder and weights do not fit together; the error
            of a single source; of several that some failed, when the others are done.
    """
    names = source_names(args.sources)
    if not (args.draw or args.json or args.show):
        raise ValueError("--no-draw and --no-json leave nothing to do without --show")
    if args.draw or args.json:
        prepare_folder(pathlib.Path(args.out))
    eyes, failed = Eyes(args), []
    with Viewer() if args.show else contextlib.nullcontext() as viewer:
        for place, name in zip(args.sources, names, strict=True):
            try:
                _watch(args, place, name, eyes, viewer)
            except (OSError, ValueError) as error:
                if len(names) == 1 or eyes.failed:
                    raise
                told = str(error)
                logger.error("%s", told if place in told else f"{place}: {told}")
                failed.append(place)
            if viewer is not None and not viewer.open:
                break
    if failed:
        raise OSError(
            f"{len(failed)} of {len(names)} sources had errors: {', '.join(failed)}"
        )


def _watch(
    args: argparse.Namespace, place: str, name: str, eyes: Eyes, viewer: Viewer | None
) -> None:
    """Looks at one source."""
    with open_source(place) as source:
        moving = source.kind in ("video", "camera")
        moving = moving or (args.rate is not None and source.kind != "picture")
        places = Places(args, name, source, moving)
        detector = detector_of(args, source, moving)
        eye = eyes.of(moving)
        if moving:
            watcher = _Frames(args, eye, detector)
        else:
            watcher = _Stills(args, eye, detector, alone=source.kind == "picture")
        with places.told(), Outputs(args, places, source, eye, viewer) as outputs:
            errors = _run(args, source, watcher, outputs)
            if viewer is not None and not moving:
                viewer.wait()
            if source.problem is not None:
                errors.insert(0, source.problem)
            if errors:
                raise OSError("; ".join(errors))


def _run(
    args: argparse.Namespace, source: Source, watcher: Watcher, outputs: Outputs
) -> list[str]:
    """Looks at the frames of a source; writes them as they come.

    Returns:
        What was wrong with single ones.
    """
    waiting: dict[int, SourceFrame] = {}
    errors: list[str] = []
    unread: set[int] = set()

    def note_unread(end: int | None) -> None:
        """Writes that pictures before a number could not be read."""
        for number, (path, error) in source.unread.items():
            if number not in unread and (end is None or number < end):
                unread.add(number)
                outputs.note(FramePrediction(path, number, None, (0, 0), (), error))

    with Progress(source.name, _count(args, source)) as progress:

        def write(predictions: Sequence[FramePrediction]) -> bool:
            wanted = True
            for one in predictions:
                note_unread(one.number)
                frame = waiting.pop(one.number)
                if one.error is not None:
                    errors.append(f"{frame.name}: {one.error}")
                wanted = outputs.write(frame, one)
                progress.add(len(one.people))
            return wanted

        try:
            for frame in _frames(args, source):
                waiting[frame.number] = frame
                if not write(watcher.step(frame)):
                    break
        finally:
            write(watcher.finish())
            note_unread(None)
    return errors


def _count(args: argparse.Namespace, source: Source) -> int | None:
    """How many frames will be looked at; None if nobody knows."""
    if source.count is None:
        return args.frames
    count = -(-source.count // args.every)
    return min(count, args.frames or count)


def _frames(args: argparse.Namespace, source: Source) -> Iterator[SourceFrame]:
    """The frames to look at, with a time where `--rate` tells it."""
    end = None if args.frames is None else args.frames * args.every
    for frame in itertools.islice(source, 0, end, args.every):
        if args.rate is not None and frame.time is None and source.kind != "picture":
            time = (frame.number - 1) / args.rate
            frame = dataclasses.replace(frame, time=time)
        yield frame


def detector_of(
    args: argparse.Namespace, source: Source, moving: bool
) -> PeopleDetector:
    """What tells where the people of a source are: boxes, or the detector of the flags.

    Raises:
        OSError, ValueError: if the list of `--boxes` cannot be read, or is of others.
    """
    if args.boxes is not None:
        return GivenBoxes(_listed(args.boxes, source))
    if args.box is not None:
        return GivenBoxes({1: args.box} if moving else args.box)
    if source.boxes:
        return GivenBoxes(source.boxes)
    return DETECTORS[args.detector](most=args.people)


def _listed(path: str, source: Source) -> Mapping[int, Sequence[Sequence[float]]]:
    """The boxes of a list by the number of the picture, which its name tells."""
    numbers = {}
    if source.kind in ("picture", "pictures"):
        files = picture_files(source.name)
        numbers = {file.name: number for number, file in enumerate(files, 1)}
    found: dict[int, list] = {}
    for row in read_box_list(path):
        name = pathlib.PurePath(row.picture)
        number = numbers.get(name.name)
        if number is None and not numbers and name.stem.isdecimal():
            number = int(name.stem)
        if number is None:
            raise ValueError(
                f"--boxes {path}: {name.name} is no picture of {source.name}"
            )
        found.setdefault(number, []).append(row.box)
    return found


class _Stills:
    """Looks at pictures, each by itself; at one `alone`, or at several."""

    def __init__(
        self,
        args: argparse.Namespace,
        eye: Eye,
        detector: PeopleDetector,
        alone: bool,
    ):
        self._looker, self._detector, self._alone = eye.looker, detector, alone
        self._options = {"least_confidence": args.confidence, "refine": args.refine}

    def step(self, frame: SourceFrame) -> list[FramePrediction]:
        """See `Watcher.step`."""
        height, width = frame.picture.shape[:2]
        people, error = [], None
        try:
            people = look_for_people(
                self._looker,
                Image.fromarray(frame.picture),
                self._detector.detect(frame.picture, frame.number),
                **self._options,
            )
        except ValueError as wrong:
            if self._alone:
                raise
            error = str(wrong)
        found = (frame.name, frame.number, frame.time, (width, height), tuple(people))
        return [FramePrediction(*found, error)]

    def finish(self) -> list[FramePrediction]:
        """See `Watcher.finish`."""
        return []


class _Frames:
    """Looks at frames that follow each other."""

    def __init__(self, args: argparse.Namespace, eye: Eye, detector: PeopleDetector):
        self._predictor = VideoPredictor(
            eye.looker,
            detector,
            Tracker(most=args.people),
            detect_every=1 if isinstance(detector, GivenBoxes) else args.detect_every,
            actions=eye.actions(args.every),
            lifting=eye.lifting(),
            least_confidence=args.confidence,
            refine=args.refine,
        )

    def step(self, frame: SourceFrame) -> list[FramePrediction]:
        """See `Watcher.step`."""
        return self._predictor.step(frame.picture, frame.number, frame.time)

    def finish(self) -> list[FramePrediction]:
        """See `Watcher.finish`."""
        return self._predictor.finish()
