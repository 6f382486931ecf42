"""The temporal network that lifts tracks of 2D key points to 3D poses.

    key points (batch, frames, joints, 2)
        |
    expand_conv (width w0) - expand_bn - ReLU - dropout
        |
    for each further width w, dilation d = product of the widths before it:
        |-------------------------------------------------.
        layers_conv_2i (width w, dilation d) - bn - ReLU - dropout
        layers_conv_2i+1 (width 1)           - bn - ReLU - dropout
        |                                                 | the frames in the middle
        + <-----------------------------------------------' (causal: the last ones)
        |
    shrink (width 1, with bias)
        |
    poses (batch, frames - receptive field + 1, joints, 3)

Layers are named as the tensors of the authors' checkpoints, with "_" for the "."
before a number.

Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019.
"""

import math

import keras
from keras import layers

from deephar.layers import SelectFrames, TemporalBatchNorm, TemporalConv


def build(
    num_joints_in,
    in_features,
    num_joints_out,
    filter_widths,
    channels=1024,
    dropout=0.25,
    causal=False,
    dense=False,
):
    """Builds the network for whole sequences.

    Args:
        num_joints_in: Key points of a frame.
        in_features: Numbers of a key point: 2.
        num_joints_out: Joints of a pose; 1 for the trajectory of the root.
        filter_widths: Width of the first convolution and of each block's, odd.
        channels: Of every layer but the last.
        dropout: Share of the activations that a training step leaves out.
        causal: Whether a pose belongs to the last frame that it sees, not to the one
            in the middle. The convolutions are the same.
        dense: Whether blocks see every frame of their reach instead of `width` of them.

    Returns:
        Functional model `(batch, frames, num_joints_in, in_features)` -> `(batch,
        frames - receptive_field + 1, num_joints_out, 3)`, for any number of frames.

    Raises:
        ValueError: if an argument is out of range.
    """
    widths = _checked(
        num_joints_in, in_features, num_joints_out, filter_widths, channels, dropout
    )
    make = _maker(num_joints_out, widths, channels, dropout, dense)
    inp = keras.Input((None, num_joints_in, in_features), name="keypoints")
    y = _network(inp, make, widths, causal, strided=False)
    return keras.Model(inp, y, name=_name(causal, dense))


def build_strided(
    num_joints_in,
    in_features,
    num_joints_out,
    filter_widths,
    channels=1024,
    dropout=0.25,
    causal=False,
    model=None,
):
    """Builds the form of the network that trains on single poses.

    Every convolution steps as far as it is wide, so that nothing is computed twice or
    in vain: from the weights of `build` the same pose, at a fraction of the cost.

    Args:
        model: A model of `build` of the same arguments whose layers, and so variables
            and random numbers, it shares; None makes new ones of the same names.
        (others): As in `build`.

    Returns:
        Functional model `(batch, receptive_field, num_joints_in, in_features)` ->
        `(batch, 1, num_joints_out, 3)`.

    Raises:
        ValueError: if an argument is out of range, or `model` is another network.
    """
    widths = _checked(
        num_joints_in, in_features, num_joints_out, filter_widths, channels, dropout
    )
    if model is None:
        make = _maker(num_joints_out, widths, channels, dropout, dense=False)
    else:
        wanted = {
            "num_joints_in": num_joints_in,
            "in_features": in_features,
            "num_joints_out": num_joints_out,
            "filter_widths": widths,
            "channels": channels,
            "dropout": dropout,
            "causal": causal,
            "dense": False,
        }
        _check_same(model, wanted)
        make = model.get_layer
    frames = receptive_field(widths)
    inp = keras.Input((frames, num_joints_in, in_features), name="keypoints")
    y = _network(inp, make, widths, causal, strided=True)
    return keras.Model(inp, y, name=_name(causal, dense=False))


def receptive_field(filter_widths):
    """Frames that one pose sees: the product of the widths."""
    return math.prod(filter_widths)


def padding(filter_widths):
    """Frames that a sequence is padded with on either side, for a pose a frame."""
    return (receptive_field(filter_widths) - 1) // 2


def causal_shift(filter_widths, causal):
    """Frames of padding that move from the right to the left: all, or 0."""
    return padding(filter_widths) if causal else 0


def settings(model):
    """Reads the arguments of `build` off a model.

    Args:
        model: Of `build` or `build_strided`, also a loaded or folded one.

    Returns:
        {argument: value}; `filter_widths` is a tuple.

    Raises:
        ValueError: if it is another network.
    """
    names = {layer.name for layer in model.layers}
    if not {"expand_conv", "expand_drop", "shrink"} <= names:
        raise ValueError(
            f"`model` must be a network of `models.lifting`. Received: {model.name}"
        )
    expand = model.get_layer("expand_conv")
    dense = model.name.startswith("lifting_dense")
    widths = [expand.width]
    while f"layers_conv_{2 * len(widths) - 2}" in names:
        width = model.get_layer(f"layers_conv_{2 * len(widths) - 2}").width
        reach = receptive_field(widths)
        widths.append((width - 1) // reach + 1 if dense else width)
    return {
        "num_joints_in": model.input_shape[2],
        "in_features": model.input_shape[3],
        "num_joints_out": model.output_shape[2],
        "filter_widths": tuple(widths),
        "channels": expand.filters,
        "dropout": model.get_layer("expand_drop").rate,
        "causal": model.name.endswith("_causal"),
        "dense": dense,
    }


def _check_same(model, wanted):
    """Refuses a model that is not the network of the `wanted` arguments."""
    found = settings(model)
    if found != wanted:
        raise ValueError(
            f"`model` must be the network of the arguments, {wanted}. "
            f"Received: model={found}"
        )


def _name(causal, dense):
    """The model's name, which keeps what no layer tells."""
    return "lifting" + "_dense" * bool(dense) + "_causal" * bool(causal)


def _checked(joints_in, features, joints_out, widths, channels, dropout):
    """The widths as a tuple, all arguments being in range."""
    widths = tuple(widths)
    if not widths or any(width < 1 or width % 2 == 0 for width in widths):
        raise ValueError(
            "`filter_widths` must be odd numbers of at least 1. "
            f"Received: filter_widths={widths}"
        )
    least = {
        "num_joints_in": joints_in,
        "in_features": features,
        "num_joints_out": joints_out,
        "channels": channels,
    }
    for name, value in least.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must lie in [0, 1). Received: {dropout=}")
    return widths


def _maker(joints_out, widths, channels, dropout, dense):
    """A function of a name that makes the layer of this name that holds state."""

    def make(name):
        if name.endswith("_bn") or "_bn_" in name:
            return TemporalBatchNorm(name=name)
        if "_drop" in name:
            return layers.Dropout(dropout, name=name)
        if name == "expand_conv":
            return TemporalConv(channels, widths[0], name=name)
        if name == "shrink":
            # Metres need float32, also where the network is of half precision.
            options = {"use_bias": True, "dtype": "float32", "name": name}
            return TemporalConv(3 * joints_out, 1, **options)
        block, second = divmod(int(name.rsplit("_", 1)[1]), 2)
        if second:
            return TemporalConv(channels, 1, name=name)
        width, dilation = widths[block + 1], receptive_field(widths[: block + 1])
        if dense:
            width, dilation = (width - 1) * dilation + 1, 1
        return TemporalConv(channels, width, dilation, name=name)

    return make


def _network(inp, make, widths, causal, strided):
    """The poses of key points; `make` gives layers with state by their name."""
    joints, features = inp.shape[2:]
    x = layers.Reshape((-1, joints * features), name="join_keypoints")(inp)
    x = _unit(x, make, "expand_{}", strided)
    for block in range(len(widths) - 1):
        frames = _frames_kept(widths, block + 1, causal, strided)
        kept = SelectFrames(*frames, name=f"layers_kept_{block}")(x)
        x = _unit(x, make, f"layers_{{}}_{2 * block}", strided)
        x = _unit(x, make, f"layers_{{}}_{2 * block + 1}", strided)
        x = layers.Add(name=f"layers_add_{block}")([kept, x])
    shrink = make("shrink")
    x = shrink(x, strided=strided)
    shape = (-1, shrink.filters // 3, 3)
    return layers.Reshape(shape, dtype="float32", name="part_joints")(x)


def _unit(x, make, name, strided):
    """Convolution, batch norm, ReLU and dropout; `name` has a gap for the kind."""
    x = make(name.format("conv"))(x, strided=strided)
    x = make(name.format("bn"))(x)
    x = layers.ReLU(name=name.format("relu"))(x)
    return make(name.format("drop"))(x)


def _frames_kept(widths, block, causal, strided):
    """(first, dropped, step) of the frames that pass by a block."""
    width = widths[block]
    if strided:
        return (width - 1 if causal else width // 2), 0, width
    reach = (width - 1) * receptive_field(widths[:block])
    return (reach, 0, 1) if causal else (reach // 2, reach // 2, 1)
