"""Channel softmax: a probability distribution over space (or depth) for each channel.

Source: Luvizon, Picard, Tabia, "2D/3D Pose Estimation and Action Recognition using
Multitask Deep Learning", CVPR 2018, section 3.1 (spatial softmax).
"""

from keras import config, ops


def channel_softmax_2d(alpha=1):
    """Softmax over the rows and columns of each channel.

    Args:
        alpha: Sharpness; the maps are multiplied by it first.

    Returns:
        A function `(batch, [frames,] rows, cols, channels)` -> the same shape, whose
        maps each sum to 1. It raises a `ValueError` for any other number of axes.
    """

    def softmax(x):
        if len(x.shape) not in (4, 5):
            raise ValueError(
                "The 2-D channel softmax takes maps of 4 axes, or of 5 for clips. "
                f"Received: shape={tuple(x.shape)}"
            )
        if alpha != 1:
            x = alpha * x
        e = ops.exp(x - ops.max(x, axis=(-3, -2), keepdims=True))
        total = ops.sum(e, axis=(-3, -2), keepdims=True)
        return e / ops.maximum(total, config.epsilon())

    return softmax


def channel_softmax_1d():
    """Softmax over the depth of each channel.

    Returns:
        A function `(batch, depth, channels)` -> the same shape, each channel summing
        to 1. It raises a `ValueError` for any other number of axes.
    """

    def softmax(x):
        if len(x.shape) != 3:
            raise ValueError(
                "The 1-D channel softmax takes maps of 3 axes. "
                f"Received: shape={tuple(x.shape)}"
            )
        e = ops.exp(x - ops.max(x, axis=1, keepdims=True))
        return e / ops.sum(e, axis=1, keepdims=True)

    return softmax
