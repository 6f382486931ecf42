r"""Scores SPNet on NTU RGB+D's test videos, and its pose part on Human3.6M.

Paper     Luvizon, Picard, Tabia, TPAMI 2020 (arXiv 1912.08077)
Command   python exp/ntu/eval_ntu_multitask.py runs/eval_ntu_multitask \
              --data datasets/NTU --h36m datasets/Human3.6M \
              --weights runs/ntu_joint/weights_last.weights.h5 \
              [--boxes whole | --boxes BOXES.json] [--clips one | many] [--subsample 4]
Recipe    clips of 8 frames, every 4th of the video; 256x256 px; one crop a person
Hardware  two CPU cores, generated data; on the real data sets not tried here
Time      20 s for 60 videos and 240 frames, small network, other work beside
Expected  the authors state no figure beside their weights (ntu_spnet)
Measured  generated data (docs/reproduce.md): 26.7 % and 21.7 %, 203.0 mm

One clip in the middle of every video, then all clips and their mirror images, whose
scores are multiplied (which the original's script does, with the boxes of the annotated
joints), and the error of every prediction's poses on Human3.6M's validation subjects,
one frame in 64; without --h36m there are no poses. The split, cross-subject or
cross-view, is the one that the weights were trained on; --protocol is for weights that
nothing tells it of. Prints and writes to the run folder the strict figures beside the
original's: evaluation.md, evaluation.json, confusion.png and outputs.png, and of many
clips confusion_multi_clip.png and outputs_multi_clip.png; --report adds report.html
(docs/reports.md).
"""

from deephar import experiment
from deephar.config import ntu_dataconf
from deephar.data import Ntu


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/eval_ntu_multitask")
    people = ("h36m", "Human3.6M's validation subjects")
    experiment.add_multitask_arguments(parser, "datasets/NTU", "ntu_spnet", *people)
    experiment.add_frames_argument(parser, "--h36m-every")
    experiment.add_network_arguments(parser, "ntu_spnet")
    parser.set_defaults(every=None)
    args = parser.parse_args(argv)
    if args.every is not None and args.h36m is None:
        parser.error("--h36m-every is of --h36m: give that too")
    args.every = args.every or 64
    return args


def main(argv=None):
    """Evaluates; prints and writes the report."""
    args = parse(argv)
    data = ("ntu_spnet", Ntu, ntu_dataconf)
    compute, settings, ntu = experiment.start_on_videos(args, *data)

    def score_poses(predictor, folder):
        options = (args.every, args.workers)
        return experiment.score_human36m(predictor, folder, settings, *options)

    tasks = ("ntu_multitask", "h36m", score_poses)
    print(experiment.evaluate_multitask(args, compute, settings, ntu, *tasks))


if __name__ == "__main__":
    experiment.run_script(main)
