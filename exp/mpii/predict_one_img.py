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

import logging
import pathlib

from deephar import experiment
from deephar.checkpoints import KNOWN
from deephar.data.pictures import open_picture
from deephar.utils.plot import draw_pose

NETWORKS = experiment.pose_networks("mpii")
ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/predict_mpii")
    add = parser.add_argument
    named = f"weights file, or a published name: {', '.join(KNOWN)}"
    add("--weights", required=True, help=named)
    add("--picture", required=True, help="a picture, or a folder of pictures")
    add("--box", type=float, nargs=4, metavar=("X1", "Y1", "X2", "Y2"), help="px")
    experiment.add_looking_arguments(parser)
    experiment.add_network_arguments(parser, NETWORKS)
    return parser.parse_args(argv)


def pictures(path):
    """The picture itself, or the pictures of a folder by name."""
    path = pathlib.Path(path)
    if not path.is_dir():
        return [path]
    files = (p for p in path.iterdir() if p.is_file())
    found = sorted(p for p in files if p.suffix.lower() in ENDINGS)
    if not found:
        raise ValueError(f"{path}: no pictures ({' '.join(sorted(ENDINGS))}) in it")
    return found


def outputs(paths, folder):
    """A name in the run folder for each picture: none twice, none a picture's own."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [path.name for path in paths]
    inputs = {path.resolve() for path in paths}
    for name in names:
        drawing = folder / f"{name}.png"
        ours = (folder / f"{name}.json").exists()
        if drawing.exists() and (drawing.resolve() in inputs or not ours):
            raise ValueError(f"{drawing}: would be overwritten; choose another folder")
    return [folder / name for name in names]


def main(argv=None):
    """Predicts, draws, writes."""
    args = parse(argv)
    paths = pictures(args.picture)
    targets = outputs(paths, pathlib.Path(args.logdir))
    experiment.start(args)
    compute = experiment.configure_compute(args)
    settings = experiment.network_settings(args, NETWORKS)
    model = experiment.build_network(settings["network"], settings, args.weights)
    layout = experiment.poselayout(settings)
    model = experiment.pose_view(model, settings)
    predictor = experiment.pose_predictor(args, compute, model, layout)
    boxes = None if args.box is None else [args.box]
    unreadable = 0
    for path, target in zip(paths, targets, strict=True):
        try:
            picture = open_picture(path, upright=True)
        except OSError as error:
            if len(paths) == 1:
                raise
            logging.warning("passed over: %s", error)
            unreadable += 1
            continue
        people = predictor.predict(picture, boxes)
        for pose in people:
            picture = draw_pose(picture, pose.joints, layout, pose.confidence)
        picture.save(f"{target}.png")
        record = {"picture": str(path), "people": [pose.to_dict() for pose in people]}
        experiment.write_json(f"{target}.json", record)
        print(f"{target}.png")
    if unreadable:
        raise OSError(f"{unreadable} of {len(paths)} pictures could not be read")


if __name__ == "__main__":
    experiment.run_script(main)
