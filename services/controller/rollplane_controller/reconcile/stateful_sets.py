"""Observing for the StatefulSet planner."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.apps.v1 import ControllerRevision, StatefulSet
from rollplane.core.v1 import PersistentVolumeClaim
from rollplane_controller.reconcile.ownership import Names, wake_owners
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.stateful_set import StatefulSetView, plan_stateful_set
from rollplane_planners.stateful_set.volumes import claims_of


class StatefulSetReconciler(Reconciler):
    """Wakes on StatefulSets, their pods, revisions that they own or may adopt, and the end of their claims."""

    kind = STATEFUL_SET

    def attach(self, wake: Wake) -> None:
        self._observer.informer.add_handler(STATEFUL_SET, lambda _type, key, _old, _new: wake(key))
        for dependent in (POD, CONTROLLER_REVISION):
            wake_owners(self._observer, STATEFUL_SET, dependent, wake)

        def on_claim(type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
            if type_ is EventType.DELETED:
                for stateful_set in self._named_in(key):
                    wake(stateful_set)

        self._observer.informer.add_handler(PERSISTENT_VOLUME_CLAIM, on_claim)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        stateful_set = self._observer.message(key, StatefulSet)
        if stateful_set is None:
            return NOTHING
        metadata = stateful_set.metadata
        view = StatefulSetView(
            stateful_set,
            self._observer.claimable_pods(metadata.uid, metadata.namespace),
            self._observer.claimable(CONTROLLER_REVISION, ControllerRevision, metadata.uid, metadata.namespace),
            self._observer.fetch_pod,
            self._claims(stateful_set),
            Names(self._observer, CONTROLLER_REVISION, metadata.namespace),
            self._release,
            self._observer.templates,
        )
        return plan_stateful_set(view, now)

    def _named_in(self, claim: Key) -> Iterator[Key]:
        """Yield the sets whose pod may wait for a claim, ``<template>-<set>-<ordinal>``, to be gone."""
        stem, _, _ = claim.name.rpartition("-")
        for key, _ in self._observer.namespace_of_kind(STATEFUL_SET, claim.namespace):
            if stem.endswith(f"-{key.name}"):
                yield key

    def _claims(self, stateful_set: StatefulSet) -> dict[str, PersistentVolumeClaim]:
        """Return the claims there are for this set's ordinals, condemned ones included, by name."""
        if not stateful_set.spec.volume_claim_templates:
            return {}
        found: dict[str, PersistentVolumeClaim] = {}
        suffixes = {name for name, _ in claims_of(stateful_set, 0)}
        namespace = stateful_set.metadata.namespace
        for key, _ in self._observer.namespace_of_kind(PERSISTENT_VOLUME_CLAIM, namespace):
            if key.name.startswith(tuple(f"{name}-{stateful_set.metadata.name}-" for name in suffixes)):
                claim = self._observer.message(key, PersistentVolumeClaim)
                if claim is not None:
                    found[key.name] = claim
        return found
