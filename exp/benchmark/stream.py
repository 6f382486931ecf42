r"""Times a stream of frames against each of its windows run whole, in pairs.

Command   python exp/benchmark/stream.py [--network penn] [--size 256 --blocks 4] \
              [--frames 16] [--length 100] [--json FILE]
          python exp/benchmark/stream.py --network lifting --length 400

Stride 1: every frame of the video is taken by the stream, which looks at it once, and
then the window that ends with it goes through the whole network, A B A B; the two
answers are compared. --network lifting is a temporal lifting network (--widths
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
    pairs, answers = [], []
    for number in range(args.length):
        taken, stream_times = timed(ways.take, number)
        if number < ways.first:
            continue
        expected, whole_times = timed(ways.run, number)
        answers.append((taken, expected))
        pairs.append((stream_times, whole_times))
    taken, expected = (np.stack(side) for side in zip(*answers, strict=True))
    # The first call of each is compiled in it.
    groups = np.array_split(np.array(pairs[1:]), args.groups)
    (wall, cpu), figures = np.transpose([g.sum(axis=0) for g in groups], (2, 0, 1)), {}
    for name, times in (("ratio", wall), ("cpu_ratio", cpu)):
        ratios = sorted(whole / stream for stream, whole in times)
        figures |= {name: statistics.median(ratios)}
        figures |= {f"{name}_lowest": ratios[0], f"{name}_highest": ratios[-1]}
    stream_s, whole_s = np.median([pair for pair, _ in np.swapaxes(pairs, 1, 2)], 0)
    return {
        "windows": len(pairs),
        "stream_frames_per_s": 1 / stream_s,
        "whole_frames_per_s": 1 / whole_s,
        **figures,
        "largest_difference": float(np.abs(taken - expected).max()),
        "largest_change": float(np.ptp(expected, axis=0).max()),
    }


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
