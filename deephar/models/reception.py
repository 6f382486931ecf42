"""The reception network: human pose from one picture, 2D or 3D.

A stem and a row of blocks, each of which predicts the pose anew (N = 1, 2, ...):

    picture -> Stem -> x

        x ->  rBlockN  -+-> SepConvN -+-> RegMapN -> H -+-> fReMapN -> (+) -> next x
                        |             |                 |               ^
                        |             +-----------------|---------------+
                        +-------------------------------|---------------+
                                                        v
                                                      poses

Poses from the heat maps H, for dim = 2, Hs being a joint's own map and Hc its context
maps (none with num_context_per_joint=0; then sSAM's answer is the pose):

        Hs -+-> sSAM ----------> Agg -> pose (x, y)
            +-> sjProb            ^ ^
                  +-> confidence  | |
        Hc -+-> cSAM -------------+ |
            +-> cjProb -------------+

and for dim = 3, H being a volume of depth_maps maps for each joint:

        mean over depth   -> Hxy -> sSAM -> (x, y) -+-> pose (x, y, z)
        mean over picture -> Hz  -> zSAM -> z ------+
        sigmoid(max Hxy + max Hz) -> confidence

SAM is softmax and soft-argmax, and holds no weights; nor do Agg and the jProbs.

Source: Luvizon, Picard, Tabia, "2D/3D Pose Estimation and Action Recognition using
Multitask Deep Learning", CVPR 2018.
"""

import numbers

import keras
from keras import layers

from deephar.layers import (
    PROBABILITIES,
    SplitChannels,
    SplitVolume,
    VolumeProbability,
    act_conv,
    act_conv_bn,
    separable_act_conv_bn,
    sepconv_residual,
)
from deephar.losses import binary_crossentropy
from deephar.models.blocks import (
    build_context_aggregation,
    build_joints_probability,
    build_softargmax_1d,
    build_softargmax_2d,
)
from deephar.models.nested import nested
from deephar.models.stems import reception_stem, vgg16_stem
from deephar.objectives import elasticnet_loss_on_valid_joints
from deephar.optimizers import rmsprop

STEMS = ("inception", "vgg16")
_SIDE_DIVISOR = 32
_DEFAULT_CONTEXT = 2
_VISIBILITY_WEIGHT = 0.01


def build_reception_block(inp, name, ksize=(3, 3)):
    """Hourglass of separable residual units over three resolutions."""
    size = inp.shape[-1]
    half = size // 2

    def body(xi, names):
        def unit(x, out_size, unit_name):
            return sepconv_residual(x, out_size, unit_name, ksize, add_name=names)

        a = unit(xi, size, "sepconv_l1")

        low = layers.MaxPooling2D((2, 2), name=names("max_pooling2d"))(xi)
        low = act_conv_bn(low, half, (1, 1), name=names)
        low = unit(low, half, "sepconv_l2_1")
        b = unit(low, half, "sepconv_l2_2")

        c = layers.MaxPooling2D((2, 2), name=names("max_pooling2d"))(low)
        for i in (1, 2, 3):
            c = unit(c, half, f"sepconv_l3_{i}")
        c = layers.UpSampling2D((2, 2), name=names("up_sampling2d"))(c)

        b = layers.Add(name=names("add"))([b, c])
        b = unit(b, size, "sepconv_l2_3")
        b = layers.UpSampling2D((2, 2), name=names("up_sampling2d"))(b)
        return layers.Add(name=names("add"))([a, b])

    return nested(inp, name, body)


def build_sconv_block(inp, name=None, ksize=(3, 3)):
    """Separable convolution of as many channels."""

    def body(x, names):
        return separable_act_conv_bn(x, inp.shape[-1], ksize, name=names)

    return nested(inp, name, body)


def build_regmap_block(inp, num_maps, name=None):
    """Features to heat maps."""
    return nested(inp, name, lambda x, names: act_conv(x, num_maps, (1, 1), name=names))


def build_fremap_block(inp, num_filters, name=None):
    """Heat maps back to features."""
    return nested(
        inp, name, lambda x, names: act_conv_bn(x, num_filters, (1, 1), name=names)
    )


def pose_regression_2d_context(
    h, num_joints, sam_s_model, sam_c_model, jprob_c_model, agg_model, jprob_s_model
):
    """Pose, confidence and own maps from own and context maps `h`."""
    name = _layer_of(h)
    hs, hc = SplitChannels(num_joints, name=f"{name}_split")(h)
    pose = agg_model([sam_s_model(hs), sam_c_model(hc), jprob_c_model(hc)])
    return pose, jprob_s_model(hs), hs


def pose_regression_2d(h, sam_s_model, jprob_s_model):
    """Pose, confidence and maps from maps `h`, one for each joint."""
    return sam_s_model(h), jprob_s_model(h), h


def pose_regression_3d(
    h, num_joints, depth_maps, sam_s_model, sam_z_model, jprob_model=None
):
    """Pose, confidence and picture maps from volumetric maps `h`.

    `jprob_model` takes `[maps over the picture, maps over the depth]`; None is
    `VolumeProbability`.
    """
    if h.shape[-1] != depth_maps * num_joints:
        raise ValueError(
            "There must be `depth_maps` maps for each joint. Received: "
            f"{depth_maps=}, {num_joints=}, maps={h.shape[-1]}"
        )
    name = _layer_of(h)
    hxy, hz = SplitVolume(depth_maps, name=f"{name}_split")(h)
    halves = [sam_s_model(hxy), sam_z_model(hz)]
    pose = layers.Concatenate(dtype="float32", name=f"{name}_xyz")(halves)
    jprob_model = jprob_model or VolumeProbability(name=f"{name}_prob")
    return pose, jprob_model([hxy, hz]), hxy


def build(
    input_shape,
    num_joints,
    dim,
    num_context_per_joint=None,
    alpha=0.8,
    num_blocks=4,
    depth_maps=16,
    ksize=(3, 3),
    export_heatmaps=False,
    export_vfeat_block=None,
    old_model=False,
    concat_pose_confidence=True,
    joint_probability="sigmoid",
    stem="inception",
):
    """Builds the network.

    Args:
        input_shape: `(rows, cols, channels)` of the pictures, RGB in [-1, 1]; rows and
            cols are multiples of 32.
        num_joints: Number of joints.
        dim: 2 for (x, y), 3 for (x, y, z).
        num_context_per_joint: Context maps of each joint; None is 2 in 2D. 3D has
            none: None or 0.
        alpha: Weight of a joint's own map against its context.
        num_blocks: Number of blocks, each with its own prediction.
        depth_maps: Heat maps of each joint over depth (3D).
        ksize: Of the separable convolutions in the blocks.
        export_heatmaps: Whether to put out each block's raw heat maps.
        export_vfeat_block: Number (from 1) of the block whose features are put out.
        old_model: The original's first networks, with a narrower stem.
        concat_pose_confidence: Whether pose and confidence are one output.
        joint_probability: Confidence in 2D: "sigmoid" of a map's maximum (branch
            cvpr18) or best 2x2 "window" of the raw map (branch master).
        stem: "inception", or "vgg16" with VGG-16's first blocks.

    Returns:
        Model of pictures `(batch, rows, cols, channels)`. Its outputs, for each block
        in turn: pose and confidence as one `(batch, joints, dim + 1)`, or apart
        `(batch, joints, dim)`, `(batch, joints, 1)`; then, on request, heat maps
        `(batch, rows / 8, cols / 8, joints)`; after all blocks the features
        `(batch, rows / 8, cols / 8, 576)`. Positions are in [0, 1] of the picture.
        All outputs are float32.

    Raises:
        ValueError: for an argument out of range.
    """
    context = (
        _DEFAULT_CONTEXT if num_context_per_joint is None else num_context_per_joint
    )
    check_input_shape(input_shape)
    _check_kernel(ksize)
    check_counts(num_joints=num_joints, num_blocks=num_blocks, depth_maps=depth_maps)
    _check_context(dim, num_context_per_joint)
    _check_options(joint_probability, stem, old_model, channels=input_shape[-1])
    _check_vfeat_block(export_vfeat_block, num_blocks)

    inp = keras.Input(shape=tuple(input_shape), name="input_1")
    x = vgg16_stem(inp) if stem == "vgg16" else reception_stem(inp, old_model)
    num_filters = x.shape[-1]
    if dim == 2:
        num_maps = (context + 1) * num_joints
        regress = _regression_2d(x, num_joints, context, alpha, joint_probability)
    else:
        num_maps = depth_maps * num_joints
        regress = _regression_3d(x, num_joints, depth_maps)

    outputs, features = [], []
    for n in range(1, num_blocks + 1):
        x = build_reception_block(x, name=f"rBlock{n}", ksize=ksize)
        if n == export_vfeat_block:
            features.append(_float32(x, f"rBlock{n}_float32"))
        ident = x
        x = build_sconv_block(x, name=f"SepConv{n}", ksize=ksize)
        h = build_regmap_block(x, num_maps, name=f"RegMap{n}")
        pose, confidence, maps = regress(h)
        if concat_pose_confidence:
            join = layers.Concatenate(dtype="float32", name=f"PoseConf{n}")
            outputs.append(join([pose, confidence]))
        else:
            outputs += [pose, confidence]
        if export_heatmaps:
            outputs.append(maps)
        if n < num_blocks:
            h = build_fremap_block(h, num_filters, name=f"fReMap{n}")
            x = layers.Add(name=f"add_{n}")([ident, x, h])
    return keras.Model(inp, outputs + features, name="reception")


def compile(model, ptr, vtr, num_y_per_branch=1):
    """Compiles a model whose outputs are poses and confidences in turn.

    Poses get the elastic net loss, confidences 0.01 of the binary cross-entropy; the
    optimizer is RMSprop. Only on JAX the step is compiled by XLA.

    Args:
        model: As `build` gives it with concat_pose_confidence=False.
        ptr: Target of every pose.
        vtr: Target of every confidence.
        num_y_per_branch: Poses before each confidence.

    Returns:
        The targets, one for each output of the model.
    """
    shapes = [tuple(output.shape) for output in model.outputs]
    branch = num_y_per_branch + 1
    if len(shapes) % branch or any(s[-1] != 1 for s in shapes[branch - 1 :: branch]):
        raise ValueError(
            "The outputs must be `num_y_per_branch` poses and a confidence for each "
            "block (concat_pose_confidence=False, no heat maps). Received: "
            f"{num_y_per_branch=}, output shapes={shapes}"
        )
    branches = len(shapes) // branch
    model.compile(
        loss=(
            [elasticnet_loss_on_valid_joints] * num_y_per_branch + [binary_crossentropy]
        )
        * branches,
        optimizer=rmsprop(),
        loss_weights=([1.0] * num_y_per_branch + [_VISIBILITY_WEIGHT]) * branches,
        jit_compile=keras.backend.backend() == "jax",
    )
    return ([ptr] * num_y_per_branch + [vtr]) * branches


def _regression_2d(x, num_joints, context, alpha, form):
    """Makes the function heat maps -> (pose, confidence, maps) that blocks share."""
    rows, cols = x.shape[1:3]
    shape = (rows, cols, num_joints)
    sam_s = build_softargmax_2d(shape, name="sSAM")
    prob_s = build_joints_probability(shape, name="sjProb", form=form)
    if context == 0:
        return lambda h: pose_regression_2d(
            _float32(h, f"{_layer_of(h)}_float32"), sam_s, prob_s
        )
    shape = (rows, cols, num_joints * context)
    sam_c = build_softargmax_2d(shape, name="cSAM")
    prob_c = build_joints_probability(shape, name="cjProb", form=form)
    agg = build_context_aggregation(num_joints, context, alpha, name="Agg")
    return lambda h: pose_regression_2d_context(
        h, num_joints, sam_s, sam_c, prob_c, agg, prob_s
    )


def _regression_3d(x, num_joints, depth_maps):
    sam_s = build_softargmax_2d((*x.shape[1:3], num_joints), name="sSAM")
    sam_z = build_softargmax_1d((depth_maps, num_joints), name="zSAM")
    return lambda h: pose_regression_3d(h, num_joints, depth_maps, sam_s, sam_z)


def _float32(x, name):
    return layers.Activation("linear", dtype="float32", name=name)(x)


def _layer_of(tensor):
    """Name of the layer or model that made a tensor."""
    return tensor._keras_history.operation.name


def check_input_shape(input_shape):
    """Refuses a shape of pictures that no network of this module takes."""
    shape = tuple(input_shape)
    sides = shape[:2]
    if (
        len(shape) != 3
        or not all(isinstance(n, numbers.Integral) and n > 0 for n in shape)
        or any(n % _SIDE_DIVISOR for n in sides)
    ):
        raise ValueError(
            "`input_shape` must be (rows, cols, channels), the sides multiples of "
            f"{_SIDE_DIVISOR}. Received: {input_shape=}"
        )


def _check_kernel(ksize):
    if len(tuple(ksize)) != 2 or not all(
        isinstance(n, numbers.Integral) and n > 0 for n in ksize
    ):
        raise ValueError(
            f"`ksize` must be two whole numbers of at least 1. Received: {ksize=}"
        )


def check_counts(**counts):
    """Refuses any named argument that is no whole number of at least 1."""
    for name, n in counts.items():
        if not isinstance(n, numbers.Integral) or n < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={n}")


def _check_context(dim, num_context_per_joint):
    if dim not in (2, 3):
        raise ValueError(f"`dim` must be 2 or 3. Received: {dim=}")
    if num_context_per_joint is not None and num_context_per_joint < 0:
        raise ValueError(
            "`num_context_per_joint` must be None or at least 0. "
            f"Received: {num_context_per_joint=}"
        )
    if dim == 3 and num_context_per_joint:
        raise ValueError(
            "3D has no context maps: `num_context_per_joint` must be None or 0. "
            f"Received: {num_context_per_joint=}"
        )


def _check_options(joint_probability, stem, old_model, channels):
    if joint_probability not in PROBABILITIES:
        raise ValueError(
            f"`joint_probability` must be one of {', '.join(PROBABILITIES)}. "
            f"Received: {joint_probability=}"
        )
    if stem not in STEMS:
        raise ValueError(f"`stem` must be one of {', '.join(STEMS)}. Received: {stem=}")
    if old_model and stem != "inception":
        raise ValueError(f'`old_model` is only for stem="inception". Received: {stem=}')
    if stem == "vgg16" and channels != 3:
        raise ValueError(
            f'Pictures for stem="vgg16" have three channels. Received: {channels=}'
        )


def _check_vfeat_block(export_vfeat_block, num_blocks):
    if export_vfeat_block is not None and not 1 <= export_vfeat_block <= num_blocks:
        raise ValueError(
            f"`export_vfeat_block` must lie in 1 ... {num_blocks}. "
            f"Received: {export_vfeat_block=}"
        )
