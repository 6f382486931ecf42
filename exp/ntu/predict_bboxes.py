r"""Makes files of boxes for NTU RGB+D, found by a pose network in whole pictures.

Command   python exp/ntu/predict_bboxes.py runs/ntu_bboxes --data datasets/NTU \
              --weights FILE [--network pose_baseline] [--protocol cv] [--refine 1] \
              [--subsample 2]
Hardware  two CPU cores, generated clips; on NTU RGB+D not tried here
Time      not measured

Any network can look: the poses are those of its last prediction. --network says which
it is where neither a model.json beside the weights nor the table of published files
does, and if nothing does it is ntu_pose, the pose part of the merged network of CVPR
2018. The original's is pose_baseline, an SPNet of 8 pyramids; in training videos it
looks at 0.9 of the picture's longer side (--scale), in test videos at all of it.

The box of a frame is a square, half as large again as the extent of the joints. Writes
pred_bboxes_ntu.json, a box for every frame of the test and training videos, and
ntu_pred_bboxes_20f.json (_8f for an SPNet), a box for every clip of 20 frames of the
test videos; both are for --boxes of the evaluations with the same split: that of the
weights, or the --protocol of weights of other data (cs). boxes.json names the frames in
which nobody is found and those that cannot be read; their box is the whole picture.
"""

from deephar import experiment
from deephar.config import ntu_pe_dataconf
from deephar.data import Ntu

FOR = ("ntu", "ntu_spnet")


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/ntu_bboxes")
    experiment.add_box_arguments(parser, "datasets/NTU", FOR)
    experiment.add_protocol_argument(parser)
    return parser.parse_args(argv)


def main(argv=None):
    """Looks at every frame and writes the boxes."""
    args = parse(argv)
    experiment.start(args)
    compute = experiment.configure_compute(args)
    predictor, settings = experiment.box_predictor(args, compute, FOR)
    options = {"clip_size": args.clip_size, "protocol": settings["protocol"]}
    ntu = Ntu(args.data, ntu_pe_dataconf, **options)
    for path in experiment.write_predicted_boxes(args, predictor, ntu, "ntu"):
        print(path)


if __name__ == "__main__":
    experiment.run_script(main)
