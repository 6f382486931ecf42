r"""Trains the network that lifts tracks of 2D key points to 3D poses.

Paper     Pavllo, Feichtenhofer, Grangier, Auli: 3D human pose estimation in video with
          temporal convolutions and semi-supervised training, CVPR 2019
          (arXiv 1811.11742)
Command   python exp/lifting/train_lifting.py --data FOLDER -k cpn_ft_h36m_dbb \
              -arc 3,3,3,3,3 -c runs/lifting
Recipe    243 frames, 1024 channels, batch 1024, Adam with AMSGrad 1e-3 * 0.95^epoch,
          60 epochs, dropout 0.25, batch norms' momentum 0.1 to 0.001
Hardware  the paper's recipe: not tried here; generated motion: two CPU cores
Time      the paper's recipe: not tried here
Expected  MPJPE 46.8 mm, P-MPJPE 36.5 mm (CPN key points, 243 frames)
Measured  on Human3.6M: not tried here; on generated motion: docs/lifting.md

The flags are VideoPose3D's, long and short, and so are files of data and checkpoints;
docs/lifting.md tells what differs. -sun NAMES trains semi-supervised. --resume FILE
goes on from a checkpoint, of the original too. --evaluate FILE evaluates instead of
training (as eval_lifting.py), and with --render draws one video (render_lifting.py).

Writes to the folder of checkpoints: epoch_N.bin, last.bin (after every epoch),
losses.csv, log.txt, and at the end evaluation.md and evaluation.json.
"""

from deephar import experiment


def main(argv=None):
    """Trains, or does what the flags say instead, and prints the scores."""
    args = experiment.parse_lifting(experiment.lifting_parser(__doc__), argv)
    if args.task == experiment.RENDER_LIFTING:
        print(experiment.render_lifting(args))
    elif args.task == experiment.EVALUATE_LIFTING:
        print(experiment.evaluate_lifting(args))
    else:
        print(experiment.train_lifting(args))


if __name__ == "__main__":
    experiment.run_script(main)
