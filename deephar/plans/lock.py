"""A lock on a folder, held by the process that works there and those it starts."""

import contextlib
import json
import logging
import os
import pathlib
import time
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = logging.getLogger(__name__)

_PAUSE = 0.5
"""Seconds between two looks at a lock that somebody holds."""


@contextlib.contextmanager
def alone(path: pathlib.Path) -> Iterator:
    """Holds the lock of a folder; the system frees it when its last holder ends.

    Raises:
        OSError: if another run holds it.
    """
    if fcntl is None:
        logger.warning("this system has no locks: start one run of a folder at a time")
        yield None
        return
    with open(path, "a+", encoding="utf-8") as lock:
        told = False
        while not _locked(lock):
            holder = _holder(lock)
            if _alive(holder.get("run")):
                raise OSError(
                    f"{path.parent}: another run works there (process "
                    f"{holder.get('run')}); wait for it, or choose another folder"
                )
            if not told:
                logger.info(
                    "waiting for the step %s of a run that was killed (process %s)",
                    *(holder.get("step"), holder.get("process")),
                )
            told = True
            time.sleep(_PAUSE)
        hold(lock)
        yield lock


def _locked(lock) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def hold(lock, step: str | None = None, process: int | None = None) -> None:
    """Writes who holds the lock: this process, and the step that it runs."""
    if lock is None:
        return
    lock.seek(0)
    lock.truncate()
    json.dump({"run": os.getpid(), "step": step, "process": process}, lock)
    lock.flush()


def _holder(lock) -> dict:
    lock.seek(0)
    try:
        return dict(json.load(lock))
    except ValueError:
        return {}


def _alive(process: int | None) -> bool:
    if process is None:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
