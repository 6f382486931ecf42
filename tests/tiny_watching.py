"""Networks that answer at once, for the command `predict`."""

import numpy as np
from tiny_models import constant_model
from tiny_spnet import build

from deephar.inference import ClipPredictor, PosePredictor
from deephar.inference.actions import ActionPredictor
from deephar.utils.pose import pa16j2d

FIGURE = np.array(
    [
        *[(50, 55), (50, 30), (50, 25), (50, 15)],
        *[(40, 30), (60, 30), (33, 42), (67, 42), (30, 53), (70, 53)],
        *[(44, 55), (56, 55), (43, 72), (57, 72), (42, 88), (58, 88)],
    ]
)
"""Joints of somebody who stands in the middle of a picture, hundredths of its side."""

LABELS = ("sit", "stand", "walk")


def pose_predictor(confidence=0.9):
    """Sees the figure wherever it looks."""
    answer = np.concatenate([FIGURE / 100, np.full((16, 1), confidence)], axis=1)
    predictor = PosePredictor(constant_model(answer, (32, 32)), pa16j2d)
    predictor.about = {"weights": "tiny_pose", "network": "mpii"}
    return predictor


class TinyActions(ActionPredictor):
    """Sees the figure wherever it looks, and actions by a small SPNet."""

    def look(self, pictures, windows):
        """See `ActionPredictor.look`."""
        looked = super().look(pictures, windows)
        joints = np.full((1, len(windows), 16, 3), 0.9)
        for row, window in enumerate(windows):
            corner = np.array(window.box[:2])
            joints[0, row, :, :2] = corner + FIGURE / 100 * np.array(window.size)
        return looked._replace(joints=joints)


def action_predictor():
    """Recognises three actions in clips of four frames."""
    model, _ = build(joints=16)
    predictor = TinyActions(ClipPredictor(model, poses=True), pa16j2d, LABELS, step=1)
    predictor.about = {"weights": "tiny_action", "network": "penn_spnet"}
    return predictor
