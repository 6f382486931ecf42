"""The form of files of own data, as a JSON Schema for editors and other programs.

`deephar.data.custom_format` checks more: names against the layout, boxes against
joints, spans against videos, parts against each other.
"""

from typing import Any

from deephar.data.custom_data import PARTS
from deephar.data.custom_format import FORMAT, VERSION
from deephar.utils.layouts import LAYOUTS

_NAME = {"type": "string", "minLength": 1}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
_COUNT = {"type": "integer", "minimum": 1}
_PART = {"enum": list(PARTS)}


def _list(items: Any, least: int, most: int | None = None, **more: Any) -> dict:
    found = {"type": "array", "items": items, "minItems": least, **more}
    return found if most is None else {**found, "maxItems": most}


def _object(required: dict[str, Any], optional: dict[str, Any], **more: Any) -> dict:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


_NUMBER = {"type": "number"}
_PAIRS = _list(_list(_NAME, 2, 2), 0)
_SIZE = _list(_COUNT, 2, 2, description="width and height, px")
_PATH = {**_NAME, "description": "from the folder of this file, with /"}
_POINT = {
    "description": "x, y, px, and 0 if it is hidden, 1 (or nothing) if it is visible",
    "type": "array",
    "prefixItems": [_NUMBER, _NUMBER, {"enum": [0, 1]}],
    "items": False,
    "minItems": 2,
}
_BOX = {
    "description": "x and y of the upper left corner, width and height, px",
    "type": "array",
    "prefixItems": [_NUMBER, _NUMBER, _POSITIVE, _POSITIVE],
    "items": False,
    "minItems": 4,
}
_BOXED = {"box_xywh": _BOX}
_LABELLED = {
    "joints": {"type": "object", "additionalProperties": _POINT},
    "joints_3d": {"type": "object", "additionalProperties": _list(_NUMBER, 3, 3)},
    "head_size": {**_POSITIVE, "description": "px"},
}
_LAYOUT = _object(
    {"joints": _list(_NAME, 1, uniqueItems=True)},
    {
        "name": _NAME,
        "flips": _PAIRS,
        "links": _PAIRS,
        "dim": {"enum": [2, 3]},
        "sigmas": _list(_POSITIVE, 1),
        "head": _list(_NAME, 2, 2),
    },
)
_SPAN = _object(
    {"action": _NAME},
    {
        "frames": _list(_COUNT, 2, 2, description="first and last, from 1"),
        "seconds": _list({"type": "number", "minimum": 0}, 2, 2),
    },
    oneOf=[{"required": ["frames"]}, {"required": ["seconds"]}],
)
_PICTURE = _object(
    {"file": _PATH, "people": _list(_object(_BOXED, _LABELLED), 0)},
    {"size": _SIZE, "split": _PART},
)
_CLIP = _object(
    {"name": _NAME},
    {
        "split": _PART,
        "size": _SIZE,
        "video": _PATH,
        "frames": _list(_object({"file": _PATH}, {**_BOXED, **_LABELLED}), 1),
        "labels": _list(_object({"frame": _COUNT}, {**_BOXED, **_LABELLED}), 0),
        "action": _NAME,
        "spans": _list(_SPAN, 1),
    },
    oneOf=[{"required": ["video"]}, {"required": ["frames"]}],
)

SCHEMA = _object(
    {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "layout": {"anyOf": [{"enum": list(LAYOUTS)}, _LAYOUT]},
    },
    {
        "$schema": {"description": "where an editor finds this schema"},
        "about": {"description": "whatever you want to tell of the data"},
        "actions": _list({**_NAME, "pattern": "^[^,]*$"}, 0, uniqueItems=True),
        "split": _PART,
        "pictures": _list(_PICTURE, 0),
        "clips": _list(_CLIP, 0),
    },
    anyOf=[{"required": ["pictures"]}, {"required": ["clips"]}],
) | {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Own data of deephar",
}
"""Of a whole file."""
