"""Errors of single-person 3D pose estimation: one pass over the data, then numbers.

`predict_poses_3d` streams Human3.6M through a model, `score_mpjpe` says how many mm the
joints are off. All errors are of poses in the world with their root at the origin, over
all joints of the layout, the root (whose error is 0) among them, as in the original.

A network gives x and y in the picture and z relative to the root, so that a depth of
the root is needed to bring its poses to the world. Three readings of one prediction:

strict      no depth of the frame is used: the root lies where the bones are as long as
            those of the training subjects (`evaluation.root_depth`); the lens is undone
            exactly; of the last block. The window of the person, and so his scale, is
            placed by the true root, as in every reading. A pose that is missing because
            its picture cannot be read counts as one whose joints all lie at the root,
            but as no better than the mean of those that could be read, of all and of
            its action: leaving a picture out never makes a figure smaller.
root depth  the same with the true depth of the root.
original    as `eval_human36m_sc_error` of dluvizon/deephar's exp/common/h36m_tools.py:
            true depth of the root, the approximate inverse of the lens, of the block
            that is best on these very samples; pictures that cannot be read are left
            out (the original ends there).
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from deephar import measures
from deephar.data.human36m_format import ACTION_LABELS
from deephar.evaluation.root_depth import find_root_depth
from deephar.evaluation.stream import (
    Arrays,
    Gather,
    Readings,
    Steps,
    crop_steps,
    picture_steps,
    predict_in_pictures,
    run_steps,
    samples_first,
)
from deephar.utils.camera import DEPTH_RANGE, camera_deserialize
from deephar.utils.modes import VALID_MODE
from deephar.utils.pose import is_valid

_KEYS = ("afmat", "pose_w", "pose_uvd", "camera", "action")

FIGURES = {
    "mpjpe": "MPJPE",
    "p_mpjpe": "P-MPJPE",
    "n_mpjpe": "N-MPJPE",
    "mpjpe_root_depth": "MPJPE, true root depth",
    "p_mpjpe_root_depth": "P-MPJPE, true root depth",
    "mpjpe_original": "MPJPE, as the original",
}
"""The errors that are computed for every block, mm, and what tables call them."""


@dataclasses.dataclass(frozen=True)
class PosePredictions3D(Readings):
    """Predicted and true joints of a data set.

    Attributes:
        poses: `(blocks, samples, joints, 3)`: x, y in px of the picture, z in mm behind
            the depth at which the network puts the root; NaN where the picture could
            not be read.
        truth: `(samples, joints, 3)`, in the world, mm; NaN where not known.
        root_depth: `(samples,)`, true depth of the root before the camera, mm.
        camera: `(samples, 21)`, as `Camera.serialize` gives it.
        action: `(samples,)` int, the index in `human36m_format.ACTION_LABELS`.
        readable: `(samples,)` bool, whether the picture could be read.
        errors: message by path of every picture that could not be read.
    """

    poses: np.ndarray
    truth: np.ndarray
    root_depth: np.ndarray
    camera: np.ndarray
    action: np.ndarray
    readable: np.ndarray
    errors: dict[str, str] = dataclasses.field(default_factory=dict)


def predict_poses_3d(
    predict: Callable[[np.ndarray], np.ndarray],
    dataset,
    mode: int = VALID_MODE,
    batch_size: int = 8,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    *,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> PosePredictions3D:
    """Streams every frame of Human3.6M through a 3D pose model, a crop each.

    Args:
        predict: from crops `(batch, h, w, 3)` to `(blocks, batch, joints, 4)`: x, y, z
            in [0, 1] of the crop and confidence, such as
            `inference.PosePredictor.predict_crops`.
        dataset: a `Human36M` whose samples are frames.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        batch_size: crops a step.
        workers, progress, share, gather: as of `stream.run_steps`.

    Raises:
        ValueError: if the data set has no samples in this mode, or as `run_steps`.
    """

    def record(frames, values):
        found = predict_in_pictures(predict, frames, values["afmat"])[..., :3]
        found[..., 2] = DEPTH_RANGE * (found[..., 2] - 0.5)
        return _record(found, values)

    steps = crop_steps(dataset, _KEYS, mode, batch_size, record)
    return _predictions(steps, workers, progress, share=share, gather=gather)


def locate_poses_3d(
    locate: Callable,
    dataset,
    mode: int = VALID_MODE,
    batch_size: int = 8,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    *,
    share: Sequence[int] = (0, 1),
    gather: Gather | None = None,
) -> PosePredictions3D:
    """As `predict_poses_3d`, but hands over whole pictures and the people's windows.

    Args:
        locate: from decoded RGB pictures and windows (center, size) px, both a list of
            one for each person, to an object with `joints` `(blocks, people, joints,
            4)`, x and y in px, z in mm, such as `inference.PosePredictor.locate`.
        dataset: with `get_picture`.
        mode, batch_size, workers, progress, share, gather: as of `predict_poses_3d`.

    Raises:
        ValueError: as `predict_poses_3d`.
    """

    def record(people, values):
        return _record(locate(*people).joints[..., :3], values)

    steps = picture_steps(dataset, _KEYS, mode, batch_size, record)
    return _predictions(steps, workers, progress, share=share, gather=gather)


def _predictions(steps: Steps, *options, **sharing) -> PosePredictions3D:
    arrays, errors = run_steps(steps, *options, **sharing)
    arrays["poses"] = np.moveaxis(arrays["poses"], 1, 0)
    return PosePredictions3D(**arrays, errors=errors)


def _record(found: np.ndarray, values: Arrays) -> Arrays:
    """What is kept of a step: samples first, the poses in single precision."""
    readable = values["readable"][:, 0] > 0.5
    truth = values["pose_w"].astype(np.float64)
    return {
        "poses": samples_first(found, readable).astype(np.float32),
        "truth": np.where(is_valid(truth), truth, np.nan),
        "root_depth": values["pose_uvd"][:, 0, 2].astype(np.float64),
        "camera": values["camera"].astype(np.float64),
        "action": values["action"][:, 0].astype(int),
        "readable": readable,
    }


def score_mpjpe(predictions: PosePredictions3D, poselayout, bones: np.ndarray) -> dict:
    """Errors in mm of every block, and of every action of the last one.

    The figures are those of `FIGURES`; what is strict, what uses the true depth of the
    root and what the original counts stands at the head of this file.

    Args:
        predictions: what `predict_poses_3d` returns.
        poselayout: layout of the joints, whose `links` are the bones.
        bones: `(bones,)`, mm: lengths of the bones of the training subjects
            (`root_depth.bone_lengths`).

    Returns:
        `{"mpjpe", "p_mpjpe", ..., "best_block", "root_depth_error", "samples",
        "unreadable", "blocks", "actions_mean", "per_action"}`: every figure as the mean
        over the samples; "blocks" {figure: [by block]}; "per_action" {action: {figure,
        "samples"}}; "actions_mean" {figure: mean over the actions}. Figures are those
        of the last block, but "mpjpe_original" that of "best_block", counted from 1.
        "root_depth_error": median distance between found and true depth of the root.
    """
    errors, counts, depth_errors = _errors(predictions, poselayout.links, bones)
    _raise_missing(errors, counts, predictions)
    as_given = np.where(predictions.readable, counts, 0)
    weights = {name: counts for name in FIGURES} | {"mpjpe_original": as_given}
    blocks = {
        name: [measures.weighted_mean(block, weights[name]) for block in errors[name]]
        for name in FIGURES
    }
    best = int(np.argmin(np.nan_to_num(blocks["mpjpe_original"], nan=np.inf)))
    chosen = {name: len(errors[name]) - 1 for name in FIGURES}
    chosen["mpjpe_original"] = best
    by_action = {
        name: measures.group_means(
            errors[name][block], weights[name], predictions.action
        )
        for name, block in chosen.items()
    }
    return {
        **{name: blocks[name][block] for name, block in chosen.items()},
        "best_block": 1 + best,
        "root_depth_error": _of_known(np.median, depth_errors),
        "samples": len(predictions.action),
        "unreadable": predictions.num_unreadable,
        "blocks": blocks,
        "actions_mean": {
            name: _of_known(np.mean, list(means.values()))
            for name, means in by_action.items()
        },
        "per_action": _by_action_name(by_action, predictions.action),
    }


def strict_poses(
    predictions: PosePredictions3D, poselayout, bones: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The last block's poses beside the truth, along the axes of their cameras.

    Args:
        predictions, poselayout, bones: as of `score_mpjpe`.

    Returns:
        (truth, found), `(samples, joints, 3)` each, mm about the root: x to the right,
        y down, z away. The depth of the root is found as in the strict figures; a
        missing pose lies at the root, and a joint that is not known is NaN.
    """
    relative = predictions.truth - predictions.truth[:, :1]
    truth, located = np.empty_like(relative), np.empty_like(relative)
    for camera, rows in _by_camera(predictions.camera):
        missing = ~predictions.readable[rows]
        poses = predictions.poses[-1, rows].astype(np.float64)
        found = np.where(missing[:, None, None], 0, poses)
        rays = _rays(camera, found, exact=True)
        depth = find_root_depth(rays, found[..., 2], poselayout.links, bones)
        turn = camera.R.T
        truth[rows] = relative[rows] @ turn
        located[rows] = _relative(rays, found, depth, missing) @ turn
    return truth, located


def _by_action_name(by_action: dict, actions: np.ndarray) -> dict[str, dict]:
    """{action: {figure, "samples"}} from {figure: {number of the action: mean}}."""
    numbers, amounts = np.unique(actions, return_counts=True)
    return {
        ACTION_LABELS[number]: {
            "samples": int(amount),
            **{name: by_action[name][int(number)] for name in FIGURES},
        }
        for number, amount in zip(numbers, amounts, strict=True)
    }


def _raise_missing(
    errors: dict[str, np.ndarray], counts: np.ndarray, predictions: PosePredictions3D
) -> None:
    """Makes no missing pose better than the mean of the others, in place.

    The mean is that of a block and figure over the poses that could be read: over all,
    over those of the action, or over the actions, whichever is largest.
    """
    missing, actions = ~predictions.readable, predictions.action
    weights = np.where(missing, 0, counts)
    if not missing.any():
        return
    for blocks in errors.values():
        for block in blocks:
            means = measures.group_means(block, weights, actions)
            least = np.fmax(
                measures.weighted_mean(block, weights),
                _of_known(np.mean, list(means.values())),
            )
            own = [means[int(action)] for action in actions[missing]]
            block[missing] = np.fmax(np.fmax(block[missing], own), least)


def _of_known(statistic: Callable, values: Sequence[float]) -> float:
    known = np.asarray(values)[~np.isnan(values)]
    return float(statistic(known)) if known.size else float("nan")


def _errors(
    predictions: PosePredictions3D, links: Sequence[Sequence[int]], bones: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Errors `(blocks, samples)` by figure, joints that count, errors of root depth."""
    shape = predictions.poses.shape[:2]
    errors = {name: np.empty(shape) for name in FIGURES}
    depth_errors = np.full(shape[1], np.nan)
    relative = predictions.truth - predictions.truth[:, :1]
    counts = is_valid(relative).all(axis=-1).sum(axis=-1)
    for camera, rows in _by_camera(predictions.camera):
        truth, root_depth = relative[rows], predictions.root_depth[rows]
        missing = ~predictions.readable[rows]
        for block, poses in enumerate(predictions.poses):
            found = np.where(missing[:, None, None], 0, poses[rows].astype(np.float64))
            exact = _rays(camera, found, exact=True)
            rough = _rays(camera, found, exact=False)
            own_depth = find_root_depth(exact, found[..., 2], links, bones)
            readings = {
                "mpjpe": _relative(exact, found, own_depth, missing),
                "mpjpe_root_depth": _relative(exact, found, root_depth, missing),
                "mpjpe_original": _relative(rough, found, root_depth, missing),
            }
            for name, values in _of_readings(truth, readings):
                errors[name][block, rows] = values
        depth_errors[rows] = np.where(missing, np.nan, np.abs(own_depth - root_depth))
    return errors, counts, depth_errors


def _by_camera(cameras: np.ndarray) -> Iterator[tuple]:
    """Every camera and the numbers of its samples."""
    kinds, place = np.unique(cameras, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds):
        yield camera_deserialize(kind), np.flatnonzero(place.ravel() == number)


def _rays(camera, found: np.ndarray, exact: bool) -> np.ndarray:
    """From the camera through the joints `(samples, joints, 3)`, in the world's axes.

    A ray ends at a depth of 1. Where the lens sends no point to the joint it is NaN.
    """
    points = np.ones_like(found)
    points[..., :2] = found[..., :2]
    ends = camera.inverse_project(points.reshape(-1, 3), exact)
    return (ends - camera.t.T).reshape(found.shape)


def _relative(
    rays: np.ndarray, found: np.ndarray, root_depth: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    """Poses in mm about their root; what is missing lies at the root.

    A joint is missing too where the lens sends no point to its place in the picture.
    """
    poses = rays * (found[..., 2] + root_depth[:, None])[..., None]
    poses = poses - poses[:, :1]
    lost = np.isfinite(found).all(axis=-1) & ~np.isfinite(rays).all(axis=-1)
    lost = lost | lost[:, :1] | missing[:, None]
    return np.where(lost[..., None], 0, poses)


def _of_readings(
    truth: np.ndarray, readings: dict[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields every figure's name and its mean error of each sample."""
    for name, poses in readings.items():
        yield name, _pose_errors(truth, poses)
    strict, deep = readings["mpjpe"], readings["mpjpe_root_depth"]
    yield "p_mpjpe", _pose_errors(truth, measures.procrustes(truth, strict))
    yield "p_mpjpe_root_depth", _pose_errors(truth, measures.procrustes(truth, deep))
    yield "n_mpjpe", _pose_errors(truth, measures.rescale(truth, strict))


def _pose_errors(truth: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Mean distance of each pose's joints `(samples,)`; 0 where none counts."""
    distance, valid = measures.joint_distances(truth, poses)
    total = np.where(valid, distance, 0).sum(axis=-1)
    return total / np.maximum(valid.sum(axis=-1), 1)
