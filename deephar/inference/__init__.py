"""Poses from pictures, actions from clips, 3D poses from tracks of 2D ones."""

from deephar.inference.actions import ActionPredictor
from deephar.inference.clips import ClipPredictor
from deephar.inference.crops import MULTI_CROP, SINGLE_CROP, Window
from deephar.inference.folding import fold_batch_norm
from deephar.inference.lifting import Lifter, StreamingLifter
from deephar.inference.lifting_stream import LiftingStream
from deephar.inference.looker import Looked, Looker, people_of
from deephar.inference.people import (
    DETECTORS,
    Detection,
    GivenBoxes,
    HogDetector,
    PeopleDetector,
    WholePicture,
    look_for_people,
)
from deephar.inference.predictor import PosePredictor
from deephar.inference.results import Action, FramePrediction, Person, Pose, Pose3D
from deephar.inference.schema import validate
from deephar.inference.stream import ActionStream
from deephar.inference.tracking import Tracker
from deephar.inference.video import VideoPredictor
from deephar.inference.writing import PredictionWriter, prediction_header

__all__ = [
    "DETECTORS",
    "MULTI_CROP",
    "SINGLE_CROP",
    "Action",
    "ActionPredictor",
    "ActionStream",
    "ClipPredictor",
    "Detection",
    "FramePrediction",
    "GivenBoxes",
    "HogDetector",
    "Lifter",
    "LiftingStream",
    "Looked",
    "Looker",
    "PeopleDetector",
    "Person",
    "Pose",
    "Pose3D",
    "PosePredictor",
    "PredictionWriter",
    "StreamingLifter",
    "Tracker",
    "VideoPredictor",
    "WholePicture",
    "Window",
    "fold_batch_norm",
    "look_for_people",
    "people_of",
    "prediction_header",
    "validate",
]
