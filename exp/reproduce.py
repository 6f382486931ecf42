r"""Does it reproduce? Runs the evaluations that are missing, and makes the tables.

Paper     Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232) and TPAMI 2020
          (arXiv 1912.08077)
Command   python exp/reproduce.py [OUT] [--plan]
          python exp/reproduce.py [OUT] --generated [--size tiny] [--plan]
Hardware  two CPU cores, generated data; on the real data sets not tried here
Time      --generated: 54 minutes, most of them with other work beside
Expected  the figures of deephar/evaluation/papers.py
Measured  generated data: docs/reproduce.md

Without --generated: scores the published weights that lie in the folder of weights on
the data sets that lie in datasets/, and says of the rest what is missing and where it
comes from; downloads nothing. With it: draws small data sets, trains small networks on
them and scores those. The page is OUT/tables/tables.md.

What is done stays done, unless its command, or what it read or wrote, has changed. Stop
it at any moment; the same command goes on. docs/reproduce.md tells more.
"""

import argparse
import functools
import logging
import pathlib

from deephar import experiment, plans
from deephar.checkpoints.download import weights_folder
from deephar.experiment import from_nothing, reproduction
from deephar.utils.numbers import seed

ROOT = pathlib.Path(__file__).resolve().parents[1]


def parse(argv=None):
    """The flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("out", nargs="?", help="folder of what is made (runs/reproduce[_generated])")
    add("--generated", action="store_true", help="from nothing, on generated data")
    sizes, small = tuple(from_nothing.SIZES), "of --generated (small)"
    add("--size", choices=sizes, help=small)
    add("--seed", type=seed, help="of --generated (0)")
    add("--datasets", help="folder of the data sets (datasets)")
    add("--weights", help="folder of the published weights (weights)")
    add("--plan", action="store_true", help="say what would be done; do nothing")
    names = {"nargs": "+", "default": [], "metavar": "STEP"}
    add("--only", help="these steps, and those they need; penn_* for several", **names)
    add("--skip", help="not these steps", **names)
    args = parser.parse_args(argv)
    if args.generated and (args.datasets or args.weights):
        parser.error("--datasets and --weights are for what is not --generated")
    if not args.generated and (args.size or args.seed is not None):
        parser.error("--size and --seed are for --generated")
    return args


def make_plan(args):
    """The steps of the flags."""
    kind = "reproduce_generated" if args.generated else "reproduce"
    places = reproduction.Places(
        root=ROOT,
        out=pathlib.Path(args.out or ROOT / "runs" / kind).resolve(),
        datasets=pathlib.Path(args.datasets or ROOT / "datasets").resolve(),
        weights=pathlib.Path(args.weights or weights_folder()).resolve(),
    )
    if args.generated:
        return from_nothing.generated(places, args.size or "small", args.seed or 0)
    return reproduction.published(places)


def main(argv=None):
    """Runs the plan, or shows it; ends with status 1 if a step failed."""
    args = parse(argv)
    plan = make_plan(args)
    chosen = plan.choose(args.only, args.skip)
    if args.plan:
        print(plans.plan_page(plan, plans.foresee(plan, chosen)))
        return
    experiment.begin_log()
    ready = functools.partial(experiment.begin_log, plan.out)
    outcomes = plans.run(plan, chosen, ready)
    logging.info("\n%s", plans.plan_page(plan, outcomes))
    if any(outcome.state == plans.FAILED for outcome in outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    experiment.run_script(main)
