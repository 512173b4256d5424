"""Observing for the rolling-update engine: it wakes on either controller of a pair and on the pods of both."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.core.v1 import ReplicationController
from rollplane_controller.reconcile.observer import BY_UID, Observer
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import POD, REPLICATION_CONTROLLER
from rollplane_machinery.releases import Release
from rollplane_machinery.rolling_update import STATE, source_of
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.rolling_update import RollingUpdateView, plan_rolling_update


class RollingUpdateReconciler(Reconciler):
    """Plans the ReplicationControllers that are the target of an update. What runs elsewhere costs it a look in a dict.

    ``_sources`` holds the source of every target, and follows the informer.
    """

    kind = REPLICATION_CONTROLLER
    name = "rolling-update-controller"
    component = "replication-controller"

    def __init__(self, observer: Observer, release: Release) -> None:
        super().__init__(observer, release)
        self._sources: dict[Key, Key] = {}

    def attach(self, wake: Wake) -> None:
        informer = self._observer.informer

        def on_controller(type_: EventType, key: Key, old: View | None, new: View | None) -> None:
            was_target = key in self._sources
            self._note(key)
            if was_target or key in self._sources:
                wake(key)
            for target in self._targets_of(key):
                wake(target)

        def on_pod(type_: EventType, key: Key, old: View | None, new: View | None) -> None:
            if self._sources:
                for target in self._concerned(key, old, new):
                    wake(target)

        informer.add_handler(REPLICATION_CONTROLLER, on_controller)
        informer.add_handler(POD, on_pod)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        target = self._observer.message(key, ReplicationController)
        source_key = self._source_key(key, target)
        if target is None or source_key is None:
            return NOTHING
        source = self._observer.message(source_key, ReplicationController)
        source_uid = source.metadata.uid if source is not None else ""
        view = RollingUpdateView(
            target,
            source,
            list(self._observer.controlled_pods(target.metadata.uid)),
            self._observer.claimable_pods(source_uid, key.namespace),
            self._observer.fetch_pod,
        )
        return plan_rolling_update(view, now)

    def _note(self, key: Key) -> None:
        source = self._source_key(key, self._observer.message(key, ReplicationController))
        if source is not None:
            self._sources[key] = source
        else:
            self._sources.pop(key, None)

    def _source_key(self, key: Key, controller: ReplicationController | None) -> Key | None:
        """Return whom the carrier of an update replaces; itself where that cannot be told, for its planner to say."""
        if controller is None or STATE not in controller.metadata.annotations:
            return None
        source = source_of(controller.metadata.annotations)
        return Key(REPLICATION_CONTROLLER, key.namespace, source.name if source is not None else key.name)

    def _targets_of(self, source: Key) -> Iterator[Key]:
        for target, replaced in self._sources.items():
            if replaced == source and target != source:
                yield target

    def _concerned(self, key: Key, old: View | None, new: View | None) -> Iterator[Key]:
        """Yield the targets whose pod, or whose source's pod, has changed; an orphan may be that of any."""
        uids = {view.controller_uid for view in (old, new) if view is not None and view.controller_uid}
        for uid in uids:
            for owner in self._observer.informer.indexed(REPLICATION_CONTROLLER, BY_UID, uid):
                if owner in self._sources:
                    yield owner
                yield from self._targets_of(owner)
        if new is not None and not new.controller_uid:
            yield from (target for target in self._sources if target.namespace == key.namespace)
