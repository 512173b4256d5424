"""One fleet process: settings in, a ready line out, SIGTERM ends it; its nodes' leases then run out."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence

import uvloop

from rollplane_client.grpc_api import connect
from rollplane_kubelet_sim.fleet import Fleet, FleetSettings
from rollplane_kubelet_sim.node_objects import NodeShape
from rollplane_kubelet_sim.settings import Settings, read_arguments, read_profile
from rollplane_machinery.clock import SystemClock
from rollplane_service.garbage import freeze_survivors
from rollplane_service.logs import start_logging
from rollplane_service.process import HealthPort, run_until_signal

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Simulate until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(arguments, os.environ)
    start_logging(settings.log_level)
    freeze_survivors()
    return run_until_signal(lambda: simulate(settings), "rollplane_kubelet_sim", uvloop.new_event_loop)


async def simulate(settings: Settings) -> None:
    """Run the fleet until cancelled; healthy once its nodes are registered and their pods are known."""
    shape = NodeShape(settings.node_cpu, settings.node_memory, settings.node_pods)
    fleet_settings = FleetSettings(settings.node_prefix, settings.nodes, settings.first_node, shape)
    profile = read_profile(settings.profile)
    health = HealthPort()
    async with (
        health.listen(settings.health_listen) as address,
        connect(settings.server, role="node", name=f"fleet-{settings.node_prefix}-{settings.first_node}") as api,
        asyncio.TaskGroup() as tasks,
    ):
        fleet = Fleet(api, fleet_settings, profile, clock=SystemClock())
        tasks.create_task(fleet.run())
        await fleet.ready.wait()
        await health.set_serving(serving=True)
        print(f"ready nodes={settings.nodes} profile={profile.name} health={address}", flush=True)
        log.info("simulating", extra={"nodes": settings.nodes, "profile": profile.name})
