"""What networks of pyramids are made of, and what is done to their layers by name."""

import keras
from keras import layers

from deephar.checkpoints.layout import PARTS
from deephar.layers import (
    FoldFrames,
    KroneckerProduct,
    StopGradient,
    UnfoldFrames,
    conv2dtranspose,
    layer_name,
    maxpooling2d,
    relu,
    suffixed,
    upsampling2d,
)
from deephar.layers import residual as _residual

_REPLICA = "_replica"

ONE_FRAME = ("one_0", "one_1")
"""Layers of `features_of_joints` that take the maps, and the features."""


def concat_tensorlist(t, name=None):
    """Tensors side by side in the last axis; a single one as it is."""
    _check_list(t)
    name = layer_name(name, "concatenate")
    return layers.Concatenate(name=name)(t) if len(t) > 1 else t[0]


def add_tensorlist(t, name=None):
    """The sum of tensors; a single one as it is."""
    _check_list(t)
    return layers.Add(name=layer_name(name, "add"))(t) if len(t) > 1 else t[0]


def _check_list(t):
    if not isinstance(t, list) or not t:
        raise ValueError(f"`t` must be a list of tensors, not empty. Received: {t=}")


def residual_unit(
    x,
    kernel_size,
    strides=(1, 1),
    out_size=None,
    convtype="depthwise",
    shortcut_act=True,
    features_div=2,
    name=None,
):
    """`layers.residual` whose bottleneck has 1 / `features_div` of its channels."""
    size = x.shape[-1] if out_size is None else out_size
    return _residual(
        x,
        kernel_size,
        strides=strides,
        out_size=size,
        int_size=int(size / features_div),
        convtype=convtype,
        shortcut_act=shortcut_act,
        name=name,
    )


def downscaling_unit(x, cfg, out_size=None, name=None):
    """A separable residual unit that halves rows and columns.

    Args:
        x: `(batch, rows, cols, channels)`.
        cfg: `ModelConfig`, for kernel_size and downsampling_type.
        out_size: Number of output channels; None keeps that of `x`.
        name: Of the unit; its layers are NAME_r0_bn1 and so on.
    """
    strides = (2, 2)
    if cfg.downsampling_type == "maxpooling":
        x = maxpooling2d(x, (2, 2), name=suffixed(name, "_pool"))
        strides = (1, 1)
    unit = suffixed(name, "_r0")
    return residual_unit(x, cfg.kernel_size, strides, out_size, name=unit)


def upscaling_unit(x, cfg, out_size=None, name=None):
    """A unit that doubles rows and columns.

    With max-pooling it is an upsampling and a separable residual unit, otherwise a
    transposed convolution.

    Args: as of `downscaling_unit`.
    """
    if cfg.downsampling_type == "maxpooling":
        x = upsampling2d(x, (2, 2), name=suffixed(name, "_upsampling"))
        unit = suffixed(name, "_r0")
        return residual_unit(x, cfg.kernel_size, out_size=out_size, name=unit)
    out_size = x.shape[-1] if out_size is None else out_size
    norm = layer_name(suffixed(name, "_bn1"), "batch_normalization")
    x = layers.BatchNormalization(name=norm)(x)
    x = relu(x, name=suffixed(name, "_act1"))
    conv = suffixed(name, "_convtrans1")
    return conv2dtranspose(x, out_size, (2, 2), strides=(2, 2), name=conv)


def features_of_joints(maps, features, prefix="", name="Kronecker_prod"):
    """Features of single frames gathered under the heat map of each joint.

    Args:
        maps: `(batch, rows, cols, joints)`, each map summing to 1.
        features: `(batch, rows, cols, features)`.
        prefix: Put in front of the names of the layers around the product.
        name: Name of the product.

    Returns:
        `(batch, joints, features)` in float32.
    """
    clips = [
        UnfoldFrames(1, name=prefix + layer)(x)
        for layer, x in zip(ONE_FRAME, (maps, features), strict=True)
    ]
    x = KroneckerProduct(name=name)(clips)
    return FoldFrames(dtype="float32", name=f"{prefix}joint_features")(x)


def layers_of(model):
    """The layers of a model, those of its frame model and its clip head among them."""
    for layer in model.layers:
        if layer.name in PARTS:
            yield from layers_of(layer)
        else:
            yield layer


def part_of_head(model, outputs):
    """The clip head of a model with some of its outputs, and the inputs they need.

    Args:
        model: A model with the layer "clip_head".
        outputs: Names of outputs of that layer.
    """
    head = model.get_layer(PARTS[1])
    tensors = dict(zip(head.output_names, head.outputs, strict=True))
    wanted = [tensors[name] for name in outputs]
    nodes = _nodes(keras.Model(head.inputs, wanted))
    taken = {id(x) for node in nodes for x in node.input_tensors}
    inputs = [x for x in head.inputs if id(x) in taken]
    return keras.Model(inputs, wanted, name=head.name)


def clip_parts(model, outputs=None, poses=False):
    """The parts of a model of clips that some of its actions need.

    Args:
        model: A model with the layers "frame_model" and "clip_head".
        outputs: Names of outputs of the clip head; None is all of them.
        poses: Whether the frame model ends with its last pose `(batch, joints, dim +
            1)`, if it has poses that are not for the clip head.

    Returns:
        Two models: from pictures to what the clip head takes of each frame, in the
        order of its inputs; and from that, for clips, to the outputs.

    Raises:
        ValueError: the model has no such layers or outputs.
    """
    names = [layer.name for layer in model.layers]
    if not set(PARTS) <= set(names):
        raise ValueError(
            f"`model` must have the layers {' and '.join(PARTS)}. "
            f"Received: layers {', '.join(names)}"
        )
    frame_model, head = map(model.get_layer, PARTS)
    outputs = head.output_names if outputs is None else list(outputs)
    if not outputs or not set(outputs) <= set(head.output_names):
        raise ValueError(
            f"`outputs` must be some of {', '.join(head.output_names)}. "
            f"Received: {outputs=}"
        )
    places = dict(
        zip((x.name for x in head.inputs), _sources(model, head), strict=True)
    )
    head = part_of_head(model, outputs)
    found = [frame_model.outputs[places[x.name]] for x in head.inputs]
    if poses:
        own = min(places.values())  # poses come before what is for the clip head
        found += frame_model.outputs[:own][-1:]
    return keras.Model(frame_model.input, found, name=frame_model.name), head


def _sources(model, head):
    """Which output of the frame model each input of the clip head is, by number."""
    (node,) = [node for node in _nodes(model) if node.operation is head]
    for x in node.input_tensors:
        unfold, index, _ = x._keras_history
        (source,) = unfold._inbound_nodes[index].input_tensors
        yield source._keras_history.tensor_index


def _nodes(model):
    """The calls of layers in a functional model."""
    return [node for level in model._nodes_by_depth.values() for node in level]


def set_trainable_layers(model, keyword, pos_trainable, neg_trainable=None):
    """Freezes or frees layers by name, those of frame model and clip head too.

    Args:
        model: A model.
        keyword: What a name must contain.
        pos_trainable: True or False for the layers whose names contain it; None leaves
            them as they are.
        neg_trainable: The same for the others.

    What lies before a `StopGradient` never learns: see `hold_stopped_layers`.
    """
    found = [(layer, layer.trainable) for layer in layers_of(model)]
    for layer in model.layers:
        if layer.name in PARTS:
            layer.trainable = True  # or it would hide what its layers are set to
    for layer, now in found:
        wanted = pos_trainable if keyword in layer.name else neg_trainable
        layer.trainable = now if wanted is None else wanted
    hold_stopped_layers(model)


def hold_stopped_layers(model):
    """Keeps the weights of all layers before a `StopGradient` from learning.

    The layers stay as they are: batch norms that learn still follow the pictures.
    """
    parts = [layer for layer in model.layers if layer.name in PARTS]
    for part in (model, *parts):
        for layer in part.layers:
            if isinstance(layer, StopGradient):
                stem = keras.Model(part.inputs, layer.input)
                for variable in stem.trainable_variables:
                    variable.trainable = False


def copy_replica_layers(model):
    """Gives every layer NAME_replica the weights of the layer NAME.

    Raises:
        ValueError: there is no layer NAME.
    """
    found = {layer.name: layer for layer in layers_of(model)}
    for name, layer in found.items():
        if name.endswith(_REPLICA):
            original = found.get(replicated(name))
            if original is None:
                raise ValueError(
                    f"`model` must have the layer {replicated(name)}, for {name} to be "
                    f"a copy of it. Received: model={model.name!r}"
                )
            layer.set_weights(original.get_weights())


def replicated(name):
    """Name of the layer that a replica stands for; of any other layer, its own."""
    return name.removesuffix(_REPLICA)


def compile_model(model, loss, optimizer, loss_weights=None):
    """Compiles a model. Only on JAX its step is compiled by XLA.

    Args:
        model: A model.
        loss: One for all outputs, or a list with one for each.
        optimizer: As Keras takes it.
        loss_weights: None, a number for all outputs, or a list with one for each.

    Raises:
        ValueError: a list is of another length than the outputs.
    """
    outputs = len(model.outputs)
    if loss_weights is not None and not isinstance(loss_weights, (list, tuple)):
        loss_weights = [loss_weights] * outputs
    for name, value in (("loss", loss), ("loss_weights", loss_weights)):
        if isinstance(value, (list, tuple)) and len(value) != outputs:
            raise ValueError(
                f"`{name}` must have one entry for each of the {outputs} outputs. "
                f"Received: {len(value)} entries"
            )
    if not isinstance(loss, (list, tuple)):
        loss = [loss] * outputs
    model.compile(
        loss=list(loss) if outputs > 1 else loss[0],
        optimizer=optimizer,
        loss_weights=loss_weights,
        jit_compile=keras.backend.backend() == "jax",
    )


residual = residual_unit
downscaling = downscaling_unit
upscaling = upscaling_unit
