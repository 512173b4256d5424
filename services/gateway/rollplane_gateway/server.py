"""The HTTP server around the gateway: aiohttp reads requests and writes answers, and decides nothing.

It runs in the loop it is entered in. Every request becomes a value (``Request``), every answer was one (``Reply`` or
``Stream``), and whatever is raised on the way is told as a Status.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.web_request import BaseRequest

from rollplane_gateway.calls import Backend
from rollplane_gateway.connections import ConnectionServer
from rollplane_gateway.guard import Guard
from rollplane_gateway.metrics import Metrics
from rollplane_gateway.replies import Answer, Reply, Stream
from rollplane_gateway.requests import IMPERSONATE, NO_QUERY, Query, Request
from rollplane_gateway.routing import Match, Routes
from rollplane_gateway.statuses import error_form, reply_of
from rollplane_gateway.watching import Watches
from rollplane_machinery.errors import RequestTooLargeError, TimedOutError
from rollplane_service.admission import Admission
from rollplane_service.admission import Limits as AdmissionLimits

log = logging.getLogger(__name__)

MIB = 1024 * 1024
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_CLOSING_SECONDS = 1.0
MOST_CONNECTIONS = 16_384


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the server.

    Go clients keep idle connections for 90 s, so ours must live longer. ``body_bytes`` is what kube-apiserver takes.
    An answer may take ``write_seconds``, and one more for each ``write_bytes`` of it; then its reader is dropped.
    """

    body_bytes: int = 3 * MIB
    body_seconds: float = 30.0
    head_line_bytes: int = 64 * 1024
    keep_alive_seconds: float = 180.0
    write_seconds: float = 30.0
    write_bytes: int = 256 * 1024
    connections: int = MOST_CONNECTIONS
    admission: AdmissionLimits = AdmissionLimits(call_seconds=60.0, retry_after_seconds=1.0)  # noqa: RUF009 - frozen


class GatewayServer:
    """``async with GatewayServer(backend, routes, metrics) as server: await server.listen(host, port)``.

    Serves until left or drained; leaving without ``drain`` cuts everything off.
    """

    def __init__(
        self,
        backend: Backend,
        routes: Routes,
        metrics: Metrics,
        *,
        guard: Guard = Guard(),  # noqa: B008 - never changes
        limits: Limits = Limits(),
    ) -> None:
        self._backend = backend
        self._routes = routes
        self._metrics = metrics
        self._guard = guard
        self._limits = limits
        self.admission = Admission(limits.admission)
        self._streams: set[asyncio.Timeout] = set()
        self._server: ConnectionServer | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def connections(self) -> int:
        """How many are open."""
        return 0 if self._server is None else len(self._server.connections)

    @property
    def watches(self) -> Watches:
        """The watches that are open."""
        return self._backend.watches

    async def __aenter__(self) -> Self:
        self._server = ConnectionServer(
            self._handle,
            most=self._limits.connections,
            handler_cancellation=True,
            lingering_time=_CLOSING_SECONDS,
            keepalive_timeout=self._limits.keep_alive_seconds,
            max_line_size=self._limits.head_line_bytes,
            max_field_size=self._limits.head_line_bytes,
            access_log=None,
        )
        self._runner = web.ServerRunner(self._server, handle_signals=False, shutdown_timeout=_CLOSING_SECONDS)
        await self._runner.setup()
        await self._backend.watches.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._backend.watches.__aexit__(kind, error, trace)
        finally:
            if self._runner is not None:
                await self._runner.cleanup()

    async def listen(self, host: str, port: int) -> int:
        """Serve on ``host`` and ``port``, 0 for any; returns the port. Raises OSError when it cannot be had."""
        if self._runner is None:
            raise RuntimeError("the server has not been entered")
        await web.TCPSite(self._runner, host, port, backlog=1024).start()
        return int(self._runner.addresses[-1][1])

    async def drain(self, grace_seconds: float) -> None:
        """Go away without losing anything: end the streams resumably, let calls finish, refuse new ones.

        Blocks for at most ``grace_seconds``.
        """
        self.admission.close()
        now = asyncio.get_running_loop().time()
        for stream in self._streams:
            stream.reschedule(now)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self.admission.idle()

    async def _handle(self, sent: BaseRequest) -> web.StreamResponse:
        started = self._backend.clock.monotonic()
        match: Match | None = None
        code = 0
        try:
            path, _, query_text = sent.raw_path.partition("?")
            try:
                self._guard.check(sent.headers)
                query = Query(query_text) if query_text else NO_QUERY
                match = self._routes.match(self._backend.served, sent.method, path, query)
                response = await self._answered(sent, match, path, query)
            except (asyncio.CancelledError, ConnectionError):
                raise
            except Exception as exc:
                response = await self._told(sent, reply_of(exc, error_form(sent.headers.get("Accept", ""))))
            code = response.status
            return response
        finally:
            self._metrics.ended(match, code, self._backend.clock.monotonic() - started)

    async def _answered(self, sent: BaseRequest, match: Match, path: str, query: Query) -> web.StreamResponse:
        size = self._limits.body_bytes if sent.body_exists and sent.content_length is None else sent.content_length or 0
        with nullcontext() if match.is_aside else self.admission.call(min(size, self._limits.body_bytes)):
            answer = await self._answer(sent, match, path, query)
            if isinstance(answer, Reply):
                return await self._told(sent, answer)
        with self.admission.stream():
            return await self._streamed(sent, answer)

    async def _answer(self, sent: BaseRequest, match: Match, path: str, query: Query) -> Answer:
        body = await self._body(sent) if sent.method in _WITH_BODY else b""
        headers = {name.lower(): value for name, value in sent.headers.items()}
        asked_as = tuple(each for each in sent.headers.items() if each[0].lower().startswith(IMPERSONATE))
        request = Request(sent.method, path, query, headers, body, asked_as)
        seconds = self._limits.admission.call_seconds
        try:
            async with asyncio.timeout(seconds):
                return await match.run(self._backend, request)
        except TimeoutError as exc:
            raise TimedOutError(f"not done within {seconds:g} s") from exc

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

    async def _told(self, sent: BaseRequest, reply: Reply) -> web.StreamResponse:
        response = _response(reply)
        try:
            async with asyncio.timeout(self._limits.write_seconds + len(reply.body) / self._limits.write_bytes):
                await response.prepare(sent)
                await response.write_eof()
        except TimeoutError as exc:
            raise ConnectionError("the reader is too slow") from exc
        return response

    async def _streamed(self, sent: BaseRequest, stream: Stream) -> web.StreamResponse:
        async with stream.pieces as pieces:
            response = web.StreamResponse(headers={"Content-Type": stream.content_type, **stream.headers})
            response.enable_chunked_encoding()
            await response.prepare(sent)
            await self._sent(response, pieces)
        await response.write_eof()
        return response

    async def _sent(self, response: web.StreamResponse, pieces: AsyncIterator[bytes]) -> None:
        """Send all pieces, or those until the drain; raises ConnectionError when something is wrong with the rest."""
        try:
            async with asyncio.timeout(None) as ending:
                self._streams.add(ending)
                try:
                    async for piece in pieces:
                        await self._write(response, piece)
                finally:
                    self._streams.discard(ending)
        except TimeoutError:
            if not ending.expired():
                raise
        except ConnectionError:
            raise
        except Exception as exc:
            log.exception("a stream was cut off by a defect")
            raise ConnectionError("the answer cannot go on") from exc

    async def _write(self, response: web.StreamResponse, piece: bytes) -> None:
        """Send ``piece``; raises ConnectionError when the reader does not take it for too long."""
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                await response.write(piece)
        except TimeoutError as exc:
            raise ConnectionError("the reader is too slow") from exc


def _too_large(limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(f"Request entity too large: limit is {limit}")


def _response(reply: Reply) -> web.Response:
    response = web.Response(body=reply.body, status=reply.status, headers=reply.headers)
    response.headers["Content-Type"] = reply.content_type
    for warning in reply.warnings:
        response.headers.add("Warning", f'299 - "{_quoted(warning)}"')
    return response


def _quoted(text: str) -> str:
    """Return ``text`` as the inside of a quoted string on one line."""
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
