"""The clip head of SPNet: what sees the poses and features of all frames together.

It takes a clip as a picture whose rows are its frames and whose columns are its joints,
and follows the blocks that predict actions, with features of its own:

    pose * confidence -> convolutions -> residual -> pool -+
                                                           |
    features of joints -> convolution -----------> pool -- + -> residual -+-> actions
                                                           |              |
    features of the block before, and of the same level ---+              v
                                                                 features for the next

Frames are padded to an even number, joints to a multiple of 4. Clips of 16 and more
frames are halved in time too.
"""

import keras
from keras import layers

from deephar.layers import conv2d, max_min_pooling, maxpooling2d, relu
from deephar.models.clip_head import action_top
from deephar.models.common import add_tensorlist, concat_tensorlist, residual
from deephar.models.pyramids import described_names, pyramids

_LONG_CLIP = 16


def build_clip_head(cfg, sizes, name="clip_head"):
    """Builds the part that sees all frames together; see `spnet.build`.

    Args:
        cfg: `ModelConfig` of clips.
        sizes: Number of features of a joint, for each block that predicts actions.
        name: Name of the model.

    Returns:
        Model of, for each of these blocks, pose `(batch, frames, joints, dim)`,
        confidence `(batch, frames, joints, 1)` and features `(batch, frames, joints,
        size)` -> the actions, `(batch, num_actions[i])` each, block by block and set
        by set, float32.
    """
    clip, sizes = (cfg.input_shape[0], cfg.num_joints), iter(sizes)
    inputs, outputs = [], []
    with keras.name_scope(name):
        laterals = [None] * cfg.num_levels
        for pyramid in pyramids(cfg):
            x = laterals[pyramid.start]
            for block in pyramid.blocks:
                if block.action:
                    channels = (cfg.dim, 1, next(sizes))
                    described = [
                        keras.Input((*clip, size), name=what)
                        for what, size in zip(
                            described_names(block.action), channels, strict=True
                        )
                    ]
                    x = _from_before(x, laterals[block.level], block.scaling)
                    actions, x = _action_block(x, described, block.action, cfg)
                    inputs += described
                    outputs += actions
                laterals[block.level] = x
        return keras.Model(inputs, outputs, name=name)


def _from_before(x, lateral, name):
    """Features of the block before with those of the same level; None if none is."""
    if x is None:
        return None
    x = residual(x, (3, 3), name=f"{name}_action_r0")
    found = [x] if lateral is None else [x, lateral]
    return add_tensorlist(found, name=f"{name}_action_add")


def _action_block(before, described, action, cfg):
    """Actions, one prediction a set, and features for the next block."""
    pose, confidence, features = described
    name = f"{action}_action"
    x = layers.Multiply(name=f"{name}_p_masked")([pose, confidence])
    size = cfg.num_pose_features
    kernels = (("a", 16, (3, 1)), ("b", 8, (3, 3)), ("c", 4, (3, 5)))
    parts = [
        conv2d(x, size // divisor, kernel, name=f"{name}_p_conv0{letter}")
        for letter, divisor, kernel in kernels
    ]
    x = concat_tensorlist(parts, name=f"{name}_p_concat")
    x = residual(x, (3, 3), out_size=size, convtype="normal", name=f"{name}_r1")
    y = conv2d(features, cfg.num_visual_features, (1, 1), name=f"{name}_v_conv0")
    fused = [_pooled(x, f"{name}_p"), _pooled(y, f"{name}_v")]
    if before is not None:
        fused.append(before)
    x = concat_tensorlist(fused, name=f"{name}_fusion")
    x = residual(
        x,
        (3, 3),
        out_size=max(cfg.num_pose_features, cfg.num_visual_features),
        convtype="normal",
        features_div=4,
        name=f"{name}_r2",
    )
    return _predict(x, cfg.num_actions, action)


def _pooled(x, name):
    """A padded clip at half its joints, and if it is long half its frames."""
    _, frames, joints, _ = x.shape
    time_stride = 2 if frames >= _LONG_CLIP else 1
    padding = _padding(frames, 2 * time_stride), _padding(joints, 4)
    if any(map(any, padding)):
        x = layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)
    return maxpooling2d(x, (2, 2), strides=(time_stride, 2), name=f"{name}_pool")


def _padding(number, divisor):
    """(before, after) that make a number divisible; after takes the odd one."""
    total = -number % divisor
    return total // 2, total - total // 2


def _predict(ident, num_actions, action):
    """Maps of the actions, their maxima plus minima, and the answer put back."""
    name, size = f"{action}_action_pred", ident.shape[-1]
    x = layers.BatchNormalization(name=f"{name}_bn1")(ident)
    x = relu(x, name=f"{name}_act1")
    seen = conv2d(x, size, (3, 3), name=f"{name}_conv1")
    x = max_min_pooling(seen, (2, 2), name=f"{name}_pool")
    x = layers.BatchNormalization(name=f"{name}_bn2")(x)
    x = relu(x, name=f"{name}_act2")
    maps = [
        conv2d(x, size, (3, 3), name=f"{name}_conv2h{i}")
        for i, size in enumerate(num_actions)
    ]
    actions = [action_top(h, name=f"{action}_a{i}") for i, h in enumerate(maps)]
    x = concat_tensorlist(maps, name=f"{name}_concat")
    x = layers.UpSampling2D((2, 2), name=f"{name}_upsampling")(x)
    x = relu(x, name=f"{name}_act3")
    x = conv2d(x, size, (3, 3), name=f"{name}_conv3")
    return actions, add_tensorlist([ident, seen, x], name=f"{name}_add")
