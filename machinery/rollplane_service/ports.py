"""The ports that a process serves beside its work: grpc.health.v1, and metrics with health over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
from prometheus_client import CollectorRegistry

from rollplane_machinery.clock import Clock
from rollplane_service.endpoint import serve_http
from rollplane_service.health import Health, HealthService
from rollplane_service.listen import with_port
from rollplane_service.metrics import show_process
from rollplane_service.settings import ProcessSettings, WorkerSettings

ANY_PORT = 0


@asynccontextmanager
async def operators_port(settings: ProcessSettings, registry: CollectorRegistry, health: Health) -> AsyncIterator[str]:
    """Serve ``/metrics`` and ``/readyz`` where the settings say; yields the address, ``-`` for none.

    Raises OSError when it is taken, unless it is to give way.
    """
    show_process(registry, health)
    if not settings.metrics_listen:
        yield "-"
        return
    host, _, port = settings.metrics_listen.rpartition(":")
    async with AsyncExitStack() as stack:

        async def serve(at: int) -> int:
            return await stack.enter_async_context(serve_http(registry, health, host.strip("[]"), at))

        try:
            bound = await serve(int(port))
        except OSError:
            if not settings.metrics_give_way:
                raise
            bound = await serve(ANY_PORT)
        yield with_port(settings.metrics_listen, bound)


@asynccontextmanager
async def health_port(address: str, health: Health, clock: Clock) -> AsyncIterator[str]:
    """Serve grpc.health.v1 for a process that serves no other gRPC; yields the address. Raises OSError when taken."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    HealthService(health, clock).add_to(server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as exc:
        raise OSError(f"cannot listen on {address}: {exc}") from exc
    await server.start()
    try:
        yield with_port(address, port)
    finally:
        await server.stop(None)


@asynccontextmanager
async def worker_ports(
    settings: WorkerSettings, registry: CollectorRegistry, health: Health, clock: Clock
) -> AsyncIterator[str]:
    """Serve both ports of a process that works against the apiserver; yields their words of the ready line."""
    async with (
        operators_port(settings, registry, health) as scraped,
        health_port(settings.health_listen, health, clock) as asked,
    ):
        yield f"health={asked} metrics={scraped}"
