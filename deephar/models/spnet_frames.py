"""The part of SPNet that looks at one frame: stem, pyramids, poses.

A block of a pyramid (h are the heat maps of the joints, d their depth maps in 3D):

    x -> residual -+-> separable convolution -+-> conv -> h -+-> softmax -> (x, y), c
                   |                          |              |
                   |                          +-> conv -> d -|-> sigmoid ---> z
                   |                          |         |    |
                   +--------> (+) <-----------+---------+----+      all back to features
                               |
                               v
                             next x

A block that predicts actions gives three things more: its pose and confidence, from
replicas of the maps if there are any, and the features under each joint's map. They
are those that the network had when it first came to this level.
"""

import keras
from keras import layers

from deephar.layers import (
    ChannelSoftmax2D,
    LayerNames,
    MapExpectation,
    StopGradient,
    conv2d,
    keypoint_confidence,
    maxpooling2d,
    relu,
    sepconv2d,
    softargmax2d,
)
from deephar.models.common import (
    add_tensorlist,
    downscaling,
    features_of_joints,
    hold_stopped_layers,
    residual,
    upscaling,
)
from deephar.models.pyramids import pyramids

_STEM_SIZE = 64


def build_frame_model(cfg, stop_grad_stem=False, name="frame_model"):
    """Builds the part that looks at one frame; see `spnet.build`.

    Returns:
        Model of pictures `(batch, rows, cols, channels)` -> as many outputs as
        `pyramids.frame_names` gives, float32: poses `(batch, joints, dim + 1)`; for
        each block that predicts actions pose `(batch, joints, dim)`, confidence
        `(batch, joints, 1)` and features `(batch, joints, features)`; in debugging
        poses `(batch, joints, 3)` and maps `(batch, rows, cols, joints)`.
    """
    with keras.name_scope(name):
        pictures = keras.Input(cfg.input_shape[-3:], name="picture")
        names = LayerNames()
        x = _entry_flow(pictures, cfg, names)
        if stop_grad_stem:
            x = StopGradient(name="stop_gradient")(x)
        model = keras.Model(pictures, _pyramids(x, cfg, names), name=name)
    hold_stopped_layers(model)
    return model


def _entry_flow(x, cfg, names):
    """Pictures to features of 1 / image_div of their rows and columns."""
    growth, conv = cfg.growth, cfg.downsampling_type == "conv"

    def unit(x, size, number, strides=(1, 1)):
        name = f"res{number}"
        return residual(x, (3, 3), strides, size, convtype="normal", name=name)

    x = conv2d(x, _STEM_SIZE, (7, 7), strides=(2, 2), name="conv1")
    x = unit(x, growth, 0)
    x = maxpooling2d(x, (3, 3), strides=(2, 2), name=names)
    size, number, division = 2 * growth, 2, 4
    x = unit(unit(x, size, 1), size, 2)
    while division < cfg.image_div:
        size += growth
        if not conv:
            x = maxpooling2d(x, (2, 2), name=names)
        x = unit(x, size, number + 1, strides=(2, 2) if conv else (1, 1))
        x = unit(x, size, number + 2)
        number += 2
        division *= 2
    return x


def _pyramids(x, cfg, names):
    """All outputs of the frame model, from the features of the stem."""
    laterals = [x] + [None] * (cfg.num_levels - 1)
    first = list(laterals)
    poses, described, debug = [], [], []
    for pyramid in pyramids(cfg):
        scaling = downscaling if pyramid.down else upscaling
        growth = cfg.growth if pyramid.down else -cfg.growth
        x = laterals[pyramid.start]
        for block in pyramid.blocks:
            level = block.level
            x = scaling(x, cfg, x.shape[-1] + growth, name=block.scaling)
            if first[level] is None:
                first[level] = x
            if laterals[level] is not None:
                x = add_tensorlist([x, laterals[level]], name=names)
            x, maps, depths = _block_maps(x, block, cfg)
            laterals[level] = x
            poses.append(_pose(maps[0], depths[0], block, cfg))
            if block.action:
                described += _described(maps[-1], depths[-1], first[level], block, cfg)
            if block.action and cfg.dbg_decoupled_pose:
                debug.append(_debug(maps[-1], block, cfg))
    return [*poses, *described, *(p for p, _ in debug), *(h for _, h in debug)]


def _block_maps(x, block, cfg):
    """Features for the next block, and lists of heat maps and of depth maps.

    Each list holds a block's own maps, then their replica if there is one; depth maps
    are None in 2D.
    """
    name, size = block.name, x.shape[-1]
    x = residual(x, cfg.kernel_size, name=f"{name}_r1")
    back = [x]
    x = layers.BatchNormalization(name=f"{name}_bn1")(x)
    x = relu(x, name=f"{name}_act1")
    x = sepconv2d(x, size, cfg.kernel_size, name=f"{name}_conv1")
    back.append(x)
    x = layers.BatchNormalization(name=f"{name}_bn2")(x)
    replica = cfg.pose_replica and block.action is not None
    y, maps = _branch(x, cfg.num_joints, replica, True, f"{name}_heatmaps")
    back.append(y)
    depths = [None, None]
    if cfg.dim == 3:
        y, depths = _branch(x, cfg.num_joints, replica, False, f"{name}_depthmaps")
        back.append(y)
    return add_tensorlist(back, name=f"{name}_add"), maps, depths


def _branch(x, num_joints, replica, forward, name):
    """Maps of joints, and features made of them (with `forward`, of other maps too)."""
    size = x.shape[-1]
    x = relu(x, name=f"{name}_act1")
    maps = [conv2d(x, num_joints, (1, 1), name=f"{name}_conv1")]
    if replica:
        maps.append(conv2d(x, num_joints, (1, 1), name=f"{name}_conv1_replica"))
    back = maps[0]
    if forward:
        others = conv2d(x, num_joints, (1, 1), name=f"{name}_fw_maps")
        back = layers.Concatenate(name=f"{name}_concat")([others, back])
        back = relu(back, name=f"{name}_act2")
    return conv2d(back, size, (1, 1), name=f"{name}_conv2"), maps


def _regress(maps, depths, alpha, name, suffix=""):
    """Probability maps, pose and confidence of raw maps (depth maps: None in 2D)."""
    h = ChannelSoftmax2D(alpha, name=f"{name}_probmaps{suffix}")(maps)
    pose = softargmax2d(h, name=f"{name}_xy{suffix}")
    confidence = keypoint_confidence(h, name=f"{name}_vis{suffix}")
    if depths is not None:
        d = layers.Activation("sigmoid", dtype="float32", name=f"{name}_depth{suffix}")(
            depths
        )
        z = MapExpectation(name=f"{name}_z{suffix}")([h, d])
        join = layers.Concatenate(dtype="float32", name=f"{name}_xyz{suffix}")
        pose = join([pose, z])
    return h, pose, confidence


def _pose(maps, depths, block, cfg):
    _, pose, confidence = _regress(maps, depths, cfg.sam_alpha, block.name)
    join = layers.Concatenate(dtype="float32", name=block.name)
    return join([pose, confidence])


def _described(maps, depths, features, block, cfg):
    """Pose, confidence and features of joints, for the clip head."""
    name = block.action
    h, pose, confidence = _regress(maps, depths, cfg.sam_alpha, name, "2")
    seen = features_of_joints(h, features, prefix=f"{name}_", name=f"{name}_kron")
    return [pose, confidence, seen]


def _debug(maps, block, cfg):
    """Pose and confidence by the replica of the heat maps, and its probability maps."""
    name = f"{block.name}_dbg"
    h, pose, confidence = _regress(maps, None, cfg.sam_alpha, name)
    return layers.Concatenate(dtype="float32", name=name)([pose, confidence]), h
