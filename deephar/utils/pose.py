"""Pose layouts (which joint is which row) and the one meaning of an invalid joint.

A layout is a class that is never instantiated. Its attributes:

    num_joints, dim   rows and coordinates of a pose (num_joints, dim)
    joint_names       a name for every row; `r_` is the person's right
    map_hflip         rows of the mirrored pose: `mirrored[:] = pose[map_hflip]`
    map_from_X        rows of layout X: `ours[:] = theirs[map_from_X]`
    map_to_X          our rows in the order of X: `theirs = ours[map_to_X]`
    color, cmap       colour letters, and for every joint its letter's index: green
                      spine, red and blue right and left arm, yellow and magenta right
                      and left leg
    links             pairs of joints between which a limb is drawn

Source: dluvizon/deephar; the names of COCO and NTU joints from those data sets.
"""

import numpy as np

INVALID = -1e9
"""Coordinate of a joint that is not annotated or not to be used."""

_MIN_VALID = -1e6


def is_valid(x):
    """Tells, coordinate by coordinate, what is a real value and what is `INVALID`.

    Args:
        x: NumPy array, number, or tensor of any Keras backend.

    Returns:
        Booleans of the same shape: false for `INVALID`, NaN and minus infinity. Plus
        infinity counts as real, so that a loss that diverges is seen in its value; who
        needs finite numbers checks that too.
    """
    return x > _MIN_VALID


_COLORS = ["g", "r", "b", "y", "m"]

_NAMES_16 = (
    "pelvis thorax neck head r_shoul l_shoul r_elb l_elb r_wrist l_wrist r_hip "
    "l_hip r_knee l_knee r_ankle l_ankle"
).split()
_NAMES_20 = (
    "pelvis thorax neck head r_shoul l_shoul r_elb l_elb r_wrist l_wrist "
    "r_hand l_hand r_hip l_hip r_knee l_knee r_ankle l_ankle r_foot l_foot"
).split()
_HFLIP_16 = [0, 1, 2, 3, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14]
_HFLIP_20 = [*_HFLIP_16, 17, 16, 19, 18]
_NTU_16 = [0, 20, 2, 3, 4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18]
_NTU_20 = [0, 20, 2, 3, 4, 8, 5, 9, 6, 10, 7, 11, 12, 16, 13, 17, 14, 18, 15, 19]
_H36M_20 = [0, 12, 13, 15, 25, 17, 26, 18, 27, 19, 30, 22, 1, 6, 2, 7, 3, 8, 4, 9]
_CMAP_16 = [0] * 4 + [1, 2] * 3 + [3, 4] * 3
_CMAP_20 = [0] * 4 + [1, 2] * 4 + [3, 4] * 4
_NECK_OVER_TRUNK = 1 / 8
_HEAD_LINKS = [[1, 2], [2, 3]]
_LIMBS_16 = [
    *([4, 6], [6, 8], [5, 7], [7, 9]),
    *([10, 12], [12, 14], [11, 13], [13, 15]),
]
_LIMBS_20 = [
    *([4, 6], [6, 8], [8, 10], [5, 7], [7, 9], [9, 11]),
    *([12, 14], [14, 16], [16, 18], [13, 15], [15, 17], [17, 19]),
]


class _pa16j:
    """Penn Action's joints, left and right alternating, and three on the spine."""

    num_joints = 16
    joint_names = _NAMES_16
    map_hflip = _HFLIP_16
    map_from_mpii = [6, 7, 8, 9, 12, 13, 11, 14, 10, 15, 2, 3, 1, 4, 0, 5]
    map_from_ntu = _NTU_16
    map_to_pa13j = list(range(3, 16))
    map_to_jhmdb = [2, 1, 3, 4, 5, 10, 11, 6, 7, 12, 13, 8, 9, 14, 15]
    map_to_mpii = [14, 12, 10, 11, 13, 15, 0, 1, 2, 3, 8, 6, 4, 5, 7, 9]
    map_to_lsp = [14, 12, 10, 11, 13, 15, 8, 6, 4, 5, 7, 9, 2, 3]
    color = _COLORS
    cmap = _CMAP_16
    links = [[0, 1], *_HEAD_LINKS, *_LIMBS_16]


class _pa17j:
    """The 16 joints and the middle of the spine, last."""

    num_joints = 17
    joint_names = [*_NAMES_16, "spine"]
    map_hflip = [*_HFLIP_16, 16]
    map_from_h36m = [0, 12, 13, 15, 25, 17, 26, 18, 27, 19, 1, 6, 2, 7, 3, 8, 11]
    map_from_ntu = [*_NTU_16, 1]
    map_from_mpii3dhp = [
        *(4, 5, 6, 7, 14, 9, 15, 10, 16, 11, 23, 18, 24, 19, 25, 20, 3),
    ]
    map_from_mpii3dhp_te = [14, 1, 16, 0, 2, 5, 3, 6, 4, 7, 8, 11, 9, 12, 10, 13, 15]
    map_to_pa13j = list(range(3, 16))
    map_to_mpii = [14, 12, 10, 11, 13, 15, 0, 1, 2, 3, 8, 6, 4, 5, 7, 9]
    map_to_pa16j = list(range(16))
    color = _COLORS
    cmap = [*_CMAP_16, 0]
    links = [[0, 16], [16, 1], *_HEAD_LINKS, *_LIMBS_16]


class _pa20j:
    """The 16 joints with a hand at each wrist and a foot at each ankle."""

    num_joints = 20
    joint_names = _NAMES_20
    map_hflip = _HFLIP_20
    map_from_h36m = _H36M_20
    map_from_ntu = _NTU_20
    map_to_mpii = [16, 14, 12, 13, 15, 17, 0, 1, 2, 3, 8, 6, 4, 5, 7, 9]
    map_to_pa13j = [3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17]
    map_to_pa16j = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17]
    color = _COLORS
    cmap = _CMAP_20
    links = [[0, 1], *_HEAD_LINKS, *_LIMBS_20]


class _pa21j:
    """The 20 joints and the middle of the spine, last."""

    num_joints = 21
    joint_names = [*_NAMES_20, "spine"]
    map_hflip = [*_HFLIP_20, 20]
    map_from_h36m = [*_H36M_20, 11]
    map_from_ntu = [*_NTU_20, 1]
    map_to_mpii = _pa20j.map_to_mpii
    map_to_pa13j = _pa20j.map_to_pa13j
    map_to_pa16j = _pa20j.map_to_pa16j
    map_to_pa17j = [*_pa20j.map_to_pa16j, 20]
    color = _COLORS
    cmap = [*_CMAP_20, 0]
    links = [[0, 20], [20, 1], *_HEAD_LINKS, *_LIMBS_20]


class pa16j2d(_pa16j):
    """The layout of MPII and Penn Action poses, in the picture."""

    dim = 2


class pa16j3d(_pa16j):
    """The 16 joints with depth."""

    dim = 3


class pa17j2d(_pa17j):
    """The 17 joints in the picture."""

    dim = 2


class pa17j3d(_pa17j):
    """The layout of Human3.6M poses."""

    dim = 3


class pa20j3d(_pa20j):
    """The layout of NTU poses in the CVPR'18 work."""

    dim = 3


class pa21j3d(_pa21j):
    """The 21 joints with depth."""

    dim = 3


class coco17j:
    """The key points of COCO, in its own order."""

    num_joints = 17
    dim = 2
    joint_names = (
        "nose l_eye r_eye l_ear r_ear l_shoul r_shoul l_elb r_elb l_wrist "
        "r_wrist l_hip r_hip l_knee r_knee l_ankle r_ankle"
    ).split()
    map_hflip = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    color = [*_COLORS, "w"]
    cmap = [0, 0, 0, 5, 5, 0, 0, 2, 1, 2, 1, 0, 0, 4, 3, 4, 3]
    links = [
        *([13, 15], [13, 11], [14, 16], [14, 12], [11, 12], [5, 11], [6, 12]),
        *([5, 6], [7, 5], [8, 6], [7, 9], [8, 10], [1, 2], [0, 1], [0, 2]),
        *([3, 1], [4, 2], [3, 5], [4, 6]),
    ]


class ntu25j3d:
    """The joints of Kinect 2 in NTU RGB+D's order, with the data set's own names.

    The other layouts' `map_from_ntu` take this left for their right, as the original
    does: what the sensor calls left is on the side that a viewer takes for the right.
    """

    num_joints = 25
    dim = 3
    joint_names = (
        "pelvis spine neck head l_shoul l_elb l_wrist l_hand r_shoul r_elb "
        "r_wrist r_hand l_hip l_knee l_ankle l_foot r_hip r_knee r_ankle "
        "r_foot thorax l_fingers l_thumb r_fingers r_thumb"
    ).split()
    map_hflip = [
        *(0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15),
        *(20, 23, 24, 21, 22),
    ]
    color = _COLORS
    cmap = [0] * 4 + [2] * 4 + [1] * 4 + [4] * 4 + [3] * 4 + [0, 2, 2, 1, 1]
    links = [
        *([0, 1], [1, 20], [20, 2], [2, 3], [4, 5], [5, 6], [6, 7], [7, 21], [7, 22]),
        *([8, 9], [9, 10], [10, 11], [11, 23], [11, 24]),
        *([12, 13], [13, 14], [14, 15], [16, 17], [17, 18], [18, 19]),
    ]


class h36m17j:
    """The 17 joints of Human3.6M that VideoPose3D's networks predict, in its order.

    They are rows 0 1 2 3 6 7 8 12 13 14 15 17 18 19 25 26 27 of the mocap's 32. What
    Human3.6M calls thorax is where MPII's neck is, and its neck is at the nose.
    """

    num_joints = 17
    dim = 3
    joint_names = (
        "pelvis r_hip r_knee r_ankle l_hip l_knee l_ankle spine thorax neck head "
        "l_shoul l_elb l_wrist r_shoul r_elb r_wrist"
    ).split()
    parents = [-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]
    map_hflip = [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13]
    joints_left = [4, 5, 6, 11, 12, 13]
    joints_right = [1, 2, 3, 14, 15, 16]
    color = _COLORS
    cmap = [0] + [3] * 3 + [4] * 3 + [0] * 4 + [2] * 3 + [1] * 3
    links = [[parent, joint] for joint, parent in enumerate(parents) if joint]


def get_visible_joints(x: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Tells which joints lie strictly inside the crop.

    Args:
        x: Array (..., joints, dim), normalised to the crop, [0, 1].
        margin: Width of the border that does not count as inside, normalised.

    Returns:
        Integer array (..., joints) of 0 and 1.
    """
    x = np.asarray(x)
    inside = (x > margin) & (x < 1 - margin)
    return np.all(inside, axis=-1).astype(np.int64)


def get_valid_joints(x: np.ndarray) -> np.ndarray:
    """Tells which joints have a real value in every coordinate.

    Args:
        x: Array (..., joints, dim) in any unit.

    Returns:
        Integer array (..., joints) of 0 and 1.
    """
    return np.all(is_valid(np.asarray(x)), axis=-1).astype(np.int64)


def convert_pa17j3d_to_pa16j(p: np.ndarray, dim: int = 3) -> np.ndarray:
    """Drops the middle of the spine of a pose (17, 3); returns a copy (16, `dim`)."""
    _check_shape("p", p, (pa17j3d.num_joints, pa17j3d.dim), np.shape(p))
    return np.array(p[pa17j3d.map_to_pa16j, :dim])


def convert_sequence_pa17j3d_to_pa16j(seqp: np.ndarray, dim: int = 3) -> np.ndarray:
    """Drops the middle of the spine of poses (frames, 17, 3).

    Returns:
        float64 array (frames, 16, `dim`).
    """
    _check_shape("seqp", seqp, (pa17j3d.num_joints, pa17j3d.dim), np.shape(seqp)[1:])
    return np.array(seqp[:, pa17j3d.map_to_pa16j, :dim], dtype=np.float64)


def convert_coco17j_to_pa16j(p: np.ndarray) -> np.ndarray:
    """Brings COCO's key points into the order of layout pa16j.

    The twelve joints of the limbs are taken by name. Pelvis and thorax are the middles
    of the hips and of the shoulders, the neck lies on the line between them, an eighth
    of the trunk above the thorax. Of MPII's validation people this is where pelvis and
    thorax are labelled (0.3 % of the trunk away in the median) and where the neck is in
    the median (12.3 % above the thorax). COCO does not label the top of the head.

    Args:
        p: Array (..., 17, dim), rows as in `coco17j`.

    Returns:
        float64 array (..., 16, dim), rows as in `pa16j2d`: INVALID for the head, for
        what is invalid in `p`, and for what is made of an invalid joint.
    """
    p = np.asarray(p, dtype=np.float64)
    if p.ndim < 2 or p.shape[-2] != coco17j.num_joints:
        raise ValueError(
            f"`p` must have the shape (..., {coco17j.num_joints}, dim). "
            f"Received: p.shape={p.shape}"
        )
    known = np.where(is_valid(p).all(axis=-1, keepdims=True), p, np.nan)

    def middle(joint):
        left, right = (coco17j.joint_names.index(f"{side}_{joint}") for side in "lr")
        return (known[..., left, :] + known[..., right, :]) / 2

    pelvis, thorax = middle("hip"), middle("shoul")
    spine = {
        "pelvis": pelvis,
        "thorax": thorax,
        "neck": thorax + (thorax - pelvis) * _NECK_OVER_TRUNK,
        "head": np.full_like(pelvis, np.nan),
    }
    rows = [
        spine[name] if name in spine else known[..., coco17j.joint_names.index(name), :]
        for name in _NAMES_16
    ]
    found = np.stack(rows, axis=-2)
    return np.where(np.isnan(found), INVALID, found)


def write_poselist(filename, poses: np.ndarray) -> None:
    """Writes poses to a text file, a pose a line: `x1,y1,x2,y2,...` with 6 decimals.

    Args:
        filename: Path of the file to write.
        poses: Array (samples, joints, dim).
    """
    poses = np.asarray(poses)
    if poses.ndim != 3:
        raise ValueError(
            f"`poses` must have the shape (samples, joints, dim). "
            f"Received: poses.shape={poses.shape}"
        )
    np.savetxt(filename, poses.reshape(len(poses), -1), fmt="%.6f", delimiter=",")


def _check_shape(name, value, expected, received):
    if tuple(received) != expected:
        raise ValueError(
            f"`{name}` must end in the shape {expected}. "
            f"Received: {name}.shape={np.shape(value)}"
        )
