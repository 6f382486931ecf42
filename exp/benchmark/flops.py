"""What a network costs, and what a chip gives: FLOPs of a model, peaks of GPUs."""

import math

import keras
from keras import layers

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)

TRAINING = 3
"""A training step's cost over a forward pass: two products go back for each one."""

PEAKS = {
    "H200": (494.7, 989.4),
    "H100 NVL": (417.5, 835.5),
    "H100 PCIe": (378.0, 756.0),
    "H100": (494.7, 989.4),
    "A100": (156.0, 312.0),
    "L4": (60.0, 121.0),
    "T4": (8.1, 65.0),
    "V100": (15.7, 125.0),
    "RTX 4090": (82.6, 165.2),
    "RTX 3090": (35.6, 71.0),
}
"""Dense matrix peak in TFLOP/s by NVIDIA's data sheets, of the SXM form where there are
several: (float32, 16 bits with sums in float32). float32 is TF32 on tensor cores, which
these frameworks use for convolutions by default; T4 and V100 do not have it."""


def count_flops(model: keras.Model) -> int:
    """Cost of a forward pass for one sample: 2 for each multiply and add.

    Convolutions and dense layers count, each as often as it is called; the rest,
    together below a hundredth in these networks, does not.

    Args:
        model: functional model with fixed sizes; nested models count too.
    """
    total = 0
    for level in model._nodes_by_depth.values():
        for node in level:
            layer = node.operation
            if hasattr(layer, "_nodes_by_depth"):
                total += count_flops(layer)
            elif isinstance(layer, keras.Layer) and layer.weights:
                given, made = node.input_tensors[0], node.outputs[0]
                total += 2 * _products(layer, given.shape[1:], made.shape[1:])
    return total


def _products(layer, given: tuple, made: tuple) -> int:
    """Multiplications of one call, by the shapes of its input and output."""
    places = math.prod(made[:-1])
    if isinstance(layer, _SEPARABLE):
        depthwise = math.prod(layer.depthwise_kernel.shape)
        return places * (depthwise + math.prod(layer.pointwise_kernel.shape))
    if isinstance(layer, _TRANSPOSED):
        return math.prod(given[:-1]) * math.prod(layer.kernel.shape)
    if isinstance(layer, (*_CONVOLUTIONS, *_DEPTHWISE, layers.Dense)):
        return places * math.prod(layer.kernel.shape)
    return 0


def peak_tflops(device: str, precision: str) -> float | None:
    """The peak of PEAKS for a device's name; None where the name is not known.

    Args:
        device: as the driver names it: "NVIDIA H200", "Tesla T4".
        precision: "float32", "bfloat16" or "float16".
    """
    words = device.replace("-", " ").split()
    for name, (single, half) in PEAKS.items():
        if all(word in words for word in name.split()):
            return single if precision == "float32" else half
    return None
