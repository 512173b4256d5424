"""A whole control plane in virtual time: core, controllers and a fleet of simulated nodes that can fall silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import ConfigMap, Container, Event, Namespace, Node, Pod
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.objects import Client
from rollplane_controller.manager import Manager
from rollplane_kubelet_sim.fleet import PROFILE_DATA, PROFILE_KEY, Fleet, FleetSettings
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.api import Api, WatchFilter, WatchQuery
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.int_or_string import of
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.node_lifecycle.times import NodeTimes
from tests.end_to_end.virtual_time import LoopClock

NAMESPACE = "default"


class FleetPlane:
    """The running plane; ``client`` is an admin's."""

    def __init__(
        self,
        core: Core,
        fleet: Fleet,
        clock: LoopClock,
        release: Release,
        times: NodeTimes | None,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.core = core
        self.fleet = fleet
        self.checker = InvariantChecker()
        self.clock = clock
        self._release = release
        self._times = times
        self._tasks = tasks
        self._controlling: asyncio.Task[None] | None = None
        self.api: Api = core.as_identity(Identity("admin", Role.ADMIN))
        self.client = Client(self.api)

    async def start_controllers(self, identity: str) -> None:
        """Start a manager and wait until it knows all."""
        api = self.core.as_identity(Identity(identity, Role.CONTROLLER))
        manager = Manager(
            api, identity, clock=self.clock, random=Random(11), release=self._release, node_times=self._times
        )
        self._controlling = self._tasks.create_task(manager.run())
        await manager.ready()

    async def stop_controllers(self) -> None:
        """Stop the manager, which gives up its shards."""
        if self._controlling is not None:
            self._controlling.cancel()
            await asyncio.wait({self._controlling})

    async def silence(self, *nodes: str) -> None:
        """Make these nodes silent, and no others."""
        await self.live_by(silent_nodes=nodes)

    async def live_by(self, *, silent_nodes: tuple[str, ...] = (), unready_nodes: tuple[str, ...] = ()) -> None:
        """Let these nodes be silent, and those report themselves not ready."""
        text = f"silent_nodes: [{', '.join(silent_nodes)}]\nunready_nodes: [{', '.join(unready_nodes)}]"
        wanted = ConfigMap()
        wanted.metadata.namespace, wanted.metadata.name = PROFILE_KEY.namespace, PROFILE_KEY.name
        try:
            wanted = await self.client.get(ConfigMap, PROFILE_KEY.namespace, PROFILE_KEY.name)
        except NotFoundError:
            wanted = await self.client.create(wanted)
        wanted.data[PROFILE_DATA] = text
        await self.client.update(wanted)

    async def node(self, name: str) -> Node:
        return await self.client.get(Node, "", name)

    async def pods(self, *, node: str = "") -> list[Pod]:
        pods = await self.client.list(Pod, NAMESPACE)
        return [pod for pod in pods if not node or pod.spec.node_name == node]

    async def available(self, deployment: str) -> int:
        return (await self.client.get(Deployment, NAMESPACE, deployment)).status.available_replicas

    async def messages(self, reason: str) -> list[str]:
        """Return what all events with this reason say."""
        return [event.message for event in await self.client.list(Event) if event.reason == reason]

    async def deploy(self, name: str, replicas: int, *, toleration_seconds: int | None = None) -> None:
        """Create a Deployment of pods that bear a lost node for some seconds (None: as long as all do, 300)."""
        deployment = Deployment()
        deployment.metadata.namespace, deployment.metadata.name = NAMESPACE, name
        deployment.spec.replicas = replicas
        deployment.spec.selector.match_labels["app"] = name
        deployment.spec.template.metadata.labels["app"] = name
        spec = deployment.spec.template.spec
        spec.containers.append(Container(name="app", image="app:v1"))
        if toleration_seconds is not None:
            for key in ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"):
                spec.tolerations.add(
                    key=key, operator="Exists", effect="NoExecute", toleration_seconds=toleration_seconds
                )
        await self.client.create(deployment)

    async def protect(self, name: str, *, min_available: int | str) -> None:
        """Create a budget for the pods of the Deployment ``name``."""
        budget = PodDisruptionBudget()
        budget.metadata.namespace, budget.metadata.name = NAMESPACE, name
        budget.spec.selector.match_labels["app"] = name
        budget.spec.min_available.CopyFrom(of(min_available))
        await self.client.create(budget)

    async def budget(self, name: str) -> PodDisruptionBudget:
        return await self.client.get(PodDisruptionBudget, NAMESPACE, name)

    async def replica_set_of(self, name: str) -> ReplicaSet:
        sets = await self.client.list(ReplicaSet, NAMESPACE)
        return next(one for one in sets if one.metadata.name.startswith(name))


SETTLING_SECONDS, RESTING_SECONDS = 120.0, 30.0
"""In virtual time: how long what was begun may take to its end, and how long nothing may be written then."""


@asynccontextmanager
async def fleet_plane(
    nodes: int = 3,
    *,
    times: NodeTimes | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    release: Release = LATEST,
) -> AsyncIterator[FleetPlane]:
    """Run a plane with nodes node-0, node-1 and so on; ``labels`` are put on nodes by name.

    Checks at the end that no invariant was broken.
    """
    clock = LoopClock()
    settings = CoreSettings(release=release)
    async with (
        Core(MemoryStore(), clock, settings=settings, randomness=Random(7)) as core,
        asyncio.TaskGroup() as tasks,
    ):
        api = core.as_identity(Identity("fleet", Role.NODE))
        fleet = Fleet(api, FleetSettings(nodes=nodes, release=release), Profile("instant"), clock=clock)
        plane = FleetPlane(core, fleet, clock, release, times, tasks)
        await _create_namespaces(plane)
        running = [tasks.create_task(_check(plane)), tasks.create_task(fleet.run())]
        await plane.start_controllers("manager-0")
        await fleet.ready.wait()
        for name, added in (labels or {}).items():
            node = await plane.node(name)
            node.metadata.labels.update(added)
            await plane.client.update(node)
        yield plane
        await asyncio.sleep(SETTLING_SECONDS)
        plane.checker.rest()
        await asyncio.sleep(RESTING_SECONDS)
        await plane.stop_controllers()
        for task in running:
            task.cancel()
    violations = plane.checker.check_at_rest()
    assert not violations, "\n".join(map(str, violations))


async def _create_namespaces(plane: FleetPlane) -> None:
    there = {one.metadata.name for one in await plane.client.list(Namespace)}
    for name in {NAMESPACE, "kube-system", "kube-node-lease"} - there:
        namespace = Namespace()
        namespace.metadata.name = name
        await plane.client.create(namespace)


async def _check(plane: FleetPlane) -> None:
    """Feed the checker with every change."""
    query = WatchQuery(tuple(WatchFilter(kind) for kind in WATCHED), send_initial_state=True)
    async with plane.api.watch(query) as batches:
        async for batch in batches:
            plane.checker.feed(batch)
