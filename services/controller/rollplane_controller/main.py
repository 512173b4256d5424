"""One controller process: settings in, a ready line out, SIGTERM gives its shards up."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Sequence
from functools import partial
from random import Random

from rollplane_client.channel import open_channel
from rollplane_client.grpc_api import connect
from rollplane_client.lease_identity import identity_of
from rollplane_controller.manager import Manager
from rollplane_controller.metrics import Metrics
from rollplane_controller.settings import Settings, read_arguments
from rollplane_machinery.clock import SystemClock
from rollplane_service.background import running
from rollplane_service.peer import Peer
from rollplane_service.ports import worker_ports
from rollplane_service.process import Process, run_process
from rollplane_service.rest import keep_packed

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Control until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(arguments, os.environ)
    return run_process("rollplane_controller", settings, lambda process: control(settings, process))


async def control(settings: Settings, process: Process) -> None:
    """Run the manager until told to stop.

    Ready once the first whole state has been seen and all shards were looked at, while the apiserver answers.
    """
    random = Random(settings.seed) if settings.seed else Random()
    life = settings.life or f"{os.getpid()}-{secrets.token_hex(4)}"
    identity = identity_of(settings.identity or socket.gethostname(), life)
    clock = SystemClock()
    metrics = Metrics(clock)
    async with (
        worker_ports(settings, metrics.registry, process.health, clock) as ports,
        open_channel(settings.server) as channel,
        connect(settings.server, role="controller", name=identity) as api,
    ):
        peer = Peer(channel, clock)
        manager = Manager(
            api,
            identity,
            clock=clock,
            random=random,
            release=settings.release,
            node_times=settings.node_times(),
            event_limits=settings.event_limits(),
            controller_qps=settings.controller_qps,
            metrics=metrics,
        )
        process.health.add_check("apiserver", peer.trouble)
        process.health.add_check("shards", lambda: "" if manager.shards.looked.is_set() else "not looked at yet")
        packing = partial(keep_packed, manager.observer.informer.packable, clock)
        async with running(peer.run, manager.run, packing):
            await manager.ready()
            process.announce(f"{ports} kubernetes={settings.kubernetes}")
            told = {"identity": identity, "server": settings.server, "kubernetes": settings.kubernetes}
            log.info("controlling", extra=told)
            await process.told_to_stop()
