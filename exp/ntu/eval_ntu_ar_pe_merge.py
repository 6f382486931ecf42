r"""Scores the merged network of pose and action on NTU RGB+D's test videos.

Paper     Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232)
Command   python exp/ntu/eval_ntu_ar_pe_merge.py runs/eval_ntu --data datasets/NTU \
              --weights runs/ntu_all/weights_last.weights.h5 \
              [--multi-clip] [--boxes whole | --boxes BOXES.json] [--subsample 2]
Hardware  two CPU cores, generated clips; on NTU RGB+D not tried here
Time      not measured
Expected  85.5 % cross-subject, one clip, annotated boxes, with the paper's weights
Measured  no figure: run on generated clips only to see that it runs

One clip in the middle of every video, as the original, or all clips and their mirror
images (--multi-clip), whose scores are multiplied. Boxes are those of the annotated
joints, the whole picture, or of a file by predict_bboxes.py. The split, cross-subject
or cross-view, is the one that the weights were trained on; --protocol is for weights
that nothing tells it of. Prints and writes to the run folder the strict accuracy, in
which every video counts, beside the original's and the paper's; of pose, appearance and
both; by output and by action: evaluation.md, evaluation.json, confusion.png,
outputs.png; --report adds report.html (docs/reports.md).
"""

from deephar import experiment
from deephar.config import ntu_ar_dataconf
from deephar.data import Ntu


def parse(argv=None):
    """The flags; the defaults are what the original's script does."""
    parser = experiment.argument_parser(__doc__, logdir="runs/eval_ntu_ar_pe_merge")
    experiment.add_action_arguments(parser, "datasets/NTU", "ntu_merge")
    experiment.add_network_arguments(parser, "ntu")
    return parser.parse_args(argv)


def main(argv=None):
    """Evaluates; prints and writes the report."""
    args = parse(argv)
    data = ("ntu", Ntu, ntu_ar_dataconf)
    compute, settings, ntu = experiment.start_on_videos(args, *data)
    print(experiment.evaluate_actions(args, compute, settings, ntu))


if __name__ == "__main__":
    experiment.run_script(main)
