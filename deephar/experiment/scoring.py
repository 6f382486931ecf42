"""How trainings are scored after their epochs: poses of people, in space, and actions.

A scorer is a function that takes a model, which it does not look at, and returns a
dictionary of figures, as `deephar.callbacks.EvaluationCallback` wants it.
"""

import logging
from collections.abc import Callable, Mapping

import numpy as np

from deephar.evaluation.action import predict_actions, score_actions
from deephar.evaluation.frames import predict_frames, score_frames
from deephar.evaluation.pose import predict_poses, score_pckh
from deephar.evaluation.pose3d import predict_poses_3d, score_mpjpe
from deephar.evaluation.root_depth import bone_lengths
from deephar.experiment.training import TrainingRun
from deephar.inference.clips import ClipPredictor
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name

logger = logging.getLogger(__name__)

Scorer = Callable[..., dict]
Predict = Callable[[np.ndarray], np.ndarray]

_KEPT = (
    *("accuracy", "accuracy_shortened", "accuracy_original", "outputs"),
    *("per_action", "videos", "unreadable", "too_short"),
)
"""Figures of `score_actions` that are kept of every epoch."""


def mpii_scorer(run: TrainingRun, predict: Predict, mpii) -> Scorer | None:
    """Scores MPII's validation people: "pckh" and what goes with it.

    Args:
        run: the training run.
        predict: from crops to poses, such as `PosePredictor.predict_crops`.
        mpii: the data set, of 16 joints in the picture; see `in_layout`.

    Returns:
        The scorer; None, with a warning, where there is nobody to score.
    """

    def score(_):
        found = predict_poses(predict, mpii, VALID_MODE, *_step(run), **run.sharing)
        return score_pckh(found, mpii.poselayout)

    return _if_any(score, mpii, VALID_MODE)


def boxed_scorer(
    run: TrainingRun, predict: Predict, people, score: Callable[..., dict]
) -> Scorer | None:
    """Scores people with boxes, all that the data set has.

    Args:
        run, predict: as of `mpii_scorer`.
        people: the data set, a `BoxedPeople` of the network's joints.
        score: from predictions and data set to figures.
    """

    def scored(_):
        found = predict_poses(predict, people, VALID_MODE, *_step(run), **run.sharing)
        return score(found, people)

    return _if_any(scored, people, VALID_MODE)


def human36m_scorer(run: TrainingRun, predict: Predict, h36m) -> Scorer | None:
    """Scores the validation frames of Human3.6M: "mpjpe" and what goes with it.

    Args and the result are as of `mpii_scorer`.
    """
    bones = bone_lengths(h36m.poses(TRAIN_MODE), h36m.poselayout.links)

    def score(_):
        found = predict_poses_3d(predict, h36m, VALID_MODE, *_step(run), **run.sharing)
        return score_mpjpe(found, h36m.poselayout, bones)

    return _if_any(score, h36m, VALID_MODE)


def frame_scorer(
    run: TrainingRun, predict: Predict, frames, count: int
) -> Scorer | None:
    """Scores `count` test frames in their crops: "pck_torso" and what goes with it.

    The other arguments and the result are as of `mpii_scorer`.
    """

    def score(_):
        options = (TEST_MODE, count, *_step(run))
        found = predict_frames(predict, frames, *options, **run.sharing)
        return score_frames(found, frames.poselayout)

    return _if_any(score, frames, TEST_MODE)


def action_scorer(run: TrainingRun, predictor: ClipPredictor, clips) -> Scorer | None:
    """Scores one clip a test video: "accuracy" and what goes with it.

    Args:
        run: the training run.
        predictor: of the network.
        clips: the data set.

    Returns:
        The scorer; None, with a warning, where there are no test videos.
    """

    def score(_):
        size, workers = _step(run)
        options = {"batch_size": size, "workers": workers, **run.sharing}
        scores = score_actions(predict_actions(predictor, clips, TEST_MODE, **options))
        return {name: scores[name] for name in _KEPT}

    return _if_any(score, clips, TEST_MODE)


def join_scorers(
    scorers: Mapping[str, Scorer | None],
) -> tuple[Scorer | None, str, str]:
    """One scorer of several, and how it tells the best epoch.

    Args:
        scorers: by the figure that counts; those that are None are left out.

    Returns:
        (scorer, figure, mode): the scorer gives `{figure: value, ..., "scores":
        {figure: all that its scorer says}}` in the order given, and is None if none is
        left. The first figure tells the best epoch, by mode "max" or "min".
    """
    scorers = {name: one for name, one in scorers.items() if one is not None}

    def score(model):
        found = {name: one(model) for name, one in scorers.items()}
        return {**{name: one[name] for name, one in found.items()}, "scores": found}

    first = next(iter(scorers), "")
    return score if scorers else None, first, "min" if first == "mpjpe" else "max"


def _step(run: TrainingRun) -> tuple[int, int]:
    return run.args.eval_batch_size, run.args.workers


def _if_any(score: Scorer, dataset, mode: int) -> Scorer | None:
    if dataset.get_length(mode) > 0:
        return score
    part = mode_name(mode)
    logger.warning("%s: nothing to score in the part %s", dataset.dataset_path, part)
    return None
