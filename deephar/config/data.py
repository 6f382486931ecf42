"""Size and augmentation of the pictures that a network is given."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from deephar.config.fields import (
    check_integers,
    error,
    is_count,
    is_finite,
    is_flag,
    is_positive,
    plain,
    put,
)

_CHANNEL_POWERS = tuple((0.01 * np.arange(90, 111, 2)).tolist())

# Drawn field, fixed field, rule of each value, words of the rule.
_RULES = (
    ("angles", "fixed_angle", is_finite, "finite numbers"),
    ("scales", "fixed_scale", is_positive, "numbers above 0"),
    ("trans_x", "fixed_trans_x", is_finite, "finite numbers"),
    ("trans_y", "fixed_trans_y", is_finite, "finite numbers"),
    ("hflips", "fixed_hflip", is_flag, "0 and 1"),
    ("chpower", "fixed_chpower", is_positive, "numbers above 0"),
    ("subsampling", "fixed_subsampling", is_count, "integers of at least 1"),
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
                put(self, field.name, tuple(plain(item) for item in value))
            else:
                put(self, field.name, plain(value))
        self._check()

    def _check(self):
        check_integers("crop_resolution", self.crop_resolution, length=2)
        check_integers("image_channels", self.image_channels, length=1)
        for drawn, fixed, rule, words in _RULES:
            values = getattr(self, drawn)
            if not isinstance(values, tuple) or not values:
                raise error(drawn, values, "must be a sequence of at least one value")
            if not all(rule(x) for x in values):
                raise error(drawn, values, f"must be made of {words}")
            value = getattr(self, fixed)
            several = isinstance(value, tuple) and fixed == "fixed_chpower"
            if several and len(value) != 3:
                raise error(fixed, value, "must be one number or three")
            if not all(rule(x) for x in (value if several else [value])):
                raise error(fixed, value, f"must be one of {words}")
        self._check_occlusion()

    def _check_occlusion(self):
        sides, rectangle = self.geoocclusion, self.fixed_geoocclusion
        if not (
            rectangle is None
            or (isinstance(rectangle, tuple) and len(rectangle) == 4)
            and all(is_finite(x) for x in rectangle)
        ):
            raise error(
                "fixed_geoocclusion", rectangle, "must be None or (x1, y1, x2, y2)"
            )
        if sides is None:
            return
        longest = min(self.crop_resolution) - 3
        if not isinstance(sides, tuple) or not sides:
            raise error("geoocclusion", sides, "must be None or a sequence of sides")
        if not all(is_finite(x) and 0 < x <= longest for x in sides):
            raise error(
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
        """Returns a configuration whose random parameters are the fixed ones.

        Raises:
            ValueError: `fixed_chpower` is not the same for all channels.
        """
        power = self.fixed_chpower
        if isinstance(power, tuple):
            raise ValueError(
                "`fixed_chpower` must be one number: random powers are drawn from the "
                f"same numbers for every channel. Received: fixed_chpower={power}"
            )
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


def _draw(rng, values):
    return values[int(rng.integers(len(values)))]
