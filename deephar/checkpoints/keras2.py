"""The original's weight files: HDF5 in the layout of Keras 2.

An attribute `layer_names`, a group for each top-level layer with an attribute
`weight_names`, then the tensors; see `layout` for their order. All tensors are used
but the constants of weightless layers, which are compared with what our layers compute.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field

import h5py
import keras
import numpy as np

from deephar.checkpoints.layout import (
    file_names,
    groups_of,
    is_numbered,
    keys_by_name,
    same_group,
    same_name,
    select_options,
    split_name,
)
from deephar.checkpoints.messages import SHOWN, short

_LATE_GROUP = "top_level_model_weights"
"""Empty group that the last versions of Keras 2 add."""
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Tensor:
    """A tensor of a file, named LAYER/ROLE:0, not read yet."""

    name: str
    data: h5py.Dataset

    @property
    def path(self):
        return self.name.rpartition("/")[0]

    @property
    def layer(self):
        return self.path.rpartition("/")[2]

    @property
    def role(self):
        return self.name.rpartition("/")[2].removesuffix(":0")

    def __str__(self):
        return f"{self.name} {self.data.shape}"


@dataclass
class Assignment:
    """What is left to do once everything is checked."""

    model: keras.Model
    values: list = field(default_factory=list)
    options: list = field(default_factory=list)

    def __call__(self):
        for variable, value in self.values:
            variable.assign(value)
        select_options(self.model, self.options)


def root_of(file):
    """The group with the weights, or None if a file is of another kind."""
    for root in (file, file.get("model_weights")):
        if isinstance(root, h5py.Group) and "layer_names" in root.attrs:
            return root
    return None


def plan(model, root, path, by_name, names_count=True):
    """Reads and checks everything.

    Args:
        model: A built model.
        root: What `root_of` gives.
        path: The file, for messages.
        by_name: Match the top-level layers by name, not by order.
        names_count: Whether layers must have the model's names too. Without, order,
            roles, shapes and constants decide, as in the original's own loading.

    Returns:
        The `Assignment` to call.

    Raises:
        ValueError: file and model do not agree.
    """
    model_groups, file_groups = groups_of(model, path), _groups(root, path)
    if by_name:
        pairs = _pair_by_name(model_groups, file_groups, path)
    else:
        pairs = _pair_by_order(model_groups, file_groups, path, names_count)
    groups = []
    for name, slots, tensors in pairs:
        _match_group(name, slots, tensors, path, names_count)
        groups.append((slots, tensors))
    if names_count:
        _check_numbers(groups, path)
    assignment = Assignment(model)
    for slots, tensors in groups:
        constants = defaultdict(list)
        for slot, tensor in zip(slots, tensors, strict=True):
            value = _finite(tensor.data, path)
            if slot.role == "moving_variance" and (value < 0).any():
                raise ValueError(
                    f"{path}: {tensor.data.name} holds negative variances."
                )
            if slot.variable is None:
                constants[slot.layer].append(value)
            else:
                assignment.values.append((slot.variable, value))
        for layer, kernels in constants.items():
            option = _published_option(layer, kernels, path)
            if option is not None:
                assignment.options.append((layer, option))
    return assignment


def write(model, path):
    """Writes a model's weights, and the constants of its weightless layers."""
    groups = groups_of(model, path)
    names = file_names(groups)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = _encoded([layer.name for layer, _ in groups])
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.1.4"
        for layer, slots in groups:
            group = file.create_group(layer.name)
            tensors = [(f"{names[s.layer]}/{s.role}:0", _value(s)) for s in slots]
            group.attrs["weight_names"] = _encoded([name for name, _ in tensors])
            for name, value in tensors:
                group.create_dataset(name, data=value)


def _encoded(names):
    return np.array([name.encode() for name in names])


def _value(slot):
    if slot.variable is not None:
        return slot.variable.numpy()
    return dict(next(iter(slot.layer.published_kernels().values())))[slot.role]


def _groups(root, path):
    """(group name, tensors) of every group that has tensors."""
    backend = root.attrs.get("backend", b"tensorflow")
    if backend not in (b"tensorflow", "tensorflow"):
        raise ValueError(
            f"{path}: must be written with TensorFlow, other backends flip the "
            f"kernels. Received: {backend=}"
        )
    names = _listed(root, "layer_names", path)
    unlisted = sorted(set(root) - set(names))
    if _LATE_GROUP in unlisted and not len(root[_LATE_GROUP]):
        unlisted.remove(_LATE_GROUP)
    if unlisted:
        raise ValueError(
            f"{path}: has groups that layer_names does not list: {short(unlisted)}."
        )
    groups = []
    for name in names:
        if not isinstance(root.get(name), h5py.Group):
            raise ValueError(f"{path}: layer_names lists {name}, which is not there.")
        groups.append((name, _tensors(root[name], path)))
    return [(name, tensors) for name, tensors in groups if tensors]


def _listed(group, attribute, path):
    if attribute not in group.attrs:
        raise ValueError(f"{path}: {group.name} has no attribute {attribute}.")
    raw = np.ravel(group.attrs[attribute])
    names = [
        n.decode(errors="replace") if isinstance(n, bytes) else str(n) for n in raw
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"{path}: {attribute} of {group.name} names twice: {short(twice)}."
        )
    return names


def _tensors(group, path):
    names, found = _listed(group, "weight_names", path), []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found.append(name)

    group.visititems(visit)
    missing = [name for name in names if name not in found]
    extra = [name for name in found if name not in names]
    if missing or extra:
        raise ValueError(
            f"{path}: weight_names of {group.name} and its tensors differ. "
            f"Missing: {short(missing)}. Not listed: {short(extra)}."
        )
    return [Tensor(name, group[name]) for name in names]


def _finite(dataset, path):
    if dataset.dtype.kind != "f":
        raise ValueError(
            f"{path}: {dataset.name} must hold real numbers. "
            f"Received: dtype={dataset.dtype}"
        )
    with np.errstate(over="ignore"):
        value = dataset[...].astype("float32")
    if not np.isfinite(value).all():
        bad = value.size - np.count_nonzero(np.isfinite(value))
        raise ValueError(
            f"{path}: {dataset.name} holds values that are not finite: "
            f"{bad} of {value.size}."
        )
    return value


def _pair_by_order(model_groups, file_groups, path, names_count):
    for i in range(max(len(model_groups), len(file_groups))):
        fits = i < min(len(model_groups), len(file_groups))
        if fits and names_count:
            fits = same_group(model_groups[i][0], file_groups[i][0])
        if not fits:
            raise _difference(
                f"{path}: layer {i + 1} is not the model's",
                [layer.name for layer, _ in model_groups],
                [name for name, _ in file_groups],
                i,
            )
        layer, slots = model_groups[i]
        yield layer.name, slots, file_groups[i][1]


def _pair_by_name(model_groups, file_groups, path):
    slots = {layer.name: slots for layer, slots in model_groups}
    tensors = dict(file_groups)
    try:
        ours, theirs = keys_by_name(slots), keys_by_name(tensors)
    except ValueError as error:
        raise ValueError(f"{path}: cannot be read by name: {error}") from error
    missing = [name for key, name in ours.items() if key not in theirs]
    extra = [name for key, name in theirs.items() if key not in ours]
    if missing or extra:
        matched = len(ours) - len(missing)
        raise ValueError(
            f"{path}: has {matched or 'none'} of the model's {len(ours)} layers with "
            f"weights, by name. Missing: {short(missing)}. Only in the file: "
            f"{short(extra)}."
        )
    for key, name in ours.items():
        yield name, slots[name], tensors[theirs[key]]


def _match_group(name, slots, tensors, path, names_count):
    """Pairs slots and tensors one to one, and so the layers of both sides."""
    ours, theirs = {}, {}
    for i in range(max(len(slots), len(tensors))):
        if i == len(slots) or i == len(tensors):
            reason = "the number of tensors differs"
        else:
            reason = _mismatch(slots[i], tensors[i], ours, theirs, names_count)
        if reason:
            raise _difference(
                f"{path}: tensor {i + 1} of {name} is not the model's: {reason}",
                [str(slot) for slot in slots],
                [str(tensor) for tensor in tensors],
                i,
            )


def _mismatch(slot, tensor, ours, theirs, names_count):
    """Why a tensor cannot be a slot's; "" if it can."""
    if tensor.role != slot.role:
        return f"it must be a {slot.role}"
    if tensor.data.shape != slot.shape:
        return f"its shape must be {slot.shape}"
    if names_count and not same_name(slot.layer, tensor.layer):
        return f"its layer must be {slot.layer.name}"
    if ours.setdefault(tensor.path, slot.layer) is not slot.layer:
        return f"{tensor.path} already stands for {ours[tensor.path].name}"
    if theirs.setdefault(slot.layer, tensor.path) != tensor.path:
        return f"the rest of {slot.layer.name} is in {theirs[slot.layer]}"
    return ""


def _check_numbers(groups, path):
    """Numbers in names must rise in the order of the layers' making.

    Only they tell layers of one shape apart: those that Keras named, and those of one
    name in models that differ by a number (rBlock1, rBlock2).
    """
    order = defaultdict(dict)
    for slots, tensors in groups:
        for slot, tensor in zip(slots, tensors, strict=True):
            series, place, number = _making(slot, tensor)
            order[series][place] = number, slot.container, tensor.path
    for places in order.values():
        in_order = [places[place] for place in sorted(places)]
        for before, after in zip(in_order[:-1], in_order[1:], strict=True):
            if after[0] <= before[0]:
                where = {c.strip("/") or "the model" for _, c, _ in (before, after)}
                raise ValueError(
                    f"{path}: the layers of {' and '.join(sorted(where))} are in "
                    f"another order than the model's: {before[2]} and {after[2]} stand "
                    "for each other."
                )


def _making(slot, tensor):
    """A slot's series of layers, its place there, and the number in the file."""
    stem, block = re.fullmatch(r"(.*?)(\d*)", slot.container).groups()
    name = slot.layer.name
    if is_numbered(slot.layer):
        family, number = split_name(name)
        return (stem, family), (int(block or 0), number), split_name(tensor.layer)[1]
    return (stem, name), (int(block or 0),), split_name(tensor.layer[len(name) :])[1]


def _published_option(layer, values, path):
    """Which of the forms of a weightless layer a file's constants are."""
    gaps = {}
    for option, kernels in layer.published_kernels().items():
        gaps[option] = max(
            float(np.abs(value - kernel).max())
            for value, (_, kernel) in zip(values, kernels, strict=True)
        )
    option = min(gaps, key=gaps.get)
    if gaps[option] > _TOLERANCE:
        raise ValueError(
            f"{path}: must hold the constants of {layer.name} "
            f"({type(layer).__name__}), but they differ by up to {gaps[option]:.3g}."
        )
    return option


def _difference(what, ours, theirs, i):
    def here(items):
        return ", ".join(items[max(0, i - 1) : i + SHOWN]) or "none"

    return ValueError(
        f"{what}. The model has {len(ours)}, near here {here(ours)}. "
        f"The file has {len(theirs)}, near here {here(theirs)}."
    )
