"""The command `predict` at work: a source after the other, frame by frame."""

import abc
import argparse
import contextlib
import dataclasses
import itertools
import logging
import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

from deephar.commands.eyes import Eyes
from deephar.commands.outputs import Outputs, prepare_folder
from deephar.commands.planning import Plan, plan_sources
from deephar.commands.predict import DEFAULTS
from deephar.commands.progress import Progress
from deephar.commands.viewer import Viewer
from deephar.data.sources import Source, SourceFrame, open_source
from deephar.inference.eye import Eye
from deephar.inference.people import (
    DETECTORS,
    Detection,
    GivenBoxes,
    PeopleDetector,
    look_for_people,
)
from deephar.inference.results import FramePrediction
from deephar.inference.tracking import Tracker
from deephar.inference.video import VideoPredictor
from deephar.utils.bbox import check_overlap

logger = logging.getLogger(__name__)


def watch_sources(args: argparse.Namespace) -> None:
    """Looks at every source of the flags, and writes what is found.

    Args:
        args: of `predict.parse`.

    Raises:
        OSError, ValueError: if flags, folder, sources and weights do not fit together;
            the error of a single source; of several that some failed, when the others
            are done.
    """
    if not (args.draw or args.json or args.show):
        raise ValueError("--no-draw and --no-json leave nothing to do without --show")
    plans = plan_sources(args)
    args = argparse.Namespace(**vars(args))
    for name, value in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.draw or args.json:
        prepare_folder(pathlib.Path(args.out))
    eyes, failed = Eyes(args), []
    with Viewer() if args.show else contextlib.nullcontext() as viewer:
        for plan in plans:
            try:
                _watch(args, plan, eyes, viewer)
            except (OSError, ValueError) as error:
                if len(plans) == 1 or eyes.failed:
                    raise
                told, place = str(error), plan.source
                logger.error("%s", told if place in told else f"{place}: {told}")
                failed.append(place)
            if viewer is not None and not viewer.open:
                break
    if failed:
        raise OSError(
            f"{len(failed)} of {len(plans)} sources had errors: {', '.join(failed)}"
        )


def _watch(
    args: argparse.Namespace, plan: Plan, eyes: Eyes, viewer: Viewer | None
) -> None:
    """Looks at one source."""
    with open_source(plan.source) as source:
        if plan.known is None:
            raise OSError(f"{plan.source}: is there only now; look at it again")
        detector = _detector(args, plan, source)
        eye = eyes.of(plan.moving)
        watcher = (_Frames if plan.moving else _Stills)(args, eye, detector)
        with Outputs(args, plan, source, eye, viewer) as outputs:
            problems = _run(args, source, watcher, outputs)
            if source.problem is not None:
                problems.insert(0, source.problem)
            if problems:
                raise OSError("; ".join(problems))


def _run(
    args: argparse.Namespace, source: Source, watcher: "_Watcher", outputs: Outputs
) -> list[str]:
    """Looks at the frames of a source; writes them as they come; tells what failed."""
    waiting: dict[int, SourceFrame] = {}
    frame, wanted, unread = None, True, set()

    def note_unread(end: float) -> None:
        """Writes that pictures before a number could not be read."""
        for number, (path, error) in source.unread.items():
            if number not in unread and number < end:
                unread.add(number)
                outputs.note(FramePrediction(path, number, None, (0, 0), (), error))

    with Progress(source.name, _count(args, source)) as progress:

        def write(predictions: Sequence[FramePrediction]) -> bool:
            wanted = True
            for one in predictions:
                note_unread(one.number)
                one = watcher.told(one)
                wanted = outputs.write(waiting.pop(one.number), one)
                progress.add(len(one.people))
            return wanted

        try:
            for frame in _frames(args, source):
                waiting[frame.number] = frame
                wanted = write(watcher.step(frame))
                if not wanted:
                    break
        finally:
            write(watcher.finish())
            note_unread(math.inf)
        done = wanted and (args.frames is None or progress.done < args.frames)
        last = frame is not None and source.count is not None
        outputs.end(done or (last and frame.number + args.every > source.count))
    if done:
        watcher.tell_unseen()
    return watcher.problems(source)


def _count(args: argparse.Namespace, source: Source) -> int | None:
    """How many frames will be looked at; None if nobody knows."""
    if source.count is None:
        return args.frames
    count = -(-source.count // args.every)
    return min(count, args.frames or count)


def _frames(args: argparse.Namespace, source: Source) -> Iterator[SourceFrame]:
    """The frames to look at, with a time where `--rate` tells it."""
    end = None if args.frames is None else (args.frames - 1) * args.every + 1
    for frame in itertools.islice(source, 0, end, args.every):
        if args.rate is not None:
            time = (frame.number - 1) / args.rate
            frame = dataclasses.replace(frame, time=time)
        yield frame


def _detector(args: argparse.Namespace, plan: Plan, source: Source) -> PeopleDetector:
    """What tells where the people of a source are: boxes, or the detector of the flags.

    Raises:
        ValueError: if a box of the flags is outside all pictures.
    """
    if plan.boxes is not None:
        boxes = {
            number: [Detection(row.box, row.score) for row in rows]
            for number, rows in plan.boxes.items()
        }
        return BoxesWithin(boxes)
    if args.box is not None:
        found = BoxesWithin({1: args.box} if plan.moving else args.box, whole=False)
        for box in args.box if source.size is not None else ():
            check_overlap("A box", box, source.size)
        return found
    return DETECTORS[args.detector](most=args.people)


class BoxesWithin(GivenBoxes):
    """Boxes that are known; those outside their picture are told and passed over.

    Args:
        boxes: as of `GivenBoxes`.
        whole: whether they are of everybody in every frame of a video, and not of those
            alone who are in the first.

    Attributes:
        whole: as of the argument.
        outside: what is wrong, by the number of the picture.
        unseen: numbers of pictures that have boxes, and were not looked at so far.
    """

    def __init__(self, boxes, whole: bool = True):
        super().__init__(boxes)
        self.whole = whole
        self.outside: dict[int, str] = {}
        self.unseen = set(boxes) if isinstance(boxes, Mapping) else set()

    def detect(self, picture: np.ndarray, number: int) -> list[Detection]:
        """See `PeopleDetector.detect`."""
        self.unseen.discard(number)
        found = []
        for one in super().detect(picture, number):
            try:
                check_overlap("A box", one.box, picture.shape[1::-1])
            except ValueError as error:
                self.outside[number] = str(error)
                continue
            found.append(one)
        return found


class _Watcher(abc.ABC):
    """What looks at the frames of a source."""

    def __init__(self, args: argparse.Namespace, detector: PeopleDetector):
        self._list, self._detector = args.boxes, detector
        self._errors, self._first = 0, ""

    @abc.abstractmethod
    def step(self, frame: SourceFrame) -> Sequence[FramePrediction]:
        """Takes the next frame; gives what is known now, of it or of frames before."""

    @abc.abstractmethod
    def finish(self) -> Sequence[FramePrediction]:
        """Gives what is known of the other frames."""

    def told(self, found: FramePrediction) -> FramePrediction:
        """The prediction, with what could not be looked at of its picture."""
        if not isinstance(self._detector, BoxesWithin):
            return found
        error = self._detector.outside.pop(found.number, None)
        if error is None:
            return found
        name = found.source or f"frame {found.number}"
        self._first = self._first or f"{name}: {error}"
        self._errors += 1
        return dataclasses.replace(found, error=error)

    def problems(self, source: Source) -> list[str]:
        """What to say at the end of the pictures that could not be looked at."""
        if not self._errors:
            return []
        of = "" if source.count is None else f" of {source.count}"
        more = ", and others" if self._errors > 1 else ""
        count = f"{self._errors}{of} pictures could not be looked at"
        return [f"{source.name}: {count}: {self._first}{more}"]

    def tell_unseen(self) -> None:
        """Says of a list of boxes that it is of more frames than there were."""
        unseen = sorted(getattr(self._detector, "unseen", ()))
        if unseen and self._list is not None:
            logger.warning(
                "--boxes %s: boxes of %d pictures were not used, the first is number "
                "%d: they were not looked at",
                *(self._list, len(unseen), unseen[0]),
            )


class _Stills(_Watcher):
    """Looks at pictures, each by itself."""

    def __init__(self, args: argparse.Namespace, eye: Eye, detector: PeopleDetector):
        super().__init__(args, detector)
        self._looker = eye.looker
        self._options = {"least_confidence": args.confidence, "refine": args.refine}

    def step(self, frame: SourceFrame) -> list[FramePrediction]:
        """See `_Watcher.step`."""
        height, width = frame.picture.shape[:2]
        people = look_for_people(
            self._looker,
            Image.fromarray(frame.picture),
            self._detector.detect(frame.picture, frame.number),
            **self._options,
        )
        found = (frame.name, frame.number, frame.time, (width, height), tuple(people))
        return [FramePrediction(*found)]

    def finish(self) -> list[FramePrediction]:
        """See `_Watcher.finish`."""
        return []


class _Frames(_Watcher):
    """Looks at frames that follow each other."""

    def __init__(self, args: argparse.Namespace, eye: Eye, detector: PeopleDetector):
        super().__init__(args, detector)
        self._predictor = VideoPredictor(
            eye.looker,
            detector,
            Tracker(most=args.people),
            detect_every=1 if isinstance(detector, GivenBoxes) else args.detect_every,
            actions=eye.actions(args.every),
            lifting=eye.lifting(),
            least_confidence=args.confidence,
            refine=args.refine,
            follow=not isinstance(detector, BoxesWithin) or not detector.whole,
        )

    def step(self, frame: SourceFrame) -> list[FramePrediction]:
        """See `_Watcher.step`."""
        return self._predictor.step(frame.picture, frame.number, frame.time)

    def finish(self) -> list[FramePrediction]:
        """See `_Watcher.finish`."""
        return self._predictor.finish()
