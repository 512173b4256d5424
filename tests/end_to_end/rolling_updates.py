"""Rolling updates on a whole plane in virtual time, with every change of pods and controllers watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rollplane.core.v1 import Container, Pod, ReplicationController
from rollplane_machinery.api import (
    EventType,
    Key,
    RollBackRollingUpdate,
    RollingUpdate,
    RolloutState,
    StartRollingUpdate,
    WatchBatch,
    WatchFilter,
    WatchQuery,
)
from rollplane_machinery.kinds import POD, REPLICATION_CONTROLLER, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_ready
from tests.end_to_end.fleet_plane import NAMESPACE, FleetPlane


def controller(name: str, image: str, replicas: int | None = 3, **selector: str) -> ReplicationController:
    """Return a controller whose pods are labelled as its selector says, ``app: web`` included."""
    one = ReplicationController()
    one.metadata.namespace, one.metadata.name = NAMESPACE, name
    if replicas is not None:
        one.spec.replicas = replicas
    one.spec.selector.update({"app": "web", **selector})
    one.spec.template.metadata.labels.update({"app": "web", **selector})
    one.spec.template.spec.containers.append(Container(name="app", image=image))
    return one


def key(name: str) -> Key:
    return Key(REPLICATION_CONTROLLER, NAMESPACE, name)


def by_image(name: str, image: str) -> StartRollingUpdate:
    return StartRollingUpdate(key(name), image=image)


def by_file(name: str, new: ReplicationController) -> StartRollingUpdate:
    return StartRollingUpdate(key(name), new=Encoded.of(new))


@dataclass
class Census:
    """Counts the pods of ``app: web`` after every change: how many live, how many of them are ready."""

    pods: dict[str, Pod] = field(default_factory=dict)
    most: int = 0
    least_ready: int = 10_000
    is_armed: bool = False

    def arm(self) -> None:
        """Begin to note extremes."""
        self.is_armed = True
        self._note()

    def feed(self, batch: WatchBatch) -> None:
        for event in batch.events:
            pod = event.object.parse()
            assert isinstance(pod, Pod)
            if event.type is EventType.DELETED:
                self.pods.pop(pod.metadata.uid, None)
            else:
                self.pods[pod.metadata.uid] = pod
            if self.is_armed:
                self._note()

    def _note(self) -> None:
        live = [pod for pod in self.pods.values() if not is_being_deleted(pod.metadata)]
        self.most = max(self.most, len(live))
        self.least_ready = min(self.least_ready, sum(map(is_pod_ready, live)))


@asynccontextmanager
async def census_of(plane: FleetPlane) -> AsyncIterator[Census]:
    """Count while the context lasts."""
    census = Census()
    query = WatchQuery((WatchFilter(POD, (NAMESPACE,), label_selector="app=web"),), send_initial_state=True)

    async def count() -> None:
        async with plane.api.watch(query) as batches:
            async for batch in batches:
                census.feed(batch)

    counting = asyncio.get_running_loop().create_task(count())
    try:
        yield census
    finally:
        counting.cancel()


async def settled(plane: FleetPlane, one: ReplicationController) -> list[Pod]:
    """Create the controller and return its pods once all are ready."""
    await plane.client.create(one)
    name = one.metadata.name

    async def holds() -> bool:
        return (await get(plane, name)).status.ready_replicas == one.spec.replicas

    await plane.until(holds, 60, f"{name} is never ready")
    return await plane.pods()


async def get(plane: FleetPlane, name: str) -> ReplicationController:
    return await plane.client.get(ReplicationController, NAMESPACE, name)


async def names(plane: FleetPlane) -> set[str]:
    return {one.metadata.name for one in await plane.client.list(ReplicationController, NAMESPACE)}


@dataclass(frozen=True)
class Followed:
    """What a client was told of an update."""

    state: RolloutState
    name: str
    told: Sequence[str]


async def followed(plane: FleetPlane, update: RollingUpdate) -> Followed:
    """Follow an update to its end."""
    told = list(update.messages)
    async with (
        asyncio.timeout(7200),
        plane.api.watch_rolling_update(update.target, update.source, update.revision) as steps,
    ):
        async for step in steps:
            told.append(step.message)
            if step.state is not RolloutState.PROGRESSING:
                return Followed(step.state, step.name, told)
    raise AssertionError("the steps ended without an end")


async def followed_to_end(plane: FleetPlane, request: StartRollingUpdate | RollBackRollingUpdate) -> Followed:
    """Carry an update out, and follow it."""
    if isinstance(request, StartRollingUpdate):
        return await followed(plane, await plane.api.start_rolling_update(request))
    return await followed(plane, await plane.api.roll_back_rolling_update(request))
