r"""Trains a network of pose and action on own data: clips, with any actions.

Paper     none: the networks of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232) and
          TPAMI 2020 (arXiv 1912.08077) on data of the form of docs/custom.md
Command   python exp/custom/train_action.py runs/own_action --stage action \
              --data FILE_OR_FOLDER --pose-weights runs/own_pose/weights_last.weights.h5
          python exp/custom/train_action.py runs/own_all --stage all \
              --data FILE_OR_FOLDER --weights runs/own_action/weights_last.weights.h5
          python exp/custom/train_action.py runs/own_spnet --stage action \
              --data FILE_OR_FOLDER --weights small_action
Hardware  generated clips: two CPU cores
Time      see docs/custom.md
Expected  no figure
Measured  see docs/custom.md

--stage action learns actions, with the poses of --pose-weights as they are, such as
those of train_pose.py: its joints are the network's, whatever the data's are; or goes
on from --weights of a whole network, such as small_action. Of an SPNet (--network
penn_spnet, ntu_spnet) joint maps of the actions' own learn too. --stage all learns
poses too, those of the clips. --weights of other actions: their heads are new, but for
actions of equal names; all else must fit; the log and model.json list the heads, and
model.json keeps the actions' names.

A clip of the network is spread over the frames in which something is done. Learns from
the part "train", is scored on the part "valid" after the epochs.

--help with a --stage shows the flags of that stage. The run folder gets log.txt,
losses.csv, scores.json (by epoch), model.json, weights_best.weights.h5,
weights_last.weights.h5, and checkpoints for --resume.
"""

from deephar import experiment


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    return experiment.parse_custom_actions(__doc__, argv)


def main(argv=None):
    """Trains the stage that is asked for."""
    experiment.train_custom_actions(parse(argv))


if __name__ == "__main__":
    experiment.run_script(main)
