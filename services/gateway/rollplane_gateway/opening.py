"""A whole gateway over an Api, at an address: what a process of its own, or the apiserver's, has in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry

from rollplane_gateway.composing import gateway_routes, make_backend
from rollplane_gateway.guard import Guard
from rollplane_gateway.limits import Limits
from rollplane_gateway.metrics import Metrics
from rollplane_gateway.server import GatewayServer
from rollplane_machinery.api import Api
from rollplane_machinery.clock import Clock
from rollplane_machinery.releases import Release
from rollplane_service.descriptors import raise_limit
from rollplane_service.health import Health
from rollplane_service.listen import with_port

_OTHER_DESCRIPTORS = 512
"""What a process has open besides its clients' connections."""


@dataclass(frozen=True, slots=True)
class OpenGateway:
    """A gateway that serves at ``address``."""

    server: GatewayServer
    address: str

    @property
    def words(self) -> str:
        """What a ready line says of it."""
        return f"rest={self.address}"

    async def drain(self, grace_seconds: float) -> None:
        """Go away without losing anything; blocks for at most ``grace_seconds``."""
        await self.server.drain(grace_seconds)


@asynccontextmanager
async def open_gateway(
    api: Api,
    address: str,
    *,
    clock: Clock,
    release: Release,
    health: Health,
    registry: CollectorRegistry,
    hosts: Collection[str] = (),
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> AsyncIterator[OpenGateway]:
    """Serve ``api`` at ``address`` (``host:port``, port 0 for any) within the context.

    ``hosts`` are names, besides localhost, under which clients may ask. Raises OSError when the address cannot be had.
    """
    metrics = Metrics(registry)
    limits = replace(limits, connections=max(1, min(limits.connections, raise_limit() - _OTHER_DESCRIPTORS)))
    routes = gateway_routes(release, health, registry)
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    guard = Guard({host, *hosts})
    async with GatewayServer(make_backend(api, clock, release), routes, metrics, guard=guard, limits=limits) as server:
        metrics.gauge("rest_connections", "Connections of REST clients.", lambda: server.connections)
        metrics.gauge("rest_streams_open", "Watches and followed logs over REST.", lambda: server.admission.streams)
        metrics.gauge("rest_calls_in_progress", "REST calls in progress.", lambda: server.admission.calls)
        yield OpenGateway(server, with_port(address, await server.listen(host, int(port))))
