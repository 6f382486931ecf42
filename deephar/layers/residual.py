"""Residual units over the convolution helpers."""

from keras import layers

from deephar.layers.conv import (
    act_conv_bn,
    conv2d,
    relu,
    separable_act_conv_bn,
    sepconv2d,
)
from deephar.layers.names import layer_name, suffixed


def sepconv_residual(x, out_size, name, kernel_size=(3, 3), add_name=None):
    """Separable convolution with a shortcut, the unit of the reception blocks.

    The shortcut is the input itself, or a 1x1 convolution where the number of
    channels changes; a narrower output is reduced before the separable convolution.

    Args:
        x: `(batch, rows, cols, channels)`.
        out_size: Number of output channels.
        name: Name of the unit (a string): its layers are NAME_shortcut, NAME_reduce,
            NAME and their parts.
        kernel_size: Of the separable convolution.
        add_name: Name of the sum.
    """
    channels = x.shape[-1]
    shortcut = x
    if channels != out_size:
        shortcut = act_conv_bn(x, out_size, (1, 1), name=f"{name}_shortcut")
    if out_size < channels:
        x = act_conv_bn(x, out_size, (1, 1), name=f"{name}_reduce")
    x = separable_act_conv_bn(x, out_size, kernel_size, name=name)
    return layers.Add(name=layer_name(add_name, "add"))([shortcut, x])


def residual(
    x,
    kernel_size=(3, 3),
    strides=(1, 1),
    out_size=None,
    int_size=None,
    convtype="depthwise",
    shortcut_act=True,
    name=None,
):
    """Pre-activation residual unit, separable or with a bottleneck.

    Args:
        x: `(batch, [frames,] rows, cols, channels)`.
        kernel_size: Of the spatial convolution.
        strides: Of the unit.
        out_size: Number of output channels; None keeps that of `x`.
        int_size: Channels of the bottleneck (convtype "normal"); None is half of
            `out_size`. A separable unit has no bottleneck and ignores it.
        convtype: "depthwise" or "normal".
        shortcut_act: Whether a shortcut with a convolution has a ReLU of its own.
        name: Name of the unit.

    Raises:
        ValueError: for another `convtype`.
    """
    if convtype not in ("depthwise", "normal"):
        raise ValueError(
            f'`convtype` must be "depthwise" or "normal". Received: {convtype=}'
        )
    channels = x.shape[-1]
    out_size = channels if out_size is None else out_size
    int_size = out_size // 2 if int_size is None else int_size
    projected = channels != out_size or tuple(strides) != (1, 1)

    normed = _scaled_batch_norm(x, suffixed(name, "_bn1"))
    shortcut = normed if projected else x
    if projected:
        if shortcut_act:
            shortcut = relu(shortcut, name=suffixed(name, "_shortcut_act"))
        shortcut = conv2d(
            shortcut,
            out_size,
            (1, 1),
            strides=strides,
            name=suffixed(name, "_shortcut_conv"),
        )
    x = relu(normed, name=suffixed(name, "_act1"))
    if convtype == "depthwise":
        x = sepconv2d(x, out_size, kernel_size, strides, name=suffixed(name, "_conv1"))
    else:
        x = conv2d(x, int_size, (1, 1), name=suffixed(name, "_conv1"))
        x = _scaled_batch_norm(x, suffixed(name, "_bn2"))
        x = relu(x, name=suffixed(name, "_act2"))
        x = conv2d(x, out_size, kernel_size, strides, name=suffixed(name, "_conv2"))
    return layers.Add(name=layer_name(suffixed(name, "_add"), "add"))([shortcut, x])


def _scaled_batch_norm(x, name):
    name = layer_name(name, "batch_normalization")
    return layers.BatchNormalization(name=name)(x)
