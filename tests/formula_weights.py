"""Weights from a formula, the same here and in the original code.

Tensor number i of a file is drawn from NumPy's generator with seed i, scaled by its
role; tests/golden/reception.npz holds what the original network makes of such weights.
"""

import zlib

import numpy as np

from deephar.checkpoints.layout import groups_of

GAINS = {"RegMap": 4.0, "PoseAR": 1.3, "GuidedVisAR": 1.3}


def formula_weight(index, layer, role, shape):
    """The float32 tensor number `index`, of top-level layer `layer`."""
    normal = np.random.RandomState(index).standard_normal(shape)
    if role == "moving_variance":
        return (1 + 0.2 * np.abs(normal)).astype("float32")
    if role in ("moving_mean", "beta"):
        return (0.1 * normal).astype("float32")
    fan_in = np.prod(shape[:-1]) if role != "depthwise_kernel" else shape[0] * shape[1]
    gain = next((g for name, g in GAINS.items() if layer.startswith(name)), 1.0)
    return (gain * normal / np.sqrt(fan_in)).astype("float32")


def set_formula_weights(model):
    """Sets every variable of `model`, numbered in the order of the file layout."""
    slots = [
        (layer.name, slot)
        for layer, slots in groups_of(model, "formula")
        for slot in slots
        if slot.variable is not None
    ]
    for i, (name, slot) in enumerate(slots):
        slot.variable.assign(formula_weight(i, name, slot.role, slot.shape))


NAMED_GAINS = ("heatmaps_conv1", "depthmaps_conv1", "conv2h")


def named_weight(layer, role, shape):
    """The float32 tensor of a layer, by its name and the tensor's role alone."""
    seed = zlib.crc32(f"{layer}/{role}".encode())
    normal = np.random.RandomState(seed).standard_normal(shape)
    if role in ("moving_variance", "gamma"):
        wide = 0.2 * np.abs(normal) if role == "moving_variance" else 0.1 * normal
        return (1 + wide).astype("float32")
    if role in ("moving_mean", "beta"):
        return (0.1 * normal).astype("float32")
    fan_in = np.prod(shape[:-1]) if role != "depthwise_kernel" else shape[0] * shape[1]
    gain = 3.0 if any(name in layer for name in NAMED_GAINS) else 1.0
    return (gain * normal / np.sqrt(fan_in)).astype("float32")


def set_named_weights(model):
    """Sets every variable of an SPNet; returns the names LAYER/ROLE, sorted.

    tests/golden/spnet.npz holds what the original makes of such weights.
    """
    names = []
    for layer, slots in groups_of(model, "formula"):
        for slot in slots:
            if slot.variable is not None:
                value = named_weight(layer.name, slot.role, slot.shape)
                slot.variable.assign(value)
                names.append(f"{layer.name}/{slot.role}")
    return sorted(names)


def formula_pictures(shape=(2, 64, 64, 3)):
    """Pictures in [-1, 1], float32."""
    return np.random.RandomState(7).uniform(-1, 1, shape).astype("float32")
