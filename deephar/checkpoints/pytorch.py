"""PyTorch's checkpoints, read and written without PyTorch.

Two forms are read, told apart by their content: the zip form, since PyTorch 1.6, and
the one before it, five pickles and the numbers behind them. A pickle is read by
`deephar.utils.pickles`, with the names of `pytorch_values` and no others: nothing that
a file names is imported or run. What is written is the zip form.
"""

import os
import pathlib
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from deephar.checkpoints.pytorch_values import TABLE, TYPES, Storages, decoded, empty
from deephar.checkpoints.pytorch_writing import Writer
from deephar.utils.fs import whole_file
from deephar.utils.pickles import read_pickle

SUFFIXES = (".bin", ".pt", ".pth")

_ZIP_HEAD = b"PK\x03\x04"
_PICKLE_HEAD = b"\x80"
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
"""The first two values of the form before 1.6."""
_COUNT = 8
"""Bytes that say how many numbers a storage of that form has."""
_LOCAL_HEADER = 30
_ENCRYPTED = 1
_LAST_VERSION = 10
"""The last version of the zip form that there is."""
_BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError),
    *(OSError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
"""What readers raise of a file that is damaged."""


def is_pytorch(path: str | os.PathLike) -> bool:
    """Tells by its content, or else its ending, whether a file is PyTorch's."""
    path = pathlib.Path(path)
    if not path.is_file():
        return path.suffix in SUFFIXES
    with open(path, "rb") as file:
        head = file.read(len(_ZIP_HEAD))
    named = path.suffix in SUFFIXES
    return named or head == _ZIP_HEAD or head.startswith(_PICKLE_HEAD)


def read_pytorch(path: str | os.PathLike) -> Any:
    """Reads a checkpoint, without PyTorch and without running what it may hold.

    Args:
        path: A file that torch.save wrote, of either form.

    Returns:
        What was saved, made of dictionaries, lists, tuples, texts, numbers and arrays.
        Tensors are arrays of the same type (bfloat16 becomes float32), tensors without
        a shape arrays without one; those that share their numbers still do. A
        RandomState of NumPy is one.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if it is damaged, cut short, of another form, asks
            for any other name, holds a tensor that reaches beyond its numbers, or would
            become far larger than it is.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        with open(path, "rb") as file:
            head = file.read(len(_ZIP_HEAD))
            file.seek(0)
            if head == _ZIP_HEAD:
                return _read_zip(file)
            if head.startswith(_PICKLE_HEAD):
                return _read_old(file.read())
        raise ValueError(f"a file that begins with {head!r}")
    except _BROKEN as error:
        raise ValueError(
            f"{path} must be a whole checkpoint of PyTorch. "
            f"Received: {str(error) or type(error).__name__}"
        ) from error


def write_pytorch(path: str | os.PathLike, values: Mapping[str, Any]) -> None:
    """Writes a checkpoint in the zip form, whole or not at all.

    torch.load reads it, with any PyTorch since 1.6.

    Args:
        path: Where to.
        values: Dictionaries with texts or integers for keys, lists, tuples, texts,
            numbers and None. Arrays become tensors; a RandomState of NumPy is written
            in the form that every NumPy reads.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: naming file and place, if a value is none of these.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}")
    writer = Writer()
    try:
        writer.run(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    with whole_file(path) as file:
        writer.write_zip(file)


def _read_zip(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        members = _members(archive, os.fstat(file.fileno()).st_size)
        order = _byte_order(archive, members)
        waiting = {key for key in members if key.startswith("data/")}

        def read(key: str, kind: str, count: int) -> np.ndarray:
            info = members.get(f"data/{key}")
            size = count * TYPES[kind].itemsize
            if info is None or info.file_size != size:
                found = "none" if info is None else info.file_size
                raise ValueError(
                    f"a storage {key!a:.40} of {size} bytes, of which the file has "
                    f"{found}"
                )
            waiting.remove(f"data/{key}")
            return decoded(kind, archive.read(info), order)

        data = archive.read(members["data.pkl"])
        value, end = read_pickle(data, TABLE, Storages(read))
    _check_end(end, len(data))
    if waiting:
        raise ValueError(f"a storage {min(waiting)!a:.40} of no tensor")
    return value


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members of the zip form by their names in its folder, as they must lie."""
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    ends = [info.header_offset for info in infos[1:]] + [size]
    for info, end in zip(infos, ends, strict=True):
        name = f"a member {info.filename!a:.80}"
        if info.flag_bits & _ENCRYPTED:
            raise ValueError(f"{name} that is encrypted")
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} that is compressed, which PyTorch never does")
        if info.compress_size != info.file_size:
            raise ValueError(f"{name} of two sizes")
        if info.header_offset + _LOCAL_HEADER + info.file_size > end:
            raise ValueError(f"{name} that lies over another or beyond the end")
    folders = [i.filename.split("/")[0] for i in infos if _in_folder(i) == "data.pkl"]
    if len(folders) != 1:
        raise ValueError(f"a zip file with {len(folders)} members FOLDER/data.pkl")
    members = {_in_folder(info): info for info in infos}
    if len(members) != len(infos):
        raise ValueError("a zip file with two members of one name")
    if any(not info.filename.startswith(f"{folders[0]}/") for info in infos):
        raise ValueError("a zip file with members of several folders")
    return members


def _in_folder(info: zipfile.ZipInfo) -> str:
    return info.filename.partition("/")[2]


def _byte_order(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> str:
    """Checks the version of the zip form; returns the byte order of its numbers."""
    version = _text(archive, members, "version", "none").strip()
    if (
        not version.isdigit()
        or not version.isascii()
        or not 1 <= int(version[:9]) <= _LAST_VERSION
    ):
        raise ValueError(f"the version {version!a:.40} of the zip form")
    order = _text(archive, members, "byteorder", "little")
    if order not in ("little", "big"):
        raise ValueError(f"numbers in the byte order {order!a:.40}")
    return "<" if order == "little" else ">"


def _text(archive, members, name, default) -> str:
    return archive.read(members[name]).decode() if name in members else default


def _read_old(data: bytes) -> Any:
    magic, end = read_pickle(data, {})
    if magic != _MAGIC:
        raise ValueError("a pickle that is not PyTorch's")
    protocol, end = read_pickle(data, {}, start=end)
    if protocol != _PROTOCOL:
        raise ValueError(f"the protocol {protocol!a:.40}")
    # What it tells of the writer's machine: the numbers are little-endian from any.
    _, end = read_pickle(data, {}, start=end)
    left = len(data)

    def make(key: str, kind: str, count: int) -> np.ndarray:
        nonlocal left
        left -= count * TYPES[kind].itemsize
        if left < 0:
            raise ValueError(f"a storage {key!a:.40} beyond the size of the file")
        return empty(kind, count)

    storages = Storages(make)
    value, end = read_pickle(data, TABLE, storages, end)
    keys, end = read_pickle(data, {}, start=end)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("keys of storages that are no texts")
    if sorted(keys) != sorted(storages.found):
        raise ValueError("keys of other storages than those of the tensors")
    for key in keys:
        end = _fill(storages.found[key], data, end)
    _check_end(end, len(data))
    return value


def _fill(storage, data: bytes, start: int) -> int:
    """Fills a storage with its numbers; returns where they end."""
    begin = start + _COUNT
    end = begin + storage.count * TYPES[storage.kind].itemsize
    count = int.from_bytes(data[start:begin], "little")
    if end > len(data):
        raise ValueError(f"it ends within the numbers, at byte {len(data)} of {end}")
    if count != storage.count:
        raise ValueError(f"a storage of {storage.count} numbers that has {count}")
    storage.values[:] = decoded(storage.kind, memoryview(data)[begin:end])
    return end


def _check_end(end: int, size: int) -> None:
    if end != size:
        raise ValueError(f"something behind its end, at byte {end} of {size}")
