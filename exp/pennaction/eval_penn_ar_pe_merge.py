r"""Scores the merged network of pose and action on Penn Action's test videos.

Paper     Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232)
Command   python exp/pennaction/eval_penn_ar_pe_merge.py runs/eval_penn \
              --data datasets/PennAction --multi-clip \
              --weights runs/penn_all/weights_last.weights.h5 \
              [--boxes whole | --boxes BOXES.json] [--subsample 2]
Hardware  two CPU cores, generated clips; on Penn Action not tried here
Time      not measured alone; the README's run: 9 minutes in all
Expected  98.6 % with annotated boxes, 97.4 % without, with the paper's weights
Measured  on 75 generated videos, strict (the README's run, twice): one clip
          90.7 and 94.7 %, many 96.0 and 94.7 %

One clip in the middle of every video, or all clips and their mirror images
(--multi-clip), whose scores are multiplied. Boxes are those of the annotated joints,
the whole picture, or of a file by predict_bboxes.py or by the authors
(penn_pred_bboxes_16f.json); the original's script runs --multi-clip with that file. The
step between the frames of a clip is that of model.json; of the published weights, as in
the original, 2 with --multi-clip, and without it 1, that of their configuration. Prints
and writes to the run folder the strict accuracy, in which every video counts, beside
the original's and the paper's; of pose, appearance and both; by output and by action:
evaluation.md, evaluation.json, confusion.png, outputs.png; --report adds
report.html (docs/reports.md).
"""

from deephar import experiment
from deephar.config import pennaction_ar_dataconf
from deephar.data import PennAction


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/eval_penn_ar_pe_merge")
    experiment.add_action_arguments(parser, "datasets/PennAction", "penn_merge")
    experiment.add_network_arguments(parser, "penn")
    return parser.parse_args(argv)


def main(argv=None):
    """Evaluates; prints and writes the report."""
    args = parse(argv)
    data = ("penn", PennAction, pennaction_ar_dataconf)
    compute, settings, penn = experiment.start_on_videos(args, *data)
    print(experiment.evaluate_actions(args, compute, settings, penn))


if __name__ == "__main__":
    experiment.run_script(main)
