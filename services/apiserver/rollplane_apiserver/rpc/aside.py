"""Streams beside the Api, of health and of reflection: they are bounded too, with places of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing
from typing import Any

from grpc_health.v1 import health_pb2

from rollplane_apiserver.rpc.calls import abort
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import TooManyRequestsError
from rollplane_service.admission import Admission
from rollplane_service.health import Health, HealthService

Stream = Callable[[Any, Any], Any]
"""An async generator that answers a request, or a stream of requests, with a stream."""


def placed(admission: Admission, stream: Stream) -> Stream:
    """Return ``stream`` so that it holds a place while it runs, and is refused where there is none."""

    async def held(request: Any, context: Any) -> AsyncGenerator[Any, None]:
        try:
            with admission.side_stream():
                async with aclosing(stream(request, context)) as responses:
                    async for response in responses:
                        yield response
        except TooManyRequestsError as exc:
            await abort(context, exc)

    return held


class PlacedHealth(HealthService):
    """The health service, whose streams hold places."""

    def __init__(self, health: Health, clock: Clock, services: Collection[str], admission: Admission) -> None:
        super().__init__(health, clock, services)
        self._held = placed(admission, super().Watch)

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[health_pb2.HealthCheckResponse]:  # noqa: N802
        async for response in self._held(request, context):
            yield response
