"""One gRPC server over one core: its services, its limits, and how it goes away."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

import grpc

from rollplane_apiserver.core import Identity
from rollplane_apiserver.rpc import objects, rollouts
from rollplane_apiserver.rpc.aside import PlacedHealth
from rollplane_apiserver.rpc.authentication import Authenticate, believe
from rollplane_apiserver.rpc.calls import CallMetrics, Calls
from rollplane_apiserver.rpc.reflection import reflection_handlers
from rollplane_machinery.api import RolloutApi
from rollplane_machinery.clock import Clock
from rollplane_service.admission import Admission, Limits
from rollplane_service.health import NAME as HEALTH
from rollplane_service.health import Health

log = logging.getLogger(__name__)

SERVICES = (objects.NAME, rollouts.NAME)
MIB = 1024 * 1024
_SILENT_SECONDS = 0.1

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 8 * MIB),
    ("grpc.max_send_message_length", 8 * MIB),  # pages and watch messages are cut at 3 MiB; this is one huge object's
    ("grpc.so_reuseport", 0),  # a second server on the same port is a mistake and must fail
    ("grpc.keepalive_time_ms", 30_000),  # a watcher that vanished without a word is found out
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),  # a ping that measures the bandwidth stands in for one of those
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 500),  # watchers ask whether we live, every second
)


class ServedApi(objects.ServedObjects, RolloutApi, Protocol):
    """All that is served in a caller's name."""


class ServedCore(Protocol):
    """What the server needs of a core."""

    def as_identity(self, identity: Identity) -> ServedApi: ...

    @property
    def is_serving(self) -> bool: ...

    def end_watches(self) -> None: ...


class RpcServer:
    """``async with RpcServer(core, clock, metrics) as server: server.listen(address)`` serves until left or drained.

    Leaving without ``drain`` cuts all calls off.
    """

    def __init__(
        self,
        core: ServedCore,
        clock: Clock,
        metrics: CallMetrics,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        authenticate: Authenticate = believe,
        health: Health | None = None,
    ) -> None:
        self._core = core
        self._clock = clock
        self.admission = Admission(limits)
        calls = Calls(self.admission, authenticate, metrics, clock, limits)
        self._handlers = (
            calls.handler(objects.object_service(core.as_identity)),
            calls.handler(rollouts.rollout_service(core.as_identity)),
            *reflection_handlers((*SERVICES, HEALTH), self.admission),
        )
        self._health = health or Health()
        self._health.add_check("store", lambda: "" if core.is_serving else "the log of changes cannot be read")
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server(options=OPTIONS)  # belongs to the running loop, so it is made here
        self._server.add_generic_rpc_handlers(self._handlers)
        PlacedHealth(self._health, self._clock, SERVICES, self.admission).add_to(self._server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.stop(None)

    async def listen(self, address: str) -> int:
        """Serve on ``address`` and return the port (0 for a socket file); raises OSError when it cannot be had."""
        try:
            port = self._running.add_insecure_port(address)
        except RuntimeError as exc:
            raise OSError(f"cannot listen on {address}: {exc}") from exc
        await self._running.start()
        self._health.started = True
        return port

    async def drain(self, grace_seconds: float) -> None:
        """Go away without losing anything: say so, end the streams resumably, let calls finish.

        Health answers NOT_SERVING first. New calls are refused (UNAVAILABLE, NOT_SENT), every watch ends with
        UNAVAILABLE behind what it has been sent, and calls in progress have ``grace_seconds`` to end before they are
        cut off. gRPC itself stops last, once nobody calls any more: it would cancel a call that comes in at that
        moment, without a word on whether it was carried out.
        """
        self._health.draining = True
        log.info("draining", extra={"calls": self.admission.calls, "streams": self.admission.streams})
        self.admission.close()
        self._core.end_watches()
        deadline = self._clock.monotonic() + grace_seconds
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self.admission.idle()
                await self._silence()
        await self._running.stop(max(0.0, deadline - self._clock.monotonic()))

    async def _silence(self) -> None:
        """Wait until nobody has been turned away for a moment: whoever was has gone to another server."""
        heard = -1
        while heard != self.admission.turned_away:
            heard = self.admission.turned_away
            await self._clock.sleep(_SILENT_SECONDS)

    @property
    def _running(self) -> grpc.aio.Server:
        if self._server is None:
            raise RuntimeError("the server has not been entered")
        return self._server
