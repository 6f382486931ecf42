"""What a folder of lifting's files has, and what is wrong with it.

For the command check-data: every file is read, key points are compared with the joints
that they belong to and with the cameras that saw them.
"""

import dataclasses
import os
import pathlib
from typing import Any

import numpy as np

from deephar.data.human36m_positions import THIGH
from deephar.data.lifting import DATASETS, LiftingData, open_lifting_data
from deephar.data.lifting_format import (
    CUSTOM,
    Positions,
    positions_path,
    read_keypoints_2d,
    read_positions_3d,
)
from deephar.utils.pose import h36m17j

_FAR = 50.0
"""Median distance, px, of key points from where their joints are seen that no detector
explains."""
_FEMUR = {"h36m": (1, 2), "humaneva15": (11, 12)}
"""Hip and knee of the right thigh."""


@dataclasses.dataclass
class Inspection:
    """What was found.

    Attributes:
        parts: {file: numbers by what they count}.
        missing: Names of files that others need.
        wrong: What is wrong, a line each.
        extra: What could not be compared, a line each.
    """

    parts: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    missing: list[str] = dataclasses.field(default_factory=list)
    wrong: list[str] = dataclasses.field(default_factory=list)
    extra: list[str] = dataclasses.field(default_factory=list)


def inspect_lifting(
    folder: str | os.PathLike, cameras: str | os.PathLike | None = None
) -> Inspection:
    """Reads all of a folder's data_3d_*.npz and data_2d_*.npz.

    Args:
        folder: The folder.
        cameras: File of the cameras that are not part of deephar, HumanEva's.
    """
    folder, found = pathlib.Path(folder), Inspection()
    files = sorted(folder.glob("data_[23]d_*.npz"))
    for path in files:
        kind, dataset, *name = path.stem.split("_", 3)[1:]
        if dataset not in DATASETS or bool(name) != (kind == "2d"):
            known = f"data_3d_DATASET or data_2d_DATASET_NAME of {', '.join(DATASETS)}"
            found.wrong.append(f"{path.name} must be {known}")
        elif kind == "3d":
            _inspect_joints(path, dataset, found)
        else:
            _inspect_key_points(path, dataset, name[0], cameras, found)
    if not any(path.name.startswith("data_2d") for path in files):
        found.missing.append(os.fspath(folder / "data_2d_h36m_gt.npz"))
    return found


def _inspect_joints(path, dataset, found) -> None:
    try:
        positions = read_positions_3d(path)
    except (OSError, ValueError) as error:
        found.wrong.append(str(error))
        return
    takes = [array for takes in positions.values() for array in takes.values()]
    found.parts[path.name] = {
        "people": len(positions),
        "takes": len(takes),
        "frames": sum(map(len, takes)),
        "joints": takes[0].shape[1],
    }
    found.wrong += _odd_thighs(path, dataset, positions)


def _odd_thighs(path, dataset, positions: Positions) -> list[str]:
    """Returns a line if thighs have no human length: joints are in another unit."""
    odd = []
    for subject, takes in positions.items():
        for take, joints in takes.items():
            ends = joints[:, _FEMUR[dataset]]
            length = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1)
            if not THIGH[0] < np.median(length) * 1000 < THIGH[1]:
                odd.append(f"{subject} {take}, {np.median(length):.4g} m")
    if not odd:
        return []
    return [
        f"{path.name}: the right thigh is not {THIGH[0] / 1000} to {THIGH[1] / 1000} m "
        f"long in {len(odd)} takes, the first {odd[0]}"
    ]


def _inspect_key_points(path, dataset, name, cameras, found) -> None:
    try:
        keypoints, layout = read_keypoints_2d(path)
    except (OSError, ValueError) as error:
        found.wrong.append(str(error))
        return
    views = [v for takes in keypoints.values() for one in takes.values() for v in one]
    lost = sum(int(np.isnan(view).any(axis=(1, 2)).sum()) for view in views)
    numbers = {
        "videos" if dataset == CUSTOM else "people": len(keypoints),
        "takes": sum(map(len, keypoints.values())),
        "views": len(views),
        "frames": sum(map(len, views)),
        "key points": layout.num_keypoints,
    }
    found.parts[path.name] = numbers
    if lost:
        found.wrong.append(f"{path.name}: {lost} frames have key points of NaN")
    joints = positions_path(path.parent, dataset)
    if dataset != CUSTOM and not joints.exists():
        found.missing.append(os.fspath(joints))
        return
    if dataset == "humaneva15" and cameras is None:
        found.extra.append(f"{path.name}: no --cameras to compare it with")
        return
    try:
        given = cameras if dataset == "humaneva15" else None
        data = open_lifting_data(path.parent, dataset, name, given)
    except (OSError, ValueError) as error:
        found.wrong.append(str(error))
        return
    if unseen := [subject for subject in keypoints if subject not in data.subjects]:
        found.extra.append(f"{path.name}: no cameras of {', '.join(unseen)}")
    if dataset == "h36m" and layout.num_keypoints == h36m17j.num_joints:
        _compare(path, data, numbers, found)


def _compare(path, data: LiftingData, numbers, found) -> None:
    """Measures how far key points are from where the cameras see their joints."""
    if sorted(data.keypoints_left) != sorted(h36m17j.joints_left):
        return
    distances = []
    for subject, takes in data.positions.items():
        for take, joints in takes.items():
            views = data.keypoints.get(subject, {}).get(take, ())
            for camera, view in zip(data.cameras.get(subject, ()), views, strict=False):
                distances.append(np.linalg.norm(camera.see(joints) - view, axis=-1))
    if not distances:
        found.wrong.append(f"{path.name}: of none of its takes joints are known")
        return
    distance = np.concatenate(distances)
    distance = distance[np.isfinite(distance)]
    mean = round(float(distance.mean()), 2)
    numbers["px on average from where the joints are seen"] = mean
    if not np.median(distance) < _FAR:
        found.wrong.append(
            f"{path.name}: key points are {np.median(distance):.1f} px (median) from "
            "where the joints are seen: they are of other motion or in another order"
        )
