r"""Scores a 3D pose network on Human3.6M's validation subjects, S9 and S11.

Paper     Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232), table 3
Command   python exp/h36m/eval_h36m.py runs/eval_h36m --data datasets/Human3.6M \
              --weights runs/h36m/weights_last.weights.h5 \
              [--protocol 64] [--flip] [--multi-crop] [--report]
Hardware  two CPU cores, generated people; on Human3.6M not tried here
Time      20,000 frames of 8 blocks are scored in 3.4 s, the network's work
          not counted, on one busy core
Expected  MPJPE as the original counts: 55.1 mm with one crop, 53.2 with several, with
          the paper's weights; by action the paper has one frame in 60
Measured  93.7 mm strict, 80.9 as the original counts, on 960 generated
          frames (2 blocks, 128 px, one crop: docs/human36m.md)

Prints MPJPE and P-MPJPE by action and block, strict, with the true depth of the root,
and as the original counts; writes evaluation.json and evaluation.md to the run folder.
--report adds report.md and report.html (docs/reports.md). docs/human36m.md says what is
strict; weights/README.md, which networks there are (--network): SPNet of 17 joints too.
"""

import pathlib

from deephar import experiment
from deephar.evaluation import report3d
from deephar.utils import VALID_MODE

NETWORKS = experiment.pose_networks("human36m", as_many_joints=True)


def parse(argv=None):
    """The flags, with the original's protocol as defaults."""
    parser = experiment.argument_parser(__doc__, logdir="runs/eval_h36m")
    published = "human36m, ntu_spnet"
    experiment.add_people_arguments(parser, "datasets/Human3.6M", published)
    experiment.add_frames_argument(parser)
    add = parser.add_argument
    add("--report", action="store_true", help="write report.md and report.html")
    add("--untrained", action="store_true", help="score the untrained network beside")
    experiment.add_network_arguments(parser, NETWORKS)
    return parser.parse_args(argv)


def main(argv=None):
    """Evaluates, prints the tables, writes JSON, Markdown and the report."""
    args = parse(argv)
    folder = experiment.start(args)
    compute = experiment.configure_compute(args)
    settings = experiment.network_settings(args, NETWORKS)
    h36m, bones = experiment.human36m_validation(args.data, settings, args.every)

    def run(weights):
        model = experiment.build_network(settings["network"], settings, weights)
        model = experiment.pose_view(model, settings)
        found = experiment.predict_people(args, compute, model, h36m, VALID_MODE)
        scores = experiment.score_human36m_poses(found, h36m, bones)
        return found, experiment.name_blocks(scores, settings)

    found, scores = run(args.weights)
    scores["receipt"] = experiment.receipt(
        args.weights, args.data, evaluation="human36m", settings=settings
    ) | {
        "looking": experiment.describe_looking(args),
        "frames": experiment.describe_frames(args),
    }
    untrained = None
    if args.untrained:
        _, untrained = run(None)
        scores["untrained_mpjpe"] = untrained["mpjpe"]
    text = "\n\n".join(report3d.error_page(scores, untrained))
    experiment.write_evaluation(folder, scores, text)
    print(text)
    if args.report:
        options = (h36m, VALID_MODE, pathlib.Path(args.weights).parent, untrained)
        path = report3d.write_report_3d(folder, scores, found, *options)
        print(f"\nreport: {path}")


if __name__ == "__main__":
    experiment.run_script(main)
