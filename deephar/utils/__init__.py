"""Pose layouts, boxes, cameras, pictures: what needs no network.

The names of the original's `deephar.utils`, but for its printing helpers (`logging`
does that here) and its old text parser; drawing is in `deephar.utils.plot`, which asks
for matplotlib only when it is called.
"""

from deephar.utils.bbox import (
    PoseBBox,
    bbox_to_objposwin,
    compute_grid_bboxes,
    get_crop_params,
    get_gt_bbox,
    get_objpos_winsize,
    get_valid_bbox,
    get_valid_bbox_array,
    objposwin_to_bbox,
)
from deephar.utils.camera import Camera, camera_deserialize, project_pred_to_camera
from deephar.utils.cluster import clustering_grid
from deephar.utils.fs import mkdir
from deephar.utils.heatmaps import HeatMaps2D, pose_heatmaps
from deephar.utils.math import linspace_2d, normalpdf2d
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name
from deephar.utils.plot import draw, show
from deephar.utils.pose import (
    INVALID,
    coco17j,
    convert_coco17j_to_pa16j,
    convert_pa17j3d_to_pa16j,
    convert_sequence_pa17j3d_to_pa16j,
    get_valid_joints,
    get_visible_joints,
    h36m17j,
    is_valid,
    ntu25j3d,
    pa16j2d,
    pa16j3d,
    pa17j2d,
    pa17j3d,
    pa20j3d,
    pa21j3d,
    write_poselist,
)
from deephar.utils.pose_conversion import convert_to_h36m17j
from deephar.utils.transform import (
    T,
    normalize_channels,
    transform_2d_points,
    transform_pose_sequence,
)

__all__ = [
    "Camera",
    "HeatMaps2D",
    "INVALID",
    "PoseBBox",
    "T",
    "TEST_MODE",
    "TRAIN_MODE",
    "VALID_MODE",
    "bbox_to_objposwin",
    "camera_deserialize",
    "clustering_grid",
    "coco17j",
    "compute_grid_bboxes",
    "convert_coco17j_to_pa16j",
    "convert_pa17j3d_to_pa16j",
    "convert_sequence_pa17j3d_to_pa16j",
    "convert_to_h36m17j",
    "draw",
    "get_crop_params",
    "get_gt_bbox",
    "get_objpos_winsize",
    "get_valid_bbox",
    "get_valid_bbox_array",
    "get_valid_joints",
    "get_visible_joints",
    "h36m17j",
    "is_valid",
    "linspace_2d",
    "mkdir",
    "mode_name",
    "normalize_channels",
    "normalpdf2d",
    "ntu25j3d",
    "objposwin_to_bbox",
    "pa16j2d",
    "pa16j3d",
    "pa17j2d",
    "pa17j3d",
    "pa20j3d",
    "pa21j3d",
    "pose_heatmaps",
    "project_pred_to_camera",
    "show",
    "transform_2d_points",
    "transform_pose_sequence",
    "write_poselist",
]
