"""Makes nturgb+d_numpy/*.npy for Ntu from the owners' skeleton files.

    python datasets/NTU/convert.py nturgb+d_skeletons \\
        --missing NTU_RGBD_samples_with_missing_skeletons.txt

One person of every video is kept: of those that are there in at least 9 of 10 of the
frames that the longest one has, the one whose joints move most. Frames without it have
NaN. A sensor that loses somebody finds him again as another body: a body that begins
after another has ended is the same person if the middle of its spine is within 0.3 m,
and 0.05 m for each frame between, of where the other's was last. Bodies with a joint
more than 1.5 m from the middle of the spine (in the median frame) are no people.
README.md in this folder says where the files come from.
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
NEAR, NEAR_PER_FRAME = 0.3, 0.05
"""A body goes on as another that begins so near, m, and m for each frame between."""
REACH = 1.5
"""A body with joints further from the middle of the spine is nobody, m."""
SPINE = 1
"""Joint in the middle of the spine."""
LOST = 0.2
"""Videos that lack more of their frames are named."""
MM_PER_M = 1000.0

NAME = re.compile(r"S\d{3}C\d{3}P\d{3}R\d{3}A(\d{3})")


@dataclasses.dataclass
class Body:
    """One tracked body: numbers of its frames, from 0, and their joints (25, 12)."""

    frames: list[int] = dataclasses.field(default_factory=list)
    joints: list[np.ndarray] = dataclasses.field(default_factory=list)

    def world(self) -> np.ndarray:
        """Returns (n, 25, 3) m from the sensor; NaN for joints not before it."""
        world = np.stack(self.joints)[:, :, WORLD]
        return np.where(world[..., 2:] > 0, world, np.nan)

    def motion(self) -> float:
        """Returns the mean way of a joint from frame to frame, m."""
        steps = np.linalg.norm(np.diff(self.world(), axis=0), axis=-1)
        steps = steps[np.diff(self.frames) == 1]
        return float(np.nanmean(steps)) if np.isfinite(steps).any() else 0.0

    def reach(self) -> float:
        """Returns how far the joints are from the middle of the spine, m.

        That is the furthest one, in the median of the frames; NaN if never known.
        """
        world = self.world()
        ways = np.linalg.norm(world - world[:, SPINE : SPINE + 1], axis=-1)
        ways = ways[np.isfinite(ways).any(axis=1)]
        return float(np.median(np.nanmax(ways, axis=1))) if len(ways) else np.nan

    def gap(self, after: "Body") -> float:
        """Returns how near another body begins, 1 at the limit of the same person.

        Infinity if it begins before this one has ended, or a place is not known.
        """
        frames = after.frames[0] - self.frames[-1] - 1
        places = [self.joints[-1][SPINE, WORLD], after.joints[0][SPINE, WORLD]]
        known = all(np.isfinite(one).all() and one[2] > 0 for one in places)
        if frames < 0 or not known:
            return np.inf
        way = np.linalg.norm(places[1] - places[0])
        return float(way / (NEAR + NEAR_PER_FRAME * frames))


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


def join_bodies(bodies: dict[str, Body]) -> list[Body]:
    """Returns the people that the bodies are, by the rules at the head of this file."""
    people: list[Body] = []
    for body in sorted(bodies.values(), key=lambda body: body.frames[0]):
        if body.reach() > REACH:
            continue
        gaps = [person.gap(body) for person in people]
        if gaps and min(gaps) <= 1:
            person = people[int(np.argmin(gaps))]
            person.frames += body.frames
            person.joints += body.joints
        else:
            people.append(Body([*body.frames], [*body.joints]))
    return people


def choose_body(people: list[Body]) -> Body:
    """Returns the person that is kept, by the rule at the head of this file.

    Raises:
        ValueError: if there is none.
    """
    if not people:
        raise ValueError("there must be a body in at least one frame. Received: none")
    longest = max(len(body.frames) for body in people)
    complete = [body for body in people if len(body.frames) >= COMPLETE * longest]
    return max(complete, key=Body.motion)


def make_video(name: str, text: str) -> tuple[NtuVideo, collections.Counter]:
    """Returns the video of a skeleton file's text, and counts of its bodies.

    A joint without a place in the colour picture, or not before the sensor, is NaN.

    Raises:
        ValueError: see `parse_skeleton`; if there is no body, or none is a person.
    """
    num_frames, bodies = parse_skeleton(text)
    people = join_bodies(bodies)
    if bodies and not people:
        reach = min(body.reach() for body in bodies.values())
        raise ValueError(
            f"a body must have its joints within {REACH} m of the middle of the "
            f"spine. Received: {reach:.3g} m at least"
        )
    body = choose_body(people)
    values = np.full((num_frames, NUM_JOINTS, NUM_VALUES), np.nan)
    values[body.frames] = np.stack(body.joints)
    world = values[:, :, WORLD]
    image = np.concatenate([values[:, :, COLOUR], world[:, :, 2:] * MM_PER_M], axis=-1)
    known = np.isfinite(image).all(axis=-1) & (image[:, :, 2] > 0)
    image[~known] = np.nan
    if not known.any():
        raise ValueError("the body must have joints in the picture. Received: none")
    real = sum(not one.reach() > REACH for one in bodies.values())
    counts = collections.Counter(
        several=int(len(people) > 1),
        joined=int(real > len(people)),
        impossible=len(bodies) - real,
    )
    return NtuVideo(name, np.arange(num_frames) + 1, world, image), counts


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


def convert(arguments) -> tuple[collections.Counter, list[str], list[str]]:
    """Writes all videos.

    Returns:
        (counts, problems, lossy): a line for each file that is bad, and for each video
        that lacks many frames.

    Raises:
        OSError: if the list of missing skeletons cannot be read.
        ValueError: if it has no names.
    """
    missing = read_missing(arguments.missing)
    counts, problems, lossy = collections.Counter(), [], []
    for path in arguments.paths:
        match = NAME.fullmatch(path.stem)
        if path.stem in missing:
            counts["listed as missing their skeleton"] += 1
            continue
        if match and int(match.group(1)) > len(ACTIONS):
            counts["of actions beyond the 60"] += 1
            continue
        try:
            video, more = make_video(path.stem, path.read_text(encoding="ascii"))
            write_ntu(arguments.out, video)
        except (OSError, ValueError) as error:
            problems.append(f"{path}: {error}")
            continue
        lost, frames = int(np.isnan(video.image).all(axis=(1, 2)).sum()), video.frames
        counts.update(more, videos=1, frames=len(frames), empty=lost)
        if lost > LOST * len(frames):
            lossy.append(f"{path.stem}: {lost} of {len(frames)} frames without a body")
    return counts, problems, lossy


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
    paths = arguments.source.glob("*.skeleton")
    arguments.paths = sorted(path for path in paths if path.name[0] != ".")
    if not arguments.paths:
        parser.error(f"no *.skeleton in the folder: {arguments.source}")
    return arguments


def main(argv=None) -> int:
    """Runs the command line; returns 1 if a file is damaged or without a body."""
    arguments = parse_arguments(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        counts, problems, lossy = convert(arguments)
    except (OSError, ValueError) as error:
        print(f"convert.py: {error}", file=sys.stderr)
        return 1
    for line in problems:
        print(f"left out: {line}", file=sys.stderr)
    for line in lossy:
        print(f"lossy: {line}", file=sys.stderr)
    keys = ("videos", "frames", "empty", "several", "joined", "impossible")
    videos, frames, empty, several, joined, impossible = (
        counts.pop(key, 0) for key in keys
    )
    for what, count in counts.items():
        print(f"left out: {count} {what}")
    print(
        f"wrote {videos} videos, {frames} frames ({empty} without a body), {several} "
        f"videos of several people, {joined} of bodies that were joined; "
        f"{impossible} bodies are no people, {len(lossy)} videos lack more than a "
        f"fifth of their frames, {len(problems)} files are bad"
    )
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
