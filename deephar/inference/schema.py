"""The form of files of predictions, as a JSON Schema."""

import importlib
import types
from typing import Any

from deephar.inference.writing import FORMAT, VERSION

_NUMBER = {"type": ["number", "null"]}
_NUMBERS = {"type": "array", "items": _NUMBER}
_NAMES = {"type": "array", "items": {"type": "string"}}
_BOX = {**_NUMBERS, "minItems": 4, "maxItems": 4}
_PAIR = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object with these keys, all of them and, unless `more` says so, no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _by_name(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


def _one_of(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


_JOINT = _object(
    {name: _NUMBER for name in ("x", "y", "z", "confidence")},
    required=["x", "y", "confidence"],
)
_POINT = {**_NUMBERS, "minItems": 3, "maxItems": 3}
_POSE = _object({"box": _BOX, "joints": _by_name(_JOINT)})
_POSE_3D = _object({"placed": {"type": "boolean"}, "joints": _by_name(_POINT)})
_ACTION = _object(
    {
        "answer": {"type": "string"},
        "score": _NUMBER,
        "output": {"type": "string"},
        "frames": _PAIR,
        "labels": _NAMES,
        "scores": _by_name(_NUMBERS),
    }
)
_PERSON = _object(
    {
        "id": {"type": ["integer", "null"], "minimum": 1},
        "box": {"anyOf": [_BOX, {"type": "null"}]},
        "score": _NUMBER,
        "pose": _one_of("pose"),
        "pose_3d": _one_of("pose_3d"),
        "action": _one_of("action"),
    }
)
_FRAME = _object(
    {
        "source": {"type": "string"},
        "number": {"type": "integer", "minimum": 1},
        "time": _NUMBER,
        "size": _PAIR,
        "error": {"type": ["string", "null"]},
        "people": {"type": "array", "items": {"$ref": "#/$defs/person"}},
    }
)

SCHEMA = _object(
    {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "deephar": {"type": "string"},
        "weights": {"type": ["string", "null"]},
        "network": {"type": ["string", "null"]},
        "units": _by_name({"type": "string"}),
        "layout": _object(
            {"joint_names": _NAMES, "links": {"type": "array", "items": _PAIR}}
        ),
        "frames": {"type": "array", "items": {"$ref": "#/$defs/frame"}},
        "complete": {"type": "boolean"},
    },
    additionalProperties=True,
) | {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Predictions of deephar",
    "$defs": {
        "frame": _FRAME,
        "person": _PERSON,
        "pose": _POSE,
        "pose_3d": _POSE_3D,
        "action": _ACTION,
    },
}
"""Of a whole file. Its "$defs" are the forms of `to_dict` of the classes in
`inference.results`."""


def validate(document: Any) -> None:
    """Refuses what is no file of predictions.

    Args:
        document: what `json.load` reads of it.

    Raises:
        ValueError: if it has not the form of `SCHEMA`; the place is named.
        ModuleNotFoundError: without the package jsonschema.
    """
    jsonschema = _jsonschema()
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)
    error = jsonschema.exceptions.best_match(errors)
    if error is not None:
        raise ValueError(
            f"the predictions are not of the form at {error.json_path}: "
            f"{error.message:.200}"
        )


def _jsonschema() -> types.ModuleType:
    try:
        return importlib.import_module("jsonschema")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "to validate predictions needs the package jsonschema, which "
            "`pip install deephar[test]` brings"
        ) from error
