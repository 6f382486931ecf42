"""How far a command is, told on the console: frames, and how many a second."""

import sys
import time

_EVERY = {True: 0.2, False: 10.0}
"""Seconds from one line to the next: on a terminal, where it replaces the last one,
and elsewhere."""


class Progress:
    """Tells how many frames are done; a context manager.

    Args:
        what: what they are of.
        count: how many there will be; None if nobody knows.
    """

    def __init__(self, what: str, count: int | None = None):
        self._what, self._count = what, count
        self._live = sys.stdout.isatty()
        self._begin = self._told = time.monotonic()
        self.done = self.found = 0
        self._last = None

    def add(self, people: int) -> None:
        """One frame more is done, with so many people."""
        self.done += 1
        self.found += people > 0
        now = time.monotonic()
        if now - self._told >= _EVERY[self._live]:
            self._told, self._last = now, self.done
            sys.stdout.write(f"\r{self}" if self._live else f"{self}\n")
            sys.stdout.flush()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error) -> None:
        if self._live or self._last != self.done:
            sys.stdout.write(f"\r{self}\n" if self._live else f"{self}\n")
        sys.stdout.flush()

    def __str__(self) -> str:
        of = "" if self._count is None else f" of {self._count}"
        many = (self._count or self.done) != 1
        frames = f"{self.done}{of} frame{'s' * many}"
        seconds = time.monotonic() - self._begin
        rate = f", {self.done / seconds:.1f} a second" if self.done else ""
        return f"{self._what}: {frames}, people in {self.found}{rate}"
