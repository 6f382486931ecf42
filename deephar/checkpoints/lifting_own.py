"""What only this program keeps in the checkpoints of temporal lifting.

Plain values under the key "deephar", all of which may be absent:

    network                 see `deephar.checkpoints.lifting.network_arguments`
    training                flags by name
    layout, cameras         name of the layout of the key points, checksum of cameras
    losses                  a row an epoch: numbers by name
    dropout                 the states of the dropouts, two numbers each
    unlabelled_position     batches of the unlabelled data's epoch that were given
"""

import reprlib
from collections.abc import Callable, Mapping
from typing import Any

_STATE = 2
"""Numbers of a dropout's state."""


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**32


def _is_state(value: Any) -> bool:
    return isinstance(value, list) and list(map(_is_whole, value)) == [True] * _STATE


def _is_row(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and all(isinstance(name, str) for name in value)
        and all(type(number) in (int, float) for number in value.values())
        and type(value.get("epoch")) is int
    )


def _is_list(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(holds, value))


_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "training": ("flags by name", lambda value: isinstance(value, Mapping)),
    "layout": ("a name", lambda value: isinstance(value, str)),
    "cameras": ("a checksum", _is_whole),
    "losses": ("numbers by epoch", _is_list(_is_row)),
    "dropout": ("pairs of 32 bits", _is_list(_is_state)),
    "unlabelled_position": ("a number of batches", _is_whole),
}


def check_own(own: Mapping) -> None:
    """Refuses values that no training of this program has written.

    Args:
        own: What stands under "deephar".

    Raises:
        ValueError: naming the value.
    """
    for name, (rule, holds) in _RULES.items():
        if name in own and not holds(own[name]):
            raise ValueError(
                f"deephar/{name} must be {rule}. Received: {reprlib.repr(own[name])}"
            )
