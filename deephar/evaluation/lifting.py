"""Scores of lifted poses, by action, and the page that shows them.

As the evaluation of Pavllo et al., "3D human pose estimation in video with temporal
convolutions and semi-supervised training", CVPR 2019: whole sequences, all cameras,
joints relative to the root, whose truth is zero; of each action the mean over its
frames, then the mean over the actions.
"""

import logging
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from deephar import measures
from deephar.data.lifting import Sequence as LiftingSequence
from deephar.data.lifting import base_action
from deephar.evaluation.tables import figure, markdown_table, origin_notes, receipt_list
from deephar.utils.camera import project_to_2d

logger = logging.getLogger(__name__)

FIGURES = {
    "mpjpe": "MPJPE (protocol 1)",
    "p_mpjpe": "P-MPJPE (protocol 2)",
    "n_mpjpe": "N-MPJPE (protocol 3)",
    "mpjve": "MPJVE (velocity)",
}
"""The errors, in mm, that of velocity in mm a frame, and what tables call them."""

PAPER = {
    "cpn_ft_h36m_dbb": "46.8 / 36.5 mm (243 frames), 49.0 / 38.1 (243, causal), "
    "47.7 / 37.2 (81), 48.8 / 38.0 (27), 51.8 / 40.0 (1)",
    "gt": "37.2 / 27.2 mm (243 frames)",
}
"""MPJPE / P-MPJPE of the paper on Human3.6M's S9 and S11, by the 2D key points."""

_MM = 1000.0
Predict = Callable[[np.ndarray], np.ndarray]
"""From key points (frames, key points, 2), normalised, to places (frames, joints, 3)
in m, such as `Lifter.lift`."""

Notice = Callable[[LiftingSequence, np.ndarray, np.ndarray], None]
"""Of a sequence, true poses and found ones (frames, joints, 3) about the root, m."""

_CURVES = {
    "3d": (
        "error (mm)",
        _MM,
        {
            "loss_pos": "training",
            "train_3d": "training subjects, without dropout",
            "valid_3d": "test subjects",
        },
    ),
    "traj": (
        "error of the root / depth",
        1.0,
        {
            "loss_traj": "training",
            "train_traj": "training subjects, without dropout",
            "valid_traj": "test subjects",
        },
    ),
    "2d": (
        "error of the projection (half widths)",
        1.0,
        {
            "loss_proj": "training",
            "train_proj": "training subjects, without dropout",
            "valid_proj": "test subjects",
            "unlabelled_proj": "unlabelled subjects",
        },
    ),
}
_MEASURES = (
    measures.mean_distance_error,
    measures.p_mpjpe,
    measures.n_mpjpe,
    measures.mpjve,
)


def root_relative(sequence: LiftingSequence) -> np.ndarray:
    """The true poses `(frames, joints, 3)` with zeros for the root, in m.

    Raises:
        ValueError: if the sequence has no true poses.
    """
    if sequence.positions is None:
        raise ValueError(
            f"{sequence.subject} {sequence.action}, camera {sequence.camera}: "
            "has no 3D positions to compare with"
        )
    truth = np.array(sequence.positions)
    truth[:, 0] = 0
    return truth


def sequence_errors(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """The errors of one sequence, each the mean over its frames.

    Args:
        truth: true poses (frames, joints, 3) relative to their root, m.
        found: what was predicted, of the same shape.

    Returns:
        The figures of FIGURES, mm; the velocity of a single frame is no error.
    """
    values = [measure(truth, found) * _MM for measure in _MEASURES]
    if len(truth) < 2:
        values[-1] = 0.0
    return dict(zip(FIGURES, values, strict=True))


def score_lifting(
    predict: Predict,
    sequences_by_action: Mapping[str, Sequence[LiftingSequence]],
    notice: Notice | None = None,
) -> dict:
    """Predicts sequences and scores them by action.

    Args:
        predict: of poses relative to the root.
        sequences_by_action: the sequences of every action.
        notice: called with every sequence, its true poses and those that were found.

    Returns:
        The figures of FIGURES in mm, means over the actions; "actions", the same of
        each action with its "frames"; and "frames" of all.

    Raises:
        ValueError: if there is nothing to score, or a sequence has no true poses.
    """
    actions = {}
    for action, sequences in sequences_by_action.items():
        errors, frames = [], []
        for sequence in sequences:
            truth = root_relative(sequence)
            found = predict(sequence.keypoints)
            if notice is not None:
                notice(sequence, truth, found)
            errors.append(list(sequence_errors(truth, found).values()))
            frames.append(len(truth))
        if not frames:
            raise ValueError(f"the action {action} has no sequence to score")
        means = np.average(np.array(errors), axis=0, weights=frames)
        values = dict(zip(FIGURES, map(float, means), strict=True))
        actions[action] = {**values, "frames": int(sum(frames))}
        logger.info("%s: %.1f mm", action, values["mpjpe"])
    if not actions:
        raise ValueError("there is no sequence to score")
    means = {k: float(np.mean([a[k] for a in actions.values()])) for k in FIGURES}
    frames = sum(action["frames"] for action in actions.values())
    return {**means, "frames": frames, "actions": actions}


def by_action(
    sequences: Sequence[LiftingSequence],
) -> dict[str, list[LiftingSequence]]:
    """The sequences by their action, takes of it together: Walking, Walking 1, ..."""
    found: dict[str, list[LiftingSequence]] = {}
    for sequence in sequences:
        found.setdefault(base_action(sequence.action), []).append(sequence)
    return found


def lifting_table(scores: dict) -> str:
    """Markdown table of the errors by action, mm.

    Args:
        scores: what `score_lifting` returns.
    """
    rows = [["action", "frames", *FIGURES.values()]]
    for name, values in scores["actions"].items():
        rows.append([name, str(values["frames"]), *_cells(values)])
    rows.append(["mean of actions", str(scores["frames"]), *_cells(scores)])
    return markdown_table(rows)


def lifting_parts(scores: dict, keypoints: str | None = None) -> list[str]:
    """The parts of evaluation.md.

    Args:
        scores: what `score_lifting` returns, with the receipt under "receipt"; or, by
            subject, the same of each under "subjects".
        keypoints: name of Human3.6M's 2D key points, to show the paper's figures.
    """
    parts = ["# Lifting of 2D poses to 3D", receipt_list(scores)]
    parts += origin_notes(scores)
    if "subjects" in scores:
        for subject, one in scores["subjects"].items():
            parts += [f"## {subject}", lifting_table(one)]
    else:
        parts.append(lifting_table(scores))
    parts.append(
        "Errors in mm, that of velocity in mm a frame, over all joints, relative to "
        "the root; of each action the mean over its frames."
    )
    if keypoints in PAPER:
        parts.append(
            f"The paper, MPJPE / P-MPJPE on Human3.6M, {keypoints}: {PAPER[keypoints]}."
        )
    return parts


def _cells(values: dict) -> list[str]:
    return [f"{values[key]:.1f}" for key in FIGURES]


def epoch_errors(
    sequences: Sequence[LiftingSequence],
    predict: Predict,
    predict_root: Predict | None = None,
    linear: bool = False,
) -> dict[str, float]:
    """What is measured after an epoch of training: means over all frames.

    Args:
        sequences: labelled or unlabelled.
        predict: poses relative to the root.
        predict_root: places of the root (frames, 1, 3), m; None where no network does.
        linear: whether to project without the lens's distortion.

    Returns:
        Of labelled sequences "3d", MPJPE in m, and with `predict_root` "traj", the
        distance of the root from its place, divided by the depth; with `predict_root`
        also "proj", the distance of projected poses from the key points, half widths
        of the picture, where all lenses are known.
    """
    sums: dict[str, float] = {}
    lenses = all(sequence.intrinsics is not None for sequence in sequences)
    for sequence in sequences:
        errors = {}
        poses = predict(sequence.keypoints)
        if sequence.positions is not None:
            truth = root_relative(sequence)
            errors["3d"] = measures.mean_distance_error(truth, poses)
        if predict_root is not None:
            roots = predict_root(sequence.keypoints)
            if lenses:
                errors["proj"] = _projection_error(sequence, poses + roots, linear)
            if sequence.positions is not None:
                errors["traj"] = _root_error(sequence.positions[:, 0], roots[:, 0])
        for name, error in errors.items():
            sums[name] = sums.get(name, 0.0) + error * len(poses)
    frames = sum(len(sequence.keypoints) for sequence in sequences)
    return {
        name: sums[name] / frames for name in ("3d", "traj", "proj") if name in sums
    }


def _projection_error(sequence: LiftingSequence, places, linear: bool) -> float:
    lenses = np.repeat(sequence.intrinsics[None], len(places), axis=0)
    seen = project_to_2d(places, lenses, linear=linear)
    return measures.mean_distance_error(sequence.keypoints, seen)


def _root_error(truth: np.ndarray, found: np.ndarray) -> float:
    distance = np.linalg.norm(truth.astype(np.float64) - found, axis=-1)
    return float(np.mean(distance / truth[:, 2]))


def plot_training(folder: pathlib.Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Draws the losses by epoch: loss_3d.png, loss_traj.png and loss_2d.png.

    Args:
        folder: where to.
        rows: as of `training_figures`.
    """
    for name, _, drawn in training_figures(rows):
        drawn.savefig(folder / f"loss_{name}.png", bbox_inches="tight")


def training_figures(
    rows: Sequence[Mapping[str, float]],
) -> Iterator[tuple[str, str, Figure]]:
    """Yields (name, what it shows, figure) of the losses by epoch: 3d, traj, 2d.

    Args:
        rows: as in losses.csv; a picture needs two epochs and its losses.
    """
    if len(rows) < 2:
        return
    for name, (unit, scale, lines) in _CURVES.items():
        axes, _ = figure("epoch", unit)
        shown = [key for key in lines if key in rows[-1]]
        for key in shown:
            values = [scale * row.get(key, math.nan) for row in rows]
            axes.plot([row["epoch"] for row in rows], values, label=lines[key])
        if shown:
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()
            yield name, f"{unit} over the epochs", axes.figure
