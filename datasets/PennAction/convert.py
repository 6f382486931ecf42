"""Makes annotations.mat for PennAction from the owners' labels/*.mat.

    python datasets/PennAction/convert.py Penn_Action/labels
    python datasets/PennAction/convert.py Penn_Action/labels --bad leave-out

Where the folder of the data set has frames/, the pictures of every video are counted
against its labels. README.md in this folder says where the files come from.
"""

import argparse
import collections
import pathlib
import re
import sys

import numpy as np

from deephar.data.matfile import read_mat
from deephar.data.pennaction_format import (
    ACTIONS,
    JOINT_NAMES,
    PennVideo,
    write_pennaction,
)
from deephar.data.records import shaped

PUBLISHED = 2326
"""Videos of the owners' data set, numbered from 1."""
TRAIN, TEST = 1, -1
"""Values of `train` in the owners' files."""
FIELDS = ("action", "x", "y", "visibility", "train", "dimensions", "nframes")
FRAME = re.compile(r"\d{6}\.jpg")


def read_label(path: pathlib.Path) -> PennVideo:
    """Reads the owners' file NNNN.mat of one video.

    A joint that is not visible and lies at (0, 0) has no place.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if it is damaged, the action is not one of Penn
            Action's, numbers of frames disagree, or a visible joint has no place.
    """
    content = read_mat(path, FIELDS)
    try:
        height, width, *length = (int(x) for x in content["dimensions"].ravel())
        counts = {
            "nframes": int(content["nframes"].item()),
            "dimensions": length[0],
            **{name: len(content[name]) for name in ("x", "y", "visibility")},
        }
        if len(set(counts.values())) > 1:
            received = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise ValueError(f"the numbers of frames must agree. Received: {received}")
        visible = content["visibility"] > 0
        joints = np.stack([_plane(path.name, content, name) for name in "xy"], axis=-1)
        joints[~visible & (joints == 0).all(axis=-1)] = np.nan
        return PennVideo(
            number=int(path.stem),
            action=_action(content["action"]),
            train=_in_train(content["train"]),
            size=(width, height),
            frames=np.arange(counts["nframes"]) + 1,
            joints=joints,
            visible=visible,
        )
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _plane(owner, content, name):
    return shaped(owner, name, content[name], (None, len(JOINT_NAMES)), np.float64)


def _action(value):
    name = str(np.ravel(value)[0])
    if name not in ACTIONS:
        raise ValueError(
            f"the action must be one of {', '.join(ACTIONS)}. Received: {name!r}"
        )
    return ACTIONS.index(name)


def _in_train(value):
    if value.item() not in (TRAIN, TEST):
        raise ValueError(f"`train` must be 1 or -1. Received: {value.item()}")
    return value.item() == TRAIN


def read_labels(folder: pathlib.Path) -> tuple[list[PennVideo], list[str]]:
    """Reads all labels; returns the videos and what is wrong, a line a file.

    Raises:
        FileNotFoundError: if the folder has no labels.
    """
    paths = sorted(path for path in folder.glob("*.mat") if path.stem.isdigit())
    if not paths:
        raise FileNotFoundError(f"no labels NNNN.mat in the folder: {folder}")
    present = {int(path.stem) for path in paths}
    absent = sorted(set(range(1, max(present) + 1)) - present)
    wrong = [f"no such file: {folder / f'{number:04d}.mat'}" for number in absent]
    videos = []
    for path in paths:
        try:
            videos.append(read_label(path))
        except (OSError, ValueError) as error:
            wrong.append(str(error))
    return videos, wrong


def count_pictures(video: PennVideo, frames: pathlib.Path) -> int:
    """Returns how many pictures NNNNNN.jpg a video has, 0 without a folder."""
    folder = frames / f"{video.number:04d}"
    if not folder.is_dir():
        return 0
    return sum(FRAME.fullmatch(path.name) is not None for path in folder.iterdir())


def check_pictures(
    videos: list[PennVideo], frames: pathlib.Path
) -> tuple[set[int], set[int], list[str]]:
    """Counts the pictures of all videos below `frames`.

    Returns:
        (absent, differing, wrong): numbers of the videos without pictures and of those
        with another number of pictures than labels, and a line for each of the latter.
    """
    absent, differing, wrong = set(), set(), []
    for video in videos:
        count = count_pictures(video, frames)
        if count == 0:
            absent.add(video.number)
        elif count != len(video.frames):
            differing.add(video.number)
            wrong.append(
                f"{frames / f'{video.number:04d}'}: {count} pictures, but labels of "
                f"{len(video.frames)} frames"
            )
    return absent, differing, wrong


def parse_arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=pathlib.Path, help="the owners' folder labels/")
    parser.add_argument("--out", type=pathlib.Path, default=here, help="data folder")
    parser.add_argument(
        "--bad",
        choices=("stop", "leave-out"),
        default="stop",
        help="what to do about labels that are damaged, missing or unlike the pictures",
    )
    parser.add_argument(
        "--only-with-pictures",
        action="store_true",
        help="leave out videos without pictures in OUT/frames",
    )
    return parser.parse_args(argv)


def convert(arguments) -> tuple[list[PennVideo], list[str]]:
    """Writes annotations.mat; returns its videos and what is wrong, a line each.

    Raises:
        ValueError: if labels are bad and --bad says to stop, or no video is left.
    """
    videos, wrong = read_labels(arguments.labels)
    frames = arguments.out / "frames"
    if frames.is_dir():
        absent, differing, more = check_pictures(videos, frames)
        wrong += more
        print(f"{frames}: {len(absent)} videos have no pictures")
        leave = differing | (absent if arguments.only_with_pictures else set())
        videos = [video for video in videos if video.number not in leave]
    elif arguments.only_with_pictures:
        raise FileNotFoundError(f"no such folder: {frames}")
    if wrong and arguments.bad == "stop":
        raise ValueError(
            "\n".join([*wrong, f"{len(wrong)} labels are bad. Wrote nothing; "])
            + "--bad leave-out leaves them out"
        )
    if not videos:
        raise ValueError("\n".join([*wrong, "no video is left. Wrote nothing"]))
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_pennaction(arguments.out / "annotations.mat", videos)
    return videos, wrong


def report(videos: list[PennVideo]) -> None:
    """Prints the numbers of videos and frames, by part and by action."""
    counts = collections.Counter((video.action, video.train) for video in videos)
    print(f"{'action':<16} {'training':>8} {'test':>8}")
    for action, name in enumerate(ACTIONS):
        print(f"{name:<16} {counts[action, True]:>8} {counts[action, False]:>8}")
    for name, train in (("training", True), ("test", False)):
        part = [video for video in videos if video.train == train]
        frames = sum(len(video.frames) for video in part)
        print(f"{name}: {len(part)} videos, {frames} frames")
    frames = sum(len(video.frames) for video in videos)
    actions = len({video.action for video in videos})
    print(f"all: {len(videos)} videos, {frames} frames, {actions} actions")
    last = max(video.number for video in videos)
    if last < PUBLISHED:
        print(f"the last label is {last:04d}.mat; the owners have {PUBLISHED}")


def main(argv=None) -> int:
    """Runs the command line; returns the exit status."""
    arguments = parse_arguments(argv)
    try:
        videos, wrong = convert(arguments)
    except (OSError, ValueError) as error:
        print(f"convert.py: {error}", file=sys.stderr)
        return 1
    for line in wrong:
        print(f"left out: {line}", file=sys.stderr)
    report(videos)
    print(f"wrote {arguments.out / 'annotations.mat'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
