"""Size and shape of a network."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from deephar.config.fields import (
    check_integers,
    error,
    is_count,
    is_positive,
    plain,
    put,
)

_COUNTS = (
    *("num_pyramids", "num_levels", "growth", "image_div"),
    *("num_pose_features", "num_visual_features"),
)

_FLAGS = ("predict_rootz", "pose_replica", "dbg_decoupled_pose", "dbg_decoupled_h")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Size and shape of a multi-task network (SPNet).

    Args:
        input_shape: (rows, cols, channels) for pictures, (frames, rows, cols, channels)
            for clips.
        poselayout: A layout of `deephar.utils.pose`: anything with `num_joints` and
            `dim`.
        num_actions: Number of classes of each action data set; empty for pose alone.
        num_pyramids: Number of pyramids, down and up in turn.
        action_pyramids: The pyramids that predict actions, counted from 1.
        num_levels: Number of resolutions in a pyramid.
        kernel_size: (rows, cols) of the separable convolutions.
        growth: Features added with each level down, at least 2.
        image_div: Input rows over rows of the first level: 4, 8, 16 or 32.
        predict_rootz: No effect, as in the original: `spnet.build` logs so.
        downsampling_type: `"maxpooling"` or `"conv"`.
        pose_replica: Whether action prediction has its own copy of the joint maps.
        num_pose_features: Features of the pose stream of action prediction.
        num_visual_features: Features of its appearance stream.
        sam_alpha: Sharpness of the spatial softmax.
        dbg_decoupled_pose: Debugging: more outputs, the 2D poses by the replicas of
            the joint maps, and these maps. The actions stay as they are.
        dbg_decoupled_h: No effect, as in the original: `spnet.build` logs so.
        num_predictions: How many blocks predict, the first ones of the pyramids; None
            for all. What lies behind them is not there.

    Raises:
        ValueError: A field is outside its range.
    """

    input_shape: tuple[int, ...]
    poselayout: Any
    num_actions: tuple[int, ...] = ()
    num_pyramids: int = 8
    action_pyramids: tuple[int, ...] = (1, 2)
    num_levels: int = 4
    kernel_size: tuple[int, int] = (5, 5)
    growth: int = 96
    image_div: int = 8
    predict_rootz: bool = False
    downsampling_type: str = "maxpooling"
    pose_replica: bool = False
    num_pose_features: int = 128
    num_visual_features: int = 128
    sam_alpha: float = 1
    dbg_decoupled_pose: bool = False
    dbg_decoupled_h: bool = False
    num_predictions: int | None = None

    def __post_init__(self):
        for name in ("input_shape", "num_actions", "action_pyramids", "kernel_size"):
            value = getattr(self, name)
            if not isinstance(value, Iterable) or isinstance(value, str):
                raise error(name, value, "must be a sequence of integers")
            put(self, name, tuple(plain(item) for item in value))
        self._check()

    def _check(self):
        self._check_layout()
        if len(self.input_shape) not in (3, 4):
            raise error("input_shape", self.input_shape, "must have 3 or 4 numbers")
        check_integers("input_shape", self.input_shape)
        check_integers("num_actions", self.num_actions)
        check_integers("action_pyramids", self.action_pyramids)
        check_integers("kernel_size", self.kernel_size, length=2)
        for name in _COUNTS:
            if not is_count(getattr(self, name)):
                rule = "must be an integer of at least 1"
                raise error(name, getattr(self, name), rule)
        if self.growth < 2:
            raise error("growth", self.growth, "must be at least 2")
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise error(name, getattr(self, name), "must be True or False")
        if self.image_div not in (4, 8, 16, 32):
            raise error("image_div", self.image_div, "must be 4, 8, 16 or 32")
        if self.downsampling_type not in ("maxpooling", "conv"):
            rule = 'must be "maxpooling" or "conv"'
            raise error("downsampling_type", self.downsampling_type, rule)
        self._check_predictions()
        last = max(self.action_pyramids, default=1)
        if self.num_actions and last > self.num_pyramids:
            rule = f"must lie between 1 and num_pyramids={self.num_pyramids}"
            raise error("action_pyramids", self.action_pyramids, rule)
        if not is_positive(self.sam_alpha):
            raise error("sam_alpha", self.sam_alpha, "must be above 0")

    def _check_predictions(self):
        value, most = self.num_predictions, self.num_pyramids * (self.num_levels - 1)
        if value is not None and not (is_count(value) and value <= most):
            rule = f"must be None, or an integer of 1 to {most}"
            raise error("num_predictions", value, rule)

    def _check_layout(self):
        for name in ("num_joints", "dim"):
            if not hasattr(self.poselayout, name):
                raise error("poselayout", self.poselayout, f"must have `{name}`")
        if not is_count(self.num_joints):
            rule = "must have at least one joint"
            raise error("poselayout.num_joints", self.num_joints, rule)
        if self.dim not in (2, 3):
            raise error("poselayout.dim", self.dim, "must be 2 or 3")

    @property
    def num_joints(self) -> int:
        """Number of joints of a pose."""
        return self.poselayout.num_joints

    @property
    def dim(self) -> int:
        """Coordinates of a joint: 2 or 3."""
        return self.poselayout.dim
