"""The pod garbage collector's shell: a sweep each twenty seconds, and a live look before a node counts as gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from rollplane.core.v1 import Node
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Look, Reconciler, Wake
from rollplane_controller.shards import CLUSTER
from rollplane_machinery.api import Key, ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import NODE, POD
from rollplane_planners.model import DeleteObject, Plan
from rollplane_planners.pod_gc import Sweep, is_out_of_service, plan_sweep
from rollplane_planners.pods import PodView

SWEEP_SECONDS = 20.0
SWEEP = Key(POD, "", "")
"""The one key: all pods."""


class PodGarbageCollector(Reconciler):
    """Force-deletes pods that nobody else will."""

    kind = POD
    name = "pod-garbage-collector"
    shard = CLUSTER

    def __init__(self, observer: Observer, api: ObjectApi, clock: Clock) -> None:
        super().__init__(observer)
        self._api = api
        self._clock = clock
        self._missing_since: Mapping[str, float] = {}

    def attach(self, wake: Wake) -> None:
        """Nothing: it looks at everything each time."""

    def all_keys(self) -> Iterable[Key]:
        return (SWEEP,)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan | Look:
        informer = self._observer.informer
        nodes = frozenset(key.name for key, _ in informer.items(NODE))
        pods = list(self._observer.stranded_pods(nodes))
        closed = self._out_of_service({pod.node_name for pod in pods if pod.terminating})
        sweep = plan_sweep(pods, nodes, self._missing_since, self._clock.monotonic(), out_of_service=closed)
        self._missing_since = sweep.missing_since
        return partial(self._look, sweep) if sweep.lost else _collecting(sweep.doomed)

    def _out_of_service(self, names: Iterable[str]) -> frozenset[str]:
        found = ((name, self._observer.message(Key(NODE, "", name), Node)) for name in names)
        return frozenset(name for name, node in found if node is not None and is_out_of_service(node))

    async def _look(self, sweep: Sweep) -> Plan:
        """Read the nodes live that the cache does not show; raises what the Api raises."""
        doomed = list(sweep.doomed)
        for node, stranded in sweep.lost.items():
            if await self._is_gone(node):
                doomed.extend(stranded)
        return _collecting(doomed)

    async def _is_gone(self, node: str) -> bool:
        try:
            await self._api.get(Key(NODE, "", node))
        except NotFoundError:
            return True
        return False


def _collecting(doomed: Iterable[PodView]) -> Plan:
    """Remove pods at once, without their kubelets."""
    writes = [DeleteObject(POD, pod.namespace, pod.name, pod.uid, grace_period_seconds=0) for pod in doomed]
    return Plan(writes, requeue_after=SWEEP_SECONDS)
