"""Observing for the Deployment planner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_controller.reconcile.observer import BY_UID
from rollplane_controller.reconcile.ownership import Names, wake_owners
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import Create, EventType, Key
from rollplane_machinery.kinds import DEPLOYMENT, POD, REPLICA_SET
from rollplane_planners.deployment import DeploymentView, plan_deployment
from rollplane_planners.limits import RECREATE
from rollplane_planners.model import NOTHING, Plan


class DeploymentReconciler(Reconciler):
    """Wakes on Deployments, their ReplicaSets, and, under Recreate, on the end of their last pod."""

    kind = DEPLOYMENT

    def attach(self, wake: Wake) -> None:
        informer = self._observer.informer
        informer.add_handler(DEPLOYMENT, lambda _type, key, _old, _new: wake(key))
        wake_owners(self._observer, DEPLOYMENT, REPLICA_SET, wake)

        def on_pod(type_: EventType, _key: Key, old: View | None, _new: View | None) -> None:
            if type_ is EventType.DELETED and old is not None and old.controller_uid:
                for owner in self._recreating_owner(old.controller_uid):
                    wake(owner)

        informer.add_handler(POD, on_pod)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        deployment = self._observer.message(key, Deployment)
        if deployment is None:
            return NOTHING
        return plan_deployment(self._observe(deployment, failure), now)

    def _observe(self, deployment: Deployment, failure: Failure | None) -> DeploymentView:
        metadata = deployment.metadata
        sets = self._observer.claimable(REPLICA_SET, ReplicaSet, metadata.uid, metadata.namespace)
        recreating = deployment.spec.strategy.type == RECREATE
        return DeploymentView(
            deployment,
            sets,
            taken_names=Names(self._observer, REPLICA_SET, metadata.namespace),
            running_pods=self._running_pods(sets) if recreating else {},
            create_error=failure.error.message if failure and isinstance(failure.write, Create) else "",
            release=self._release,
            templates=self._observer.templates,
        )

    def _running_pods(self, sets: list[ReplicaSet]) -> Counter[str]:
        running: Counter[str] = Counter()
        for one in sets:
            pods = self._observer.controlled_pods(one.metadata.uid)
            running[one.metadata.uid] = sum(not pod.finished for pod in pods)
        return running

    def _recreating_owner(self, set_uid: str) -> Iterator[Key]:
        """Yield the Deployment over a ReplicaSet without a living pod: under Recreate it may have waited for that.

        Asked before the strategy, which would have to be parsed: one pod in a set is the last one.
        """
        if any(not pod.finished for pod in self._observer.controlled_pods(set_uid)):
            return
        for replica_set in self._observer.informer.indexed(REPLICA_SET, BY_UID, set_uid).values():
            if replica_set.controller_uid:
                yield from self._observer.informer.indexed(DEPLOYMENT, BY_UID, replica_set.controller_uid)
