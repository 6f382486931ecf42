"""From a clip of a person to what that person does; poses and features in one look."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from deephar.data.sequences import get_clip_frame_index, spread_frames
from deephar.inference.clips import ClipPredictor
from deephar.inference.crops import (
    SINGLE_CROP,
    Window,
    crop,
    locate,
    mirrored,
    refined,
    with_mirrored,
)
from deephar.inference.loading import DEFAULT_ACTION, load
from deephar.inference.looker import Looked, as_picture, person_window
from deephar.inference.results import Action
from deephar.networks.classes import class_names
from deephar.networks.known_weights import check_classes
from deephar.networks.recipes import clip_networks, poselayout
from deephar.utils.outputs import deciding
from deephar.utils.transform import transform_2d_points

Frames = np.ndarray | Sequence[Image.Image | np.ndarray | str | os.PathLike]


class ActionPredictor:
    """Tells the actions of clips, and looks at single frames for streams of them.

    Several threads may share one: they wait for each other.

    Args:
        clip_predictor: runs the network; it must find `poses` too.
        poselayout: layout of the network's joints.
        labels: names of the actions.
        step: frames from one of a clip to the next; None for clips that are spread over
            all frames.
        flip: look at every clip mirrored too, and average poses.
        crops: windows to look at a person through, `crops.SINGLE_CROP` or
            `crops.MULTI_CROP`; the first is the window itself.
        refine: how often to put a new window around the poses before the last look.

    Attributes:
        about: what the network is, for records; empty unless it was loaded by `load`.
        output: name of the network's output that counts.

    Raises:
        ValueError: if `labels` are not as many as the network tells apart, or another
            argument breaks these rules.
    """

    def __init__(
        self,
        clip_predictor: ClipPredictor,
        poselayout,
        labels: Sequence[str],
        step: int | None = 1,
        *,
        flip: bool = False,
        crops: Sequence[tuple[float, float, float]] = SINGLE_CROP,
        refine: int = 0,
    ):
        classes = clip_predictor.clip_head.outputs[0].shape[-1]
        if len(labels) != classes or not clip_predictor.poses:
            raise ValueError(
                f"`labels` must name the network's {classes} actions, and "
                "`clip_predictor` must find poses. "
                f"Received: {len(labels)} labels, poses={clip_predictor.poses}"
            )
        if refine < 0 or (step is not None and step < 1):
            raise ValueError(
                "`refine` must be at least 0, and `step` at least 1 or None. "
                f"Received: refine={refine}, step={step}"
            )
        if tuple(crops[:1]) != SINGLE_CROP:
            raise ValueError(
                f"`crops` must begin with the window itself, {SINGLE_CROP[0]}. "
                f"Received: crops={tuple(crops)}"
            )
        self.clip_predictor = clip_predictor
        self.poselayout = poselayout
        self.labels = tuple(labels)
        self.step = step
        self.flip = flip
        self.crops = tuple(crops)
        self.refine = refine
        self.output = deciding(clip_predictor.names)
        self.about: dict[str, Any] = {}

    @classmethod
    def load(
        cls,
        weights: str | os.PathLike | None = None,
        *,
        network: str | None = None,
        labels: Sequence[str] | None = None,
        step: int | None = None,
        flip: bool = False,
        crops: Sequence[tuple[float, float, float]] = SINGLE_CROP,
        refine: int = 0,
        batch_size: int = 16,
        device: str | None = None,
        precision: str = "float32",
        fold: bool = True,
        jit: bool = False,
        block: int | None = None,
    ) -> "ActionPredictor":
        """The predictor of weights by name or file.

        Args:
            weights: a weights file, whose network the model.json beside it tells, or a
                published name; None for the small network that comes with deephar,
                which has learned from generated people only.
            network: a name of `networks.NETWORKS`, which the weights must be of; None
                for what they are known to be of.
            labels: names of the actions; None for those that are known.
            step: as of the class; None for the network's own.
            batch_size, device, fold, jit: as of `ClipPredictor`.
            precision: "float32", "bfloat16", "float16", or "auto" for what is fastest
                here; the policy of Keras is as before afterwards.
            block: cut the network after this prediction, from 1: of merged networks one
                of actions, of SPNets one of poses. What comes after it is not computed.
            flip, crops, refine: as of the class.

        Raises:
            OSError: if there are no such weights, or they cannot be read or fetched.
            ValueError: if they do not fit or are of a network of poses alone, or there
                is no such network, block, device or precision.
        """
        weights = DEFAULT_ACTION if weights is None else weights
        _check_network(network)
        found = load(weights, network or clip_networks(), device, precision, block)
        settings = found.settings
        if labels is None:
            labels = class_names(settings)
        else:
            check_classes(str(weights), settings["network"], ",".join(labels))
        clips = ClipPredictor(
            found.model,
            batch_size,
            fold,
            jit,
            poses=True,
            device=device,
        )
        predictor = cls(
            clips,
            poselayout(settings),
            labels,
            step or settings.get("step"),
            flip=flip,
            crops=crops,
            refine=refine,
        )
        predictor.about = found.about
        return predictor

    @property
    def resolution(self) -> tuple[int, int]:
        """(w, h) of the network's input, px."""
        height, width = self.clip_predictor.frame_model.input_shape[1:3]
        return width, height

    def window(
        self, size: tuple[int, int], box: Sequence[float] | None = None
    ) -> Window:
        """The window through which to look at a person; see `Looker.window`.

        Raises:
            ValueError: if the box is empty, outside the picture or not four numbers.
        """
        return person_window(size, box, self.resolution)

    def look(
        self, pictures: Sequence[Image.Image], windows: Sequence[Window]
    ) -> Looked:
        """Looks at one person in each window; see `Looker.look`.

        One run of the frame model gives the pose and what the clip head wants to know.
        With `flip` and several crops the poses are averages, of more runs; what the
        clip head wants to know is of the window itself.
        """
        if not windows:
            empty = np.zeros((0, *self.resolution[::-1], 3), np.float32)
            joints, described = self.clip_predictor.see_frames(empty)
            return Looked(joints[None].astype(np.float64), [], [], described)
        parts = []

        def predict(frames: np.ndarray) -> np.ndarray:
            joints, described = self.clip_predictor.see_frames(frames)
            parts.append(described)
            if self.flip:
                other, _ = self.clip_predictor.see_frames(mirrored(frames))
                joints = with_mirrored(joints, other, self.poselayout)
            return joints[None]

        found = locate(
            predict,
            pictures,
            windows,
            self.resolution,
            crops=self.crops,
            refine=self.refine,
            keep=0.0,
            batch_size=self.clip_predictor.batch_size,
        )
        last = slice(self.refine * len(windows), None, len(self.crops))
        described = tuple(
            np.concatenate(some)[last] for some in zip(*parts, strict=True)
        )
        widths = [Window(*window).size[0] for window in windows]
        return Looked(found.joints, found.windows, widths, described)

    def action(self, scores: np.ndarray, frames: tuple[int, int]) -> Action:
        """What some scores say.

        Args:
            scores: `(outputs, classes)`, as of `ClipPredictor.classify` of one clip.
            frames: numbers of the clip's first and last frame, from 1.
        """
        by_output = dict(zip(self.clip_predictor.names, scores, strict=True))
        return Action(self.labels, by_output, self.output, frames)

    def predict_clip(self, frames: Frames, boxes: Any = None) -> Action:
        """Tells the action of one person in the frames of a video.

        Of more frames than a clip has, those are taken that lie in the middle at the
        network's step; of too few the step is shortened, or frames are repeated. All
        are looked at through one window.

        Args:
            frames: array `(frames, h, w, 3)` uint8 RGB, or PIL images, arrays or paths
                of pictures of one size in their order.
            boxes: the person as (x1, y1, x2, y2) px, `(4,)` for all frames or
                `(frames, 4)`, whose rows may be NaN where the person was not found; of
                a clip without any, that of all frames counts. None looks at whole
                pictures.

        Returns:
            The scores of every output. Where several views are looked at, mirrored or
            through several crops, the scores are their geometric means, normalised.

        Raises:
            OSError: if a file cannot be read.
            ValueError: if there are no frames, they differ in size, a box is not as it
                should be, or none is known.
        """
        count = len(frames)
        if count < 1:
            raise ValueError("`frames` must be at least one. Received: none")
        chosen = self._clip(count)
        pictures = {number: as_picture(frames[number]) for number in set(chosen)}
        sizes = {picture.size for picture in pictures.values()}
        if len(sizes) > 1:
            raise ValueError(
                f"`frames` must have one size. Received: sizes {sorted(sizes)}"
            )
        clip = [pictures[number] for number in chosen]
        box = _box_of_clip(boxes, count, chosen)
        window = self._refined(clip, self.window(clip[0].size, box))
        views = []
        for shape in self.crops:
            seen = self._cut_out(clip, window.changed(*shape))
            views += [seen, mirrored(seen)] if self.flip else [seen]
        scores = self.clip_predictor.predict_clips(np.stack(views))
        return self.action(_joined(scores), (chosen[0] + 1, chosen[-1] + 1))

    def _clip(self, count: int) -> list[int]:
        """The frames of a clip of so many, from 0."""
        if self.step is None:
            return spread_frames(count, self.clip_predictor.num_frames)
        return get_clip_frame_index(count, self.step, self.clip_predictor.num_frames)

    def _cut_out(self, clip: Sequence[Image.Image], window: Window) -> np.ndarray:
        """The window of all frames, `(frames, h, w, 3)` float32 in [-1, 1]."""
        return np.stack([crop(one, window, self.resolution)[0] for one in clip])

    def _refined(self, clip: Sequence[Image.Image], window: Window) -> Window:
        """The window around the poses of all frames."""
        for _ in range(self.refine):
            found, _ = self.clip_predictor.see_frames(self._cut_out(clip, window))
            _, matrix = crop(clip[0], window, self.resolution)
            points = transform_2d_points(
                matrix, found[..., :2].reshape(-1, 2), transpose=True, inverse=True
            )
            window = refined(window, points, found[..., -1].ravel(), keep=0.0)
        return window


def _check_network(network: str | None) -> None:
    """Refuses a name that is no network of actions."""
    if network is not None and network not in clip_networks():
        raise ValueError(
            f"`network` must be one of actions, {', '.join(clip_networks())}. "
            f"Received: network={network!r}"
        )


def _box_of_clip(boxes: Any, count: int, chosen: Sequence[int]) -> np.ndarray | None:
    """The box around those of some frames, or else of all; None looks everywhere."""
    if boxes is None:
        return None
    boxes = np.asarray(boxes, np.float64)
    if boxes.shape == (4,):
        return boxes
    if boxes.shape != (count, 4):
        raise ValueError(
            f"`boxes` must have the shape (4,) or ({count}, 4). "
            f"Received: boxes.shape={boxes.shape}"
        )
    finite = np.isfinite(boxes).all(axis=1)
    if not finite.any():
        raise ValueError(
            "`boxes` must be known in one frame at least; None looks at whole "
            f"pictures. Received: {count} rows that are not finite"
        )
    there = [number for number in sorted(set(chosen)) if finite[number]]
    known = boxes[there or finite]
    return np.concatenate([known[:, :2].min(axis=0), known[:, 2:].max(axis=0)])


def _joined(scores: np.ndarray) -> np.ndarray:
    """What all views say together, `(outputs, classes)`."""
    if scores.shape[1] == 1:
        return scores[:, 0]
    logs = np.log(np.maximum(scores, np.finfo(np.float32).tiny)).mean(axis=1)
    powers = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
