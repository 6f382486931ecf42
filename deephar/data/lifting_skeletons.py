"""The joints of poses in space that temporal lifting predicts.

Source: the files of VideoPose3D (Pavllo et al., CVPR 2019), whose joints these are.
"""

import dataclasses

from deephar.utils.pose import h36m17j

KEPT_JOINTS = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Rows of Human3.6M's 32 joints that remain."""


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """How the joints hang together.

    Attributes:
        parents: For each joint the one it hangs on; -1 for the root, joint 0.
        joints_left: Joints of the person's left side.
        joints_right: Those of the right side, in the same order.
        names: A name for each joint.
    """

    parents: tuple[int, ...]
    joints_left: tuple[int, ...]
    joints_right: tuple[int, ...]
    names: tuple[str, ...]


HUMAN36M_SKELETON = Skeleton(
    parents=tuple(h36m17j.parents),
    joints_left=tuple(h36m17j.joints_left),
    joints_right=tuple(h36m17j.joints_right),
    names=(
        *("Hip", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "Spine"),
        *("Thorax", "Neck/Nose", "Head", "LShoulder", "LElbow", "LWrist"),
        *("RShoulder", "RElbow", "RWrist"),
    ),
)
"""The 17 joints that remain of Human3.6M's 32: the layout `h36m17j`."""
HUMANEVA_SKELETON = Skeleton(
    parents=(-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
    joints_left=(2, 3, 4, 8, 9, 10),
    joints_right=(5, 6, 7, 11, 12, 13),
    names=(
        *("Pelvis", "Thorax", "LShoulder", "LElbow", "LWrist", "RShoulder", "RElbow"),
        *("RWrist", "LHip", "LKnee", "LAnkle", "RHip", "RKnee", "RAnkle", "Head"),
    ),
)
"""HumanEva's 15 joints."""
