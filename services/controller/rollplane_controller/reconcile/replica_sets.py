"""Observing for the planner that ReplicaSets and ReplicationControllers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rollplane.apps.v1 import ReplicaSet
from rollplane.core.v1 import ReplicationController
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.ownership import wake_owners
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_machinery.api import Create, Delete, Key
from rollplane_machinery.kinds import POD, REPLICA_SET, REPLICATION_CONTROLLER, Kind
from rollplane_machinery.metadata import controller_of
from rollplane_machinery.releases import Release
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.replica_set import (
    ManageFailure,
    PodController,
    ReplicaSetView,
    plan_replica_set,
)


def _count_alike(old: View, new: View) -> bool:
    """Tell whether a pod counts as it did: that it has a node by now makes it neither more nor less of a replica.

    What else would choose it, or another, to be deleted is asked for when one is to be.
    """
    if not isinstance(old, WatchedPod) or not isinstance(new, WatchedPod):
        return False
    before, after = old.pod, new.pod
    return (
        before.ready_since == after.ready_since
        and before.terminating is after.terminating
        and before.phase == after.phase
        and before.uid == after.uid
        and before.controller_uid == after.controller_uid
        and before.labels == after.labels
    )


class PodControllerReconciler(Reconciler):
    """Wakes on its own objects, on their pods, and on orphans that a selector may match."""

    def __init__(self, observer: Observer, release: Release, kind: Kind = REPLICA_SET) -> None:
        self.kind = kind
        super().__init__(observer, release)

    @property
    def name(self) -> str:
        return "replication-controller" if self.kind is REPLICATION_CONTROLLER else super().name

    def attach(self, wake: Wake) -> None:
        self._observer.informer.add_handler(self.kind, lambda _type, key, _old, _new: wake(key))
        wake_owners(self._observer, self.kind, POD, wake, _count_alike)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        owner = self._message(key)
        if owner is None:
            return NOTHING
        metadata = owner.metadata
        pods = self._observer.claimable_pods(metadata.uid, metadata.namespace)
        view = ReplicaSetView(
            owner,
            pods,
            self._observer.fetch_pod,
            related_on_node=lambda: self._related_on_node(owner),
            failure=_manage_failure(failure),
            release=self._release,
        )
        return plan_replica_set(view, now)

    def _message(self, key: Key) -> PodController | None:
        if self.kind is REPLICATION_CONTROLLER:
            return self._observer.message(key, ReplicationController)
        return self._observer.message(key, ReplicaSet)

    def _related_on_node(self, owner: PodController) -> Mapping[str, int]:
        """Count, by node, the active pods of all ReplicaSets under the same controller; none without one."""
        controller = controller_of(owner.metadata)
        if controller is None:
            return {}
        crowd: Counter[str] = Counter()
        for _, sibling in self._observer.controlled(self.kind, controller.uid):
            crowd.update(pod.node_name for pod in self._observer.controlled_pods(sibling.uid) if pod.active)
        return crowd


def _manage_failure(failure: Failure | None) -> ManageFailure | None:
    """Return the failure as the ReplicaFailure condition tells it; other writes than those of pods do not count."""
    match failure:
        case Failure(Create(), error):
            return ManageFailure("FailedCreate", error.message)
        case Failure(Delete(), error):
            return ManageFailure("FailedDelete", error.message)
        case _:
            return None
