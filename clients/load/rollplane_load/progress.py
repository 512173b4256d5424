"""Following many rollouts at once, from one watch: which are complete, and how far the new version has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import EventType, ObjectApi, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from rollplane_machinery.kinds import DEPLOYMENT, REPLICA_SET


class RolloutWatcher:
    """Watches one namespace; ``run`` until cancelled. Times are of the clock's monotonic seconds."""

    def __init__(self, api: ObjectApi, namespace: str, *, clock: Clock) -> None:
        self._api = api
        self._namespace = namespace
        self._clock = clock
        self._deployments: dict[str, Deployment] = {}
        self._available: dict[tuple[str, str], int] = {}
        self._changed = asyncio.Event()
        self.completed_at: dict[str, float] = {}
        self.checker = InvariantChecker()
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Follow the namespace's rollouts and hold them to the invariants."""
        filters = tuple(WatchFilter(kind, (self._namespace,)) for kind in WATCHED)
        async with resumed_watch(self._api, WatchQuery(filters, send_initial_state=True), self._clock) as batches:
            async for batch in batches:
                self._take(batch)

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``holds()``, at most ``seconds``; tells whether it does."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def complete(self, image: str, count: int) -> bool:
        """Tell whether ``count`` Deployments have rolled out ``image`` completely."""
        done = sum(_is_complete(one, image) for one in self._deployments.values())
        return done >= count

    def available(self, image: str) -> int:
        """Return how many pods of ``image`` are available, over all Deployments."""
        return sum(count for (_, one), count in self._available.items() if one == image)

    def restart_clock(self) -> None:
        """Forget when rollouts were completed, as when new ones begin."""
        self.completed_at.clear()

    def _take(self, batch: WatchBatch) -> None:
        self.checker.feed(batch)
        for event in batch.events:
            if event.object.kind is DEPLOYMENT:
                self._take_deployment(Deployment.FromString(event.object.value), event.type)
            elif event.object.kind is REPLICA_SET:
                self._take_set(ReplicaSet.FromString(event.object.value), event.type)
        if batch.initial_state_complete:
            self.synced.set()
        self._changed.set()

    def _take_deployment(self, message: Deployment, type_: EventType) -> None:
        name = message.metadata.name
        if type_ is EventType.DELETED:
            self._deployments.pop(name, None)
            return
        self._deployments[name] = message
        if _is_complete(message, _image(message)):
            self.completed_at.setdefault(name, self._clock.monotonic())
        else:
            self.completed_at.pop(name, None)

    def _take_set(self, message: ReplicaSet, type_: EventType) -> None:
        key = (message.metadata.name, message.spec.template.spec.containers[0].image)
        gone = type_ is EventType.DELETED
        self._available[key] = 0 if gone else message.status.available_replicas


def _image(message: Deployment) -> str:
    return message.spec.template.spec.containers[0].image


def _is_complete(message: Deployment, image: str) -> bool:
    replicas, status = message.spec.replicas, message.status
    counts = (status.updated_replicas, status.replicas, status.available_replicas)
    observed = status.observed_generation >= message.metadata.generation
    return observed and _image(message) == image and counts == (replicas, replicas, replicas)
