r"""Scores the merged network of MERL Shopping on held-out videos: three confusions.

Paper     none: the fork's use of the network of Luvizon, Picard, Tabia, CVPR 2018
          (arXiv 1802.09232)
Command   python exp/merl/val_merl_video.py runs/val_merl_video \
              --weights-file runs/merl_video/weights_last.weights.h5 \
              --label-path datasets/MERL/test_2.json
Hardware  on MERL itself: not tried here; generated videos: two CPU cores
Time      45 generated videos, 96 px: 12 seconds, other work beside
Expected  no figure: the fork states none
Measured  on 45 generated videos (the README's run): m 100, mmm 95.6, mmmvvv 100 %

One clip a video, its frames spread evenly over it. Prints and writes to the run folder
the accuracy of every output and the confusions of m (pose and appearance), mmm (pose)
and mmmvvv (appearance), as tables and as pictures: evaluation.md, evaluation.json,
confusion.png, confusion_mmm.png, confusion_mmmvvv.png, outputs.png; --report adds
report.html. Every video counts: one that cannot be read, or has fewer frames than a
clip, is wrong. The size of the network and its classes are those of the model.json
beside the weights.
"""

from deephar import experiment


def parse(argv=None):
    """The flags."""
    return experiment.parse_merl_evaluation(__doc__, "runs/val_merl_video", argv)


def main(argv=None):
    """Evaluates; prints and writes the report."""
    print(experiment.evaluate_merl_actions(parse(argv)))


if __name__ == "__main__":
    experiment.run_script(main)
