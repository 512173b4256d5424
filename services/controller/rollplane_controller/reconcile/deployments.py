"""Observing for the Deployment planner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_controller.reconcile.observer import BY_UID, Observer
from rollplane_controller.reconcile.reconciler import Failure, Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import Create, EventType, Key
from rollplane_machinery.kinds import DEPLOYMENT, POD, REPLICA_SET
from rollplane_machinery.selectors import label_selector_of
from rollplane_planners.deployment import DeploymentView, plan_deployment
from rollplane_planners.limits import RECREATE
from rollplane_planners.model import NOTHING, Plan


class _Names:
    """The ReplicaSet names of a namespace, asked for one at a time: a collision is looked for once in a rollout."""

    def __init__(self, observer: Observer, namespace: str) -> None:
        self._observer, self._namespace = observer, namespace

    def __contains__(self, name: object) -> bool:
        return self._observer.informer.get(Key(REPLICA_SET, self._namespace, str(name))) is not None


class DeploymentReconciler:
    """Wakes on Deployments, their ReplicaSets, and, under Recreate, on the end of their last pod."""

    kind = DEPLOYMENT

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def attach(self, wake: Wake) -> None:
        informer = self._observer.informer
        informer.add_handler(DEPLOYMENT, lambda _type, key, _old, _new: wake(key))

        def on_replica_set(type_: EventType, key: Key, old: View | None, new: View | None) -> None:
            for owner in self._owners(key, old, new):
                wake(owner)

        def on_pod(type_: EventType, key: Key, old: View | None, new: View | None) -> None:
            if type_ is EventType.DELETED and old is not None and old.controller_uid:
                for owner in self._recreating_owner(old.controller_uid):
                    wake(owner)

        informer.add_handler(REPLICA_SET, on_replica_set)
        informer.add_handler(POD, on_pod)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        deployment = self._observer.message(key, Deployment)
        if deployment is None:
            return NOTHING
        view = self._observe(deployment, failure)
        return plan_deployment(view, now)

    def _observe(self, deployment: Deployment, failure: Failure | None) -> DeploymentView:
        metadata = deployment.metadata
        found = [
            *self._observer.controlled(REPLICA_SET, metadata.uid),
            *self._observer.orphans(REPLICA_SET, metadata.namespace),
        ]
        sets = [one for key, _ in found if (one := self._observer.message(key, ReplicaSet)) is not None]
        recreating = deployment.spec.strategy.type == RECREATE
        return DeploymentView(
            deployment,
            sets,
            taken_names=_Names(self._observer, metadata.namespace),
            running_pods=self._running_pods(sets) if recreating else {},
            create_error=failure.error.message if failure and isinstance(failure.write, Create) else "",
        )

    def _running_pods(self, sets: list[ReplicaSet]) -> Counter[str]:
        running: Counter[str] = Counter()
        for one in sets:
            pods = self._observer.controlled_pods(one.metadata.uid)
            running[one.metadata.uid] = sum(not pod.finished for pod in pods)
        return running

    def _owners(self, key: Key, old: View | None, new: View | None) -> Iterator[Key]:
        """Yield whom an event of a ReplicaSet concerns: its controllers, before and after, or who may adopt it."""
        uids = {view.controller_uid for view in (old, new) if view is not None and view.controller_uid}
        for uid in sorted(uids):
            yield from self._observer.informer.indexed(DEPLOYMENT, BY_UID, uid)
        if new is not None and not new.controller_uid:
            yield from self._possible_adopters(key.namespace, new)

    def _possible_adopters(self, namespace: str, orphan: View) -> Iterator[Key]:
        for key, _ in self._observer.namespace_of_kind(DEPLOYMENT, namespace):
            deployment = self._observer.message(key, Deployment)
            if deployment and label_selector_of(deployment.spec.selector).matches(orphan.labels):
                yield key

    def _recreating_owner(self, set_uid: str) -> Iterator[Key]:
        """Yield the Deployment over a ReplicaSet without a living pod: under Recreate it may have waited for that.

        Asked before the strategy, which would have to be parsed: one pod in a set is the last one.
        """
        if any(not pod.finished for pod in self._observer.controlled_pods(set_uid)):
            return
        for replica_set in self._observer.informer.indexed(REPLICA_SET, BY_UID, set_uid).values():
            if replica_set.controller_uid:
                yield from self._observer.informer.indexed(DEPLOYMENT, BY_UID, replica_set.controller_uid)
