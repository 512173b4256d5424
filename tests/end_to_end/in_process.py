"""A whole control plane in one process and one loop: core on the memory store, manager, and kubelets moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from rollplane.core.v1 import Node, Pod, PodCondition
from rollplane.meta.v1 import Quantity, Time
from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_controller.manager import Manager
from rollplane_machinery.api import Api, Create, Delete, Key, ListQuery, Preconditions, UpdateStatus, WriteResult
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import NODE, POD, ApiObject, Encoded, Kind
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.node_lifecycle.times import NodeTimes
from tests.end_to_end.waiting import until

NODES = 6
FOUND_IN_SECONDS = 20.0


class SteppedClock(SystemClock):
    """The real clock, which tests may move on: objects made in one second are told apart by name only."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


class Plane:
    """The running plane; ``user`` is an editor's Api, ``kubelet`` a node's."""

    def __init__(self, core: Core, manager: Manager, clock: SteppedClock) -> None:
        self.clock = clock
        self.core = core
        self.manager = manager
        self.user: Api = core.as_identity(Identity("user", Role.EDITOR))
        self.kubelet: Api = core.as_identity(Identity("kubelet", Role.NODE))

    async def create(self, message: ApiObject) -> None:
        await self.user.write(Create(Encoded.of(message)))

    async def get(self, kind: Kind, namespace: str, name: str) -> ApiObject:
        return (await self.user.get(Key(kind, namespace, name))).parse()

    async def all(self, kind: Kind, namespace: str) -> list[ApiObject]:
        page = await self.user.list(ListQuery(kind, namespace))
        return [encoded.parse() for encoded in page.objects]

    async def quiet(self) -> None:
        """Wait until the controllers have seen and done everything."""
        await until(lambda: self.manager.is_quiet(self.core.revision), FOUND_IN_SECONDS, "the controllers never rest")

    async def pods(self, namespace: str) -> list[Pod]:
        """Return the pods, oldest first, by their uids' order of creation."""
        pods = [pod for pod in await self.all(POD, namespace) if isinstance(pod, Pod)]
        return sorted(pods, key=lambda pod: (pod.metadata.creation_timestamp.seconds, pod.metadata.name))

    async def set_ready(self, pods: list[Pod], *, ready: bool) -> None:
        """Report these pods ready, or not."""
        writes = []
        for pod in pods:
            pod.status.phase = "Running"
            kept = [condition for condition in pod.status.conditions if condition.type != "Ready"]
            del pod.status.conditions[:]
            time = Time(seconds=int(self.clock.now()))
            condition = PodCondition(type="Ready", status="True" if ready else "False", last_transition_time=time)
            pod.status.conditions.extend([*kept, condition])
            writes.append(UpdateStatus(Encoded.of(pod)))
        _check(await self.kubelet.batch(writes))

    async def finish(self, pods: list[Pod]) -> None:
        """Let these pods end for good, as their kubelet confirms it."""
        deletes = [
            Delete(
                Key(POD, pod.metadata.namespace, pod.metadata.name),
                grace_period_seconds=0,
                preconditions=Preconditions(uid=pod.metadata.uid),
            )
            for pod in pods
        ]
        _check(await self.kubelet.batch(deletes))


def _check(results: object) -> None:
    assert isinstance(results, list | tuple)
    for result in results:
        if isinstance(result, RollplaneError):
            raise result
        assert isinstance(result, WriteResult)


@asynccontextmanager
async def in_process_plane(
    nodes: int = NODES,
    release: Release = LATEST,
    clock: SteppedClock | None = None,
    node_times: NodeTimes | None = None,
) -> AsyncIterator[Plane]:
    """Run a plane of that release with ``nodes`` nodes named fake-0, fake-1 and so on."""
    clock = clock or SteppedClock()
    async with Core(MemoryStore(), clock, settings=CoreSettings(release=release), randomness=Random(7)) as core:
        api = core.as_identity(Identity("manager", Role.CONTROLLER))
        manager = Manager(api, "manager-0", clock=clock, random=Random(11), release=release, node_times=node_times)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(manager.run())
            plane = Plane(core, manager, clock)
            for number in range(nodes):
                await plane.user.write(Create(Encoded.of(_node(f"fake-{number}"))))
            yield plane
            running.cancel()


def _node(name: str) -> Node:
    node = Node()
    node.metadata.name = name
    for resource, amount in {"cpu": "64", "memory": "256Gi", "pods": "500"}.items():
        node.status.capacity[resource].CopyFrom(Quantity(string=amount))
        node.status.allocatable[resource].CopyFrom(Quantity(string=amount))
    node.status.conditions.add(type="Ready", status="True")
    assert NODE.message is Node
    return node
