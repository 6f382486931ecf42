"""A pinhole camera with lens distortion, as Human3.6M's calibration gives it.

World points are (x, y, z) in mm; picture points are (u, v) in px and depth in mm.

Source: dluvizon/deephar's utils/camera.py.
"""

import numpy as np

from deephar.utils.transform import transform_pose_sequence

DEPTH_RANGE = 2000.0
"""Depth that [0, 1] of a predicted z covers, mm, its middle at the root; of a window
scaled by a factor, so many times it (`utils.bbox.get_crop_params`)."""

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


def _check_points(name, points):
    if np.ndim(points) != 2 or np.shape(points)[1] != 3:
        raise ValueError(
            f"`{name}` must have the shape (n, 3). "
            f"Received: {name}.shape={np.shape(points)}"
        )
