"""From a video of a person to motion in space: 2D poses, a track, 3D poses, files."""

import argparse
import dataclasses
import logging
import pathlib
import time
from collections.abc import Iterator

import keras
import numpy as np

from deephar.data.boxed_clips import BoxedVideo
from deephar.data.lifting import LiftingData
from deephar.data.lifting_cameras import level_camera
from deephar.data.lifting_format import CUSTOM, Layout
from deephar.data.video_writing import check_video_path, write_video
from deephar.data.videos import video_info
from deephar.experiment.lifting import (
    Weights,
    lifter_of,
    lifting_networks,
    read_weights,
)
from deephar.experiment.lifting_flags import widths
from deephar.experiment.lifting_rendering import (
    Lifted,
    check_output,
    export_joints,
    progress_teller,
    world_poses,
)
from deephar.experiment.picture_poses import flags_predictor
from deephar.experiment.run import write_json
from deephar.experiment.sliding import frames_of, refuse_unseen
from deephar.experiment.video_poses import (
    add_video_arguments,
    open_frame,
    poses_in_video,
    video_with_boxes,
)
from deephar.inference.lifting import StreamingLifter
from deephar.inference.lifting_stream import KEYPOINTS
from deephar.networks.recipes import pose_networks
from deephar.networks.shipped import shipped_path
from deephar.utils.animation import Bones, animate, azimuth_of
from deephar.utils.bvh import write_bvh
from deephar.utils.numbers import fraction, positive_float, positive_int
from deephar.utils.pose import coco17j, h36m17j
from deephar.utils.pose_conversion import convert_to_h36m17j
from deephar.utils.tracks import Track, join_track

logger = logging.getLogger(__name__)

VIDEO_NETWORKS = pose_networks("mpii")
"""The networks that may look."""

FOLDER_RATE = 25.0
"""Pictures a second of a folder, unless the flag says."""

_SHAPE = {"architecture": (3, 3, 3), "channels": 1024, "causal": False, "dense": False}
_DARK = (40, 42, 46)


def add_video_lifting_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of lifting a video, but those of the network that looks at it."""
    add_video_arguments(parser)
    group = parser.add_argument_group("lifting")
    add = group.add_argument
    file = "checkpoint of train_lifting.py or of VideoPose3D, or weights of Keras"
    add("--weights-lifting", required=True, metavar="FILE", help=file)
    arc = "widths of its convolutions, of weights of Keras (3,3,3)"
    add("-arc", "--architecture", type=widths, metavar="WIDTHS", help=arc)
    channels = "of its layers, of weights of Keras (1024)"
    add("-ch", "--channels", type=positive_int, help=channels)
    switch = {"action": "store_true", "default": None}
    add("--causal", help="it is causal; needed where the file does not tell", **switch)
    add("--dense", help="it is dense; needed where the file does not tell", **switch)
    names = "its key points (default: what the file tells, else h36m)"
    add("--keypoints", choices=tuple(KEYPOINTS), help=names)
    least = "joints of less are gaps, which are filled (%(default)s)"
    add("--confidence", type=fraction, default=0.0, metavar="LEAST", help=least)
    no_flip = "do not average with the mirrored track"
    add("-no-tta", "--no-test-time-augmentation", action="store_true", help=no_flip)
    stream = "lift frame by frame, without looking ahead for gaps; tell ms a frame"
    add("--stream", action="store_true", help=stream)
    group = parser.add_argument_group("what is written")
    add = group.add_argument
    add("--out", metavar="FILE", help="mp4 or gif (NAME.mp4 in the run folder)")
    rate = "pictures a second (default: the video's; of a folder 25)"
    add("--rate", type=positive_float, help=rate)
    add("--height", type=positive_int, default=500, help="px (%(default)s)")


@dataclasses.dataclass(frozen=True, eq=False)
class LiftedVideo:
    """A video, what was seen in it, and what it was lifted to.

    Attributes:
        video: the video.
        rate: pictures a second.
        layout: joints of the network that looked.
        track: where it saw them, px, without gaps.
        confidence: `(frames, joints)`.
        data: the track as the lifting network takes it, px.
        lifted: the motion.
        frame_time: ms to lift a frame of a stream, the median; None of whole tracks.
    """

    video: BoxedVideo
    rate: float
    layout: type
    track: Track
    confidence: np.ndarray
    data: LiftingData
    lifted: Lifted
    frame_time: float | None


def lift_video(args: argparse.Namespace, folder: pathlib.Path) -> str:
    """Lifts the video of `args.video` and writes what it gives to the run folder.

    Args:
        args: flags of `add_video_lifting_arguments`, of `picture_poses.flags_predictor`
            and `video`.
        folder: the run folder.

    Returns:
        A line for each file that was written.

    Raises:
        OSError: if a file or some pictures cannot be read; the rest is written first.
        ValueError: if video, boxes, flags and weights do not fit together.
    """
    place = pathlib.Path(args.video).resolve()
    target = folder / (place.name if place.is_dir() else place.stem)
    out = pathlib.Path(args.out or f"{target}.mp4")
    check_output("--out", out, args.video)
    check_video_path(out)
    weights = read_weights(pathlib.Path(shipped_path(args.weights_lifting)))
    with frames_of(args.video) as (pictures, problem):
        errors: dict[str, str] = {}
        video = video_with_boxes(args, pictures, errors)
        found = _lift(args, weights, video, errors)
        lines = [*_write(args, found, target), _draw(args, found, out)]
    if problem is not None:
        raise ValueError(problem)
    refuse_unseen(errors, args.video)
    return "\n".join(lines)


def _lift(
    args: argparse.Namespace, weights: Weights, video: BoxedVideo, errors: dict
) -> LiftedVideo:
    predictor = flags_predictor(args, VIDEO_NETWORKS, args.batch_size)
    # --compute and --mixed-precision are for looking at pictures.
    keras.mixed_precision.set_dtype_policy("float32")
    layout, rate = predictor.poselayout, _rate(args)
    about = (layout, _key_points(args, weights, layout), video.size, rate)
    blank = custom_data(video.name, np.zeros((1, layout.num_joints, 2)), *about)
    networks = lifting_networks(_network_flags(args), blank, weights)
    joints, confidence = poses_in_video(args, predictor, video, errors)
    track = join_track(joints, confidence, args.confidence, ahead=not args.stream)
    logger.info(
        "%d of %d joints filled in, %d frames in a row at most",
        *(track.num_filled, track.filled.size, track.longest_gap),
    )
    data = custom_data(video.name, track.joints, *about)
    (sequence,) = data.sequences([video.name], labelled=False)
    flip, poses, frame_time = not args.no_test_time_augmentation, np.zeros(1), None
    for model in networks:
        options = {"flip": flip, "joints": model is networks[0]}
        if args.stream:
            lifter = lifter_of(model, data, **options, kind=StreamingLifter)
            found, took = _lift_frames(lifter, sequence.keypoints)
            frame_time = took + (frame_time or 0)
        else:
            found = lifter_of(model, data, **options).lift(sequence.keypoints)
        poses = poses + found
    if args.stream:
        late = f"{lifter.delay} frames ({lifter.delay / rate:.2f} s)"
        logger.info("lifted in %.1f ms a frame, %s late", frame_time, late)
    lifted = Lifted(sequence, data.cameras[video.name][0], poses, len(networks) > 1)
    return LiftedVideo(video, rate, layout, track, confidence, data, lifted, frame_time)


def _lift_frames(
    lifter: StreamingLifter, keypoints: np.ndarray
) -> tuple[np.ndarray, float]:
    """Lifts a track frame by frame; the median of the times of a frame, ms."""
    poses, times = [], []
    for frame in keypoints:
        start = time.perf_counter()
        poses.append(lifter.step(frame[None])[0])
        times.append(1000 * (time.perf_counter() - start))
    poses = np.stack([*poses, *lifter.finish()[:, 0]])[lifter.delay :]
    return poses, float(np.median(times))


def custom_data(
    video: str, joints: np.ndarray, layout: type, name: str, size, rate: float
) -> LiftingData:
    """A track as data for lifting, like a custom file with one video.

    Args:
        video: its name.
        joints: `(frames, joints, 2)`, px.
        layout: of these joints.
        name: key of `KEYPOINTS`, of the key points that are wanted.
        size: (w, h) of the pictures, px.
        rate: pictures a second.
    """
    wanted = KEYPOINTS[name]
    points = joints if wanted is layout else convert_to_h36m17j(joints, layout)
    bones = Bones.of_layout(wanted)
    about = {video: {"w": size[0], "h": size[1], "fps": rate}}
    sides = (tuple(bones.left), tuple(bones.right))
    of_track = Layout(wanted.num_joints, *sides, name, about)
    tracks = {video: {CUSTOM: [points.astype(np.float32)]}}
    return LiftingData(CUSTOM, tracks, of_track, {video: [level_camera(size)]})


def _key_points(args: argparse.Namespace, weights: Weights, layout: type) -> str:
    """The name of the key points that the lifting network takes."""
    name = args.keypoints or weights.layout or "h36m"
    if weights.layout and name != weights.layout:
        raise ValueError(
            f"{weights.path}: has learned key points {weights.layout}. "
            f"Received: --keypoints {name}"
        )
    if name not in KEYPOINTS or (name == "coco" and layout is not coco17j):
        raise ValueError(
            f"{weights.path}: has learned key points {name}, which must be h36m, or "
            "coco where the 2D network finds COCO's (--network coco17). "
            f"Received: a network of {layout.__name__}"
        )
    return name


def _network_flags(args: argparse.Namespace) -> argparse.Namespace:
    """The flags as those of lifting have them, who tell which were given."""
    given = [name for name in _SHAPE if getattr(args, name) is not None]
    shape = {name: getattr(args, name) for name in given}
    known = {**vars(args), **_SHAPE, **shape}
    return argparse.Namespace(**{**known, "dropout": 0.0, "given": given})


def _rate(args: argparse.Namespace) -> float:
    if args.rate or pathlib.Path(args.video).is_dir():
        return args.rate or FOLDER_RATE
    rate = video_info(args.video).rate
    if not rate > 0:
        raise ValueError(f"{args.video}: does not tell its rate; give --rate")
    return rate


def _write(
    args: argparse.Namespace, found: LiftedVideo, target: pathlib.Path
) -> list[str]:
    """Writes NAME.json, NAME.npy and NAME.bvh."""
    poses, track = found.lifted.poses, found.track
    points = np.concatenate([track.joints, found.confidence[..., None]], axis=-1)
    record = {
        "video": args.video,
        "frames": len(poses),
        "rate": found.rate,
        "size": list(found.video.size),
        "weights_pose": args.weights,
        "weights_lifting": args.weights_lifting,
        "keypoints": "px of the picture and confidence",
        "keypoint_names": found.layout.joint_names,
        "joints": "m by the camera's axes: x right, y down, z forward",
        "joint_names": h36m17j.joint_names,
        "root": "placed" if found.lifted.placed else "stays where it is",
        "filled": track.num_filled,
        "longest_gap": track.longest_gap,
        "lifting_ms": found.frame_time,
        "poses": [
            {
                "frame": number,
                "keypoints": np.round(seen, 3).tolist(),
                "filled": [found.layout.joint_names[i] for i in np.flatnonzero(made)],
                "joints": np.round(pose, 5).astype(float).tolist(),
            }
            for number, (seen, made, pose) in enumerate(
                zip(points, track.filled, poses, strict=True), 1
            )
        ],
    }
    write_json(pathlib.Path(f"{target}.json"), record)
    motion = (world_poses(found.lifted)["Reconstruction"], h36m17j.parents)
    write_bvh(f"{target}.bvh", *motion, h36m17j.joint_names, found.rate)
    return [
        f"{target}.json: key points and joints of {len(poses)} frames",
        export_joints(pathlib.Path(f"{target}.npy"), poses),
        f"{target}.bvh: motion, {found.rate:g} frames a second",
    ]


def _draw(args: argparse.Namespace, found: LiftedVideo, out: pathlib.Path) -> str:
    """Writes the animation beside the video."""
    data, video = found.data, found.video
    ((points,),) = (takes[CUSTOM] for takes in data.keypoints.values())
    drawn = animate(
        world_poses(found.lifted),
        Bones.of_layout(h36m17j),
        points,
        Bones.of_layout(KEYPOINTS[data.layout_name]),
        _frames(video),
        size=args.height,
        azimuth=azimuth_of(found.lifted.camera.orientation),
    )
    progress = progress_teller(len(points))
    count = write_video(out, drawn, found.rate, progress=progress)
    return f"{out}: {count} frames, {found.rate:g} a second"


def _frames(video: BoxedVideo) -> Iterator[np.ndarray]:
    """The pictures to draw on; dark ones where they cannot be read."""
    for path in video.pictures:
        try:
            yield np.asarray(open_frame(path, video.size))
        except OSError:
            yield np.full((video.size[1], video.size[0], 3), _DARK, np.uint8)
