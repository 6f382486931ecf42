"""Losses of poses: of the multi-task networks (TPAMI form), and of temporal lifting.

Every loss of the networks takes poses `(batch, [frames,] joints, dim)` in any unit,
ignores the coordinates that are `INVALID` in `y_true`, and is divided by the number of
valid coordinates (at least 1). It computes in float32 and returns one value for each
pose: `(batch, [frames])`. Invalid coordinates have a gradient of zero.

Source: Luvizon, Picard, Tabia, "Multi-task Deep Learning for Real-Time 3D Human Pose
Estimation and Action Recognition", TPAMI 2020. The original counts coordinates of
zero and less as invalid; here only `INVALID` is.

The losses of lifting (`mpjpe`, `weighted_mpjpe`, `n_mpjpe`, `bone_length_penalty`) take
poses `(batch, frames, joints, dim)` that are valid throughout, compute in float32 and
return one number in the unit of the poses. Source: Pavllo et al., "3D human pose
estimation in video with temporal convolutions and semi-supervised training", CVPR 2019.
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


def mpjpe(y_true, y_pred):
    """Mean distance between true and predicted joints.

    Args:
        y_true: `(batch, frames, joints, dim)`.
        y_pred: Of the same shape and unit.
    """
    return ops.mean(_length(_float32(y_pred) - _float32(y_true)))


def weighted_mpjpe(y_true, y_pred, weights):
    """Mean of the joints' distances times their weights.

    Args:
        y_true: `(batch, frames, joints, dim)`.
        y_pred: Of the same shape and unit.
        weights: `(batch, frames, joints)`; for trajectories 1 / depth.
    """
    distance = _length(_float32(y_pred) - _float32(y_true))
    return ops.mean(_float32(weights) * distance)


def n_mpjpe(y_true, y_pred):
    """`mpjpe` after each predicted pose is scaled about the origin to fit the truth.

    Args:
        y_true: `(batch, frames, joints, dim)`, the roots at the origin.
        y_pred: Of the same shape.
    """
    y_true, y_pred = _float32(y_true), _float32(y_pred)
    gain = ops.sum(y_true * y_pred, axis=(-2, -1), keepdims=True)
    spread = ops.sum(ops.square(y_pred), axis=(-2, -1), keepdims=True)
    return mpjpe(y_true, gain / spread * y_pred)


def bone_length_penalty(labelled, unlabelled, parents):
    """How far the mean bone lengths of two sets of predicted poses lie apart.

    Args:
        labelled: `(batch, frames, joints, 3)`, predicted for labelled frames.
        unlabelled: `(other batch, frames, joints, 3)`, for unlabelled ones.
        parents: The parent of each joint; -1 for the root, joint 0.

    Returns:
        The mean over bones of the absolute difference.
    """
    means = [_mean_bone_lengths(_float32(y), parents) for y in (labelled, unlabelled)]
    return ops.mean(ops.abs(means[0] - means[1]))


def _mean_bone_lengths(y, parents):
    """`(joints - 1,)`."""
    bones = y[:, :, 1:] - ops.take(y, list(parents[1:]), axis=2)
    return ops.mean(_length(bones), axis=(0, 1))


def _length(x):
    """Length of the vectors of the last axis; at 0 its gradient is 0, not NaN."""
    squares = ops.sum(ops.square(x), axis=-1)
    some = squares > 0
    return ops.where(some, ops.sqrt(ops.where(some, squares, 1.0)), 0.0)


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
