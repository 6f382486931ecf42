"""Rules for the fields of a configuration, and the errors that state them."""

import math
import numbers

import numpy as np


def put(instance, name, value):
    """Writes a field of a frozen dataclass while it is being made."""
    object.__setattr__(instance, name, value)


def plain(value):
    """Turns a NumPy number into Python's, which hashes and prints like any other."""
    return value.item() if isinstance(value, np.generic) else value


def is_finite(value):
    return isinstance(value, numbers.Real) and math.isfinite(value)


def is_count(value):
    return isinstance(value, numbers.Integral) and value >= 1


def is_positive(value):
    return is_finite(value) and value > 0


def is_flag(value):
    return value in (0, 1)


def error(name, value, rule):
    return ValueError(f"`{name}` {rule}. Received: {name}={value!r}")


def check_integers(name, values, length=None):
    if not isinstance(values, tuple) or (length is not None and len(values) != length):
        raise error(name, values, f"must be a sequence of {length} integers")
    if not all(is_count(value) for value in values):
        raise error(name, values, "must be made of integers of at least 1")
