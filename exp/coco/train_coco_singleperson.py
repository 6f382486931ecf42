"""Trains the 2D pose network on COCO's people, one at a time.

Paper     none: the network of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232),
          on COCO as in the fork pminhtam/2D-3D_Multitask_Deep_Learning
Command   python exp/coco/train_coco_singleperson.py --batch-size 16 --epochs 10
Recipe    8 blocks, 256x256, batch 16, RMSprop 1e-3, 100 epochs, x0.9 at 10 and 100
Hardware  on COCO itself: not tried here; generated people: two CPU cores
Time      generated people, as measured below: 9 minutes, other work beside
Expected  no figure: the fork states none
Measured  on 315 generated people, 3,053 to learn from (2 blocks, 128 px, 4 epochs):
          AP 50.4, with --flip in evaluation 52.4 (docs/coco.md)

A person is a sample, in a square window around his box; docs/coco.md says which count.
--num-joints 16 learns MPII's joints, made of COCO's by name, 17 COCO's own key points.
The scores of the epochs are COCO's average precision, in windows around the true boxes,
and PCK; the best epoch is that of the precision.

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/training.md: several GPUs or machines, and how to go on after a stop.
"""

from deephar import experiment

RECIPE = {"lr_drops": [10, 100], "lr_factor": 0.9}


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    where = (experiment.COCO_PEOPLE, "runs/coco_singleperson")
    return experiment.parse_boxed_training(__doc__, *where, argv, **RECIPE)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    experiment.train_on_boxed_people(parse(argv), experiment.COCO_PEOPLE)


if __name__ == "__main__":
    experiment.run_script(main)
