r"""Scores a lifting network on the test subjects, by action.

Paper     Pavllo, Feichtenhofer, Grangier, Auli: 3D human pose estimation in video with
          temporal convolutions and semi-supervised training, CVPR 2019
          (arXiv 1811.11742), tables 1 and 2
Command   python exp/lifting/eval_lifting.py --data FOLDER -k cpn_ft_h36m_dbb \
              -c runs/lifting --evaluate epoch_60.bin
Hardware  on Human3.6M: not tried here; generated motion: two CPU cores
Time      on Human3.6M: not tried here; docs/speed.md has the time of a sequence
Expected  MPJPE 46.8 mm, P-MPJPE 36.5 mm (CPN key points, 243 frames), with the
          authors' weights
Measured  on Human3.6M: not tried here; on generated motion: docs/lifting.md

FILE is a checkpoint of train_lifting.py or of VideoPose3D, in the folder -c or a path;
its tensors tell the network. Of weights of Keras (.weights.h5) the flags -arc, -ch,
--causal and --dense do. --weights is another name of --evaluate.

Prints MPJPE, P-MPJPE, N-MPJPE and MPJVE in mm by action, or by subject and action, and
writes evaluation.md and evaluation.json to the folder -c.
"""

from deephar import experiment


def main(argv=None):
    """Evaluates, prints the table, writes JSON and Markdown."""
    parser = experiment.lifting_parser(__doc__, evaluate_flags=["--weights"])
    args = experiment.parse_lifting(parser, argv, experiment.EVALUATE_LIFTING)
    print(experiment.evaluate_lifting(args))


if __name__ == "__main__":
    experiment.run_script(main)
