"""The server of the demo page, and how long a connection may be idle in it."""

import asyncio
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 64
"""That are served at a time; others are told to come back."""
IDLE = 5
"""S that the head of a request may take, and that a connection stays after one."""
_STALLED = 30.0
"""S that somebody may take nothing of an answer."""
_GRACE = 3
"""S that answers under way have after Ctrl-C."""


class Connection(H11Protocol):
    """A connection that does not keep its place without a request.

    Uvicorn itself waits for ever for the head of a request, and for who takes nothing
    of an answer. Bodies are the application's: it limits the time of those it reads.
    """

    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Waits for a request, and not for ever."""
        super().connection_made(transport)
        self._close_in(IDLE)

    def data_received(self, data: bytes) -> None:
        """Goes on waiting, unless there is a request now."""
        super().data_received(data)
        if self.flow.write_paused:
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._stay()
        elif self._closing is None:
            self._close_in(IDLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        self._stay()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Waits for who is to take the answer, and not for ever."""
        super().pause_writing()
        self._close_in(_STALLED)

    def resume_writing(self) -> None:
        """The answer is taken."""
        super().resume_writing()
        self._stay()

    def _close_in(self, seconds: float) -> None:
        self._stay()
        self._closing = self.loop.call_later(seconds, self.transport.abort)

    def _stay(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None


def page_server(app: Starlette, **options: Any) -> uvicorn.Server:
    """A server of the page, which `run(sockets=[...])` starts.

    Args:
        app: the page.
        options: of `uvicorn.Config`, besides those that are set here.
    """
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=_GRACE,
        **options,
    )
    return uvicorn.Server(config)
