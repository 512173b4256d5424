"""Observing for what pods say of a disruption that never came."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.core.v1 import Pod
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.kinds import POD
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.stale_disruption import plan_stale_disruption


class StaleDisruption(Reconciler):
    """Wakes on pods that say they are about to go."""

    kind = POD
    name = "stale-disruption-controller"

    def attach(self, wake: Wake) -> None:
        def on_pod(_type: EventType, key: Key, _old: View | None, new: View | None) -> None:
            if _is_target(new):
                wake(key)

        self._observer.informer.add_handler(POD, on_pod)

    def all_keys(self) -> Iterator[Key]:
        """Yield the pods that say so."""
        yield from (key for key, view in self._observer.informer.items(POD) if _is_target(view))

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        pod = self._observer.message(key, Pod)
        return NOTHING if pod is None else plan_stale_disruption(pod, now)


def _is_target(view: View | None) -> bool:
    return isinstance(view, WatchedPod) and view.pod.disrupted_since is not None
