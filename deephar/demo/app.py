"""The addresses of the demo page."""

import asyncio
import contextlib
import logging
import pathlib
import shutil
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from deephar.demo.decoding import CLIP, PICTURE
from deephar.demo.guard import Guard
from deephar.demo.jobs import Jobs
from deephar.demo.limits import Limits
from deephar.demo.looking import Looking
from deephar.demo.networks import Networks
from deephar.demo.streams import Busy, Streams
from deephar.demo.uploads import DONE, Look, Upload, Uploads
from deephar.pages import STATIC
from deephar.utils.painting import person_color

logger = logging.getLogger(__name__)

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Names of this machine for itself."""
_STATIC = pathlib.Path(__file__).with_name("static")
_PEOPLE = 12
"""Colours of people that the page is told; then they come again."""


class Demo:
    """The page, its uploads and its webcams.

    Args:
        networks: that look; they are loaded, so that no answer waits for that.
        limits: of what is taken, and how long it is kept.
        hosts: names that the server is asked by.
        people: that are looked at in a frame, at most.

    Attributes:
        app: the ASGI application; it must be asked by its `hosts`.
    """

    def __init__(
        self,
        networks: Networks,
        limits: Limits | None = None,
        hosts: tuple[str, ...] = LOCAL,
        people: int = 4,
    ):
        self.limits = Limits() if limits is None else limits
        self.networks = networks
        self._looking = Looking(networks, self.limits, people)
        self._jobs = Jobs(self._looking, self.limits.places)
        self._uploads = Uploads(self.limits.kept)
        self._streams = Streams(networks, self.limits, people)
        self.app = Starlette(
            routes=self._routes(),
            middleware=[Middleware(Guard, hosts=hosts)],
            exception_handlers={HTTPException: _told, 500: _fault},
            lifespan=self._life,
        )

    def add_file(self, path: pathlib.Path) -> Upload:
        """Looks at a file of this machine, as if it had been uploaded.

        Raises:
            OSError: if it cannot be copied.
            ValueError: if there is no place for it, or it is too large.
        """
        size = path.stat().st_size
        if size > self.limits.max_bytes:
            raise ValueError(
                f"{path}: a file may have {self.limits.max_mb:g} MiB at most (--max-mb)"
                f". Received: {size / (1 << 20):.1f} MiB"
            )
        if not self._jobs.take_place():
            raise ValueError(f"there is no place for another file. Received: {path}")
        upload = None
        try:
            upload = self._uploads.new()
            shutil.copyfile(path, upload.path)
        except OSError:
            self._give_up(upload)
            raise
        self._jobs.submit(upload.look(None)[0])
        return upload

    def close(self) -> None:
        """Ends what is under way, and removes all files."""
        self._looking.stop()
        self._jobs.close()
        self._looking.decoder.close()
        self._uploads.close()

    @contextlib.asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(self.close)

    def _routes(self) -> list[Route | Mount]:
        one = "/api/uploads/{key:str}"
        stream = "/api/streams/{key:str}"
        return [
            Route("/", _page),
            Route("/pose3d.js", _pose3d),
            Mount("/static", StaticFiles(directory=_STATIC)),
            Route("/api/about", self._about),
            Route("/api/uploads", self._upload, methods=["POST"]),
            Route(one, self._drop, methods=["DELETE"]),
            Route(f"{one}/looks", self._look, methods=["POST"]),
            Route(f"{one}/looks/{{block:str}}", self._state),
            Route(f"{one}/predictions/{{block:str}}", self._predictions),
            Route(f"{one}/frames/{{number:int}}", self._frame),
            Route("/api/streams", self._begin_stream, methods=["POST"]),
            Route(stream, self._end_stream, methods=["DELETE"]),
            Route(f"{stream}/frames", self._step, methods=["POST"]),
        ]

    def _about(self, _: Request) -> JSONResponse:
        """What looks, and what may be uploaded. (A thread's: networks load.)"""
        return JSONResponse(
            {
                PICTURE: self.networks.about(PICTURE),
                CLIP: self.networks.about(CLIP),
                "limits": {
                    "mb": self.limits.max_mb,
                    "seconds": self.limits.max_seconds,
                    "frame_side": self.limits.clip_side,
                },
                "people": [person_color(number) for number in range(_PEOPLE)],
            }
        )

    async def _upload(self, request: Request) -> JSONResponse:
        """Takes a file, the whole body of the request, and puts it in the queue."""
        _check_length(request, self.limits.max_bytes)
        self._take_place()
        upload = None
        try:
            upload = self._uploads.new()
            receiving = _receive(request, upload.path, self.limits.max_bytes)
            await _in_time(receiving, self.limits.timeout)
            look, _ = upload.look(None)
        except BaseException:
            self._give_up(upload)
            raise
        self._jobs.submit(look)
        return JSONResponse({"id": upload.id}, 202)

    async def _look(self, request: Request) -> JSONResponse:
        """Looks at an upload by the network that ends at a block."""
        upload = self._known(request)
        block = _block(request.query_params.get("block"))
        if upload.kind is None:
            raise HTTPException(409, "it has not been read yet")
        whole = self.networks.whole(upload.kind)
        if block not in whole.blocks:
            raise HTTPException(400, f"block must be one of {list(whole.blocks)}")
        block = None if block == whole.block else block
        look, new = upload.look(block)
        if new:
            try:
                self._take_place()
            except HTTPException:
                look.fail("too many are waiting; try again in a minute")
                raise
            self._jobs.submit(look)
        return JSONResponse(self._told_of(look), 202)

    async def _state(self, request: Request) -> JSONResponse:
        """How far a look is."""
        return JSONResponse(self._told_of(self._look_of(request)))

    async def _predictions(self, request: Request) -> Response:
        """What was found, as `predict` writes it."""
        look = self._look_of(request)
        if look.state != DONE:
            raise HTTPException(409, "it has not been looked at yet")
        return await _file(look.predictions, "application/json")

    async def _frame(self, request: Request) -> Response:
        """A frame as it was looked at."""
        upload, number = self._known(request), request.path_params["number"]
        if upload.kind is None or not 1 <= number <= len(upload.times):
            raise HTTPException(404, "there is no such frame")
        return await _file(upload.frame_path(number), "image/jpeg")

    async def _drop(self, request: Request) -> Response:
        """Forgets an upload."""
        await run_in_threadpool(self._uploads.drop, self._known(request).id)
        return Response(status_code=204)

    async def _begin_stream(self, request: Request) -> JSONResponse:
        """A place for a webcam."""
        block = _block(request.query_params.get("block"))
        try:
            key, stream = await run_in_threadpool(self._streams.new, block)
        except Busy as error:
            raise HTTPException(503, str(error)) from error
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        about = {"block": stream.cut.block, "ms": round(stream.cut.ms, 1)}
        return JSONResponse({"id": key, **about}, 201)

    async def _step(self, request: Request) -> JSONResponse:
        """Looks at a webcam's frame, a JPEG, the body of the request."""
        _check_length(request, self.limits.frame_bytes)
        stream = self._streams.get(request.path_params["key"])
        if stream is None:
            raise HTTPException(404, "this webcam was silent for too long; start again")
        receiving = _body(request, self.limits.frame_bytes)
        body = await _in_time(receiving, self.limits.idle)
        try:
            return JSONResponse(await run_in_threadpool(stream.step, body))
        except Busy as error:
            raise HTTPException(409, str(error)) from error
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    async def _end_stream(self, request: Request) -> Response:
        """Frees the place of a webcam."""
        self._streams.drop(request.path_params["key"])
        return Response(status_code=204)

    def _take_place(self) -> None:
        if not self._jobs.take_place():
            raise HTTPException(503, "too many are waiting; try again in a minute")

    def _give_up(self, upload: Upload | None) -> None:
        """Frees the place of an upload that did not arrive."""
        self._jobs.free_place()
        if upload is not None:
            self._uploads.drop(upload.id)

    def _known(self, request: Request) -> Upload:
        upload = self._uploads.get(request.path_params["key"])
        if upload is None:
            raise _gone()
        return upload

    def _look_of(self, request: Request) -> Look:
        upload = self._known(request)
        block = _block(request.path_params["block"])
        if upload.kind is not None and block is not None:
            whole = self.networks.whole(upload.kind).block
            block = None if block == whole else block
        look = upload.looks.get(block)
        if look is None:
            raise HTTPException(404, "nobody asked for this block")
        return look

    def _told_of(self, look: Look) -> dict[str, Any]:
        upload = look.upload
        blocks = () if upload.kind is None else self.networks.whole(upload.kind).blocks
        return {
            "state": look.state,
            "kind": upload.kind,
            "size": upload.size,
            "frames": len(upload.times),
            "done": look.done,
            "ahead": self._jobs.ahead(look),
            "message": look.message,
            "notes": look.notes,
            "blocks": blocks,
            "about": dict(look.about),
        }


async def _page(_: Request) -> Response:
    return FileResponse(_STATIC / "index.html")


async def _pose3d(_: Request) -> Response:
    return FileResponse(STATIC / "pose3d.js", media_type="text/javascript")


async def _file(path: pathlib.Path, media_type: str) -> Response:
    """A file of an upload, which may be dropped at any time."""
    try:
        content = await run_in_threadpool(path.read_bytes)
    except FileNotFoundError as error:
        raise _gone() from error
    return Response(content, media_type=media_type)


def _gone() -> HTTPException:
    return HTTPException(404, "it is not here any more; upload it again")


async def _told(_: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)


async def _fault(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"message": "a fault of the program; see its log"}, 500)


def _block(text: str | None) -> int | None:
    """The number of a block; "last", or nothing, is None."""
    if text in (None, "last"):
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise HTTPException(400, "block must be a number, or last")
    return int(text)


def _check_length(request: Request, most: int) -> None:
    """Refuses a body that says itself that it is too large."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"a file may have {most / (1 << 20):g} MiB at most")


async def _in_time(receiving: Coroutine, seconds: float) -> Any:
    """Waits for what arrives, and not for ever."""
    try:
        return await asyncio.wait_for(receiving, seconds)
    except asyncio.TimeoutError as error:
        raise HTTPException(408, f"it did not arrive in {seconds:g} s") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "it did not arrive whole") from error


async def _parts(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body of a request, part by part, as long as it is not too large."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_large(most)
        yield part


async def _receive(request: Request, path: pathlib.Path, most: int) -> None:
    """Writes the body of a request to a file."""
    with open(path, "wb") as file:
        async for part in _parts(request, most):
            file.write(part)


async def _body(request: Request, most: int) -> bytes:
    """The body of a request."""
    return b"".join([part async for part in _parts(request, most)])
