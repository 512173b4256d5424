"""Observing for the planner that ReplicaSets and ReplicationControllers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from rollplane.apps.v1 import ReplicaSet
from rollplane.core.v1 import Pod, ReplicationController
from rollplane_controller.reconcile.observer import BY_UID, Observer
from rollplane_controller.reconcile.reconciler import Failure, Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import Create, Delete, EventType, Key
from rollplane_machinery.errors import InternalError
from rollplane_machinery.kinds import POD, REPLICA_SET, REPLICATION_CONTROLLER, Kind
from rollplane_machinery.metadata import controller_of
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.pods import PodView
from rollplane_planners.replica_set import (
    ManageFailure,
    PodController,
    ReplicaSetView,
    plan_replica_set,
    selector_of,
)


class PodControllerReconciler:
    """Wakes on its own objects, on their pods, and on orphans that a selector may match."""

    def __init__(self, observer: Observer, kind: Kind = REPLICA_SET) -> None:
        self.kind = kind
        self._observer = observer

    def attach(self, wake: Wake) -> None:
        informer = self._observer.informer
        informer.add_handler(self.kind, lambda _type, key, _old, _new: wake(key))

        def on_pod(type_: EventType, key: Key, old: View | None, new: View | None) -> None:
            for owner in self._owners(key, old, new):
                wake(owner)

        informer.add_handler(POD, on_pod)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        owner = self._message(key)
        if owner is None:
            return NOTHING
        metadata = owner.metadata
        pods = self._observer.claimable_pods(metadata.uid, metadata.namespace)
        view = ReplicaSetView(
            owner,
            pods,
            self._fetch,
            related_on_node=lambda: self._related_on_node(owner),
            failure=_manage_failure(failure),
        )
        return plan_replica_set(view, now)

    def _message(self, key: Key) -> PodController | None:
        if self.kind is REPLICATION_CONTROLLER:
            return self._observer.message(key, ReplicationController)
        return self._observer.message(key, ReplicaSet)

    def _fetch(self, view: PodView) -> Pod:
        pod = self._observer.message(Key(POD, view.namespace, view.name), Pod)
        if pod is None:
            raise InternalError(f"pod {view.namespace}/{view.name} left the cache while it was planned with")
        return pod

    def _related_on_node(self, owner: PodController) -> Mapping[str, int]:
        """Count, by node, the active pods of all ReplicaSets under the same controller; none without one."""
        controller = controller_of(owner.metadata)
        if controller is None:
            return {}
        crowd: Counter[str] = Counter()
        for _, sibling in self._observer.controlled(self.kind, controller.uid):
            crowd.update(pod.node_name for pod in self._observer.controlled_pods(sibling.uid) if pod.active)
        return crowd

    def _owners(self, key: Key, old: View | None, new: View | None) -> Iterator[Key]:
        uids = {view.controller_uid for view in (old, new) if view is not None and view.controller_uid}
        for uid in sorted(uids):
            yield from self._observer.informer.indexed(self.kind, BY_UID, uid)
        if new is not None and not new.controller_uid:
            yield from self._possible_adopters(key.namespace, new)

    def _possible_adopters(self, namespace: str, orphan: View) -> Iterator[Key]:
        for key, _ in self._observer.namespace_of_kind(self.kind, namespace):
            owner = self._message(key)
            if owner is not None and selector_of(owner).matches(orphan.labels):
                yield key


def _manage_failure(failure: Failure | None) -> ManageFailure | None:
    """Return the failure as the ReplicaFailure condition tells it; other writes than those of pods do not count."""
    match failure:
        case Failure(Create(), error):
            return ManageFailure("FailedCreate", error.message)
        case Failure(Delete(), error):
            return ManageFailure("FailedDelete", error.message)
        case _:
            return None
