r"""Draws score against time of networks cut after each prediction, Pareto front marked.

Command   python exp/benchmark/speed_accuracy.py --weights FILE [FILE ...] \
              --mpii FOLDER | --penn FOLDER | --ntu FOLDER [--out FOLDER] \
              [--batch-sizes 1 8] [--predictions 1 2 4] [--device cpu]

--mpii scores poses, by PCKh@0.5 of the validation people of a folder in MPII's form;
--penn and --ntu the accuracy by one clip a test video, boxes of the truth. Every cut of
every network is warmed up, then all are timed in turn, at each batch size: the median
and the range of --repeat calls, of one crop or clip. Batch norms are folded, as
`predict` has them. The folder of --out gets speed_accuracy.png, .md and .json; the last
line on the screen is the JSON of all benchmarks. docs/cuts.md tells more.
"""

import argparse
import pathlib

import common

from deephar.utils.machine import CHOSEN_PRECISIONS
from deephar.utils.numbers import positive_int

STEM = "speed_accuracy"


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add, number = parser.add_argument, {"type": positive_int, "metavar": "N"}
    add("--weights", nargs="+", required=True, metavar="FILE", help="or names")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--mpii", metavar="FOLDER", help="people: PCKh@0.5")
    data.add_argument("--penn", metavar="FOLDER", help="videos: accuracy")
    data.add_argument("--ntu", metavar="FOLDER", help="videos: accuracy")
    add("--out", default="runs/speed_accuracy", metavar="FOLDER", help="(%(default)s)")
    add("--predictions", nargs="+", help="cuts, from 1 (default: all)", **number)
    add("--batch-sizes", nargs="+", default=[1, 8], help="(%(default)s)", **number)
    add("--repeat", default=20, help="timed calls of each (%(default)s)", **number)
    add("--eval-batch-size", default=16, help="of the scores (%(default)s)", **number)
    add("--workers", default=2, help="threads that read (%(default)s)", **number)
    add("--device", help="cpu, gpu, gpu:1 (default: what Keras takes)")
    kinds = {"choices": CHOSEN_PRECISIONS, "default": "float32"}
    add("--precision", help="(%(default)s)", **kinds)
    switch = argparse.BooleanOptionalAction
    add("--fold", action=switch, default=True, help="batch norms folded (yes)")
    add("--jit", action="store_true", help="XLA; on TensorFlow for GPUs alone")
    args = parser.parse_args(argv)
    args.batch_size = args.eval_batch_size
    return args


def name_of(path, others):
    """What a network is called: by its file, or by the folder of its training."""
    own = pathlib.Path(path)
    short = own.parent.name if own.name.startswith("weights_") else own.name
    alike = [one for one in others if pathlib.Path(one).parent.name == own.parent.name]
    return short if short and len(alike) < 2 else str(path)


def measure(args):
    """Scores and times all cuts, writes the page, and returns the figures by name."""
    import cut_ways

    from deephar.evaluation import tradeoff
    from deephar.evaluation.cuts import time_in_turn
    from deephar.frameworks import device
    from deephar.utils.fs import write_json, write_text

    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    ways = cut_ways.cut_poses if args.mpii else cut_ways.cut_actions
    cuts, runs = [], []
    for weights in args.weights:
        name = name_of(weights, args.weights)
        for block, parameters, score, run in ways(args, weights):
            cuts.append(tradeoff.Cut(name, block, parameters, score, {}))
            runs.append(run)
    if not cuts:
        raise ValueError(f"--predictions: there are none of {args.predictions}")
    for size in args.batch_sizes:
        seconds = time_in_turn([run(size) for run in runs], args.repeat)
        for cut, times in zip(cuts, seconds, strict=True):
            cut.milliseconds[size] = 1000 * times / size
    here = device()
    about = (
        f"{args.mpii or args.penn or args.ntu}; {here['device']}, {args.precision}, "
    )
    about += f"{args.repeat} calls of each cut, in turn."
    named = ("PCKh@0.5", "crop") if args.mpii else ("accuracy", "clip")
    page = tradeoff.tradeoff_page(folder / f"{STEM}.png", cuts, *named, about)
    write_text(folder / f"{STEM}.md", page)
    rows = {"settings": vars(args), "cuts": [cut.to_dict() for cut in cuts]}
    write_json(folder / f"{STEM}.json", {**rows, "front": tradeoff.fronts(cuts)})
    for cut in cuts:
        at = f"{cut.network}_{cut.block}"
        here[f"{at}_score"] = cut.score
        here |= {f"{at}_batch_{n}_ms": cut.median(n) for n in args.batch_sizes}
    return here


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
