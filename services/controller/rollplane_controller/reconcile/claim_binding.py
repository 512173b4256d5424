"""Observing for the binding of claims."""

from __future__ import annotations

from rollplane.core.v1 import PersistentVolumeClaim
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import PERSISTENT_VOLUME_CLAIM
from rollplane_planners.claim_binding import plan_claim
from rollplane_planners.model import NOTHING, Plan


class ClaimBinder(Reconciler):
    """Wakes on claims."""

    kind = PERSISTENT_VOLUME_CLAIM

    def attach(self, wake: Wake) -> None:
        self._observer.informer.add_handler(self.kind, lambda _type, key, _old, _new: wake(key))

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        claim = self._observer.message(key, PersistentVolumeClaim)
        return NOTHING if claim is None else plan_claim(claim)
