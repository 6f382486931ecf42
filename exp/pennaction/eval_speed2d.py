r"""Times SPNet of Penn Action cut after each of its predictions, and scores each.

Paper     Luvizon, Picard, Tabia, TPAMI 2020 (arXiv 1912.08077)
Command   python exp/pennaction/eval_speed2d.py runs/eval_speed2d \
              --data datasets/PennAction --mpii datasets/MPII \
              --weights runs/penn_joint/weights_last.weights.h5 \
              [--predictions 3 6 9] [--timed-clips 2] [--repeats 20] [--compute fast]
Recipe    2 clips of 8 frames a step, 256x256 px, as the original's script
Hardware  two CPU cores, generated data; on the real data sets not tried here
Time      40 s for 4 cuts, 75 videos and 300 people, other work beside
Expected  more than 100 frames/s (abstract of the paper; machine and prediction not
          named there)
Measured  generated data, small network (README.md): cuts of 402, 331, 276 and 211
          frames/s tell 76.0 to 89.3 % of the videos, PCKh@0.5 49.9 to 69.7

A network that is cut after prediction k computes only what its pose, and its action
where that block predicts one, need. Every cut is warmed up, then all of them are timed
in turn: frames/s, ms a frame, median and quartiles. What each prediction scores: the
accuracy of its action (strict, one clip a video), and PCKh on MPII's validation people;
without --mpii PCK by the torso on test frames of Penn Action. The published weights
tell actions in pyramids 5 and 6, the last 6 of 18 predictions; the original's script
builds a network that tells them in all 6 (--action-pyramids 1,2,3,4,5,6 in training),
whose weights are not published. Prints and writes to the run folder evaluation.md,
evaluation.json and speed.png. The original's script pairs outputs that lie next to each
other, which are two poses; here a prediction is its pose and its own action.
"""

import pathlib

from deephar import experiment
from deephar.config import pennaction_dataconf
from deephar.data import PennAction
from deephar.evaluation.cuts import cut_page, plot_cuts


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/eval_speed2d")
    experiment.add_clip_arguments(parser, "datasets/PennAction", "penn_spnet")
    add = parser.add_argument
    add("--mpii", metavar="FOLDER", help="score poses on MPII's validation people")
    frames = {"type": experiment.positive_int, "metavar": "N"}
    add("--eval-frames", help="frames that score poses without --mpii (1000)", **frames)
    experiment.add_cut_arguments(parser)
    experiment.add_network_arguments(parser, "penn_spnet")
    args = parser.parse_args(argv)
    if args.mpii and args.eval_frames:
        parser.error("--eval-frames is for poses without --mpii: give one of them")
    args.eval_frames = args.eval_frames or 1000
    return args


def main(argv=None):
    """Scores and times; prints and writes the report."""
    args = parse(argv)
    folder = pathlib.Path(experiment.start(args))
    compute = experiment.configure_compute(args)
    settings = experiment.network_settings(args, "penn_spnet")
    dataconf = experiment.action_dataconf(args, settings, pennaction_dataconf)
    options = {"clip_size": settings["frames"], **experiment.box_options(args)}
    videos = PennAction(args.data, dataconf, **options)
    frames = None
    if args.mpii is None:
        frames = PennAction(args.data, dataconf, topology="frames", **options)
    scores = experiment.score_cuts(args, compute, settings, videos, frames)
    data = {"penn": args.data} | ({"mpii": args.mpii} if args.mpii else {})
    receipt = experiment.action_receipt(args, settings, "speed2d", data)
    scores = {"receipt": receipt, **scores}
    text = "\n\n".join(cut_page(scores))
    experiment.write_evaluation(folder, scores, text)
    print(text)
    plot_cuts(folder / "speed.png", scores)


if __name__ == "__main__":
    experiment.run_script(main)
