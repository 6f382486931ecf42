"""Rasteriser: solids with a z-buffer, exact perspective, shaded once for each pixel.

The only curved shape is the round cone: the hull of two spheres, seen in a space that
may be stretched along the axes of a frame. It makes limbs (two radii), flat trunks
(stretched) and ellipsoids (both ends in one place). The other shape is the box.

A ray through a pixel is (X, Y, 1) in the camera's frame, so the parameter along it is
the depth, and every product of it with a constant is a row plus a column. Intersection:
the quadratics of I. Quilez, "Round cone intersection", for rays of any length.
"""

import dataclasses

import numpy as np

from deephar.utils.camera import Camera

_NEAR = 100.0  # mm in front of the camera; nearer solids are not drawn
_FACE = 0.999  # part of the largest coordinate that tells the face of a box


@dataclasses.dataclass(frozen=True, eq=False)
class Solids:
    """n solids, a row each: their place in the world (mm) and their colours.

    Attributes:
        ends: (n, 2, 3) centres of the two end spheres (the centre twice for a box).
        radii: (n, 2) radii of the end spheres before stretching (1 for a box).
        frames: (n, 3, 3) rotation whose columns are the solid's own axes.
        stretch: (n, 3) factors along these axes (half sizes for a box).
        colors: (n, 3, 3) RGB in [0, 1] of the ground, the stripes, and the far end.
        stripes: (n,) period of the stripes along the axis, mm; 0 for none.
        cut: (n,) part of the axis from which on the far end's colour shows; > 1: none.
        box: (n,) bool, box instead of round cone.
        owner: (n,) int, number of the figure, -1 for things.
    """

    ends: np.ndarray
    radii: np.ndarray
    frames: np.ndarray
    stretch: np.ndarray
    colors: np.ndarray
    stripes: np.ndarray
    cut: np.ndarray
    box: np.ndarray
    owner: np.ndarray

    def __len__(self) -> int:
        return len(self.radii)

    def bounds(self) -> np.ndarray:
        """Returns the (n,) radii of spheres about `ends` that hold the solid, mm."""
        reach = np.where(
            self.box, np.linalg.norm(self.stretch, axis=1), self.stretch.max(axis=1)
        )
        return self.radii * reach[:, None]


def join(*parts: Solids) -> Solids:
    """Returns all solids of the parts, in order."""
    return Solids(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(Solids)
        )
    )


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A camera without lens distortion and the size of its picture.

    Attributes:
        camera: Where it is, how it is turned, focal lengths and principal point.
        size: (width, height), px. The centre of pixel i lies at i + 0.5.

    Raises:
        ValueError: if the camera's lens distorts, which the rasteriser cannot draw.
    """

    camera: Camera
    size: tuple[int, int]

    def __post_init__(self) -> None:
        if self.camera.k is not None:
            raise ValueError(
                f"`camera` must not distort. Received: camera.k={self.camera.k}"
            )

    @property
    def position(self) -> np.ndarray:
        """(3,) place of the camera in the world, mm."""
        return self.camera.t[:, 0]

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) world to camera; its rows point right, down and forwards."""
        return self.camera.R

    @property
    def focal(self) -> np.ndarray:
        """(2,) focal lengths, px."""
        return self.camera.f[0]

    @property
    def center(self) -> np.ndarray:
        """(2,) x, y of the principal point, px."""
        return self.camera.c[0]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Returns world points (..., 3) in the camera's frame, mm."""
        return (points - self.position) @ self.rotation.T

    def rays(self, step: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Returns float32 X (columns,), Y (rows,) of every `step`-th pixel's ray."""
        x, y = (np.arange(0, length, step) + 0.5 * step for length in self.size)
        x = (x - self.center[0]) / self.focal[0]
        y = (y - self.center[1]) / self.focal[1]
        return x.astype(np.float32), y.astype(np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Light:
    """Sun and sky.

    Attributes:
        direction: (3,) unit vector in the world towards the sun.
        ambient: Part of the colour seen without sun.
        color: (3,) RGB factors.
    """

    direction: np.ndarray
    ambient: float
    color: np.ndarray


def boxes_of(solids: Solids, view: View) -> np.ndarray:
    """Returns boxes (n, 4) in px that hold each solid; NaN too near the camera."""
    centers = view.to_camera(solids.ends)
    bounds = solids.bounds()[..., None]
    side, depth = centers[..., :2], centers[..., 2:]
    squares = depth * depth - bounds * bounds
    with np.errstate(invalid="ignore", divide="ignore"):
        # the outline of a sphere is an ellipse; these bounds are exact on each axis
        root = bounds * np.sqrt(side * side + squares)
        middle = side * depth
        low = ((middle - root) / squares).min(axis=1)
        high = ((middle + root) / squares).max(axis=1)
    found = np.concatenate([low, high], axis=1)
    found = found * np.tile(view.focal, 2) + np.tile(view.center, 2)
    found[(depth - bounds < _NEAR).any(axis=(1, 2))] = np.nan
    return found


def rasterize(solids: Solids, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Finds the first solid behind each pixel.

    Returns:
        depth (height, width) float32, mm, infinite where nothing is hit, and index
        (height, width) int16 of the solid, -1 where nothing is hit.
    """
    width, height = view.size
    depth = np.full((height, width), np.inf, dtype=np.float32)
    index = np.full((height, width), -1, dtype=np.int16)
    columns, rows = view.rays()
    windows = boxes_of(solids, view)
    drawn = np.isfinite(windows).all(axis=1)
    low = np.floor(np.where(drawn[:, None], windows[:, :2], 0)).astype(int)
    high = np.ceil(np.where(drawn[:, None], windows[:, 2:], 0)).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, view.size)
    forms = _forms(solids, view)
    quadrics = _quadrics(forms)
    with np.errstate(invalid="ignore", divide="ignore"):
        for i in np.flatnonzero((high > low).all(axis=1)):
            (x1, y1), (x2, y2) = low[i], high[i]
            x, y = columns[x1:x2], rows[y1:y2, None]
            if solids.box[i]:
                found = _hit_box(forms[i], x, y)
            else:
                found = _hit_cone(quadrics[i], x, y)
            part = depth[y1:y2, x1:x2]
            nearer = found < part
            np.copyto(part, found, where=nearer)
            np.copyto(index[y1:y2, x1:x2], np.int16(i), where=nearer)
    return depth, index


def _forms(solids: Solids, view: View) -> np.ndarray:
    """Returns (n, 17) constants of each solid for rays from the camera, float32.

    0-8 the rays' map into the stretched space (rows x, y, z), 9-11 the camera seen from
    the first end there, 12-14 the axis there, 15 and 16 the radii.
    """
    frames = view.rotation @ solids.frames
    centers = view.to_camera(solids.ends)
    maps = np.swapaxes(frames, 1, 2) / solids.stretch[:, :, None]
    origin = -(maps @ centers[:, 0, :, None])[..., 0]
    axis = (maps @ (centers[:, 1] - centers[:, 0])[..., None])[..., 0]
    parts = [maps.reshape(-1, 9), origin, axis, solids.radii]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _quadrics(forms: np.ndarray) -> list[list[float]]:
    """Returns products of the rays (x, y, 1) with the constants of round cones.

    For each solid the coefficients of ray . ray (xx, x, 1, yy, y, xy), of ray . origin
    and of ray . axis (x, y, 1), then origin . origin, axis . origin, axis . axis and
    the radii.
    """
    forms = forms.astype(np.float64)
    maps = forms[:, :9].reshape(-1, 3, 3)
    origin, axis = forms[:, 9:12], forms[:, 12:15]
    square = np.swapaxes(maps, 1, 2) @ maps
    parts = [
        square[:, (0, 0, 2, 1, 1, 0), (0, 2, 2, 1, 2, 1)] * (1, 2, 1, 1, 2, 2),
        (origin[:, None] @ maps)[:, 0],
        (axis[:, None] @ maps)[:, 0],
        (origin * origin).sum(axis=1, keepdims=True),
        (axis * origin).sum(axis=1, keepdims=True),
        (axis * axis).sum(axis=1, keepdims=True),
        forms[:, 15:],
    ]
    return np.concatenate(parts, axis=1).tolist()


def _hit_cone(quadric: list[float], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the depth at which rays (x, y, 1) enter a round cone; NaN for a miss."""
    xx, x1, one, yy, y1, xy, ox, oy, oz, ax, ay, az = quadric[:12]
    oo, ao, length, radius, radius2 = quadric[12:]
    dd = ((xx * x + x1) * x + one) + (yy * y + y1) * y
    dd += (xy * y) * x
    od = (ox * x + oz) + oy * y
    first = (-od - np.sqrt(od * od - dd * (oo - radius * radius))) / dd
    if length < 1e-6:
        return first

    ad = (ax * x + az) + ay * y
    end = od - ad
    end_square = oo - 2 * ao + length - radius2 * radius2
    second = (-end - np.sqrt(end * end - dd * end_square)) / dd
    found = np.fmin(first, second)
    drop = radius - radius2
    slope = length - drop * drop
    if slope <= 0:
        return found

    k2 = slope * dd - ad * ad
    k1 = slope * od + (radius * drop - ao) * ad
    k0 = slope * oo - ao * ao + 2 * ao * drop * radius - length * radius * radius
    body = (-k1 - np.sqrt(k1 * k1 - k0 * k2)) / k2
    place = ad * body + (ao - radius * drop)
    outside = (place <= 0) | (place >= slope)
    np.copyto(body, np.nan, where=outside)
    return np.fmin(found, body)


def _hit_box(form: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the depth at which rays (x, y, 1) enter a box; NaN for a miss."""
    maps = form[:9].reshape(3, 3)
    enter, leave = np.float32(0), np.float32(np.inf)
    for row, origin in zip(maps, form[9:12], strict=True):
        inverse = 1 / ((row[0] * x + row[2]) + row[1] * y)
        middle, half = -origin * inverse, np.abs(inverse)
        enter = np.maximum(enter, middle - half)
        leave = np.minimum(leave, middle + half)
    enter[enter >= leave] = np.nan
    return enter


def shade(
    picture: np.ndarray,
    depth: np.ndarray,
    index: np.ndarray,
    solids: Solids,
    view: View,
    light: Light,
) -> None:
    """Paints what `rasterize` found into a picture (height, width, 3) in [0, 255]."""
    pixels = np.nonzero(index >= 0)
    which, t = index[pixels].astype(np.intp), depth[pixels]
    columns, rows = view.rays()
    y, x = np.take(rows, pixels[0]), np.take(columns, pixels[1])
    c = np.take(_shading_constants(solids, view, light), which, axis=1)
    rays = [c[3 * i] * x + c[3 * i + 1] * y + c[3 * i + 2] for i in range(3)]
    points = [t * rays[i] + c[9 + i] for i in range(3)]
    place = sum(points[i] * c[15 + i] for i in range(3)) - c[18]
    np.clip(place, 0, 1, out=place)
    normals = [points[i] - place * c[12 + i] for i in range(3)]
    boxed = np.flatnonzero(solids.box[which])
    if boxed.size:
        faces = np.stack([normal[boxed] for normal in normals])
        faces *= np.abs(faces) >= _FACE * np.abs(faces).max(axis=0)
        for normal, face in zip(normals, faces, strict=True):
            normal[boxed] = face

    scaled = [normals[i] * c[22 + i] for i in range(3)]
    inverse = 1 / np.sqrt(sum(part * part for part in scaled) + 1e-12)
    sun = sum(normals[i] * c[19 + i] for i in range(3)) * inverse
    facing = -sum(normals[i] * rays[i] for i in range(3)) * inverse
    facing /= np.sqrt(1 + x * x + y * y)
    bright = light.ambient + (1 - light.ambient) * np.maximum(sun, 0)
    bright *= 0.62 + 0.38 * np.minimum(facing, 1)
    bright *= 255
    paint = _paint(solids, light, which, place)
    paint *= bright[:, None]
    np.minimum(paint, 255, out=paint)
    picture[pixels] = paint.astype(np.uint8)


def _shading_constants(solids: Solids, view: View, light: Light) -> np.ndarray:
    """Returns (25, n) constants of each solid for `shade`, float32.

    0-14 as in `_forms`; 15-17 the axis and 18 the offset that give the place along it;
    19-21 the direction of the sun and 22-24 the factors that undo the stretching.
    """
    forms = _forms(solids, view)
    axis, drop = forms[:, 12:15], forms[:, 15:16] - forms[:, 16:17]
    length = np.sum(axis * axis, axis=1, keepdims=True)
    slope = np.maximum(length - drop * drop, 1e-6)
    sun = forms[:, :9].reshape(-1, 3, 3) @ (view.rotation @ light.direction)
    offset = forms[:, 15:16] * drop / slope
    parts = [forms[:, :15], axis / slope, offset, sun, 1 / solids.stretch]
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T, dtype=np.float32)


def _paint(
    solids: Solids, light: Light, which: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """Returns the colour (pixels, 3) of each pixel's solid at its place on the axis."""
    length = np.linalg.norm(solids.ends[:, 1] - solids.ends[:, 0], axis=1)
    waves = np.divide(
        length, solids.stripes, out=np.zeros_like(length), where=solids.stripes > 0
    )
    along = place * np.take((2 * waves).astype(np.float32), which)
    layer = along.astype(np.int32) & 1
    layer[place > np.take(solids.cut.astype(np.float32), which)] = 2
    colors = (solids.colors * light.color).astype(np.float32).reshape(-1, 3)
    return np.take(colors, which * 3 + layer, axis=0)
