"""What a controller keeps of a pod: the few fields that planning reads, taken from the message once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rollplane.core.v1 import Pod, PodStatus
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.conditions import TRUE, get_condition
from rollplane_machinery.frozen import frozen
from rollplane_machinery.metadata import controller_uid, is_being_deleted
from rollplane_machinery.pods import (
    DISRUPTION_TARGET,
    FAILED,
    FINAL_PHASES,
    POD_READY,
    POD_SCHEDULED,
    available_after,
    is_available_since,
    is_pod_active,
)
from rollplane_machinery.remembering import same, same_labels
from rollplane_machinery.times import to_seconds
from rollplane_planners.pod_trouble import Trouble, trouble_of, unschedulable
from rollplane_planners.scheduling.constraints import Term, away_from
from rollplane_planners.scheduling.demand import HostPort, host_ports_of, requests_of
from rollplane_planners.scheduling.resources import Resources

A_MOMENT = 0.01
"""Seconds past the moment after which something is true."""
BY_KUBELET, BY_SCHEDULER = "TerminationByKubelet", "PreemptionByScheduler"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_INT32 = re.compile(r"0|-?[1-9][0-9]{0,9}")


@frozen
class PodView:
    """A pod as last observed. Times are seconds since the epoch; ``ready_since`` is None while it is not Ready,
    0.0 where it does not say since when.

    ``unschedulable`` is the scheduler's sentence about a pod that no node takes, "" for any other.
    ``disrupted_since`` is that of the function of this name. ``started`` is when its kubelet took it on. ``nominated``
    is the node that the scheduler keeps for it; ``preempted`` tells that it ends for another's sake. ``failure`` is
    why it failed as a whole, in its kubelet's words, "" for any other. ``generation`` counts changes of its spec, where
    the release counts them, else it is 0.
    """

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    controller_uid: str | None
    created: float
    generation: int
    node_name: str
    phase: str
    ready_since: float | None
    terminating: bool
    disrupted_since: float | None
    restarts: int
    deletion_cost: int
    waiting: str
    trouble: Trouble | None
    unschedulable: str
    image: str
    scheduler: str
    gated: bool
    requests: Resources
    host_ports: frozenset[HostPort]
    anti_affinity: tuple[Term, ...]
    priority: int
    started: float | None
    nominated: str
    preempted: bool
    failure: str

    @property
    def ready(self) -> bool:
        return self.ready_since is not None

    @property
    def active(self) -> bool:
        """Whether it counts as running or about to run: neither finished nor being deleted."""
        return not self.terminating and not self.finished

    @property
    def finished(self) -> bool:
        """Whether it has ended for good."""
        return self.phase in FINAL_PHASES

    def available_after(self, min_ready_seconds: int) -> float | None:
        """Return the time after which it counts as available, None while that cannot be told."""
        return available_after(self.ready_since, min_ready_seconds)

    def is_available(self, min_ready_seconds: int, now: float) -> bool:
        """Tell whether it has been Ready for longer than ``min_ready_seconds`` (0: at all)."""
        return is_available_since(self.ready_since, min_ready_seconds, now)


def seconds_until_available(pods: Iterable[PodView], min_ready_seconds: int, now: float) -> float | None:
    """Return when to look again for the first of ``pods`` that only waits to be available; None when none does."""
    waiting = (pod.available_after(min_ready_seconds) for pod in pods)
    due = [after for after in waiting if after is not None and after >= now]
    return min(due) - now + A_MOMENT if due else None


def pod_view(pod: Pod, name: str = "", former: PodView | None = None) -> PodView:
    """Return the view of ``pod``; ``name`` is its name, if somebody holds it already.

    What is alike for many pods is held once: a controller keeps views by the hundred thousand. ``former`` is the view
    of what was stored under its name before: what follows from a spec of the same generation is taken over.
    """
    metadata, status, spec = pod.metadata, pod.status, pod.spec
    labels = same_labels(metadata.labels)
    conditions = {condition.type: condition for condition in reversed(status.conditions)}  # the first of a type counts
    disrupted, ready = DISRUPTION_TARGET in conditions, conditions.get(POD_READY)
    placed = POD_SCHEDULED not in conditions or conditions[POD_SCHEDULED].status == TRUE
    restarts, waiting, may_be_troubled = _containers(status)
    terminating = is_being_deleted(metadata)
    known = former if former is not None and _has_same_spec(former, metadata, labels) else None
    return PodView(
        namespace=same(metadata.namespace),
        name=name or metadata.name,
        uid=metadata.uid,
        labels=labels,
        controller_uid=same(controller_uid(metadata)) or None,
        created=float(metadata.creation_timestamp.seconds),
        generation=metadata.generation,
        node_name=same(spec.node_name),
        phase=same(status.phase),
        ready_since=to_seconds(ready.last_transition_time) if ready is not None and ready.status == TRUE else None,
        terminating=terminating,
        disrupted_since=disrupted_since(pod) if disrupted else None,
        restarts=restarts,
        deletion_cost=_deletion_cost(metadata.annotations.get(DELETION_COST, "")),
        waiting=waiting,
        trouble=trouble_of(pod) if may_be_troubled else None,
        unschedulable="" if placed else unschedulable(pod) or "",
        image=known.image if known else same(spec.containers[0].image) if spec.containers else "",
        scheduler=known.scheduler if known else same(spec.scheduler_name),
        gated=known.gated if known else bool(spec.scheduling_gates),
        requests=known.requests if known else requests_of(spec),
        host_ports=known.host_ports if known else host_ports_of(spec),
        anti_affinity=known.anti_affinity if known else away_from(spec, metadata.namespace, labels),
        priority=known.priority if known else spec.priority,
        started=float(status.start_time.seconds) if status.HasField("start_time") else None,
        nominated=status.nominated_node_name,
        preempted=terminating and disrupted and _is_preempted(pod),
        failure=f"{status.reason}: {status.message}" if status.reason and status.phase == FAILED else "",
    )


def _has_same_spec(former: PodView, metadata: ObjectMeta, labels: Mapping[str, str]) -> bool:
    """Tell whether the spec is still the one that ``former`` was made of, its node aside; False where nobody counts."""
    known = former.generation > 0 and former.generation == metadata.generation
    return known and former.uid == metadata.uid and former.labels == labels


def _containers(status: PodStatus) -> tuple[int, str, bool]:
    """Return the most restarts of a container, the first reason to wait, and whether trouble must be looked for."""
    restarts, waiting, may_be_troubled = 0, "", bool(status.init_container_statuses)
    for one in status.container_statuses:
        count = one.restart_count
        restarts = max(restarts, count)
        waiting = waiting or one.state.waiting.reason
        may_be_troubled = may_be_troubled or count > 1
    return restarts, waiting, may_be_troubled or bool(waiting)


def disrupted_since(pod: Pod) -> float | None:
    """Return since when a pod that nobody deletes says that it is about to go; None for any other.

    One that its kubelet ends may take its time.
    """
    said = get_condition(pod.status.conditions, DISRUPTION_TARGET)
    if said is None or said.status != TRUE or said.reason == BY_KUBELET or not is_pod_active(pod):
        return None
    return to_seconds(said.last_transition_time)


def _is_preempted(pod: Pod) -> bool:
    said = get_condition(pod.status.conditions, DISRUPTION_TARGET)
    return said is not None and said.status == TRUE and said.reason == BY_SCHEDULER


def _deletion_cost(text: str) -> int:
    """Return the cost, 0 when it is missing or no int32 in plain decimal."""
    cost = int(text) if _INT32.fullmatch(text) else 0
    return cost if -(2**31) <= cost < 2**31 else 0
