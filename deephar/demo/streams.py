"""Webcams: the page posts frame after frame, and is told what is in each."""

import io
import secrets
import threading
import time
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from deephar.demo.decoding import CLIP
from deephar.demo.limits import Limits
from deephar.demo.looking import DETECT_EVERY
from deephar.demo.networks import Cut, Networks
from deephar.inference.people import DETECTORS
from deephar.inference.results import FramePrediction
from deephar.inference.tracking import Tracker
from deephar.inference.video import VideoPredictor

_DAMAGED = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for damaged JPEGs."""


class Busy(Exception):
    """There is no place, or the frame before is still looked at."""


class Stream:
    """A webcam: who is followed in it, and when it was last heard of.

    Args:
        cut: the network that looks.
        people: in a frame, at most.
        limits: of a frame.
    """

    def __init__(self, cut: Cut, people: int, limits: Limits):
        self.cut, self._side = cut, limits.clip_side
        self._lock, self.heard = threading.Lock(), time.monotonic()
        self._begun = time.monotonic()
        self._predictor = VideoPredictor(
            cut.eye.looker,
            DETECTORS["auto"](most=people),
            Tracker(most=people),
            detect_every=DETECT_EVERY,
            actions=cut.eye.actions(),
            source="camera",
        )
        self._lifting = cut.eye.lifting()

    def step(self, jpeg: bytes) -> dict[str, Any]:
        """Looks at the next frame.

        Returns:
            {"frame": what is in it, as `FramePrediction.to_dict`, "space": {id: pose,
            as `Pose3D.to_dict`}, lifted, "late": how many frames ago these were, "ms":
            what looking took}.

        Raises:
            Busy: if the frame before is still looked at.
            ValueError: if it is no JPEG, or too large.
        """
        if not self._lock.acquire(blocking=False):
            raise Busy("the frame before is still looked at")
        try:
            self.heard = time.monotonic()
            picture = self._decoded(jpeg)
            begun = time.perf_counter()
            seconds = time.monotonic() - self._begun
            (found,) = self._predictor.step(np.asarray(picture), time=seconds)
            space = self._lifted(found)
            ms = 1000 * (time.perf_counter() - begun)
            late = 0 if self._lifting is None else self._lifting.delay
            return {
                "frame": found.to_dict(),
                "space": space,
                "late": late,
                "ms": round(ms, 1),
            }
        finally:
            self.heard = time.monotonic()
            self._lock.release()

    def _lifted(self, found: FramePrediction) -> dict[str, Any]:
        """Poses in space as they were some frames ago, by the number of the person."""
        if self._lifting is None:
            return {}
        poses = self._lifting.push(
            [person.id for person in found.people],
            [person.pose.joints for person in found.people],
            [person.pose.confidence for person in found.people],
            found.size,
        )
        there = {person.id for person in found.people}
        return {str(key): pose.to_dict() for key, pose in poses.items() if key in there}

    def _decoded(self, jpeg: bytes) -> Image.Image:
        try:
            with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
                size = picture.size
                if max(size) <= self._side:
                    picture.load()
                    return picture.convert("RGB")
        except UnidentifiedImageError as error:
            raise ValueError(
                f"a frame must be a JPEG. Received: {len(jpeg)} bytes of something else"
            ) from error
        except _DAMAGED as error:
            raise ValueError(f"a frame must be a whole JPEG: {error}") from error
        raise ValueError(
            f"a frame may have {self._side} px a side. "
            f"Received: {size[0]} x {size[1]} px"
        )


class Streams:
    """The webcams; those that are silent for long are forgotten when another comes.

    Args:
        networks: that look.
        limits: of places, of silence and of a frame.
        people: in a frame, at most.
    """

    def __init__(self, networks: Networks, limits: Limits, people: int = 4):
        self._networks, self._limits, self._people = networks, limits, people
        self._lock = threading.Lock()
        self._known: dict[str, Stream] = {}

    def new(self, block: int | None) -> tuple[str, Stream]:
        """Begins one; returns its id, which nobody can guess.

        Raises:
            Busy: if there are as many as may be.
            OSError, ValueError: as of `Networks.cut`.
        """
        cut = self._networks.cut(CLIP, block)
        with self._lock:
            silent = time.monotonic() - self._limits.idle
            for key in [k for k, one in self._known.items() if one.heard < silent]:
                del self._known[key]
            if len(self._known) >= self._limits.streams:
                raise Busy(
                    f"{self._limits.streams} webcams are looked at already; "
                    "try again in a minute"
                )
            key, stream = (
                secrets.token_urlsafe(12),
                Stream(cut, self._people, self._limits),
            )
            self._known[key] = stream
        return key, stream

    def get(self, key: str) -> Stream | None:
        """The stream of an id; None if there is none, or no longer."""
        with self._lock:
            return self._known.get(key)

    def drop(self, key: str) -> bool:
        """Ends one; tells whether it was known."""
        with self._lock:
            return self._known.pop(key, None) is not None
