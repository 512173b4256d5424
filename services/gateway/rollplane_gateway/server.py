"""The HTTP server around the gateway: aiohttp reads requests and writes answers, and decides nothing.

It runs in the loop it is entered in. Every request becomes a value (``Request``), every answer was one (``Reply`` or
``Stream``), and whatever is raised on the way is told as a Status.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext, suppress
from http import HTTPStatus
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.web_request import BaseRequest

from rollplane_gateway.calls import Backend
from rollplane_gateway.connections import ConnectionServer
from rollplane_gateway.guard import Guard
from rollplane_gateway.incoming import announced_bytes, read_request
from rollplane_gateway.limits import Limits
from rollplane_gateway.metrics import Metrics
from rollplane_gateway.outgoing import Sender
from rollplane_gateway.replies import Answer, Reply
from rollplane_gateway.requests import NO_QUERY, Query, Request
from rollplane_gateway.routing import READS, Match, Routes
from rollplane_gateway.statuses import RefusedError, error_form, reply_of
from rollplane_gateway.targets import names_custom
from rollplane_gateway.watching import Watches
from rollplane_machinery.errors import Outcome, RollplaneError, TimedOutError, UnavailableError
from rollplane_service.admission import Admission

_CLOSING_SECONDS = 1.0


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
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._backend = backend
        self._routes = routes
        self._metrics = metrics
        self._guard = guard
        self._limits = limits
        self.admission = Admission(limits.admission)
        self._sender = Sender(limits)
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
            head_seconds=self._limits.head_seconds,
            auto_decompress=False,
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
        self._sender.end_streams()
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
                match = await self._match(sent.method, path, query)
                response = await self._answered(sent, match, path, query)
            except (asyncio.CancelledError, ConnectionError):
                raise
            except Exception as exc:
                response = await self._refused(sent, exc)
            code = response.status
            return response
        finally:
            self._metrics.ended(match, code, self._backend.clock.monotonic() - started)

    async def _match(self, method: str, path: str, query: Query) -> Match:
        """Return what answers; what is not known may be of a kind that has just been defined."""
        try:
            return self._routes.match(self._backend.served, method, path, query)
        except RefusedError as exc:
            if exc.code != HTTPStatus.NOT_FOUND or not names_custom(path):
                raise
        return self._routes.match(await self._backend.catalogue.renewed(), method, path, query)

    async def _answered(self, sent: BaseRequest, match: Match, path: str, query: Query) -> web.StreamResponse:
        size = announced_bytes(sent, self._limits)
        with nullcontext() if match.is_aside else self.admission.call(size):
            answer = await self._answer(match, await read_request(sent, path, query, self._limits))
            if isinstance(answer, Reply):
                return await self._sender.tell(sent, answer)
        with self.admission.stream():
            return await self._sender.stream(sent, answer)

    async def _answer(self, match: Match, request: Request) -> Answer:
        seconds = self._limits.admission.call_seconds
        try:
            async with asyncio.timeout(seconds):
                return await match.run(self._backend, request)
        except TimeoutError as exc:
            raise TimedOutError(f"not done within {seconds:g} s") from exc

    async def _refused(self, sent: BaseRequest, error: Exception) -> web.StreamResponse:
        """Tell what went wrong; raises ConnectionError when an answer has begun already."""
        if sent.writer.output_size > 0:
            raise ConnectionError("the answer had begun") from error
        if isinstance(error, RollplaneError):
            error = self._timely(error, is_write=sent.method not in READS)
        return await self._sender.tell(
            sent, reply_of(error, error_form(sent.headers.get("Accept", "")), self._backend.served)
        )

    def _timely(self, error: RollplaneError, *, is_write: bool) -> RollplaneError:
        """Return ``error`` with when to come again, where that is safe.

        Clients repeat by themselves whatever comes with a delay: not a write that may have been made.
        """
        if is_write and error.outcome is Outcome.OUTCOME_UNKNOWN:
            error.retry_after_seconds = None
        elif isinstance(error, UnavailableError) and error.retry_after_seconds is None:
            error.retry_after_seconds = self._limits.admission.retry_after_seconds
        return error
