"""One controller process: settings in, a ready line out, SIGTERM gives its shards up."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from random import Random

import uvloop

from rollplane_client.grpc_api import connect
from rollplane_controller.manager import Manager
from rollplane_controller.settings import Settings, read_arguments
from rollplane_machinery.clock import SystemClock
from rollplane_service.garbage import freeze_survivors
from rollplane_service.logs import start_logging
from rollplane_service.process import HealthPort, run_until_signal

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Control until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(arguments, os.environ)
    start_logging(settings.log_level)
    freeze_survivors()
    return run_until_signal(lambda: control(settings), "rollplane_controller", uvloop.new_event_loop)


async def control(settings: Settings) -> None:
    """Run the manager until cancelled; healthy from the moment the first whole state has been seen."""
    random = Random(settings.seed) if settings.seed else Random()
    identity = settings.identity or f"{socket.gethostname()}_{os.getpid()}_{random.getrandbits(32):08x}"
    health = HealthPort()
    async with (
        health.listen(settings.health_listen) as address,
        connect(settings.server, role="controller", name=identity) as api,
        asyncio.TaskGroup() as tasks,
    ):
        manager = Manager(api, identity, clock=SystemClock(), random=random, node_times=settings.node_times())
        tasks.create_task(manager.run())
        await manager.ready()
        await health.set_serving(serving=True)
        print(f"ready health={address}", flush=True)
        log.info("controlling", extra={"identity": identity, "server": settings.server})
