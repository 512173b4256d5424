"""Observing for the PodDisruptionBudget planner: which pods each budget selects, kept up change by change."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollplane.apps.v1 import Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import ReplicationController
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_controller.reconcile.observer import BY_UID, Observer
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import (
    DEPLOYMENT,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    Kind,
)
from rollplane_machinery.metadata import controller_of
from rollplane_machinery.selectors import LabelSelector, label_selector_of
from rollplane_planners.disruption import DisruptionView, Scale, plan_disruption
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.pods import PodView

_Scaled = Deployment | ReplicaSet | ReplicationController | StatefulSet
_SCALED: tuple[tuple[Kind, type[_Scaled]], ...] = (
    (REPLICA_SET, ReplicaSet),
    (DEPLOYMENT, Deployment),
    (REPLICATION_CONTROLLER, ReplicationController),
    (STATEFUL_SET, StatefulSet),
)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A budget's selector, and the pods it selects now."""

    selector: LabelSelector
    pods: dict[Key, PodView] = field(default_factory=dict)


class DisruptionReconciler(Reconciler):
    """Wakes on budgets, and on pods they select when one comes, goes, or changes in what is counted."""

    kind = POD_DISRUPTION_BUDGET

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self._watched: dict[str, dict[Key, _Watched]] = {}

    def attach(self, wake: Wake) -> None:
        def on_budget(_type: EventType, key: Key, _old: View | None, _new: View | None) -> None:
            self._take_budget(key)
            wake(key)

        def on_pod(_type: EventType, key: Key, _old: View | None, new: View | None) -> None:
            pod = new.pod if isinstance(new, WatchedPod) else None
            for budget, watched in self._watched.get(key.namespace, {}).items():
                if _take_pod(watched, key, pod):
                    wake(budget)

        self._observer.informer.add_handler(POD_DISRUPTION_BUDGET, on_budget)
        self._observer.informer.add_handler(POD, on_pod)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        budget = self._observer.message(key, PodDisruptionBudget)
        watched = self._watched.get(key.namespace, {}).get(key)
        if budget is None or watched is None:
            return NOTHING
        return plan_disruption(DisruptionView(budget, list(watched.pods.values()), self._scale_of), now)

    def _take_budget(self, key: Key) -> None:
        """Select anew when the selector has changed; forget a budget that is gone."""
        budget = self._observer.message(key, PodDisruptionBudget)
        budgets = self._watched.setdefault(key.namespace, {})
        if budget is None:
            budgets.pop(key, None)
            return
        selector = label_selector_of(budget.spec.selector if budget.spec.HasField("selector") else None)
        before = budgets.get(key)
        if before is None or before.selector != selector:
            watched = budgets[key] = _Watched(selector)
            for pod, view in self._observer.namespace_of_kind(POD, key.namespace):
                if isinstance(view, WatchedPod):
                    _take_pod(watched, pod, view.pod)

    def _scale_of(self, pod: PodView) -> Scale | None:
        """Return what the pod's controller wants; for a ReplicaSet of a Deployment, what that wants."""
        for kind, type_ in _SCALED:
            for key in self._observer.informer.indexed(kind, BY_UID, pod.controller_uid):
                owner = self._observer.message(key, type_)
                if owner is not None:
                    return self._scale_above(owner)
        return None

    def _scale_above(self, owner: _Scaled) -> Scale | None:
        controller = controller_of(owner.metadata)
        if not isinstance(owner, ReplicaSet) or controller is None or controller.kind != DEPLOYMENT.name:
            return Scale(owner.metadata.uid, owner.spec.replicas)
        for key in self._observer.informer.indexed(DEPLOYMENT, BY_UID, controller.uid):
            deployment = self._observer.message(key, Deployment)
            if deployment is not None:
                return Scale(deployment.metadata.uid, deployment.spec.replicas)
        return None


def _take_pod(watched: _Watched, key: Key, pod: PodView | None) -> bool:
    """Count the pod in, anew, or out; tells whether that may change the budget's status."""
    before = watched.pods.get(key)
    if pod is None or not watched.selector.matches(pod.labels):
        return watched.pods.pop(key, None) is not None
    watched.pods[key] = pod
    return before is None or _facts(before) != _facts(pod)


def _facts(pod: PodView) -> tuple[object, ...]:
    return pod.uid, pod.ready, pod.terminating, pod.controller_uid
