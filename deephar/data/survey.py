"""What the annotations of a data set tell, before a picture is read.

How large people are, in pictures and in their windows, which joints are labelled, what
people do, how long videos are: the numbers of the command browse.
"""

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from deephar.data.base import SinglePersonDataset
from deephar.data.clips import ClipDataset
from deephar.data.pictures import AnnotationError
from deephar.utils.pose import is_valid


@dataclasses.dataclass(frozen=True, eq=False)
class Survey:
    """The numbers of a part of a data set.

    A row is a person of a picture, or a frame of a video. Windows are those of
    evaluations, of a video that of the clip in its middle.

    Attributes:
        kind: `"people"` or `"videos"`, what the samples are.
        samples: Samples of the part.
        looked_at: Those of them that rows and windows come from.
        labelled: (rows, joints) which joints are labelled.
        sizes: (rows with two joints or more,) longer side of the box around the
            labelled joints, px of the picture.
        windows: (looked at, 2) w, h of the window, px of the picture.
        shares: (rows of clips or people,) what `sizes` is of the longer side of the
            window.
        outside: (joints,) share of the labelled joints that lie outside the window;
            NaN where none is labelled.
        hidden: (joints,) share of the labelled joints within the window that the
            annotations call hidden; None where they do not tell.
        head_sizes: (people with one,) head sizes of PCKh, px.
        together: (pictures,) people of each picture; empty for videos.
        lengths: (videos,) frames of every video of the part.
        actions: {name: videos} of the part, names of all actions among them.
        wrong: What could not be read, a line each.
    """

    kind: str
    samples: int
    looked_at: int
    labelled: np.ndarray
    sizes: np.ndarray
    windows: np.ndarray
    shares: np.ndarray
    outside: np.ndarray
    hidden: np.ndarray | None
    head_sizes: np.ndarray
    together: np.ndarray
    lengths: np.ndarray
    actions: dict[str, int]
    wrong: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class _View:
    """A person, or the frames of a video, and the window of evaluations.

    Attributes:
        joints: (rows, joints, 2) px; INVALID or NaN where not labelled.
        seen: Rows that the window belongs to.
        center, size: The window, px.
        picture: Path of a person's picture.
        head_size: Head size of PCKh, px, or NaN.
        visible: (joints,) which joints are not hidden; None where nothing tells.
    """

    joints: np.ndarray
    seen: Sequence[int]
    center: Sequence[float]
    size: Sequence[float]
    picture: str = ""
    head_size: float = np.nan
    visible: np.ndarray | None = None


def survey(
    data: SinglePersonDataset | ClipDataset, mode: int, most: int | None = None
) -> Survey:
    """Reads the annotations of a part of a data set.

    Args:
        data: The data set.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        most: Look at so many samples at most, spread evenly; None for all. Lengths and
            actions of videos are those of all.

    Raises:
        ValueError: if `most` is below 1.
    """
    if most is not None and most < 1:
        raise ValueError(f"`most` must be at least 1. Received: most={most}")
    samples = data.get_length(mode)
    chosen = spread(samples, most)
    wrong: list[str] = []
    if isinstance(data, ClipDataset):
        views = list(_of_videos(data, mode, chosen, wrong))
        return _gather(
            *(data, "videos", samples, views, wrong),
            lengths=np.array([data.num_frames(key, mode) for key in range(samples)]),
            actions=count_actions(data, mode),
        )
    views = list(_of_people(data, mode, chosen))
    return _gather(data, "people", samples, views, wrong)


def spread(count: int, most: int | None) -> list[int]:
    """Returns `most` of the numbers below `count`, spread evenly; all if None."""
    if most is None or count <= most:
        return list(range(count))
    return np.linspace(0, count - 1, most).astype(int).tolist()


def count_actions(data: ClipDataset, mode: int) -> dict[str, int]:
    """Returns the videos of each action of a part, of those without any too."""
    names = [str(name) for name in data.action_labels]
    found: collections.Counter = collections.Counter()
    for key in range(data.get_length(mode)):
        found[_action_name(names, data.action(key, mode))] += 1
    known = (name for i, name in enumerate(names) if i not in data.unused_actions)
    return {**dict.fromkeys(known, 0), **found}


def action_name(data: ClipDataset, key: int, mode: int) -> str:
    """Returns the name of a video's action."""
    return _action_name([str(n) for n in data.action_labels], data.action(key, mode))


def _action_name(names: Sequence[str], action: int | None) -> str:
    if action is None:
        return "no action"
    return names[action] if action < len(names) else f"action {action}"


def _of_people(data, mode: int, keys: Sequence[int]) -> Iterator[_View]:
    """Yields people with the window of evaluations."""
    fixed = data.dataconf.get_fixed_config()
    for key in keys:
        one = data.person(key, mode, fixed)
        yield _View(
            *(one.joints[None, :, :2], [0], one.center, one.window),
            *(one.picture, one.head_size, data.visible_joints(key, mode)),
        )


def _of_videos(data, mode: int, keys: Sequence[int], wrong: list) -> Iterator[_View]:
    """Yields videos with the window of their middle clip; notes what is wrong."""
    step = data.dataconf.get_fixed_config()["subspl"]
    for key in keys:
        count = data.num_frames(key, mode)
        if not count:
            wrong.append(f"video {data.video_name(key, mode)} has no frames")
            continue
        try:
            joints = data.clip(key, mode, range(count)).joints[..., :2]
            frames = data.one_clip(key, mode, step)
            center, size = data.clip_window(key, mode, frames)
        except (AnnotationError, ValueError) as error:
            wrong.append(str(error))
            continue
        yield _View(joints, sorted(set(frames)), center, size)


def _gather(
    data: Any,
    kind: str,
    samples: int,
    views: list[_View],
    wrong: list[str],
    lengths: np.ndarray | None = None,
    actions: dict[str, int] | None = None,
) -> Survey:
    joints = data.poselayout.num_joints
    empty = np.zeros((0, joints), dtype=bool)
    known = [is_valid(one.joints).all(axis=-1) for one in views]
    sizes, shares = [], []
    outside, inside, hidden = np.zeros((3, joints))
    for one, valid in zip(views, known, strict=True):
        extents = _extents(one.joints, valid)
        sizes.append(extents[np.isfinite(extents)])
        share = extents[one.seen] / max(one.size)
        shares.append(share[np.isfinite(share)])
        away = np.abs(one.joints[one.seen] - np.array(one.center))
        within = (away < np.array(one.size) / 2).all(axis=-1)
        inside += (within & valid[one.seen]).sum(axis=0)
        if one.visible is not None:
            hidden += (within & valid[one.seen] & ~one.visible).sum(axis=0)
        outside += (~within & valid[one.seen]).sum(axis=0)
    heads = np.array([one.head_size for one in views])
    together = collections.Counter(one.picture for one in views if one.picture)
    told = any(one.visible is not None for one in views)
    with np.errstate(invalid="ignore"):
        share_outside = outside / (outside + inside)
        share_hidden = hidden / inside
    return Survey(
        kind=kind,
        samples=samples,
        looked_at=len(views),
        labelled=np.concatenate([empty, *known]),
        sizes=np.concatenate([np.zeros(0), *sizes]),
        windows=np.array([one.size for one in views], dtype=float).reshape(-1, 2),
        shares=np.concatenate([np.zeros(0), *shares]),
        outside=share_outside,
        hidden=share_hidden if told else None,
        head_sizes=heads[np.isfinite(heads)],
        together=np.array(list(together.values()), dtype=int),
        lengths=np.zeros(0, int) if lengths is None else lengths,
        actions=actions or {},
        wrong=tuple(wrong),
    )


def _extents(joints: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Longer side of the box around the labelled joints of each row, NaN below two."""
    points = np.where(valid[..., None], joints, np.nan)
    several = valid.sum(axis=-1) > 1
    extents = np.full(len(points), np.nan)
    if several.any():
        spans = np.nanmax(points[several], axis=1) - np.nanmin(points[several], axis=1)
        extents[several] = spans.max(axis=-1)
    return extents
