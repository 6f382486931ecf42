"""Processes that make batches, for machines whose cores threads cannot keep busy.

A batch travels through shared memory; only its number and what went wrong are sent.
"""

import ctypes
import dataclasses
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

from deephar.data.samples import WHOLE
from deephar.utils.warp import one_thread_a_picture

_ENDED = (
    "a process that makes batches was ended from outside: killed, or out of memory? "
    "Received: {count} processes"
)


class WorkerProcesses:
    """Makes batches of a loader in processes of their own.

    They are started anew (not forked, which TensorFlow does not stand) with the first
    batch, hold a copy of the loader each, see no GPU, and end with `close`, with this
    object or with the process that made it.

    Args:
        loader: A `BatchLoader`.
        count: Number of processes.
    """

    def __init__(self, loader: Any, count: int):
        self.loader = loader
        self.count = count
        self._lock = threading.Lock()
        self._crew: _Crew | None = None

    def get(
        self, epoch: int, index: int, part: tuple[int, int]
    ) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """Returns a batch, and {path: message} of what could not be read.

        May be called from several threads.

        Args:
            epoch, index, part: As of `BatchLoader.get_data`.

        Raises:
            ValueError: if the loader cannot be copied to another process.
            ChildProcessError: if one of the processes was killed.
            Exception: what the loader raised, of the same type.
        """
        loader = self.loader
        keys = [*loader.allkeys, *loader.custom_dictkeys]
        whole = {key: loader.get_shape(key) for key in keys}
        with self._lock:
            if self._crew is None:
                self._crew = _Crew(loader, self.count, whole)
            crew = self._crew
        if part == WHOLE:
            return crew.get(epoch, index, part, whole)
        rows = loader.part_size(part)
        shapes = {key: (rows, *shape[1:]) for key, shape in whole.items()}
        return crew.get(epoch, index, part, shapes)

    def close(self) -> None:
        """Ends the processes; the next batch starts new ones."""
        with self._lock:
            crew, self._crew = self._crew, None
        if crew is not None:
            crew.end()


class _Crew:
    """Processes that run, and the arrays that they share with this one."""

    def __init__(self, loader, count, shapes):
        self.count = count
        try:
            copy = pickle.dumps(loader)
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            raise ValueError(
                f"`processes` needs data sets that can be pickled. Received: {error}"
            ) from error
        context = multiprocessing.get_context("spawn")
        size = sum(int(np.prod(shape)) for shape in shapes.values())
        # Arrays that processes inherit: no file is left over, whoever is killed.
        slots = [context.RawArray(ctypes.c_float, size) for _ in range(count)]
        self._slots = [np.frombuffer(slot, np.float32) for slot in slots]
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(count):
            self._free.put(number)
        self._pool = ProcessPoolExecutor(count, context, _start, (copy, slots))
        self.end = weakref.finalize(
            self, self._pool.shutdown, wait=False, cancel_futures=True
        )

    def get(self, epoch, index, part, shapes):
        slot = self._free.get()
        try:
            errors = self._pool.submit(_make, slot, epoch, index, part, shapes).result()
            views = _views(self._slots[slot], shapes)
            return {key: view.copy() for key, view in views.items()}, errors
        except BrokenProcessPool as error:
            raise ChildProcessError(_ENDED.format(count=self.count)) from error
        finally:
            self._free.put(slot)


def _views(slot: np.ndarray, shapes) -> dict[str, np.ndarray]:
    """Arrays that lie one behind the other in a slot."""
    views, start = {}, 0
    for key, shape in shapes.items():
        size = int(np.prod(shape))
        views[key] = slot[start : start + size].reshape(shape)
        start += size
    return views


@dataclasses.dataclass
class _Process:
    """What a process holds between two batches."""

    loader: Any = None
    slots: Sequence[np.ndarray] = ()


_PROCESS = _Process()


def _start(copy: bytes, slots) -> None:
    """Begins a process: leaves the GPUs and signals to the one that made it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a signal to the group of the training is not for this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    one_thread_a_picture()
    _PROCESS.slots = [np.frombuffer(slot, np.float32) for slot in slots]
    _PROCESS.loader = pickle.loads(copy)


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _make(slot, epoch, index, part, shapes) -> dict[str, str]:
    """Writes a batch into a slot; returns what could not be read."""
    loader, views = _PROCESS.loader, _views(_PROCESS.slots[slot], shapes)
    batch = loader.get_data(index, loader.mode, epoch, part, views)
    for key, view in views.items():
        if batch[key] is not view:
            view[...] = batch[key]
    return loader.take_errors()
