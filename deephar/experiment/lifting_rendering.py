"""One video lifted by a network: drawn beside its poses in space, and written."""

import argparse
import contextlib
import dataclasses
import logging
import os
import pathlib
from collections.abc import Callable

import numpy as np

from deephar.data.lifting import LensCamera, LiftingData, Sequence
from deephar.data.pictures import ENDINGS
from deephar.data.video_writing import check_video_path, write_video
from deephar.data.videos import Video
from deephar.experiment.lifting import (
    Weights,
    find_checkpoint,
    follow_training,
    lifter_of,
    lifting_data,
    lifting_networks,
    read_weights,
)
from deephar.experiment.lifting_flags import flag_of
from deephar.experiment.run import open_run
from deephar.utils.animation import Bones, animate, azimuth_of, stand_on_floor
from deephar.utils.bvh import write_bvh
from deephar.utils.camera import camera_to_world, denormalize_screen
from deephar.utils.fs import whole_file
from deephar.utils.pose import coco17j

logger = logging.getLogger(__name__)

_DOTS_PER_INCH = 100
_TELLS = 10
"""How often a rendering says how far it is."""


@dataclasses.dataclass(frozen=True)
class Lifted:
    """A track and its poses in space.

    Attributes:
        sequence: the track, with its true poses where they are known and wanted.
        camera: that has seen it.
        poses: `(frames, joints, 3)`, m, by the camera's axes, the root with them.
        placed: whether a trajectory network says where the root is.
    """

    sequence: Sequence
    camera: LensCamera
    poses: np.ndarray
    placed: bool


def render_lifting(args: argparse.Namespace) -> str:
    """Lifts the track of the flags `--viz-...`, draws and writes it.

    Returns:
        A line for each file that was written.

    Raises:
        OSError, ValueError: if checkpoint, flags and data do not fit together, or a
            file cannot be read or written.
    """
    open_run(args, record=False)
    for name in ("viz_output", "viz_export", "viz_bvh"):
        if path := getattr(args, name):
            check_output(flag_of(name), path, args.viz_video)
    if args.viz_output:
        check_video_path(args.viz_output)
    weights = read_weights(find_checkpoint(args, args.evaluate))
    follow_training(args, weights)
    data = lifting_data(args)
    sequence = find_sequence(args, data)
    with contextlib.ExitStack() as opened:
        video = None
        if args.viz_video:
            video = opened.enter_context(Video(args.viz_video))
        rate = _rate(args, data, sequence, video)
        lifted = lift_sequence(args, data, weights, sequence)
        lines = []
        if args.viz_export:
            lines.append(export_joints(args.viz_export, lifted.poses))
        if args.viz_bvh:
            lines.append(_write_motion(args.viz_bvh, data, lifted, rate))
        if args.viz_output:
            lines.append(_draw(args, data, lifted, video, rate))
    return "\n".join(lines)


def check_output(flag: str, path: str | os.PathLike, video: str | None) -> None:
    """Refuses a file that cannot be written, or that would replace the video.

    Args:
        flag: that names the file, for messages.
        path: the file.
        video: file or folder that is drawn on, if any.

    Raises:
        FileNotFoundError: if the folder of `path` does not exist.
        ValueError: if `path` is a folder, or the video or one of its pictures.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder of {flag} must exist. Received: {path}")
    if path.is_dir():
        raise ValueError(f"{flag} must be a file. Received: the folder {path}")
    if not video or not os.path.exists(video):
        return
    same = path.exists() and path.samefile(video)
    if same or (path.suffix.lower() in ENDINGS and path.parent.samefile(video)):
        raise ValueError(
            f"{flag} must not be the video itself, nor a picture in its folder. "
            f"Received: {path}"
        )


def find_sequence(args: argparse.Namespace, data: LiftingData) -> Sequence:
    """The track that the flags name.

    `--viz-action` is the name of a take, `Walking 1`; where there is none of that name,
    of an action with a single take.

    Raises:
        ValueError: if there is no such track.
    """
    subject, action = args.viz_subject, args.viz_action
    takes = data.takes(subject, [action])
    if action in takes:
        takes = [action]
    if len(takes) != 1:
        takes = takes or list(data.keypoints[subject])
        raise ValueError(
            f"--viz-action must be one take of {subject}: {', '.join(takes)}. "
            f"Received: {action}"
        )
    count = len(data.cameras[subject])
    if args.viz_camera >= count:
        raise ValueError(
            f"--viz-camera must be below {count}, the number of cameras of {subject}. "
            f"Received: {args.viz_camera}"
        )
    known = takes[0] in data.positions.get(subject, {})
    labelled = known and not args.viz_no_ground_truth
    views = data.sequences([subject], takes, labelled=labelled)
    (found,) = (
        one for one in views if (one.action, one.camera) == (takes[0], args.viz_camera)
    )
    return found


def lift_sequence(
    args: argparse.Namespace, data: LiftingData, weights: Weights, sequence: Sequence
) -> Lifted:
    """Lifts a track by the networks of a checkpoint.

    Where the root is says the trajectory network, if the checkpoint has one; else the
    true poses, if they are known; else it stays where it is.
    """
    flip = not args.no_test_time_augmentation
    model, *trajectory = lifting_networks(args, data, weights)
    poses = lifter_of(model, data, flip).lift(sequence.keypoints)
    for root in trajectory:
        lifter = lifter_of(root, data, flip, joints=False)
        poses = poses + lifter.lift(sequence.keypoints)
    camera = data.cameras[sequence.subject][sequence.camera]
    return Lifted(sequence, camera, poses, bool(trajectory))


def world_poses(lifted: Lifted) -> dict[str, np.ndarray]:
    """The poses in the world, z up: {title: (frames, joints, 3)}, m.

    Where nothing says where the root is, the lowest joint of the whole track is put on
    the floor.
    """
    camera = lifted.camera

    def to_world(poses):
        return camera_to_world(poses, camera.orientation, camera.translation)

    truth = lifted.sequence.positions
    if truth is None:
        return {"Reconstruction": stand_on_floor(to_world(lifted.poses))}
    whole = truth.copy()
    whole[:, 1:] += truth[:, :1]
    poses = lifted.poses if lifted.placed else lifted.poses + truth[:, :1]
    return {"Reconstruction": to_world(poses), "Ground truth": to_world(whole)}


def keypoint_bones(data: LiftingData) -> Bones:
    """How key points are joined: as joints or as COCO's, if they are these."""
    left, right = data.keypoints_left, data.keypoints_right
    skeleton = data.skeleton
    for bones in (
        Bones.of_parents(*_tree(skeleton)),
        Bones.of_layout(coco17j),
    ):
        count = 1 + max(max(link) for link in bones.links)
        same = set(bones.left) == set(left) and set(bones.right) == set(right)
        if same and count == data.num_keypoints:
            return bones
    return Bones((), left, right)


def _tree(skeleton):
    return skeleton.parents, skeleton.joints_left, skeleton.joints_right


def _rate(args, data, sequence, video) -> float:
    """Frames a second: of the video, of the data set, or as the file says."""
    of_file = data.layout.videos.get(sequence.subject, {}).get("fps")
    rate = (video and video.info.rate) or data.fps or of_file
    if not rate and (args.viz_output or args.viz_bvh):
        raise ValueError(
            f"--viz-video must be given: nothing else says how many frames a second "
            f"{sequence.subject} has. Received: none"
        )
    return rate


def export_joints(path: str | os.PathLike, poses: np.ndarray) -> str:
    """Writes poses in space as NumPy's file, whole or not at all.

    Args:
        path: the file; as NumPy does, `.npy` is added to a name without.
        poses: `(frames, joints, 3)`, m, by the camera's axes as the original has them.

    Returns:
        A line that says so.
    """
    path = pathlib.Path(path)
    if path.suffix != ".npy":
        path = path.with_name(path.name + ".npy")
    with whole_file(path) as file:
        np.save(file, poses.astype(np.float32))
    return f"{path}: joints (frames, joints, 3) {poses.shape}, m"


def _write_motion(path: str, data: LiftingData, lifted: Lifted, rate: float) -> str:
    poses = world_poses(lifted)["Reconstruction"]
    write_bvh(path, poses, data.skeleton.parents, data.skeleton.names, rate)
    return f"{path}: motion of {len(poses)} frames, {rate:g} a second"


def _draw(args, data, lifted, video, rate) -> str:
    """Writes the animation."""
    frames = _frames_to_draw(args, lifted, video)
    size = lifted.camera.size
    points = denormalize_screen(lifted.sequence.keypoints[frames], size)
    pictures = None
    if video is not None:
        points = points * (np.array(video.info.size) / size)
        wanted = set((frames + 1).tolist())
        pictures = (frame.picture for frame in video.frames(wanted))
    poses = {title: one[frames] for title, one in world_poses(lifted).items()}
    drawn = animate(
        poses,
        Bones.of_parents(*_tree(data.skeleton)),
        points,
        keypoint_bones(data),
        pictures,
        picture_size=size,
        size=_DOTS_PER_INCH * args.viz_size,
        azimuth=azimuth_of(lifted.camera.orientation),
    )
    rate = rate / args.viz_downsample
    bitrate = 1000 * args.viz_bitrate
    write_video(args.viz_output, drawn, rate, bitrate, progress_teller(len(frames)))
    return f"{args.viz_output}: {len(frames)} frames, {rate:g} a second"


def _frames_to_draw(args, lifted, video) -> np.ndarray:
    """Numbers of the frames, from 0, which skip, limit and downsample leave."""
    count = len(lifted.poses)
    if video is not None and video.info.num_frames != count:
        logger.warning(
            "%s has %d frames, the track %d: what both have is drawn",
            *(video.path, video.info.num_frames, count),
        )
        count = min(count, video.info.num_frames)
    if args.viz_skip >= count:
        raise ValueError(
            f"--viz-skip must be below {count}, the number of frames. "
            f"Received: {args.viz_skip}"
        )
    end = count if args.viz_limit is None else args.viz_skip + args.viz_limit
    return np.arange(args.viz_skip, min(end, count), args.viz_downsample)


def progress_teller(total: int) -> Callable[[int], None]:
    """A function of the number of frames that logs how far a rendering is, at times."""

    def tell(number: int) -> None:
        if number * _TELLS // total > (number - 1) * _TELLS // total:
            logger.info("%d of %d frames drawn", number, total)

    return tell
