"""Poses from pictures, actions from clips, 3D poses from tracks of 2D ones."""

from deephar.inference.clips import ClipPredictor
from deephar.inference.crops import MULTI_CROP, SINGLE_CROP, Window
from deephar.inference.folding import fold_batch_norm
from deephar.inference.lifting import Lifter, StreamingLifter
from deephar.inference.predictor import Pose, PosePredictor

__all__ = [
    "MULTI_CROP",
    "SINGLE_CROP",
    "ClipPredictor",
    "Lifter",
    "Pose",
    "PosePredictor",
    "StreamingLifter",
    "Window",
    "fold_batch_norm",
]
