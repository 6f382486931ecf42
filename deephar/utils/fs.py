"""Files and folders."""

import json
import math
import os
import pathlib


def mkdir(path) -> None:
    """Makes a folder and the folders above it, unless it is there.

    Raises:
        OSError: It cannot be made, or a file is in its place.
    """
    os.makedirs(path, exist_ok=True)


def write_json(path: str | os.PathLike, value: object) -> None:
    """Writes a JSON file, whole or not at all.

    Args:
        path: Where to.
        value: Dictionaries, lists, strings and numbers; what is none of these is
            written as its text, and a number that is not finite as null, because JSON
            has no NaN.
    """
    path = pathlib.Path(path)
    draft = path.with_name(path.name + ".part")
    text = json.dumps(_finite(value), indent=1, default=str, allow_nan=False)
    draft.write_text(text + "\n", encoding="utf-8")
    os.replace(draft, path)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
