"""Tracks of key points and the motion in space that they belong to.

What temporal lifting learns from and is measured on: the .npz files of
`deephar.data.lifting_format`, seen by the cameras of `deephar.data.lifting_cameras`.
Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019.
"""

import dataclasses
import logging
import os
import zlib
from collections.abc import Collection, Mapping

import numpy as np

from deephar.data.lifting_cameras import (
    LensCamera,
    human36m_cameras,
    level_camera,
    read_lens_cameras,
)
from deephar.data.lifting_format import (
    CUSTOM,
    KeyPoints,
    Layout,
    Positions,
    keypoints_path,
    positions_path,
    read_keypoints_2d,
    read_positions_3d,
)
from deephar.data.lifting_skeletons import (
    HUMAN36M_SKELETON,
    HUMANEVA_SKELETON,
    KEPT_JOINTS,
    Skeleton,
)
from deephar.data.records import finite
from deephar.utils.camera import normalize_screen

__all__ = [
    "DATASETS",
    "LensCamera",
    "LiftingData",
    "Sequence",
    "Skeleton",
    "base_action",
    "open_lifting_data",
]

logger = logging.getLogger(__name__)

DATASETS = ("h36m", "humaneva15", CUSTOM)
_SKELETONS = {"h36m": HUMAN36M_SKELETON, "humaneva15": HUMANEVA_SKELETON}
_RATES = {"h36m": 50.0, "humaneva15": 60.0}


@dataclasses.dataclass(frozen=True, eq=False)
class Sequence:
    """What one camera saw of one take.

    Attributes:
        subject: The person, `S1`; of a custom file the video.
        action: The take, `Walking 1`.
        camera: Which of the person's cameras, from 0.
        keypoints: float32 (frames, key points, 2), normalised to a width of [-1, 1].
        positions: float32 (frames, joints, 3), m, by the camera's axes: joint 0 is the
            root's place, the others are relative to it. None where not known or not
            to be used.
        intrinsics: float32 (9,), the lens; None where not known.
    """

    subject: str
    action: str
    camera: int
    keypoints: np.ndarray
    positions: np.ndarray | None = None
    intrinsics: np.ndarray | None = None


def base_action(take: str) -> str:
    """Returns the action of a take: `Walking` of `Walking 1`."""
    return take.split(" ")[0]


class LiftingData:
    """The tracks of a data set; made by `open_lifting_data`.

    Attributes:
        dataset: `h36m`, `humaneva15` or `custom`.
        skeleton: Joints of the poses in space; of a custom file Human3.6M's.
        layout: The key points' `deephar.data.lifting_format.Layout`.
        cameras: {subject: [LensCamera]}.
        positions: {subject: {take: float32 (frames, joints, 3), m, in the world}};
            empty where there are none.
        keypoints: {subject: {take: [float32 (frames, key points, 2), px, by camera]}},
            cut to as many frames as positions have.
        fps: Pictures a second; None for a custom file, whose layout may have them.
    """

    def __init__(
        self,
        dataset: str,
        keypoints: KeyPoints,
        layout: Layout,
        cameras: Mapping[str, list[LensCamera]],
        positions: Positions | None = None,
    ):
        self.dataset = dataset
        self.skeleton: Skeleton = _SKELETONS.get(dataset, HUMAN36M_SKELETON)
        self.layout = layout
        self.cameras = cameras
        self.positions = positions or {}
        self.fps = _RATES.get(dataset)
        self.keypoints = self._cut(keypoints)

    @property
    def keypoints_left(self) -> tuple[int, ...]:
        """Rows of the key points of the person's left side."""
        return self.layout.left

    @property
    def keypoints_right(self) -> tuple[int, ...]:
        """Rows of the key points of the right side, in the same order."""
        return self.layout.right

    @property
    def layout_name(self) -> str:
        """Name of the layout of the key points; may be empty."""
        return self.layout.name

    @property
    def num_keypoints(self) -> int:
        """How many key points there are."""
        return self.layout.num_keypoints

    @property
    def subjects(self) -> list[str]:
        """The people with key points and cameras."""
        return list(self.keypoints)

    def takes(self, subject: str, actions: Collection[str] | None = None) -> list[str]:
        """Returns the takes of a subject that belong to some actions.

        Args:
            subject: One of `subjects`.
            actions: Names of actions (`Walking`), of takes (`Walking 1`), or
                beginnings of the name of just one of the data set's actions (`Walk` in
                HumanEva). None for all.

        Raises:
            ValueError: if there is no such subject or no such action.
        """
        if subject not in self.keypoints:
            raise ValueError(
                f"the subjects must be among {', '.join(self.subjects)}, which have "
                f"key points and cameras. Received: {subject}"
            )
        takes = list(self.keypoints[subject])
        if actions is None:
            return takes
        wanted = {self._action(name) for name in actions}
        return [take for take in takes if take in wanted or base_action(take) in wanted]

    def sequences(
        self,
        subjects: Collection[str],
        actions: Collection[str] | None = None,
        subset: float = 1.0,
        downsample: int = 1,
        labelled: bool = True,
    ) -> list[Sequence]:
        """Returns what the cameras saw, in the order subject, take, camera.

        Args:
            subjects: The people.
            actions: See `takes`.
            subset: Share of each take's frames, in (0, 1], that is used: one piece of
                it, the same in every camera and every time.
            downsample: Every so many frames is used.
            labelled: Whether poses in space are wanted; takes without are left out.

        Raises:
            ValueError: if a subject or action is not there, nothing is left of a
                subject, key points or poses are NaN, or an argument is out of range.
        """
        if not 0 < subset <= 1:
            raise ValueError(f"`subset` must be in (0, 1]. Received: subset={subset}")
        if downsample < 1:
            raise ValueError(
                f"`downsample` must be at least 1. Received: downsample={downsample}"
            )
        found = []
        for subject in subjects:
            for take in self._some_takes(subject, actions, labelled):
                found += self._views(subject, take, subset, downsample, labelled)
        if not found:
            raise ValueError("`subjects` must name people. Received: none")
        return found

    def _some_takes(self, subject, actions, labelled) -> list[str]:
        """Returns the takes to use; tells of actions that the subject has none of."""

        def usable(wanted):
            takes = self.takes(subject, wanted)
            known = self.positions.get(subject, {}) if labelled else takes
            return [take for take in takes if take in known]

        takes, kind = usable(actions), " with poses in space" * labelled
        if not takes:
            raise ValueError(
                f"{subject} must have takes{kind} of the actions "
                f"{', '.join(actions or ['*'])}. Received: none"
            )
        lacking = [name for name in actions or () if not usable([name])]
        if lacking:
            logger.warning("%s has no takes%s of %s", subject, kind, ", ".join(lacking))
        return takes

    def _views(self, subject, take, subset, downsample, labelled) -> list[Sequence]:
        owner = f"{subject}, {take}"
        world = self.positions[subject][take] if labelled else None
        if labelled:
            finite(owner, "positions", world, "")
        views = []
        for number, view in enumerate(self.keypoints[subject][take]):
            camera = self.cameras[subject][number]
            finite(f"{owner}, camera {number}", "keypoints", view, "")
            part = _part(owner, len(view), subset, downsample)
            views.append(
                Sequence(
                    *(subject, take, number),
                    normalize_screen(view[part], camera.size),
                    _seen(world[part], camera) if labelled else None,
                    camera.intrinsics,
                )
            )
        return views

    def _action(self, name: str) -> str:
        takes = {take for views in self.keypoints.values() for take in views}
        known = sorted({base_action(take) for take in takes})
        if name in takes or name in known:
            return name
        begun = [action for action in known if action.startswith(name)]
        if name and len(begun) == 1:
            return begun[0]
        raise ValueError(
            f"an action must be one of {', '.join(known)}, or a beginning that only "
            f"one of them has. Received: {name!r}"
        )

    def _cut(self, keypoints: KeyPoints) -> KeyPoints:
        """Compares key points with cameras and positions, and makes them as long."""
        for subject, takes in self.positions.items():
            lacking = [take for take in takes if take not in keypoints.get(subject, {})]
            if lacking and subject in keypoints:
                raise ValueError(
                    f"{subject} must have key points of every take. Received: none of "
                    f"{', '.join(lacking[:3])}"
                )
        cut: KeyPoints = {}
        alone = []
        for subject, takes in keypoints.items():
            known = self.positions.get(subject, {})
            cut[subject] = {
                take: self._cut_take(subject, take, views, known.get(take))
                for take, views in takes.items()
            }
            alone += [
                f"{subject} {take}" for take in takes if known and take not in known
            ]
        if alone:
            logger.warning("no poses in space of %s", ", ".join(alone))
        return cut

    def _cut_take(self, subject, take, views, world) -> list[np.ndarray]:
        owner, cameras = f"{subject}, {take}", self.cameras.get(subject, ())
        if len(views) != len(cameras):
            raise ValueError(
                f"{owner} must have key points of {len(cameras)} cameras. "
                f"Received: of {len(views)}"
            )
        if world is None:
            return list(views)
        short = [len(view) for view in views if len(view) < len(world)]
        if short:
            raise ValueError(
                f"{owner} must have key points of as many frames as poses, "
                f"{len(world)}. Received: {short[0]}"
            )
        return [view[: len(world)] for view in views]


def open_lifting_data(
    folder: str | os.PathLike,
    dataset: str = "h36m",
    keypoints: str = "cpn_ft_h36m_dbb",
    cameras: str | os.PathLike | None = None,
) -> LiftingData:
    """Opens data_2d_DATASET_KEYPOINTS.npz and data_3d_DATASET.npz.

    Custom files have no poses in space. People whose cameras are not known are left
    out, and named in the log.

    Args:
        folder: Where the files lie.
        dataset: One of `DATASETS`.
        keypoints: Name of the key points.
        cameras: A file of cameras (`deephar.data.lifting_cameras`). None for those of
            Human3.6M, or for a level one where a custom file's are not known;
            HumanEva's must be given.

    Raises:
        OSError: if a file is not there or cannot be read.
        ValueError: if `dataset` is none of those, cameras are needed or known of
            nobody, or a file is not as it should be.
    """
    if dataset not in DATASETS:
        raise ValueError(
            f"`dataset` must be one of {', '.join(DATASETS)}. "
            f"Received: dataset={dataset!r}"
        )
    path = keypoints_path(folder, dataset, keypoints)
    points, layout = read_keypoints_2d(path)
    seen_by = _cameras(path, dataset, points, layout, cameras)
    points = {subject: takes for subject, takes in points.items() if subject in seen_by}
    positions = None
    if dataset != CUSTOM:
        joints_path = positions_path(folder, dataset)
        positions = _joints(joints_path, dataset, read_positions_3d(joints_path))
    try:
        return LiftingData(dataset, points, layout, seen_by, positions)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _cameras(path, dataset, keypoints, layout, file) -> dict[str, list[LensCamera]]:
    if file is not None:
        given = read_lens_cameras(file)
    elif dataset == "h36m":
        given = human36m_cameras()
    elif dataset == CUSTOM:
        given = {
            video: [level_camera((values["w"], values["h"]))]
            for video, values in layout.videos.items()
        }
    else:
        raise ValueError(
            f"`cameras` must be given for {dataset}, whose calibration is not part of "
            "deephar: a JSON file, see datasets/lifting/README.md"
        )
    found = {}
    for subject in keypoints:
        cameras = given.get(subject) or given.get(subject.rsplit("/", 1)[-1])
        if cameras:
            found[subject] = cameras
    without = ", ".join(subject for subject in keypoints if subject not in found)
    source = file or ("its video_metadata" if dataset == CUSTOM else "deephar")
    if not found:
        raise ValueError(
            f"{path}: cameras must be known of its subjects. Received: {without}, of "
            f"whom {source} has none"
        )
    if without:
        logger.warning("%s: left out are %s, no cameras in %s", path, without, source)
    return found


def _joints(path, dataset, positions: Positions) -> Positions:
    """Returns the joints that remain; ValueError if there are too few or too many."""
    count = len(_SKELETONS[dataset].parents)
    found = next(iter(next(iter(positions.values())).values())).shape[1]
    if dataset == "h36m" and found == 32:
        return {
            subject: {take: array[:, KEPT_JOINTS] for take, array in takes.items()}
            for subject, takes in positions.items()
        }
    if found != count:
        raise ValueError(
            f"{path} must have {'32 or ' * (dataset == 'h36m')}{count} joints. "
            f"Received: {found}"
        )
    return positions


def _part(name: str, length: int, subset: float, downsample: int) -> slice:
    """Returns which frames of a take are used; where they begin depends on its name."""
    count = max(1, round(length * subset))
    start = zlib.crc32(name.encode()) % (length - count + 1)
    return slice(start, start + count, downsample)


def _seen(world: np.ndarray, camera: LensCamera) -> np.ndarray:
    """Returns joints by the camera's axes, all but the root relative to it."""
    joints = camera.to_axes(world)
    joints[:, 1:] -= joints[:, :1]
    return joints
