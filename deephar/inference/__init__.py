"""Poses from pictures, actions from clips."""

from deephar.inference.clips import ClipPredictor
from deephar.inference.crops import MULTI_CROP, SINGLE_CROP, Window
from deephar.inference.folding import fold_batch_norm
from deephar.inference.predictor import Pose, PosePredictor

__all__ = [
    "MULTI_CROP",
    "SINGLE_CROP",
    "ClipPredictor",
    "Pose",
    "PosePredictor",
    "Window",
    "fold_batch_norm",
]
