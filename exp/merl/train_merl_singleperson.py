"""Trains the 2D pose network on people of MERL Shopping, one at a time.

Paper     none: the network of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232),
          on MERL Shopping as in the fork pminhtam/2D-3D_Multitask_Deep_Learning
Command   python exp/merl/train_merl_singleperson.py --batch-size 16 --epochs 10
Recipe    8 blocks, 256x256, batch 16, RMSprop 1e-3, 100 epochs, x0.99 at 50, 60, 300
          and 350
Hardware  on MERL itself: not tried here; the README's run: two CPU cores
Time      the README's run: 2 minutes, other work beside
Expected  no figure: the fork states none
Measured  PCK@0.2 of the box on generated people (the README's run): 96.8

Reads the fork's pickles (datasets/MERL/README.md). A key point counts if it is labelled
and visible; --occluded takes those that are labelled and hidden, too. --weights-path
begins with other weights, such as those of exp/coco/train_coco_singleperson.py. The
fork's script runs 1000 epochs whatever --epochs says. The scores of the epochs are PCK
at 0.2 of the box.

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/training.md: several GPUs or machines, and how to go on after a stop.
"""

from deephar import experiment

RECIPE = {"lr_drops": [50, 60, 300, 350], "lr_factor": 0.99}


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    where = (experiment.MERL_PEOPLE, "runs/merl_singleperson")
    return experiment.parse_boxed_training(__doc__, *where, argv, **RECIPE)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    experiment.train_on_boxed_people(parse(argv), experiment.MERL_PEOPLE)


if __name__ == "__main__":
    experiment.run_script(main)
