"""A pinhole camera with lens distortion, as Human3.6M's calibration gives it.

World points of `Camera` are (x, y, z) in mm; picture points are (u, v) in px and depth
in mm. Source: dluvizon/deephar's utils/camera.py.

The functions on quaternions and normalised pictures are what temporal lifting sees by
(`deephar.data.lifting`). Quaternions are (w, x, y, z) of length 1. A camera's
orientation turns its axes, x right, y down, z forward, into the world's; its
translation is its place there. Pictures are normalised so that their width is [-1, 1],
the middle of their left border at x = -1 and of their upper one at y = -height / width.
Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019.
"""

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from deephar.utils.transform import transform_pose_sequence

DEPTH_RANGE = 2000.0
"""Depth that [0, 1] of a predicted z covers, mm, its middle at the root; of a window
scaled by a factor, so many times it (`utils.bbox.get_crop_params`)."""

WINDOW_RANGE = 2250.0
"""Width at the root that the same window of Human3.6M covers, mm; it has pictures of
about 1000 px."""

_ITERATIONS = 100
_TOLERANCE = 1e-12


class Camera:
    """Camera of known place, direction and lens.

    Args:
        R: Rotation from the world to the camera (3, 3).
        t: Place of the camera in the world (3, 1), mm.
        f: Focal lengths (1, 2), px.
        c: Principal point (1, 2), px.
        p: Tangential distortion (1, 2).
        k: Radial distortion (3,); None for a lens without distortion, then `p` is not
            used either.
    """

    def __init__(self, R, t, f, c, p, k=None):
        self.R = np.reshape(np.asarray(R, dtype=np.float64), (3, 3))
        self.R_inv = np.linalg.inv(self.R)
        self.t = np.reshape(t, (3, 1))
        self.f = np.reshape(f, (1, 2))
        self.c = np.reshape(c, (1, 2))
        self.p = np.reshape(p, (1, 2))
        self.k = None if k is None else np.reshape(k, (3,))

    def project(self, points_w: np.ndarray) -> np.ndarray:
        """Projects world points (n, 3), mm, to (u, v) px and depth mm: (n, 3)."""
        _check_points("points_w", points_w)
        local = (self.R @ (np.asarray(points_w).T - self.t)).T
        plane = local[:, :2] / local[:, 2:3]
        if self.k is not None:
            plane = self._distort(plane)
        return np.concatenate([plane * self.f + self.c, local[:, 2:3]], axis=-1)

    def inverse_project(
        self, points_uvd: np.ndarray, exact: bool = False
    ) -> np.ndarray:
        """Brings picture points with depth back to the world.

        Args:
            points_uvd: Array (n, 3): (u, v) px and depth mm.
            exact: Undo the distortion by iteration. Otherwise as the original does: by
                the distortion at the distorted point, up to 1 mm off, on which its
                published scores depend.

        Returns:
            World points (n, 3), mm. With `exact`, NaN where the lens sends no point to
            the given one.
        """
        _check_points("points_uvd", points_uvd)
        points_uvd = np.asarray(points_uvd, dtype=np.float64)
        plane = (points_uvd[:, :2] - self.c) / self.f
        depth = points_uvd[:, 2:3]
        if self.k is not None:
            if exact:
                plane = self._undistort(plane)
            else:
                plane = self._undistort_step(plane, plane)
        local = np.concatenate([plane * depth, depth], axis=-1)
        return (self.R_inv @ local.T + self.t).T

    def _distort(self, plane):
        r2, factor = self._distortion(plane)
        return plane * factor + r2 * self.p

    def _undistort_step(self, distorted, guess):
        """Returns the point that `distorted` comes from if distorted like `guess`."""
        r2, factor = self._distortion(guess)
        return (distorted - r2 * self.p) / factor

    def _undistort(self, distorted):
        plane = distorted
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for _ in range(_ITERATIONS):
                plane, before = self._undistort_step(distorted, plane), plane
                if (np.abs(plane - before) < _TOLERANCE).all():
                    break
            error = np.abs(self._distort(plane) - distorted).max(axis=-1, keepdims=True)
        return np.where(error < 1e-9, plane, np.nan)

    def _distortion(self, plane):
        """Returns the squared radius and the factor, both (n, 1)."""
        r2 = np.square(plane).sum(axis=-1, keepdims=True)
        radial = 1 + r2 * self.k[0] + r2**2 * self.k[1] + r2**3 * self.k[2]
        tangential = (plane * self.p).sum(axis=-1, keepdims=True)
        return r2, radial + tangential

    def serialize(self) -> np.ndarray:
        """Returns R, t, f, c, p and, if given, k in one array (18,) or (21,)."""
        parts = [self.R, self.t, self.f, self.c, self.p]
        if self.k is not None:
            parts.append(self.k)
        return np.concatenate([np.ravel(part) for part in parts])


def camera_deserialize(s: np.ndarray) -> Camera:
    """Returns the camera that `Camera.serialize` made an array of."""
    s = np.asarray(s)
    if s.shape not in ((18,), (21,)):
        raise ValueError(
            f"`s` must have the shape (18,) or (21,). Received: s.shape={s.shape}"
        )
    R, t, f, c, p, k = np.split(s, [9, 12, 14, 16, 18])
    return Camera(R, t, f, c, p, k if len(k) else None)


def project_pred_to_camera(
    pred: np.ndarray, afmat: np.ndarray, resol_z: float, root_z: np.ndarray
) -> np.ndarray:
    """Brings predicted poses from the crop to the picture and to mm of depth.

    Args:
        pred: Array (samples, joints, 3), normalised: (x, y) in the crop, z = 0.5 at the
            root.
        afmat: Matrices (samples, 3, 3), from px of the picture to the crop.
        resol_z: Range of depth that [0, 1] covers, mm.
        root_z: Depth of the root (samples,), mm.

    Returns:
        float64 array (samples, joints, 3): (u, v) px and depth mm.
    """
    plane = transform_pose_sequence(afmat, pred[:, :, :2], inverse=True)
    depth = resol_z * (pred[:, :, 2] - 0.5) + np.asarray(root_z)[:, None]
    return np.concatenate([plane, depth[:, :, None]], axis=-1)


def rotate(points: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    """Turns points by a quaternion.

    Args:
        points: Array (..., 3).
        quaternion: Array (4,), or (..., 4) with one for each point.

    Returns:
        Array (..., 3).
    """
    points, quaternion = np.asarray(points), np.asarray(quaternion)
    if points.shape[-1:] != (3,) or quaternion.shape[-1:] != (4,):
        raise ValueError(
            "`points` must have the shape (..., 3) and `quaternion` (4,) or (..., 4). "
            f"Received: points.shape={points.shape}, "
            f"quaternion.shape={quaternion.shape}"
        )
    axis = quaternion[..., 1:]
    once = np.cross(axis, points)
    return points + 2 * (quaternion[..., :1] * once + np.cross(axis, once))


def inverse_quaternion(quaternion: np.ndarray) -> np.ndarray:
    """Returns the quaternion (..., 4) that turns back."""
    quaternion = np.asarray(quaternion)
    return quaternion * np.array([1, -1, -1, -1], quaternion.dtype)


def quaternion_of(R: np.ndarray) -> np.ndarray:
    """Returns the quaternion (4,), w >= 0, that turns points as the matrix (3, 3) does.

    Raises:
        ValueError: if the matrix is no rotation.
    """
    R = np.asarray(R, dtype=np.float64)
    error = np.abs(R @ R.T - np.eye(3)).max() if R.shape == (3, 3) else np.inf
    if not (error < 1e-4 and np.linalg.det(R) > 0):
        raise ValueError(f"`R` must be a rotation (3, 3). Received: R={R.tolist()}")
    x, y, z, w = Rotation.from_matrix(R).as_quat(canonical=True)
    return np.array([w, x, y, z])


def world_to_camera(
    points: np.ndarray, orientation: np.ndarray, translation: np.ndarray
) -> np.ndarray:
    """Brings points (..., 3) of the world to a camera's axes, in the same unit."""
    return rotate(points - translation, inverse_quaternion(orientation))


def camera_to_world(
    points: np.ndarray, orientation: np.ndarray, translation: np.ndarray
) -> np.ndarray:
    """Brings points (..., 3) of a camera's axes to the world, in the same unit."""
    return rotate(points, orientation) + translation


def normalize_screen(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Brings points (..., 2), px of a picture (w, h), to the width of [-1, 1]."""
    points = _floats(points)
    return (points / float(size[0]) * 2 - _middle(size)).astype(points.dtype)


def denormalize_screen(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Brings points (..., 2) from the width of [-1, 1] to px of a picture (w, h)."""
    points = _floats(points)
    return ((points + _middle(size)) * float(size[0]) / 2).astype(points.dtype)


def project_to_2d(points, intrinsics, linear: bool = False, xp: Any = np):
    """Projects points before a camera into its normalised picture.

    A point may stand 45 degrees off the camera's axis to either side; one that stands
    farther is moved there, as the model of the lens is good for nothing else.

    Args:
        points: Array (n, ..., 3): x right, y down, z forward, in any unit.
        intrinsics: Lenses (n, 9): focal lengths fx, fy, centre cx, cy, radial
            distortion k1, k2, k3 and tangential p1, p2, for the normalised picture.
        linear: Whether to leave out the distortion.
        xp: What computes: `numpy`, or `keras.ops` for tensors.

    Returns:
        Array (n, ..., 2), normalised.
    """
    if len(intrinsics.shape) != 2 or intrinsics.shape[-1] != 9:
        raise ValueError(
            "`intrinsics` must have the shape (n, 9). "
            f"Received: intrinsics.shape={tuple(intrinsics.shape)}"
        )
    lens = intrinsics[(slice(None), *[None] * (len(points.shape) - 2))]
    focal, centre, k, p = lens[..., :2], lens[..., 2:4], lens[..., 4:7], lens[..., 7:]
    plane = xp.clip(points[..., :2] / points[..., 2:], -1, 1)
    if not linear:
        r2 = xp.sum(plane * plane, axis=-1, keepdims=True)
        radial = 1 + r2 * (k[..., :1] + r2 * (k[..., 1:2] + r2 * k[..., 2:]))
        tangential = xp.sum(p * plane, axis=-1, keepdims=True)
        plane = plane * (radial + tangential) + p * r2
    return focal * plane + centre


def _floats(points):
    points = np.asarray(points)
    return points if points.dtype.kind == "f" else points.astype(np.float64)


def _middle(size):
    return np.array([1, size[1] / size[0]])


def _check_points(name, points):
    if np.ndim(points) != 2 or np.shape(points)[1] != 3:
        raise ValueError(
            f"`{name}` must have the shape (n, 3). "
            f"Received: {name}.shape={np.shape(points)}"
        )
