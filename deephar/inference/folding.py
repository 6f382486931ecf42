"""Batch normalisation folded into convolutions: the same network in fewer steps."""

from collections import Counter

import keras
import numpy as np
from keras import layers

from deephar.layers import TemporalConv

_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_FOLDABLE = (
    *(layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.Dense),
    *(layers.SeparableConv1D, layers.SeparableConv2D, *_DEPTHWISE),
    TemporalConv,
)


def fold_batch_norm(model: keras.Model) -> keras.Model:
    """Makes a model for prediction with batch norms folded into convolutions.

    A batch norm over the last axis is folded where it is the only thing that follows a
    convolution, separable or depthwise convolution or dense layer without activation,
    and both are used once; elsewhere it becomes a `Rescaling` by constants. Those over
    another axis stay. Nested models are folded too, shared ones stay shared. Layer,
    input and output names stay: a folded batch norm that makes an output becomes an
    `Identity` of its name.

    Args:
        model: functional model; it stays as it is.

    Returns:
        A model of its own, with the moving statistics of now. To train it would be
        wrong: its statistics no longer move.

    Raises:
        ValueError: if the model is not functional.
    """
    if not _is_functional(model):
        raise ValueError(
            f"`model` must be a functional model. Received: {type(model).__name__}"
        )
    weights = []
    folded = _clone(model, weights)
    for layer, values in weights:
        layer.set_weights(values)
    return folded


def _is_functional(layer) -> bool:
    """Whether it is a model with a graph; a Sequential is taken as one layer."""
    return (
        isinstance(layer, keras.Model)
        and not isinstance(layer, keras.Sequential)
        and hasattr(layer, "_nodes_by_depth")
    )


def _clone(model: keras.Model, weights: list) -> keras.Model:
    """The folded model; appends (layer, arrays) for all that is to be set."""
    pairs = _foldable(model)
    norms = {id(conv): norm for conv, norm in pairs}
    gone = {id(norm) for _, norm in pairs}
    ends = {output._keras_history.operation.name for output in model.outputs}
    identities, rescalings = set(), set()

    def clone(layer):
        if _is_functional(layer):
            with keras.name_scope(layer.name):
                return _clone(layer, weights)
        if id(layer) in gone:
            identity = layers.Identity(name=layer.name, dtype=layer.dtype_policy)
            identities.add(identity)
            return identity
        if _is_norm(layer):
            rescaling = _rescaling(layer)
            rescalings.add(rescaling)
            return rescaling
        config = layer.get_config()
        if id(layer) in norms:
            config["use_bias"] = True
        copy = type(layer).from_config(config)
        if id(layer) in norms:
            weights.append((copy, _folded(layer, norms[id(layer)])))
        elif isinstance(layer, keras.Layer) and layer.weights:
            weights.append((copy, layer.get_weights()))
        return copy

    def call(layer, *args, **kwargs):
        if layer in identities and layer.name not in ends:
            return args[0]
        if layer in identities | rescalings:
            return layer(args[0])
        return layer(*args, **kwargs)

    uncompiled = keras.Model(model.input, model.output, name=model.name)
    return keras.models.clone_model(
        uncompiled, clone_function=clone, call_function=call
    )


def _foldable(model: keras.Model) -> list[tuple]:
    """The (convolution, batch norm) pairs of a model, without its nested models."""
    nodes = [node for level in model._nodes_by_depth.values() for node in level]
    calls = Counter(id(node.operation) for node in nodes)
    uses = Counter(id(x) for node in nodes for x in node.input_tensors)
    uses.update(id(output) for output in model.outputs)
    pairs = []
    for node in nodes:
        norm = node.operation
        if not _is_norm(norm):
            continue
        (x,) = node.input_tensors
        conv = x._keras_history.operation
        once = calls[id(conv)] == calls[id(norm)] == uses[id(x)] == 1
        if once and _is_linear(conv):
            pairs.append((conv, norm))
    return pairs


def _is_norm(layer) -> bool:
    """Whether it is a batch norm over the last axis."""
    if not isinstance(layer, layers.BatchNormalization):
        return False
    return layer.axis in (-1, layer.input_spec.ndim - 1)


def _is_linear(layer) -> bool:
    return (
        isinstance(layer, _FOLDABLE)
        and getattr(layer, "activation", None) in (None, keras.activations.linear)
        and getattr(layer, "data_format", "channels_last") == "channels_last"
    )


def _folded(conv, norm) -> list[np.ndarray]:
    """Weights of the convolution that does the batch norm's work too, with bias."""
    *kernels, bias = [array.astype(np.float64) for array in conv.get_weights()] + (
        [] if conv.use_bias else [np.zeros(())]
    )
    scale, offset = _scale_and_offset(norm)
    shape = kernels[-1].shape[-2:] if isinstance(conv, _DEPTHWISE) else (-1,)
    kernels[-1] = kernels[-1] * scale.reshape(shape)
    arrays = [*kernels, bias * scale + offset]
    return [array.astype(np.float32) for array in arrays]


def _rescaling(norm) -> layers.Rescaling:
    """The layer that does a batch norm's work; its numbers are constants."""
    scale, offset = (x.astype(np.float32) for x in _scale_and_offset(norm))
    return layers.Rescaling(scale, offset, name=norm.name, dtype=norm.dtype_policy)


def _scale_and_offset(norm) -> tuple[np.ndarray, np.ndarray]:
    """What a batch norm multiplies by and then adds, by channel."""
    scale = 1 / np.sqrt(_array(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        scale = scale * _array(norm.gamma)
    offset = _array(norm.beta) if norm.center else 0.0
    return scale, offset - _array(norm.moving_mean) * scale


def _array(variable) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable).astype(np.float64)
