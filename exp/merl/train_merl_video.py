r"""Trains the merged network of pose and action on videos of MERL Shopping.

Paper     none: the fork's use of the network of Luvizon, Picard, Tabia, CVPR 2018
          (arXiv 1802.09232)
Command   python exp/merl/train_merl_video.py runs/merl_video \
              --anno-path datasets/MERL/train_2.json \
              --val-anno-path datasets/MERL/test_2.json \
              --weights-pose-path runs/merl_singleperson/weights_last.weights.h5
Hardware  the fork's recipe: not tried here; the README's run: two CPU cores
Time      the fork's recipe: not tried here; the README's run: 2 minutes
Expected  no figure: the fork states none
Measured  on 45 generated videos, 120 to learn from (the README's run): 100 %

The whole network learns by the actions' loss alone: SGD, 2 clips a step, until the
accuracy of m, pose and appearance together, has not grown for 10 epochs (--patience
1000: never). With --freeze-poses the pose part stays as it is; with --frozen-features
--no-augmentation too it looks at every clip only once, which is much faster.
--weights-action-path goes on from weights of the whole network instead. The classes are
those of --classes, and --anno-path may be a pickle of key points (ReachToShelf,
RetractFromShelf). The run folder gets what every training writes; docs/merl.md tells
more.
"""

from deephar import experiment


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    return experiment.parse_merl_training(__doc__, "runs/merl_video", argv)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    experiment.train_merl_actions(parse(argv))


if __name__ == "__main__":
    experiment.run_script(main)
