"""Human3.6M, from the original's annotations.mat.

The layout of the file is described in `deephar.data.human36m_format`; makers of it are
in datasets/Human3.6M.
"""

import os
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.cache import PictureCache
from deephar.data.clips import Clip, ClipDataset
from deephar.data.human36m_format import ACTION_LABELS, read_human36m
from deephar.data.pictures import AnnotationError
from deephar.utils.bbox import get_crop_params, objposwin_to_bbox
from deephar.utils.pose import INVALID, pa17j3d

__all__ = ["ACTION_LABELS", "Human36M"]


class Human36M(ClipDataset):
    """Sequences of Human3.6M: poses in space, and the camera that saw them.

    The folder holds `annotations.mat` and `images/NAME/%05d.jpg`. The window is square
    around the root of the clip's first frame: at its distance 2.25 mm for every px of
    the picture, which is 2.25 m in the real ones. The range of depth is a metre to
    either side of that root times the window's scale. The file says which sequences
    belong to TEST_MODE (subjects 2, 3, 4, 10), TRAIN_MODE (1, 5, 6, 7, 8) and
    VALID_MODE (9, 11).
    A clip whose first root is not known, as in test sequences without poses, gives a
    sample only with a box of one's own, else an AnnotationError.

    Args:
        dataset_path: The folder.
        dataconf: Size of the crop, augmentation, steps between frames.
        poselayout: Layout of the poses; it must have `map_from_h36m`.
        topology: `"sequences"` for clips, `"frames"`.
        clip_size: Frames of a clip.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.
        remove_outer_joints: Whether joints outside the crop become INVALID.

    Samples have four further keys: pose_w (clip_size, num_joints, 3), the joints in the
    world, mm; pose_uvd (clip_size, num_joints, 3), x and y in the picture, px, and
    depth, mm; camera (21,), see `Camera.serialize`; action (1,), the number in the
    sequence's name less 1, which is its index in `action_labels`. Neither pose is ever
    mirrored; joints that are not known are INVALID.

    Raises:
        FileNotFoundError: if the annotations or the folder of pictures are missing.
            Pictures are looked for when they are read; see `missing_pictures`.
        ValueError: if an argument or the annotations are not as they should be.

    Source: deephar/data/human36m.py of https://github.com/dluvizon/deephar.
    """

    pattern = "images/{name}/{number:05d}.jpg"
    unused_actions = (ACTION_LABELS.index("All"),)

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any = pa17j3d,
        topology: str = "sequences",
        clip_size: int = 16,
        cache: PictureCache | None = None,
        remove_outer_joints: bool = True,
    ):
        super().__init__(
            *(dataset_path, dataconf, poselayout, topology, clip_size),
            *(remove_outer_joints, cache),
        )
        self._check_layout("map_from_h36m")
        path = os.path.join(self.dataset_path, "annotations.mat")
        parts, self.action_labels, self.joint_labels = read_human36m(path)
        self._take(
            dict(enumerate(parts)),
            {
                mode: [len(one.frames) for one in part]
                for mode, part in enumerate(parts)
            },
        )
        self._check_folder("images", "datasets/Human3.6M/README.md")

    def _shapes(self):
        clip, joints = self.clip_shape(), self.poselayout.num_joints
        return {
            **super()._shapes(),
            "pose_w": (*clip, joints, 3),
            "pose_uvd": (*clip, joints, 3),
            "camera": (21,),
            "action": (1,),
        }

    def name_of(self, sequence, mode):
        """Returns the name of a sequence, `"a02_s01_e01_c01"`."""
        return self.sequences[mode][sequence].name

    def action_of(self, sequence, mode):
        """Returns the index of a sequence's action; Directions is 1."""
        return self.sequences[mode][sequence].action

    def _numbers(self, sequence, mode):
        return self.sequences[mode][sequence].frames

    def clip(self, sequence, mode, frames):
        """Returns some frames of a sequence; both count from 0."""
        one, frames = self.sequences[mode][sequence], list(frames)
        world = one.poses[frames][:, self.poselayout.map_from_h36m]
        uvd = one.camera.project(world.reshape(-1, 3)).reshape(world.shape)

        def box(scale):
            if not np.isfinite(uvd[0, 0]).all():
                raise AnnotationError(
                    f"{one.name}, frame {frames[0]}",
                    "the root joint must be known to place a window. "
                    f"Received: {world[0, 0].tolist()}",
                )
            center, size, _ = get_crop_params(uvd[:, 0], one.size, one.camera.f, scale)
            return objposwin_to_bbox(center, size)

        known = np.isfinite(world).all(axis=-1, keepdims=True)
        return Clip(
            pictures=self._paths(sequence, mode, one.frames[frames]),
            size=one.size,
            joints=uvd,
            box=box,
            root_depth=float(uvd[0, 0, 2]),
            labels={
                "camera": one.camera.serialize(),
                "action": np.array([one.action]),
            },
            tracks={
                "pose_w": np.where(known, world, INVALID),
                "pose_uvd": np.where(known, uvd, INVALID),
            },
        )
