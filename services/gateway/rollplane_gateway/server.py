"""The HTTP server around the gateway: aiohttp reads requests and writes answers, and decides nothing.

It runs in the loop it is entered in. Every request becomes a value (``Request``), every answer was one (``Reply`` or
``Stream``), and whatever is raised on the way is told as a Status.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.web_request import BaseRequest

from rollplane_gateway.calls import Backend
from rollplane_gateway.replies import Answer, Reply, Stream
from rollplane_gateway.requests import IMPERSONATE, NO_QUERY, Query, Request
from rollplane_gateway.routing import Routes, answer
from rollplane_gateway.statuses import error_form, reply_of
from rollplane_machinery.errors import RequestTooLargeError, TimedOutError

log = logging.getLogger(__name__)

MIB = 1024 * 1024
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the server. Go clients keep idle connections for 90 s, so ours must live longer."""

    body_bytes: int = 3 * MIB
    body_seconds: float = 30.0
    head_line_bytes: int = 64 * 1024
    keep_alive_seconds: float = 180.0
    write_seconds: float = 30.0


class GatewayServer:
    """``async with GatewayServer(backend, routes) as server: await server.listen(host, port)`` serves until left."""

    def __init__(self, backend: Backend, routes: Routes, *, limits: Limits = Limits()) -> None:
        self._backend = backend
        self._routes = routes
        self._limits = limits
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        server = web.Server(
            self._handle,
            handler_cancellation=True,
            keepalive_timeout=self._limits.keep_alive_seconds,
            max_line_size=self._limits.head_line_bytes,
            max_field_size=self._limits.head_line_bytes,
            access_log=None,
        )
        self._runner = web.ServerRunner(server, handle_signals=False)
        await self._runner.setup()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def listen(self, host: str, port: int) -> int:
        """Serve on ``host`` and ``port``, 0 for any; returns the port. Raises OSError when it cannot be had."""
        if self._runner is None:
            raise RuntimeError("the server has not been entered")
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        await site.start()
        addresses = self._runner.addresses
        return int(addresses[-1][1])

    async def _handle(self, sent: BaseRequest) -> web.StreamResponse:
        accept = sent.headers.get("Accept", "")
        try:
            answered = await self._answered(sent)
            if isinstance(answered, Stream):
                return await self._streamed(sent, answered)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as exc:
            answered = reply_of(exc, error_form(accept))
        return _response(answered)

    async def _answered(self, sent: BaseRequest) -> Answer:
        return await answer(self._routes, self._backend, await self._read(sent))

    async def _read(self, sent: BaseRequest) -> Request:
        path, _, query = sent.raw_path.partition("?")
        body = await self._body(sent) if sent.method in _WITH_BODY else b""
        headers = {name.lower(): value for name, value in sent.headers.items()}
        asked_as = tuple(each for each in sent.headers.items() if each[0].lower().startswith(IMPERSONATE))
        return Request(sent.method, path, Query(query) if query else NO_QUERY, headers, body, asked_as)

    async def _body(self, sent: BaseRequest) -> bytes:
        """Return the whole body; raises RequestTooLargeError or TimedOutError for one that is too much or too slow."""
        limit = self._limits.body_bytes
        if (sent.content_length or 0) > limit:
            raise _too_large(limit)
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for piece in sent.content.iter_any():
                    size += len(piece)
                    if size > limit:
                        raise _too_large(limit)
                    pieces.append(piece)
        except TimeoutError as exc:
            raise TimedOutError(f"the body did not arrive within {self._limits.body_seconds:g} s") from exc
        return b"".join(pieces)

    async def _streamed(self, sent: BaseRequest, stream: Stream) -> web.StreamResponse:
        async with stream.pieces as pieces:
            response = web.StreamResponse(headers={"Content-Type": stream.content_type, **stream.headers})
            response.enable_chunked_encoding()
            await response.prepare(sent)
            async for piece in pieces:
                await self._write(response, piece)
        await response.write_eof()
        return response

    async def _write(self, response: web.StreamResponse, piece: bytes) -> None:
        """Send ``piece``; raises ConnectionError when the reader does not take it for too long."""
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                await response.write(piece)
        except TimeoutError as exc:
            raise ConnectionError("the reader is too slow") from exc


def _too_large(limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(f"limit is {limit} bytes: the request body is too large")


def _response(reply: Reply) -> web.Response:
    response = web.Response(body=reply.body, status=reply.status, headers=reply.headers)
    response.headers["Content-Type"] = reply.content_type
    for warning in reply.warnings:
        response.headers.add("Warning", f'299 - "{_quoted(warning)}"')
    return response


def _quoted(text: str) -> str:
    """Return ``text`` as the inside of a quoted string on one line."""
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
