"""Batches of tracks: pieces in a random order to learn from, whole ones to be tested.

Every batch is (cameras, poses_3d, poses_2d), float32:

    cameras     lenses (batch, 9); None where a sequence has none
    poses_3d    (batch, frames, joints, 3); None where a sequence has none
    poses_2d    (batch, frames + 2 pad, key points, 2)

Key points have `pad + causal_shift` frames more before and `pad - causal_shift` more
behind; beyond the ends of a track its first and last frames are repeated. A mirrored
track has x negated, left and right exchanged, and a mirrored lens.
Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from deephar.data.lifting import Sequence as Track

Batch = tuple[np.ndarray | None, np.ndarray | None, np.ndarray]

_MIRRORED_LENS = np.float32([1, 1, -1, 1, 1, 1, 1, -1, 1])
"""What becomes of fx, fy, cx, cy, k1, k2, k3, p1, p2: cx and p1 turn round."""


@dataclasses.dataclass(frozen=True)
class Sides:
    """Rows of the person's left side and, in the same order, of the right.

    Attributes:
        joints_left: Of the poses in space.
        joints_right: Of the poses in space.
        keypoints_left: Of the key points.
        keypoints_right: Of the key points.
    """

    joints_left: Sequence[int] = ()
    joints_right: Sequence[int] = ()
    keypoints_left: Sequence[int] = ()
    keypoints_right: Sequence[int] = ()

    def __post_init__(self) -> None:
        for name in ("joints", "keypoints"):
            left, right = getattr(self, f"{name}_left"), getattr(self, f"{name}_right")
            if len(left) != len(right):
                raise ValueError(
                    f"`{name}_left` and `{name}_right` must have the same length. "
                    f"Received: {name}_left={list(left)}, {name}_right={list(right)}"
                )

    def mirror_keypoints(self, poses: np.ndarray) -> np.ndarray:
        """Returns key points (..., key points, 2) as a mirror shows them."""
        return _mirrored(poses, self.keypoints_left, self.keypoints_right)

    def mirror_joints(self, poses: np.ndarray) -> np.ndarray:
        """Returns poses in space (..., joints, 3) as a mirror shows them."""
        return _mirrored(poses, self.joints_left, self.joints_right)


def _mirrored(poses, left, right):
    joints, dim = poses.shape[-2:]
    rows = np.arange(joints)
    rows[[*left, *right]] = [*right, *left]
    columns = (rows[:, None] * dim + np.arange(dim)).ravel()
    flat = poses.reshape(*poses.shape[:-2], joints * dim)
    flat = np.take(flat, columns, axis=-1)
    flat[..., ::dim] *= -1
    return flat.reshape(poses.shape)


class ChunkedLoader:
    """Gives pieces of tracks, in a random order that its seed tells.

    A track is cut into pieces of `chunk_length` output frames; if its length is no
    multiple of that, the first and the last piece reach equally far beyond its ends.

    The loader may be left and taken up again at any batch: `next_epoch` goes on where
    the last one was left, and `random_state` together with `position` says where that
    is, also for another loader of the same arguments.

    Args:
        batch_size: Pieces of a batch; the last of an epoch may have fewer.
        sequences: The tracks, `deephar.data.lifting.Sequence`.
        chunk_length: Output frames of a piece.
        pad: Frames of key points more on either side.
        causal_shift: So many frames earlier do the key points stand; `pad` for networks
            that see the past only.
        shuffle: Whether the order is random.
        random_seed: Seed of the order.
        augment: Whether each piece comes mirrored as well.
        endless: Whether an epoch is followed by the next without an end.
        joints_left: See `Sides`, as the three that follow.
        joints_right: See `Sides`.
        keypoints_left: See `Sides`.
        keypoints_right: See `Sides`.

    Attributes:
        num_batches: Batches of an epoch.
        num_frames: `num_batches * batch_size`.
        position: Batches of the present epoch that were given.
    """

    def __init__(
        self,
        batch_size: int,
        sequences: Sequence[Track],
        chunk_length: int,
        pad: int = 0,
        causal_shift: int = 0,
        shuffle: bool = True,
        random_seed: int = 1234,
        augment: bool = False,
        endless: bool = False,
        joints_left: Sequence[int] = (),
        joints_right: Sequence[int] = (),
        keypoints_left: Sequence[int] = (),
        keypoints_right: Sequence[int] = (),
    ):
        _check_lengths(
            pad, causal_shift, batch_size=batch_size, chunk_length=chunk_length
        )
        if not sequences:
            raise ValueError("`sequences` must have tracks. Received: none")
        self.batch_size = batch_size
        self.shuffle, self.endless = shuffle, endless
        self.sides = Sides(joints_left, joints_right, keypoints_left, keypoints_right)
        self._steps = np.arange(chunk_length)
        self._wide_steps = np.arange(chunk_length + 2 * pad) - pad - causal_shift
        self._keypoints = np.concatenate([one.keypoints for one in sequences])
        self._positions = _joined([one.positions for one in sequences], "positions")
        self._lenses = _joined([one.intrinsics for one in sequences], "intrinsics", 1)
        lengths = np.array([len(one.keypoints) for one in sequences])
        for one in sequences:
            if one.positions is not None and len(one.positions) != len(one.keypoints):
                raise ValueError(
                    f"{one.subject}, {one.action}: poses and key points must have the "
                    f"same number of frames. Received: {len(one.positions)}, "
                    f"{len(one.keypoints)}"
                )
        self._ends = np.cumsum(lengths)
        self._pieces = _pieces(lengths, chunk_length, augment)
        self.num_batches = -(-len(self._pieces) // batch_size)
        self.num_frames = self.num_batches * batch_size
        self._random = np.random.RandomState(random_seed)
        self._before = _copy(self._random)
        self._order = None
        self.position = 0

    @property
    def random_state(self) -> np.random.RandomState:
        """The random generator as it was when the present epoch began.

        Setting it begins an epoch; set `position` afterwards to go on in it.
        """
        return _copy(self._random if self._order is None else self._before)

    @random_state.setter
    def random_state(self, state: np.random.RandomState) -> None:
        self._random = _copy(state)
        self._order, self.position = None, 0

    def next_epoch(self) -> Iterator[Batch]:
        """Yields the batches of an epoch, or what is left of the present one."""
        while True:
            for batch in self._rest():
                yield batch
            if not self.endless:
                return

    def _rest(self) -> Iterator[Batch]:
        if not 0 <= self.position < self.num_batches:
            raise ValueError(
                f"`position` must be 0 to {self.num_batches - 1}. "
                f"Received: position={self.position}"
            )
        if self._order is None:
            self._before = _copy(self._random)
            count = len(self._pieces)
            order = self._random.permutation(count) if self.shuffle else range(count)
            self._order = np.asarray(order)
        order = self._order
        while self._order is order:
            first = self.position * self.batch_size
            batch = self._batch(self._pieces[order[first : first + self.batch_size]])
            self.position += 1
            if self.position == self.num_batches:
                self._order, self.position = None, 0
            yield batch

    def _batch(self, pieces: np.ndarray) -> Batch:
        track, first, mirrored = pieces.T
        mirrored = mirrored.astype(bool)
        end = self._ends[track][:, None]
        begin = np.where(track, self._ends[track - 1], 0)[:, None]
        wide = begin + first[:, None] + self._wide_steps
        keypoints = self._keypoints[np.clip(wide, begin, end - 1)]
        keypoints[mirrored] = self.sides.mirror_keypoints(keypoints[mirrored])
        lenses = positions = None
        if self._lenses is not None:
            lenses = self._lenses[track]
            lenses[mirrored] *= _MIRRORED_LENS
        if self._positions is not None:
            frames = begin + first[:, None] + self._steps
            positions = self._positions[np.clip(frames, begin, end - 1)]
            positions[mirrored] = self.sides.mirror_joints(positions[mirrored])
        return lenses, positions, keypoints


def whole_sequence(
    sequence: Track,
    pad: int = 0,
    causal_shift: int = 0,
    augment: bool = False,
    joints_left: Sequence[int] = (),
    joints_right: Sequence[int] = (),
    keypoints_left: Sequence[int] = (),
    keypoints_right: Sequence[int] = (),
) -> Batch:
    """Returns a whole track as a batch of one, or of two.

    Args:
        sequence: The track.
        pad: Frames of key points more on either side.
        causal_shift: So many frames earlier do the key points stand.
        augment: Whether the mirrored track comes as the second.
        joints_left: See `Sides`, as the three that follow.
        joints_right: See `Sides`.
        keypoints_left: See `Sides`.
        keypoints_right: See `Sides`.
    """
    _check_lengths(pad, causal_shift)
    sides = Sides(joints_left, joints_right, keypoints_left, keypoints_right)
    edges = [(pad + causal_shift, pad - causal_shift), (0, 0), (0, 0)]
    keypoints = np.pad(sequence.keypoints, edges, mode="edge")[None]
    lenses, positions = sequence.intrinsics, sequence.positions
    lenses = None if lenses is None else lenses[None]
    positions = None if positions is None else positions[None]
    if augment:
        keypoints = np.concatenate([keypoints, sides.mirror_keypoints(keypoints)])
        if lenses is not None:
            lenses = np.concatenate([lenses, lenses * _MIRRORED_LENS])
        if positions is not None:
            positions = np.concatenate([positions, sides.mirror_joints(positions)])
    return lenses, positions, keypoints


def _check_lengths(pad, causal_shift, **positive) -> None:
    if pad < 0 or causal_shift not in (0, pad):
        raise ValueError(
            "`pad` must be at least 0, and `causal_shift` 0 or `pad`. "
            f"Received: pad={pad}, causal_shift={causal_shift}"
        )
    for name, value in positive.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")


def _joined(parts, name, new_axis=None):
    """Returns all parts in one array; None if none is known."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    if len(known) < len(parts):
        raise ValueError(
            f"either all `sequences` must have {name} or none. "
            f"Received: {len(known)} of {len(parts)}"
        )
    return np.stack(known) if new_axis else np.concatenate(known)


def _pieces(lengths: np.ndarray, chunk: int, augment: bool) -> np.ndarray:
    """Returns (track, first frame, whether mirrored) of every piece, (n, 3)."""
    rows = []
    for track, length in enumerate(lengths):
        count = -(-length // chunk)
        first = np.arange(count) * chunk - (count * chunk - length) // 2
        for mirrored in range(1 + augment):
            columns = np.full(count, track), first, np.full(count, mirrored)
            rows.append(np.stack(columns, axis=1))
    return np.concatenate(rows)


def _copy(state: np.random.RandomState) -> np.random.RandomState:
    copy = np.random.RandomState()
    copy.set_state(state.get_state(legacy=False))
    return copy
