"""One sync of a DaemonSet, in the order of docs/semantics/daemonset.md section 4."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from rollplane.apps.v1 import ControllerRevision, DaemonSet, DaemonSetStatus
from rollplane.core.v1 import Pod
from rollplane_machinery.kinds import DAEMON_SET, POD
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.selectors import pod_selector_of
from rollplane_machinery.well_known import REVISION_LABEL, TEMPLATE_GENERATION
from rollplane_planners import revision_history
from rollplane_planners.claims import Owner, claim_objects, claim_pods
from rollplane_planners.daemon_set.explanation import explain
from rollplane_planners.daemon_set.history import Current, current_of, labelled, surplus
from rollplane_planners.daemon_set.nodes import Judge, NodePods, Todo, manage, roll, surge
from rollplane_planners.daemon_set.placement import Eligibility, daemon_pod, daemon_spec, eligibility, target_node
from rollplane_planners.limits import ROLLING_UPDATE, daemon_set_max_surge, daemon_set_max_unavailable
from rollplane_planners.model import (
    CreateDistinctPods,
    DeleteObject,
    Plan,
    PlanBuilder,
    PlannedEvent,
    Severity,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_planners.pods import PodView, seconds_until_available
from rollplane_planners.scheduling.nodes import NodeView
from rollplane_planners.templates import AS_STORED, Templates

BURST = 250
"""Most pods created, and most deleted, in one sync."""
NOWHERE = Eligibility(should_run=False, should_continue=False)


def _at_once(_node: str) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class DaemonSetView:
    """A DaemonSet and its surroundings, as last observed.

    ``pods`` are those it controls and the orphans of its namespace, ``revisions`` likewise; ``fetch`` reads one of the
    pods whole. ``backoff`` tells how many seconds a node whose pod has failed must still wait. ``taken_names`` are the
    names of all revisions in the namespace, whoever owns them.
    """

    daemon_set: DaemonSet
    nodes: Sequence[NodeView]
    pods: Sequence[PodView]
    revisions: Sequence[ControllerRevision]
    fetch: Callable[[PodView], Pod]
    backoff: Callable[[str], float] = _at_once
    taken_names: Container[str] = frozenset()
    release: Release = LATEST
    templates: Templates = AS_STORED


def plan_daemon_set(view: DaemonSetView, now: float) -> Plan:
    """Return the next step of this set; ``now`` is seconds since the epoch."""
    daemon_set = view.daemon_set
    selector = daemon_set.spec.selector
    if not selector.match_labels and not selector.match_expressions:
        text = "This daemon set is selecting all pods. A non-empty selector is required."
        return Plan(events=(PlannedEvent("SelectingAll", text, Severity.WARNING),))
    if is_being_deleted(daemon_set.metadata):
        return Plan()
    return _Sync(view, now).run()


class _Sync:
    def __init__(self, view: DaemonSetView, now: float) -> None:
        self.view = view
        self.now = now
        self.set = view.daemon_set
        self.owner = Owner.of(DAEMON_SET, self.set.metadata)
        self.selector = pod_selector_of(self.set)
        self.spec = daemon_spec(self.set)
        self.result = PlanBuilder()

    def run(self) -> Plan:
        pods = self._claim_pods()
        revisions = claim_objects(self.owner, self.view.revisions, self.selector, self.result)
        self.result.writes.extend(labelled(revisions))
        if self.result.writes:
            return self.result.plan()
        self.current: Current = current_of(self.set, self.owner, revisions, self.view.taken_names, self.view.templates)
        self.result.writes.extend(self.current.writes)
        generation = self.set.metadata.annotations.get(TEMPLATE_GENERATION, "")
        min_ready = self.set.spec.min_ready_seconds
        self.judge = Judge(self.current.hash, self.current.merged, generation, min_ready, self.now)
        self.nodes = self._nodes(pods)
        self._act(pods)
        self._merge_spare(pods)
        self._trim(pods)
        self._write_status()
        self._requeue_for_availability()
        return self.result.plan()

    # Claiming.

    def _claim_pods(self) -> list[PodView]:
        """Return the set's pods, finished ones included; plan adoptions and releases."""
        return claim_pods(
            self.owner,
            self.view.pods,
            selects=lambda pod: self.selector.matches(pod.labels),
            fetch=self.view.fetch,
            result=self.result,
        )

    # Nodes.

    def _nodes(self, pods: Sequence[PodView]) -> list[NodePods]:
        """Return every node that should run the daemon or has its pods, by name; pods for no node are left out."""
        by_node: dict[str, list[PodView]] = {}
        for pod in pods:
            if pod.terminating and pod.finished:
                continue  # it has ended and is about to vanish: its successor need not wait for that
            by_node.setdefault(pod.node_name or target_node(self.view.fetch(pod).spec), []).append(pod)
        by_node.pop("", None)
        found = [
            NodePods(node.name, eligibility(self.spec, node), by_node.pop(node.name, [])) for node in self.view.nodes
        ]
        # Scheduled pods of nodes that are gone are the pod collector's; those still to be scheduled are ours.
        orphaned = [[pod for pod in left if not pod.node_name] for left in by_node.values()]
        found += [
            NodePods(name, NOWHERE, left, known=False) for name, left in zip(by_node, orphaned, strict=True) if left
        ]
        return sorted((node for node in found if node.pods or node.eligible.should_run), key=lambda node: node.name)

    # Acting.

    def _act(self, pods: Sequence[PodView]) -> None:
        """Manage first; the update goes on in a sync in which nothing had to be managed."""
        todo = manage(self.nodes, self.judge, surging=self._max_surge() > 0, backoff=self.view.backoff)
        if todo.empty and not self._is_on_delete():
            waiting, held = todo.look_after, todo.reasons
            todo = self._update()
            todo.reasons.extend(held)
            if waiting is not None:
                todo.wait(waiting)
        self._carry_out(todo)
        on_delete = self._is_on_delete()
        self.result.reasons.extend(explain(self.set, self.nodes, self.judge, todo, on_delete=on_delete))

    def _is_on_delete(self) -> bool:
        return self.set.spec.update_strategy.type != ROLLING_UPDATE

    def _update(self) -> Todo:
        if max_surge := self._max_surge():
            return surge(self.nodes, self.judge, max_surge)
        return roll(self.nodes, self.judge, daemon_set_max_unavailable(self.set, self._desired()))

    def _desired(self) -> int:
        return sum(node.eligible.should_run for node in self.nodes)

    def _max_surge(self) -> int:
        if not self.view.release.daemon_set_surge:
            return 0
        return daemon_set_max_surge(self.set, self._desired())

    def _carry_out(self, todo: Todo) -> None:
        self.result.events.extend(todo.events)
        if todo.look_after is not None:
            self.result.requeue(todo.look_after)
        new = [daemon_pod(self.set, self.spec, self.current.hash, node, self.owner) for node in todo.create_on[:BURST]]
        if new:
            self.result.writes.append(CreateDistinctPods(new, f"{self.owner.name}-"))
        self.result.writes.extend(self._deletion(pod) for pod in todo.delete[:BURST])

    def _deletion(self, pod: PodView) -> DeleteObject:
        """Return the deletion of a pod; one that is not ready goes only as it was seen.

        Old pods of no use go all at once, whatever maxUnavailable says. Should one become ready meanwhile, it counts.
        """
        event = PlannedEvent("SuccessfulDelete", f"Deleted pod: {pod.name}")
        version = None if pod.ready else self.view.fetch(pod).metadata.resource_version
        return DeleteObject(POD, pod.namespace, pod.name, pod.uid, (event,), version)

    def _merge_spare(self, pods: Sequence[PodView]) -> None:
        """Pods of revisions that say the same as the current one take its hash; then the others can go."""
        strays = [pod for pod in pods if pod.labels.get(REVISION_LABEL, "") in self.current.merged]
        for pod in strays:
            wanted = Pod()
            wanted.CopyFrom(self.view.fetch(pod))
            wanted.metadata.labels[REVISION_LABEL] = self.current.hash
            self.result.writes.append(UpdateObject(wanted))
        if not strays:
            self.result.writes.extend(revision_history.deletion(one) for one in self.current.spare)

    def _trim(self, pods: Sequence[PodView]) -> None:
        live = {pod.labels.get(REVISION_LABEL, "") for pod in pods} | {self.current.hash}
        limit = self.set.spec.revision_history_limit if self.set.spec.HasField("revision_history_limit") else 10
        self.result.writes.extend(surplus(self.current, live, limit))

    # Status.

    def _write_status(self) -> None:
        status = self._status()
        if status == self.set.status:
            return
        wanted = DaemonSet()
        wanted.CopyFrom(self.set)
        wanted.status.CopyFrom(status)
        self.result.writes.append(UpdateObjectStatus(wanted))

    def _status(self) -> DaemonSetStatus:
        """Return the status; each node is judged by the first of its pods: scheduled, oldest, by name."""
        desired = [node for node in self.nodes if node.eligible.should_run]
        first = [node.pods[0] for node in desired if node.pods]
        available = sum(self.judge.is_available(pod) for pod in first)
        status = DaemonSetStatus()
        status.CopyFrom(self.set.status)
        counts = {
            "current_number_scheduled": len(first),
            "number_misscheduled": sum(
                node.pods != [] for node in self.nodes if node.known and not node.eligible.should_run
            ),
            "desired_number_scheduled": len(desired),
            "number_ready": sum(pod.ready for pod in first),
            "number_available": available,
            "number_unavailable": len(desired) - available,
            "updated_number_scheduled": sum(self.judge.is_new(pod) for pod in first),
            "observed_generation": self.set.metadata.generation,
        }
        for name, value in counts.items():
            if getattr(status, name) != value:
                setattr(status, name, value)
        if self.current.collision_count is not None:
            status.collision_count = self.current.collision_count
        return status

    def _requeue_for_availability(self) -> None:
        live = [pod for node in self.nodes for pod in node.live]
        self.result.requeue(seconds_until_available(live, self.judge.min_ready, self.now))
