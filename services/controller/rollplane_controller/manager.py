"""The controller service in one object: an observer, shards, and a Rounds for each reconciler.

It takes any Api, so the same manager runs over gRPC and, in one process, over the apiserver's core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Protocol

from rollplane_client.batch_writer import BatchWriter
from rollplane_client.repeatable import settle_by_owner
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.fencing import FenceAwareApi
from rollplane_controller.reconcile.auto_rollback import AutoRollbackReconciler
from rollplane_controller.reconcile.claim_binding import ClaimBinder
from rollplane_controller.reconcile.daemon_sets import DaemonSetReconciler
from rollplane_controller.reconcile.deployments import DeploymentReconciler
from rollplane_controller.reconcile.disruption import DisruptionReconciler
from rollplane_controller.reconcile.event_expiry import EventExpiry
from rollplane_controller.reconcile.events import EventRecorder
from rollplane_controller.reconcile.garbage_collector import GarbageCollector
from rollplane_controller.reconcile.namespaces import NamespaceController
from rollplane_controller.reconcile.node_lifecycle import NAME as NODE_LIFECYCLE_NAME
from rollplane_controller.reconcile.node_lifecycle import NodeLifecycle
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.pod_gc import PodGarbageCollector
from rollplane_controller.reconcile.reconciler import Reconciler
from rollplane_controller.reconcile.replica_sets import PodControllerReconciler
from rollplane_controller.reconcile.rolling_updates import RollingUpdateReconciler
from rollplane_controller.reconcile.rounds import Rounds
from rollplane_controller.reconcile.scheduler import NAME as SCHEDULER_NAME
from rollplane_controller.reconcile.scheduler import Scheduler
from rollplane_controller.reconcile.stateful_sets import StatefulSetReconciler
from rollplane_controller.reconcile.taint_eviction import NAME as TAINT_EVICTION_NAME
from rollplane_controller.reconcile.taint_eviction import TaintEviction
from rollplane_controller.shards import CLUSTER, GARBAGE_COLLECTOR, SCHEDULER, ShardOwner
from rollplane_machinery.api import Key, ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DAEMON_SET,
    DEPLOYMENT,
    NAMESPACE,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    Kind,
)
from rollplane_planners.node_lifecycle.times import DEFAULT_TIMES, NodeTimes

OBSERVED: tuple[Kind, ...] = (
    NAMESPACE,
    NODE,
    DEPLOYMENT,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    DAEMON_SET,
    CONTROLLER_REVISION,
    CONFIG_MAP,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    PERSISTENT_VOLUME_CLAIM,
    POD_DISRUPTION_BUDGET,
    POD,
)
"""All kinds but those that are written all the time and own nothing, Lease and Event."""


class Part(Protocol):
    """What the manager runs: woken by the informer, or all at once when a shard has been acquired."""

    queue: WorkQueue[Key]

    def attach(self) -> None: ...
    def wake_all(self) -> None: ...
    async def run(self) -> None: ...


class Manager:
    """All controllers of one process. ``run`` until cancelled; ``identity`` must differ between processes."""

    def __init__(
        self,
        api: ObjectApi,
        identity: str,
        *,
        clock: Clock,
        random: Random,
        node_times: NodeTimes = DEFAULT_TIMES,
    ) -> None:
        api = FenceAwareApi(api, lambda fence: self.shards.distrust(fence))
        self._observer = Observer(api, OBSERVED, clock)
        self._writer = BatchWriter(api, clock=clock, settle=settle_by_owner(api))
        self.shards = ShardOwner(
            api,
            identity,
            clock=clock,
            reached=lambda: self._observer.informer.revision,
            on_acquired=lambda _shards: self._wake_all(),
        )
        self._parts: list[Part] = [
            *(self._rounds_of(one, api, clock, random) for one in self._reconcilers()),
            self._make_scheduler(clock),
            self._make_garbage_collector(api, clock),
            *self._make_cluster_parts(api, clock),
            *self._make_node_parts(api, clock, node_times),
        ]

    def _make_scheduler(self, clock: Clock) -> Scheduler:
        fence = partial(self.shards.fence, SCHEDULER)
        # Its events are of all namespaces, and carry its own shard's fence: others may own the namespaces.
        recorder = EventRecorder(self._writer.record, SCHEDULER_NAME, clock, lambda _namespace: fence())
        return Scheduler(self._observer, self._writer, recorder, clock=clock, fence=fence)

    def _make_garbage_collector(self, api: ObjectApi, clock: Clock) -> GarbageCollector:
        fence = partial(self.shards.fence, GARBAGE_COLLECTOR)
        return GarbageCollector(self._observer, OBSERVED, api, self._writer, clock=clock, fence=fence)

    def _make_cluster_parts(self, api: ObjectApi, clock: Clock) -> Sequence[Part]:
        fence = partial(self.shards.fence, CLUSTER)
        return (
            NamespaceController(self._observer, OBSERVED, api, clock=clock, fence=fence),
            PodGarbageCollector(self._observer, api, self._writer, clock=clock, fence=fence),
            EventExpiry(api, self._writer, clock=clock, fence=fence),
        )

    def _make_node_parts(self, api: ObjectApi, clock: Clock, times: NodeTimes) -> Sequence[Part]:
        fence = partial(self.shards.fence, CLUSTER)
        lifecycle, eviction = (
            EventRecorder(self._writer.record, name, clock, lambda _namespace: fence())
            for name in (NODE_LIFECYCLE_NAME, TAINT_EVICTION_NAME)
        )
        return (
            NodeLifecycle(self._observer, api, self._writer, lifecycle, times=times, clock=clock, fence=fence),
            TaintEviction(self._observer, self._writer, eviction, clock=clock, fence=fence),
        )

    def _reconcilers(self) -> Sequence[Reconciler]:
        return (
            DeploymentReconciler(self._observer),
            PodControllerReconciler(self._observer, REPLICA_SET),
            PodControllerReconciler(self._observer, REPLICATION_CONTROLLER),
            RollingUpdateReconciler(self._observer),
            StatefulSetReconciler(self._observer),
            DaemonSetReconciler(self._observer),
            DisruptionReconciler(self._observer),
            ClaimBinder(self._observer),
            *(AutoRollbackReconciler(self._observer, kind) for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)),
        )

    def _rounds_of(self, reconciler: Reconciler, api: ObjectApi, clock: Clock, random: Random) -> Rounds:
        return Rounds(
            reconciler,
            self._observer,
            api,
            self._writer,
            EventRecorder(self._writer.record, component_of(reconciler), clock, self.shards.fence_for),
            clock=clock,
            random=random,
            fence_for=self.shards.fence_for,
        )

    async def run(self) -> None:
        """Own shards, observe, plan and write, until cancelled."""
        self._observer.informer.on_progress(self.shards.catch_up)
        for part in self._parts:
            part.attach()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._writer.run())
            tasks.create_task(self._observer.informer.run())
            tasks.create_task(self.shards.run())
            for part in self._parts:
                tasks.create_task(part.run())

    async def ready(self) -> None:
        """Wait until the first whole state has been seen, and which shards can be had."""
        await self._observer.informer.synced.wait()
        await self.shards.looked.wait()

    def is_quiet(self, revision: int, within_seconds: float = 0.5) -> bool:
        """Return whether everything up to ``revision`` has been seen and acted on, and nothing is due soon."""
        seen = self._observer.informer.revision >= revision and self._writer.pending == 0
        return seen and all(part.queue.is_quiet(within_seconds) for part in self._parts)

    def _wake_all(self) -> None:
        for part in self._parts:
            part.wake_all()


def component_of(reconciler: Reconciler) -> str:
    """Return the name a reconciler signs its events with: one of its own, for names of events derive from it."""
    kind = reconciler.kind
    if isinstance(reconciler, AutoRollbackReconciler):
        return f"{kind.singular}-auto-rollback"
    return "replication-controller" if kind is REPLICATION_CONTROLLER else f"{kind.singular}-controller"
