"""The independent watcher: one watch over a load's namespace, which judges when rollouts are done.

It is a connection of its own, beside the one that writes. What it sees is held to the invariants as well.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

from rollplane.apps.v1 import ReplicaSet
from rollplane_client.watching import resumed_watch
from rollplane_load.cluster import Cluster
from rollplane_load.doneness import Look, Watched, look_at
from rollplane_load.judging import Judge
from rollplane_load.lag import LagMeter
from rollplane_load.pods import PodBook
from rollplane_load.subjects import LABEL
from rollplane_machinery.api import EventType, Key, WatchBatch, WatchEvent, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ExpiredError, TimedOutError
from rollplane_machinery.invariants import WATCHED
from rollplane_machinery.kinds import (
    DAEMON_SET,
    DEPLOYMENT,
    POD,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    Kind,
)

WORKLOADS = frozenset({DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICATION_CONTROLLER})
NOTHING = Look(0, 0, 0, done=False)


class Watcher:
    """Watches one namespace; ``run`` until cancelled.

    ``changes`` are the events so far, each a write that somebody made; ``pods_made`` how many pods came into being;
    ``desired`` and ``available`` pods over all workloads; ``fresh`` are the available ones among those expected.
    """

    def __init__(
        self, cluster: Cluster, namespace: str, *, clock: Clock, follow_pods: bool = False, in_order: bool = True
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._clock = clock
        self._follow_pods = follow_pods
        self._looks: dict[Key, Look] = {}
        self._revisions: dict[Key, int] = {}
        self._expected: dict[str, str] = {}
        self._fresh: dict[str, int] = {}
        self._waiting: dict[Key, list[tuple[int, asyncio.Future[float]]]] = defaultdict(list)
        self._conditions: list[tuple[Callable[[], bool], asyncio.Future[float]]] = []
        self._opened_at = 0.0
        self.synced = asyncio.Event()
        self.judge = Judge(clock, in_order=in_order)
        self.lag = LagMeter(clock)
        self.pods = PodBook()
        self.changes = 0
        self.pods_made = 0
        self.desired = 0
        self.available = 0
        self.fresh = 0
        self.opened: list[float] = []
        self.restarts = 0

    async def run(self) -> None:
        """Follow the namespace; when its log no longer reaches back, from its state again."""
        filters = tuple(WatchFilter(kind, (self._namespace,)) for kind in WATCHED)
        while True:
            self._opened_at = self._clock.monotonic()
            query = WatchQuery(filters, send_initial_state=True)
            try:
                async with resumed_watch(self._cluster, query, self._clock) as batches:
                    async for batch in batches:
                        self._take(batch)
            except ExpiredError:
                self._begin_again()

    async def done(self, key: Key, revision: int, seconds: float) -> float:
        """Return when the rollout that the write at ``revision`` asked for was seen done.

        Raises TimedOutError after ``seconds``.
        """
        if self._revisions.get(key, 0) >= revision and self._looks[key].done:
            return self._clock.monotonic()
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[key].append((revision, future))
        try:
            return await self._within(future, seconds, f"{key.kind.singular} {key.name} is not done")
        finally:
            self._waiting[key].remove((revision, future))

    async def until(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> float:
        """Return when ``holds()`` was seen to; raises TimedOutError, saying ``otherwise``, after ``seconds``."""
        if holds():
            return self._clock.monotonic()
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._conditions.append((holds, future))
        try:
            return await self._within(future, seconds, otherwise)
        finally:
            self._conditions.remove((holds, future))

    async def _within(self, future: asyncio.Future[float], seconds: float, otherwise: str) -> float:
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            raise TimedOutError(f"{otherwise} after {seconds:g} s") from None

    def look(self, key: Key) -> Look:
        """Return the last look at a workload; one that shows nothing when it is not there."""
        return self._looks.get(key, NOTHING)

    def expect(self, name: str, image: str) -> None:
        """Count, from now on, which pods of the workload ``name`` are available with ``image``."""
        self._set_fresh(name, 0)
        self._expected[name] = image

    def fresh_of(self, name: str) -> int:
        """Return how many of the pods that are expected of the workload ``name`` are available."""
        return self._fresh.get(name, 0)

    def is_there(self, key: Key) -> bool:
        """Tell whether a workload was there when it was last told of."""
        return key in self._looks

    def all_done(self) -> bool:
        """Tell whether every workload's rollout is done."""
        return all(look.done for look in self._looks.values())

    def _begin_again(self) -> None:
        self.restarts += 1
        self.judge.begin_again()
        self.pods.clear()
        self._looks.clear()
        self._fresh.clear()
        self.fresh = 0
        self.desired = self.available = 0

    def _take(self, batch: WatchBatch) -> None:
        self.judge.take(batch)
        for event in batch.events:
            kind = event.object.kind
            if batch.revision:
                self._count(kind, event)
            if kind in WORKLOADS:
                self._take_workload(event)
            elif kind is REPLICA_SET:
                self._take_set(event)
            elif kind is POD and self._follow_pods:
                self.pods.take(event)
        if batch.initial_state_complete:
            self.opened.append(self._clock.monotonic() - self._opened_at)
            self.synced.set()
        if self._conditions:
            self._settle_conditions()

    def _count(self, kind: Kind, event: WatchEvent) -> None:
        self.changes += 1
        self.pods_made += kind is POD and event.type is EventType.ADDED
        self.lag.seen(kind, event.revision)

    def _settle_conditions(self) -> None:
        now = self._clock.monotonic()
        for holds, future in self._conditions:
            if not future.done() and holds():
                future.set_result(now)

    def _take_workload(self, event: WatchEvent) -> None:
        key, before = event.object.key, self._looks.get(event.object.key, NOTHING)
        message = event.object.parse()
        look = NOTHING
        if event.type is EventType.DELETED:
            self._looks.pop(key, None)
        elif isinstance(message, Watched):
            look = self._looks[key] = look_at(message)
        self._revisions[key] = event.revision
        self.desired += look.desired - before.desired
        self.available += look.available - before.available
        if key.kind is not DEPLOYMENT and key.name in self._expected:
            self._set_fresh(key.name, min(look.updated, look.available))
        if look.done and key in self._waiting:
            self._settle(key, event.revision)

    def _settle(self, key: Key, revision: int) -> None:
        now = self._clock.monotonic()
        for wanted, future in self._waiting[key]:
            if revision >= wanted and not future.done():
                future.set_result(now)

    def _take_set(self, event: WatchEvent) -> None:
        message = ReplicaSet.FromString(event.object.value)
        name = message.metadata.labels.get(LABEL, "")
        if self._expected.get(name) == message.spec.template.spec.containers[0].image:
            self._set_fresh(name, 0 if event.type is EventType.DELETED else message.status.available_replicas)

    def _set_fresh(self, name: str, count: int) -> None:
        self.fresh += count - self._fresh.get(name, 0)
        self._fresh[name] = count
