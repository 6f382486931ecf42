"""Who may ask the server, and what browsers are told to forbid its page."""

import urllib.parse

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = ("GET", "HEAD")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer: nothing of the page comes from elsewhere, or goes there."""


class Guard:
    """Refuses who asks by another name or from another page.

    A page of somebody else may give its own name the address of this machine (DNS
    rebinding), or send forms to it: the name that the browser asked for, and the page
    that it comes from, tell.

    Args:
        app: whom the others may ask.
        hosts: names and addresses that the server is asked by.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]):
        self._app, self._hosts = app, {name.lower().strip("[]") for name in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or has `app` answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_guarded)
        else:
            answer = JSONResponse({"message": refusal}, 403)
            await answer(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name(f"//{hosts[0]}") not in self._hosts:
            return "this server is not asked by that name; see --allow-host"
        if scope["method"] in _SAFE:
            return None
        origin = headers.get("origin")
        if origin is not None and _place(origin) != _place(f"//{hosts[0]}"):
            return "this server is asked by its own page alone"
        return None


def _name(address: str) -> str | None:
    """The name of the machine in an address; None where there is none."""
    try:
        return urllib.parse.urlsplit(address).hostname
    except ValueError:
        return None


def _place(address: str) -> str | None:
    """Name and port in an address, as they stand there."""
    try:
        return urllib.parse.urlsplit(address).netloc.lower() or None
    except ValueError:
        return None
