"""What is done for an upload: it is read, then looked at frame by frame."""

import pathlib
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image

from deephar.demo.decoding import CLIP, Decoder, Frame
from deephar.demo.limits import Limits
from deephar.demo.networks import Cut, Networks
from deephar.demo.uploads import DONE, LOOKING, READING, Look, Upload
from deephar.inference.people import DETECTORS, look_for_people
from deephar.inference.results import FramePrediction
from deephar.inference.tracking import Tracker
from deephar.inference.video import VideoPredictor
from deephar.inference.writing import PredictionWriter, prediction_header

DETECT_EVERY = 5
"""Frames of a clip from one that the detector sees to the next."""
_NAME = "upload"
"""Of the source in the predictions; the user's own is not asked for."""


class GivenUp(ValueError):
    """Nobody wants the upload any more."""


class Looking:
    """Reads uploads and looks at them, one at a time.

    Args:
        networks: that look.
        limits: of what is read, and of the time it may take.
        people: in a frame, at most.
    """

    def __init__(self, networks: Networks, limits: Limits, people: int = 4):
        self.networks, self.limits, self.people = networks, limits, people
        self.decoder = Decoder(limits)

    def __call__(self, look: Look) -> None:
        """Does what a look wants.

        Raises:
            OSError, ValueError: if the file cannot be read, or there is no such block.
        """
        upload = look.upload
        if upload.kind is None:
            look.state = READING
            self._read(look)
        cut = self.networks.cut(upload.kind, look.block)
        look.done, look.state = 0, LOOKING
        path = upload.folder / f"block{cut.block}.json"
        about = cut.eye.looker.about
        header = prediction_header(
            cut.eye.looker.poselayout, {**about, "block": cut.block}
        )
        notes, begun = list(upload.notes), time.monotonic()
        with PredictionWriter(path, header) as writer:
            for found in self._predictions(look, cut):
                writer.write(found)
            if look.done < len(upload.times):
                writer.complete = False
                notes.append(
                    f"ended after {self.limits.timeout:g} s: {look.done} of "
                    f"{len(upload.times)} frames were looked at"
                )
        look.notes, look.predictions = tuple(notes), path
        seconds = time.monotonic() - begun
        look.about = {
            "block": cut.block,
            "ms": round(cut.ms, 1),
            "frames_per_s": round(look.done / max(seconds, 1e-6), 2),
        }
        look.state = DONE

    def stop(self) -> None:
        """Ends the process that reads uploads, from another thread."""
        self.decoder.stop()

    def _read(self, look: Look) -> None:
        upload = look.upload
        kind, times = None, []
        try:
            for part in self.decoder.read(str(upload.path)):
                _check_wanted(upload)
                if isinstance(part, Frame):
                    times.append(part.time)
                    upload.frame_path(len(times)).write_bytes(part.jpeg)
                    look.done = len(times)
                elif "kind" in part:
                    kind, upload.size = part["kind"], tuple(part["size"])
                else:
                    upload.notes = tuple(part["notes"])
        finally:
            upload.path.unlink(missing_ok=True)
        upload.times, upload.kind = times, kind

    def _predictions(self, look: Look, cut: Cut) -> Iterator[FramePrediction]:
        """What is in the frames, until the time is over."""
        upload, deadline = look.upload, time.monotonic() + self.limits.timeout
        clip = _clip_predictor(cut, self.people) if upload.kind == CLIP else None
        for number, seconds in enumerate(upload.times, start=1):
            _check_wanted(upload)
            if time.monotonic() > deadline:
                break
            picture = opened(upload.frame_path(number))
            if clip is None:
                yield self._still(picture, cut)
            else:
                yield from clip.step(np.asarray(picture), number, seconds)
            look.done = number
        if clip is not None:
            yield from clip.finish()

    def _still(self, picture: Image.Image, cut: Cut) -> FramePrediction:
        detector = DETECTORS["auto"](most=self.people)
        found = detector.detect(np.asarray(picture), 1)
        people = look_for_people(cut.eye.looker, picture, found)
        return FramePrediction(_NAME, 1, None, picture.size, tuple(people))


def _clip_predictor(cut: Cut, people: int) -> VideoPredictor:
    return VideoPredictor(
        cut.eye.looker,
        DETECTORS["auto"](most=people),
        Tracker(most=people),
        detect_every=DETECT_EVERY,
        actions=cut.eye.actions(),
        lifting=cut.eye.lifting(),
        source=_NAME,
    )


def opened(file: pathlib.Path) -> Image.Image:
    """A frame that the decoder wrote."""
    with Image.open(file, formats=["JPEG"]) as picture:
        picture.load()
        return picture.convert("RGB")


def _check_wanted(upload: Upload) -> None:
    if upload.dropped:
        raise GivenUp("it was given up")
