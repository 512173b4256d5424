"""A plane of the rehearsal room whose kubelets are moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rollplane.core.v1 import Node, Pod, PodCondition
from rollplane.meta.v1 import Quantity, Time
from rollplane_apiserver.core.identity import Role
from rollplane_machinery.api import Create, Delete, Key, ListQuery, Preconditions, UpdateStatus, WriteResult
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import POD, ApiObject, Encoded, Kind
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.node_lifecycle.times import NodeTimes
from rollplane_rehearsal import Plane

NODES = 6
QUIET_SECONDS = 60.0
EVER = 1e9
"""Nodes are silent here, and must not be given up for it."""


class HandPlane(Plane):
    """The running plane; ``api`` is an admin's, ``kubelet`` a node's."""

    async def create(self, message: ApiObject) -> None:
        await self.api.write(Create(Encoded.of(message)))

    async def get(self, kind: Kind, namespace: str, name: str) -> ApiObject:
        return (await self.api.get(Key(kind, namespace, name))).parse()

    async def all(self, kind: Kind, namespace: str) -> list[ApiObject]:
        page = await self.api.list(ListQuery(kind, namespace))
        return [encoded.parse() for encoded in page.objects]

    async def quiet(self) -> None:
        """Wait until the controllers have seen and done everything."""
        await self.at_rest(QUIET_SECONDS)

    async def pods(self, namespace: str) -> list[Pod]:
        """Return the pods, oldest first, and by name."""
        pods = await self.client.list(Pod, namespace)
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
        await self._report(writes)

    async def finish(self, pods: list[Pod]) -> None:
        """Let these pods end for good, as their kubelet confirms it."""
        await self._report(
            [
                Delete(
                    Key(POD, pod.metadata.namespace, pod.metadata.name),
                    grace_period_seconds=0,
                    preconditions=Preconditions(uid=pod.metadata.uid),
                )
                for pod in pods
            ]
        )

    async def _report(self, writes: list[UpdateStatus] | list[Delete]) -> None:
        for result in await self.as_identity("kubelet", Role.NODE).batch(writes):
            if isinstance(result, RollplaneError):
                raise result
            assert isinstance(result, WriteResult)


@asynccontextmanager
async def in_process_plane(nodes: int = NODES, release: Release = LATEST) -> AsyncIterator[HandPlane]:
    """Run a plane of that release with ``nodes`` nodes named fake-0, fake-1 and so on."""
    times = NodeTimes(grace_seconds=EVER, startup_grace_seconds=EVER)
    async with HandPlane(profile=None, release=release, node_times=times) as plane:
        for number in range(nodes):
            await plane.create(_node(f"fake-{number}"))
        yield plane


def _node(name: str) -> Node:
    node = Node()
    node.metadata.name = name
    for resource, amount in {"cpu": "64", "memory": "256Gi", "pods": "500"}.items():
        node.status.capacity[resource].CopyFrom(Quantity(string=amount))
        node.status.allocatable[resource].CopyFrom(Quantity(string=amount))
    node.status.conditions.add(type="Ready", status="True")
    return node
