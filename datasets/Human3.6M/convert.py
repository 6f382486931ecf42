"""Makes annotations.mat for Human36M from joints and cameras.

    python datasets/Human3.6M/convert.py data_3d_h36m.npz camera-parameters.json
    python datasets/Human3.6M/convert.py H36M camera-parameters.json --videos H36M

The joints are data_3d_h36m.npz or a folder of the owners' D3_Positions. As the original
does, every 5th frame of the training people and every 64th of the validation people is
taken, from the first. README.md in this folder says where the files come from.
"""

import argparse
import collections
import pathlib
import sys

import numpy as np

from deephar.data.human36m_format import (
    SIZES,
    TRAIN_SUBJECTS,
    VALID_SUBJECTS,
    H36MSequence,
    write_human36m,
)
from deephar.data.human36m_names import (
    SUBJECTS,
    TRAIN_STEP,
    VALID_STEP,
    all_sequences,
    sequence_name,
    take_name,
    video_name,
)
from deephar.data.human36m_positions import read_cameras, read_positions
from deephar.data.pictures import open_picture
from deephar.data.videos import VideoInfo, video_info

NAMES = 8
"""So many takes without joints are printed."""


def make_sequence(name, camera, size, positions, every) -> H36MSequence:
    """Returns what one camera saw of a take, every so many frames from the first.

    Raises:
        ValueError: naming the frame, if a pelvis is not finite.
    """
    chosen = np.arange(0, len(positions), every)
    poses = positions[chosen]
    lost = ~np.isfinite(poses[:, 0]).all(axis=-1)
    if lost.any():
        raise ValueError(
            f"{name}: the pelvis must be finite. Received: NaN in frame "
            f"{chosen[np.argmax(lost)] + 1}, and in {int(lost.sum())} in all"
        )
    return H36MSequence(name, camera, chosen + 1, size, poses)


def check_video(path: pathlib.Path, num_frames: int) -> VideoInfo:
    """Compares a video with the joints; returns what its head says.

    Raises:
        FileNotFoundError: if there is no such video.
        ValueError: if it has fewer frames than there are joints for.
    """
    info = video_info(path)
    if info.num_frames < num_frames:
        raise ValueError(
            f"{path} must have as many frames as there are joints for. "
            f"Received: {info.num_frames} frames, joints of {num_frames}"
        )
    return info


def check_pictures(folder: pathlib.Path, frames: list[int]) -> tuple[int, int]:
    """Returns the (w, h) of a sequence's pictures, px.

    Raises:
        ValueError: if the folder lacks some of the pictures.
    """
    paths = [folder / f"{number:05d}.jpg" for number in frames]
    lacking = [path for path in paths if not path.is_file()]
    if lacking:
        raise ValueError(
            f"{folder}: joints of {len(frames)} frames, but {len(lacking)} pictures "
            f"are lacking, the first {lacking[0].name}"
        )
    return open_picture(paths[0]).size


def convert_sequence(arguments, key, positions, cameras, counts) -> H36MSequence:
    """Makes one sequence and compares it with its video and its pictures.

    Raises:
        OSError: if there is no video, or a picture cannot be read.
        ValueError: if there is no camera, a pelvis is not finite, or the video or the
            pictures do not fit.
    """
    subject, action, take, camera = key
    name = sequence_name(*key)
    if (subject, camera) not in cameras:
        raise ValueError(
            f"{name}: camera {camera} of S{subject} is not in {arguments.cameras}"
        )
    train = subject in TRAIN_SUBJECTS
    every = arguments.train_every if train else arguments.valid_every
    size = None
    if arguments.videos:
        info = check_video(arguments.videos / video_name(*key), len(positions))
        counts["with more frames in the video than joints"] += info.num_frames > len(
            positions
        )
        size = info.size
    folder = arguments.out / "images" / name
    if folder.is_dir():
        size = check_pictures(folder, range(1, len(positions) + 1, every))
    elif folder.parent.is_dir():
        counts[f"without a folder in {folder.parent}"] += 1
    if size is None:
        counts["of which the size is taken to be the camera's usual one"] += 1
        size = SIZES[camera]
    return make_sequence(name, cameras[subject, camera], size, positions, every)


def make_sequences(arguments, counts, problems) -> list[H36MSequence]:
    """Makes all sequences that have joints; adds a line for each that fails."""
    bad = {}
    takes = read_positions(arguments.positions, arguments.subjects, bad)
    problems += bad.values()
    cameras = read_cameras(arguments.cameras)
    sequences, without = [], []
    for key in sorted(all_sequences()):
        subject, take = key[0], key[:3]
        if subject not in arguments.subjects:
            continue
        if take not in takes:
            name = take_name(*take)
            without += [f"S{subject} {name}"] * ((subject, name) not in bad)
            continue
        try:
            sequences.append(
                convert_sequence(arguments, key, takes[take], cameras, counts)
            )
        except (OSError, ValueError) as error:
            problems.append(str(error))
    names = list(dict.fromkeys(without))
    more = f" and {len(names) - NAMES} more takes" if len(names) > NAMES else ""
    counts[f"without joints: {', '.join(names[:NAMES])}{more}"] = len(without)
    return sequences


def parse_arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("positions", help="data_3d_h36m.npz or folder with S1/...")
    parser.add_argument("cameras", help="camera-parameters.json or cameras.json")
    parser.add_argument("--out", type=pathlib.Path, default=here, help="data folder")
    parser.add_argument(
        "--train-every", type=int, default=TRAIN_STEP, help="step between frames"
    )
    parser.add_argument(
        "--valid-every", type=int, default=VALID_STEP, help="step between frames"
    )
    parser.add_argument(
        "--subjects", type=int, nargs="+", choices=SUBJECTS, default=list(SUBJECTS)
    )
    parser.add_argument(
        "--videos", type=pathlib.Path, help="folder with S1/Videos/... to compare with"
    )
    parser.add_argument(
        "--bad",
        choices=("stop", "leave-out"),
        default="stop",
        help="what to do about takes that cannot be read and sequences without a "
        "camera or that disagree with videos or pictures",
    )
    arguments = parser.parse_args(argv)
    for name in ("train_every", "valid_every"):
        if getattr(arguments, name) < 1:
            option = f"--{name.replace('_', '-')}"
            parser.error(f"{option} must be at least 1: {getattr(arguments, name)}")
    return arguments


def convert(arguments, counts, problems) -> list[list[H36MSequence]]:
    """Writes annotations.mat; returns its parts (training, validation).

    Raises:
        ValueError: if sequences are bad and --bad says to stop, or none is left.
    """
    sequences = make_sequences(arguments, counts, problems)
    if problems and arguments.bad == "stop":
        summary = f"{len(problems)} are bad. Wrote nothing; --bad leave-out"
        raise ValueError("\n".join([*problems, f"{summary} leaves them out"]))
    if not sequences:
        raise ValueError("\n".join([*problems, "no sequence is left. Wrote nothing"]))
    train = [one for one in sequences if one.subject in TRAIN_SUBJECTS]
    valid = [one for one in sequences if one.subject not in TRAIN_SUBJECTS]
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_human36m(arguments.out / "annotations.mat", [], train, valid)
    return [train, valid]


def main(argv=None) -> int:
    """Runs the command line; returns the exit status."""
    arguments = parse_arguments(argv)
    counts, problems = collections.Counter(), []
    try:
        parts = convert(arguments, counts, problems)
    except (OSError, ValueError) as error:
        print(f"convert.py: {error}", file=sys.stderr)
        return 1
    for line in problems:
        print(f"left out: {line}", file=sys.stderr)
    for what, count in counts.items():
        if count:
            print(f"{count} sequences {what}")
    names, subjects = ("training", "validation"), (TRAIN_SUBJECTS, VALID_SUBJECTS)
    for name, part, people in zip(names, parts, subjects, strict=True):
        frames = sum(len(sequence.frames) for sequence in part)
        print(f"{name}: {len(part)} sequences, {frames} frames")
        wanted = {*arguments.subjects} & {*people}
        if wanted and not part:
            print(
                f"warning: nothing for {name} in {arguments.positions}", file=sys.stderr
            )
    print(f"wrote {arguments.out / 'annotations.mat'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
