r"""Scores SPNet on Penn Action's test videos, and its pose part on MPII.

Paper     Luvizon, Picard, Tabia, TPAMI 2020 (arXiv 1912.08077)
Command   python exp/pennaction/eval_penn_multitask.py runs/eval_penn_multitask \
              --data datasets/PennAction --mpii datasets/MPII \
              --weights runs/penn_joint/weights_last.weights.h5 \
              [--boxes whole | --boxes BOXES.json] [--clips one | many] [--subsample 6]
Recipe    clips of 8 frames, every 6th of the video; 256x256 px; one crop a person
Hardware  two CPU cores, generated data; on the real data sets not tried here
Time      33 s for 75 videos and 300 people, small network, other work beside
Expected  the authors state no figure beside their weights (penn_spnet)
Measured  generated data (README.md): 89.3 % by one clip, 92.0 % by many, PCKh@0.5 69.7

One clip in the middle of every video, then all clips and their mirror images, whose
scores are multiplied, and PCKh of MPII's validation people by every prediction; without
--mpii there are no poses. Boxes are those of the annotated joints unless --boxes names
the whole picture or a file by predict_bboxes.py or by the authors: the original's
script has predicted ones, penn_pred_bboxes_multitask.json. Prints and writes to the run
folder the strict figures, in which every video and joint counts, beside the original's:
evaluation.md, evaluation.json, confusion.png and outputs.png, and of many clips
confusion_multi_clip.png and outputs_multi_clip.png; --report adds report.html.
"""

from deephar import experiment
from deephar.config import pennaction_dataconf
from deephar.data import PennAction


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/eval_penn_multitask")
    people = ("mpii", "MPII's validation people")
    experiment.add_multitask_arguments(
        parser, "datasets/PennAction", "penn_spnet", *people
    )
    experiment.add_network_arguments(parser, "penn_spnet")
    return parser.parse_args(argv)


def main(argv=None):
    """Evaluates; prints and writes the report."""
    args = parse(argv)
    data = ("penn_spnet", PennAction, pennaction_dataconf)
    compute, settings, penn = experiment.start_on_videos(args, *data)

    def score_poses(predictor, folder):
        return experiment.score_mpii(predictor, folder, settings, args.workers)

    tasks = ("penn_multitask", "mpii", score_poses)
    print(experiment.evaluate_multitask(args, compute, settings, penn, *tasks))


if __name__ == "__main__":
    experiment.run_script(main)
