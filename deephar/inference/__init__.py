"""Poses from pictures."""

from deephar.inference.predictor import Pose, PosePredictor

__all__ = ["Pose", "PosePredictor"]
