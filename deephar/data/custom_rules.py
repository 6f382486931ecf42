"""Rules that boxes and joints of own data keep.

Readers tell which one is broken; what is converted leaves out what breaks one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deephar.data.records import FARTHEST, are_numbers
from deephar.utils.bbox import overlaps

_LEAST = 1.0
"""A box whose sides are no longer, px, is a stray click, or in other units."""
_OUTSIDE = 2.0
"""So far out of the picture may a visible joint be, px."""
_LARGEST = 4
"""So many times as large as the picture may a box be: somebody may be half outside."""


def box_rule(box: Sequence[float], size: Sequence[int] | None) -> str | None:
    """Returns the rule that a box breaks; None if it breaks none.

    Args:
        box: x, y, w, h, px.
        size: (w, h) of the picture, px; None where not known.
    """
    x, y, width, height = box
    if not all(abs(one) <= FARTHEST for one in box):
        return f"must be x, y, w, h, px, none beyond {FARTHEST:g}"
    if min(width, height) <= 0:
        return "must be x, y, w, h, px, with w and h above 0"
    if max(map(abs, box)) <= _LEAST:
        return "must be x, y, w, h in px, not in parts of the picture"
    if max(width, height) <= _LEAST:
        return f"must be x, y, w, h, px, with w or h above {_LEAST:g}"
    if size and not overlaps((x, y, x + width, y + height), size):
        return f"must lie in the picture of {size[0]}x{size[1]} px"
    if size and (width > _LARGEST * size[0] or height > _LARGEST * size[1]):
        rule = f"must be at most {_LARGEST} times as wide and high as the picture"
        return f"{rule} of {size[0]}x{size[1]} px"
    return None


def holds_joint(box: Sequence[float], joints: np.ndarray) -> bool:
    """Tells whether a box x, y, w, h holds one of the joints (n, 2), px."""
    low = joints - np.array(box[:2])
    return bool(((low >= 0) & (low <= box[2:])).all(axis=1).any())


def joint_rule(value: Any, size: Sequence[int] | None) -> str | None:
    """Returns the rule that a joint breaks; None if it breaks none.

    Args:
        value: [x, y], px, or [x, y, visible].
        size: (w, h) of the picture, px; None where not known.
    """
    if not (are_numbers(value, (2,)) or are_numbers(value, (3,))):
        return "must be [x, y], px, or [x, y, visible]"
    x, y, *seen = value
    if not (abs(x) <= FARTHEST and abs(y) <= FARTHEST):
        return f"must be [x, y], px, none beyond {FARTHEST:g}"
    if seen not in ([], [0], [1]):
        return "must have 1 (visible) or 0 (hidden) behind x and y"
    if seen != [0] and size and _is_outside((x, y), size):
        return f"must lie in the picture of {size[0]}x{size[1]} px, or be hidden"
    return None


def _is_outside(point: Sequence[float], size: Sequence[int]) -> bool:
    return not all(
        -_OUTSIDE <= one <= length + _OUTSIDE
        for one, length in zip(point, size, strict=True)
    )
