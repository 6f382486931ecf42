"""Models inside models: the blocks of a network, each a group in a weight file."""

import keras

from deephar.layers import LayerNames


def nested(inp, name, body):
    """Wraps part of a network in a model of its own and applies it.

    Args:
        inp: Tensor that goes in.
        name: Name of the model; the paths of its variables begin with it.
        body: Function of (tensor, `LayerNames`) that builds the part.

    Returns:
        What the model makes of `inp`.
    """
    names = LayerNames()
    with keras.name_scope(name or "model"):
        xi = keras.Input(shape=inp.shape[1:], dtype=inp.dtype, name=names("input"))
        return keras.Model(xi, body(xi, names), name=name)(inp)
