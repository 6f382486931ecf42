r"""Draws the pose of the person in a picture, or in every picture of a folder.

Command   python exp/coco/predict_one_img.py --weights FILE \
              --picture PICTURE_OR_FOLDER [--box X1 Y1 X2 Y2]
Hardware  two CPU cores, generated people
Time      not measured

As exp/mpii/predict_one_img.py, which says what is written, for weights that
train_coco_singleperson.py made, of 16 or 17 joints, and with the fork's flags.
"""

from deephar import experiment

NETWORKS = experiment.pose_networks("coco")


def parse(argv=None):
    """The flags."""
    where = ("runs/predict_coco", NETWORKS, experiment.FORK_FLAGS)
    return experiment.picture_parser(__doc__, *where).parse_args(argv)


def main(argv=None):
    """Predicts, draws, writes."""
    experiment.draw_in_pictures(parse(argv), NETWORKS)


if __name__ == "__main__":
    experiment.run_script(main)
