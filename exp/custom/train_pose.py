r"""Trains a pose network on own data: people in pictures, with joints of any layout.

Paper     none: the networks of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232) and
          TPAMI 2020 (arXiv 1912.08077) on data of the form of docs/custom.md
Command   python exp/custom/train_pose.py runs/own_pose --data FILE_OR_FOLDER \
              [--weights FILE_OR_NAME] [--network NETWORK]
Recipe    256x256, batch 24, RMSprop 1e-3, 120 epochs, x0.1 at 80 and 100
Hardware  generated people: two CPU cores
Time      see docs/custom.md
Expected  no figure
Measured  see docs/custom.md

The network is --network, or what --weights are of, else mpii (human36m for layouts in
3D); its joints are those of the data, and model.json keeps their names, mirror pairs
and links, so that predict, info and export know them. --weights of other joints: the
heads of joints that they have not are new, those of equal names are kept, and all else
must fit; the log and model.json list the heads.

Learns from the part "train" and is scored on the part "valid" after the epochs, by PCK
at 0.2 of the box, by PCKh where heads are known and by OKS where the layout has sigmas,
all in the picture. Without that part there are no scores, and no best weights.

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/training.md: several GPUs or machines, and how to go on after a stop.
"""

from deephar import experiment


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    return experiment.parse_custom_poses(__doc__, "runs/custom_pose", argv)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    experiment.train_custom_poses(parse(argv))


if __name__ == "__main__":
    experiment.run_script(main)
