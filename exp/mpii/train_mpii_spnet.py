"""Trains the 2D pose network of the second paper, SPNet, on MPII, single person.

Paper     Luvizon, Picard, Tabia: Multi-task Deep Learning for Real-Time 3D Human Pose
          Estimation and Action Recognition, TPAMI 2020 (arXiv 1912.08077)
Command   python exp/mpii/train_mpii_spnet.py runs/mpii_spnet --data datasets/MPII
Recipe    8 pyramids of 4 levels, 256x256, batch 24, RMSprop 1e-3, 60 epochs, no drops
Hardware  two CPU cores, generated data, a small network; the recipe not tried here
Time      small, 4 epochs of 3,000 people: 5.4 minutes, other work beside
Expected  no figure: the original has neither this script nor this file of weights
Measured  PCKh@0.5 67.5 on 300 held-out generated people (docs/reproduce.md, spnet_pose)

The original's multi-task training names the weights that it may begin with
mpii_spnet_8b4l, whence the size. Loss, optimizer, rate and epochs are those of its
training of poses in space (train_pose_baseline.py); the batch of 24 is ours. The
weights are for --pose-weights of exp/pennaction/train_penn_multimodel.py.

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/training.md: several GPUs or machines, and how to go on after a stop.
"""

from deephar import experiment

RECIPE = {"epochs": 60, "lr_drops": [], "vgg": False}


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    where = ("mpii_spnet", "runs/mpii_spnet")
    return experiment.parse_people_training(__doc__, *where, argv, **RECIPE)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    experiment.train_on_people(parse(argv), "mpii_spnet")


if __name__ == "__main__":
    experiment.run_script(main)
