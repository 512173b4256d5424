"""The controller service in one object: an observer, shards, and a Loop for each reconciler.

It takes any Api, so the same manager runs over gRPC and, in one process, over the apiserver's core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

from rollplane_client.batch_writer import BatchWriter
from rollplane_client.tokens import Tokens
from rollplane_controller.fencing import FenceAwareApi
from rollplane_controller.metrics import Metrics
from rollplane_controller.reconcile.auto_rollback import AutoRollbackReconciler
from rollplane_controller.reconcile.claim_binding import ClaimBinder
from rollplane_controller.reconcile.daemon_sets import DaemonSetReconciler
from rollplane_controller.reconcile.definitions import DefinitionReconciler
from rollplane_controller.reconcile.deployments import DeploymentReconciler
from rollplane_controller.reconcile.disruption import DisruptionReconciler
from rollplane_controller.reconcile.event_expiry import DEFAULT_EVENT_LIMITS, EventExpiry, EventLimits
from rollplane_controller.reconcile.furnishing import Furnisher
from rollplane_controller.reconcile.garbage_collector import GarbageCollector
from rollplane_controller.reconcile.loop import Loop, Means
from rollplane_controller.reconcile.namespaces import NamespaceController
from rollplane_controller.reconcile.node_lifecycle import NodeLifecycle
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.pod_gc import PodGarbageCollector
from rollplane_controller.reconcile.reconciler import Reconciler
from rollplane_controller.reconcile.replica_sets import PodControllerReconciler
from rollplane_controller.reconcile.resource_quotas import QuotaReconciler
from rollplane_controller.reconcile.rolling_updates import RollingUpdateReconciler
from rollplane_controller.reconcile.scheduler import Scheduler
from rollplane_controller.reconcile.soundings import Soundings
from rollplane_controller.reconcile.stale_disruption import StaleDisruption
from rollplane_controller.reconcile.stateful_sets import StatefulSetReconciler
from rollplane_controller.reconcile.taint_eviction import TaintEviction
from rollplane_controller.reconcile.throttle import Throttle
from rollplane_controller.shards import CLUSTER, ShardOwner
from rollplane_machinery.api import ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import (
    ANY_CUSTOM,
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
    RESOURCE_QUOTA,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    STORED_KINDS,
    Kind,
)
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.shards import SHARDS
from rollplane_planners.node_lifecycle.times import NodeTimes, times_of
from rollplane_service.metrics import MeasuredBatches

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
    *STORED_KINDS,
    ANY_CUSTOM,
)
"""All kinds but those that are written all the time and own nothing, Lease and Event."""

METADATA_ONLY = frozenset({CONFIG_MAP, SECRET, SERVICE_ACCOUNT, *STORED_KINDS, ANY_CUSTOM}) - {RESOURCE_QUOTA}
"""Those of which controllers ask only who owns them, and whether they are still there: contents stay at home."""


class Manager:
    """All controllers of one process. ``run`` until cancelled.

    ``identity`` must be that of this life of the process alone (rollplane_client.lease_identity). ``node_times`` None
    are those of the release. Namespaces are spread over ``spread`` shards: the same number in all managers of a plane.
    ``controller_qps`` throttles the writes of each controller by itself, 0 none. ``tokens`` left out are random ones.
    """

    def __init__(
        self,
        api: ObjectApi,
        identity: str,
        *,
        clock: Clock,
        random: Random,
        release: Release = LATEST,
        node_times: NodeTimes | None = None,
        event_limits: EventLimits = DEFAULT_EVENT_LIMITS,
        spread: int = SHARDS,
        controller_qps: float = 0.0,
        metrics: Metrics | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        api = FenceAwareApi(api, lambda fence: self.shards.distrust(fence))
        self.observer = Observer(api, OBSERVED, clock, METADATA_ONLY)
        self._metrics = metrics or Metrics(clock)
        batches = MeasuredBatches(api, self._metrics.writes, clock)
        self.writer = BatchWriter(batches, clock=clock, tokens=tokens)
        self._throttle = Throttle(self.writer, controller_qps, clock)
        self.shards = ShardOwner(
            api,
            identity,
            clock=clock,
            reached=lambda: self.observer.informer.revision,
            on_acquired=self._wake,
            spread=spread,
        )
        self._soundings = Soundings(api, clock)
        means = Means(self.observer, api, self.writer, clock, random, self.shards, self._soundings)
        times = node_times or times_of(release)
        reconcilers = self._reconcilers(api, clock, release, times, event_limits)
        self.loops = [Loop(one, self._paced(one, means)) for one in reconcilers]
        self._metrics.show(self.loops, self.shards)

    def _paced(self, reconciler: Reconciler, means: Means) -> Means:
        # The scheduler is no part of a kube-controller-manager: it is another program, with a wider limit of its own.
        if isinstance(reconciler, Scheduler):
            return means
        return replace(means, writer=self._throttle.writer_of(reconciler.name))

    def _reconcilers(
        self, api: ObjectApi, clock: Clock, release: Release, node_times: NodeTimes, event_limits: EventLimits
    ) -> Sequence[Reconciler]:
        observer, fence = self.observer, partial(self.shards.fence, CLUSTER)
        return (
            DeploymentReconciler(observer, release),
            PodControllerReconciler(observer, release, REPLICA_SET),
            PodControllerReconciler(observer, release, REPLICATION_CONTROLLER),
            RollingUpdateReconciler(observer, release),
            StatefulSetReconciler(observer, release),
            DaemonSetReconciler(observer, release, clock),
            DisruptionReconciler(observer),
            QuotaReconciler(observer, OBSERVED),
            StaleDisruption(observer),
            ClaimBinder(observer),
            Furnisher(observer, release),
            *(AutoRollbackReconciler(observer, kind) for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)),
            Scheduler(observer, release),
            GarbageCollector(observer, OBSERVED, api, clock),
            NamespaceController(observer, release, OBSERVED, api, clock, fence),
            DefinitionReconciler(observer, release, api, clock, fence),
            PodGarbageCollector(observer, api, clock),
            EventExpiry(observer, api, clock, event_limits),
            NodeLifecycle(observer, api, node_times, clock, fence),
            TaintEviction(observer, clock),
        )

    async def run(self) -> None:
        """Own shards, observe, plan and write, until cancelled."""
        self.observer.informer.on_progress(self.shards.catch_up)
        self.observer.informer.on_progress(self._metrics.writes.reached)
        for loop in self.loops:
            loop.attach()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.writer.run())
            tasks.create_task(self._throttle.run())
            tasks.create_task(self.observer.informer.run())
            tasks.create_task(self.shards.run())
            tasks.create_task(self._soundings.run())
            for loop in self.loops:
                tasks.create_task(loop.run())

    async def ready(self) -> None:
        """Wait until the first whole state has been seen, and which shards can be had."""
        await self.observer.informer.synced.wait()
        await self.shards.looked.wait()

    def is_quiet(self, revision: int, within_seconds: float = 0.5) -> bool:
        """Return whether everything up to ``revision`` has been seen and acted on, and nothing is due soon."""
        seen = self.observer.informer.revision >= revision and self.writer.pending == 0
        return seen and all(loop.queue.is_quiet(within_seconds) for loop in self.loops)

    def _wake(self, shards: frozenset[str]) -> None:
        for loop in self.loops:
            loop.wake(shards)
