"""What Penn Action and NTU RGB+D share: clips of an action, boxes of three kinds."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data.boxes import FrameBoxes, read_boxes
from deephar.data.cache import PictureCache
from deephar.data.clips import ClipDataset
from deephar.utils.bbox import get_gt_bbox, objposwin_to_bbox

LABELS = {"pennaction": 15, "ntuaction": 60}
"""Keys of the actions in samples, and how many the data sets have. A sample has both,
one of them all zeros."""


class ActionDataset(ClipDataset):
    """Clips of actions.

    The window is square around the annotated joints of the first, middle and last frame
    (`use_gt_bbox`), the box of a file around the clip's frames (`pred_bboxes_file`), or
    as wide as the longer side of the picture.

    Args:
        dataset_path, dataconf, poselayout, topology, clip_size, remove_outer_joints,
            cache: As of `ClipDataset`.
        use_gt_bbox: Whether windows lie around the annotated joints.
        pose_only: Whether to leave the pictures unread; samples have no `frame`.
        pred_bboxes_file: File of boxes by frame, see `deephar.data.boxes`; its path
            from the data set's folder, or else from the working folder.

    Raises:
        FileNotFoundError: if the file of boxes is missing.
        ValueError: if an argument breaks these rules.
    """

    label: str
    """The key of `LABELS` that is this data set's own."""

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any,
        topology: str = "sequences",
        use_gt_bbox: bool = False,
        remove_outer_joints: bool = True,
        clip_size: int = 16,
        pose_only: bool = False,
        pred_bboxes_file: str | os.PathLike | None = None,
        cache: PictureCache | None = None,
    ):
        super().__init__(
            *(dataset_path, dataconf, poselayout, topology, clip_size),
            *(remove_outer_joints, cache),
        )
        self.use_gt_bbox = use_gt_bbox
        self.pose_only = pose_only
        self.pred_bboxes: FrameBoxes | None = None
        if pred_bboxes_file is None:
            return
        if use_gt_bbox:
            raise ValueError(
                "`pred_bboxes_file` must be None with `use_gt_bbox`. "
                f"Received: pred_bboxes_file={os.fspath(pred_bboxes_file)!r}"
            )
        path = os.path.join(self.dataset_path, pred_bboxes_file)
        if not os.path.isfile(path) and os.path.isfile(pred_bboxes_file):
            path = os.fspath(pred_bboxes_file)
        boxes = read_boxes(path)
        if not isinstance(boxes, FrameBoxes):
            raise ValueError(
                f"`pred_bboxes_file` must hold boxes by frame; those by clip are given "
                f"to `get_data` one by one. Received: {path}"
            )
        self.pred_bboxes = boxes

    def _shapes(self):
        return {
            **super()._shapes(),
            **{name: (number,) for name, number in LABELS.items()},
            self.label: (len(self.action_labels),),
        }

    def _actions(self, action: int) -> dict[str, np.ndarray]:
        """Returns both labels of an action of this data set."""
        labels = {name: np.zeros(self.get_shape(name), np.float32) for name in LABELS}
        labels[self.label][action] = 1
        return labels

    def _box_of(
        self,
        sequence: int,
        mode: int,
        frames: Sequence[int],
        joints: np.ndarray,
        size: tuple[int, int],
    ):
        """Returns the function from the window's scale to the clip's box."""

        def box(scale):
            if self.use_gt_bbox:
                known = np.isfinite(joints).all(axis=-1)
                name = self.name_of(sequence, mode)
                return get_gt_bbox(joints[..., :2], known, size, scale, name)
            if self.pred_bboxes is not None:
                return self.pred_bboxes.clip_box(mode, sequence, frames)
            side = scale * max(size)
            return objposwin_to_bbox((size[0] / 2, size[1] / 2), (side, side))

        return box
