"""Pose regression losses of the multi-task networks (TPAMI form).

Every loss takes poses `(batch, [frames,] joints, dim)` in any unit, ignores the
coordinates that are `INVALID` in `y_true`, and is divided by the number of valid
coordinates (at least 1). It computes in float32 and returns one value for each pose:
`(batch, [frames])`. Invalid coordinates have a gradient of zero.

Source: Luvizon, Picard, Tabia, "Multi-task Deep Learning for Real-Time 3D Human Pose
Estimation and Action Recognition", TPAMI 2020. The original counts coordinates of
zero and less as invalid; here only `INVALID` is.
"""

from keras import ops

from deephar import objectives
from deephar.utils.pose import is_valid

_EPSILON = 1e-7
_BINCROSS_WEIGHT = 0.01


def elasticnet_loss_on_valid_joints(y_true, y_pred):
    """L1 plus squared L2 distance, averaged over valid coordinates."""
    return _mean_on_valid(y_true, y_pred, _elasticnet)


def elasticnet_bincross_loss_on_valid_joints(y_true, y_pred):
    """Elastic net plus 0.01 binary cross-entropy of coordinates in [0, 1]."""
    return _mean_on_valid(
        y_true,
        y_pred,
        lambda t, p: _elasticnet(t, p) + _BINCROSS_WEIGHT * _cross_entropy(t, p),
    )


def l1_loss_on_valid_joints(y_true, y_pred):
    """L1 distance, averaged over valid coordinates."""
    return _mean_on_valid(y_true, y_pred, lambda t, p: ops.abs(p - t))


def l2_loss_on_valid_joints(y_true, y_pred):
    """Squared L2 distance, averaged over valid coordinates."""
    return _mean_on_valid(y_true, y_pred, lambda t, p: ops.square(p - t))


def binary_crossentropy(y_true, y_pred):
    """Binary cross-entropy, averaged over the last axis.

    Predictions are clipped to [1e-7, 1 - 1e-7] as in Keras 2.1.4.

    Args:
        y_true: `(..., n)` in [0, 1].
        y_pred: `(..., n)`.

    Returns:
        `(...)` in float32.
    """
    return ops.mean(_cross_entropy(_float32(y_true), _float32(y_pred)), axis=-1)


_POSE_LOSSES = {
    "l1l2": elasticnet_loss_on_valid_joints,
    "l1": l1_loss_on_valid_joints,
    "l2": l2_loss_on_valid_joints,
    "l1l2bincross": elasticnet_bincross_loss_on_valid_joints,
    "elasticnet": objectives.elasticnet_loss_on_valid_joints,
}


def pose_regression_loss(pose_loss, visibility_weight):
    """Makes the loss of poses whose last coordinate is a visibility.

    Args:
        pose_loss: "l1l2", "l1", "l2" or "l1l2bincross"; or "elasticnet", the sum over
            valid coordinates of the CVPR'18 networks (`objectives`): with it and a
            weight of 0.01 the loss is that of `models.reception.compile`.
        visibility_weight: Weight of the visibility's binary cross-entropy, which is
            averaged over joints.

    Returns:
        A function of `y_true`, `y_pred`, `(batch, [frames,] joints, dim + 1)` both, ->
        `(batch,)`; a clip's value is the mean over its frames.

    Raises:
        ValueError: for another `pose_loss`.
    """
    if pose_loss not in _POSE_LOSSES:
        raise ValueError(
            f"`pose_loss` must be one of {', '.join(_POSE_LOSSES)}. "
            f"Received: {pose_loss=}"
        )
    coordinates_loss = _POSE_LOSSES[pose_loss]

    def loss(y_true, y_pred):
        pose = coordinates_loss(y_true[..., :-1], y_pred[..., :-1])
        visibility = _visibility_loss(y_true[..., -1], y_pred[..., -1])
        total = pose + visibility_weight * visibility
        return ops.mean(total, axis=-1) if len(total.shape) == 2 else total

    return loss


def _visibility_loss(y_true, y_pred):
    y_true, y_pred, valid = _on_valid(y_true, y_pred)
    return ops.mean(ops.where(valid, _cross_entropy(y_true, y_pred), 0.0), axis=-1)


def _mean_on_valid(y_true, y_pred, term):
    y_true, y_pred, valid = _on_valid(y_true, y_pred)
    values = ops.where(valid, term(y_true, y_pred), 0.0)
    count = ops.sum(ops.cast(valid, "float32"), axis=(-2, -1))
    return ops.sum(values, axis=(-2, -1)) / ops.maximum(count, 1.0)


def _on_valid(y_true, y_pred):
    """Zeroes both sides where the truth is invalid: no huge number, no gradient."""
    y_true, y_pred = _float32(y_true), _float32(y_pred)
    valid = is_valid(y_true)
    return ops.where(valid, y_true, 0.0), ops.where(valid, y_pred, 0.0), valid


def _elasticnet(y_true, y_pred):
    error = y_pred - y_true
    return ops.abs(error) + ops.square(error)


def _cross_entropy(y_true, y_pred):
    """Element by element, from the logit as Keras 2.1.4 does."""
    p = ops.clip(y_pred, _EPSILON, 1.0 - _EPSILON)
    logit = ops.log(p / (1.0 - p))
    positive = logit >= 0
    softplus = ops.log1p(ops.exp(ops.where(positive, -logit, logit)))
    return ops.where(positive, logit, 0.0) - logit * y_true + softplus


def _float32(x):
    return ops.cast(x, "float32")
