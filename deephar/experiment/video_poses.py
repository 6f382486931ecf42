"""The 2D poses of the person in a video, frame by frame."""

import argparse
import itertools
import logging
import pathlib
from collections.abc import Iterator, Sequence

import keras
import numpy as np
from PIL import Image

from deephar.data.boxed_clips import BoxedVideo
from deephar.data.pictures import open_picture
from deephar.evaluation.stream import read_ahead
from deephar.experiment.looking import add_looking_arguments
from deephar.experiment.one_video import boxed_video
from deephar.inference.crops import Window, refined
from deephar.inference.predictor import PosePredictor
from deephar.utils.numbers import positive_int

logger = logging.getLogger(__name__)


def add_video_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--box` and `--boxes`, `--follow`, how to look, and how many at once."""
    group = parser.add_argument_group("where the person is", "default: anywhere")
    add, where = group.add_argument, group.add_mutually_exclusive_group()
    corners = ("X1", "Y1", "X2", "Y2")
    where.add_argument("--box", type=float, nargs=4, metavar=corners, help="px")
    lists = "a list of boxes; frames without one are gaps of the track"
    where.add_argument("--boxes", metavar="BOXLIST", help=lists)
    follow = "from the second frame on, look around the pose of the frame before"
    add("--follow", action="store_true", help=follow)
    add_looking_arguments(parser)
    add = parser.add_argument
    add("--batch-size", type=positive_int, default=8, help="frames (%(default)s)")
    add("--workers", type=positive_int, default=2, help="threads that read")


def video_with_boxes(
    args: argparse.Namespace, pictures: Sequence[pathlib.Path], errors: dict[str, str]
) -> BoxedVideo:
    """The video of the flags of `add_video_arguments`, and of `args.video`.

    Args:
        args: the flags.
        pictures: its frames.
        errors: gets a message by path of pictures that could not be read.

    Raises:
        OSError: if no picture can be read.
        ValueError: if the boxes are not as they should be, or flags do not go together.
    """
    if args.follow and args.boxes:
        raise ValueError(
            "--follow is instead of --boxes: give one of them. Received: "
            f"--follow, --boxes {args.boxes}"
        )
    return boxed_video(args, pictures, errors)


def poses_in_video(
    args: argparse.Namespace,
    predictor: PosePredictor,
    video: BoxedVideo,
    errors: dict[str, str],
) -> tuple[np.ndarray, np.ndarray]:
    """Looks at every frame, with a progress bar.

    Args:
        args: flags of `add_video_arguments`.
        predictor: what looks.
        video: what `video_with_boxes` returned.
        errors: as there.

    Returns:
        The joints `(frames, joints, 2)` float64, px, and their confidence `(frames,
        joints)`. Frames without a box where a list has the boxes, and those that could
        not be read, are NaN and 0.

    Raises:
        ValueError: if a picture has another size than the first one.
    """
    count = len(video.pictures)
    shape = (count, predictor.poselayout.num_joints)
    joints, confidence = np.full((*shape, 2), np.nan), np.zeros(shape)
    boxed = ~np.isnan(video.boxes).any(axis=1)
    wanted = [n for n in range(count) if boxed[n] or not args.boxes]
    size = 1 if args.follow else args.batch_size
    bar = keras.utils.Progbar(len(wanted), unit_name="frame")
    pictures = _read(video, wanted, args.workers, errors)
    follows = None
    while group := list(itertools.islice(pictures, size)):
        numbers = [number for number, _ in group]
        windows = [
            follows
            or predictor.window(video.size, video.boxes[n] if boxed[n] else None)
            for n in numbers
        ]
        found = predictor.locate([p for _, p in group], windows, keep=0.0)
        last = found.joints[-1]
        joints[numbers], confidence[numbers] = last[..., :2], last[..., -1]
        if args.follow:
            follows = _around(found.windows[0], last[0], video.size)
        bar.add(len(group))
    return joints, confidence


def open_frame(path: str, size: tuple[int, int]) -> Image.Image:
    """A picture of a video.

    Raises:
        OSError: if it cannot be read.
        ValueError: if its size is another one.
    """
    picture = open_picture(path)
    if picture.size != tuple(size):
        raise ValueError(
            f"{path}: must have the size of the first picture, {tuple(size)} px. "
            f"Received: {picture.size}"
        )
    return picture


def _read(
    video: BoxedVideo, wanted: Sequence[int], workers: int, errors: dict[str, str]
) -> Iterator[tuple[int, Image.Image]]:
    """Yields (number, picture) of those that can be read."""

    def read(number: int) -> tuple[int, Image.Image | None]:
        path = video.pictures[number]
        try:
            return number, open_frame(path, video.size)
        except OSError as error:
            errors[path] = str(error)
            return number, None

    for number, picture in read_ahead(read, wanted, workers):
        if picture is not None:
            yield number, picture


def _around(window: Window, person: np.ndarray, size: tuple[int, int]) -> Window | None:
    """The next frame's window; None, to begin again, where the person is lost."""
    found = refined(window, person[:, :2], person[:, -1], keep=0.0)
    x1, y1, x2, y2 = found.box
    inside = x1 < size[0] and y1 < size[1] and x2 > 0 and y2 > 0
    return found if inside and found is not window else None
