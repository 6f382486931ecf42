"""The networks of the demo page: of pictures and of clips, each cut at any block."""

import dataclasses
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from deephar.demo.decoding import CLIP, PICTURE
from deephar.frameworks import device_names
from deephar.inference.actions import ActionPredictor
from deephar.inference.eye import Eye, lifting_networks
from deephar.inference.loading import DEFAULT_ACTION, DEFAULT_POSE
from deephar.inference.predictor import PosePredictor
from deephar.networks import (
    NETWORKS,
    SHIPPED,
    count_cuts,
    cut_settings,
    weights_settings,
)
from deephar.utils.drawing import limbs, limbs_in_space
from deephar.utils.pose import h36m17j
from deephar.utils.pose_conversion import convert_to_h36m17j

_MOST_KNOWN = 4
"""Cut networks of a kind that are kept."""
_SIZE = (960, 540)
"""(w, h) px of the picture by which networks are timed."""
_TIMES = 5


@dataclasses.dataclass(frozen=True)
class Cut:
    """A network that ends at a block.

    Attributes:
        eye: what looks.
        block: the number of its last prediction.
        blocks: numbers of all predictions that it can end at.
        ms: median time for which the network looks at one person in one frame.
    """

    eye: Eye
    block: int
    blocks: tuple[int, ...]
    ms: float


class Networks:
    """Loads networks when they are first needed; several threads may ask.

    Who asks for one that is there does not wait while another is loaded.

    Args:
        weights: a file or a name, for pictures and clips; None for the small networks
            that come with the package, of poses and of actions.
        lift: a checkpoint of lifting, or its name, for clips whose poses are
            `liftable`; None to lift nothing.
        device, precision: as of the predictors.
    """

    def __init__(
        self,
        weights: str | None = None,
        lift: str | None = None,
        device: str | None = None,
        precision: str = "float32",
    ):
        self.weights = {
            PICTURE: weights or DEFAULT_POSE,
            CLIP: weights or DEFAULT_ACTION,
        }
        self._lift, self._device, self._precision = lift, device, precision
        self._lifted: Any = None
        self._known: dict[tuple[str, int | None], Cut] = {}
        self._lock = threading.RLock()

    def load(self) -> list[str]:
        """Loads those that are not cut; returns the names of their weights.

        Raises:
            OSError, ValueError: as of `cut`.
        """
        return [self.whole(kind).eye.looker.about["weights"] for kind in self.weights]

    @property
    def lifts(self) -> bool:
        """Whether poses of clips are lifted."""
        return self.whole(CLIP).eye.lifted is not None

    def whole(self, kind: str) -> Cut:
        """The network that is not cut, of PICTURE or CLIP; see `cut`."""
        return self._known.get((kind, None)) or self._whole(kind)

    def _whole(self, kind: str) -> Cut:
        with self._lock:
            if (kind, None) not in self._known:
                self._known[kind, None] = self._made(kind, None, ())
            return self._known[kind, None]

    def cut(self, kind: str, block: int | None) -> Cut:
        """The network of a kind that ends at a block.

        Args:
            kind: PICTURE or CLIP.
            block: one of the `blocks` of the whole one; None is the last.

        Raises:
            OSError: if the weights cannot be had.
            ValueError: if they do not fit, or there is no such block.
        """
        whole = self.whole(kind)
        if block is None or block == whole.block:
            return whole
        if block not in whole.blocks:
            raise ValueError(
                f"`block` must be one of {', '.join(map(str, whole.blocks))}. "
                f"Received: block={block}"
            )
        return self._known.get((kind, block)) or self._cut(kind, block, whole)

    def _cut(self, kind: str, block: int, whole: Cut) -> Cut:
        with self._lock:
            if (kind, block) not in self._known:
                cuts = [key for key in self._known if key[0] == kind and key[1]]
                for key in cuts[: max(0, len(cuts) - _MOST_KNOWN + 1)]:
                    del self._known[key]
                self._known[kind, block] = self._made(kind, block, whole.blocks)
            return self._known[kind, block]

    def about(self, kind: str) -> dict[str, Any]:
        """What the page tells of a network, as plain values."""
        whole, weights = self.whole(kind), self.weights[kind]
        eye = whole.eye
        known = SHIPPED.get(weights)
        return {
            "weights": weights if known else weights.rpartition("/")[2],
            "about": known.about if known else "",
            "blocks": list(whole.blocks),
            "ms": round(whole.ms, 1),
            "device": self._device or (device_names("gpu") or device_names("cpu"))[0],
            "labels": list(eye.labels or ()),
            **_joints(eye.looker.poselayout, limbs),
            "space": _space(eye),
        }

    def _made(self, kind: str, block: int | None, blocks: tuple[int, ...]) -> Cut:
        weights = self.weights[kind]
        settings = weights_settings(weights, list(NETWORKS))[1]
        merged = kind == CLIP and NETWORKS[settings["network"]].family.merged
        looker = (ActionPredictor if merged else PosePredictor).load(
            weights,
            network=settings["network"],
            device=self._device,
            precision=self._precision,
            block=block,
        )
        lifted = None
        if kind == CLIP and self._lift and liftable(looker.poselayout):
            self._lifted = self._lifted or lifting_networks(self._lift)
            lifted = self._lifted
        eye = Eye(looker, looker.labels if merged else None, lifted)
        eye.lifting()
        blocks = blocks or _blocks(looker, settings, merged)
        return Cut(eye, block or blocks[-1], blocks, _timed(looker))


def liftable(layout: Any) -> bool:
    """Whether joints of a layout can be made those that networks of lifting take."""
    if layout.dim != 2:
        return False
    try:
        convert_to_h36m17j(np.zeros((1, layout.num_joints, 2)), layout)
    except ValueError:
        return False
    return True


def _space(eye: Eye) -> dict[str, Any] | None:
    """How poses in space hang together; None where there are none."""
    if not eye.in_space:
        return None
    layout = eye.looker.poselayout if eye.lifted is None else h36m17j
    return {"lifted": eye.lifted is not None, **_joints(layout, limbs_in_space)}


def _joints(layout: Any, limbs_of: Callable) -> dict[str, Any]:
    """Names of joints, the pairs between which limbs are, and RGB of every joint."""
    links, colors = limbs_of(layout)
    return {
        "joint_names": list(layout.joint_names),
        "links": [[int(joint) for joint in pair] for pair in links],
        "colors": colors.tolist(),
    }


def _blocks(looker: Any, settings: dict, merged: bool) -> tuple[int, ...]:
    """Numbers of the predictions that a network can end at."""
    if not merged:
        return tuple(range(1, 1 + len(looker.look([], []).joints)))
    cuts = range(1, 1 + count_cuts(settings))
    names = (cut_settings(settings, block)["network"] for block in cuts)
    return tuple(
        block
        for block, name in zip(cuts, names, strict=True)
        if NETWORKS[name].family.merged
    )


def _timed(looker: Any) -> float:
    """Median time of a look at one person, ms; the first one compiles."""
    picture = Image.fromarray(np.full((*_SIZE[::-1], 3), 127, np.uint8))
    window, times = [looker.window(_SIZE)], []
    for _ in range(1 + _TIMES):
        begun = time.perf_counter()
        looker.look([picture], window)
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times[1:])
