"""grpc.health.v1: whether calls make sense now, asked for each service by name or for the whole server by ``""``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rollplane_machinery.clock import Clock

NAME = "grpc.health.v1.Health"
_LOOK_SECONDS = 0.25


class Health(health_pb2_grpc.HealthServicer):
    """Serving while ``is_serving()`` says so and the drain has not begun.

    The answer is computed when asked, so it is never older than the question; a stream of it looks four times a
    second, since what ``is_serving`` reads does not announce itself. A stream ends after the drain was told, lest it
    hold the server's stop up for the whole grace period.
    """

    def __init__(self, services: Collection[str], is_serving: Callable[[], bool], clock: Clock) -> None:
        self._services = frozenset({"", NAME, *services})
        self._is_serving = is_serving
        self._clock = clock
        self.draining = False

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve it from ``server``."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> health_pb2.HealthCheckResponse:  # noqa: N802
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r}")
        return health_pb2.HealthCheckResponse(status=self._status(request.service))

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        told = None
        while True:
            last = self.draining
            if (status := self._status(request.service)) != told:
                yield health_pb2.HealthCheckResponse(status=status)
                told = status
            if last:
                break
            await self._clock.sleep(_LOOK_SECONDS)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is going away")

    def _status(self, service: str) -> health_pb2.HealthCheckResponse.ServingStatus:
        if service not in self._services:
            return health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        if self._is_serving() and not self.draining:
            return health_pb2.HealthCheckResponse.SERVING
        return health_pb2.HealthCheckResponse.NOT_SERVING
