r"""Follows two generated people who pass each other, and counts whose id is kept.

Command   python exp/benchmark/crossings.py [--weights FILE] [--crossings 8] \
              [--first 0] [--detector boxes] [--json FILE]

In each video one hides the other half way. A pose is of a person if its joints are less
than 0.12 of the person's size away on average, and nearer than to the other one. `kept`
counts people whose most frequent id is the same before and after, `swapped` those who
then have the other's; `ids` all that were given. `seen_*` are parts of the frames in
which the person has a pose: before, while the two are less than half of their size
apart, and after. --detector boxes tells the boxes of the first frame and no more; hog
is OpenCV's detector, every fifth frame. Without --weights the small network of poses.
"""

import common
import numpy as np

from deephar.data.synthetic.crossing import make_crossing
from deephar.utils.numbers import positive_int, seed

NEAR, APART = 0.12, 0.5


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add = parser.add_argument
    add("--weights", metavar="FILE", help="of a network of poses, or a name")
    add("--crossings", type=positive_int, default=8, metavar="N", help="(%(default)s)")
    add("--first", type=seed, default=0, metavar="N", help="its seed")
    add("--frames", type=positive_int, default=75, metavar="N", help="(%(default)s)")
    add("--detector", choices=("boxes", "hog"), default="boxes", help="(%(default)s)")
    return parser.parse_args(argv)


def ids_of(truth, people):
    """The ids (2,) of the poses on both people of a frame, 0 for none."""
    found = [0, 0]
    for person in people:
        off = np.linalg.norm(person.pose.joints[:, :2] - truth.joints, axis=-1)
        off = off.mean(axis=1) / np.ptp(truth.joints, axis=1).max(axis=1)
        nearest = int(off.argmin())
        if off[nearest] < NEAR:
            found[nearest] = person.id
    return found


def usual(ids):
    """The most frequent id, 0 where there is none."""
    seen = ids[ids > 0]
    return int(np.bincount(seen).argmax()) if len(seen) else 0


def score(frames, found):
    """Counts by name of one video: its `CrossingFrame`s, and the people of each."""
    pairs = zip(frames, found, strict=True)
    ids = np.array([ids_of(*pair) for pair in pairs])
    x = np.array([frame.joints[:, 0, 0] for frame in frames])
    size = np.ptp(frames[0].joints, axis=1).max()
    ahead = (x[:, 1] - x[:, 0]) / size
    parts = ahead > APART, np.abs(ahead) <= APART, ahead < -APART
    before, after = (np.array([usual(i) for i in ids[p].T]) for p in parts[::2])
    return {
        "people": 2,
        "kept": int(((before > 0) & (before == after)).sum()),
        "swapped": int(((before > 0) & (before == after[::-1])).sum()),
        "ids": len({person.id for people in found for person in people}),
        **{
            f"seen_{name}": float((ids[part] > 0).mean()) if part.any() else np.nan
            for name, part in zip(("before", "meanwhile", "after"), parts, strict=True)
        },
    }


def measure(args):
    """The figures of all videos: sums of what is counted, means of the parts."""
    from deephar.inference import (
        GivenBoxes,
        HogDetector,
        PosePredictor,
        VideoPredictor,
    )

    looker, scores = PosePredictor.load(args.weights), []
    for number in range(args.first, args.first + args.crossings):
        frames = list(make_crossing(number, args.frames))
        boxes = GivenBoxes({1: frames[0].boxes.tolist()})
        detector = boxes if args.detector == "boxes" else HogDetector()
        video = VideoPredictor(looker, detector, detect_every=5)
        seen = [video.step(frame.picture)[0].people for frame in frames]
        scores.append(score(frames, seen))
    return {
        name: (np.mean if name.startswith("seen") else sum)([s[name] for s in scores])
        for name in scores[0]
    }


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
