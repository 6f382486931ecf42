"""One pose out of many predictions of it.

Source: dluvizon/deephar's utils/cluster.py.
"""

import numpy as np


def clustering_grid(y_pred: np.ndarray, size: int = 10) -> np.ndarray:
    """Returns, joint by joint, the mean of the predictions that agree most.

    A grid is laid over the predictions of a joint; those in its fullest cell count (the
    first such cell, row by row).

    Args:
        y_pred: Array (predictions, samples, joints, 2).
        size: Rows and columns of the grid.

    Returns:
        float64 array (samples, joints, 2).
    """
    y_pred = np.asarray(y_pred, dtype=np.float64)
    if y_pred.ndim != 4 or y_pred.shape[-1] != 2:
        raise ValueError(
            f"`y_pred` must have the shape (predictions, samples, joints, 2). "
            f"Received: y_pred.shape={y_pred.shape}"
        )
    low = y_pred.min(axis=0)
    step = (y_pred.max(axis=0) - low) / size
    cell = np.floor((y_pred - low) / np.where(step > 0, step, 1.0))
    cell = np.clip(cell, 0, size - 1).astype(int)
    number = cell[..., 0] + size * cell[..., 1]
    same = number[:, None] == number[None, :]
    order = same.sum(axis=1) * size**2 - number
    fullest = np.take_along_axis(number, order.argmax(axis=0)[None], axis=0)
    chosen = (number == fullest)[..., None]
    return (y_pred * chosen).sum(axis=0) / chosen.sum(axis=0)
