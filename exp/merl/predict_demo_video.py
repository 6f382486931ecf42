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

from deephar import experiment
from deephar.data.pictures import open_picture
from deephar.utils.bbox import bbox_to_objposwin
from deephar.utils.drawing import draw_action, save_drawing
from deephar.utils.fs import write_text


def parse(argv=None):
    """The flags."""
    fork = experiment.FORK_FLAGS
    parser = experiment.argument_parser(__doc__, "runs/merl_demo", True)
    add, weights = parser.add_argument, experiment.flag_names("--weights", fork)
    add("boxlist", metavar="BOXLIST", help="a list of boxes, or a folder of lists")
    add(*weights, required=True, help="weights file of train_merl_video.py")
    add("--pictures", default="", help="folder that paths in the lists start from")
    moved = "px from which a box counts as moving (default: never)"
    add("--moving-px", type=experiment.positive_float, metavar="N", help=moved)
    add("--moving-class", default="GlanceAtShelf", help="what that is (%(default)s)")
    experiment.add_sliding_arguments(parser, "1")
    experiment.add_network_arguments(parser, "merl", fork)
    return parser.parse_intermixed_args(argv)


def choose_moving(args, labels):
    """Takes the network's spelling of --moving-class, or refuses it."""
    known = {label.lower(): label for label in labels}
    if args.moving_px is not None and args.moving_class.lower() not in known:
        raise ValueError(
            f"--moving-class must be one of {', '.join(labels)}. "
            f"Received: {args.moving_class}"
        )
    args.moving_class = known.get(args.moving_class.lower(), args.moving_class)


def demonstrate(watcher, args, folder, video, errors):
    """Draws the windows of a video, and writes their scores."""
    lines = ["\t".join(["number", "picture", "answer", "moved_px", *watcher.labels])]
    for seen in watcher.watch(video, args.step or 1, errors):
        if seen.scores is None:
            continue
        last, scores = seen.frames[-1], seen.scores[watcher.output]
        ends = video.boxes[[seen.frames[0], last]]
        moved = math.dist(*(bbox_to_objposwin(box)[0] for box in ends))
        moving = args.moving_px is not None and moved > args.moving_px
        answer = args.moving_class if moving else watcher.labels[scores.argmax()]
        picture = open_picture(video.pictures[last])
        drawing = draw_action(picture, watcher.labels, scores, ends[1], answer)
        folder.mkdir(exist_ok=True)
        save_drawing(drawing, folder / f"{last + 1:05d}.jpg")
        values = [f"{moved:.1f}", *(f"{score:.6f}" for score in scores)]
        lines.append("\t".join([str(last + 1), video.pictures[last], answer, *values]))
    if lines[1:]:
        write_text(folder / "scores.tsv", "\n".join(lines) + "\n")
    logging.info("%s: %d windows", folder, len(lines) - 1)


def main(argv=None):
    """Predicts, draws, writes."""
    args, errors = parse(argv), {}
    place = (args.boxlist, args.pictures, experiment.start(args))
    videos = experiment.listed_videos(*place, errors)
    watcher = experiment.start_watching(args, experiment.merl_settings(args))
    choose_moving(args, watcher.labels)
    for folder, video in videos.items():
        demonstrate(watcher, args, folder, video, errors)
    experiment.refuse_unseen(errors, args.boxlist)


if __name__ == "__main__":
    experiment.run_script(main)
