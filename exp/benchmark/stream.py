r"""Times a stream of frames against each of its windows run whole, in pairs.

Command   python exp/benchmark/stream.py [--network penn] [--size 256 --blocks 4] \
              [--frames 16] [--length 100] [--json FILE]
          python exp/benchmark/stream.py --network lifting --length 400

Stride 1: the frames of a group are taken by the stream, which looks at each once, and
then the windows that end with them go through the whole network, A B A B; the two
answers are compared. Batch norms are folded in the stream, as `predict` has them, and
left in the whole network. --network lifting is a temporal lifting network (--widths
--channels), whose window is what a pose needs. `ratio` is how many times the frames a
second of the whole windows the stream has, the median of --groups groups of frames;
`cpu_ratio` counts the processor's seconds, which other work on the machine disturbs
less. Without --weights the network is untrained, which costs the same.
"""

import statistics
import time

import common
import numpy as np

from deephar.experiment.compute import add_compute_arguments, configure_compute
from deephar.utils.numbers import crop_side, positive_int

NETWORKS = ("penn", "ntu", "penn_spnet", "ntu_spnet", "lifting")


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add, number = parser.add_argument, {"type": positive_int, "metavar": "N"}
    add("--network", choices=NETWORKS, default="penn", help="(%(default)s)")
    add("--weights", metavar="FILE", help="of this network and size")
    add("--size", type=crop_side, default=256, help="side, px (%(default)s)")
    add("--blocks", default=4, help="or pyramids (%(default)s)", **number)
    add("--frames", default=16, help="of a window (%(default)s)", **number)
    add("--widths", default=[3] * 5, nargs="+", help="of lifting", **number)
    add("--channels", default=1024, help="of lifting (%(default)s)", **number)
    add("--length", default=100, help="frames (%(default)s)", **number)
    add("--groups", default=5, help="of frames, for the range", **number)
    add_compute_arguments(parser)
    return parser.parse_args(argv)


def timed(function, number):
    """What it returns, and its seconds by the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = function(number)
    return found, (time.perf_counter() - wall, time.process_time() - cpu)


def measure(args):
    """The figures by name."""
    compute = configure_compute(args)
    import stream_ways

    ways = stream_ways.Lifting if args.network == "lifting" else stream_ways.Clips
    ways = ways(args, compute)
    least = ways.first + 1 + args.groups
    if args.length < least:
        raise ValueError(
            f"--length must be at least {least}: the first answer comes after "
            f"{ways.first + 1} frames, and --groups={args.groups}. "
            f"Received: {args.length}"
        )
    for number in range(ways.first):
        ways.take(number)
    # The first call of each is compiled in it.
    answers = [(ways.take(ways.first), ways.run(ways.first))]
    frames, groups = range(ways.first + 1, args.length), []
    for group in np.array_split(frames, args.groups):
        sides = [[timed(way, n) for n in group] for way in (ways.take, ways.run)]
        answers += zip(*([found for found, _ in side] for side in sides), strict=True)
        groups.append([[times for _, times in side] for side in sides])
    taken, expected = (np.stack(side) for side in zip(*answers, strict=True))
    seconds, figures = [np.sum(group, axis=1) for group in groups], {}
    for name, clock in (("ratio", 0), ("cpu_ratio", 1)):
        ratios = sorted(whole[clock] / stream[clock] for stream, whole in seconds)
        figures |= {name: statistics.median(ratios)}
        figures |= {f"{name}_lowest": ratios[0], f"{name}_highest": ratios[-1]}
    stream_s, whole_s = np.median(np.concatenate(groups, axis=1)[..., 0], axis=1)
    return {
        "windows": len(answers),
        "stream_frames_per_s": 1 / stream_s,
        "whole_frames_per_s": 1 / whole_s,
        **figures,
        "largest_difference": float(np.abs(taken - expected).max()),
        "largest_change": float(np.ptp(expected, axis=0).max()),
    }


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
