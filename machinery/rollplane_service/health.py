"""Whether a process is alive, and whether it is ready: two questions with two answers.

Alive is a process whose loop answers; nothing but a restart helps one that is not. Ready is one that can do its work
now: started, not leaving, and everything it depends on is there. A process that is not ready is left alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rollplane_machinery.clock import Clock

Check = Callable[[], str]
"""Returns why the process is not ready, nothing when all is well. Must not block."""

NAME = "grpc.health.v1.Health"
ALIVE = "alive"
READY = "ready"
_LOOK_SECONDS = 0.25

_Status = health_pb2.HealthCheckResponse.ServingStatus


class Health:
    """What a process says of itself. ``started`` is set when it is up, ``draining`` when it has begun to leave."""

    def __init__(self) -> None:
        self.started = False
        self.draining = False
        self._checks: dict[str, Check] = {}
        self._notes: dict[str, Check] = {}

    def add_check(self, name: str, check: Check) -> None:
        """Be ready only while ``check`` finds nothing, from now on."""
        self._checks[name] = check

    def add_note(self, name: str, check: Check) -> None:
        """Tell what ``check`` finds from now on, and be ready all the same: the work can be done, if not all of it."""
        self._notes[name] = check

    @property
    def is_ready(self) -> bool:
        """Whether it can do its work now."""
        return not any(self.findings().values())

    def findings(self) -> Mapping[str, str]:
        """Return every check by name with what it finds, empty for nothing."""
        own = {
            "start": "" if self.started else "it is still starting",
            "stop": "it is going away" if self.draining else "",
        }
        return own | {name: check() for name, check in self._checks.items()}

    def notes(self) -> Mapping[str, str]:
        """Return every note by name with what it tells, empty for nothing."""
        return {name: check() for name, check in self._notes.items()}


class HealthService(health_pb2_grpc.HealthServicer):
    """grpc.health.v1: ``""`` and ``alive`` tell whether the process is alive, ``ready`` and ``services`` whether ready.

    A check or note by its name tells whether that one finds nothing.

    The answer is computed when asked, so it is never older than the question; a stream of it looks four times a
    second, since what a check reads does not announce itself. A stream ends after the drain was told, lest it hold the
    server's stop up for the whole grace period.
    """

    def __init__(self, health: Health, clock: Clock, services: Collection[str] = ()) -> None:
        self._health = health
        self._clock = clock
        self._alive = frozenset({"", ALIVE})
        self._ready = frozenset({READY, NAME, *services})

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve it from ``server``."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> health_pb2.HealthCheckResponse:  # noqa: N802
        status = self._status(request.service)
        if status == _Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r}")
        return health_pb2.HealthCheckResponse(status=status)

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        told = None
        while True:
            last = self._health.draining
            if (status := self._status(request.service)) != told:
                yield health_pb2.HealthCheckResponse(status=status)
                told = status
            if last:
                break
            await self._clock.sleep(_LOOK_SECONDS)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is going away")

    def _status(self, service: str) -> _Status:
        if service in self._alive:
            return _serving(not self._health.draining)
        if service in self._ready:
            return _serving(self._health.is_ready)
        told = {**self._health.findings(), **self._health.notes()}
        return _serving(not told[service]) if service in told else _Status.SERVICE_UNKNOWN


def _serving(is_well: bool) -> _Status:
    return _Status.SERVING if is_well else _Status.NOT_SERVING
