"""What the names in PyTorch's checkpoints stand for: functions that trust no argument.

The table of `deephar.checkpoints.pytorch`: tensors become arrays of NumPy, and a
RandomState of NumPy, which trainings keep beside the weights, is made anew from its
numbers. Nothing else that a file names is known.
"""

import collections
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deephar.utils.pickle_values import DATA, Attributed, Budget, Name, Unbuilt

TYPES: Mapping[str, np.dtype] = {
    "torch.FloatStorage": np.dtype("<f4"),
    "torch.DoubleStorage": np.dtype("<f8"),
    "torch.HalfStorage": np.dtype("<f2"),
    "torch.BFloat16Storage": np.dtype("<u2"),
    "torch.LongStorage": np.dtype("<i8"),
    "torch.IntStorage": np.dtype("<i4"),
    "torch.ShortStorage": np.dtype("<i2"),
    "torch.CharStorage": np.dtype("i1"),
    "torch.ByteStorage": np.dtype("u1"),
    "torch.BoolStorage": np.dtype("u1"),
}
"""Types of storages, as their numbers lie in a file."""

_SIDES, _LONGEST = 64, 2**40
_OBJECT, _RANDOM = 64, 4096
"""What a tensor or a generator, and the state of one, count beside what the file holds
of them."""
_WORDS = 624
"""Numbers of the Mersenne Twister's state."""


class Storage(Unbuilt):
    """The numbers that tensors of a file look at."""

    def __init__(self, kind: str, count: int, values: np.ndarray):
        self.kind = kind
        self.count = count
        self.values = values

    def build(self, state):
        raise ValueError("a description of a storage")


class Storages:
    """What the persistent ids of a file stand for: each storage once.

    Args:
        make: Function of a storage's key, type and count of numbers that returns its
            numbers; ValueError if the file cannot hold them.
    """

    def __init__(self, make: Callable[[str, str, int], np.ndarray]):
        self.make = make
        self.found: dict[str, Storage] = {}

    def __call__(self, budget: Budget, asked: Any) -> Storage:
        kind, key, count = _storage_of(asked)
        if key not in self.found:
            self.found[key] = Storage(kind, count, self.make(key, kind, count))
        storage = self.found[key]
        if (storage.kind, storage.count) != (kind, count):
            raise ValueError(f"a storage {key!a:.40} of two sizes or types")
        return storage


def _storage_of(asked: Any) -> tuple[str, str, int]:
    """Returns type, key and count of numbers of a persistent id."""
    if type(asked) is not tuple or len(asked) not in (5, 6) or asked[0] != "storage":
        raise ValueError("a persistent id that is not of a storage")
    _, kind, key, place, count, *part = asked
    if not isinstance(kind, Name) or kind.text not in TYPES:
        raise ValueError("a storage of what is no type of numbers")
    if not isinstance(key, str) or not isinstance(place, str):
        raise ValueError("a storage whose key or place is no text")
    if type(count) is not int or not 0 <= count < _LONGEST:
        raise ValueError(f"a storage {key!a:.40} of a size that cannot be")
    if part not in ([], [None]):
        raise ValueError(f"a storage {key!a:.40} that is a part of another")
    return kind.text, key, count


def empty(kind: str, count: int) -> np.ndarray:
    """Returns an array for the numbers of a storage, as `decoded` gives them."""
    return np.empty(count, decoded(kind, b"").dtype)


def decoded(kind: str, data: bytes | memoryview, order: str = "<") -> np.ndarray:
    """Returns the numbers of a storage's bytes, in the order of this machine.

    bfloat16 becomes float32, which holds its every value.
    """
    dtype = TYPES[kind].newbyteorder(order)
    values = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
    if kind == "torch.BFloat16Storage":
        return (values.astype(np.uint32) << 16).view(np.float32)
    if kind == "torch.BoolStorage":
        if values.max(initial=0) > 1:
            raise ValueError("truth values that are neither 0 nor 1")
        return values.astype(bool)
    return values


def _tensor(
    budget: Budget,
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any = False,
    hooks: Any = (),
    metadata: Any = None,
) -> np.ndarray:
    """Returns a tensor: what it looks at of its storage."""
    if not isinstance(storage, Storage):
        raise ValueError("a tensor of what is no storage")
    if not _are_sides(size) or not _are_sides(stride) or not _are_sides((offset,)):
        raise ValueError("a tensor whose shape, strides or offset are no small numbers")
    if len(size) != len(stride) or hooks or metadata:
        raise ValueError("a tensor that is more than its numbers")
    budget.take(_OBJECT)
    values = storage.values
    count = math.prod(size)
    if count == 0:
        return np.empty(size, values.dtype)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if last >= len(values) or count > len(values):
        raise ValueError(
            f"a tensor of the shape {size} that reaches beyond its storage of "
            f"{len(values)}"
        )
    steps = tuple(step * values.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(values[offset:], size, steps)


def _are_sides(values: Any) -> bool:
    if type(values) is not tuple or len(values) > _SIDES:
        return False
    return all(type(side) is int and 0 <= side < _LONGEST for side in values)


def _parameter(budget: Budget, data: Any, requires_grad: Any, hooks: Any) -> np.ndarray:
    if not isinstance(data, np.ndarray) or hooks:
        raise ValueError("a parameter that is more than its numbers")
    return data


class _StateDict(Attributed):
    """Weights by name; PyTorch gives them the versions of their modules."""

    def check_attributes(self, state):
        if not isinstance(state, dict) or list(state) != ["_metadata"]:
            raise ValueError("attributes of an ordered dictionary")


def _ordered(budget: Budget, items: Any = ()) -> collections.OrderedDict:
    return _StateDict(DATA["collections.OrderedDict"](budget, items))


class _BitGenerator(Unbuilt):
    """A Mersenne Twister. Its state stands in the RandomState again."""

    def __init__(self, budget: Budget, kind: Any = "MT19937"):
        if isinstance(kind, Name):
            kind = kind.text.rsplit(".", 1)[1]
        if kind != "MT19937":
            raise ValueError("a generator of random numbers other than MT19937")
        budget.take(_OBJECT)

    def build(self, state):
        if type(state) is tuple and len(state) == 2 and state[1] is None:
            state = state[0]
        if not isinstance(state, dict):
            raise ValueError("a state of random numbers of an unknown form")
        _twister(state.get("bit_generator"), state.get("state"))
        return self


class _RandomState(Unbuilt):
    """A RandomState, as NumPy 1 and 2 write it."""

    def __init__(self, budget: Budget, generator: Any = "MT19937", make: Any = None):
        if generator != "MT19937" and not isinstance(generator, _BitGenerator):
            raise ValueError("random numbers of what is no MT19937")
        if make is not None and not isinstance(make, Name):
            raise ValueError("random numbers of what is no MT19937")
        budget.take(_OBJECT)
        self.budget = budget

    def build(self, state):
        if isinstance(state, dict):
            inner = _twister(state.get("bit_generator"), state.get("state"))
            state = (*inner, state.get("has_gauss"), state.get("gauss"))
        elif type(state) is tuple and len(state) == 5:
            kind, key, place, *gauss = state
            inner = _twister(kind, {"key": key, "pos": place})
            state = (*inner, *gauss)
        else:
            raise ValueError("a state of random numbers of an unknown form")
        number = state[4]
        if state[3] not in (0, 1) or type(number) not in (int, float):
            raise ValueError("a state of random numbers of an unknown form")
        if not math.isfinite(number):
            raise ValueError("a state of random numbers that is not finite")
        self.budget.take(_RANDOM)
        random = np.random.RandomState(0)
        random.set_state(state)
        return random


def _twister(kind: Any, state: Any) -> tuple[str, np.ndarray, int]:
    """Returns (kind, key, position) of a Mersenne Twister, checked."""
    if kind != "MT19937" or not isinstance(state, dict):
        raise ValueError("a state of random numbers of an unknown form")
    key, place = state.get("key"), state.get("pos")
    if isinstance(key, list) and all(type(number) is int for number in key):
        key = np.array(key)
    if not isinstance(key, np.ndarray):
        raise ValueError("a state of random numbers of an unknown form")
    if key.shape != (_WORDS,) or key.dtype.kind not in "iu":
        raise ValueError(f"a state of random numbers that has not {_WORDS} of them")
    if key.min() < 0 or key.max() >= 2**32:
        raise ValueError("a state of random numbers that are not of 32 bits")
    if type(place) is not int or not 0 <= place <= _WORDS:
        raise ValueError("a state of random numbers at a place that is not there")
    return "MT19937", key.astype(np.uint32), place


def _no_call(budget: Budget, *arguments):
    raise ValueError("a call of a type")


TABLE: Mapping[str, Callable] = {
    **DATA,
    **dict.fromkeys(TYPES, _no_call),
    "collections.OrderedDict": _ordered,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "numpy.random.__RandomState_ctor": _RandomState,
    "numpy.random._pickle.__randomstate_ctor": _RandomState,
    "numpy.random._pickle.__bit_generator_ctor": _BitGenerator,
    "numpy.random._mt19937.MT19937": _no_call,
}
"""Names that checkpoints need."""
