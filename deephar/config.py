"""Configurations are values: frozen dataclasses, and the named ones of each data set.

Change one with `dataclasses.replace(mpii_sp_dataconf, crop_resolution=(128, 128))`.

The named values are those of dluvizon/deephar: of its branch master (TPAMI'20), and
those with `_ar_` or `_cvpr18_` in their names of its branch cvpr18. They differ in the
step between the frames of a clip (`fixed_subsampling`): master takes every 6th frame of
Penn Action and every 4th of NTU, cvpr18 every 2nd; its evaluation of Penn Action takes
every one (`pennaction_cvpr18_dataconf`, which that branch calls `pennaction_dataconf`).
"""

import dataclasses
import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

_CHANNEL_POWERS = tuple((0.01 * np.arange(90, 111, 2)).tolist())


def _put(instance, name, value):
    """Writes a field of a frozen dataclass while it is being made."""
    object.__setattr__(instance, name, value)


def _plain(value):
    """Turns a NumPy number into Python's, which hashes and prints like any other."""
    return value.item() if isinstance(value, np.generic) else value


def _draw(rng, values):
    return values[int(rng.integers(len(values)))]


def _is_finite(value):
    return isinstance(value, numbers.Real) and math.isfinite(value)


def _is_count(value):
    return isinstance(value, numbers.Integral) and value >= 1


def _is_positive(value):
    return _is_finite(value) and value > 0


def _is_flag(value):
    return value in (0, 1)


def _error(name, value, rule):
    return ValueError(f"`{name}` {rule}. Received: {name}={value!r}")


def _check_integers(name, values, length=None):
    if not isinstance(values, tuple) or (length is not None and len(values) != length):
        raise _error(name, values, f"must be a sequence of {length} integers")
    if not all(_is_count(value) for value in values):
        raise _error(name, values, "must be made of integers of at least 1")


_COUNTS = (
    *("num_pyramids", "num_levels", "growth", "image_div"),
    *("num_pose_features", "num_visual_features"),
)

# Drawn field, fixed field, rule of each value, words of the rule.
_RULES = (
    ("angles", "fixed_angle", _is_finite, "finite numbers"),
    ("scales", "fixed_scale", _is_positive, "numbers above 0"),
    ("trans_x", "fixed_trans_x", _is_finite, "finite numbers"),
    ("trans_y", "fixed_trans_y", _is_finite, "finite numbers"),
    ("hflips", "fixed_hflip", _is_flag, "0 and 1"),
    ("chpower", "fixed_chpower", _is_positive, "numbers above 0"),
    ("subsampling", "fixed_subsampling", _is_count, "integers of at least 1"),
)


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Size of the network's input and the augmentation of its pictures.

    A field in the plural lists the values among which training draws, each with equal
    chance; the `fixed_` field beside it is the value of validation and test. Lists,
    ranges and arrays are accepted and kept as tuples.

    Args:
        crop_resolution: (w, h) of the crop, px.
        image_channels: Tuple of one number: channels of the crop.
        angles: Rotations, degrees, counter-clockwise.
        scales: Factors of the window's side; above 1 the person looks smaller.
        trans_x: Shifts of the window to the right, in units of the person's scale.
        trans_y: Shifts of the window downwards, in the same unit.
        hflips: 1 to mirror the crop, 0 to leave it.
        chpower: Exponents of the colour channels, drawn for each channel.
        fixed_chpower: One exponent, or one for each of three channels.
        geoocclusion: None, or the sides (px) of the rectangle that hides a part of the
            crop, drawn for its width and its height.
        fixed_geoocclusion: None or a rectangle (x1, y1, x2, y2), px of the crop.
        subsampling: Steps between the frames of a clip, in frames of the video.

    Raises:
        ValueError: A field is empty, not finite or outside its range.
    """

    crop_resolution: tuple[int, int] = (256, 256)
    image_channels: tuple[int, ...] = (3,)
    angles: tuple[float, ...] = (0,)
    fixed_angle: float = 0
    scales: tuple[float, ...] = (1,)
    fixed_scale: float = 1
    trans_x: tuple[float, ...] = (0,)
    fixed_trans_x: float = 0
    trans_y: tuple[float, ...] = (0,)
    fixed_trans_y: float = 0
    hflips: tuple[int, ...] = (0, 1)
    fixed_hflip: int = 0
    chpower: tuple[float, ...] = _CHANNEL_POWERS
    fixed_chpower: float | tuple[float, float, float] = 1
    geoocclusion: tuple[int, ...] | None = None
    fixed_geoocclusion: tuple[float, float, float, float] | None = None
    subsampling: tuple[int, ...] = (1,)
    fixed_subsampling: int = 1

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Iterable) and not isinstance(value, str):
                _put(self, field.name, tuple(_plain(item) for item in value))
            else:
                _put(self, field.name, _plain(value))
        self._check()

    def _check(self):
        _check_integers("crop_resolution", self.crop_resolution, length=2)
        _check_integers("image_channels", self.image_channels, length=1)
        for drawn, fixed, rule, words in _RULES:
            values = getattr(self, drawn)
            if not isinstance(values, tuple) or not values:
                raise _error(drawn, values, "must be a sequence of at least one value")
            if not all(rule(x) for x in values):
                raise _error(drawn, values, f"must be made of {words}")
            value = getattr(self, fixed)
            several = isinstance(value, tuple) and fixed == "fixed_chpower"
            if several and len(value) != 3:
                raise _error(fixed, value, "must be one number or three")
            if not all(rule(x) for x in (value if several else [value])):
                raise _error(fixed, value, f"must be one of {words}")
        self._check_occlusion()

    def _check_occlusion(self):
        sides, rectangle = self.geoocclusion, self.fixed_geoocclusion
        if not (
            rectangle is None
            or (isinstance(rectangle, tuple) and len(rectangle) == 4)
            and all(_is_finite(x) for x in rectangle)
        ):
            raise _error(
                "fixed_geoocclusion", rectangle, "must be None or (x1, y1, x2, y2)"
            )
        if sides is None:
            return
        longest = min(self.crop_resolution) - 3
        if not isinstance(sides, tuple) or not sides:
            raise _error("geoocclusion", sides, "must be None or a sequence of sides")
        if not all(_is_finite(x) and 0 < x <= longest for x in sides):
            raise _error(
                "geoocclusion",
                sides,
                f"must lie between 1 and {longest} px, so that "
                f"the rectangle fits into the crop of {self.crop_resolution}",
            )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape (rows, cols, channels) of the network's input."""
        width, height = self.crop_resolution
        return (height, width, *self.image_channels)

    def get_fixed_config(self) -> dict[str, Any]:
        """Returns the parameters of validation and test.

        Keys: angle (degrees), scale, transx, transy, hflip (0 or 1), chpower,
        geoocclusion (None or x1, y1, x2, y2 in px of the crop), subspl (frames).
        """
        return {
            "angle": self.fixed_angle,
            "scale": self.fixed_scale,
            "transx": self.fixed_trans_x,
            "transy": self.fixed_trans_y,
            "hflip": self.fixed_hflip,
            "chpower": self.fixed_chpower,
            "geoocclusion": self.fixed_geoocclusion,
            "subspl": self.fixed_subsampling,
        }

    def without_augmentation(self) -> "DataConfig":
        """Returns a configuration whose random parameters are the fixed ones."""
        power = self.fixed_chpower
        return dataclasses.replace(
            self,
            angles=(self.fixed_angle,),
            scales=(self.fixed_scale,),
            trans_x=(self.fixed_trans_x,),
            trans_y=(self.fixed_trans_y,),
            hflips=(self.fixed_hflip,),
            chpower=(power,),
            geoocclusion=None,
            subsampling=(self.fixed_subsampling,),
        )

    def random_data_generator(
        self, rng: np.random.Generator | None = None
    ) -> dict[str, Any]:
        """Draws the parameters of one training sample.

        Args:
            rng: Where the randomness comes from; None for a fresh, unseeded generator.

        Returns:
            The keys of `get_fixed_config`; `chpower` is a tuple of three.
        """
        rng = np.random.default_rng() if rng is None else rng
        return {
            "angle": _draw(rng, self.angles),
            "scale": _draw(rng, self.scales),
            "transx": _draw(rng, self.trans_x),
            "transy": _draw(rng, self.trans_y),
            "hflip": _draw(rng, self.hflips),
            "chpower": tuple(_draw(rng, self.chpower) for _ in range(3)),
            "geoocclusion": self._draw_occlusion(rng),
            "subspl": _draw(rng, self.subsampling),
        }

    def _draw_occlusion(self, rng):
        """Draws a rectangle inside the crop, its centre on a grid of 5 px."""
        if self.geoocclusion is None:
            return None
        half_w = int(_draw(rng, self.geoocclusion) / 2)
        half_h = int(_draw(rng, self.geoocclusion) / 2)
        width, height = self.crop_resolution
        x = _draw(rng, range(half_w + 1, width - half_w - 1, 5))
        y = _draw(rng, range(half_h + 1, height - half_h - 1, 5))
        return (x - half_w, y - half_h, x + half_w, y + half_h)


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
        growth: Features added with each level down.
        image_div: Input rows over rows of the first level: 4, 8, 16 or 32.
        predict_rootz: Whether the depth of the root joint is predicted too.
        downsampling_type: `"maxpooling"` or `"conv"`.
        pose_replica: Whether action prediction has its own copy of the joint maps.
        num_pose_features: Features of the pose stream of action prediction.
        num_visual_features: Features of its appearance stream.
        sam_alpha: Sharpness of the spatial softmax.
        dbg_decoupled_pose: Debugging: actions from poses of a branch of their own.
        dbg_decoupled_h: Debugging: actions from joint maps of their own.

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

    def __post_init__(self):
        for name in ("input_shape", "num_actions", "action_pyramids", "kernel_size"):
            value = getattr(self, name)
            if not isinstance(value, Iterable) or isinstance(value, str):
                raise _error(name, value, "must be a sequence of integers")
            _put(self, name, tuple(_plain(item) for item in value))
        self._check()

    def _check(self):
        for name in ("num_joints", "dim"):
            if not hasattr(self.poselayout, name):
                raise _error("poselayout", self.poselayout, f"must have `{name}`")
        if len(self.input_shape) not in (3, 4):
            raise _error("input_shape", self.input_shape, "must have 3 or 4 numbers")
        _check_integers("input_shape", self.input_shape)
        _check_integers("num_actions", self.num_actions)
        _check_integers("action_pyramids", self.action_pyramids)
        _check_integers("kernel_size", self.kernel_size, length=2)
        for name in _COUNTS:
            if not _is_count(getattr(self, name)):
                rule = "must be an integer of at least 1"
                raise _error(name, getattr(self, name), rule)
        if self.image_div not in (4, 8, 16, 32):
            raise _error("image_div", self.image_div, "must be 4, 8, 16 or 32")
        if self.downsampling_type not in ("maxpooling", "conv"):
            rule = 'must be "maxpooling" or "conv"'
            raise _error("downsampling_type", self.downsampling_type, rule)
        last = max(self.action_pyramids, default=1)
        if self.num_actions and last > self.num_pyramids:
            rule = f"must lie between 1 and num_pyramids={self.num_pyramids}"
            raise _error("action_pyramids", self.action_pyramids, rule)
        if not _is_positive(self.sam_alpha):
            raise _error("sam_alpha", self.sam_alpha, "must be above 0")

    @property
    def num_joints(self) -> int:
        """Number of joints of a pose."""
        return self.poselayout.num_joints

    @property
    def dim(self) -> int:
        """Coordinates of a joint: 2 or 3."""
        return self.poselayout.dim


mpii_sp_dataconf = DataConfig(
    angles=range(-40, 41, 5),
    scales=(0.7, 1.0, 1.3),
)
mpii_dataconf = mpii_sp_dataconf

pennaction_dataconf = DataConfig(
    angles=range(-30, 31, 5),
    scales=(0.7, 1.0, 1.3),
    trans_x=range(-40, 41, 5),
    trans_y=range(-10, 11, 5),
    subsampling=(4, 6, 8),
    fixed_subsampling=6,
)

pennaction_pe_dataconf = DataConfig(
    angles=range(-40, 41, 5),
    scales=(0.7, 1.0, 1.3, 2.0),
    trans_x=range(-40, 41, 5),
    trans_y=range(-10, 11, 5),
)

pennaction_ar_dataconf = dataclasses.replace(
    pennaction_dataconf,
    trans_y=range(-40, 41, 5),
    subsampling=(1, 2, 3),
    fixed_subsampling=2,
)

pennaction_cvpr18_dataconf = dataclasses.replace(
    pennaction_ar_dataconf,
    scales=(0.7, 1.0, 1.3, 2.5),
    subsampling=(1, 2),
    fixed_subsampling=1,
)

human36m_dataconf = DataConfig(
    angles=range(-10, 11, 5),
    scales=(0.8, 1.0, 1.2),
    trans_x=range(-20, 21, 5),
    trans_y=range(-4, 5),
    geoocclusion=range(20, 90),
)

ntu_dataconf = dataclasses.replace(
    pennaction_dataconf, angles=(0,), subsampling=(3, 4, 5), fixed_subsampling=4
)

ntu_pe_dataconf = dataclasses.replace(pennaction_pe_dataconf, angles=range(-10, 11, 5))

ntu_ar_dataconf = dataclasses.replace(pennaction_ar_dataconf, angles=(0,))

_NAMED = {
    "mpii_sp_dataconf": mpii_sp_dataconf,
    "mpii_dataconf": mpii_dataconf,
    "pennaction_dataconf": pennaction_dataconf,
    "pennaction_pe_dataconf": pennaction_pe_dataconf,
    "pennaction_ar_dataconf": pennaction_ar_dataconf,
    "pennaction_cvpr18_dataconf": pennaction_cvpr18_dataconf,
    "human36m_dataconf": human36m_dataconf,
    "ntu_dataconf": ntu_dataconf,
    "ntu_pe_dataconf": ntu_pe_dataconf,
    "ntu_ar_dataconf": ntu_ar_dataconf,
}


def get_dataconf(name: str) -> DataConfig:
    """Returns a data set's configuration by its name, such as `"mpii_sp_dataconf"`.

    Raises:
        ValueError: Nothing has this name; the message lists the names.
    """
    if name not in _NAMED:
        raise _error("name", name, f"must be one of {', '.join(_NAMED)}")
    return _NAMED[name]
