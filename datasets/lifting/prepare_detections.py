"""Makes data_2d_custom_NAME.npz of what detectors found in videos.

    python datasets/lifting/prepare_detections.py -i DETECTIONS -o NAME
    python datasets/lifting/prepare_detections.py -i runs/predict -o NAME --fps 25

DETECTIONS is a file of Detectron's form, VIDEO.npz, or a folder of such files, a video
each; or what a predictor of exp/ wrote of the pictures of a video: its run folder, with
a JSON file a picture, or its poses.json. That video has the folder's name. Frames
without a person, also those whose number no picture's name has, are filled in between
those around, and counted. README.md in this folder describes the files.
"""

import argparse
import pathlib
import sys

import numpy as np

from deephar.data.lifting_detections import (
    Detections,
    layout_of,
    read_detectron,
    read_predictions,
)
from deephar.data.lifting_format import CUSTOM, keypoints_path, write_keypoints_2d
from deephar.utils.numbers import positive_float, positive_int
from deephar.utils.pose import coco17j, h36m17j, pa16j2d, pa17j2d, pa20j3d, pa21j3d
from deephar.utils.pose_conversion import convert_to_h36m17j
from deephar.utils.tracks import join_track

OF_THE_RUN = "arguments_*.json"
"""Files of a run folder that are no predictions."""
LAYOUTS = (h36m17j, coco17j, pa16j2d, pa17j2d, pa20j3d, pa21j3d)


def find_videos(path: pathlib.Path, size) -> dict[str, Detections]:
    """Reads what was found; returns it by the name of the video.

    Raises:
        OSError: if a file is not there or cannot be read.
        ValueError: if there is nothing, or files of both kinds, or one is not as it
            should be.
    """
    if not path.is_dir():
        kind, files = path.suffix.lower(), [path]
    else:
        of_the_run = set(path.glob(OF_THE_RUN))
        found = {
            ending: sorted(set(path.glob(f"*{ending}")) - of_the_run)
            for ending in (".npz", ".json")
        }
        kinds = [ending for ending, files in found.items() if files]
        if len(kinds) != 1:
            raise ValueError(
                f"{path} must have either .npz files or .json files. "
                f"Received: {' and '.join(kinds) or 'none'}"
            )
        kind, files = kinds[0], found[kinds[0]]
    if kind == ".npz":
        return {file.stem: read_detectron(file) for file in files}
    if kind == ".json":
        folder = path if path.is_dir() else path.resolve().parent
        return {folder.resolve().name: read_predictions(files, size)}
    raise ValueError(f"--input must be a folder, .npz or .json. Received: {path}")


def to_human36m(found: Detections) -> np.ndarray:
    """Returns key points in the order of Human3.6M's 17; ValueError if unknown."""
    for layout in LAYOUTS:
        if tuple(layout.joint_names) == found.names:
            known = np.where(np.isnan(found.keypoints), -np.inf, found.keypoints)
            return convert_to_h36m17j(known, layout)
    raise ValueError(
        "--layout h36m needs the joints of a layout of deephar. "
        f"Received: {', '.join(found.names)}"
    )


def convert(arguments) -> list[str]:
    """Writes the file; returns a line for each video.

    Raises:
        OSError: if a file cannot be read or written.
        ValueError: if the detections are not as they should be, or nobody is found.
    """
    videos = find_videos(arguments.input, arguments.size)
    keypoints, sizes, layouts, lines = {}, {}, set(), []
    for name, found in videos.items():
        if not found.found.any():
            raise ValueError(f"{name}: nobody is found in {len(found.found)} frames")
        points, names = found.keypoints, found.names
        if arguments.layout:
            points, names = to_human36m(found), tuple(h36m17j.joint_names)
        layouts.add(names)
        try:
            keypoints[name] = {CUSTOM: [join_track(points).joints]}
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        sizes[name] = {"w": found.size[0], "h": found.size[1]}
        if arguments.fps:
            sizes[name]["fps"] = arguments.fps
        empty = int((~found.found).sum())
        lines.append(
            f"{name}: {len(points)} frames, {empty} of them without a person and "
            f"filled in, {found.crowded} with several people, the surest taken"
        )
    if len(layouts) > 1:
        raise ValueError("all videos must have the same joints; --layout h36m may help")
    arguments.data.mkdir(parents=True, exist_ok=True)
    path = keypoints_path(arguments.data, CUSTOM, arguments.output)
    write_keypoints_2d(path, keypoints, layout_of(layouts.pop(), sizes))
    return [*lines, f"wrote {path}"]


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, where = parser.add_argument, "file or folder of detections"
    add("-i", "--input", type=pathlib.Path, required=True, help=where)
    add("-o", "--output", required=True, metavar="NAME", help="NAME of the new file")
    folder = "folder to write to (%(default)s)"
    add("--data", type=pathlib.Path, default=pathlib.Path("data"), help=folder)
    rate = "frames a second of the videos, noted in the file"
    add("--fps", type=positive_float, help=rate)
    size = "px of the pictures, if JSON files name some that are not there any more"
    add("--size", type=positive_int, nargs=2, metavar=("W", "H"), help=size)
    order = "bring the joints into the order of Human3.6M's 17, for networks of theirs"
    add("--layout", choices=["h36m"], help=order)
    return parser.parse_args(argv)


def main(argv=None) -> int:
    """Runs the command line; returns the exit status."""
    arguments = parse_arguments(argv)
    if arguments.size:
        arguments.size = tuple(arguments.size)
    try:
        lines = convert(arguments)
    except (OSError, ValueError) as error:
        print(f"prepare_detections.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
