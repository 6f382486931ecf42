"""From a picture and boxes to joints in the picture's pixels."""

from collections.abc import Sequence

import keras
import numpy as np
from PIL import Image

from deephar.data.pictures import to_rgb
from deephar.inference.crops import (
    REFINE_KEEP,
    SINGLE_CROP,
    Located,
    Window,
    locate,
)
from deephar.inference.folding import fold_batch_norm
from deephar.inference.results import Pose
from deephar.utils.bbox import bbox_to_objposwin, check_overlap

PERSON_MARGIN = 1.25
"""Side of the crop over the longer side of the person's box, as MPII's training has."""


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
    maps = [output for output in outputs if len(output.shape) == 3]
    widths = [output.shape[-1] for output in maps]
    if maps and all(width == dim + 1 for width in widths):
        return [(output[..., :dim], output[..., dim:]) for output in maps]
    if maps and widths == [dim, 1] * (len(maps) // 2):
        return list(zip(maps[0::2], maps[1::2], strict=True))
    raise ValueError(
        f"`outputs` must be poses with confidence of width {dim + 1}, or widths {dim} "
        f"and 1 in turn. Received: shapes {[tuple(o.shape) for o in outputs]}"
    )


class PosePredictor:
    """Runs a pose model on crops or on pictures.

    Args:
        model: a model of `models.reception`, or one with outputs of that form.
        poselayout: layout of its joints, 2D or 3D as the model.
        flip: average every prediction with that of the mirrored crop.
        crops: windows of the last look at a person, `crops.SINGLE_CROP` or
            `crops.MULTI_CROP`.
        refine: how often to put a new window around the pose before the last look.
        batch_size: most crops a step of `locate` and `predict`.
        fold: run a copy of the model, as it is now, whose batch norms are folded into
            its convolutions (`fold_batch_norm`).
        jit: on TensorFlow, the model's `jit_compile`: XLA gains on a GPU, and on the
            CPU it is ten times slower for these networks.

    Raises:
        ValueError: if `refine` is negative or there is no crop.
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
    ):
        if refine < 0 or not crops:
            raise ValueError(
                "`refine` must be at least 0, and there must be a crop. "
                f"Received: refine={refine}, crops={tuple(crops)}"
            )
        self.model = fold_batch_norm(model) if fold else model
        self.poselayout = poselayout
        self.flip = flip
        self.crops = tuple(crops)
        self.refine = refine
        self.batch_size = batch_size
        if keras.backend.backend() == "tensorflow":
            self.model.jit_compile = jit

    def _run(self, frames: np.ndarray) -> np.ndarray:
        outputs = self.model.predict_on_batch(frames)
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
            mirrored = self._run(np.ascontiguousarray(frames[:, :, ::-1]))
            mirrored = mirrored[:, :, list(self.poselayout.map_hflip)]
            mirrored[..., 0] = 1.0 - mirrored[..., 0]
            result = 0.5 * (result + mirrored)
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

    def predict(self, picture, boxes: Sequence[Sequence[float]] | None = None) -> list:
        """Predicts one pose for each box of a picture.

        Args:
            picture: PIL image of any mode, or array `(h, w, 3)` uint8 RGB. It is taken
                as stored; `data.open_picture(path, upright=True)` turns a phone's.
            boxes: people as (x1, y1, x2, y2) px; None looks at the whole picture.
                They are taken as guesses: a refined window follows the pose alone.

        Returns:
            A list of `Pose`, one a box, from the model's last block.

        Raises:
            ValueError: if a box is empty, outside the picture or not four numbers.
        """
        if not isinstance(picture, Image.Image):
            picture = Image.fromarray(np.asarray(picture))
        picture = to_rgb(picture)
        boxes = [None] if boxes is None else boxes
        windows = [self.window(picture.size, box) for box in boxes]
        found = self.locate([picture] * len(windows), windows, keep=0.0)
        names = tuple(self.poselayout.joint_names)
        return [
            Pose(person[:, :-1], person[:, -1], window.box, names)
            for person, window in zip(found.joints[-1], found.windows, strict=True)
        ]

    def window(
        self, size: tuple[int, int], box: Sequence[float] | None = None
    ) -> Window:
        """The window through which `predict` looks at a person first.

        Args:
            size: (w, h) of the picture, px.
            box: the person as (x1, y1, x2, y2) px; None looks at the whole picture.

        Returns:
            A window around it, in the shape of the network's input.

        Raises:
            ValueError: if the box is empty, outside the picture or not four numbers.
        """
        center, side = (size[0] / 2, size[1] / 2), max(size)
        if box is not None:
            center, side = _square(box, size)
        height, width = self.model.input_shape[1:3]
        unit = side / max(width, height)
        return Window(center, (unit * width, unit * height))


def _square(box: Sequence[float], size: tuple[int, int]) -> tuple:
    """Centre (x, y) and side of the square crop around a person's box, px."""
    values = np.asarray(box, dtype=np.float64)
    whole = values.shape == (4,) and np.isfinite(values).all()
    if not whole or not (values[:2] < values[2:]).all():
        raise ValueError(
            "A box must be x1 y1 x2 y2 in pixels with x1 < x2 and y1 < y2. "
            f"Received: {list(box)}"
        )
    check_overlap("A box", values, size)
    (x, y), window = bbox_to_objposwin(values)
    return (float(x), float(y)), PERSON_MARGIN * float(max(window))
