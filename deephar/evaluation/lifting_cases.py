"""Best and worst frames of lifted tracks, as poses in space."""

from typing import NamedTuple

import numpy as np

from deephar.data.lifting import Sequence
from deephar.evaluation.cases import CASES, TRUTH_TINT
from deephar.pages import Page
from deephar.utils.animation import Bones

_MM = 1000.0


class _Case(NamedTuple):
    """A frame: its error in mm, what it is of, and (truth, found) in mm."""

    error: float
    caption: str
    poses: np.ndarray


class LiftingCases:
    """Keeps the worst frame and the best of each sequence that is scored.

    Memory does not grow with the sequences: the worst and best `CASES` are kept.
    """

    def __init__(self):
        self._worst: list[_Case] = []
        self._best: list[_Case] = []

    def notice(self, sequence: Sequence, truth: np.ndarray, found: np.ndarray) -> None:
        """Looks at a sequence; both poses (frames, joints, 3) about the root, m."""
        errors = _MM * np.linalg.norm(truth - found, axis=-1).mean(axis=-1)
        known = np.where(np.isfinite(errors), errors, np.nan)
        if np.isnan(known).all():
            return
        for kept, choose, sign in (
            (self._worst, np.nanargmax, -1),
            (self._best, np.nanargmin, 1),
        ):
            frame = int(choose(known))
            take = f"{sequence.subject} {sequence.action}, camera {sequence.camera}"
            caption = f"{take}, frame {frame}: {errors[frame]:.0f} mm"
            poses = _MM * np.stack([truth[frame], found[frame]]).astype(np.float64)
            kept.append(_Case(float(errors[frame]), caption, poses))
            kept.sort(key=lambda case, sign=sign: sign * case.error)
            del kept[CASES:]

    def add(self, page: Page, bones: Bones) -> None:
        """Puts them on a page, to be turned.

        Args:
            page: the page.
            bones: of the joints.
        """
        page.heading("Poses in space")
        page.text(
            "What was lifted, in colours, over the truth in grey, both about the root: "
            "of each sequence its worst frame and its best."
        )
        joints = len(bones.links) + 1
        colors = ["#{:02x}{:02x}{:02x}".format(*bones.color(j)) for j in range(joints)]
        for words, kept in (("Worst", self._worst), ("Best", self._best)):
            page.heading(f"{words} sequences", 3)
            shown = [(case.poses, case.caption) for case in kept]
            tints = (TRUTH_TINT, None)
            page.poses_3d(shown, bones.links, colors, tints, width=240)
