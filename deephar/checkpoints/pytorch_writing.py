"""Values as the zip form of PyTorch's checkpoints: a pickle and a member a tensor.

The pickle is written operation by operation, since the names in it are PyTorch's, which
need not be installed. Of NumPy it names what every release of NumPy knows.
"""

import collections
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

_STORAGES = {
    "float16": "HalfStorage",
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "int8": "CharStorage",
    "int16": "ShortStorage",
    "int32": "IntStorage",
    "int64": "LongStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}
_FOLDER = "archive"
_HEAD = pickle.PROTO + b"\x02"
_ALIGNED = 64
"""Numbers of tensors begin at multiples of it, so that they can be mapped in memory."""
_LOCAL_HEADER, _EXTRA_HEADER, _EXTRA = 30, 4, 0x4246
"""Bytes of a member's header and of what may fill it up; PyTorch's mark of filling."""
_MOST_DEEP = 50
_INT32 = 2**31


class Writer:
    """Writes a pickle of values, and keeps the arrays for the members beside it."""

    def __init__(self):
        self.pickle = bytearray(_HEAD)
        self.arrays: list[np.ndarray] = []

    def run(self, values: Any) -> None:
        """Writes the values; ValueError names the place of one that cannot be."""
        self.put(values, ())
        self.pickle += pickle.STOP

    def write_zip(self, file: BinaryIO) -> None:
        """Writes the members to a file."""
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, file, "data.pkl", bytes(self.pickle))
            _add(archive, file, "byteorder", b"little")
            for number, array in enumerate(self.arrays):
                little = array.astype(array.dtype.newbyteorder("<"), copy=False)
                _add(archive, file, f"data/{number}", little.tobytes())
            _add(archive, file, "version", b"3\n")

    def put(self, value: Any, place: tuple) -> None:
        """Writes one value, which stands at `place`."""
        value = value.item() if isinstance(value, np.generic) else value
        ordered = isinstance(value, collections.OrderedDict)
        write = _ordered if ordered else _WRITERS.get(type(value))
        if write is None or len(place) > _MOST_DEEP:
            where = "/".join(map(str, place[:5])) or "the whole"
            raise ValueError(
                "values must be dictionaries, lists, tuples, texts, numbers, arrays, "
                f"None or a RandomState. Received: {where}={type(value).__name__}"
            )
        write(self, value, place)

    def name(self, module: str, name: str) -> None:
        """Writes the name of something."""
        self.pickle += pickle.GLOBAL + f"{module}\n{name}\n".encode()

    def call(self, module: str, name: str, arguments: tuple, place: tuple) -> None:
        """Writes a call of what a name stands for."""
        self.name(module, name)
        self.put(arguments, place)
        self.pickle += pickle.REDUCE


def _bool(writer: Writer, value: bool, place: tuple) -> None:
    writer.pickle += pickle.NEWTRUE if value else pickle.NEWFALSE


def _int(writer: Writer, value: int, place: tuple) -> None:
    if -_INT32 <= value < _INT32:
        writer.pickle += pickle.BININT + struct.pack("<i", value)
    else:
        data = pickle.encode_long(value)
        if len(data) > 8:
            raise ValueError(
                f"integers must be of 64 bits: {'/'.join(map(str, place))}"
            )
        writer.pickle += pickle.LONG1 + struct.pack("<B", len(data)) + data


def _float(writer: Writer, value: float, place: tuple) -> None:
    writer.pickle += pickle.BINFLOAT + struct.pack(">d", value)


def _str(writer: Writer, value: str, place: tuple) -> None:
    data = value.encode()
    writer.pickle += pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _none(writer: Writer, value: None, place: tuple) -> None:
    writer.pickle += pickle.NONE


def _tuple(writer: Writer, value: tuple, place: tuple) -> None:
    writer.pickle += pickle.MARK
    for number, one in enumerate(value):
        writer.put(one, (*place, number))
    writer.pickle += pickle.TUPLE


def _list(writer: Writer, value: list, place: tuple) -> None:
    writer.pickle += pickle.EMPTY_LIST + pickle.MARK
    for number, one in enumerate(value):
        writer.put(one, (*place, number))
    writer.pickle += pickle.APPENDS


def _items(writer: Writer, value: Mapping, place: tuple) -> None:
    writer.pickle += pickle.MARK
    for key, one in value.items():
        if type(key) not in (str, int):
            raise ValueError(f"keys must be texts or integers. Received: {key!r:.80}")
        writer.put(key, place)
        writer.put(one, (*place, key))
    writer.pickle += pickle.SETITEMS


def _dict(writer: Writer, value: dict, place: tuple) -> None:
    writer.pickle += pickle.EMPTY_DICT
    _items(writer, value, place)


def _ordered(writer: Writer, value: collections.OrderedDict, place: tuple) -> None:
    writer.call("collections", "OrderedDict", (), place)
    _items(writer, value, place)


def _array(writer: Writer, value: np.ndarray, place: tuple) -> None:
    """A tensor: its storage by a persistent id, then how it looks at it."""
    storage = _STORAGES.get(value.dtype.name)
    if storage is None:
        raise ValueError(
            f"arrays must be of {', '.join(_STORAGES)}. "
            f"Received: {'/'.join(map(str, place))}={value.dtype}"
        )
    steps = np.cumprod((1, *value.shape[:0:-1]), dtype=np.int64)[::-1]
    steps = tuple(map(int, steps))[: value.ndim]
    writer.name("torch._utils", "_rebuild_tensor_v2")
    writer.pickle += pickle.MARK + pickle.MARK
    writer.put("storage", place)
    writer.name("torch", storage)
    for one in (str(len(writer.arrays)), "cpu", value.size):
        writer.put(one, place)
    writer.pickle += pickle.TUPLE + pickle.BINPERSID
    for one in (0, value.shape, steps, False, collections.OrderedDict()):
        writer.put(one, place)
    writer.pickle += pickle.TUPLE + pickle.REDUCE
    writer.arrays.append(value)


def _random(writer: Writer, value: np.random.RandomState, place: tuple) -> None:
    kind, key, position, has_gauss, gauss = value.get_state(legacy=True)
    if kind != "MT19937":
        raise ValueError(f"a RandomState must be of MT19937. Received: {kind}")
    writer.call("numpy.random", "__RandomState_ctor", (), place)
    writer.put((kind, key.tolist(), position, has_gauss, gauss), place)
    writer.pickle += pickle.BUILD


_WRITERS: dict[type, Callable] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    type(None): _none,
    tuple: _tuple,
    list: _list,
    dict: _dict,
    np.ndarray: _array,
    np.random.RandomState: _random,
}


def _add(archive: zipfile.ZipFile, file: BinaryIO, name: str, data: bytes) -> None:
    """Adds a member whose content begins at a multiple of `_ALIGNED`."""
    info = zipfile.ZipInfo(f"{_FOLDER}/{name}")
    begin = file.tell() + _LOCAL_HEADER + len(info.filename) + _EXTRA_HEADER
    fill = -begin % _ALIGNED
    info.extra = struct.pack("<HH", _EXTRA, fill) + b"Z" * fill
    archive.writestr(info, data)
