"""Makes data_3d_h36m.npz and data_2d_h36m_gt.npz for temporal lifting.

    python datasets/Human3.6M/prepare_lifting.py H36M --data data
    python datasets/Human3.6M/prepare_lifting.py data_3d_h36m.npz --data data

The joints are a folder of the owners' D3_Positions (.cdf, .cdf.mat, .mat or .h5) or a
data_3d_h36m.npz; the key points are where the four cameras see them. S11's Directions
is left out as in VideoPose3D's files, because one of its videos is damaged. README.md
in this folder says where the files come from.
"""

import argparse
import pathlib
import sys

import numpy as np

from deephar.data.human36m_names import SUBJECTS, take_name
from deephar.data.human36m_positions import read_positions
from deephar.data.lifting_cameras import human36m_cameras
from deephar.data.lifting_format import (
    Layout,
    keypoints_path,
    positions_path,
    write_keypoints_2d,
    write_positions_3d,
)
from deephar.data.lifting_skeletons import HUMAN36M_SKELETON, KEPT_JOINTS
from deephar.data.records import finite

LEFT_OUT = (11, 2, 2)
"""Subject, action and take."""
NAMES = 8
"""So many takes without joints are printed."""
MM_PER_M = 1000.0


def check_take(name: str, positions: np.ndarray) -> None:
    """Raises ValueError if one of the 17 joints that remain is NaN."""
    finite(name, "positions", positions[:, KEPT_JOINTS], " at the 17 joints")


def check_place(arguments, num_read: int, num_left: int) -> None:
    """Raises ValueError if joints would be left in the source that are left out here.

    A source in the folder to write to stays as it is.
    """
    if is_source(arguments) and num_left < num_read:
        raise ValueError(
            f"{arguments.source} has {num_read - num_left} takes that are left out, "
            "and stays as it is: choose another folder for --data. Wrote nothing"
        )


def is_source(arguments) -> bool:
    """Tells whether the joints were read from the file that would be written."""
    path = positions_path(arguments.data, "h36m")
    return path.exists() and path.samefile(arguments.source)


def convert(arguments, problems: list[str]) -> tuple[dict, dict]:
    """Returns joints, m, and key points, px, as the files have them.

    Raises:
        OSError: if there are no joints or they cannot be read.
        ValueError: if takes are bad and --bad says to stop, or none is left.
    """
    bad: dict = {}
    takes = read_positions(arguments.source, arguments.subjects, bad)
    problems += bad.values()
    cameras, positions, keypoints = human36m_cameras(), {}, {}
    for key in sorted(set(takes) - {LEFT_OUT}):
        subject, name = f"S{key[0]}", take_name(*key)
        world = (takes[key] / MM_PER_M).astype(np.float32)
        try:
            check_take(f"{subject} {name}", world)
        except ValueError as error:
            problems.append(str(error))
            continue
        joints = world[:, KEPT_JOINTS]
        positions.setdefault(subject, {})[name] = world
        views = [camera.see(joints) for camera in cameras[subject]]
        keypoints.setdefault(subject, {})[name] = views
    if problems and arguments.bad == "stop":
        summary = f"{len(problems)} are bad. Wrote nothing; --bad leave-out"
        raise ValueError("\n".join([*problems, f"{summary} leaves them out"]))
    if not positions:
        raise ValueError("\n".join([*problems, "no take is left. Wrote nothing"]))
    left = sum(map(len, positions.values()))
    check_place(arguments, len(takes) + len(bad), left)
    return positions, keypoints


def find_lacking(positions, subjects) -> list[str]:
    """Returns the takes of the subjects that have no joints."""
    wanted = (
        (subject, action, take)
        for subject in subjects
        for action in range(2, 17)
        for take in (1, 2)
    )
    return [
        f"S{key[0]} {take_name(*key)}"
        for key in wanted
        if key != LEFT_OUT and take_name(*key) not in positions.get(f"S{key[0]}", {})
    ]


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("source", type=pathlib.Path, help="folder with S1/..., or data_3d_h36m.npz")
    folder = "folder to write to (%(default)s)"
    add("--data", type=pathlib.Path, default=pathlib.Path("data"), help=folder)
    everybody = list(SUBJECTS)
    add("--subjects", type=int, nargs="+", choices=SUBJECTS, default=everybody)
    what = "what to do about takes that cannot be read or have NaN among the 17 joints"
    add("--bad", choices=("stop", "leave-out"), default="stop", help=what)
    return parser.parse_args(argv)


def write(arguments, positions, keypoints) -> list[pathlib.Path]:
    """Writes the files; returns which."""
    arguments.data.mkdir(parents=True, exist_ok=True)
    paths = [keypoints_path(arguments.data, "h36m", "gt")]
    sides = HUMAN36M_SKELETON.joints_left, HUMAN36M_SKELETON.joints_right
    write_keypoints_2d(paths[0], keypoints, Layout(17, *sides, "h36m"))
    if not is_source(arguments):
        paths.append(positions_path(arguments.data, "h36m"))
        write_positions_3d(paths[-1], positions)
    return paths


def main(argv=None) -> int:
    """Runs the command line; returns the exit status."""
    arguments = parse_arguments(argv)
    problems: list[str] = []
    try:
        positions, keypoints = convert(arguments, problems)
        paths = write(arguments, positions, keypoints)
    except (OSError, ValueError) as error:
        print(f"prepare_lifting.py: {error}", file=sys.stderr)
        return 1
    for line in problems:
        print(f"left out: {line}", file=sys.stderr)
    lacking = find_lacking(positions, arguments.subjects)
    if lacking:
        more = f" and {len(lacking) - NAMES} more" if len(lacking) > NAMES else ""
        print(
            f"{len(lacking)} takes without joints: {', '.join(lacking[:NAMES])}{more}"
        )
    for subject, takes in positions.items():
        frames = sum(map(len, takes.values()))
        print(f"{subject}: {len(takes)} takes, {frames} frames by four cameras")
    for path in paths:
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
