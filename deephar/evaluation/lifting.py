"""Scores of lifted poses, by action, and the page that shows them.

As the evaluation of Pavllo et al., "3D human pose estimation in video with temporal
convolutions and semi-supervised training", CVPR 2019: whole sequences, all cameras,
joints relative to the root, whose truth is zero; of each action the mean over its
frames, then the mean over the actions.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from deephar import measures
from deephar.data.lifting import Sequence as LiftingSequence
from deephar.evaluation.tables import markdown_table, receipt_list

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
    predict: Callable[[np.ndarray], np.ndarray],
    sequences_by_action: Mapping[str, Sequence[LiftingSequence]],
) -> dict:
    """Predicts sequences and scores them by action.

    Args:
        predict: from key points (frames, key points, 2), normalised, to poses (frames,
            joints, 3), m: such as `Lifter.lift`.
        sequences_by_action: the sequences of every action.

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


def base_action(action: str) -> str:
    """The action without the number of its take: "Walking 1" -> "Walking"."""
    return action.split(" ")[0]


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


def lifting_page(scores: dict, keypoints: str | None = None) -> str:
    """The text of evaluation.md.

    Args:
        scores: what `score_lifting` returns, with the receipt under "receipt"; or, by
            subject, the same of each under "subjects".
        keypoints: name of Human3.6M's 2D key points, to show the paper's figures.
    """
    parts = ["# Lifting of 2D poses to 3D", receipt_list(scores)]
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
    return "\n\n".join(parts)


def _cells(values: dict) -> list[str]:
    return [f"{values[key]:.1f}" for key in FIGURES]
