"""NTU RGB+D, from a file of joints for each video.

The layout of the files is described in `deephar.data.ntu_format`; makers of them are in
datasets/NTU.
"""

import dataclasses
import logging
import os
from typing import Any

import numpy as np

from deephar.config import DataConfig
from deephar.data import ntu_format
from deephar.data.actions import ActionDataset
from deephar.data.cache import PictureCache
from deephar.data.clips import Clip
from deephar.data.pictures import AnnotationError
from deephar.utils.modes import TEST_MODE, TRAIN_MODE
from deephar.utils.pose import pa20j3d

logger = logging.getLogger(__name__)

ACTION_LABELS = ntu_format.ACTIONS
"""Names of the actions, in order."""
JOINT_LABELS = ntu_format.JOINT_NAMES
"""Names of the sensor's joints, in order."""
VIEWPOINT_LABELS = ("cam1", "cam2", "cam3")
"""Names of the cameras, in order."""
PROTOCOLS = ("cs", "cv")
"""Cross-subject and cross-view."""


@dataclasses.dataclass(frozen=True)
class NtuSequence:
    """A video that is there.

    Attributes:
        name: SsssCcccPpppRrrrAaaa.
        path: The file of its joints.
        num_frames: Its frames, those passed over not counted.
    """

    name: str
    path: str
    num_frames: int


class Ntu(ActionDataset):
    """Videos of NTU RGB+D: 60 actions, 25 joints with depth, three cameras.

    The folder holds `nturgb+d_numpy/NAME.npy` and, of half the size, the pictures
    `images-small/NAME/%05d.jpg`. The files of joints are read when they are needed;
    those of actions beyond the 60 are passed over, and counted in the log. The range of
    depth is a metre to either side of the first joint's mean (or of all joints', where
    it is not known) times the window's scale. There are videos in TEST_MODE and
    TRAIN_MODE.

    Args:
        dataset_path: The folder.
        dataconf: Size of the crop, augmentation, steps between frames.
        poselayout: Layout of the poses; it must have `map_from_ntu`. Joints with a
            coordinate of 0 or less are INVALID, as in the original.
        topology: `"sequences"` for clips, `"frames"`.
        use_gt_bbox, pred_bboxes_file: The kind of box, see
            `deephar.data.actions.ActionDataset`.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        clip_size: Frames of a clip.
        pose_only: Whether to leave the pictures unread; samples have no `frame`.
        num_S: Number of the last setup to use; of NTU RGB+D 60 there are 17.
        protocol: `"cs"` for training on some people and test on the others, `"cv"` for
            training on the cameras 2 and 3 and test on 1.
        video_subsample: Step between the frames that are used at all: 2 in the
            original's branch master, None (all) in cvpr18, which made the published
            weights of the merged model. The steps of `dataconf` count in what is left.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.

    Samples have two further keys: ntuaction (60,), 1.0 at the action, and pennaction
    (15,), all 0.

    Raises:
        FileNotFoundError: if the folders or the file of boxes are missing. Pictures are
            looked for when they are read; see `missing_pictures`.
        ValueError: if an argument is not as it should be, or a file of joints has a
            name or a shape of another kind.

    Source: deephar/data/ntu.py of https://github.com/dluvizon/deephar.
    """

    pattern = "images-small/{name}/{number:05d}.jpg"
    label = "ntuaction"
    action_labels = ACTION_LABELS
    joint_labels = JOINT_LABELS

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any = pa20j3d,
        topology: str = "sequences",
        use_gt_bbox: bool = False,
        remove_outer_joints: bool = True,
        clip_size: int = 16,
        pose_only: bool = False,
        num_S: int = 17,
        protocol: str = "cs",
        video_subsample: int | None = None,
        pred_bboxes_file: str | os.PathLike | None = None,
        cache: PictureCache | None = None,
    ):
        super().__init__(
            *(dataset_path, dataconf, poselayout, topology, use_gt_bbox),
            *(remove_outer_joints, clip_size, pose_only, pred_bboxes_file, cache),
        )
        self._check_layout("map_from_ntu")
        for name, value in (("num_S", num_S), ("video_subsample", video_subsample)):
            if not (value is None and name == "video_subsample") and (
                not isinstance(value, int | np.integer) or value < 1
            ):
                raise ValueError(
                    f"`{name}` must be an integer of at least 1. "
                    f"Received: {name}={value!r}"
                )
        if protocol not in PROTOCOLS:
            raise ValueError(
                f"`protocol` must be one of {PROTOCOLS}. Received: {protocol=}"
            )
        self.protocol = protocol
        self.video_subsample = video_subsample
        self._check_folder(ntu_format.FOLDER, "datasets/NTU/README.md")
        if not pose_only:
            self._check_folder("images-small", "datasets/NTU/README.md")
        sequences = self._list(num_S)
        self._take(
            sequences,
            {
                mode: [one.num_frames for one in part]
                for mode, part in sequences.items()
            },
        )

    def files(self) -> list[str]:
        """Returns the names of the files of joints, in order."""
        found = sorted(os.listdir(os.path.join(self.dataset_path, ntu_format.FOLDER)))
        return [one for one in found if one.endswith(".npy") and one[0] != "."]

    def _list(self, last_setup: int) -> dict[int, list[NtuSequence]]:
        """Lists the files of joints by mode."""
        folder = os.path.join(self.dataset_path, ntu_format.FOLDER)
        sequences: dict[int, list] = {TEST_MODE: [], TRAIN_MODE: []}
        beyond = 0
        for file in self.files():
            name, path = os.path.splitext(file)[0], os.path.join(folder, file)
            try:
                setup, camera, person, _, action = ntu_format.parse_name(name, 999)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
            if setup > last_setup:
                continue
            if action > len(ACTION_LABELS):
                beyond += 1
                continue
            if self.protocol == "cs":
                train = person in ntu_format.CROSS_SUBJECT_TRAIN
            else:
                train = camera in ntu_format.CROSS_VIEW_TRAIN
            count = -(-ntu_format.count_frames(path) // (self.video_subsample or 1))
            one = NtuSequence(name, path, count)
            sequences[TRAIN_MODE if train else TEST_MODE].append(one)
        if beyond:
            logger.warning(
                "%s: passed over %d files of actions beyond A%03d",
                *(folder, beyond, len(ACTION_LABELS)),
            )
        return sequences

    def name_of(self, sequence, mode):
        """Returns the name of a video, `"S001C001P001R001A001"`."""
        return self.sequences[mode][sequence].name

    def action_of(self, sequence, mode):
        """Returns the index of a video's action, from 0."""
        return ntu_format.parse_name(self.name_of(sequence, mode))[-1] - 1

    def _numbers(self, sequence, mode):
        return self._video(sequence, mode)[0]

    def _video(self, sequence, mode):
        """Returns the numbers (n,) and joints (n, 25, 3) of the frames used."""
        one = self.sequences[mode][sequence]
        try:
            video = ntu_format.read_ntu(one.path)
        except (OSError, ValueError) as error:
            raise AnnotationError(one.path, str(error)) from error
        step = self.video_subsample or 1
        numbers, image = video.frames[::step], video.image[::step]
        if len(numbers) != one.num_frames:
            raise AnnotationError(
                one.path, f"it had {one.num_frames} frames, and now {len(numbers)}"
            )
        return numbers, image

    def blank_clip(self, sequence, mode, frames):
        """Returns what a video's name tells; see `ClipDataset.blank_clip`."""
        joints = (len(frames), self.poselayout.num_joints, self.poselayout.dim)
        whole = np.array([0.0, 0.0, *ntu_format.SMALL_SIZE])
        return Clip(
            pictures=[self.sequences[mode][sequence].path] * len(frames),
            size=ntu_format.SMALL_SIZE,
            joints=np.full(joints, np.nan),
            box=lambda scale: whole,
            labels=self._actions(self.action_of(sequence, mode)),
        )

    def clip(self, sequence, mode, frames):
        """Returns some frames of a video; both count from 0."""
        frames, (numbers, image) = list(frames), self._video(sequence, mode)
        joints = image[frames][:, self.poselayout.map_from_ntu, : self.poselayout.dim]
        joints[..., :2] /= 2  # to the small pictures
        known = (joints > 0).all(axis=-1, keepdims=True)
        joints = np.where(known, joints, np.nan)
        return Clip(
            pictures=self._paths(sequence, mode, numbers[frames]),
            size=ntu_format.SMALL_SIZE,
            joints=joints,
            box=self._box_of(sequence, mode, frames, joints, ntu_format.SMALL_SIZE),
            root_depth=_root_depth(joints[..., 2:]),
            labels=self._actions(self.action_of(sequence, mode)),
        )


def _root_depth(depth: np.ndarray) -> float:
    """Returns the mean depth of the first joint, or of all; NaN where none is known."""
    for some in (depth[:, :1], depth):
        if np.isfinite(some).any():
            return float(np.nanmean(some))
    return np.nan
