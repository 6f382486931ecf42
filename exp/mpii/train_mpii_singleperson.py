"""Trains the 2D pose network on MPII, single person.

Paper     Luvizon, Picard, Tabia: 2D/3D Pose Estimation and Action Recognition Using
          Multitask Deep Learning, CVPR 2018 (arXiv 1802.09232), section 4.2
Command   python exp/mpii/train_mpii_singleperson.py runs/mpii --data datasets/MPII
Recipe    8 blocks, 256x256, batch 24, RMSprop 1e-3, 120 epochs, x0.2 at 80 and 100
Hardware  the paper's recipe: not tried here; `make demo`: two CPU cores
Time      the paper's recipe: not tried here; `make demo`: 10 minutes in all,
          other work beside
Expected  PCKh@0.5 on the validation people, single crop: 89.1 (the paper's weights)
Measured  78.0 on 300 generated people, 3,000 to learn from (`make demo`:
          2 blocks, 128 px, 4 epochs)
Variant   --stem vgg16 --vgg-weights imagenet --loss elasticnet [--optimizer sgd]: the
          entry flow of VGG-16, docs/mpii.md

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/training.md: several GPUs or machines, and how to go on after a stop.
"""

from deephar import experiment


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    folder = "runs/mpii_singleperson"
    return experiment.parse_people_training(__doc__, "mpii", folder, argv)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    experiment.train_on_people(parse(argv), "mpii")


if __name__ == "__main__":
    experiment.run_script(main)
