"""The elastic net of the CVPR'18 networks: a sum, not divided by valid joints."""

from keras import ops

from deephar.utils.pose import is_valid


def elasticnet_loss_on_valid_joints(y_true, y_pred):
    """L1 plus squared L2 distance, summed over valid coordinates.

    Args:
        y_true: Poses `(batch, [frames,] joints, dim)`, `INVALID` where not known.
        y_pred: Of the same shape.

    Returns:
        `(batch, [frames])` in float32. Invalid coordinates have a gradient of zero.
    """
    y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
    error = ops.where(is_valid(y_true), y_pred - y_true, 0.0)
    return ops.sum(ops.abs(error) + ops.square(error), axis=(-2, -1))
