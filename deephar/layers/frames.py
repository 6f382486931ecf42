"""Clips through networks for single pictures: time is folded into the batch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="deephar")
class FoldFrames(keras.layers.Layer):
    """Merges the batch and time axes.

    Input shape: `(batch, frames, ...)`.
    Output shape: `(batch * frames, ...)`.
    """

    def call(self, x):
        return ops.reshape(x, (-1, *ops.shape(x)[2:]))

    def compute_output_shape(self, input_shape):
        return (None, *input_shape[2:])


@keras.saving.register_keras_serializable(package="deephar")
class UnfoldFrames(keras.layers.Layer):
    """Takes the time axis out of the batch again.

    Args:
        frames: Number of frames of a clip.

    Input shape: `(batch * frames, ...)`.
    Output shape: `(batch, frames, ...)`.
    """

    def __init__(self, frames, **kwargs):
        super().__init__(**kwargs)
        if frames is None or frames < 1:
            raise ValueError(
                f"`frames` must be a fixed number of at least 1. Received: {frames=}"
            )
        self.frames = frames

    def call(self, x):
        return ops.reshape(x, (-1, self.frames, *ops.shape(x)[1:]))

    def compute_output_shape(self, input_shape):
        return (None, self.frames, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "frames": self.frames}


def per_frame(layer, x):
    """Applies a layer (or model) for pictures to pictures or to clips.

    A clip goes through the layer once, its frames lying in the batch: the layer keeps
    its name and its weights, so files of either kind of network load.

    Args:
        layer: Takes `(batch, rows, cols, channels)`.
        x: `(batch, rows, cols, channels)` or `(batch, frames, rows, cols, channels)`.
    """
    if len(x.shape) != 5:
        return layer(x)
    folded = FoldFrames(name=f"{layer.name}_fold")(x)
    return UnfoldFrames(x.shape[1], name=f"{layer.name}_unfold")(layer(folded))
