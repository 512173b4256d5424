"""Observing for the status of ResourceQuotas: what the objects of a namespace take, kept up change by change.

The status tells users. What a quota allows is decided by the apiservers, on the objects themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from rollplane.stored.v1 import StoredObject
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import ANY_CUSTOM, KINDS, RESOURCE_QUOTA, Kind
from rollplane_planners.model import NOTHING, Plan, UpdateObjectStatus
from rollplane_rules.admission.quota import read_quota
from rollplane_rules.admission.quota_status import told_by
from rollplane_rules.admission.tally import Tally

_ALWAYS = 0.0
"""A time before all ends: which pods have had theirs is looked at when a quota is planned."""
_BEHIND = 0.001
"""Seconds by which a pod's end is outlived before it is looked at: until then it counts."""


class QuotaReconciler(Reconciler):
    """Wakes on quotas, and on objects that one of their namespace counts. ``kinds`` are all that may be counted."""

    kind = RESOURCE_QUOTA

    def __init__(self, observer: Observer, kinds: Iterable[Kind]) -> None:
        super().__init__(observer)
        self._kinds = [kind for kind in kinds if kind.namespaced]
        self._unseen = [kind for kind in KINDS if kind.namespaced and kind not in self._kinds]
        self._watched: dict[str, dict[Key, Tally]] = {}

    def attach(self, wake: Wake) -> None:
        def on_quota(_type: EventType, key: Key, _old: View | None, _new: View | None) -> None:
            self._take_quota(key)
            wake(key)

        self._observer.informer.add_handler(RESOURCE_QUOTA, on_quota)
        for kind in self._kinds:
            self._observer.informer.add_handler(kind, partial(self._on_object, wake))

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        stored = self._observer.message(key, StoredObject)
        tally = self._watched.get(key.namespace, {}).get(key)
        if stored is None or tally is None:
            return NOTHING
        end = tally.next_end(now)
        told = told_by(stored, tally, self._unseen)
        writes = [UpdateObjectStatus(told)] if told.status != stored.status else []
        return Plan(writes, requeue_after=None if end is None else end - now + _BEHIND)

    def _take_quota(self, key: Key) -> None:
        """Count anew when what the quota is about has changed; forget one that is gone."""
        stored = self._observer.message(key, StoredObject)
        tallies = self._watched.setdefault(key.namespace, {})
        if stored is None:
            tallies.pop(key, None)
            if not tallies:
                del self._watched[key.namespace]
            return
        quota = read_quota(stored)
        if key not in tallies or tallies[key].quota != quota:
            tallies[key] = tally = Tally(quota)
            for kind in self._kinds:
                if kind is ANY_CUSTOM or tally.counts(kind):
                    for counted, _ in self._observer.namespace_of_kind(kind, key.namespace):
                        self._put(tally, counted)

    def _on_object(self, wake: Wake, _type: EventType, key: Key, old: View | None, new: View | None) -> None:
        tallies = self._watched.get(key.namespace)
        if not tallies or (old is not None and new is not None and _counts_alike(old, new)):
            return
        for quota, tally in tallies.items():
            if not tally.counts(key.kind):
                continue
            if new is None:
                tally.remove(key)
            else:
                self._put(tally, key)
            wake(quota)

    def _put(self, tally: Tally, key: Key) -> None:
        encoded = self._observer.informer.encoded(key)
        if encoded is not None:
            tally.put(key, key.kind, encoded.parse(), _ALWAYS)


def _counts_alike(old: View, new: View) -> bool:
    """Tell whether nothing changed that a quota counts; of what a pod asks for, nothing ever does."""
    if not isinstance(old, WatchedPod) or not isinstance(new, WatchedPod):
        return False
    return _facts(old) == _facts(new)


def _facts(view: WatchedPod) -> tuple[object, ...]:
    return view.uid, view.terminating, view.pod.phase
