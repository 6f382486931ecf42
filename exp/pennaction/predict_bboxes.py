r"""Makes files of boxes for Penn Action, found by a pose network in whole pictures.

Command   python exp/pennaction/predict_bboxes.py runs/penn_bboxes \
              --data datasets/PennAction --weights FILE [--network mpii_spnet] \
              [--refine 1] [--subsample 2]
Hardware  two CPU cores, generated clips; on Penn Action not tried here
Time      not measured

Any network can look: the poses are those of its last prediction. --network says which
it is where neither a model.json beside the weights nor the table of published files
does, and if nothing does it is penn_pose, the pose part of the merged network of CVPR
2018. The original's is mpii_spnet, an SPNet of 8 pyramids; in training videos it looks
at 0.9 of the picture's longer side (--scale), in test videos at all of it.

The box of a frame is a square, half as large again as the extent of the joints. Writes
pred_bboxes_penn.json, a box for every frame of the test and training videos, and
penn_pred_bboxes_16f.json (_8f for an SPNet), a box for every clip of 16 frames of the
test videos; both are for --boxes of the evaluations. boxes.json names the frames in
which nobody is found and those that cannot be read; their box is the whole picture.
"""

from deephar import experiment
from deephar.config import pennaction_pe_dataconf
from deephar.data import PennAction

FOR = ("penn", "penn_spnet")


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/penn_bboxes")
    experiment.add_box_arguments(parser, "datasets/PennAction", FOR)
    return parser.parse_args(argv)


def main(argv=None):
    """Looks at every frame and writes the boxes."""
    args = parse(argv)
    experiment.start(args)
    compute = experiment.configure_compute(args)
    predictor, _ = experiment.box_predictor(args, compute, FOR)
    penn = PennAction(args.data, pennaction_pe_dataconf, clip_size=args.clip_size)
    for path in experiment.write_predicted_boxes(args, predictor, penn, "penn"):
        print(path)


if __name__ == "__main__":
    experiment.run_script(main)
