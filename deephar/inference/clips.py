"""Actions from clips, each frame looked at once however many clips share it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from deephar.inference.folding import fold_batch_norm
from deephar.inference.loading import check_device, on_device
from deephar.inference.running import few_sizes, runner
from deephar.models.common import clip_parts


class ClipPredictor:
    """Runs the two parts of a model of actions, apart or in a row.

    Frames are described one by one, clips are classified by the descriptions of their
    frames: clips that overlap, or the windows of a stream, share their frames' work.
    Several threads may share a predictor: they wait for each other.

    Args:
        model: a model of `models.action.build_merge_model`, or one of
            `models.spnet.build` for clips with actions.
        batch_size: most frames or clips a step.
        fold: run copies of the parts, as they are now, whose batch norms are folded
            into their convolutions (`fold_batch_norm`).
        jit: on TensorFlow, the parts' `jit_compile`: XLA gains on a GPU, and on the CPU
            it is much slower for these networks.
        spread: from a part to what predicts in its place, by `predict_on_batch`; for
            models built under a strategy of several replicas, `devices.SpreadModel`.
        outputs: names of the predictions to take, such as those of one of several sets
            of actions; None is all of them.
        poses: whether `see_frames` is asked for, which tells the poses too.
        device: where to compute: "cpu", "gpu", "gpu:1"; None leaves it to Keras.

    Attributes:
        frame_model: from frames to what the clip head takes of them, nothing else.
        clip_head: from that to the actions.
        num_frames: frames of a clip.
        described: names of what a frame is described by, the clip head's inputs.
        names: of the predictions: ("p1", "p2", "p3", "p4", "v1", ..., "v4", "m"), and
            "mmm" and "mmmvvv" of models that put them out; or ("act1_a0", "act2_a0",
            ...).

    Raises:
        ValueError: if the model has not these parts or outputs, the outputs are not of
            one set of actions, or `batch_size` is below 1.
    """

    def __init__(
        self,
        model: keras.Model,
        batch_size: int = 16,
        fold: bool = False,
        jit: bool = False,
        spread: Callable[[keras.Model], Any] | None = None,
        outputs: Sequence[str] | None = None,
        poses: bool = False,
        device: str | None = None,
    ):
        if batch_size < 1:
            raise ValueError(
                f"`batch_size` must be at least 1. Received: batch_size={batch_size}"
            )
        parts = clip_parts(model, outputs, poses)
        classes = [y.shape[1] for y in parts[1].outputs]
        if len(set(classes)) > 1:
            names = ", ".join(parts[1].output_names)
            raise ValueError(
                "`outputs` must be of one set of actions, with as many classes each. "
                f"Received: outputs {names} of {classes} classes"
            )
        check_device(device)
        with on_device(device):
            parts = [fold_batch_norm(part) for part in parts] if fold else parts
        self.frame_model, self.clip_head = parts
        runs = [spread(part) if spread else runner(part, jit, fold) for part in parts]
        self._runners = [few_sizes(run, jit, batch_size) for run in runs]
        self._lock = threading.Lock()
        self.batch_size = batch_size
        self.poses = poses
        self.device = device
        self.num_frames = self.clip_head.input_shape[0][1]
        self.described = tuple(x.name for x in self.clip_head.inputs)
        self.names = tuple(self.clip_head.output_names)

    def describe_frames(self, frames: np.ndarray) -> tuple[np.ndarray, ...]:
        """Finds in every frame what the clip head wants to know of it.

        Args:
            frames: `(n, h, w, 3)` float32 in [-1, 1]; n may be 0.

        Returns:
            An array for each of `described`, float32: pose `(n, joints, dim)` in [0, 1]
            of the frame, confidence `(n, joints, 1)` and features `(n, joints,
            features)`; of SPNet these three for each block that predicts actions.

        Raises:
            ValueError: if the frames are of another size than the network's.
        """
        return tuple(self._run(0, [frames])[: len(self.described)])

    def see_frames(
        self, frames: np.ndarray
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Finds the poses of frames, and what the clip head wants to know, in one go.

        The pose is the network's last one. In merged networks it is what frames are
        described by; SPNets have maps of their own for poses.

        Args:
            frames: as of `describe_frames`.

        Returns:
            Poses `(n, joints, dim + 1)` float32: x, y in [0, 1] of the frame, in 3D
            then z, [0, 1] with the root at 0.5, and confidence; and what
            `describe_frames` returns.

        Raises:
            ValueError: as of `describe_frames`, or if `poses` is false.
        """
        if not self.poses:
            raise ValueError("frames are seen with `poses`. Received: poses=False")
        found = self._run(0, [frames])
        described = tuple(found[: len(self.described)])
        if len(found) > len(described):
            return found[-1], described
        return np.concatenate(described[:2], axis=-1), described

    def classify(self, *described: np.ndarray) -> np.ndarray:
        """Predicts the actions of clips whose frames are described.

        Args:
            *described: as of `describe_frames`, `(n, num_frames, ...)` each; n may be
                0.

        Returns:
            `(outputs, n, classes)` float32: the probabilities by every output of
            `names`.

        Raises:
            ValueError: if the arrays are of other numbers or shapes than the network's.
        """
        return np.stack(self._run(1, list(described)))

    def predict_clips(self, frames: np.ndarray) -> np.ndarray:
        """Predicts the actions of clips that share no frames.

        Args:
            frames: `(n, num_frames, h, w, 3)` float32 in [-1, 1].

        Returns:
            as of `classify`.

        Raises:
            ValueError: if the frames or their number are not the network's.
        """
        if frames.ndim != 5 or frames.shape[1] != self.num_frames:
            raise ValueError(
                f"Clips must be (n, {self.num_frames}, h, w, 3). "
                f"Received: shape={frames.shape}"
            )
        found = self.describe_frames(frames.reshape(-1, *frames.shape[2:]))
        length = self.num_frames
        return self.classify(*(x.reshape(-1, length, *x.shape[1:]) for x in found))

    def _run(self, number: int, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """Runs a part, by its number, on its inputs, `(n, ...)`, some at a time."""
        part = (self.frame_model, self.clip_head)[number]
        shapes = [tuple(x.shape[1:]) for x in part.inputs]
        total = len(inputs[0]) if inputs else 0
        if [x.shape for x in inputs] != [(total, *shape) for shape in shapes]:
            raise ValueError(
                f"{part.name} takes n times {shapes}. "
                f"Received: shapes={[x.shape for x in inputs]}"
            )
        results = [np.empty((total, *x.shape[1:]), np.float32) for x in part.outputs]
        for start in range(0, total, self.batch_size):
            batch = [x[start : start + self.batch_size] for x in inputs]
            with self._lock, on_device(self.device):
                found = self._runners[number].predict_on_batch(
                    batch if len(batch) > 1 else batch[0]
                )
            for result, y in zip(results, keras.tree.flatten(found), strict=True):
                result[start : start + self.batch_size] = y
        return results
