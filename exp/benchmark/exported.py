r"""Times exported files against the Keras network that they are of, in turn, batch 1.

Command   python -m deephar export small_pose --out runs/files --formats onnx tflite
          python exp/benchmark/exported.py runs/files/pose.onnx runs/files/pose.tflite \
              [--rounds 7 --repeat 20 --threads N] [--plot FILE] [--data FOLDER]

In each round every side has --repeat calls: Keras' own `predict_on_batch` (`keras`),
the network as `predict` runs it, folded and traced (`traced`), and each file; A B C,
A B C. `NAME_s` is the median of its calls, `NAME_over_keras` how many times the calls a
second of Keras it has, the median of the rounds, and `_lowest`, `_highest` of them.
The first call of each does not count. --data is people in MPII's form: PCKh@0.5 of its
validation people by every side, of files of poses. The weights are those that the cards
name, whose md5 must be the same.
"""

import statistics
import time

import common
import numpy as np

from deephar.utils.numbers import positive_int


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add, number = parser.add_argument, {"type": positive_int, "metavar": "N"}
    add("files", nargs="+", metavar="FILE", help="of one part, with their cards")
    add("--rounds", default=7, help="(%(default)s)", **number)
    add("--repeat", default=20, help="calls of a round (%(default)s)", **number)
    add("--threads", help="of onnxruntime and TFLite (theirs)", **number)
    add("--plot", metavar="FILE", help="draw calls a second there, by side")
    add("--data", metavar="FOLDER", help="people to score, in MPII's form")
    return parser.parse_args(argv)


def timed(run, inputs, repeat):
    """Seconds a call."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run(inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(args):
    """The figures by name."""
    import exported_ways

    ways = exported_ways.Ways(args.files, args.threads)
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(-1, 1, x).astype(np.float32) for x in ways.shapes]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    scores = ways.scores(args.data) if args.data else {}
    for run in ways.runs.values():
        run(inputs)
    rounds = [
        {name: timed(run, inputs, args.repeat) for name, run in ways.runs.items()}
        for _ in range(args.rounds)
    ]
    figures = {"weights": ways.weights, "part": ways.part}
    for name in ways.runs:
        figures[f"{name}_s"] = statistics.median(one[name] for one in rounds)
        figures[f"{name}_per_s"] = 1 / figures[f"{name}_s"]
    for name in list(ways.runs)[1:]:
        ratios = sorted(one["keras"] / one[name] for one in rounds)
        figures[f"{name}_over_keras"] = statistics.median(ratios)
        figures[f"{name}_over_keras_lowest"] = ratios[0]
        figures[f"{name}_over_keras_highest"] = ratios[-1]
    if args.plot:
        exported_ways.plot(args.plot, rounds, f"{ways.weights}: {ways.part}, batch 1")
    return figures | scores


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
