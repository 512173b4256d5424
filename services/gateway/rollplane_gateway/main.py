"""One gateway process: settings in, a ready line out, SIGTERM drains it."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from rollplane_client.channel import open_channel
from rollplane_client.grpc_api import connect
from rollplane_gateway.opening import open_gateway
from rollplane_gateway.settings import Settings, read_arguments
from rollplane_machinery.clock import SystemClock
from rollplane_service.background import running
from rollplane_service.peer import Peer
from rollplane_service.ports import worker_ports
from rollplane_service.process import Process, run_process

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(arguments, os.environ)
    return run_process("rollplane_gateway", settings, lambda process: serve(settings, process))


async def serve(settings: Settings, process: Process) -> None:
    """Serve REST until the process is told to stop, then drain; ready while an apiserver that is ready answers.

    Raises OSError when an address cannot be had.
    """
    clock, registry = SystemClock(), CollectorRegistry()
    async with (
        worker_ports(settings, registry, process.health, clock) as ports,
        open_channel(settings.server) as channel,
        connect(settings.server, name="gateway") as api,
    ):
        peer = Peer(channel, clock)
        process.health.add_check("apiserver", peer.trouble)
        opening = open_gateway(
            api,
            settings.rest_listen,
            clock=clock,
            release=settings.release,
            health=process.health,
            registry=registry,
            hosts=settings.hosts,
        )
        async with running(peer.run), opening as gateway:
            process.announce(f"{gateway.words} {ports} kubernetes={settings.kubernetes}")
            log.info("serving", extra={"rest": gateway.address, "server": settings.server})
            await process.told_to_stop()
            await gateway.drain(settings.grace_seconds)
    log.info("stopped")
