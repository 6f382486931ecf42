"""browse of lifting's files: tracks as strips, poses in space, histograms."""

import dataclasses
import os
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from deephar.commands.browse_opening import Fault, lines_of
from deephar.commands.browse_sections import (
    IN_SPACE,
    STRIP_WIDTH,
    add_faults,
    told,
)
from deephar.commands.sheets import STRIP_FRAMES, STRIP_SIDE, beside
from deephar.data.lifting import LiftingData, base_action, open_lifting_data
from deephar.data.lifting import Sequence as Track
from deephar.data.lifting_inspection import Inspection, inspect_lifting
from deephar.data.lifting_loaders import ChunkedLoader, Sides
from deephar.data.showing import choose, some_frames
from deephar.pages import Page
from deephar.pages.histograms import bars, histogram
from deephar.utils.drawing import limbs, paint_pose
from deephar.utils.layouts import custom_layout
from deephar.utils.pose import coco17j, h36m17j

_GROUND = 236
"""Grey that figures are drawn on."""
_MARGIN = 1.25
"""A tile is so much wider than what a track moves over."""


@dataclasses.dataclass(frozen=True, eq=False)
class Piece:
    """What a network is given of a track.

    Attributes:
        title: Person, take and camera.
        keypoints: (frames, key points, 2), the picture's width being [-1, 1].
        pose: (joints, 3), m by the camera's axes, joint 0 at the origin; None where it
            is not known.
        mirrored: Whether the track is mirrored.
    """

    title: str
    keypoints: np.ndarray
    pose: np.ndarray | None
    mirrored: bool


def add_lifting(
    page: Page,
    folder: pathlib.Path,
    samples: int,
    seed: int,
    augment: bool,
    frames: int,
    cameras: pathlib.Path | None = None,
) -> list[str]:
    """Adds what a folder of lifting's files has.

    Args:
        page: The page.
        folder: Where the files lie.
        samples: Pieces shown of each file of key points.
        seed: Which they are.
        augment: Whether they are mirrored by chance, as in training.
        frames: Frames of a piece: an odd number.
        cameras: File of the cameras that are not part of deephar, HumanEva's.

    Returns:
        Titles of the parts, one for each file of key points.

    Raises:
        ValueError: if no file of key points can be shown.
    """
    found = inspect_lifting(folder, cameras)
    _add_counts(page, found.parts)
    faults = lines_of("all", "missing", found.missing)
    faults += lines_of("all", "wrong", found.wrong)
    faults += lines_of("all", "not compared", found.extra)
    parts, more = _open_all(folder, cameras, found)
    faults += more
    if not parts:
        reasons = [f"{what}: {where}" for _, what, where in faults] or ["none"]
        raise ValueError(
            f"{os.fspath(folder)} must have tracks to show. Received: {reasons[0]}"
        )
    add_faults(page, faults)
    for name, data, tracks in parts:
        sides = _sides(data)
        chosen = choose(len(tracks), samples, seed)
        pieces = [
            take_piece(tracks[i], sides, frames, augment, (seed, i)) for i in chosen
        ]
        _add_file(page, name, data, tracks, pieces)
    return [name for name, _, _ in parts]


def _add_counts(page: Page, parts: Mapping[str, Mapping[str, object]]) -> None:
    """Adds a table of the numbers of each file."""
    columns = list(dict.fromkeys(what for one in parts.values() for what in one))
    rows = [(name, *map(one.get, columns)) for name, one in parts.items()]
    page.heading("What is there")
    page.table(("file", *columns), rows)


def _open_all(
    folder: pathlib.Path, cameras: pathlib.Path | None, found: Inspection
) -> tuple[list[tuple[str, LiftingData, list[Track]]], list[Fault]]:
    """Opens the files of key points; returns them, and what cannot be shown."""
    parts, faults = [], []
    for path in sorted(folder.glob("data_2d_*.npz")):
        if path.name not in found.parts:
            continue  # is among the wrong ones
        try:
            parts.append((path.name, *_open(path, cameras)))
        except (OSError, ValueError) as error:
            if str(error) not in found.wrong:
                faults.append((path.name, "cannot be shown", str(error)))
    return parts, faults


def _open(path: pathlib.Path, cameras) -> tuple[LiftingData, list[Track]]:
    dataset, name = path.stem.split("_", 3)[2:]
    given = cameras if dataset == "humaneva15" else None
    data = open_lifting_data(path.parent, dataset, name, given)
    known = [one for one in data.subjects if one in data.positions]
    tracks = data.sequences(known or data.subjects, labelled=bool(known))
    return data, tracks


def _sides(data: LiftingData) -> Sides:
    skeleton = data.skeleton
    return Sides(
        *(skeleton.joints_left, skeleton.joints_right),
        *(data.keypoints_left, data.keypoints_right),
    )


def take_piece(
    track: Track, sides: Sides, frames: int, augment: bool, seed: tuple[int, ...]
) -> Piece:
    """Takes a piece of a track, as `ChunkedLoader` gives it for one output frame."""
    random = np.random.default_rng(seed)
    loader = ChunkedLoader(
        *(1, [track], 1, frames // 2), random_seed=int(random.integers(2**31))
    )
    _, positions, keypoints = next(loader.next_epoch())
    mirrored = bool(augment and random.integers(2))
    if mirrored:
        keypoints = sides.mirror_keypoints(keypoints)
        positions = None if positions is None else sides.mirror_joints(positions)
    pose = None
    if positions is not None:
        pose = positions[0, 0].copy()
        pose[0] = 0
    title = f"{track.subject}, {track.action}, camera {track.camera}"
    return Piece(title, keypoints[0], pose, mirrored)


def keypoint_layout(data: LiftingData):
    """The layout that key points are drawn by; without limbs if it is not known."""
    left, right = list(data.keypoints_left), list(data.keypoints_right)
    for layout in (coco17j, h36m17j):
        names = layout.joint_names
        pairs = [(i, layout.map_hflip[i]) for i, n in enumerate(names) if n[:2] == "l_"]
        same = sorted(pairs) == sorted(zip(left, right, strict=True))
        if data.num_keypoints == layout.num_joints and same:
            return layout
    names = [f"point {row}" for row in range(data.num_keypoints)]
    flips = [(names[a], names[b]) for a, b in zip(right, left, strict=True)]
    parents = data.skeleton.parents
    links = []
    if len(parents) == len(names) and left == list(data.skeleton.joints_left):
        links = [(names[up], names[row]) for row, up in enumerate(parents) if up >= 0]
    return custom_layout(names, flips, links)


def track_strip(piece: Piece, layout) -> np.ndarray:
    """Draws frames of a piece side by side, all in one window."""
    points = piece.keypoints
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    zoom = STRIP_SIDE / (_MARGIN * max(float((high - low).max()), 1e-6))
    tiles = []
    for frame in some_frames(len(points), STRIP_FRAMES):
        tile = np.full((STRIP_SIDE, STRIP_SIDE, 3), _GROUND, np.uint8)
        place = (points[frame] - (low + high) / 2) * zoom + STRIP_SIDE / 2
        paint_pose(tile, place, layout, line_width=3)
        tiles.append(tile)
    return beside(tiles)


def _add_file(
    page: Page,
    name: str,
    data: LiftingData,
    tracks: Sequence[Track],
    pieces: Sequence[Piece],
) -> None:
    page.heading(name)
    frames, layout = len(pieces[0].keypoints), keypoint_layout(data)
    page.text(
        f"{len(pieces)} of {len(tracks)} tracks: {frames} frames around one of each, "
        "of which a network tells the pose in space of the one in the middle; beyond "
        f"the ends of a track its last frame is repeated. {STRIP_FRAMES} frames of "
        f"each are shown, all by one scale."
    )
    strips = [
        (track_strip(one, layout), one.title + ", mirrored" * one.mirrored)
        for one in pieces
    ]
    page.pictures(strips, STRIP_WIDTH, least=STRIP_WIDTH)
    posed = [one for one in pieces if one.pose is not None][:IN_SPACE]
    if posed:
        page.heading("In space", level=3)
        page.text("The poses of the frames in the middle, around their roots.")
        _add_poses(page, data, posed)
    page.heading("Histograms", level=3)
    page.figures(_figures(tracks))
    actions = Counter(base_action(track.action) for track in tracks)
    if len(actions) > 1:
        text = f"Tracks of each of {len(actions)} actions, all cameras counted."
        page.figures([(bars(dict(sorted(actions.items())), "tracks"), text)])


def _add_poses(page: Page, data: LiftingData, pieces: Sequence[Piece]) -> None:
    skeleton = data.skeleton
    parents = skeleton.parents
    links = [(up, joint) for joint, up in enumerate(parents) if up >= 0]
    colors = ["#2a9d4a"] * len(parents)
    if len(parents) == h36m17j.num_joints:
        _, rgb = limbs(h36m17j)
        colors = ["#{:02x}{:02x}{:02x}".format(*one) for one in rgb.tolist()]
    else:
        for joint in skeleton.joints_left:
            colors[joint] = "#3278fa"
        for joint in skeleton.joints_right:
            colors[joint] = "#eb3732"
    poses = [
        (1000 * one.pose, one.title + ", mirrored" * one.mirrored) for one in pieces
    ]
    page.poses_3d(poses, links, colors)


def _figures(tracks: Sequence[Track]) -> list[tuple[object, str]]:
    """Histograms of tracks: how long, how large, how far away."""
    lengths = np.array([len(track.keypoints) for track in tracks])
    sides = np.concatenate(
        [np.ptp(track.keypoints, axis=1).max(axis=-1) / 2 for track in tracks]
    )
    figures = [
        (
            histogram(lengths, "frames", "tracks"),
            f"Frames of each track: {told(lengths)}.",
        ),
        (
            histogram(sides, "box around the key points / picture's width", "frames"),
            "Longer side of the box around the key points, by the picture's width: "
            f"{told(sides)}.",
        ),
    ]
    known = [track.positions for track in tracks if track.positions is not None]
    if known:
        away = np.concatenate([one[:, 0, 2] for one in known])
        text = f"Distance of the root from the camera, m: {told(away)}."
        figures.append((histogram(away, "depth of the root, m", "frames"), text))
    return figures
