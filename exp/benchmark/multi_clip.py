r"""Times multi-clip evaluation against each clip alone, the original's way, in pairs.

Command   python exp/benchmark/multi_clip.py [--steps 1 2 3] [--boxes truth] \
              [--size 256 --blocks 4] [--data FOLDER]

Videos of generated people, or the test videos of a folder in Penn Action's form, are
evaluated by all their clips and these mirrored, in turn: together (each picture decoded
once, each view of it described once) and alone, as the original does: 16 pictures
decoded and cropped, the whole model run on one clip, by `model.predict` (--call). The
scores are compared. Mirrored clips count too. `ratio` is the median over the pairs,
`cpu_ratio` that of the processor's seconds, which other work on the machine disturbs
less. The network is untrained, which changes nothing here.
"""

import pathlib
import statistics
import tempfile
import time

import clip_ways
import common
import numpy as np

from deephar import experiment
from deephar.data.synthetic import write_pennaction_clips
from deephar.experiment.compute import add_compute_arguments
from deephar.inference import ClipPredictor
from deephar.utils.modes import TEST_MODE
from deephar.utils.numbers import crop_side, positive_int


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add, number = parser.add_argument, {"type": positive_int, "metavar": "N"}
    add("--data", help="folder in Penn Action's form; all its test videos are taken")
    add("--videos", default=2, help="generated (%(default)s)", **number)
    add("--length", default=70, help="frames of each (%(default)s)", **number)
    add("--steps", nargs="+", default=[2], help="(%(default)s)", **number)
    add("--boxes", choices=("truth", "whole"), default="whole", help="(%(default)s)")
    add("--size", type=crop_side, default=256, help="side, px (%(default)s)")
    add("--blocks", default=4, help="(%(default)s)", **number)
    add("--frames", default=16, help="of a clip (%(default)s)", **number)
    add("--batch-size", default=16, help="frames (%(default)s)", **number)
    add("--workers", default=2, help="threads that read", **number)
    add("--repeat", default=3, help="pairs (%(default)s)", **number)
    add(
        "--call", choices=list(clip_ways.CALLS), default="predict", help="(%(default)s)"
    )
    add_compute_arguments(parser)
    return parser.parse_args(argv)


def evaluate(args, folder):
    """Both ways, in turn."""
    compute = experiment.configure_compute(args)
    data = clip_ways.open_both(folder, args)
    shape = {"size": args.size, "blocks": args.blocks, "frames": args.frames}
    settings = experiment.default_settings("penn") | shape
    model = experiment.build_network("penn", settings)
    model.jit_compile = compute.jit
    predictor = ClipPredictor(model, args.batch_size, compute.fold, compute.jit)
    ways = {
        "together": lambda: clip_ways.together(predictor, data, args),
        "alone": lambda: clip_ways.alone(model, data, args),
    }
    blank = np.zeros((2, *model.input_shape[1:]), np.float32)
    for count in (2, 1, 2):
        predictor.predict_clips(blank[:count])
        clip_ways.CALLS[args.call](model, blank[:1])
    keys = range(data[0].get_length(TEST_MODE))
    clips = [
        2 * len(data[0].get_clip_index(key, TEST_MODE, args.steps)) for key in keys
    ]
    wall, cpu, scores = {way: [] for way in ways}, {way: [] for way in ways}, {}
    for _ in range(args.repeat):
        for name, way in ways.items():
            start = time.perf_counter(), time.process_time()
            scores[name] = way()
            wall[name].append(time.perf_counter() - start[0])
            cpu[name].append(time.process_time() - start[1])
    roots = [scores[way] ** (1 / max(*clips, 1)) for way in ways]
    rates = {way: sum(clips) / statistics.median(wall[way]) for way in ways}
    return {
        "precision": compute.precision,
        "clips": sum(clips),
        **{f"{way}_clips_per_s": rate for way, rate in rates.items()},
        **ratios("ratio", wall),
        **ratios("cpu_ratio", cpu),
        "same_answers": bool((roots[0].argmax(-1) == roots[1].argmax(-1)).all()),
        "largest_difference": float(np.abs(roots[0] - roots[1]).max()),
    }


def ratios(name, seconds):
    """Median and range of how much faster "together" is than "alone"."""
    found = [b / a for a, b in zip(seconds["together"], seconds["alone"], strict=True)]
    middle = statistics.median(found)
    return {name: middle, f"{name}_lowest": min(found), f"{name}_highest": max(found)}


def measure(args):
    """Evaluates the folder, or one that is drawn for it."""
    if args.data is not None:
        return evaluate(args, pathlib.Path(args.data))
    with tempfile.TemporaryDirectory() as folder:
        size = {"frames": (args.length, args.length), "size": (480, 270)}
        write_pennaction_clips(folder, train=1, test=args.videos, **size)
        return evaluate(args, pathlib.Path(folder))


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
