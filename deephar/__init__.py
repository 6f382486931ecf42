"""deephar: multi-task human pose estimation and action recognition on Keras 3."""

__version__ = "0.1.0"
