"""Draws the 2D pose of the person in a picture, or in every picture of a folder.

Command   python exp/mpii/predict_one_img.py runs/predict --weights FILE \
              --picture PICTURE_OR_FOLDER [--box X1 Y1 X2 Y2]

Without --box the person is taken to fill the whole picture. Writes NAME.png, the
picture with the pose drawn on it, and NAME.json, the joints in pixels of the picture
with their confidence, to the run folder.
"""

import logging
import pathlib

from deephar import experiment
from deephar.data.base import open_picture
from deephar.inference.predictor import PosePredictor
from deephar.utils import pa16j2d
from deephar.utils.plot import draw_pose

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/predict_mpii")
    add = parser.add_argument
    add("--weights", required=True, help="weights file, Keras 2 .h5 or .weights.h5")
    add("--picture", required=True, help="a picture, or a folder of pictures")
    add("--box", type=float, nargs=4, metavar=("X1", "Y1", "X2", "Y2"), help="px")
    add("--flip", action="store_true", help="average with the mirrored crop")
    experiment.add_reception_arguments(parser)
    return parser.parse_args(argv)


def pictures(path):
    """The picture itself, or the pictures of a folder by name."""
    path = pathlib.Path(path)
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in ENDINGS)
    if not found:
        raise ValueError(f"{path}: no pictures ({' '.join(sorted(ENDINGS))}) in it")
    return found


def main(argv=None):
    """Predicts, draws, writes."""
    args = parse(argv)
    folder = experiment.start(args)
    paths = pictures(args.picture)
    settings = experiment.reception_settings(args)
    model = experiment.build_reception(settings, weights=args.weights)
    predictor = PosePredictor(model, pa16j2d, flip=args.flip)
    boxes = None if args.box is None else [args.box]
    unreadable = []
    for path in paths:
        try:
            picture = open_picture(path)
        except OSError as error:
            if len(paths) == 1:
                raise
            logging.warning("passed over: %s", error)
            unreadable.append(path)
            continue
        poses = predictor.predict(picture, boxes)
        for pose in poses:
            picture = draw_pose(picture, pose.joints, pa16j2d, pose.confidence)
        picture.save(folder / f"{path.stem}.png")
        experiment.write_json(
            folder / f"{path.stem}.json",
            {"picture": str(path), "people": [pose.to_dict() for pose in poses]},
        )
        print(folder / f"{path.stem}.png")
    if unreadable:
        raise OSError(f"{len(unreadable)} of {len(paths)} pictures could not be read")


if __name__ == "__main__":
    experiment.run_script(main)
