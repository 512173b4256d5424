"""The taint manager's shell: pods that a NoExecute taint drives away are deleted when their toleration has run out.

The time runs from when this process first saw a pod under a taint it does not tolerate for ever. A pod is marked
first, and deleted once the mark is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rollplane.core.v1 import Node, Pod, Taint
from rollplane_client.batch_writer import Answer
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Pace, Reconciler, Wake
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_controller.reconcile.wire_writes import Sent
from rollplane_controller.shards import CLUSTER
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import NODE, POD
from rollplane_machinery.metadata import is_being_deleted
from rollplane_planners.model import NOTHING, DeleteObject, Plan, PlannedEvent, UpdateObjectStatus
from rollplane_planners.node_lifecycle.evictions import (
    is_marked_for_eviction,
    marked_for_eviction,
    tolerated_seconds,
)
from rollplane_planners.node_lifecycle.taints import no_execute_taints

REASON = "TaintManagerEviction"


@dataclass(frozen=True, slots=True)
class _Threat:
    """A pod that is to go some day: which one, and since when (monotonic) its toleration is used up."""

    uid: str
    since: float


class TaintEviction(Reconciler):
    """Deletes pods that taints drive away."""

    kind = POD
    name = "taint-eviction-controller"
    shard = CLUSTER
    pace = Pace(round=256)

    def __init__(self, observer: Observer, clock: Clock) -> None:
        super().__init__(observer)
        self._clock = clock
        self._taints: dict[str, tuple[Taint, ...]] = {}
        self._threats: dict[Key, _Threat] = {}

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        self._observer.informer.add_handler(NODE, self._on_node)
        self._observer.informer.add_handler(POD, self._on_pod)

    def all_keys(self) -> Iterator[Key]:
        """Yield every pod on a tainted node, and those that were threatened there."""
        for node in self._taints:
            yield from (key for key, _ in self._observer.pods_on(node))
        yield from self._threats

    # What the informer tells.

    def _on_node(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        node = self._observer.message(key, Node)
        taints = no_execute_taints(node) if node is not None and type_ is not EventType.DELETED else ()
        if taints == self._taints.get(key.name, ()):
            return
        if taints:
            self._taints[key.name] = taints
        else:
            del self._taints[key.name]
        for pod, _ in self._observer.pods_on(key.name):
            self._wake(pod)

    def _on_pod(self, _type: EventType, key: Key, _old: View | None, new: View | None) -> None:
        if new is None or new.terminating:
            self._threats.pop(key, None)
        elif isinstance(new, WatchedPod) and new.pod.node_name in self._taints:
            self._wake(key)

    # What is done.

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        pod = self._observer.message(key, Pod)
        if pod is None or is_being_deleted(pod.metadata):
            return NOTHING
        threat = self._threats.get(key)
        if threat is not None and threat.uid != pod.metadata.uid:
            threat = None
        tolerated = tolerated_seconds(self._taints.get(pod.spec.node_name, ()), pod.spec.tolerations)
        if tolerated == math.inf:
            text = f"Cancelling deletion of Pod {key.namespace}/{key.name}"
            return Plan(events=(PlannedEvent(REASON, text),)) if threat is not None else NOTHING
        if threat is None:
            threat = self._threats[key] = _Threat(pod.metadata.uid, self._clock.monotonic())
        remaining = threat.since + tolerated - self._clock.monotonic()
        return Plan(requeue_after=remaining) if remaining > 0 else _evicting(pod, now)

    def answered(self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """The threat is over once that has been told."""
        if plan.events:
            self._threats.pop(key, None)


def _evicting(pod: Pod, now: float) -> Plan:
    """Write on the pod why it goes; delete it in the next step."""
    metadata = pod.metadata
    if is_marked_for_eviction(pod):
        return Plan((DeleteObject(POD, metadata.namespace, metadata.name, metadata.uid),))
    event = PlannedEvent(REASON, f"Marking for deletion Pod {metadata.namespace}/{metadata.name}")
    return Plan((UpdateObjectStatus(marked_for_eviction(pod, now), events=(event,)),))
