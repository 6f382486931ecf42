"""Ends a training between two steps when the user or the system asks it to."""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def until_signal(event: threading.Event) -> Iterator[None]:
    """Has Ctrl-C and SIGTERM set an event; a second one acts at once.

    Signals can be handled in the main thread only; elsewhere nothing changes, nor for
    a signal whose handler is not Python's, which could not be put back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    before = {n: handler for n, handler in before.items() if handler is not None}

    def note(number, frame):
        logger.warning("%s: ends after this step", signal.Signals(number).name)
        event.set()
        restore()

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    event.clear()
    for number in before:
        signal.signal(number, note)
    try:
        yield
    finally:
        restore()
