r"""Makes lists of boxes of a detector's JSON, one a video or one a tracked person.

Command   python exp/merl/read_bboxdata.py DETECTIONS.json BOXES_FOLDER \
              [--by track] [--pictures FOLDER]
Hardware  any
Time      a second

The JSON is a list of {"file_name": "VIDEO-NUMBER.jpg", "boxes": [[x1, y1, x2, y2],
...], "scores": [...]}, boxes in px; with --by track also "ids", one a box. Writes
BOXES_FOLDER/VIDEO.txt, the first box of every picture, or BOXES_FOLDER/VIDEO_ID.txt,
with lines `path, score, x1, y1, x2, y2` parted by tabs, for predict_demo_video.py. The
video is the path up to the first "-" of the file's name, or the folder if there is no
"-". Pictures without a box are in no list; they are counted and named.
"""

import argparse
import pathlib

from deephar import experiment
from deephar.data.box_lists import BoxRow, write_box_list
from deephar.data.detections import read_detections

VIDEO, TRACK = "video", "track"
MOST_NAMES = 20


def parse(argv=None):
    """The flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("detections", metavar="DETECTIONS.json", help="what the detector says")
    add("folder", metavar="BOXES_FOLDER", help="where the lists go; it is made")
    by = "a list for each video, of the first box, or for each tracked person"
    add("--by", choices=(VIDEO, TRACK), default=VIDEO, help=f"{by} (%(default)s)")
    add("--pictures", help="folder of the pictures (default: that of the JSON)")
    return parser.parse_args(argv)


def video_of(source, name):
    """What stands for the video of a picture: VIDEO-NUMBER.jpg or VIDEO/NUMBER.jpg."""
    path = pathlib.PurePath(name)
    before, dash, _ = path.name.partition("-")
    folders = path.relative_to(path.anchor).parent.parts
    video = "_".join([*folders, before] if dash else folders)
    if not video:
        raise ValueError(f'{source}: {name!r} tells no video: no "-" and no folder')
    return video


def rows_of(source, one, by, pictures):
    """(name of the list, row) of each box of a picture that goes to a list."""
    video, picture = video_of(source, one.file_name), str(pictures / one.file_name)
    names = [f"{video}_{number}" for number in one.ids] if by == TRACK else [video]
    for name, score, box in zip(names, one.scores, one.boxes, strict=False):
        yield name, BoxRow(picture, score, box)


def main(argv=None):
    """Reads, sorts, writes, and tells of pictures without a box."""
    args = parse(argv)
    source = pathlib.Path(args.detections)
    pictures = source.parent if args.pictures is None else pathlib.Path(args.pictures)
    lists, empty = {}, []
    for one in read_detections(source, ids=args.by == TRACK):
        rows = list(rows_of(source, one, args.by, pictures))
        for name, row in rows:
            lists.setdefault(name, []).append(row)
        if not rows:
            empty.append(one.file_name)
    folder = pathlib.Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in lists.items():
        write_box_list(folder / f"{name}.txt", rows)
        print(f"{folder / name}.txt: {len(rows)} boxes")
    if empty:
        shown = ", ".join(empty[:MOST_NAMES]) + ", ..." * (len(empty) > MOST_NAMES)
        print(f"{len(empty)} pictures without a box, in no list: {shown}")


if __name__ == "__main__":
    experiment.run_script(main)
