"""Faults of a mix, struck when they are due, and healed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random

from rollplane_load.cluster import Cluster, Kill
from rollplane_load.nodes import Nodes
from rollplane_load.scenario.model import KILLS, Fault, PlannedFault
from rollplane_load.simulated import Simulation
from rollplane_load.watcher import Watcher
from rollplane_machinery.api import Delete, Key
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import POD

PATIENCE_SECONDS = 60.0
FIELDS = {Fault.SILENCE: "silent_nodes", Fault.UNREADY: "unready_nodes"}


class Faults:
    """Strikes one target. ``kills`` end its services by name; ``simulation`` is None where kubelets are real."""

    def __init__(
        self,
        cluster: Cluster,
        watcher: Watcher,
        nodes: Nodes,
        namespace: str,
        *,
        clock: Clock,
        kills: Mapping[str, Kill],
        simulation: Simulation | None,
    ) -> None:
        self._cluster = cluster
        self._watcher = watcher
        self._nodes = nodes
        self._namespace = namespace
        self._clock = clock
        self._kills = kills
        self._simulation = simulation

    async def strike(self, planned: PlannedFault, dice: Random) -> str:
        """Strike once, and heal what lasts when its time is over; returns what was struck. Raises what refused it."""
        if planned.fault in KILLS:
            await self._kills[KILLS[planned.fault]]()
            return str(planned.fault)
        if planned.fault in (Fault.CRASH_PODS, Fault.DELETE_PODS):
            return await self._strike_pods(planned, dice)
        node = self._nodes.any(dice) if planned.node == "any" else planned.node
        if planned.fault is Fault.DRAIN:
            await self._drain(node, planned.seconds)
        elif planned.fault is Fault.RESTART_KUBELET:
            await self._simulated.restart_kubelet(node)
        else:
            await self._for_a_while(FIELDS[planned.fault], node, planned.seconds)
        return f"{planned.fault} {node}"

    @property
    def _simulated(self) -> Simulation:
        if self._simulation is None:
            raise NotFoundError("there are no simulated kubelets here")
        return self._simulation

    async def _for_a_while(self, field: str, node: str, seconds: float) -> None:
        await self._simulated.strike(field, node)
        try:
            await self._clock.sleep(seconds)
        finally:
            await self._simulated.heal(field, node)

    async def _drain(self, node: str, seconds: float) -> None:
        """Keep ``node`` cordoned for ``seconds``; what does not leave in that time stays."""
        try:
            async with asyncio.timeout(seconds):
                await self._nodes.drain(node, PATIENCE_SECONDS)
                await self._clock.sleep(seconds)
        except TimeoutError:
            return
        finally:
            await self._nodes.uncordon(node)

    async def _strike_pods(self, planned: PlannedFault, dice: Random) -> str:
        names = self._watcher.pods.names()
        chosen = dice.sample(names, min(planned.pods, len(names)))
        for name in chosen:
            if planned.fault is Fault.CRASH_PODS:
                await self._simulated.crash(self._namespace, name)
            else:
                await self._cluster.write(Delete(Key(POD, self._namespace, name)))
        return f"{planned.fault}: {', '.join(chosen)}"
