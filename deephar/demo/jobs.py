"""One look after the other, in a thread of its own; the queue is bounded."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from deephar.demo.uploads import Look

logger = logging.getLogger(__name__)


class Jobs:
    """A queue of looks, with so many places.

    Whoever wants to upload something takes a place first: it counts from then on until
    the look has ended, so that what lies on the disk is bounded too.

    Args:
        work: what is done for a look; its OSErrors and ValueErrors are told to the
            user, others to the log.
        places: looks that wait or are under way, at most.
    """

    def __init__(self, work: Callable[[Look], None], places: int):
        self._work, self._free = work, threading.BoundedSemaphore(places)
        self._lock = threading.Lock()
        self._queue: list[Look] = []
        self._pool = ThreadPoolExecutor(1, "looking")

    def take_place(self) -> bool:
        """Takes a place; false if there is none."""
        return self._free.acquire(blocking=False)

    def free_place(self) -> None:
        """Gives back a place that no look was submitted for."""
        self._free.release()

    def submit(self, look: Look) -> None:
        """Puts a look at the end; a place must have been taken for it."""
        with self._lock:
            self._queue.append(look)
        future = self._pool.submit(self._do, look)
        future.add_done_callback(lambda future: self._end(look, future))

    def ahead(self, look: Look) -> int:
        """How many looks come before this one, that under way among them."""
        with self._lock:
            return self._queue.index(look) if look in self._queue else 0

    def close(self) -> None:
        """Forgets those that wait, and waits for that under way."""
        with self._lock:
            for look in self._queue:
                look.upload.dropped = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _do(self, look: Look) -> None:
        try:
            self._work(look)
        except (OSError, ValueError) as error:
            logger.info("a look failed: %s", error)
            look.fail(str(error))

    def _end(self, look: Look, future: Future) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            logger.error("a look failed by a fault of the program", exc_info=error)
            look.fail("the program failed at this file; the server's log says how")
        if not look.ended:
            look.fail("it was given up")
        if look.upload.dropped:
            look.upload.remove()
        with self._lock:
            self._queue.remove(look)
        self._free.release()
