"""Models made after a weights file: the same layers in the same order, no network."""

import h5py
import keras
from keras import layers

from deephar.checkpoints.layout import split_name
from deephar.layers import (
    ContextAggregation,
    LayerNames,
    LinearInterpolation1D,
    LinearInterpolation2D,
)


def mirror_model(path, rename=lambda name: name, keep=lambda name: True, name=None):
    """A model with the layers of a Keras 2 file, each on an input of its own.

    Args:
        path: a file of the original.
        rename: from the name of a group to that of the layer.
        keep: which groups to mirror.
        name: name of the model.

    Returns:
        The model, and {path of a tensor in the file: its variable}.
    """
    names, inputs, outputs, places = LayerNames(), [], [], {}
    for group, found in groups_of_file(path):
        if keep(group):
            part = _own_name(rename(group), names)
            if len(found) == 1 and part != "Agg" and not part.endswith("SAM"):
                part, xi = _layer(part, found[0][1]), _input(found[0][1])
                made = {found[0][0]: part}
            else:
                part, made = _nested(found, part)
                xi = part.inputs
            inputs.append(xi)
            outputs.append(part(xi))
            places |= {f"{group}/{layer}": made[layer] for layer in made}
    model = keras.Model(inputs, outputs, name=name)
    return model, {
        f"{path}/{variable.path.rpartition('/')[2]}:0": variable
        for path, layer in places.items()
        for variable in layer.weights
    }


def groups_of_file(path):
    """[(group, [(layer, {role: shape}), ...]), ...], in the order of the file."""
    groups = []
    with h5py.File(path) as file:
        for group in file.attrs["layer_names"]:
            found = {}
            for name in file[group].attrs["weight_names"]:
                layer, _, role = name.decode().rpartition("/")
                shape = file[group][name].shape
                found.setdefault(layer, {})[role.removesuffix(":0")] = shape
            if found:
                groups.append((group.decode(), list(found.items())))
    return groups


def _nested(found, name):
    names = LayerNames()
    # Keras numbers the layers of a model as they are made.
    made = {}
    for layer, shapes in sorted(found, key=lambda item: split_name(item[0])):
        made[layer] = _layer(_inner_name(layer, name, names), shapes)
    inputs = [_input(shapes) for _, shapes in found]
    outputs = [made[layer](xi) for (layer, _), xi in zip(found, inputs, strict=True)]
    return keras.Model(inputs, outputs, name=name), made


def _inner_name(layer, container, names):
    family, numbers = split_name(layer)
    if container.endswith("SAM") and family in ("custom_sam", "separable_conv2d"):
        return f"custom_sam_{(numbers[0] + (family != 'custom_sam')) % 2}"
    return _own_name(layer, names)


def _own_name(layer, names):
    family, _ = split_name(layer)
    kinds = ("conv1d", "conv2d", "dense", "separable_conv2d", "batch_normalization")
    return names(family) if family in kinds else layer


def _layer(name, shapes):
    if "moving_mean" in shapes:
        return layers.BatchNormalization(scale="gamma" in shapes, name=name)
    kernel = shapes.get("kernel", shapes.get("depthwise_kernel"))
    if name.startswith("custom_sam"):
        return LinearInterpolation2D(int(name[-1]), name=name)
    if name.startswith("dense"):
        return ContextAggregation(kernel[0] // kernel[1], 0.8, name=name)
    if name.startswith("conv1d"):
        return LinearInterpolation1D(name=name)
    if "depthwise_kernel" in shapes:
        filters = shapes["pointwise_kernel"][-1]
        kind, size = layers.SeparableConv2D, kernel[:2]
    else:
        kind, size, filters = layers.Conv2D, kernel[:2], kernel[-1]
    return kind(filters, size, padding="same", use_bias=False, name=name)


def _input(shapes):
    if "moving_mean" in shapes:
        return keras.Input(shapes["moving_mean"])
    kernel = shapes.get("kernel", shapes.get("depthwise_kernel"))
    if len(kernel) == 2:
        joints = (kernel[1], kernel[0], kernel[0])
        return [keras.Input((n, k)) for n, k in zip(joints, (2, 2, 1), strict=True)]
    return keras.Input(kernel[:-1])
