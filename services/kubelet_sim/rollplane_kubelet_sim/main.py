"""One fleet process: settings in, a ready line out, SIGTERM ends it; its nodes' leases then run out."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import partial

from rollplane_client.channel import open_channel
from rollplane_client.grpc_api import connect
from rollplane_kubelet_sim.fleet import Fleet
from rollplane_kubelet_sim.metrics import Metrics
from rollplane_kubelet_sim.settings import Settings, read_arguments, read_fleet, read_profile
from rollplane_machinery.clock import SystemClock
from rollplane_service.background import running
from rollplane_service.peer import Peer
from rollplane_service.ports import worker_ports
from rollplane_service.process import Process, run_process
from rollplane_service.rest import keep_packed

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Simulate until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(arguments, os.environ)
    return run_process("rollplane_kubelet_sim", settings, lambda process: simulate(settings, process))


async def simulate(settings: Settings, process: Process) -> None:
    """Run the fleet until told to stop; ready once its nodes are registered, while the apiserver answers."""
    fleet_settings, profile, clock = read_fleet(settings), read_profile(settings.profile), SystemClock()
    metrics = Metrics(clock)
    async with (
        worker_ports(settings, metrics.registry, process.health, clock) as ports,
        open_channel(settings.server) as channel,
        connect(settings.server, role="node", name=f"fleet-{settings.node_prefix}-{settings.first_node}") as api,
    ):
        peer = Peer(channel, clock)
        process.health.add_check("apiserver", peer.trouble)
        fleet = Fleet(api, fleet_settings, profile, clock=clock, metrics=metrics)
        process.health.add_check("nodes", fleet.unregistered)
        process.health.add_note("deleted-nodes", fleet.deleted)
        async with running(peer.run, fleet.run, partial(keep_packed, fleet.packable, clock)):
            await fleet.ready.wait()
            process.announce(
                f"nodes={len(fleet.nodes)} profile={profile.name} {ports} kubernetes={settings.kubernetes}"
            )
            told = {"nodes": len(fleet.nodes), "profile": profile.name, "kubernetes": settings.kubernetes}
            log.info("simulating", extra=told)
            await process.told_to_stop()
