"""Own data: people and clips of the files that docs/custom.md describes."""

import functools
import hashlib
import logging
import os
import pathlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from deephar.config import DataConfig, mpii_sp_dataconf, pennaction_dataconf
from deephar.data.boxed import BoxedPeople, BoxedPerson
from deephar.data.boxed_clips import BoxedClips, BoxedVideo
from deephar.data.cache import PictureCache
from deephar.data.custom_data import (
    PARTS,
    CustomClip,
    CustomData,
    CustomPerson,
    Span,
)
from deephar.data.custom_files import Film, read_film
from deephar.data.custom_format import read_custom
from deephar.data.extraction import extract_frames
from deephar.data.pictures import read_size
from deephar.utils.fs import cache_folder, can_write
from deephar.utils.messages import shown
from deephar.utils.pose import INVALID, is_valid

__all__ = ["CustomClips", "CustomPeople", "frames_folder"]

logger = logging.getLogger(__name__)

_QUALITY = 95
"""Of the JPEGs that are made of videos."""


class CustomPeople(BoxedPeople):
    """People of own data, each in a square window around his box.

    They are those of the part's pictures, and those of the frames of its clips that
    have a box and joints. Left out, and counted in `left_out`: those without a joint.

    Args:
        path: File or folder, see `deephar.data.custom_format.read_custom`, or what that
            returned.
        part: "train", "valid" or "test".
        dataconf: Size of the crop and augmentation.
        poselayout: None for the layout of the data; `pa16j2d` is possible where that is
            `coco17j`.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.

    Attributes:
        layout: Layout of the data.
        action_labels: Names of the data's actions.
        visible: (people, num_joints) bool: labelled in the data, and not hidden.

    Raises:
        FileNotFoundError: if there is no such file or folder, or a video is missing.
            Pictures are looked for when they are read; see `missing_pictures`.
        ValueError: if something is wrong in the data, told by file and line, or an
            argument is not as it should be, or nobody is left.
    """

    def __init__(
        self,
        path: str | os.PathLike | CustomData,
        part: str = "train",
        dataconf: DataConfig = mpii_sp_dataconf,
        poselayout: Any = None,
        remove_outer_joints: bool = True,
        cache: PictureCache | None = None,
    ):
        data = _opened(path, part)
        self.layout, self.action_labels = data.layout, data.actions
        self.anno_path = f"{_name(data)} ({part})"
        self.left_out = {"no joints": 0}
        labelled = [
            (picture.path, person, picture.size)
            for picture in data.pictures
            if picture.part == part
            for person in picture.people
        ]
        for clip in (one for one in data.clips if one.part == part):
            labelled += _labelled_frames(clip)
        people, visible = [], []
        for picture, person, size in labelled:
            if not is_valid(person.joints).any():
                self.left_out["no joints"] += 1
                continue
            people.append(
                BoxedPerson(
                    picture=picture,
                    box=person.box,
                    joints=_joints(person, data.layout),
                    size=size,
                    head_size=_head_size(person, data.layout),
                )
            )
            visible.append(person.visible)
        super().__init__(
            os.path.dirname(data.files[0]),
            people,
            dataconf,
            data.layout if poselayout is None else poselayout,
            remove_outer_joints,
            cache,
            labelled=data.layout,
        )
        self.visible = np.array(visible)


class CustomClips(BoxedClips):
    """Clips of own data, each spread over the frames in which something is done.

    A clip of the data gives a video for each of its spans. Frames of a video file are
    written once as JPEGs, see `frames_folder`. Left out, and counted in `left_out`:
    clips without an action.

    Args:
        path, part, dataconf, poselayout, cache: As of `CustomPeople`.
        clip_size: Frames of a clip.
        label: Key of the action in samples: (actions,), 1.0 at the clip's.

    Attributes:
        layout: Layout of the data.
        left_out: By reason, the number of clips left out.

    Raises:
        FileNotFoundError: if there is no such file or folder, or a video or the first
            picture of a clip without a size is missing.
        OSError: if frames cannot be written.
        ValueError: if something is wrong in the data, told by file and line, or an
            argument is not as it should be, a span is longer than its video, or
            nothing is left.
    """

    def __init__(
        self,
        path: str | os.PathLike | CustomData,
        part: str = "train",
        dataconf: DataConfig = pennaction_dataconf,
        poselayout: Any = None,
        clip_size: int = 8,
        label: str = "action",
        cache: PictureCache | None = None,
    ):
        data = _opened(path, part)
        self.layout, self.anno_path = data.layout, f"{_name(data)} ({part})"
        self.left_out, videos = Counter({"no action": 0}), []
        for clip in (one for one in data.clips if one.part == part):
            known = [span for span in clip.spans if span.action is not None]
            self.left_out["no action"] += len(clip.spans) - len(known)
            if known:
                videos += _videos(clip, known, data.layout)
        left = f"{self.left_out['no action']} without an action"
        if not videos:
            raise ValueError(
                f"{self.anno_path} must have clips with actions. Received: none; "
                f"left out: {left}"
            )
        logger.info("%s: %d clips; left out: %s", self.anno_path, len(videos), left)
        super().__init__(
            os.path.dirname(data.files[0]),
            videos,
            dataconf,
            data.layout if poselayout is None else poselayout,
            clip_size,
            data.actions,
            label,
            cache,
            labelled=data.layout,
        )


def _opened(path, part: str) -> CustomData:
    if part not in PARTS:
        raise ValueError(
            f"`part` must be one of {', '.join(PARTS)}. Received: part={shown(part)}"
        )
    return path if isinstance(path, CustomData) else read_custom(path)


def _name(data: CustomData) -> str:
    files = data.files
    return files[0] if len(files) == 1 else os.path.dirname(files[0])


def _joints(person: CustomPerson, layout: Any) -> np.ndarray:
    """Returns joints (num_joints, 2 or 3), px and mm."""
    if layout.dim == 2 or person.joints_3d is None:
        return person.joints
    return np.concatenate([person.joints, person.joints_3d[:, 2:]], axis=1)


def _head_size(person: CustomPerson, layout: Any) -> float:
    """Returns the head size of PCKh, px; NaN where it is not known."""
    head = getattr(layout, "head", None)
    if np.isfinite(person.head_size) or head is None:
        return person.head_size
    ends = person.joints[head]
    if not is_valid(ends).all():
        return np.nan
    return float(np.linalg.norm(ends[0] - ends[1])) or np.nan


def _labelled_frames(clip: CustomClip) -> list[tuple]:
    """Returns picture, person and size of each frame with a box and joints."""
    wanted = {
        number: person
        for number, person in clip.people.items()
        if person.box is not None and is_valid(person.joints).any()
    }
    if not wanted:
        return []
    if clip.video is None:
        paths = {number: clip.pictures[number - 1] for number in wanted}
    else:
        paths = _extracted(clip, set(wanted))
    return [(paths[number], one, clip.size) for number, one in wanted.items()]


def frames_folder(video: str | os.PathLike) -> pathlib.Path:
    """Returns where the frames of a video are written: a folder beside it.

    Its name tells the video's size and time of change, so that another video of the
    same name has another folder. Where it lacks wanted frames and cannot be written,
    `CustomClips` has them in a folder of the user's cache.
    """
    path = pathlib.Path(video)
    state = path.stat()
    mark = _mark(f"{state.st_size} {state.st_mtime_ns}")
    return path.with_name(f"{path.name}.frames") / mark


def _mark(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()[:8]


def _cached(folder: pathlib.Path) -> pathlib.Path:
    """Returns what stands for a folder of frames that cannot be written."""
    cache = cache_folder() / "frames"
    _tell_of(cache)
    video_in = os.path.realpath(folder.parents[1])
    return cache / _mark(video_in) / folder.parent.name / folder.name


@functools.cache
def _tell_of(cache: pathlib.Path) -> None:
    what = "frames of videos whose folder cannot be written are kept in %s"
    logger.warning(what, cache)


def _extracted(clip: CustomClip, numbers: set[int]) -> dict[int, str]:
    """Returns by number the pictures of frames of a video, which are made if need be.

    Raises:
        FileNotFoundError: if there is no such video.
        ValueError: if it cannot be read, or has not the frames.
    """
    if not os.path.isfile(clip.video):
        raise FileNotFoundError(f"no such video: {clip.video}")
    names = {number: f"{number:05d}.jpg" for number in sorted(numbers)}
    folder = frames_folder(clip.video)
    if _lacks(folder, names) and not can_write(folder):
        folder = _cached(folder)
    if _lacks(folder, names):
        done = extract_frames(clip.video, folder, lambda info: numbers, 1, _QUALITY)
        if done.problem:
            raise ValueError(f"clip {clip.name}: {done.problem}")
        logger.info("%s: %d frames written", folder, done.written)
    return {number: os.fspath(folder / name) for number, name in names.items()}


def _lacks(folder: pathlib.Path, names: Mapping[int, str]) -> bool:
    return not all((folder / name).is_file() for name in names.values())


def span_frames(span: Span, film: Film) -> tuple[int, int]:
    """Returns the first and last frame of a span of a video, from 1.

    Of a span in seconds they are those that are shown nearest to its ends.

    Raises:
        ValueError: if the video is shorter.
    """
    first, last = span.frames or (1, film.num_frames)
    if span.seconds is not None:
        first, last = map(film.frame_at, span.seconds)
    if not 1 <= first <= last <= film.num_frames:
        raise ValueError(
            f"a span must lie in its video of {film.num_frames} frames. "
            f"Received: {first} to {last}"
        )
    return first, last


def _videos(clip: CustomClip, spans: list[Span], layout: Any) -> list[BoxedVideo]:
    """Returns a video for each span of a clip."""
    if clip.video is None:
        paths = dict(enumerate(clip.pictures, 1))
        ends = [span.frames or (1, len(paths)) for span in spans]
    else:
        if not os.path.isfile(clip.video):
            raise FileNotFoundError(f"no such video: {clip.video}")
        film = read_film(clip.video)
        try:
            ends = [span_frames(span, film) for span in spans]
        except ValueError as error:
            raise ValueError(f"clip {clip.name}: {error}") from error
        wanted = {n for first, last in ends for n in range(first, last + 1)}
        paths = _extracted(clip, wanted)
    size = clip.size or read_size(next(iter(paths.values())))
    found = []
    for span, (first, last) in zip(spans, ends, strict=True):
        numbers = range(first, last + 1)
        boxes, joints = _tracks(clip, numbers, layout)
        name = clip.name if len(spans) == 1 else f"{clip.name}, {first} to {last}"
        pictures = tuple(paths[number] for number in numbers)
        found.append(BoxedVideo(name, span.action, pictures, size, boxes, joints))
    return found


def _tracks(
    clip: CustomClip, numbers: range, layout: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns boxes (frames, 4) x1 y1 x2 y2, and joints (frames, num_joints, dim)."""
    boxes = np.full((len(numbers), 4), np.nan)
    joints = np.full((len(numbers), layout.num_joints, layout.dim), INVALID)
    for row, number in enumerate(numbers):
        person = clip.people.get(number)
        if person is None:
            continue
        if person.box is not None:
            x, y, width, height = person.box
            boxes[row] = x, y, x + width, y + height
        labelled = _joints(person, layout)
        joints[row, :, : labelled.shape[1]] = labelled
    return boxes, joints if is_valid(joints[..., :2]).any() else None
