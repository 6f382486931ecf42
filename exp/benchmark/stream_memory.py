r"""Watches the memory of a long stream of frames: people, actions and 3D poses.

Command   python exp/benchmark/stream_memory.py [--frames 20000] [--plot FILE.png] \
              [--weights FILE] [--json FILE]

Two generated people pass each other, again and again (--clip frames each time). They
are detected, followed, recognised, and lifted; --weights are of an `ActionPredictor`,
as small_action. Without them it is a small untrained merged network, which finds
somebody everywhere, and so hardly lets go of those whom it saw first; the lifting
network is untrained too. Memory is what the process holds (RSS), at 100 times of the
stream; `growth_mib` is the straight line through its second half, from the beginning of
that half to its end. The clip is drawn before the stream begins. Linux only.
"""

import pathlib
import time

import common
import numpy as np

from deephar.utils.numbers import crop_side, positive_int
from deephar.utils.timing import MIB


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add, number = parser.add_argument, {"type": positive_int, "metavar": "N"}
    add("--weights", metavar="NAME", help="of a network of poses and actions")
    add("--size", type=crop_side, default=32, help="side without weights (%(default)s)")
    add("--frames", default=20000, help="of the stream (%(default)s)", **number)
    add("--clip", default=60, help="frames of a crossing (%(default)s)", **number)
    add("--plot", metavar="FILE", help="draw the curve there")
    return parser.parse_args(argv)


def held_mib():
    """What the process holds now, MiB."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmRSS"].split()[0]) * 1024 / MIB


def video_predictor(args, frames):
    """What looks at the stream: everything that there is."""
    from deephar import inference
    from deephar.inference.people import LEAST_CONFIDENCE, GivenBoxes
    from deephar.inference.tracking import Tracker
    from deephar.models import lifting
    from deephar.networks.building import build_network
    from deephar.networks.recipes import default_settings
    from deephar.utils.pose import pa16j2d

    if args.weights:
        looker = inference.ActionPredictor.load(args.weights)
    else:
        small = {"size": args.size, "blocks": 1, "frames": 8}
        model = build_network("penn", default_settings("penn") | small)
        clips = inference.ClipPredictor(model, poses=True)
        looker = inference.ActionPredictor(clips, pa16j2d, list(map(str, range(15))))
    boxes = {n + 1: list(frames[n % len(frames)].boxes) for n in range(args.frames)}
    return inference.VideoPredictor(
        looker,
        GivenBoxes(boxes),
        Tracker(patience=5, most=2),
        actions=inference.ActionStream(looker.clip_predictor, looker.step, every=4),
        lifting=inference.LiftingStream(
            [lifting.build(17, 2, 17, (3, 3, 3), channels=64)], looker.poselayout
        ),
        least_confidence=LEAST_CONFIDENCE if args.weights else 0.0,
        detect_every=10,
        refine=0,
    )


def measure(args):
    """The figures by name."""
    from deephar.data.synthetic.crossing import make_crossing

    frames = list(make_crossing(0, args.clip, (320, 180)))
    video, ids, curve = video_predictor(args, frames), set(), []
    every, start = max(1, args.frames // 100), time.perf_counter()
    for number in range(args.frames):
        found = video.step(frames[number % len(frames)].picture, number + 1)
        ids.update(person.id for one in found for person in one.people)
        if (number + 1) % every == 0:
            curve.append((number + 1, held_mib()))
    seconds, (at, mib) = time.perf_counter() - start, np.transpose(curve)
    half = len(at) // 2
    slope = np.polyfit(at[half:], mib[half:], 1)[0] * (at[-1] - at[half])
    if args.plot:
        draw(args.plot, at, mib)
    figures = {"frames": args.frames, "people": len(ids)}
    figures |= {"frames_per_s": args.frames / seconds, "first_mib": mib[0]}
    figures |= {"middle_mib": mib[half], "last_mib": mib[-1], "growth_mib": slope}
    return figures


def draw(path, at, mib):
    """The curve from 0 on."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(at, mib)
    axes.set(ylim=(0, 1.2 * max(mib)), xlim=(0, at[-1]))
    axes.set(xlabel="frames", ylabel="memory of the process, MiB")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
