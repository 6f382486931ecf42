"""What the names in pickles of data stand for: functions that trust no argument.

`deephar.utils.pickles` calls them in place of what the names mean to Python.
"""

import collections
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_TEXTS = (str, bytes, type(None))
_ATOMS = (*_TEXTS, int, float, np.integer, np.bool_)
"""What may be a key or a member of a set."""
_KEY_BITS, _KEY_PARTS = 64, 100
"""Integers in keys have at most so many bits, tuples and sets in them so many parts."""
_MOST_PARTS = 10_000
"""Parts of all keys and members of a file that are no texts.

Other hashes than those of texts can be made the same, and then the time that a
dictionary takes grows with the square of its keys.
"""
_DTYPE = re.compile(r"b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU](0|[1-9]\d*)|O8")
_MOST_SIDES, _LONGEST = 64, 2**40
"""Arrays have at most so many sides, each shorter than that."""
_LAST_CHARACTER = 0x10FFFF


class Unbuilt:
    """What a function of the table returns for a value that is still to be described.

    A data type or an array is named first and described by a later operation, whose
    argument `build` is given.
    """

    value: Any = None
    built = False

    def build(self, state: Any) -> Any:
        """Returns the value; ValueError if the state does not describe one."""
        raise NotImplementedError


class Attributed(collections.OrderedDict):
    """An ordered dictionary that a later operation may give attributes, unlike others.

    They are data about the values, which only their writer needs, and are not kept.
    """

    def check_attributes(self, state: Any) -> None:
        """Raises ValueError unless the attributes are those that it may have."""
        raise NotImplementedError


class Budget:
    """How much may still be made: a small file must not fill the memory."""

    def __init__(self, size: int):
        self.left = size
        self.parts = _MOST_PARTS

    def take(self, size: int) -> None:
        """Takes `size` bytes or elements; ValueError if so many are not left."""
        self.left -= size
        if self.left < 0:
            raise ValueError("it grows far beyond the size of the file")


class Name:
    """A name of the table, as the file asked for it."""

    def __init__(self, text: str, make: Callable):
        self.text = text
        self.make = make


def member(budget: Budget, value: Any) -> Any:
    """Returns a value that may be a key; ValueError for others.

    Tuples in tuples may take forever to be hashed, so the parts are counted.
    """
    if isinstance(value, _TEXTS):
        return value
    waiting, seen = [value], 1
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple | frozenset):
            seen += len(one)
            if seen > _KEY_PARTS:
                raise ValueError(f"a key or member of more than {_KEY_PARTS} parts")
            waiting += one
        elif not isinstance(one, _ATOMS):
            raise ValueError(
                "a key or member must be a number or a string, or a tuple or frozenset "
                "of these"
            )
        elif isinstance(one, int) and one.bit_length() > _KEY_BITS:
            raise ValueError(f"a key or member of more than {_KEY_BITS} bits")
    budget.parts -= seen
    if budget.parts < 0:
        raise ValueError(
            f"keys and members, other than texts, of more than {_MOST_PARTS} parts"
        )
    return value


class _Type(Unbuilt):
    """A data type of NumPy: numbers, truth values, texts of a fixed length."""

    def __init__(self, budget: Budget, text: Any, align: Any = False, copy: Any = True):
        if not isinstance(text, str) or not _DTYPE.fullmatch(text):
            raise ValueError(f"an array of the type {_shown(text)}, not of numbers")
        self.text = text

    def build(self, state):
        order = state[1]
        if order not in ("<", ">", "=", "|") or state[2:5] != (None, None, None):
            raise ValueError(f"an array of a type made of others, of {self.text}")
        return np.dtype(self.text).newbyteorder(order)


class _Array(Unbuilt):
    """An array, whose description is its shape, type, order and bytes."""

    def __init__(self, budget: Budget, kind: Any, shape: Any, letter: Any):
        if not isinstance(kind, Name) or kind.text != "numpy.ndarray":
            raise ValueError("an array of another class than numpy.ndarray")
        if shape != (0,):
            raise ValueError(f"an empty array of the shape {_shown(shape)}")
        self.budget = budget

    def build(self, state):
        _, shape, dtype, fortran, data = state
        if isinstance(data, list):
            return _objects(self.budget, data, dtype, shape)
        return _filled(self.budget, data, dtype, shape, "F" if fortran else "C")


def _objects(budget: Budget, data: list, dtype: Any, shape: Any):
    """Returns an array of objects; ValueError unless they are as many as it needs."""
    if not isinstance(dtype, np.dtype) or not dtype.hasobject or not _is_shape(shape):
        raise ValueError("a list for an array of other than objects")
    if math.prod(shape) != len(data):
        raise ValueError(
            f"an array of objects of the shape {_shown(shape)} of {len(data)} objects"
        )
    budget.take(8 * len(data))
    return np.fromiter(data, dtype, len(data)).reshape(shape)


def _filled(budget: Budget, data: Any, dtype: Any, shape: Any, order: Any):
    """Returns an array of its bytes; ValueError unless they are as many as it needs."""
    data = data.encode("latin-1") if isinstance(data, str) else data
    if not isinstance(dtype, np.dtype) or not isinstance(data, bytes | bytearray):
        raise ValueError("an array whose type or bytes are not described")
    if dtype.hasobject:
        raise ValueError("an array of objects of bytes")
    if not _is_shape(shape) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(
            f"an array of the shape {_shown(shape)} and type {dtype} of {len(data)} "
            "bytes"
        )
    budget.take(len(data))
    if dtype.itemsize == 0:
        budget.take(4 * math.prod(shape))
        return np.zeros(shape, dtype)
    if dtype.kind == "U":
        letters = np.frombuffer(data, np.dtype("u4").newbyteorder(dtype.byteorder))
        if letters.max(initial=0) > _LAST_CHARACTER:
            raise ValueError("an array of texts that holds what is no character")
    return np.ndarray(shape, dtype, bytes(data), order=order).copy(order="K")


def _is_shape(value: Any) -> bool:
    """Tells whether a value is a tuple of the sides of an array."""
    if type(value) is not tuple or len(value) > _MOST_SIDES:
        return False
    return all(type(side) is int and 0 <= side < _LONGEST for side in value)


def _shown(value: Any) -> str:
    """Returns a value for a message; nested ones may be endless, so only their type."""
    if _is_shape(value) or isinstance(value, str):
        return f"{value!r:.80}"
    return type(value).__name__


def _scalar(budget: Budget, dtype: Any, data: Any) -> np.generic:
    return _filled(budget, data, dtype, (), "C")[()]


def _frombuffer(budget: Budget, data: Any, dtype: Any, shape: Any, order: Any):
    return _filled(budget, data, dtype, shape, order)


def _no_call(budget: Budget, *arguments):
    raise ValueError("a call of numpy.ndarray")


def _encoded(budget: Budget, text: Any, encoding: Any) -> bytes:
    """Bytes as protocols 0 to 2 write them."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError(f"a text in the encoding {_shown(encoding)}")
    budget.take(len(text))
    return text.encode("latin-1")


def _bytes(kind: type) -> Callable:
    """Returns the function that makes a copy of bytes, or none of nothing."""

    def make(budget: Budget, data: Any = b"", *more):
        data = _encoded(budget, data, *more) if more else data
        if not isinstance(data, bytes | bytearray):
            raise ValueError(f"{kind.__name__} of what are no bytes")
        budget.take(len(data))
        return kind(data)

    return make


def _members(kind: type) -> Callable:
    """Returns the function that makes a container of a list of its members."""

    def make(budget: Budget, values: Any = ()):
        if not isinstance(values, list | tuple):
            raise ValueError(f"{kind.__name__} of what is no list")
        budget.take(len(values))
        return kind(member(budget, one) for one in values)

    return make


def _ordered(budget: Budget, items: Any = ()) -> collections.OrderedDict:
    if not isinstance(items, list | tuple):
        raise ValueError("an ordered dictionary of what is no list")
    budget.take(len(items))
    return collections.OrderedDict((member(budget, key), value) for key, value in items)


def _complex(budget: Budget, real: Any, imaginary: Any = 0.0) -> complex:
    if not all(isinstance(one, int | float) for one in (real, imaginary)):
        raise ValueError("a complex number of what are no numbers")
    return complex(real, imaginary)


CONTAINERS: Mapping[str, Callable] = {
    "_codecs.encode": _encoded,
    "builtins.bytearray": _bytes(bytearray),
    "builtins.bytes": _bytes(bytes),
    "builtins.complex": _complex,
    "builtins.frozenset": _members(frozenset),
    "builtins.set": _members(set),
    "collections.OrderedDict": _ordered,
}
"""Names that protocols without an operation of their own need for plain values."""

NUMPY: Mapping[str, Callable] = {
    "numpy.dtype": _Type,
    "numpy.ndarray": _no_call,
    "numpy._core.multiarray._reconstruct": _Array,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy._core.numeric._frombuffer": _frombuffer,
}
"""Arrays and scalars of numbers and of texts."""

DATA: Mapping[str, Callable] = {**CONTAINERS, **NUMPY}
"""The table of `restricted_load` where none is given."""
