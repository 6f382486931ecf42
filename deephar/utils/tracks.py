"""Poses of one person, frame by frame, joined to a track without gaps."""

import dataclasses

import numpy as np

from deephar.utils.pose import is_valid


@dataclasses.dataclass(frozen=True)
class Track:
    """A person's joints in every frame.

    Attributes:
        joints: `(frames, joints, dim)` float64, in the unit of what it was made of.
        filled: `(frames, joints)` bool: which of them were not seen, but filled in.
    """

    joints: np.ndarray
    filled: np.ndarray

    @property
    def num_filled(self) -> int:
        """Number of joints that were filled in, of all frames."""
        return int(self.filled.sum())

    @property
    def longest_gap(self) -> int:
        """The most frames in a row in which the same joint was filled in."""
        run = longest = np.zeros(self.filled.shape[1], np.int64)
        for filled in self.filled:
            run = (run + 1) * filled
            longest = np.maximum(longest, run)
        return int(longest.max(initial=0))


def join_track(
    joints: np.ndarray,
    confidence: np.ndarray | None = None,
    least: float = 0.0,
    ahead: bool = True,
) -> Track:
    """Fills the gaps of a track.

    A joint is missing where a coordinate is INVALID or not finite, or where its
    confidence is below `least`. Between two frames that have it, it is put on the
    straight line at even pace; before the first and after the last it stays there.

    Args:
        joints: `(frames, joints, dim)`.
        confidence: `(frames, joints)`; None if all are sure.
        least: confidence from which a joint counts as seen.
        ahead: whether later frames are known; if not, as in a stream, a missing joint
            stays where it was last, and the track begins at the frame by which every
            joint has been seen: the frames before are as that one, all filled in.

    Raises:
        ValueError: if the shapes do not fit, there is no frame, or a joint is missing
            in all frames.
    """
    joints = np.array(joints, dtype=np.float64)
    shape = joints.shape[:2] if confidence is None else np.shape(confidence)
    if joints.ndim != 3 or shape != joints.shape[:2] or not len(joints):
        raise ValueError(
            "`joints` must have the shape (frames, joints, dim), `confidence` (frames, "
            f"joints). Received: joints.shape={joints.shape}, {shape} of confidence"
        )
    seen = (is_valid(joints) & np.isfinite(joints)).all(axis=-1)
    if confidence is not None:
        seen &= np.asarray(confidence) >= least
    never = np.flatnonzero(~seen.any(axis=0))
    if len(never):
        raise ValueError(
            "every joint must be seen in a frame, with a confidence of at least "
            f"{least}. Received: none of the joints {never.tolist()} in "
            f"{len(joints)} frames"
        )
    fill = _fill_between if ahead else _fill_from_before
    fill(joints, seen)
    return Track(joints, ~seen)


def _fill_between(joints: np.ndarray, seen: np.ndarray) -> None:
    """Puts missing joints on the straight lines between frames that have them."""
    frames = np.arange(len(joints))
    for joint, where in enumerate(seen.T):
        for axis in range(joints.shape[2]):
            values = joints[where, joint, axis]
            joints[~where, joint, axis] = np.interp(
                frames[~where], frames[where], values
            )


def _fill_from_before(joints: np.ndarray, seen: np.ndarray) -> None:
    """Leaves missing joints where they were; nothing is `seen` before all once were."""
    begin = seen.argmax(axis=0).max()
    for frame in range(1, len(joints)):
        joints[frame] = np.where(seen[frame, :, None], joints[frame], joints[frame - 1])
    joints[:begin] = joints[begin]
    seen[:begin] = False
