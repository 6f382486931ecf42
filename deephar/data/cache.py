"""Decoded pictures, kept for the next epochs: in memory or in a folder.

Decoding is most of the work on a sample. What is kept is the part of a picture, at the
reduced size at which it is decoded, that any augmentation of its samples can look at: a
crop made from it has the very pixels of a crop made from the file.

An entry belongs to a picture's path, time of change, length and reduced size; one that
does not agree with the picture, does not cover what is asked for or is damaged is made
anew. Several processes may share a folder: entries appear whole or not at all.
"""

import dataclasses
import hashlib
import logging
import mmap
import os
import pathlib
import shutil
import struct
import threading
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from deephar.data.pictures import (
    PictureFile,
    PictureSource,
    reading,
    reduced_size,
    widen,
)

logger = logging.getLogger(__name__)

MEMORY = "memory"
"""The name of a cache in memory, as `open_cache` takes it."""
MEMORY_LIMIT = 8 * 2**30
"""Bytes that a cache in memory holds unless told otherwise."""
DISK_RESERVE = 2**30
"""Bytes of the disk that a cache in a folder leaves free: checkpoints need them."""

_HEADER = struct.Struct("<8sqq5I")
_MAGIC = b"deephar1"


@dataclasses.dataclass(frozen=True)
class View:
    """What a crop may look at.

    Attributes:
        box: (x1, y1, x2, y2), px of the picture.
        step: Px of the picture, along a side, that fall on one of the crop.
    """

    box: Sequence[float]
    step: float


@dataclasses.dataclass(frozen=True, eq=False)
class _Entry:
    """A part of a picture.

    Attributes:
        stamp: (time of change in ns, length in bytes) of the picture's file.
        box: (x1, y1, x2, y2) of the part, px of the reduced picture.
        pixels: uint8 array (rows, cols, 3), RGB.
    """

    stamp: tuple[int, int]
    box: tuple[int, int, int, int]
    pixels: np.ndarray


def open_cache(where: str | os.PathLike | None) -> "PictureCache | None":
    """Returns the cache of a `--cache` flag.

    Args:
        where: `"memory"`, a folder, or None for no cache.

    Raises:
        OSError: if the folder cannot be made or written.
    """
    if where is None:
        return None
    if os.fspath(where) == MEMORY:
        return PictureCache(MemoryStore())
    return PictureCache(FolderStore(where))


class PictureCache:
    """Pictures for a data set, decoded once.

    Args:
        store: Where entries are kept: a `MemoryStore` or a `FolderStore`.
    """

    def __init__(self, store: "MemoryStore | FolderStore"):
        self.store = store
        self._heads: dict[str, tuple] = {}

    def open(
        self, path: str, fast: bool, views: Callable[[], list[View]]
    ) -> PictureSource:
        """Opens a picture.

        Args:
            path: The file.
            fast: See `PictureSource`.
            views: Called where the picture has to be decoded: returns what else crops
                of it will look at.

        Raises:
            FileNotFoundError: if there is no such file.
            PictureError: if it is no picture.
        """
        with reading(path):
            status = os.stat(path)
        stamp = status.st_mtime_ns, status.st_size
        known, size, is_jpeg = self._heads.get(path, (None, None, None))
        if known != stamp:
            file = PictureFile(path)
            size, is_jpeg = file.size, file.is_jpeg
            self._heads[path] = stamp, size, is_jpeg
        return _CachedPicture(path, size, is_jpeg, fast, stamp, self.store, views)


class _CachedPicture(PictureSource):
    """A picture whose parts come from a store, or else go there."""

    def __init__(self, path, size, is_jpeg, fast, stamp, store, views):
        super().__init__(path, size, is_jpeg, fast)
        self._stamp, self._store, self._views = stamp, store, views

    def read(self, ratio, box):
        if box is None:
            return PictureFile(self.path).read(ratio, box)
        name = hashlib.blake2b(
            f"{ratio} {os.path.abspath(self.path)}".encode(), digest_size=16
        ).hexdigest()
        entry = self._store.get(name)
        if entry is not None and entry.stamp != self._stamp:
            entry = None
        if entry is None or not _covers(entry.box, box):
            entry = self._decode(ratio, box, entry)
            self._store.put(name, entry)
        return entry.pixels, entry.box[:2]

    def _decode(self, ratio, box, earlier):
        """Decodes all that this and later crops look at."""
        size = reduced_size(self.size, ratio)
        boxes = [box] if earlier is None else [box, earlier.box]
        for view in self._views():
            if self.ratio(view.step) == ratio:
                edges = [edge / ratio for edge in view.box]
                # The crop's corner is rounded, and its edge interpolated or averaged.
                boxes.append(widen(edges, 4 + 2 * view.step / ratio, size))
        edges = np.array(boxes)
        box = (*edges[:, :2].min(axis=0).tolist(), *edges[:, 2:].max(axis=0).tolist())
        pixels, (x, y) = PictureFile(self.path).read(ratio, box)
        x1, y1, x2, y2 = box
        part = np.ascontiguousarray(pixels[y1 - y : y2 - y, x1 - x : x2 - x])
        return _Entry(self._stamp, box, part)


class MemoryStore:
    """Entries in this process's memory.

    What comes when it is full is not kept, so that the share of an epoch that fits is
    found again in every epoch.

    Args:
        limit: Bytes of pixels at most.
    """

    def __init__(self, limit: int = MEMORY_LIMIT):
        self.limit = limit
        self._entries: dict[str, _Entry] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> _Entry | None:
        """Returns an entry, or None."""
        return self._entries.get(name)

    def put(self, name: str, entry: _Entry) -> None:
        """Keeps an entry in the place of the one of the same name, if there is room."""
        with self._lock:
            earlier = self._entries.get(name)
            size = self._bytes + entry.pixels.nbytes
            size -= 0 if earlier is None else earlier.pixels.nbytes
            if size <= self.limit:
                self._entries[name], self._bytes = entry, size

    def __getstate__(self):
        raise ValueError(
            "a cache in memory cannot be shared by processes: use threads, or a cache "
            "in a folder"
        )


class FolderStore:
    """Entries as files of a folder, read through the memory map.

    An entry's checksum is verified when a process meets it first. Where the disk is
    full, or has no more than `DISK_RESERVE` left, new entries are not kept.

    Args:
        folder: Where; made if it does not exist.

    Raises:
        OSError: if the folder cannot be made or written.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = pathlib.Path(folder)
        self._verified: dict[str, int] = {}
        self._warned = False
        self.folder.mkdir(parents=True, exist_ok=True)
        probe = self._draft("probe")
        probe.write_bytes(_MAGIC)
        probe.unlink()

    def get(self, name: str) -> _Entry | None:
        """Returns an entry, or None if there is none or it is damaged."""
        try:
            with open(self._path(name), "rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # absent, or of no length
            return None
        entry, checksum = _unpack(content)
        if entry is None or (
            self._verified.get(name) != checksum and _checksum(entry) != checksum
        ):
            logger.warning("made anew: the damaged entry %s", self._path(name))
            return None
        self._verified[name] = checksum
        return entry

    def put(self, name: str, entry: _Entry) -> None:
        """Writes an entry in the place of the one of the same name."""
        if self._warned:
            return
        path, draft = self._path(name), self._draft(name)
        try:
            free = shutil.disk_usage(self.folder).free
            if free < DISK_RESERVE + entry.pixels.nbytes:
                raise OSError(f"{free >> 20} MiB of the disk are left")
            path.parent.mkdir(exist_ok=True)
            with open(draft, "wb") as file:
                file.write(_pack(entry, _checksum(entry)))
                file.write(entry.pixels.data)
            os.replace(draft, path)
        except OSError as error:
            self._warned = True
            draft.unlink(missing_ok=True)
            logger.warning(
                "the cache %s takes no more pictures: %s. The others are decoded in "
                "every epoch",
                *(self.folder, error),
            )

    def _path(self, name):
        return self.folder / name[:2] / f"{name}.rgb"

    def _draft(self, name):
        return self.folder / f"{name}.{os.getpid()}.{threading.get_ident()}.tmp"


def _covers(outer, inner):
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )


def _pack(entry: _Entry, checksum: int) -> bytes:
    return _HEADER.pack(_MAGIC, *entry.stamp, *entry.box, checksum)


def _checksum(entry: _Entry) -> int:
    return zlib.crc32(entry.pixels, zlib.crc32(_pack(entry, 0)))


def _unpack(content) -> tuple[_Entry | None, int]:
    """Returns the entry and its checksum; None for what is no entry."""
    if len(content) < _HEADER.size:
        return None, 0
    magic, changed, length, *box, checksum = _HEADER.unpack_from(content)
    x1, y1, x2, y2 = box
    shape = (y2 - y1, x2 - x1, 3)
    if magic != _MAGIC or min(shape) < 1:
        return None, 0
    if len(content) != _HEADER.size + shape[0] * shape[1] * shape[2]:
        return None, 0
    pixels = np.frombuffer(content, np.uint8, offset=_HEADER.size).reshape(shape)
    return _Entry((changed, length), (x1, y1, x2, y2), pixels), checksum
