"""The scheduler's shell: pods that want a node are taken many at a time, and their bindings leave as one batch.

A pod is counted on its node from the moment it is chosen, not from when the watch shows it: else the next pod would
fill the same room again. Asked again before its binding is answered, it plans nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane.core.v1 import Node, Pod, PodCondition
from rollplane_client.backoff import Backoff
from rollplane_client.batch_writer import Answer
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Pace, Reconciler, Wake
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_controller.reconcile.wire_writes import Sent
from rollplane_controller.shards import SCHEDULER
from rollplane_machinery.api import Bind, EventType, Key
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import NODE, PERSISTENT_VOLUME_CLAIM, POD
from rollplane_machinery.pods import POD_SCHEDULED, observe_generation
from rollplane_machinery.releases import Release
from rollplane_machinery.times import time_of
from rollplane_planners.model import NOTHING, BindPod, Plan, PlannedEvent, Severity, UpdateObjectStatus
from rollplane_planners.pods import PodView
from rollplane_planners.scheduling.cluster import Cluster, node_view
from rollplane_planners.scheduling.demand import demand_of

NAME = "default-scheduler"
UNSCHEDULABLE = "Unschedulable"


class Scheduler(Reconciler):
    """Binds pods that name our scheduler."""

    kind = POD
    name = NAME
    shard = SCHEDULER
    pace = Pace(round=256, backoff=Backoff(base_seconds=1.0, cap_seconds=10.0, spread=0.0))

    def __init__(self, observer: Observer, release: Release) -> None:
        super().__init__(observer, release)
        self._cluster = Cluster(release.taint_sentence)
        self._assumed: dict[Key, tuple[PodView, str]] = {}
        self._unschedulable: set[Key] = set()

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        self._observer.informer.add_handler(NODE, self._on_node)
        self._observer.informer.add_handler(POD, self._on_pod)
        self._observer.informer.add_handler(PERSISTENT_VOLUME_CLAIM, self._on_claim)

    def all_keys(self) -> Iterator[Key]:
        for key, view in self._observer.informer.items(POD):
            if isinstance(view, WatchedPod) and _wants_node(view.pod):
                yield key

    # What the informer tells.

    def _on_node(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        node = self._observer.message(key, Node)
        if type_ is EventType.DELETED or node is None:
            self._cluster.remove_node(key.name)
        elif self._cluster.put_node(node_view(node)):
            self._retry_unschedulable()

    def _on_claim(self, type_: EventType, _key: Key, _old: View | None, _new: View | None) -> None:
        if type_ is EventType.ADDED:
            self._retry_unschedulable()

    def _on_pod(self, _type: EventType, key: Key, old: View | None, new: View | None) -> None:
        before = old.pod if isinstance(old, WatchedPod) else None
        after = new.pod if isinstance(new, WatchedPod) else None
        self._recount(key, before, after)
        if after is not None and _wants_node(after):
            if key not in self._assumed:
                self._wake(key)
        else:
            self._unschedulable.discard(key)

    def _recount(self, key: Key, before: PodView | None, after: PodView | None) -> None:
        """Move a pod from where it counted to where it counts now."""
        held_before, holds_now = _holds_room(before), _holds_room(after)
        if after is None or holds_now:
            self._forget_assumed(key)
        if before is not None and held_before and not (holds_now and after and after.node_name == before.node_name):
            self._cluster.remove(before.node_name, before.requests, before.host_ports)
            self._retry_unschedulable()
            held_before = False
        if after is not None and holds_now and not held_before:
            self._cluster.add(after.node_name, after.requests, after.host_ports)

    def _retry_unschedulable(self) -> None:
        """Something made room: pods that found none look again."""
        for key in sorted(self._unschedulable, key=str):
            self._wake(key)
        self._unschedulable.clear()

    # What is chosen.

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        view, pod = self._observer.informer.get(key), self._observer.message(key, Pod)
        if pod is None or not isinstance(view, WatchedPod) or not _wants_node(view.pod) or key in self._assumed:
            return NOTHING
        claim = self._missing_claim(pod)
        choice = self._cluster.without_claim(claim) if claim else self._cluster.choose(demand_of(pod.spec))
        return self._bind(key, view.pod, choice.node) if choice.node else self._report(key, pod, choice.why, now)

    def _missing_claim(self, pod: Pod) -> str:
        """Return the first claim among the pod's volumes that is not there, "" when all are."""
        sources = [volume.volume_source for volume in pod.spec.volumes]
        claims = [one.persistent_volume_claim.claim_name for one in sources if one.HasField("persistent_volume_claim")]
        keys = (Key(PERSISTENT_VOLUME_CLAIM, pod.metadata.namespace, claim) for claim in claims)
        return next((key.name for key in keys if self._observer.informer.get(key) is None), "")

    def _bind(self, key: Key, pod: PodView, node: str) -> Plan:
        self._cluster.add(node, pod.requests, pod.host_ports)
        self._assumed[key] = pod, node
        event = PlannedEvent("Scheduled", f"Successfully assigned {pod.namespace}/{pod.name} to {node}")
        return Plan((BindPod(pod.namespace, pod.name, pod.uid, node, (event,)),))

    def _report(self, key: Key, pod: Pod, why: str, now: float) -> Plan:
        """Show why the pod has no node, and try again: when something changes, at the latest after the back-off."""
        self._unschedulable.add(key)
        event = PlannedEvent("FailedScheduling", why, Severity.WARNING)
        wanted = _with_condition(pod, why, now)
        writes = () if wanted.status == pod.status else (UpdateObjectStatus(wanted),)
        return Plan(writes, (event,), retry=True)

    def answered(self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """A pod that was not bound gives up the room it was counted on."""
        if any(isinstance(one.write, Bind) for one in sent) and isinstance(answers[0], RollplaneError):
            self._forget_assumed(key)

    def _forget_assumed(self, key: Key) -> None:
        assumed = self._assumed.pop(key, None)
        if assumed is not None:
            pod, node = assumed
            self._cluster.remove(node, pod.requests, pod.host_ports)


def _wants_node(pod: PodView) -> bool:
    return not pod.node_name and not pod.gated and pod.active and pod.scheduler in ("", NAME)


def _holds_room(pod: PodView | None) -> bool:
    """Tell whether a pod counts on its node: it is bound and has not finished; a terminating one still counts."""
    return pod is not None and bool(pod.node_name) and not pod.finished


def _with_condition(pod: Pod, why: str, now: float) -> Pod:
    """Return a copy of the pod that says why it is not scheduled; unchanged when it says so already."""
    wanted = Pod()
    wanted.CopyFrom(pod)
    for condition in wanted.status.conditions:
        if condition.type == POD_SCHEDULED:
            condition.reason, condition.message = UNSCHEDULABLE, why
            observe_generation(condition, pod)
            return wanted
    condition = PodCondition(type=POD_SCHEDULED, status="False", reason=UNSCHEDULABLE, message=why)
    condition.last_transition_time.CopyFrom(time_of(now))
    observe_generation(condition, pod)
    wanted.status.conditions.append(condition)
    return wanted
