r"""Scores a 2D pose network on MPII's validation people, single person.

Paper     Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232), table 2
Command   python exp/mpii/eval_mpii_singleperson.py runs/eval --data datasets/MPII \
              --weights FILE [--flip] [--multi-crop] [--refine N] [--report]
Hardware  two CPU cores, generated people; on MPII not tried here
Time      not measured
Expected  PCKh@0.5, single crop: 89.1 with the paper's weights
Measured  on 300 generated people (2 blocks, 128 px): 74.5 with one crop,
          75.4 with --flip, 75.2 with --flip --multi-crop (docs/mpii.md)

Prints PCKh by body part, joint and block, and writes evaluation.json and evaluation.md
to the run folder; --report adds report.md and report.html (docs/reports.md),
--every-block the body parts and curves of all blocks. Every annotated joint counts; the
figure as the original counts (joints in the crop only; of the best block) stands beside
it. A picture that cannot be read counts as wrong. Any network that finds poses can be
scored, SPNet too: weights/README.md says how the script knows which it is (--network).
"""

import pathlib

from deephar import experiment
from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson
from deephar.evaluation import blocks, report
from deephar.evaluation.pose import score_pckh
from deephar.networks import NAMED
from deephar.utils import VALID_MODE

NETWORKS = experiment.pose_networks("mpii")


def parse(argv=None):
    """The flags, with the paper's protocol as defaults."""
    parser = experiment.argument_parser(__doc__, logdir="runs/eval_mpii_singleperson")
    experiment.add_people_arguments(parser, "datasets/MPII", ", ".join(NAMED))
    add = parser.add_argument
    share = {"type": experiment.positive_float, "default": 0.5}
    add("--threshold", help="share of the head size (%(default)s)", **share)
    add("--report", action="store_true", help="write report.md and report.html")
    add("--every-block", action="store_true", help="score the parts by block; curves")
    add("--untrained", action="store_true", help="score the untrained network beside")
    experiment.add_network_arguments(parser, NETWORKS)
    return parser.parse_args(argv)


def main(argv=None):
    """Evaluates, prints the tables, writes JSON, Markdown and the report."""
    args = parse(argv)
    folder = experiment.start(args)
    compute = experiment.configure_compute(args)
    settings = experiment.network_settings(args, NETWORKS)
    mpii = MpiiSinglePerson(args.data, experiment.sized(mpii_sp_dataconf, settings))
    layout = experiment.poselayout(settings)

    def run(weights):
        model = experiment.build_network(settings["network"], settings, weights)
        model = experiment.pose_view(model, settings)
        return experiment.predict_people(args, compute, model, mpii, VALID_MODE, layout)

    found = run(args.weights)
    scores = score_pckh(found, mpii.poselayout, args.threshold)
    scores = experiment.name_blocks(scores, settings)
    scores["receipt"] = experiment.receipt(
        args.weights, args.data, evaluation="mpii", settings=settings
    )
    scores["receipt"]["looking"] = experiment.describe_looking(args)
    untrained = None
    if args.untrained:
        untrained = score_pckh(run(None), mpii.poselayout, args.threshold)
        scores["untrained_pckh"] = untrained["pckh"]
    tables = [
        report.pckh_table(scores, untrained),
        report.joint_table(scores),
        report.block_table(scores),
    ]
    if args.every_block:
        scores["every_block"] = blocks.score_blocks(
            found, mpii.poselayout, args.threshold
        )
        tables.append(blocks.parts_table(scores))
    text = "\n\n".join(tables)
    experiment.write_evaluation(folder, scores, text)
    print(text)
    if args.every_block:
        blocks.plot_blocks(folder / "blocks.png", scores)
        report.plot_pckh_curve(folder / "pckh.png", found)
    if args.report:
        training = pathlib.Path(args.weights).parent
        path = report.write_report(
            folder, scores, found, mpii, VALID_MODE, training, untrained
        )
        print(f"\nreport: {path}")


if __name__ == "__main__":
    experiment.run_script(main)
