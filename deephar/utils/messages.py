"""Values in messages."""

import reprlib
from typing import Any

_MOST = 200
"""Characters of a value."""
_BITS = 4096
"""Python does not write longer integers out."""


class _Short(reprlib.Repr):
    def __init__(self):
        super().__init__()
        self.maxlevel = 1
        self.maxlist = self.maxtuple = 17
        self.maxstring = self.maxother = 100

    def repr_ndarray(self, x, level):
        return f"an array {x.shape} of {x.dtype}"

    def repr_int(self, x, level):
        if x.bit_length() > _BITS:
            return f"an integer of {x.bit_length()} bits"
        return super().repr_int(x, level)


_SHORT = _Short()


def shown(value: Any) -> str:
    """Returns a value for a message, cut short: a file's may be endless."""
    return f"{_SHORT.repr(value):.{_MOST}}"
