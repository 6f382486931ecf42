"""Entry flows: pictures to feature maps of an eighth of their size."""

import keras
from keras import layers, ops

from deephar.layers import (
    act_conv_bn,
    batch_norm,
    conv,
    conv_bn,
    conv_bn_act,
    layer_name,
    residual,
    sepconv_residual,
    suffixed,
)
from deephar.models.nested import nested

STEM_SIZE = 3 * 192
"""Channels of the feature maps of the reception network."""

_OLD_STEM_SIZE = 512
_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
_VGG_BLOCKS = ((2, 64), (2, 128), (3, 256))


def reception_stem(inp, old_model=False):
    """The entry flow of the reception network, based on Inception-v4.

    Args:
        inp: Pictures `(batch, rows, cols, channels)`, sides multiples of 8.
        old_model: The narrower flow of the original's first networks, whose separable
            unit lies outside the model "Stem" and gives 512 channels.

    Returns:
        `(batch, rows / 8, cols / 8, 576)`, by a nested model "Stem".
    """

    def body(xi, names):
        x = conv_bn_act(xi, 32, (3, 3), strides=(2, 2), name=names)
        if not old_model:
            x = conv_bn_act(x, 32, (3, 3), name=names)
        x = conv_bn_act(x, 64, (3, 3), name=names)

        size = 32 if old_model else 96
        a = conv_bn_act(x, size, (3, 3), strides=(2, 2), name=names)
        x = _concat([a, _max_pool(x, (3, 3), names)], names)

        x = _concat(_inception_branches(x, conv_bn, names), names)

        a = act_conv_bn(x, 192, (3, 3), strides=(2, 2), name=names)
        x = _concat([a, _max_pool(x, (2, 2), names)], names)
        if old_model:
            return x
        return sepconv_residual(x, STEM_SIZE, name="sepconv1", add_name=names)

    x = nested(inp, "Stem", body)
    if old_model:
        x = sepconv_residual(x, _OLD_STEM_SIZE, "sepconv1", add_name="sepconv1_add")
    return x


@keras.saving.register_keras_serializable(package="deephar")
class ImagenetPreprocessing(layers.Layer):
    """Pictures as the published VGG-16 weights expect them: BGR minus the mean.

    Input shape: `(batch, rows, cols, 3)`, RGB in [-1, 1].
    Output shape: the same, BGR in about [-124, 151].
    """

    def call(self, x):
        mean = ops.convert_to_tensor(_IMAGENET_MEAN_BGR, self.compute_dtype)
        return 127.5 * (ops.flip(x, axis=-1) + 1.0) - mean

    def compute_output_shape(self, input_shape):
        return input_shape


def vgg16_stem(inp):
    """VGG-16's first three blocks with their pooling, then a 1x1 projection.

    The convolutions are named as in `keras.applications.VGG16` (block1_conv1 ...) and
    get their pictures in its form, so that ImageNet weights can be set by name.

    Args:
        inp: Pictures `(batch, rows, cols, 3)`, RGB in [-1, 1], sides multiples of 8.

    Returns:
        `(batch, rows / 8, cols / 8, 576)`, by a nested model "Stem".
    """

    def body(xi, _):
        x = ImagenetPreprocessing(name="preprocessing")(xi)
        for block, (num_convs, filters) in enumerate(_VGG_BLOCKS, start=1):
            for i in range(1, num_convs + 1):
                x = layers.Conv2D(
                    filters,
                    (3, 3),
                    padding="same",
                    activation="relu",
                    name=f"block{block}_conv{i}",
                )(x)
            x = layers.MaxPooling2D((2, 2), name=f"block{block}_pool")(x)
        return conv_bn(x, STEM_SIZE, (1, 1), name="projection")

    return nested(inp, "Stem", body)


def stem_inception_v4(x, image_div=8, name=None):
    """Entry flow based on Inception-v4 with a bottleneck unit at its end.

    Args:
        x: Pictures `(batch, rows, cols, channels)`.
        image_div: By what the sides are divided: 4, 8, 16 or 32.
        name: None or a `LayerNames`.

    Returns:
        `(batch, rows / image_div, cols / image_div, 576)`; 448 channels for 4.
    """
    _check_image_div(image_div)
    x = conv_bn_act(x, 32, (3, 3), strides=(2, 2), name=name)
    x = conv_bn_act(x, 32, (3, 3), name=name)
    if image_div == 32:
        x = _max_pool(x, (2, 2), name)
    x = conv_bn_act(x, 64, (3, 3), name=name)

    a = conv_bn_act(x, 96, (3, 3), strides=(2, 2), name=name)
    x = _concat([a, _max_pool(x, (3, 3), name)], name)

    x = batch_norm(_concat(_inception_branches(x, conv, name), name), name)

    for _ in range({4: 0, 8: 1, 16: 2, 32: 2}[image_div]):
        a = act_conv_bn(x, 192, (3, 3), strides=(2, 2), name=name)
        x = _concat([a, _max_pool(x, (3, 3), name)], name)

    out_size, int_size = (448, 112) if image_div == 4 else (STEM_SIZE, 144)
    return _bottleneck(x, out_size, int_size, "residual0")


def stem_residual_eccv(x, image_div=8, name=None):
    """Entry flow based on ResNet.

    Args:
        x: Pictures `(batch, rows, cols, channels)`.
        image_div: By what the sides are divided: 4, 8, 16 or 32.
        name: None or a `LayerNames`.

    Returns:
        `(batch, rows / image_div, cols / image_div, channels)` with 256 channels for
        4, 384 for 8, 512 for 16 and 32.
    """
    _check_image_div(image_div)
    x = conv_bn_act(x, 64, (7, 7), strides=(2, 2), name=name)
    a = conv_bn_act(x, 128, (3, 3), name=name)
    b = conv_bn_act(x, 128, (1, 1), name=name)
    x = layers.Add(name=layer_name(name, "add"))([a, b])
    x = _max_pool(x, (3, 3), name)
    x = _bottleneck(x, 256, 128, "rn0")
    x = _bottleneck(x, 256, 128, "rn1")
    if image_div == 4:
        return _bottleneck(x, 256, None, "rn3")

    x = _max_pool(x, (3, 3), name)
    x = _bottleneck(x, 384, 192, "rn3")
    x = _bottleneck(x, 384, 192, "rn4")
    if image_div == 8:
        return x

    x = _max_pool(x, (3, 3), name)
    x = _bottleneck(x, 512, 256, "rn5")
    x = _bottleneck(x, 512, 256, "rn6")
    return _max_pool(x, (2, 2), name) if image_div == 32 else x


def _inception_branches(x, last_conv, name):
    """A 3x3 branch and a factorised 7x7-like one, 96 channels each."""
    a = conv_bn_act(x, 64, (1, 1), name=name)
    a = last_conv(a, 96, (3, 3), name=name)
    b = conv_bn_act(x, 64, (1, 1), name=name)
    b = conv_bn_act(b, 64, (5, 1), name=name)
    b = conv_bn_act(b, 64, (1, 5), name=name)
    return a, last_conv(b, 96, (3, 3), name=name)


def _bottleneck(x, out_size, int_size, unit):
    return residual(
        x, out_size=out_size, int_size=int_size, convtype="normal", name=unit
    )


def _max_pool(x, size, name):
    name = layer_name(suffixed(name, "_pool"), "max_pooling2d")
    return layers.MaxPooling2D(size, strides=(2, 2), padding="same", name=name)(x)


def _concat(tensors, name):
    return layers.Concatenate(name=layer_name(name, "concatenate"))(list(tensors))


def _check_image_div(image_div):
    if image_div not in (4, 8, 16, 32):
        raise ValueError(f"`image_div` must be 4, 8, 16 or 32. Received: {image_div=}")
