r"""Draws the pose of the person in a picture, or in every picture of a folder.

Command   python exp/mpii/predict_one_img.py runs/predict --weights FILE \
              --picture PICTURE_OR_FOLDER [--box X1 Y1 X2 Y2]
Hardware  two CPU cores, generated people
Time      not measured

Without --box the person is taken to fill the whole picture; --refine N then looks N
times again where the pose was. Writes NAME.png, the picture with the pose drawn on it,
and NAME.json, the joints in pixels of the picture (in 3D their depth in mm too) with
their confidence, to the run folder. Any network will do: see weights/README.md.
"""

from deephar import experiment

NETWORKS = experiment.pose_networks("mpii")


def parse(argv=None):
    """The flags."""
    parser = experiment.picture_parser(__doc__, "runs/predict_mpii", NETWORKS)
    return parser.parse_args(argv)


def main(argv=None):
    """Predicts, draws, writes."""
    experiment.draw_in_pictures(parse(argv), NETWORKS)


if __name__ == "__main__":
    experiment.run_script(main)
