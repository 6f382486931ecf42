"""Penn Action, from the original's annotations.mat.

The layout of the file is described in `deephar.data.pennaction_format`; makers of it
are in datasets/PennAction.
"""

import os
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.actions import ActionDataset
from deephar.data.cache import PictureCache
from deephar.data.clips import Clip
from deephar.data.pennaction_format import ACTIONS, JOINT_NAMES, read_pennaction
from deephar.utils.modes import TEST_MODE, TRAIN_MODE
from deephar.utils.pose import pa16j2d

ACTION_LABELS = ACTIONS
"""Names of the actions, in order."""


class PennAction(ActionDataset):
    """Videos of Penn Action: 15 actions, 13 joints in the picture.

    The folder holds `annotations.mat` and `frames/%04d/%06d.jpg`. There are videos in
    TEST_MODE and TRAIN_MODE.

    Args:
        dataset_path: The folder.
        dataconf: Size of the crop, augmentation, steps between frames.
        poselayout: Layout of the poses; it must have `map_to_pa13j`. Joints that Penn
            Action has not, those not visible, those with a coordinate of 0 (as in the
            original), and depths are INVALID.
        topology: `"sequences"` for clips, `"frames"`.
        use_gt_bbox, pred_bboxes_file: The kind of box, see
            `deephar.data.actions.ActionDataset`.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        clip_size: Frames of a clip.
        pose_only: Whether to leave the pictures unread; samples have no `frame`.
        output_fullframe: Whether samples have the whole pictures too: `fullframe`
            (clip_size, h, w, 3) in [-1, 1].
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.

    Samples have two further keys: pennaction (15,), 1.0 at the action, and ntuaction
    (60,), all 0.

    Raises:
        FileNotFoundError: if the annotations, the folder of pictures or the file of
            boxes are missing. Pictures are looked for when they are read; see
            `missing_pictures`.
        ValueError: if an argument or the annotations are not as they should be.

    Source: deephar/data/pennaction.py of https://github.com/dluvizon/deephar.
    """

    pattern = "frames/{name}/{number:06d}.jpg"
    label = "pennaction"

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any = pa16j2d,
        topology: str = "sequences",
        use_gt_bbox: bool = False,
        remove_outer_joints: bool = True,
        clip_size: int = 16,
        pose_only: bool = False,
        output_fullframe: bool = False,
        pred_bboxes_file: str | os.PathLike | None = None,
        cache: PictureCache | None = None,
    ):
        super().__init__(
            *(dataset_path, dataconf, poselayout, topology, use_gt_bbox),
            *(remove_outer_joints, clip_size, pose_only, pred_bboxes_file, cache),
        )
        self.output_fullframe = output_fullframe
        self._check_layout("map_to_pa13j")
        path = os.path.join(self.dataset_path, "annotations.mat")
        test, train, self.action_labels = read_pennaction(path)
        self.joint_labels = JOINT_NAMES
        self._take(
            {TEST_MODE: test, TRAIN_MODE: train},
            {
                TEST_MODE: [len(one.frames) for one in test],
                TRAIN_MODE: [len(one.frames) for one in train],
            },
        )
        if not pose_only:
            self._check_folder("frames", "datasets/PennAction/README.md")

    def name_of(self, sequence, mode):
        """Returns the name of a video: its number, `"0001"`."""
        return f"{self.sequences[mode][sequence].number:04d}"

    def action_of(self, sequence, mode):
        """Returns the index of a video's action, from 0."""
        return self.sequences[mode][sequence].action

    def _numbers(self, sequence, mode):
        return self.sequences[mode][sequence].frames

    def clip(self, sequence, mode, frames):
        """Returns some frames of a video; both count from 0."""
        video = self.sequences[mode][sequence]
        frames = list(frames)
        known = video.visible[frames][..., None] & (video.joints[frames] != 0)
        joints = np.full((len(frames), self.poselayout.num_joints, 2), np.nan)
        joints[:, self.poselayout.map_to_pa13j] = np.where(
            known, video.joints[frames], np.nan
        )
        return Clip(
            pictures=self._paths(sequence, mode, video.frames[frames]),
            size=video.size,
            joints=joints,
            box=self._box_of(sequence, mode, frames, joints, video.size),
            labels=self._actions(video.action),
        )
