"""What a model wants from a Keras 2 file: its tensors, in that layout's order.

A top-level layer is one group. A nested model is one group too: the trained tensors of
its layers come first, then their moving statistics and constants, each in the order of
the layers (Keras sorts them by depth), however deep they lie. A layer that the original
applied to the frames of a clip by TimeDistributed is the same group.

So a model must be made of the original's top-level layers, under their names; the td_
that the original puts before some of them may be left out (`Stem` for `td_Stem`), and
layers that it leaves to Keras to name are named by `LayerNames`. A nested model that
the original does not know is named as in `PARTS`: its layers count as top-level ones.

The constants are those that the original stores for layers that hold no weights here.
Such a layer declares them: `published_kernels` gives {option: [(role, array), ...]},
the option that it computes with first; `published_families` what kinds of layer the
original made of it; and if there are several options, `select_published` takes one.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

import keras

_TRAINED = (
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "bias",
    "gamma",
    "beta",
)
_STATISTICS = ("moving_mean", "moving_variance")
_FAMILIES = frozenset(
    """batch_normalization conv1d conv2d conv2d_transpose conv3d custom_sam dense
    locally_connected1d separable_conv2d""".split()
)
PARTS = ("frame_model", "clip_head")
"""Names of nested models that are no group of a file: what is done for each frame, and
what is done for a clip with the results."""

_PER_FRAME = "td_"
_FIRST_NUMBER = defaultdict(lambda: 1, custom_sam=0)


@dataclass(frozen=True)
class Slot:
    """A place for a tensor: a variable of a layer, or a constant (no variable)."""

    layer: keras.layers.Layer
    container: str
    role: str
    shape: tuple
    variable: object = None

    def __str__(self):
        return f"{self.layer.name}/{self.role} {self.shape}"


def groups_of(model, path):
    """`(layer, slots)` of every top-level layer that has tensors.

    Args:
        model: A functional model.
        path: The file, for the error message.

    Raises:
        ValueError: the layout has no place for some variable of the model.
    """
    groups = [(layer, _slots(layer)) for layer in _top_level(model)]
    reached = {id(slot.variable) for _, slots in groups for slot in slots}
    missed = [v.path for v in model.weights if id(v) not in reached]
    if missed:
        raise ValueError(
            f"{path}: the Keras 2 layout has no place for these variables of the "
            f"model: {', '.join(missed)}."
        )
    return [(layer, slots) for layer, slots in groups if slots]


def _top_level(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.name in PARTS:
            yield from _top_level(layer)
        else:
            yield layer


def _slots(layer):
    trained, others = [], []
    for leaf, container in _leaves(layer):
        variables = {v.path.rpartition("/")[2]: v for v in leaf.weights}
        for slots, roles in ((trained, _TRAINED), (others, _STATISTICS)):
            for role in roles:
                if role in variables:
                    v = variables[role]
                    slots.append(Slot(leaf, container, role, tuple(v.shape), v))
        if hasattr(leaf, "published_kernels"):
            kernels = next(iter(leaf.published_kernels().values()))
            others += [Slot(leaf, container, role, k.shape) for role, k in kernels]
    return trained + others


def _leaves(layer, container=""):
    """The layers of a nested model, with the path of the model that they lie in."""
    if isinstance(layer, keras.Model):
        for inner in layer.layers:
            yield from _leaves(inner, f"{container}/{layer.name}")
    else:
        yield layer, container


def options_of(model):
    """Layers that compute one of several published forms: {path: (layer, form)}."""
    leaves = (leaf for layer in model.layers for leaf in _leaves(layer))
    return {
        f"{container}/{layer.name}".strip("/"): (layer, _first_option(layer))
        for layer, container in leaves
        if hasattr(layer, "select_published")
    }


def _first_option(layer):
    return next(iter(layer.published_kernels()))


def select_options(model, options):
    """Sets the forms of layers, `(layer, form)` each, and forgets traced functions."""
    for layer, option in options:
        layer.select_published(option)
    if options:
        model.train_function = None
        model.test_function = None
        model.predict_function = None


def split_name(name):
    """A name's family and numbers: ("conv2d", (7,)) for conv2d_7."""
    parts = re.fullmatch(r"(.*?)((?:_\d+)*)", name)
    return parts[1], tuple(int(n) for n in parts[2].split("_") if n)


def is_numbered(layer):
    """Whether the original leaves the name of a layer to Keras."""
    return split_name(layer.name)[0] in _FAMILIES


def same_name(layer, name):
    """Whether a layer that a file calls `name` can be ours.

    Keras 2 numbers the layers without a name of their own over a whole process, and
    TensorFlow 1 appends a number to a name used again.
    """
    if is_numbered(layer):
        families = {*_published_families(layer), split_name(layer.name)[0]}
        return split_name(name)[0] in families
    return re.fullmatch(re.escape(layer.name) + r"(_\d+)?", name) is not None


def same_group(layer, name):
    """Whether the top-level layer that a file calls `name` can be ours."""
    return same_name(layer, name) or same_name(layer, name.removeprefix(_PER_FRAME))


def keys_by_name(names):
    """What identifies each of the top-level layers of a file or a model: {key: name}.

    That is the name itself; for layers without a name of their own it is their kind and
    their place among those of their kind, in the order of their making.

    Raises:
        ValueError: two names stand for the same layer.
    """
    keys, places = {}, defaultdict(int)
    for name in sorted(names, key=split_name):
        key, _ = split_name(name)
        if key in _FAMILIES:
            places[key] += 1
            key = f"{key} {places[key]}"
        else:
            key = name.removeprefix(_PER_FRAME)
        if key in keys:
            raise ValueError(f"{keys[key]} and {name} stand for the same layer.")
        keys[key] = name
    return keys


def file_names(groups):
    """Names for the layers of a file, each used once: {layer: name}.

    Numbers run on from model to model, and a name used again gets a number, as in the
    files of the original.
    """
    containers = defaultdict(dict)
    for _, slots in groups:
        for slot in slots:
            containers[slot.container][slot.layer] = None
    names, counts = {}, defaultdict(int)
    for layers in containers.values():
        for layer in sorted(layers, key=lambda layer: split_name(layer.name)):
            family = layer.name
            if is_numbered(layer):
                family = next(iter(_published_families(layer)), None)
                family = family or split_name(layer.name)[0]
                number = f"_{_FIRST_NUMBER[family] + counts[family]}"
            else:
                number = f"_{counts[family]}" if counts[family] else ""
            names[layer] = family + number
            counts[family] += 1
    return names


def _published_families(layer):
    return getattr(layer, "published_families", ())
