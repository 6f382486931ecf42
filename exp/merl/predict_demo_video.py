r"""Draws the action of a person in the pictures of a list of boxes, window by window.

Command   python exp/merl/predict_demo_video.py runs/merl_demo BOXLIST \
              --weights runs/merl_video/weights_last.weights.h5 \
              [--moving-px 20] [--moving-class GlanceAtShelf]
Hardware  in the tests: generated videos, two CPU cores
Time      not measured

BOXLIST is a file of lines `path, score, x1, y1, x2, y2` parted by tabs, or a folder of
such files (*.txt, *.tsv); read_bboxdata.py writes them. Paths are taken as they are,
or from the folder of --pictures. A window slides over the lines; it has as many
pictures as the network's clips, and what is looked at is a square around the boxes of
all of them. Of every list NAME the run folder gets NAME/NUMBER.jpg, the last picture of
each window with the class, the scores and the box, and NAME/scores.tsv. With
--moving-px N a person whose box is more than N px away from where it was in the first
picture of the window is said to do --moving-class, whatever the network says.
"""

import logging
import math
import pathlib

from deephar import experiment
from deephar.data.box_lists import read_box_list
from deephar.data.pictures import open_picture
from deephar.utils.drawing import draw_action
from deephar.utils.fs import write_text


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/merl_demo")
    add = parser.add_argument
    add("boxlist", metavar="BOXLIST", help="a list of boxes, or a folder of lists")
    add("--weights", required=True, help="weights file of train_merl_video.py")
    add("--pictures", default="", help="folder that paths in the lists start from")
    moved = "px from which a box counts as moving (default: never)"
    add("--moving-px", type=experiment.positive_float, metavar="N", help=moved)
    add("--moving-class", default="GlanceAtShelf", help="what that is (%(default)s)")
    experiment.add_sliding_arguments(parser, "1")
    experiment.add_network_arguments(parser, "merl")
    return parser.parse_intermixed_args(argv)


def moved(first, last):
    """How far the middle of a box is from that of another, px."""
    return math.dist(*(((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in (first, last)))


def demonstrate(watcher, args, path, errors):
    """Draws the windows of a list, and writes their scores."""
    rows = [
        row._replace(picture=str(pathlib.Path(args.pictures, row.picture)))
        for row in read_box_list(path)
    ]
    pictures = [row.picture for row in rows]
    folder = experiment.drawing_folder(pathlib.Path(args.logdir, path.stem), pictures)
    lines = ["\t".join(["number", "picture", "answer", "moved_px", *watcher.labels])]
    for seen in watcher.watch(rows, args.step or 1, str(path), errors):
        if seen.scores is None:
            continue
        number, row = seen.frames[-1], rows[seen.frames[-1]]
        scores = seen.scores[watcher.output]
        answer = watcher.labels[scores.argmax()]
        distance = moved(rows[seen.frames[0]].box, row.box)
        if args.moving_px is not None and distance > args.moving_px:
            answer = args.moving_class
        picture = open_picture(row.picture)
        drawing = draw_action(picture, watcher.labels, scores, row.box, answer)
        drawing.save(folder / f"{number + 1:05d}.jpg", quality=92)
        values = [f"{distance:.1f}", *(f"{score:.6f}" for score in scores)]
        lines.append("\t".join([str(number + 1), row.picture, answer, *values]))
    write_text(folder / "scores.tsv", "\n".join(lines) + "\n")
    logging.info("%s: %d windows of %d pictures", folder, len(lines) - 1, len(rows))


def main(argv=None):
    """Predicts, draws, writes."""
    args = parse(argv)
    experiment.start(args)
    watcher = experiment.start_watching(args, experiment.merl_settings(args))
    if args.moving_px is not None and args.moving_class not in watcher.labels:
        names = ", ".join(watcher.labels)
        raise ValueError(
            f"--moving-class must be one of {names}. Received: {args.moving_class}"
        )
    errors = {}
    for path in experiment.box_list_files(args.boxlist):
        demonstrate(watcher, args, path, errors)
    experiment.refuse_unseen(errors, args.boxlist)


if __name__ == "__main__":
    experiment.run_script(main)
