r"""Draws the action and the pose of the person in a video, by any network of clips.

Command   python exp/pennaction/predict_one_video.py runs/predict_video \
              --weights FILE --video FILE_OR_FOLDER [--box X1 Y1 X2 Y2]
Hardware  in the tests: tiny videos, two CPU cores
Time      not measured

A window of the network's clip slides over the frames; the answer is the class whose
scores, multiplied over all windows, are highest. A network whose clips are spread over
their videos (merl) looks once, at frames from all over it, unless --step is given. What
is looked at is a square around the boxes of a window's frames: --box is that of all
frames, --boxes a list as exp/merl/read_bboxdata.py writes it, by the names of the
pictures (of a video file: 00001.jpg, 00002.jpg, ...), in which frames may lack; else
the whole picture. Of a video NAME the run folder gets NAME.json and, in NAME/, every
frame with the scores of the last window that ends there or before, and with the pose
where one was looked for.
"""

import pathlib

from deephar import experiment


def parse(argv=None):
    """The flags."""
    fork = experiment.FORK_FLAGS
    parser = experiment.argument_parser(__doc__, "runs/predict_video", True)
    add, weights = parser.add_argument, experiment.flag_names("--weights", fork)
    add(*weights, required=True, help="weights file, or a published name")
    add("--video", required=True, help="a video, or a folder of its pictures")
    where = parser.add_mutually_exclusive_group()
    corners = ("X1", "Y1", "X2", "Y2")
    where.add_argument("--box", type=float, nargs=4, metavar=corners, help="px")
    where.add_argument("--boxes", metavar="BOXLIST", help="a list of boxes")
    names = "names of the network's actions, if the weights do not tell them: A,B,C"
    add("--classes", type=experiment.names, help=names)
    experiment.add_sliding_arguments(parser, "the network's")
    experiment.add_network_arguments(parser, experiment.clip_networks(), fork)
    return parser.parse_args(argv)


def main(argv=None):
    """Predicts, draws, writes."""
    args = parse(argv)
    folder, place = experiment.start(args), pathlib.Path(args.video).resolve()
    name = place.name if place.is_dir() else place.stem
    settings = experiment.network_settings(args, experiment.clip_networks())
    with experiment.frames_of(args.video) as (pictures, problem):
        path, drawings, errors = folder / f"{name}.json", folder / name, {}
        experiment.check_drawings(drawings, pictures)
        video = experiment.boxed_video(args, pictures, errors)
        watcher = experiment.start_watching(args, settings)
        seen = experiment.watch_video(watcher, video, errors)
        about = {"video": args.video, "frames": len(pictures), "weights": args.weights}
        answer = experiment.write_video_scores(path, watcher, seen, about)
        experiment.draw_video(drawings, watcher, video, seen, errors)
    print(f"{args.video}: {answer} ({path})")
    if problem is not None:
        raise ValueError(problem)
    experiment.refuse_unseen(errors, args.video)


if __name__ == "__main__":
    experiment.run_script(main)
