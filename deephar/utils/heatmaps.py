"""Heat maps of joints: a round Gaussian for each joint inside the crop.

Source: dluvizon/deephar's utils/heatmaps.py.
"""

import numpy as np

from deephar.utils.math import gaussian_maps
from deephar.utils.pose import get_visible_joints


class HeatMaps2D:
    """Heat maps of many poses, computed when asked for.

    Args:
        poses: Array (samples, joints, 2 or 3), or (samples, frames, joints, 2 or 3),
            normalised to the crop.
        numbins: Rows and columns of a map.
        variance: Variance of the Gaussian, squared bins.

    `maps[key]` takes an index, a slice or a list of indices and returns float64 arrays
    (..., numbins, numbins, joints), with the frames in front for clips.
    """

    def __init__(self, poses: np.ndarray, numbins: int, variance: float = 0.3):
        if np.ndim(poses) not in (3, 4) or poses.shape[-1] not in (2, 3):
            raise ValueError(
                f"`poses` must have the shape (samples, [frames,] joints, 2 or 3). "
                f"Received: poses.shape={np.shape(poses)}"
            )
        self.poses = poses
        self.numbins = numbins
        self.variance = variance
        self.num_frames = poses.shape[1] if poses.ndim == 4 else None
        self.num_joints = poses.shape[-2]

    def __getitem__(self, key) -> np.ndarray:
        return _maps(self.poses[key], self.numbins, self.variance)

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of all maps."""
        leading = self.poses.shape[:-2]
        return (*leading, self.numbins, self.numbins, self.num_joints)


def pose_heatmaps(
    p: np.ndarray,
    num_bins: int,
    num_joints: int,
    variance: float = 0.1,
    num_frames: int | None = None,
) -> np.ndarray:
    """Returns the heat maps of one pose or one clip.

    Args:
        p: Array (joints, 2 or 3) or (frames, joints, 2 or 3), normalised to the crop.
        num_bins: Rows and columns of a map.
        num_joints: Joints of `p`.
        variance: Variance of the Gaussian, squared bins.
        num_frames: Frames of `p`; None for one pose.

    Returns:
        float64 array ([frames,] num_bins, num_bins, joints): each map has the sum 1, or
        is zero where the joint is outside the crop.
    """
    leading = () if num_frames is None else (num_frames,)
    if np.shape(p)[:-1] != (*leading, num_joints):
        raise ValueError(
            f"`p` must have the shape {(*leading, num_joints)} and coordinates. "
            f"Received: p.shape={np.shape(p)}"
        )
    return _maps(p, num_bins, variance)


def _maps(poses, num_bins, variance):
    points = np.asarray(poses, dtype=np.float64)[..., :2]
    visible = get_visible_joints(points) == 1
    centers = num_bins * np.where(visible[..., None], points, 0.5)
    maps = gaussian_maps(num_bins, centers, variance) * visible[..., None, None]
    return np.moveaxis(maps, -3, -1)
