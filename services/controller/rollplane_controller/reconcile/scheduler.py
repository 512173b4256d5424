"""The scheduler's shell: pods that want a node are taken many at a time, and their bindings leave as one batch.

A pod is counted on its node from the moment it is chosen, not from when the watch shows it: else the next pod would
fill the same room again. Asked again before its binding is answered, it plans nothing. So is a place kept for a pod
that others have to go for; that it is kept is written before they are deleted, and read again by another scheduler.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from rollplane.core.v1 import Node, Pod, PodCondition
from rollplane_client.backoff import Backoff
from rollplane_client.batch_writer import Answer
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.preemption import budgets_of, evictions
from rollplane_controller.reconcile.reconciler import Failure, Pace, Reconciler, Wake
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_controller.reconcile.wire_writes import Sent
from rollplane_controller.shards import SCHEDULER
from rollplane_machinery.api import Bind, EventType, Key, UpdateStatus
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import NAMESPACE, NODE, PERSISTENT_VOLUME_CLAIM, POD
from rollplane_machinery.pods import POD_SCHEDULED, observe_generation
from rollplane_machinery.releases import Release
from rollplane_machinery.times import time_of
from rollplane_planners.model import NOTHING, BindPod, Plan, PlannedEvent, Severity, UpdateObjectStatus
from rollplane_planners.pods import PodView
from rollplane_planners.scheduling.cluster import Choice, Cluster
from rollplane_planners.scheduling.demand import demand_of
from rollplane_planners.scheduling.explanation import claim_trouble
from rollplane_planners.scheduling.nodes import node_view
from rollplane_planners.scheduling.preemption import Asker
from rollplane_planners.scheduling.tallies import Placed

NAME = "default-scheduler"
NEVER_PREEMPTS = "Never"
UNSCHEDULABLE = "Unschedulable"


class Scheduler(Reconciler):
    """Binds pods that name our scheduler."""

    kind = POD
    name = NAME
    shard = SCHEDULER
    pace = Pace(round=256, backoff=Backoff(base_seconds=1.0, cap_seconds=10.0, spread=0.0))

    def __init__(self, observer: Observer, release: Release) -> None:
        super().__init__(observer, release)
        self._cluster = Cluster(self._placed, release)
        self._assumed: dict[Key, tuple[PodView, str]] = {}
        self._unschedulable: set[Key] = set()
        self._lonely: set[Key] = set()
        """Those of them that others which come may help: by affinity, or by evening out a spread."""
        self._nominations: dict[Key, str] = {}
        """The nodes that pods are to say are kept for them, "" for none, where the watch does not show it yet."""

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        self._observer.informer.add_handler(NAMESPACE, self._on_namespace)
        self._observer.informer.add_handler(NODE, self._on_node)
        self._observer.informer.add_handler(POD, self._on_pod)
        self._observer.informer.add_handler(PERSISTENT_VOLUME_CLAIM, self._on_claim)

    def all_keys(self) -> Iterator[Key]:
        for key, view in self._observer.informer.items(POD):
            if isinstance(view, WatchedPod) and _wants_node(view.pod):
                yield key

    def urgency(self, key: Key) -> int:
        """Return the pod's priority."""
        view = self._observer.informer.get(key)
        return view.pod.priority if isinstance(view, WatchedPod) else 0

    # What the informer tells.

    def _on_node(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        node = self._observer.message(key, Node)
        if type_ is EventType.DELETED or node is None:
            helps = self._cluster.remove_node(key.name)
        else:
            helps = self._cluster.put_node(node_view(node))
        if helps:
            self._retry(self._unschedulable)

    def _on_namespace(self, _type: EventType, key: Key, _old: View | None, new: View | None) -> None:
        if self._cluster.put_namespace(key.name, None if new is None else new.labels):
            self._retry(self._unschedulable)

    def _on_claim(self, type_: EventType, _key: Key, _old: View | None, _new: View | None) -> None:
        if type_ is EventType.ADDED:
            self._retry(self._unschedulable)

    def _on_pod(self, _type: EventType, key: Key, old: View | None, new: View | None) -> None:
        before = old.pod if isinstance(old, WatchedPod) else None
        after = new.pod if isinstance(new, WatchedPod) else None
        self._recount(key, before, after)
        self._renominate(key, before, after)
        if after is not None and _wants_node(after):
            if key not in self._assumed:
                self._wake(key)
        else:
            self._unschedulable.discard(key)
            self._lonely.discard(key)

    def _recount(self, key: Key, before: PodView | None, after: PodView | None) -> None:
        """Move a pod from where it counted to where it counts now."""
        if after is None or _holds_room(after):
            self._forget_assumed(key)
        left = before if before is not None and _holds_room(before) else None
        come = after if after is not None and _holds_room(after) else None
        if left is not None and come is not None and left.node_name == come.node_name:
            if not _counts_otherwise(left, come):
                self._cluster.refresh(come.node_name, come)
            elif self._cluster.change(come.node_name, left, come):
                self._retry(self._unschedulable)
            return
        if left is not None:
            self._cluster.remove(left.node_name, left)
            self._retry(self._unschedulable)
        if come is not None and self._cluster.add(come.node_name, come):
            self._retry(self._lonely)

    def _renominate(self, key: Key, before: PodView | None, after: PodView | None) -> None:
        """Keep the place that is to be kept for a pod, and no other."""
        if after is None or not _wants_node(after) or (before is not None and before.uid != after.uid):
            self._nominations.pop(key, None)
            self._keep(before, "")
        if after is not None and _wants_node(after):
            if self._nominations.get(key) == after.nominated:
                del self._nominations[key]
            self._keep(after, self._nominations.get(key, after.nominated))

    def _keep(self, pod: PodView | None, node: str) -> None:
        """Keep a place for a pod on ``node`` alone, "" for nowhere; what is free then others may have."""
        if pod is None or self._cluster.kept_for(pod.uid) == node:
            return
        if self._cluster.keep_no_more(pod.uid):
            self._retry(self._unschedulable)
        for ousted in self._cluster.keep(node, pod) if node else ():
            key = Key(POD, ousted.namespace, ousted.name)
            self._nominations[key] = ""
            self._wake(key)

    def _placed(self, namespaces: Iterable[str] | None) -> Iterator[tuple[str, PodView]]:
        """Yield the pods of the namespaces, None for all, that are counted on a node, with the node."""
        for view in self._pods_of(namespaces):
            if isinstance(view, WatchedPod) and _holds_room(view.pod):
                yield view.pod.node_name, view.pod
        for pod, node in self._assumed.values():
            if namespaces is None or pod.namespace in namespaces:
                yield node, pod

    def _pods_of(self, namespaces: Iterable[str] | None) -> Iterator[View]:
        if namespaces is None:
            yield from (view for _, view in self._observer.informer.items(POD))
        else:
            for namespace in namespaces:
                yield from (view for _, view in self._observer.namespace_of_kind(POD, namespace))

    def _retry(self, keys: set[Key]) -> None:
        """Something helps: pods that found no node look again."""
        for key in sorted(keys, key=str):
            self._wake(key)
        self._unschedulable -= keys
        self._lonely &= self._unschedulable

    # What is chosen.

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        view, pod = self._observer.informer.get(key), self._observer.message(key, Pod)
        if pod is None or not isinstance(view, WatchedPod) or not _wants_node(view.pod) or key in self._assumed:
            return NOTHING
        trouble = self._claim_trouble(pod)
        demand = demand_of(pod.spec, view.namespace, view.labels, self._cluster.namespaces)
        asker = self._asker(key, view.pod, pod)
        budgets = partial(budgets_of, self._observer)
        choice = self._cluster.nowhere(trouble) if trouble else self._cluster.choose(demand, asker, budgets)
        if choice.node:
            return self._bind(key, view.pod, choice.node)
        if demand.constraints.affinity or demand.constraints.spread:
            self._lonely.add(key)
        return self._report(key, view.pod, pod, choice, now)

    def _asker(self, key: Key, view: PodView, pod: Pod) -> Asker:
        nominated = self._nominations.get(key, view.nominated)
        return Asker(view.uid, view.priority, nominated, pod.spec.preemption_policy != NEVER_PREEMPTS)

    def _claim_trouble(self, pod: Pod) -> str:
        """Return what is the matter with a claim of the pod's volumes that is not there to stay, "" for none."""
        sources = [volume.volume_source for volume in pod.spec.volumes]
        claims = [one.persistent_volume_claim.claim_name for one in sources if one.HasField("persistent_volume_claim")]
        keys = (Key(PERSISTENT_VOLUME_CLAIM, pod.metadata.namespace, claim) for claim in claims)
        views = ((key.name, self._observer.informer.get(key)) for key in keys)
        bad = ((name, view) for name, view in views if view is None or view.terminating)
        return next((claim_trouble(name, is_there=view is not None) for name, view in bad), "")

    def _bind(self, key: Key, pod: PodView, node: str) -> Plan:
        self._cluster.keep_no_more(pod.uid)
        if self._cluster.add(node, pod):
            self._retry(self._lonely)
        self._assumed[key] = pod, node
        event = PlannedEvent("Scheduled", f"Successfully assigned {pod.namespace}/{pod.name} to {node}")
        return Plan((BindPod(pod.namespace, pod.name, pod.uid, node, (event,)),))

    def _report(self, key: Key, view: PodView, pod: Pod, choice: Choice, now: float) -> Plan:
        """Show why the pod has no node, and try again: when something changes, at the latest after the back-off.

        Who has to go for its sake goes behind the word of the place that is kept for it, and not without.
        """
        self._unschedulable.add(key)
        self._nominate(key, view, choice.nominated)
        event = PlannedEvent("FailedScheduling", choice.why, Severity.WARNING)
        wanted = _with_condition(pod, choice.why, now)
        _set_nominated(wanted, choice.nominated)
        told = () if wanted.status == pod.status else (UpdateObjectStatus(wanted),)
        victims = [self._observer.fetch_pod(one) for one in self._still_there(choice.victims)]
        return Plan((*told, *evictions(victims, pod, choice.nominated, now, self._release)), (event,), retry=True)

    def _nominate(self, key: Key, pod: PodView, node: str) -> None:
        if node != self._nominations.get(key, pod.nominated):
            self._nominations[key] = node
        self._keep(pod, node)

    def _still_there(self, victims: Iterable[Placed]) -> Iterator[PodView]:
        """Yield those that nobody deletes yet."""
        for victim in victims:
            view = self._observer.informer.get(Key(POD, victim.namespace, victim.name))
            if isinstance(view, WatchedPod) and view.uid == victim.uid and not view.terminating:
                yield view.pod

    def answered(self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """A pod that was not bound gives up the room it was counted on; one that was not nominated, its place."""
        if not sent or not isinstance(answers[0], RollplaneError):
            return
        if isinstance(sent[0].write, Bind):
            self._forget_assumed(key)
        elif isinstance(sent[0].write, UpdateStatus):
            self._nominations.pop(key, None)
            view = self._observer.informer.get(key)
            self._renominate(key, None, view.pod if isinstance(view, WatchedPod) else None)

    def _forget_assumed(self, key: Key) -> None:
        assumed = self._assumed.pop(key, None)
        if assumed is not None:
            pod, node = assumed
            self._cluster.remove(node, pod)


def _wants_node(pod: PodView) -> bool:
    return not pod.node_name and not pod.gated and pod.active and pod.scheduler in ("", NAME)


def _holds_room(pod: PodView) -> bool:
    """Tell whether a pod counts on its node: it is bound and has not finished; a terminating one still counts."""
    return bool(pod.node_name) and not pod.finished


def _counts_otherwise(before: PodView, after: PodView) -> bool:
    """Tell whether constraints may count a pod otherwise than before, though it holds its room."""
    return before.terminating is not after.terminating or before.labels != after.labels


def _set_nominated(pod: Pod, node: str) -> None:
    if node:
        pod.status.nominated_node_name = node
    else:
        pod.status.ClearField("nominated_node_name")


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
