"""What a camera does to light: exposure, contrast, blur and grain."""

import dataclasses
import functools

import numpy as np
from PIL import Image, ImageFilter


@functools.cache
def _grain_tile() -> np.ndarray:
    """Returns (512, 512, 3) int16 white noise of deviation 64."""
    rng = np.random.default_rng(20180619)
    return np.clip(64 * rng.standard_normal((512, 512, 3)), -250, 250).astype(np.int16)


def _grain(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Cuts (height, width, 3) int16 white noise of deviation 64 from a tile."""
    tile = _grain_tile()
    repeats = -(-height // 256), -(-width // 256)
    if max(repeats) > 2:
        tile = np.tile(tile, (*repeats, 1))
    y = rng.integers(0, tile.shape[0] - height + 1)
    x = rng.integers(0, tile.shape[1] - width + 1)
    return tile[y : y + height, x : x + width]


@dataclasses.dataclass(frozen=True, eq=False)
class Film:
    """How one camera renders pictures of one size.

    Attributes:
        table: (256,) grey value for each grey value.
        blur: Radius, px; 0 for none.
        grain: (height, width, 3) int16 that is added.
    """

    table: np.ndarray
    blur: float
    grain: np.ndarray

    def develop(self, picture: np.ndarray, x: int = 0, y: int = 0) -> np.ndarray:
        """Returns a picture (h, w, 3) uint8, or the part of one from x, y on."""
        image = Image.fromarray(picture).point(self.table.tolist() * 3)
        if self.blur:
            image = image.filter(ImageFilter.BoxBlur(self.blur))
        height, width = picture.shape[:2]
        noise = self.grain[y : y + height, x : x + width] + np.asarray(image)
        return np.clip(noise, 0, 255, out=noise).astype(np.uint8)


def draw_film(rng: np.random.Generator, size: tuple[int, int]) -> Film:
    """Draws the film for pictures of a size (width, height), px."""
    gain, lift = rng.uniform(0.8, 1.15), rng.uniform(-12, 18)
    table = np.clip(np.arange(256) * gain + lift, 0, 255).astype(np.uint8)
    blur = rng.uniform(0.3, 0.9) if rng.random() < 0.25 else 0.0
    grain = _grain(rng, size[1], size[0])
    return Film(table, blur, grain * np.int16(rng.integers(0, 8)) >> 6)
