"""Human3.6M frame by frame, as its pose networks are trained and evaluated."""

import dataclasses
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from deephar.config import DataConfig
from deephar.data.base import Person
from deephar.data.cache import PictureCache
from deephar.data.human36m import Human36M
from deephar.data.human36m_format import H36MSequence
from deephar.utils.modes import mode_name
from deephar.utils.pose import pa17j3d

logger = logging.getLogger(__name__)


class Human36MFrames(Human36M):
    """Human3.6M whose samples are frames, all of them or one in so many.

    One in n are, of every sequence, the first annotated frame and those whose number is
    a multiple of n greater. The original evaluates one in 64, the paper one in 60.

    Args:
        dataset_path, dataconf, poselayout, cache, remove_outer_joints: As of
            `Human36M`.
        every: {mode: n}: one in how many frames; for 1, and of other modes, all that
            are annotated.

    Attributes:
        absent: {mode: number of frames that `every` asks for, between the first and the
            last of their sequence, and that are not annotated}.

    Raises:
        ValueError: as `Human36M`; or if n is below 1, or more frames are absent than
            there, as where the file holds one in 64 and one in 60 is asked for.
    """

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any = pa17j3d,
        every: Mapping[int, int] | None = None,
        cache: PictureCache | None = None,
        remove_outer_joints: bool = True,
    ):
        super().__init__(
            *(dataset_path, dataconf, poselayout, "frames"),
            cache=cache,
            remove_outer_joints=remove_outer_joints,
        )
        self.absent = dict.fromkeys(self.sequences, 0)
        for mode, step in (every or {}).items():
            self._thin(mode, step)
        self._take(
            self.sequences,
            {m: [len(one.frames) for one in s] for m, s in self.sequences.items()},
        )

    def _thin(self, mode: int, step: int) -> None:
        if step < 1:
            raise ValueError(f"`every` must be at least 1. Received: every={step}")
        if step == 1:
            return
        whole = self.sequences[mode]
        self.sequences[mode] = [_one_in(sequence, step) for sequence in whole]
        kept = sum(len(sequence.frames) for sequence in self.sequences[mode])
        asked = sum(_asked(sequence, step) for sequence in whole)
        self.absent[mode] = asked - kept
        if asked > 2 * kept:
            raise ValueError(
                f"{self.dataset_path}: annotations.mat must hold the frames that are "
                f"asked for, one in {step} of the part {mode_name(mode)!r}. "
                f"Received: {kept} of {asked}"
            )
        if asked > kept:
            logger.warning(
                "%s: %d of %d frames that one in %d asks for are not annotated",
                *(self.dataset_path, asked - kept, asked, step),
            )

    def get_picture(
        self, key: int, mode: int, rng: np.random.Generator | None = None
    ) -> tuple[Image.Image, Person, dict[str, np.ndarray]]:
        """Returns a frame's whole picture (RGB), its person and its labels.

        For those who cut their own windows, with the configuration of evaluations. The
        labels are those of `get_data`, which has the errors.
        """
        labels = self.get_blank_data(key, mode, rng=rng)
        (frame,) = labels["frame_list"].tolist()
        center, size = self.clip_window(key, mode, [frame])
        source = self.open_frame(key, mode, frame)
        pixels, _ = source.read(1, (0, 0, *source.size))
        joints = labels["pose_uvd"][:, :2].astype(np.float64)
        person = Person(source.path, center, size, joints, np.nan)
        return Image.fromarray(np.ascontiguousarray(pixels)), person, labels

    def poses(self, mode: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yields (subject, poses (frames, num_joints, 3) in the world, mm)."""
        for sequence in self.sequences[mode]:
            yield sequence.subject, sequence.poses[:, self.poselayout.map_from_h36m]


def _one_in(sequence: H36MSequence, step: int) -> H36MSequence:
    if not len(sequence.frames):
        return sequence
    chosen = (sequence.frames - sequence.frames[0]) % step == 0
    return dataclasses.replace(
        sequence, frames=sequence.frames[chosen], poses=sequence.poses[chosen]
    )


def _asked(sequence: H36MSequence, step: int) -> int:
    """Number of frames that one in `step` of a sequence would be."""
    if not len(sequence.frames):
        return 0
    return int(np.ptp(sequence.frames)) // step + 1
