"""The .npz files of temporal lifting: joints in the world and key points in pictures.

data_3d_h36m.npz, data_3d_humaneva15.npz

    positions_3d    {subject: {take: (frames, joints, 3)}}, m, in the world

data_2d_h36m_NAME.npz, data_2d_humaneva15_NAME.npz, data_2d_custom_NAME.npz

    positions_2d    {subject: {take: [(frames, key points, 2) of each camera]}}, px
    metadata        {"layout_name": "coco", "num_joints": 17,
                     "keypoints_symmetry": [left, right],
                     "video_metadata": {subject: {"w": 1920, "h": 1080}}}

`keypoints_symmetry` has the rows of the person's left side and, in the same order, of
the right. A custom file has the name of a video as subject and `custom` as its only
take, and only it has `video_metadata`; `fps` in it is ours, and others pass over it.
`layout_name` may be missing, and `num_joints`, which is not read.

Dictionaries are pickled in these files; nothing that a pickle asks for is run.
Source: the files of VideoPose3D (Pavllo et al., CVPR 2019).
"""

import dataclasses
import logging
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deephar.data.records import are_numbers
from deephar.utils.fs import whole_file
from deephar.utils.messages import shown
from deephar.utils.npz import restricted_npz_object

logger = logging.getLogger(__name__)

Positions = dict[str, dict[str, np.ndarray]]
KeyPoints = dict[str, dict[str, list[np.ndarray]]]

CUSTOM = "custom"
"""The only take of a video in a custom file."""
_SIDES = "lists of rows of the left and of the right side, in the same order"


@dataclasses.dataclass(frozen=True)
class Layout:
    """What the key points of a file are.

    Attributes:
        num_keypoints: How many.
        left: Rows of the person's left side.
        right: Rows of the right side, in the same order.
        name: Such as `coco`; empty where nothing is said.
        videos: {subject: {"w", "h", perhaps "fps"}} of a custom file.
    """

    num_keypoints: int
    left: tuple[int, ...] = ()
    right: tuple[int, ...] = ()
    name: str = ""
    videos: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = [*self.left, *self.right]
        whole = all(type(n) is int and 0 <= n < self.num_keypoints for n in rows)
        if not whole or len(set(rows)) < len(rows) or len(self.left) != len(self.right):
            raise ValueError(
                f"`keypoints_symmetry` must be {_SIDES}, of {self.num_keypoints} key "
                f"points. Received: {shown(self.left)}, {shown(self.right)}"
            )
        for video, values in self.videos.items():
            size = [values.get(name) for name in ("w", "h")]
            if not are_numbers(size, (2,)) or not all(0 < v < 2**31 for v in size):
                raise ValueError(
                    f"`video_metadata` of {video} must have the picture's w and h, px. "
                    f"Received: {shown(values)}"
                )


def positions_path(folder: str | os.PathLike, dataset: str) -> pathlib.Path:
    """Returns where the joints of a data set lie."""
    return pathlib.Path(folder) / f"data_3d_{dataset}.npz"


def keypoints_path(folder: str | os.PathLike, dataset: str, name: str) -> pathlib.Path:
    """Returns where key points of a data set lie."""
    return pathlib.Path(folder) / f"data_2d_{dataset}_{name}.npz"


def read_positions_3d(path: str | os.PathLike) -> Positions:
    """Reads joints in the world.

    Returns:
        {subject: {take: float32 array (frames, joints, 3), m}}; joints that are not
        known are NaN.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file and the take, if it is laid out otherwise or
            damaged, or the takes differ in their number of joints.
    """
    people = _read(path, "positions_3d")
    positions = {
        str(subject): {
            str(take): _frames(f"{path}, {subject}, {take}", array, 3)
            for take, array in takes.items()
        }
        for subject, takes in people.items()
    }
    _check_same(path, "joints", [a for p in positions.values() for a in p.values()])
    return positions


def read_keypoints_2d(path: str | os.PathLike) -> tuple[KeyPoints, Layout]:
    """Reads key points in pictures.

    Of more than two columns the first two are taken, and a line is logged.

    Returns:
        ({subject: {take: [float32 array (frames, key points, 2), px, by camera]}},
        their layout).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file and the take, if it is laid out otherwise or
            damaged, or the takes differ in their number of key points.
    """
    people = _read(path, "positions_2d")
    keypoints: KeyPoints = {}
    columns = set()
    for subject, takes in people.items():
        keypoints[str(subject)] = {}
        for take, views in takes.items():
            owner = f"{path}, {subject}, {take}"
            if not isinstance(views, list | tuple | np.ndarray) or not len(views):
                raise ValueError(
                    f"{owner} must be a list of an array for each camera. "
                    f"Received: {shown(views)}"
                )
            arrays = [_frames(owner, view, 2) for view in views]
            columns |= {array.shape[-1] for array in arrays}
            keypoints[str(subject)][str(take)] = [a[..., :2] for a in arrays]
    if columns - {2}:
        logger.info("%s: of %d columns the first 2 are taken", path, max(columns))
    everything = [a for p in keypoints.values() for v in p.values() for a in v]
    _check_same(path, "key points", everything)
    return keypoints, _layout(path, everything[0].shape[1])


def write_positions_3d(
    path: str | os.PathLike, positions: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """Writes joints in the world, whole or not at all.

    Args:
        path: The file; its folder must exist.
        positions: {subject: {take: array (frames, joints, 3), m}}.

    Raises:
        ValueError: if they are laid out otherwise.
    """
    people = {
        subject: {
            take: _frames(f"{subject}, {take}", array, 3)
            for take, array in takes.items()
        }
        for subject, takes in positions.items()
    }
    _check_same("positions", "joints", [a for p in people.values() for a in p.values()])
    _save(path, positions_3d=people)


def write_keypoints_2d(
    path: str | os.PathLike,
    keypoints: Mapping[str, Mapping[str, Sequence[np.ndarray]]],
    layout: Layout,
) -> None:
    """Writes key points in pictures, whole or not at all.

    Args:
        path: The file; its folder must exist.
        keypoints: {subject: {take: [array (frames, key points, 2), px, by camera]}}.
        layout: What the key points are.

    Raises:
        ValueError: if they are laid out otherwise.
    """
    people = {
        subject: {
            take: [_frames(f"{subject}, {take}", view, 2) for view in views]
            for take, views in takes.items()
        }
        for subject, takes in keypoints.items()
    }
    everything = [a for p in people.values() for v in p.values() for a in v]
    _check_same("keypoints", "key points", everything)
    if everything[0].shape[1] != layout.num_keypoints:
        raise ValueError(
            f"`keypoints` must have {layout.num_keypoints} key points, as `layout` "
            f"says. Received: {everything[0].shape[1]}"
        )
    metadata: dict[str, Any] = {
        "layout_name": layout.name,
        "num_joints": layout.num_keypoints,
        "keypoints_symmetry": [list(layout.left), list(layout.right)],
    }
    if layout.videos:
        metadata["video_metadata"] = {k: dict(v) for k, v in layout.videos.items()}
    _save(path, positions_2d=people, metadata=metadata)


def _read(path: str | os.PathLike, name: str) -> dict:
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such file: {path}. See datasets/lifting/README.md")
    people = restricted_npz_object(path, name)
    takes = people.values() if isinstance(people, dict) else [None]
    if not people or not all(isinstance(one, dict) and one for one in takes):
        raise ValueError(
            f"{path}: {name} must be a dictionary of people, of dictionaries of takes. "
            f"Received: {shown(people)}"
        )
    return people


def _frames(owner: str, value: Any, columns: int) -> np.ndarray:
    """Returns (frames, points, at least `columns`) as float32."""
    array = value if isinstance(value, np.ndarray) else np.asarray(())
    exact = array.shape[-1:] == (3,) if columns == 3 else array.shape[-1:] >= (2,)
    if array.ndim != 3 or array.dtype.kind not in "iuf" or not exact or not array.size:
        raise ValueError(
            f"{owner} must be an array (frames, points, {columns}) of numbers. "
            f"Received: {shown(value)}"
        )
    if np.isinf(array).any():
        raise ValueError(f"{owner} must be finite or NaN. Received: infinity")
    return array.astype(np.float32, copy=False)


def _check_same(owner: Any, what: str, arrays: Sequence[np.ndarray]) -> None:
    counts = sorted({array.shape[1] for array in arrays})
    if len(counts) != 1:
        raise ValueError(
            f"{owner}: all takes must have the same number of {what}. "
            f"Received: {counts or 'no take'}"
        )


def _layout(path: str | os.PathLike, num_keypoints: int) -> Layout:
    metadata = restricted_npz_object(path, "metadata")
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: metadata must be a dictionary")
    sides = metadata.get("keypoints_symmetry")
    videos = metadata.get("video_metadata", {})
    if not isinstance(sides, list | tuple | np.ndarray) or len(sides) != 2:
        raise ValueError(
            f"{path}: metadata must have keypoints_symmetry, {_SIDES}. "
            f"Received: {shown(sides)}"
        )
    if not isinstance(videos, dict) or not all(
        isinstance(one, dict) for one in videos.values()
    ):
        raise ValueError(f"{path}: video_metadata must be a dictionary of dictionaries")
    try:
        left, right = (tuple(np.asarray(side).tolist()) for side in sides)
        name = str(metadata.get("layout_name", ""))
        videos = {str(key): one for key, one in videos.items()}
        return Layout(num_keypoints, left, right, name, videos)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _save(path: str | os.PathLike, **objects: Any) -> None:
    with whole_file(path) as file:
        np.savez_compressed(file, **objects)
