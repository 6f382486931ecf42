"""Numbers, and names, on a command line: argparse types that say what they take."""

import argparse
import math


def _number(text: str, kind: type, rule: str, holds) -> int | float:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not holds(value):
        raise argparse.ArgumentTypeError(f"must be {rule}. Received: {text}")
    return value


def positive_int(text: str) -> int:
    """An integer of at least 1."""
    return _number(text, int, "an integer of at least 1", lambda n: n >= 1)


def natural(text: str) -> int:
    """An integer of at least 0."""
    return _number(text, int, "an integer of at least 0", lambda n: n >= 0)


def seed(text: str) -> int:
    """A seed of NumPy and TensorFlow."""
    rule = "an integer from 0 to 2**32 - 1"
    return _number(text, int, rule, lambda n: 0 <= n < 2**32)


def crop_side(text: str) -> int:
    """A side that the network's poolings divide evenly."""
    rule = "a positive multiple of 32"
    return _number(text, int, rule, lambda n: n > 0 and n % 32 == 0)


def positive_float(text: str) -> float:
    """A finite number above 0."""
    rule = "a number above 0"
    return _number(text, float, rule, lambda x: math.isfinite(x) and x > 0)


def weight(text: str) -> float:
    """A finite number of at least 0."""
    rule = "a number of at least 0"
    return _number(text, float, rule, lambda x: math.isfinite(x) and x >= 0)


def fraction(text: str) -> float:
    """A number in [0, 1)."""
    return _number(text, float, "a number in [0, 1)", lambda x: 0 <= x < 1)


def one_in(text: str) -> int:
    """One in how many: an integer of at least 1, or `all` for 1."""
    rule = 'an integer of at least 1, or "all"'
    return _number("1" if text == "all" else text, int, rule, lambda n: n >= 1)


def ascending(text: str) -> str:
    """Different integers of at least 1, the smallest first: "5,6"."""
    numbers = text.split(",")
    plain = all(n.strip().isdecimal() and n.isascii() for n in numbers)
    values = [int(n) for n in numbers] if plain else []
    if not values or values[0] < 1 or values != sorted(set(values)):
        raise argparse.ArgumentTypeError(
            "must be different integers of at least 1, the smallest first, as 5,6. "
            f"Received: {text}"
        )
    return ",".join(map(str, values))


def names(text: str) -> str:
    """Different names, at least two: "sit,stand"; capitals do not tell them apart."""
    found = [name.strip() for name in text.split(",")]
    if len(found) < 2 or not all(found) or len({*map(str.lower, found)}) < len(found):
        raise argparse.ArgumentTypeError(
            "must be different names, at least two, with commas between them. "
            f"Received: {text}"
        )
    return ",".join(found)
