r"""Adds the pose of the person to every picture of a JSON file of actions.

Command   python exp/merl/predict_extract_pose.py runs/poses --weights FILE \
              --anno-path datasets/MERL/train_2.json [--image-path DIR] [--pixels]
Hardware  two CPU cores, generated people
Time      not measured

The file is that of exp/merl/train_merl_video.py (datasets/MERL/README.md). Writes its
entries to NAME_keypoint.json in the run folder, NAME being the file's, with "keypoints"
[[x, y, confidence], ...]: the joints of the last block, x and y in [0, 1] of the
person's box, or of the picture where there is none; --pixels: in px of the picture.
receipt.json has the names of the joints. Urls lead from the run folder to the pictures,
so that the new file is read where it lies; those that are paths from the root and right
stay. Entries whose picture cannot be read are left out and named; then the command
fails. The fork squeezes the box itself to a square; the window here is the square
around it, as in training.
"""

import os
import pathlib

from deephar import experiment
from deephar.data.merl import picture_places
from deephar.data.merl_format import read_entries
from deephar.utils.bbox import corners_to_box

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


def box_of(entry):
    """(x, y, w, h), px: the person's box, or the whole picture where there is none."""
    if entry["person_bbox"]:
        return corners_to_box(entry["person_bbox"])
    return 0, 0, entry["image"]["width"], entry["image"]["height"]


def url_from(folder, url, path):
    """A url of a picture that leads there from a folder."""
    if url == path and os.path.isabs(url):
        return url
    way = os.path.relpath(os.path.abspath(path), os.path.realpath(folder))
    return pathlib.Path(way).as_posix()


def main(argv=None):
    """Predicts, writes."""
    args = parse(argv)
    entries = read_entries(args.anno_path)
    folder = experiment.start(args)
    urls = [str(entry["image"]["url"]) for entry in entries]
    place = picture_places(args.anno_path, urls, args.image_path)
    paths, boxes = list(map(place, urls)), list(map(box_of, entries))
    windows = [
        box if entry["person_bbox"] else experiment.whole_picture(box[2:])
        for entry, box in zip(entries, boxes, strict=True)
    ]
    found, layout = experiment.poses_in_boxes(args, paths, windows)
    records = []
    for i in found.readable.nonzero()[0]:
        points, (x, y, width, height) = found.poses[-1][i], boxes[i]
        if not args.pixels:
            points = (points - [x, y]) / [width, height]
        rows = zip(points.tolist(), found.confidence[-1][i].tolist(), strict=True)
        image = {**entries[i]["image"], "url": url_from(folder, urls[i], paths[i])}
        points = [[*point, sure] for point, sure in rows]
        records.append({**entries[i], "image": image, "keypoints": points})
    path = folder / f"{pathlib.Path(args.anno_path).stem}_keypoint.json"
    experiment.write_json(path, records)
    receipt = experiment.receipt(args.weights, args.anno_path)
    names = {"joint_names": layout.joint_names, "pixels": args.pixels}
    experiment.write_json(folder / "receipt.json", {**receipt, **names})
    print(f"{path}: {len(records)} of {len(entries)} pictures")
    experiment.refuse_unreadable(found, "entries")


if __name__ == "__main__":
    experiment.run_script(main)
