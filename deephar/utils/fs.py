"""Files and folders."""

import contextlib
import csv
import hashlib
import io
import json
import math
import os
import pathlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

_BLOCK = 1 << 20


def mkdir(path) -> None:
    """Makes a folder and the folders above it, unless it is there.

    Raises:
        OSError: It cannot be made, or a file is in its place.
    """
    os.makedirs(path, exist_ok=True)


def can_write(folder: str | os.PathLike) -> bool:
    """Whether files can be written in a folder, which is made unless it is there."""
    try:
        mkdir(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def cache_folder() -> pathlib.Path:
    """The user's folder of what can be made or fetched again: ~/.cache/deephar.

    Where $XDG_CACHE_HOME is set, that stands for ~/.cache.
    """
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "deephar"


def md5_of(path: str | os.PathLike) -> str:
    """The md5 of a file, as 32 hexadecimal digits."""
    digest = hashlib.md5()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_json(path: str | os.PathLike, value: object) -> None:
    """Writes a JSON file, whole or not at all.

    Args:
        path: Where to.
        value: Dictionaries, lists, strings and numbers; what is none of these is
            written as its text, and a number that is not finite as null, because JSON
            has no NaN.
    """
    text = json.dumps(_finite(value), indent=1, default=str, allow_nan=False)
    write_text(path, text + "\n")


def write_csv(path: str | os.PathLike, rows: Sequence[Mapping[str, object]]) -> None:
    """Writes a CSV file with a header, whole or not at all.

    Args:
        path: Where to.
        rows: Values by column. The columns are those of all rows, as they come; where
            a row lacks one it is left empty.
    """
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file, whole or not at all."""
    with whole_path(path) as draft:
        draft.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def whole_path(path: str | os.PathLike, shared: bool = False) -> Iterator[pathlib.Path]:
    """Yields where to write a file, which gets its name at the end.

    If that is not reached there is what was there before, and no draft.

    Args:
        path: The file.
        shared: Whether several processes may write it at once: each has a draft of its
            own, which one that is killed leaves behind.
    """
    path = pathlib.Path(path)
    own = f".{uuid.uuid4().hex[:8]}" if shared else ""
    draft = path.with_name(f".{path.name}{own}.part")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Yields a file to write to, which gets its name when it is on the disk.

    Whatever moment the machine dies at, there is the whole file or what was there
    before.
    """
    with whole_path(path) as draft, open(draft, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    _sync(pathlib.Path(path).parent)


def _sync(folder: pathlib.Path) -> None:
    """Brings a folder's names to the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
