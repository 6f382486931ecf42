r"""Adds the pose of the person to every picture of a JSON file of actions.

Command   python exp/merl/predict_extract_pose.py runs/poses --weights FILE \
              --anno-path datasets/MERL/train_2.json [--image-path DIR] [--pixels]
Hardware  two CPU cores, generated people
Time      not measured

The file is that of exp/merl/train_merl_video.py (datasets/MERL/README.md). Writes its
entries to NAME_keypoint.json in the run folder, NAME being the file's, with "keypoints"
[[x, y, confidence], ...]: the joints of the last block, x and y in [0, 1] of the
person's box, or of the picture where there is none; --pixels: in px of the picture.
receipt.json has the names of the joints. Urls stay as they are: where they are relative
to the file's folder, the new file belongs there. Entries whose picture cannot be read
are left out and named; then the command fails. The fork squeezes the box itself to a
square; the window here is the square around it, as in training.
"""

import pathlib

from deephar import experiment
from deephar.data.merl import picture_places
from deephar.data.merl_format import read_entries

ROOT = experiment.MERL_PEOPLE.root


def parse(argv=None):
    """The flags."""
    parser = experiment.boxed_pose_parser(__doc__, "runs/extract_pose")
    add = parser.add_argument
    entries = "JSON file of actions (%(default)s)"
    add("--anno-path", default=f"{ROOT}/train_2.json", metavar="FILE", help=entries)
    where = "folder of the pictures, if the urls are of another machine"
    add("--image-path", metavar="DIR", help=where)
    add("--pixels", action="store_true", help="x and y in px of the picture")
    return parser.parse_args(argv)


def box_of(entry, where):
    """(x, y, w, h), px: the person's box, or the whole picture where there is none."""
    width, height = (entry["image"][side] for side in ("width", "height"))
    if not entry["person_bbox"]:
        return 0, 0, width, height
    x1, y1, x2, y2 = entry["person_bbox"]
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        raise ValueError(
            f"{where}: `person_bbox` must overlap the picture of {width} x {height} px."
            f" Received: {entry['person_bbox']}"
        )
    return x1, y1, x2 - x1, y2 - y1


def main(argv=None):
    """Predicts, writes."""
    args = parse(argv)
    entries = read_entries(args.anno_path)
    folder = experiment.start(args)
    urls = [str(entry["image"]["url"]) for entry in entries]
    place = picture_places(args.anno_path, urls, args.image_path)
    boxes = [box_of(e, f"{args.anno_path}: record {i}") for i, e in enumerate(entries)]
    windows = [
        box if entry["person_bbox"] else experiment.whole_picture(box[2:])
        for entry, box in zip(entries, boxes, strict=True)
    ]
    found, layout = experiment.poses_in_boxes(args, list(map(place, urls)), windows)
    records = []
    for i in found.readable.nonzero()[0]:
        points, (x, y, width, height) = found.poses[-1][i], boxes[i]
        if not args.pixels:
            points = (points - [x, y]) / [width, height]
        rows = zip(points.tolist(), found.confidence[-1][i].tolist(), strict=True)
        records.append({**entries[i], "keypoints": [[*p, sure] for p, sure in rows]})
    path = folder / f"{pathlib.Path(args.anno_path).stem}_keypoint.json"
    experiment.write_json(path, records)
    receipt = experiment.receipt(args.weights, args.anno_path)
    names = {"joint_names": layout.joint_names, "pixels": args.pixels}
    experiment.write_json(folder / "receipt.json", {**receipt, **names})
    print(f"{path}: {len(records)} of {len(entries)} pictures")
    experiment.refuse_unreadable(found)


if __name__ == "__main__":
    experiment.run_script(main)
