"""Best and worst cases of an evaluation, as pictures and as poses in space."""

import copy
import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from deephar import measures
from deephar.evaluation.action import ActionPredictions
from deephar.pages import Page
from deephar.utils.camera import DEPTH_RANGE, WINDOW_RANGE
from deephar.utils.drawing import contact_sheet, draw_pose, limbs
from deephar.utils.outputs import deciding
from deephar.utils.pose import INVALID, is_valid
from deephar.utils.transform import transform_2d_points

logger = logging.getLogger(__name__)

CASES = 8
"""Best ones that are shown, and worst ones."""
TRUTH_TINT = "#8c96a0"
"""Of the truth where it stands in one space with what was predicted."""
_SIDE = 192
_STRIP, _STRIP_SIDE = 6, 128


def sample_view(dataset, side: int = _SIDE):
    """The data set with crops of another size, px."""
    view = copy.copy(dataset)
    view.dataconf = dataclasses.replace(dataset.dataconf, crop_resolution=(side, side))
    return view


def frame_pixels(frame: np.ndarray) -> np.ndarray:
    """A frame in [-1, 1] as uint8."""
    return np.clip(np.rint((frame + 1) * 127.5), 0, 255).astype(np.uint8)


def draw_in_crop(
    frame: np.ndarray, matrix: np.ndarray, pose: np.ndarray, poselayout
) -> Image.Image:
    """Draws a pose on the crop that a data set gives.

    Args:
        frame: `(h, w, 3)` in [-1, 1].
        matrix: (3, 3), from px of the whole picture to [0, 1] of the crop.
        pose: `(joints, 2)`, px of the whole picture.
        poselayout: its layout.
    """
    crop = Image.fromarray(frame_pixels(frame))
    points = transform_2d_points(matrix.astype(np.float64), pose, transpose=True)
    points = points * np.array(crop.size)
    points[~is_valid(pose).all(axis=-1)] = INVALID
    return draw_pose(crop, points, poselayout)


def extremes(errors: np.ndarray, count: int = CASES) -> tuple[np.ndarray, np.ndarray]:
    """The samples with the largest errors and with the smallest, none in both.

    Args:
        errors: `(samples,)`; what is not finite is neither.
        count: of each, at most.

    Returns:
        Numbers of the samples: worst first, and best first.
    """
    known = np.flatnonzero(np.isfinite(errors))
    order = known[np.argsort(errors[known], kind="stable")]
    count = min(count, (len(order) + 1) // 2)
    best = order[: min(count, len(order) - count)]
    return order[len(order) - count :][::-1], best


@dataclasses.dataclass(frozen=True)
class People:
    """People whose poses were predicted, to be drawn.

    Attributes:
        dataset: the data set that was evaluated.
        mode: the mode that was evaluated.
        poses: `(samples, joints, 2)` predicted, px of the pictures.
        truth: the same of the truth; INVALID where not known.
        readable: `(samples,)` whether the picture could be read.
        errors: `(samples,)`, by which best and worst are told; None for the mean
            distance of the joints as a share of the height and width of the truth.
        unit: how an error is told.
    """

    dataset: object
    mode: int
    poses: np.ndarray
    truth: np.ndarray
    readable: np.ndarray
    errors: np.ndarray | None = None
    unit: str = "{:.0%} of the person's size off"

    def sample_errors(self) -> np.ndarray:
        """The errors; NaN where no joint is known, or the picture cannot be read."""
        if self.errors is not None:
            errors = np.asarray(self.errors, dtype=np.float64)
        else:
            extent = person_extent(self.truth)
            errors = mean_distances(self.truth, self.poses) / extent
        return np.where(self.readable, errors, np.nan)


def mean_distances(truth: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Mean distance of the joints of each pose `(samples,)`; NaN where none counts."""
    distance, valid = measures.joint_distances(truth, poses)
    total = np.where(valid, distance, 0).sum(axis=-1)
    count = valid.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def person_extent(truth: np.ndarray) -> np.ndarray:
    """Diagonal of the box around each person's known joints, at least 1 px."""
    known = is_valid(truth)
    low = np.where(known, truth, np.inf).min(axis=1)
    high = np.where(known, truth, -np.inf).max(axis=1)
    extent = np.maximum(high - low, 0)
    return np.maximum(np.hypot(*np.where(np.isfinite(extent), extent, 0).T), 1)


def add_people(page: Page, people: People) -> None:
    """Puts the worst and the best people on a page: predicted left, truth right."""
    errors = people.sample_errors()
    page.heading("Best and worst cases")
    view = sample_view(people.dataset)
    for words, chosen in zip(("Worst", "Best"), extremes(errors), strict=True):
        if not len(chosen):
            continue
        page.heading(f"{words}: predicted left, truth right", 3)
        shown = [
            (_pair(view, people, int(key)), f"{key}: {people.unit.format(errors[key])}")
            for key in chosen
        ]
        page.pictures(shown, width=240)
    if not np.isfinite(errors).any():
        page.text("No picture with a known pose could be read.")


def _pair(view, people: People, key: int) -> np.ndarray:
    sample = view.get_data(key, people.mode)
    layout = people.dataset.poselayout
    drawn = [
        draw_in_crop(sample["frame"], sample["afmat"], pose[key], layout)
        for pose in (people.poses, people.truth)
    ]
    return np.concatenate([np.asarray(one) for one in drawn], axis=1)


def add_space(
    page: Page,
    truth: np.ndarray,
    found: np.ndarray,
    captions: Sequence[str],
    poselayout,
) -> None:
    """Puts poses in space on a page, what was predicted over the truth in grey.

    Args:
        page: the page.
        truth, found: `(poses, joints, 3)` mm about the root, along a camera's axes.
        captions: a line for each.
        poselayout: layout of the joints.
    """
    links, colors = _bones(poselayout)
    pairs = [np.stack(pair) for pair in zip(truth, found, strict=True)]
    poses = list(zip(pairs, captions, strict=True))
    page.poses_3d(poses, links, colors, (TRUTH_TINT, None), width=240)


def add_people_space(page: Page, people: People, dataset, predict: Callable) -> None:
    """Puts the same people as `add_people` on a page, as poses in space.

    Args:
        page: the page.
        people: the people in the pictures.
        dataset: the same people with the depth of their joints, where it is known.
        predict: from crops `(batch, h, w, 3)` to `(blocks, batch, joints, 4)`, all in
            [0, 1], in the layout of `dataset`.
    """
    page.heading("Poses in space")
    page.text(
        "The same people, each seen in one crop: what was predicted, in colours, over "
        "the truth in grey, of joints whose depth is labelled. x and y are those of "
        f"the crop, drawn as {WINDOW_RANGE:.0f} mm wide; depth is counted from the "
        f"{dataset.poselayout.joint_names[0]}."
    )
    errors = people.sample_errors()
    for chosen in filter(len, extremes(errors)):
        samples = [dataset.get_data(int(key), people.mode) for key in chosen]
        truth = [sample["pose"] for sample in samples]
        found = [predict(sample["frame"][None])[-1][0] for sample in samples]
        poses = [[_in_mm(pose) for pose in one] for one in (truth, found)]
        captions = [f"{key}: {people.unit.format(errors[key])}" for key in chosen]
        add_space(page, *poses, captions, dataset.poselayout)


def _in_mm(pose: np.ndarray) -> np.ndarray:
    """A pose in a crop `(joints, 3 or more)`, [0, 1], in mm; NaN where not known."""
    points = np.asarray(pose, dtype=np.float64)[:, :3]
    unit = np.array([WINDOW_RANGE, WINDOW_RANGE, DEPTH_RANGE])
    return np.where(is_valid(points), points * unit, np.nan)


def _bones(poselayout) -> tuple[list, list[str]]:
    """Limbs of a layout, and a CSS colour for every joint."""
    links, colors = limbs(poselayout)
    return links, ["#{:02x}{:02x}{:02x}".format(*color) for color in colors]


Describe = Callable[[np.ndarray], Sequence[np.ndarray]]
"""From frames `(n, h, w, 3)` in [-1, 1] to what a clip head takes of them."""


def add_clips(
    page: Page,
    dataset,
    mode: int,
    found: ActionPredictions,
    describe: Describe,
    poselayout: Any,
    level: int = 2,
) -> None:
    """Puts clips on a page: the surest mistakes, and the surest right answers.

    The network's poses are drawn on their frames; where they have a depth, one of each
    clip can be turned.

    Args:
        page: the page.
        dataset: the data set that was evaluated.
        mode: the mode that was evaluated.
        found: what was predicted.
        describe: what the network finds in frames, such as that of
            `inference.clips.ClipPredictor.describe_frames`, the poses first.
        poselayout: layout of these poses, which may have other joints than the data.
        level: of the heading.
    """
    scores = found.scores[found.names.index(deciding(found.names))]
    sure = _probabilities(scores, found.clips * (1 + found.flip))
    answers = np.nan_to_num(sure, nan=-1).argmax(axis=-1)
    usable = ~np.isnan(sure).any(axis=-1) & ~found.too_short
    right = answers == found.actions
    page.heading("Best and worst cases", level)
    page.text(
        f"At most {_STRIP} frames of the clip in the middle of each video, as the "
        "network sees them, with its poses. The share is its own certainty. Videos "
        "that are too short or cannot be read are not among them."
    )
    for words, of in (("Wrong", usable & ~right), ("Right", usable & right)):
        certain = np.where(of, sure.max(axis=-1), np.nan)
        known = np.flatnonzero(of)
        chosen = known[np.argsort(-certain[known], kind="stable")][:CASES]
        page.heading(f"{words}, the surest first: {of.sum()} videos", 3)
        if not len(chosen):
            continue
        captions = [_answer(found, int(key), answers, certain) for key in chosen]
        clips = [_Clip(dataset, mode, int(key), describe) for key in chosen]
        strips = [clip.strip(poselayout) for clip in clips]
        page.pictures(list(zip(strips, captions, strict=True)), width=420)
        if clips[0].poses.shape[-1] == 3:
            _add_clip_space(page, clips, captions, poselayout)


class _Clip:
    """Some frames of a clip, with the network's poses (frames, joints, 2 or 3)."""

    def __init__(self, dataset, mode: int, key: int, describe: Describe):
        try:
            frames = dataset.get_data(key, mode)["frame"]
        except OSError as error:
            # Many clips may have been looked at, and this one not be among them.
            logger.warning(
                "%s: shown in black: %s", dataset.video_name(key, mode), error
            )
            frames = dataset.get_blank_data(key, mode)["frame"]
        frames = frames.reshape(-1, *frames.shape[-3:])
        count = min(_STRIP, len(frames))
        self.frames = frames[np.linspace(0, len(frames) - 1, count, dtype=int)]
        self.poses = np.asarray(describe(self.frames)[0], dtype=np.float64)

    def strip(self, poselayout) -> np.ndarray:
        """The frames in a row, their poses drawn on them."""
        shown = []
        for frame, pose in zip(self.frames, self.poses, strict=True):
            picture = Image.fromarray(frame_pixels(frame))
            picture = picture.resize((_STRIP_SIDE, _STRIP_SIDE))
            shown.append(draw_pose(picture, pose[:, :2] * _STRIP_SIDE, poselayout))
        return np.asarray(contact_sheet(shown, columns=len(shown)))


def _add_clip_space(
    page: Page, clips: Sequence[_Clip], captions: Sequence[str], poselayout
) -> None:
    """Poses of the clips' middle frames, in mm as the networks learn them."""
    page.text(
        "The poses of their middle frames, in the proportions of a window that is "
        f"{WINDOW_RANGE:.0f} mm wide."
    )
    poses = [_in_mm(clip.poses[len(clip.poses) // 2]) for clip in clips]
    links, colors = _bones(poselayout)
    shown = list(zip(poses, captions, strict=True))
    page.poses_3d(shown, links, colors, width=240)


def _probabilities(scores: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """`(videos, classes)`: the geometric mean over the looks, to a sum of 1.

    NaN for videos whose scores are not all finite.
    """
    known = np.isfinite(scores).all(axis=-1)
    logs = scores[known] / np.maximum(looks[known], 1)[:, None]
    values = np.exp(logs - logs.max(axis=-1, keepdims=True))
    sure = np.full(scores.shape, np.nan)
    sure[known] = values / values.sum(axis=-1, keepdims=True)
    return sure


def _answer(found: ActionPredictions, key: int, answers, certain) -> str:
    name, answer = found.videos[key], found.labels[answers[key]]
    truth = found.labels[found.actions[key]]
    said = f"{answer} ({certain[key]:.0%})"
    return (
        f"{name}: {said}" if answer == truth else f"{name}: {truth}, taken for {said}"
    )
