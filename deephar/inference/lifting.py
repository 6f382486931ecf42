"""From tracks of 2D key points to 3D poses: whole tracks, or a frame at a time.

Poses come as the networks give them: in metres, in the camera (x right, y down, z
forward), relative to the root joint; of a trajectory network the root itself.

Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019.
"""

import dataclasses
import math
from collections.abc import Sequence

import keras
import numpy as np

from deephar.inference.folding import fold_batch_norm
from deephar.inference.running import compiled_size, runner
from deephar.models import lifting

BLOCK = 2048
"""Frames of a long track that are lifted at once."""

_FEW = 8
"""Rows from which a product of matrices is faster than one with each row: BLAS lays the
kernel out anew for it."""


class Lifter:
    """Lifts whole tracks with a network of `models.lifting.build`.

    The ends of a track are padded by repeating its first and last frame, as in training
    and evaluation of the paper.

    Args:
        model: the network; one of several joints, or the trajectory network.
        keypoints_left, keypoints_right: rows of the key points that change places in
            the mirror image.
        joints_left, joints_right: those of the joints; none for a trajectory.
        flip: average every pose with that of the mirrored track.
        fold: run a copy of the network, as it is now, whose batch norms are folded
            into its convolutions.
        block: frames of a long track that are lifted at once. More cost more memory,
            and fewer look at some frames twice; the poses are the same.

    Attributes:
        settings: of the network, as `models.lifting.settings` tells them.

    Raises:
        ValueError: if the sides do not pair, or `block` is below 1.
    """

    def __init__(
        self,
        model: keras.Model,
        keypoints_left: Sequence[int] = (),
        keypoints_right: Sequence[int] = (),
        joints_left: Sequence[int] = (),
        joints_right: Sequence[int] = (),
        flip: bool = True,
        fold: bool = True,
        block: int = BLOCK,
    ):
        if block < 1:
            raise ValueError(f"`block` must be at least 1. Received: block={block}")
        self.settings = lifting.settings(model)
        self.block = block
        sides = (keypoints_left, keypoints_right, joints_left, joints_right)
        self._mirror = _mirror(self.settings, *sides) if flip else None
        widths = self.settings["filter_widths"]
        pad = lifting.padding(widths)
        shift = lifting.causal_shift(widths, self.settings["causal"])
        self._before, self._after = pad + shift, pad - shift
        model = fold_batch_norm(model) if fold else model
        # XLA would compile it anew for each length of a track.
        self._runner = runner(model, jit=False, frozen=fold)

    def lift(self, keypoints: np.ndarray) -> np.ndarray:
        """Lifts a track.

        Args:
            keypoints: `(frames, keypoints, 2)`, normalised so that the width of the
                picture is [-1, 1].

        Returns:
            `(frames, joints, 3)` float32, m.

        Raises:
            ValueError: if the key points are of another shape or not finite.
        """
        keypoints = _checked(keypoints, self.settings, "frames", 1)
        count, last = len(keypoints), len(keypoints) - 1
        poses = np.empty((count, self.settings["num_joints_out"], 3), np.float32)
        for start in range(0, count, self.block):
            size = min(self.block, count - start)
            end = start + self._shape(size) + self._after
            frames = np.arange(start - self._before, end).clip(0, last)
            poses[start : start + size] = self._run(keypoints[frames])[:size]
        return poses

    def _shape(self, size: int) -> int:
        """Frames to predict for `size` wanted."""
        compiled = keras.backend.backend() == "jax"
        return compiled_size(size, self.block) if compiled else size

    def _run(self, keypoints: np.ndarray) -> np.ndarray:
        if self._mirror is None:
            return self._lifted(keypoints[None])[0]
        both = np.stack([keypoints, self._mirror.keypoints(keypoints)])
        plain, mirrored = self._lifted(both)
        return (plain + self._mirror.joints(mirrored)) / 2

    def _lifted(self, keypoints: np.ndarray) -> np.ndarray:
        """The network's poses `(tracks, frames, joints, 3)`."""
        (poses,) = keras.tree.flatten(self._runner.predict_on_batch(keypoints))
        return np.asarray(poses)


class StreamingLifter:
    """Lifts tracks a frame at a time, each layer computing one position a frame.

    Every layer keeps, in a ring, as many frames of its input as its convolution
    reaches back. A frame costs what one output frame of the network costs, whatever its
    receptive field, and the poses are those that `Lifter.lift` finds in whole tracks.
    The network as it is now is computed by NumPy, with batch norms folded.

    Args:
        model: a network of `models.lifting.build`.
        people: tracks that are lifted side by side.
        flip: as of `Lifter`, and so are the sides.

    Attributes:
        settings: of the network, as `models.lifting.settings` tells them.
        delay: frames between a pose and the last frame that it needs: 0 for causal
            networks, half of the receptive field for others.

    Raises:
        ValueError: if the sides do not pair, or `people` is below 1.
    """

    def __init__(
        self,
        model: keras.Model,
        people: int = 1,
        keypoints_left: Sequence[int] = (),
        keypoints_right: Sequence[int] = (),
        joints_left: Sequence[int] = (),
        joints_right: Sequence[int] = (),
        flip: bool = False,
    ):
        if people < 1:
            raise ValueError(f"`people` must be at least 1. Received: people={people}")
        self.settings = lifting.settings(model)
        self.people = people
        sides = (keypoints_left, keypoints_right, joints_left, joints_right)
        self._mirror = _mirror(self.settings, *sides) if flip else None
        causal = self.settings["causal"]
        self.delay = 0 if causal else lifting.padding(self.settings["filter_widths"])
        rows = people * (2 if flip else 1)
        self._stages, self._shrink = _stages(model, self.settings, rows)
        self._clock = 0
        self._seen = np.zeros(people, np.int64)
        self._last = None

    def start(self, people: Sequence[int] | None = None) -> None:
        """Forgets tracks: the next frame of these people is their first.

        Args:
            people: their numbers; None for all.
        """
        self._seen[slice(None) if people is None else list(people)] = 0

    def grow(self, people: int) -> None:
        """Makes room for more tracks after those of now, which go on.

        Args:
            people: how many more.
        """
        for stage in self._stages:
            stage.grow(people, 1 if self._mirror is None else 2)
        self.people += people
        self._seen = np.append(self._seen, np.zeros(people, np.int64))
        self._last = None

    def step(self, keypoints: np.ndarray) -> np.ndarray:
        """Takes a frame, and gives the poses of `delay` frames ago.

        Args:
            keypoints: `(people, keypoints, 2)`, normalised as for `Lifter.lift`.

        Returns:
            `(people, joints, 3)` float32, m; NaN for people in the first `delay` frames
            of their tracks, who have no pose yet.

        Raises:
            ValueError: if the key points are of another shape or not finite.
        """
        keypoints = _checked(keypoints, self.settings, "people", self.people)
        self._last = keypoints
        fresh = self._seen == 0
        if self._mirror is not None:
            keypoints = np.concatenate([keypoints, self._mirror.keypoints(keypoints)])
            fresh = np.tile(fresh, 2)
        x = keypoints.reshape(len(keypoints), -1)
        if fresh.any():
            self._fill(np.flatnonzero(fresh), x[fresh])
        for stage in self._stages:
            x = stage.step(x, self._clock)
        poses = self._shrink(x).reshape(len(x), -1, 3)
        self._clock += 1
        self._seen += 1
        if self._mirror is not None:
            plain, mirrored = np.split(poses, 2)
            poses = (plain + self._mirror.joints(mirrored)) / 2
        poses[self._seen <= self.delay] = np.nan
        return poses

    def finish(self) -> np.ndarray:
        """Ends all tracks, and gives the poses that were still to come.

        Returns:
            `(delay, people, joints, 3)`, in order, as if the last frame went on; NaN
            where a track is so short that its first pose is yet to come.
        """
        shape = (0, self.people, self.settings["num_joints_out"], 3)
        poses = np.empty(shape, np.float32)
        if self._last is not None and self.delay:
            poses = np.stack([self.step(self._last) for _ in range(self.delay)])
        self.start()
        self._last = None
        return poses

    def _fill(self, rows: np.ndarray, x: np.ndarray) -> None:
        """Begins tracks, as if their first frame had always been there."""
        for stage in self._stages:
            x = stage.fill(rows, x)


@dataclasses.dataclass(frozen=True)
class _Affine:
    """A convolution with its batch norm: `(width * in, out)` and `(out,)`."""

    kernel: np.ndarray
    bias: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        if len(x) < _FEW:
            return np.stack([row @ self.kernel for row in x]) + self.bias
        return x @ self.kernel + self.bias


class _Stage:
    """A convolution over time with its ring of inputs; a block has a second one.

    Args:
        first: of the frames that it sees, the oldest first.
        second: of width 1; None for the network's first convolution, which is no block.
        taps: how many frames ago each of these frames was.
        skip: how many frames ago that was which goes round the block.
        rows: tracks.
    """

    def __init__(
        self,
        first: _Affine,
        second: _Affine | None,
        taps: np.ndarray,
        skip: int,
        rows: int,
    ):
        self._first, self._second, self._taps, self._skip = first, second, taps, skip
        shape = (rows, int(taps[0]) + 1, len(first.kernel) // len(taps))
        self._ring = np.zeros(shape, np.float32)

    def step(self, x: np.ndarray, clock: int) -> np.ndarray:
        """Takes the newest input `(rows, in)`; gives the newest output."""
        length = self._ring.shape[1]
        self._ring[:, clock % length] = x
        seen = self._ring[:, (clock - self._taps) % length].reshape(len(x), -1)
        return self._output(seen, self._ring[:, (clock - self._skip) % length])

    def fill(self, rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Puts an input everywhere in some rows; gives the output."""
        self._ring[rows] = x[:, None]
        return self._output(np.tile(x, len(self._taps)), x)

    def grow(self, rows: int, parts: int) -> None:
        """Adds rows to each of the parts, as many tracks, that its rows are of."""
        ring = self._ring.reshape(parts, -1, *self._ring.shape[1:])
        ring = np.pad(ring, ((0, 0), (0, rows), (0, 0), (0, 0)))
        self._ring = ring.reshape(-1, *ring.shape[2:])

    def _output(self, seen: np.ndarray, around: np.ndarray) -> np.ndarray:
        y = np.maximum(self._first(seen), 0)
        if self._second is None:
            return y
        return around + np.maximum(self._second(y), 0)


def _stages(
    model: keras.Model, settings: dict, rows: int
) -> tuple[list[_Stage], _Affine]:
    """The network's stages in order, and its last layer."""
    folded = fold_batch_norm(model)

    def affine(name: str) -> _Affine:
        kernel, bias = folded.get_layer(name).get_weights()
        return _Affine(kernel.reshape(-1, kernel.shape[-1]), bias)

    stages = []
    widths, causal = settings["filter_widths"], settings["causal"]
    for number, width in enumerate(widths):
        gap = math.prod(widths[:number])
        span = (width - 1) * gap
        taps = np.arange(span, -1, -1 if settings["dense"] and number else -gap)
        skip = 0 if causal else span // 2
        if number == 0:
            stages.append(_Stage(affine("expand_conv"), None, taps, skip, rows))
            continue
        pair = [affine(f"layers_conv_{2 * (number - 1) + i}") for i in range(2)]
        stages.append(_Stage(*pair, taps, skip, rows))
    return stages, affine("shrink")


@dataclasses.dataclass(frozen=True)
class _Mirror:
    """Exchanges the sides.

    Attributes:
        keypoint_rows, joint_rows: of the mirror image: `mirrored = points[rows]`.
    """

    keypoint_rows: np.ndarray
    joint_rows: np.ndarray

    def keypoints(self, points: np.ndarray) -> np.ndarray:
        """The mirror image of key points `(..., keypoints, 2)`."""
        return _mirrored(points, self.keypoint_rows)

    def joints(self, poses: np.ndarray) -> np.ndarray:
        """That of poses `(..., joints, 3)`."""
        return _mirrored(poses, self.joint_rows)


def _mirrored(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    mirrored = points[..., rows, :]
    mirrored[..., 0] *= -1
    return mirrored


def _mirror(
    settings: dict,
    keypoints_left: Sequence[int],
    keypoints_right: Sequence[int],
    joints_left: Sequence[int],
    joints_right: Sequence[int],
) -> _Mirror:
    counts = settings["num_joints_in"], settings["num_joints_out"]
    return _Mirror(
        _exchanged(counts[0], "keypoints", keypoints_left, keypoints_right),
        _exchanged(counts[1], "joints", joints_left, joints_right),
    )


def _exchanged(
    count: int, name: str, left: Sequence[int], right: Sequence[int]
) -> np.ndarray:
    """Row numbers of the mirror image."""
    rows, left, right = np.arange(count), list(left), list(right)
    both = left + right
    pairs = len(left) == len(right) and len(set(both)) == len(both)
    if not pairs or not set(both) <= set(range(count)) or (count > 1 and not both):
        raise ValueError(
            f"`{name}_left` and `{name}_right` must pair rows of the {count} {name}, "
            f"to mirror them. Received: {name}_left={left}, {name}_right={right}"
        )
    rows[both] = right + left
    return rows


def _checked(
    keypoints: np.ndarray, settings: dict, first: str, count: int
) -> np.ndarray:
    """Key points as float32, `count` of them, or more where they are frames."""
    keypoints = np.asarray(keypoints, np.float32)
    shape = (settings["num_joints_in"], settings["in_features"])
    many = keypoints.ndim == 3 and keypoints.shape[1:] == shape
    fits = many and (
        len(keypoints) >= count if first == "frames" else len(keypoints) == count
    )
    if not fits:
        wanted = first if first == "frames" else count
        raise ValueError(
            f"`keypoints` must have the shape ({wanted}, {shape[0]}, {shape[1]}). "
            f"Received: keypoints.shape={keypoints.shape}"
        )
    if not np.isfinite(keypoints).all():
        wrong = np.argwhere(~np.isfinite(keypoints))[0].tolist()
        raise ValueError(
            "`keypoints` must be finite; gaps are to be filled before. "
            f"Received: keypoints{wrong}={keypoints[tuple(wrong)]}"
        )
    return keypoints
