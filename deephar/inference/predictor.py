"""From a picture and boxes to joints in the picture's pixels."""

import os
import threading
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from PIL import Image

from deephar.inference.crops import (
    REFINE_KEEP,
    SINGLE_CROP,
    Located,
    Window,
    locate,
    mirrored,
    with_mirrored,
)
from deephar.inference.folding import fold_batch_norm
from deephar.inference.loading import DEFAULT_POSE, check_device, load, on_device
from deephar.inference.looker import Looked, as_picture, people_of, person_window
from deephar.inference.results import Pose
from deephar.inference.running import few_sizes, runner
from deephar.networks.building import check_pose_cut, pose_view
from deephar.networks.recipes import pose_networks, poselayout

Picture = Image.Image | np.ndarray | str | os.PathLike
Boxes = Sequence[Sequence[float]] | None


def split_outputs(outputs: Sequence, dim: int = 2) -> list[tuple]:
    """Sorts the outputs of a pose model into one (pose, confidence) pair a block.

    Args:
        outputs: the model's outputs: `(batch, joints, dim + 1)` a block, or
            `(batch, joints, dim)` and `(batch, joints, 1)` in turn. Heat maps and
            feature maps among them are passed over.
        dim: 2 or 3.

    Returns:
        A list of `((batch, joints, dim), (batch, joints, 1))`.

    Raises:
        ValueError: if the outputs are of neither form.
    """
    blocks = _by_block(outputs, dim)
    if len(blocks[0]) == 2:
        return blocks
    return [(output[..., :dim], output[..., dim:]) for (output,) in blocks]


def _by_block(outputs: Sequence, dim: int) -> list[tuple]:
    """The outputs of poses and confidences, one or two a block."""
    maps = [output for output in outputs if len(output.shape) == 3]
    widths = [output.shape[-1] for output in maps]
    if maps and all(width == dim + 1 for width in widths):
        return [(output,) for output in maps]
    if maps and widths == [dim, 1] * (len(maps) // 2):
        return list(zip(maps[0::2], maps[1::2], strict=True))
    raise ValueError(
        f"`outputs` must be poses with confidence of width {dim + 1}, or widths {dim} "
        f"and 1 in turn. Received: shapes {[tuple(o.shape) for o in outputs]}"
    )


def cut_model(model: keras.Model, dim: int, block: int) -> keras.Model:
    """The part of a pose model that ends at a block, and gives its prediction alone.

    Args:
        model: as of `PosePredictor`; its weights are shared.
        dim: 2 or 3.
        block: number of the block, from 1.

    Raises:
        ValueError: if it has not so many blocks.
    """
    blocks = _by_block(model.outputs, dim)
    if not 1 <= block <= len(blocks):
        raise ValueError(
            f"`block` must lie in 1 ... {len(blocks)}, the blocks of the network that "
            f"predict poses. Received: block={block}"
        )
    return keras.Model(model.input, list(blocks[block - 1]), name=model.name)


class PosePredictor:
    """Runs a pose model on crops or on pictures.

    Several threads may share one: they wait for each other.

    Args:
        model: a model of `models.reception`, or one with outputs of that form.
        poselayout: layout of its joints, 2D or 3D as the model.
        flip: average every prediction with that of the mirrored crop.
        crops: windows of the last look at a person, `crops.SINGLE_CROP` or
            `crops.MULTI_CROP`.
        refine: how often to put a new window around the pose before the last look.
        batch_size: most crops a step of `locate`, `look` and `predict`.
        fold: run a copy of the model, as it is now, whose batch norms are folded into
            its convolutions (`fold_batch_norm`).
        jit: on TensorFlow, the model's `jit_compile`: XLA gains on a GPU, and on the
            CPU it is ten times slower for these networks. It compiles for each power
            of two of crops anew, and for `batch_size`.
        block: end at this block, from 1; what comes after it is not computed. None
            gives the predictions of all blocks, of which the last one counts.
        device: where to compute: "cpu", "gpu", "gpu:1"; None leaves it to Keras.

    Attributes:
        about: what the network is, for records; empty unless it was loaded by `load`.

    Raises:
        ValueError: if `refine` is negative, there is no crop, or no such block.
    """

    def __init__(
        self,
        model: keras.Model,
        poselayout,
        flip: bool = False,
        *,
        crops: Sequence[tuple[float, float, float]] = SINGLE_CROP,
        refine: int = 0,
        batch_size: int = 8,
        fold: bool = False,
        jit: bool = False,
        block: int | None = None,
        device: str | None = None,
    ):
        if refine < 0 or not crops:
            raise ValueError(
                "`refine` must be at least 0, and there must be a crop. "
                f"Received: refine={refine}, crops={tuple(crops)}"
            )
        if block is not None:
            model = cut_model(model, poselayout.dim, block)
        check_device(device)
        with on_device(device):
            self.model = fold_batch_norm(model) if fold else model
        self.poselayout = poselayout
        self.flip = flip
        self.crops = tuple(crops)
        self.refine = refine
        self.batch_size = batch_size
        self.device = device
        self.about: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._runner = few_sizes(runner(self.model, jit, fold), jit, batch_size)

    @classmethod
    def load(
        cls,
        weights: str | os.PathLike | None = None,
        *,
        network: str | None = None,
        flip: bool = False,
        crops: Sequence[tuple[float, float, float]] = SINGLE_CROP,
        refine: int = 0,
        batch_size: int = 8,
        device: str | None = None,
        precision: str = "float32",
        fold: bool = True,
        jit: bool = False,
        block: int | None = None,
    ) -> "PosePredictor":
        """The predictor of weights by name or file.

        Args:
            weights: a weights file, whose network the model.json beside it tells, or a
                published name; None for the small network that comes with deephar,
                which has learned from generated people only. Of networks of actions it
                is their pose part that looks.
            network: a name of `networks.NETWORKS`, which the weights must be of; None
                for what they are known to be of.
            precision: "float32", "bfloat16", "float16", or "auto" for what is fastest
                here; the policy of Keras is as before afterwards.
            flip, crops, refine, batch_size, device, fold, jit, block: as of the class.

        Raises:
            OSError: if there are no such weights, or they cannot be read or fetched.
            ValueError: if they do not fit, or there is no such network, block, device
                or precision.
        """
        weights = DEFAULT_POSE if weights is None else weights
        networks = pose_networks("mpii") if network is None else network
        found = load(weights, networks, device, precision)
        if block is not None:
            check_pose_cut(found.settings, block)
        predictor = cls(
            pose_view(found.model, found.settings),
            poselayout(found.settings),
            flip,
            crops=crops,
            refine=refine,
            batch_size=batch_size,
            fold=fold,
            jit=jit,
            block=block,
            device=device,
        )
        predictor.about = {**found.about, "block": block}
        return predictor

    def _run(self, frames: np.ndarray) -> np.ndarray:
        with self._lock, on_device(self.device):
            outputs = self._runner.predict_on_batch(frames)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        pairs = split_outputs(outputs, self.poselayout.dim)
        return np.stack([np.concatenate(pair, axis=-1) for pair in pairs])

    def predict_crops(self, frames: np.ndarray) -> np.ndarray:
        """Predicts the joints of people who fill their crops.

        Args:
            frames: `(batch, h, w, 3)` float32 in [-1, 1].

        Returns:
            `(blocks, batch, joints, dim + 1)` float32: x, y in [0, 1] of the crop, in
            3D then z, [0, 1] with the root at 0.5, and confidence.
        """
        result = self._run(frames)
        if self.flip:
            result = with_mirrored(result, self._run(mirrored(frames)), self.poselayout)
        return result

    def locate(
        self,
        pictures: Sequence[Image.Image],
        windows: Sequence[Window],
        keep: float = REFINE_KEEP,
    ) -> Located:
        """Finds the joints of one person in each window; see `crops.locate`.

        Args:
            pictures: the decoded RGB picture of every person.
            windows: (center, size) of every person, px.
            keep: how much a refined window's centre stays the given one's, [0, 1).
        """
        height, width = self.model.input_shape[1:3]
        return locate(
            self.predict_crops,
            pictures,
            windows,
            (width, height),
            crops=self.crops,
            refine=self.refine,
            keep=keep,
            batch_size=self.batch_size,
        )

    def look(
        self, pictures: Sequence[Image.Image], windows: Sequence[Window]
    ) -> Looked:
        """Looks at one person in each window; see `Looker.look`.

        The windows are taken as guesses: a refined one follows the pose alone.
        """
        if not windows:
            blocks = len(_by_block(self.model.outputs, self.poselayout.dim))
            shape = (blocks, 0, self.poselayout.num_joints, self.poselayout.dim + 1)
            return Looked(np.zeros(shape), [], [])
        found = self.locate(pictures, windows, keep=0.0)
        widths = [Window(*window).size[0] for window in windows]
        return Looked(found.joints, found.windows, widths)

    def predict(self, picture: Picture, boxes: Boxes = None) -> list[Pose]:
        """Predicts one pose for each box of a picture.

        Args:
            picture: PIL image of any mode, or array `(h, w, 3)` uint8 RGB, both taken
                as stored; or the path of a file, which is turned as its EXIF
                orientation says.
            boxes: people as (x1, y1, x2, y2) px; None looks at the whole picture.
                They are taken as guesses: a refined window follows the pose alone.

        Returns:
            A list of `Pose`, one a box, from the model's last block.

        Raises:
            OSError: if a file cannot be read.
            ValueError: if a box is empty, outside the picture or not four numbers, or
                the array is of another shape or type.
        """
        return self.predict_batch([picture], [boxes])[0]

    def predict_batch(
        self, pictures: Sequence[Picture], boxes: Sequence[Boxes] | None = None
    ) -> list[list[Pose]]:
        """Predicts the people of several pictures, their crops in common batches.

        Args:
            pictures: as of `predict`, of any sizes.
            boxes: for each picture as of `predict`; None looks at all as a whole.

        Returns:
            A list of `Pose` for each picture, one a box.

        Raises:
            OSError, ValueError: as of `predict`; or if `boxes` are not as many.
        """
        boxes = [None] * len(pictures) if boxes is None else boxes
        if len(boxes) != len(pictures):
            raise ValueError(
                "`boxes` must be one entry for each of the "
                f"{len(pictures)} pictures. Received: {len(boxes)}"
            )
        decoded, windows, counts = [], [], []
        for picture, people in zip(map(as_picture, pictures), boxes, strict=True):
            found = [self.window(picture.size, box) for box in _each(people)]
            decoded += [picture] * len(found)
            windows += found
            counts.append(len(found))
        looked = people_of(self.look(decoded, windows), self.poselayout)
        poses = iter(person.pose for person in looked)
        return [[next(poses) for _ in range(count)] for count in counts]

    def window(
        self, size: tuple[int, int], box: Sequence[float] | None = None
    ) -> Window:
        """The window through which `predict` looks first; see `person_window`."""
        height, width = self.model.input_shape[1:3]
        return person_window(size, box, (width, height))


def _each(boxes: Boxes) -> Sequence[Sequence[float] | None]:
    return [None] if boxes is None else boxes
