"""Actions in a user's own videos: predicted by windows that slide, drawn, written."""

import argparse
import dataclasses
import logging
import pathlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from deephar.config import DataConfig
from deephar.data.box_lists import BoxRow, read_box_list
from deephar.data.boxed_clips import BoxedClips, BoxedVideo
from deephar.data.extraction import extract_frames
from deephar.data.pictures import picture_files, read_size
from deephar.evaluation.sliding import Seen, slide, sliding_windows
from deephar.experiment.compute import configure_compute
from deephar.experiment.recognition import clip_predictor
from deephar.experiment.settings import sized
from deephar.inference.clips import ClipPredictor
from deephar.networks.building import build_network
from deephar.networks.classes import class_names
from deephar.networks.known_weights import check_classes
from deephar.utils.bbox import check_overlap
from deephar.utils.modes import TEST_MODE
from deephar.utils.numbers import positive_int
from deephar.utils.outputs import deciding

logger = logging.getLogger(__name__)

_QUALITY = 95


def add_sliding_arguments(parser: argparse.ArgumentParser, step: str) -> None:
    """Adds `--step`, `--every`, `--batch-size` and `--workers`.

    Args:
        parser: the script's parser.
        step: what the step is without the flag.
    """
    add = parser.add_argument
    about = f"pictures from one of a window to the next ({step})"
    add("--step", type=positive_int, metavar="N", help=about)
    every = "pictures from one window to the next (%(default)s)"
    add("--every", type=positive_int, default=1, metavar="N", help=every)
    add("--batch-size", type=positive_int, default=16, help="frames (%(default)s)")
    add("--workers", type=positive_int, default=2, help="threads that read")


@dataclasses.dataclass(frozen=True)
class Watcher:
    """What looks at a user's videos.

    Attributes:
        args: flags of `add_sliding_arguments`.
        settings: the network's.
        predictor: the network.
        labels: names of the actions.
    """

    args: argparse.Namespace
    settings: Mapping
    predictor: ClipPredictor
    labels: tuple[str, ...]

    @property
    def output(self) -> int:
        """The number of the output that counts."""
        return self.predictor.names.index(deciding(self.predictor.names))

    def watch(
        self, video: BoxedVideo, step: int | None, errors: dict[str, str]
    ) -> Iterator[Seen]:
        """Looks at a video through windows.

        Args:
            video: the video.
            step: from one picture of a window to the next; None for a single window
                that is spread over all pictures.
            errors: as of `evaluation.sliding.slide`.
        """
        size, count = self.settings["frames"], len(video.pictures)
        dataconf = sized(DataConfig(), {"size": self.settings["size"]})
        options = {"clip_size": size, "action_labels": self.labels}
        clips = BoxedClips(video.name, [video], dataconf, **options)
        if step is None:
            windows = [clips.one_clip(0, TEST_MODE, 1)]
        else:
            windows = sliding_windows(count, size, step, self.args.every)
        if len(set(windows[0])) < size or (
            step and windows[0][1] - windows[0][0] < step
        ):
            logger.warning(
                "%s: has too few pictures for a window, %d", video.name, count
            )
        options = (self.args.batch_size, self.args.workers)
        return slide(self.predictor, clips, 0, windows, errors, *options)


def start_watching(args: argparse.Namespace, settings: Mapping) -> Watcher:
    """The network of the flags, ready to look.

    Args:
        args: flags of `add_sliding_arguments`, and `weights`.
        settings: the network's, of `network_settings`.

    Raises:
        ValueError: as of `class_names` and `check_classes`, of `--classes`; or if the
            weights do not fit.
    """
    given = getattr(args, "classes", None)
    labels = class_names(settings, given)
    if given is not None:
        check_classes(args.weights, settings["network"], given)
    compute = configure_compute(args)
    model = build_network(settings["network"], settings, args.weights)
    predictor = clip_predictor(args, compute, model)
    return Watcher(args, settings, predictor, labels)


def box_list_files(path: str) -> list[pathlib.Path]:
    """The list of boxes itself, or the lists (.txt, .tsv) of a folder by name.

    Raises:
        ValueError: if the folder has none.
    """
    place = pathlib.Path(path)
    if not place.is_dir():
        return [place]
    found = sorted(p for p in place.iterdir() if p.suffix in (".txt", ".tsv"))
    if not found:
        raise ValueError(f"{place}: no lists of boxes (.txt .tsv) in it")
    return found


def video_of_rows(
    name: str, rows: Sequence[BoxRow], errors: dict[str, str]
) -> BoxedVideo:
    """The video that pictures are in their order; its size is the first one's.

    Args:
        name: what messages call it.
        rows: the pictures, with a box, which may be NaN.
        errors: gets a message by path of pictures before the first that can be read.

    Raises:
        OSError: if none of the pictures can be read.
        ValueError: if a box is outside its picture.
    """
    pictures = tuple(row.picture for row in rows)
    size = _size(name, pictures, errors)
    for row in rows:
        if not np.isnan(row.box).any():
            check_overlap(f"{name}: the box of {row.picture}", row.box, size)
    boxes = np.array([row.box for row in rows], np.float64)
    return BoxedVideo(name, None, pictures, size, boxes)


def listed_videos(
    path: str, pictures: str, folder: pathlib.Path, errors: dict[str, str]
) -> dict[pathlib.Path, BoxedVideo]:
    """The videos of `box_list_files`, each by a folder for its drawings.

    Args:
        path: the list, or the folder of lists.
        pictures: folder that their paths start from.
        folder: where the folders for drawings shall be.
        errors: gets a message by path of pictures that cannot be read. A list without
            any other is passed over.

    Raises:
        OSError: if no list has a picture that can be read.
        ValueError: if there is no list, or one is not as it should be, or drawings
            might replace pictures.
    """
    files, videos = box_list_files(path), {}
    if len({place.stem for place in files}) < len(files):
        raise ValueError(f"{path}: the lists must differ in their names before the dot")
    lists = {place: read_box_list(place, pictures) for place in files}
    for place, rows in lists.items():
        try:
            video = video_of_rows(str(place), rows, errors)
            check_drawings(folder / place.stem, video.pictures)
            videos[folder / place.stem] = video
        except OSError as error:
            logger.warning("passed over: %s", error)
    if not videos:
        refuse_unseen(errors, path)
    return videos


@contextmanager
def frames_of(video: str) -> Iterator[tuple[list[pathlib.Path], str | None]]:
    """The pictures of a folder, or those of a video file, which are there for a while.

    Args:
        video: the file or folder.

    Yields:
        (pictures, problem): the pictures in the order of the last number of their
        names, which in a file is theirs, from 1; and what is wrong with the file, such
        as its early end, or None.

    Raises:
        ValueError: if there is no picture.
        FileNotFoundError: if there is no such file or folder.
    """
    if pathlib.Path(video).is_dir():
        yield sorted(picture_files(video), key=_number), None
        return
    with tempfile.TemporaryDirectory() as folder:
        done = extract_frames(
            video, folder, lambda info: range(1, info.num_frames + 1), quality=_QUALITY
        )
        if not done.written:
            raise ValueError(done.problem)
        yield sorted(pathlib.Path(folder).iterdir()), done.problem


def check_drawings(folder: pathlib.Path, pictures: Sequence[str]) -> None:
    """Refuses a folder for drawings in which one of the pictures drawn on lies.

    Raises:
        ValueError: if it is so.
    """
    for path in pictures:
        if pathlib.Path(path).resolve().parent == folder.resolve():
            raise ValueError(f"{path}: might be overwritten; choose another run folder")


def refuse_unseen(errors: Mapping[str, str], what: str) -> None:
    """Ends a script, when all else is written, if pictures could not be read.

    Raises:
        OSError: if there are such; the first ones are named.
    """
    if errors:
        shown = "; ".join(list(errors.values())[:5])
        raise OSError(f"{what}: unreadable pictures, {len(errors)} in all: {shown}")


def _number(path: pathlib.Path) -> tuple[int, str]:
    """What the pictures of a folder are put in order by: the last number of a name."""
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1]) if numbers else -1, path.name


def _size(name: str, pictures: Sequence[str], errors: dict) -> tuple[int, int]:
    """The size (w, h) of the first picture that can be read."""
    for path in pictures:
        try:
            return read_size(path)
        except OSError as error:
            errors[path] = str(error)
    first = errors[pictures[0]]
    raise OSError(f"{name}: none of {len(pictures)} pictures can be read: {first}")
