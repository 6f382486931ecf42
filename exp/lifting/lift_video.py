r"""Lifts the person in a video to motion in space: 2D poses, a track, 3D poses.

Command   python exp/lifting/lift_video.py runs/lift VIDEO --weights-pose FILE \
              --weights-lifting FILE [--box X1 Y1 X2 Y2 [--follow]] [--stream]
Hardware  two CPU cores
Time      15 s for 300 frames of 340x256, 2-block pose network of 128 px

VIDEO is a file or a folder of pictures. --weights-pose are those of a 2D or 3D pose
network (or a published name, as mpii), --weights-lifting a checkpoint of
train_lifting.py or of VideoPose3D. Without --box X1 Y1 X2 Y2 (of all frames, or with
--follow of the first) or --boxes LIST (as exp/merl/read_bboxdata.py writes it, by the
names of the pictures, of a file 00001.jpg, 00002.jpg, ...) the whole picture is looked
at. Joints that no frame shows surely (--confidence) and frames without a box are gaps,
which are filled from the frames around, and counted.

Of a video NAME the run folder gets NAME.mp4 (or --out FILE, .mp4 or .gif), the video
with the key points beside the motion; NAME.json, key points and joints of each frame;
NAME.npy, the joints (frames, 17, 3) in m by the camera's axes, in Human3.6M's order;
NAME.bvh, the motion for Blender and the like. The root stays where it is, unless the
checkpoint has a trajectory network. --stream lifts as a camera would have it: a frame
at a time, by ring buffers; a causal network is not late, others are by half of what
they see. Networks of Human3.6M have learned 50 frames a second.
"""

from deephar import experiment


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, "runs/lift_video")
    add = parser.add_argument
    add("video", metavar="VIDEO", help="a video, or a folder of its pictures")
    named = "weights of the pose network, a file or a published name"
    add("--weights-pose", dest="weights", required=True, metavar="FILE", help=named)
    experiment.add_video_lifting_arguments(parser)
    experiment.add_network_arguments(parser, experiment.VIDEO_NETWORKS)
    return parser.parse_intermixed_args(argv)


def main(argv=None):
    """Looks, lifts, draws, writes."""
    args = parse(argv)
    folder = experiment.start(args)
    print(experiment.lift_video(args, folder))


if __name__ == "__main__":
    experiment.run_script(main)
