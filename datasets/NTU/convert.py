"""Makes nturgb+d_numpy/*.npy for Ntu from the owners' skeleton files.

    python datasets/NTU/convert.py nturgb+d_skeletons \\
        --missing NTU_RGBD_samples_with_missing_skeletons.txt

One body of every video is kept: of those that are there in at least 9 of 10 of the
frames that the longest one has, the one whose joints move most. Frames without it have
NaN. README.md in this folder says where the files come from.
"""

import argparse
import collections
import dataclasses
import pathlib
import re
import sys

import numpy as np

from deephar.data.ntu_format import ACTIONS, JOINT_NAMES, NtuVideo, write_ntu

NUM_JOINTS = len(JOINT_NAMES)
NUM_VALUES = 12
"""Of a joint: x, y, z in the world, x, y in the depth picture, x, y in the colour
picture, four of the orientation, tracking state."""
WORLD, COLOUR = slice(0, 3), slice(5, 7)
COMPLETE = 0.9
"""A body with so much of the longest one's frames is as complete."""
MM_PER_M = 1000.0

NAME = re.compile(r"S\d{3}C\d{3}P\d{3}R\d{3}A(\d{3})")


@dataclasses.dataclass
class Body:
    """One tracked body: numbers of its frames, from 0, and their joints (25, 12)."""

    frames: list[int] = dataclasses.field(default_factory=list)
    joints: list[np.ndarray] = dataclasses.field(default_factory=list)

    def motion(self) -> float:
        """Returns the mean way of a joint from frame to frame, m."""
        world = np.stack(self.joints)[:, :, WORLD]
        if len(world) < 2:
            return 0.0
        steps = np.linalg.norm(np.diff(world, axis=0), axis=-1)
        return float(np.nanmean(steps)) if np.isfinite(steps).any() else 0.0


class Lines:
    """The lines of a text file, one after the other, with errors that number them."""

    def __init__(self, text: str):
        self._lines = text.splitlines()
        self.number = 0

    def take(self) -> list[str]:
        """Returns the words of the next line; ValueError behind the last."""
        if self.number >= len(self._lines):
            raise ValueError(f"the file ends after line {self.number}")
        self.number += 1
        return self._lines[self.number - 1].split()

    def count(self, what: str) -> int:
        """Returns the number that the next line holds."""
        words = self.take()
        if len(words) != 1 or not words[0].isdigit():
            raise ValueError(
                f"line {self.number} must be the number of {what}. "
                f"Received: {' '.join(words)!r:.60}"
            )
        return int(words[0])

    def joints(self) -> np.ndarray:
        """Returns the next 25 lines of 12 numbers."""
        rows = []
        for _ in range(NUM_JOINTS):
            words = self.take()
            if len(words) != NUM_VALUES:
                raise ValueError(
                    f"line {self.number} must have {NUM_VALUES} numbers. "
                    f"Received: {len(words)}"
                )
            rows.append(words)
        try:
            return np.array(rows, dtype=np.float64)
        except ValueError as error:
            first = self.number - NUM_JOINTS + 1
            raise ValueError(f"lines {first} to {self.number}: {error}") from error


def parse_skeleton(text: str) -> tuple[int, dict[str, Body]]:
    """Reads the text of a skeleton file.

    Returns:
        (frames, bodies): number of frames; bodies by the sensor's number for them.

    Raises:
        ValueError: naming the line, if the text is cut short or laid out otherwise.
    """
    lines = Lines(text)
    bodies: dict[str, Body] = collections.defaultdict(Body)
    num_frames = lines.count("frames")
    for frame in range(num_frames):
        for _ in range(lines.count("bodies")):
            words = lines.take()
            if not words:
                raise ValueError(f"line {lines.number} must begin with a body's number")
            if lines.count("joints") != NUM_JOINTS:
                raise ValueError(f"line {lines.number} must be {NUM_JOINTS} joints")
            body = bodies[words[0]]
            if body.frames and body.frames[-1] == frame:
                raise ValueError(f"frame {frame + 1} has the body {words[0]} twice")
            body.frames.append(frame)
            body.joints.append(lines.joints())
    return num_frames, dict(bodies)


def choose_body(bodies: dict[str, Body]) -> Body:
    """Returns the body that is kept, by the rule at the head of this file.

    Raises:
        ValueError: if there is none.
    """
    if not bodies:
        raise ValueError("there must be a body in at least one frame. Received: none")
    longest = max(len(body.frames) for body in bodies.values())
    complete = [b for b in bodies.values() if len(b.frames) >= COMPLETE * longest]
    return max(complete, key=Body.motion)


def make_video(name: str, text: str) -> tuple[NtuVideo, int]:
    """Returns the video of a skeleton file's text and its number of bodies.

    A joint without a place in the colour picture, or not before the sensor, is NaN.

    Raises:
        ValueError: see `parse_skeleton` and `choose_body`.
    """
    num_frames, bodies = parse_skeleton(text)
    body = choose_body(bodies)
    values = np.full((num_frames, NUM_JOINTS, NUM_VALUES), np.nan)
    values[body.frames] = np.stack(body.joints)
    world = values[:, :, WORLD]
    image = np.concatenate([values[:, :, COLOUR], world[:, :, 2:] * MM_PER_M], axis=-1)
    known = np.isfinite(image).all(axis=-1) & (image[:, :, 2] > 0)
    image[~known] = np.nan
    if not known.any():
        raise ValueError("the body must have joints in the picture. Received: none")
    return NtuVideo(name, np.arange(num_frames) + 1, world, image), len(bodies)


def read_missing(path: pathlib.Path | None) -> set[str]:
    """Returns the names of the videos that a list says have no skeleton.

    Raises:
        ValueError: if the list has no names.
    """
    if path is None:
        return set()
    text = path.read_text(encoding="utf-8")
    names = {match.group() for match in NAME.finditer(text)}
    if not names:
        raise ValueError(f"{path} must have names like S001C001P001R001A001")
    return names


def convert(arguments) -> tuple[collections.Counter, list[str]]:
    """Writes all videos; returns counts and what is wrong, a line a file.

    Raises:
        OSError: if the list of missing skeletons cannot be read.
        ValueError: if it has no names.
    """
    missing = read_missing(arguments.missing)
    counts, problems = collections.Counter(), []
    for path in arguments.paths:
        match = NAME.fullmatch(path.stem)
        if path.stem in missing:
            counts["listed as missing their skeleton"] += 1
            continue
        if match and int(match.group(1)) > len(ACTIONS):
            counts["of actions beyond the 60"] += 1
            continue
        try:
            video, bodies = make_video(path.stem, path.read_text(encoding="ascii"))
            write_ntu(arguments.out, video)
        except (OSError, ValueError) as error:
            problems.append(f"{path}: {error}")
            continue
        lost = np.isnan(video.image).all(axis=(1, 2)).sum()
        counts.update(videos=1, frames=len(video.frames), empty=int(lost))
        counts["with several bodies"] += bodies > 1
    return counts, problems


def parse_arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=pathlib.Path, help="folder with *.skeleton")
    parser.add_argument("--out", type=pathlib.Path, default=here, help="data folder")
    parser.add_argument(
        "--missing", type=pathlib.Path, help="the owners' list of missing skeletons"
    )
    arguments = parser.parse_args(argv)
    arguments.paths = sorted(arguments.source.glob("*.skeleton"))
    if not arguments.paths:
        parser.error(f"no *.skeleton in the folder: {arguments.source}")
    return arguments


def main(argv=None) -> int:
    """Runs the command line; returns 1 if a file is damaged or without a body."""
    arguments = parse_arguments(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        counts, problems = convert(arguments)
    except (OSError, ValueError) as error:
        print(f"convert.py: {error}", file=sys.stderr)
        return 1
    for line in problems:
        print(f"left out: {line}", file=sys.stderr)
    videos, frames, empty = (
        counts.pop(key, 0) for key in ("videos", "frames", "empty")
    )
    several = counts.pop("with several bodies", 0)
    for what, count in counts.items():
        print(f"left out: {count} {what}")
    print(
        f"wrote {videos} videos, {frames} frames ({empty} without a body), {several} "
        f"videos of several bodies; {len(problems)} files are bad"
    )
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
