"""Columns of pods and of what makes pods. Source: docs/semantics/kubectl-surface.md section 4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane.meta.v1 import LabelSelector
from rollplane_machinery import kinds
from rollplane_machinery.kinds import Kind
from rollplane_printing.durations import age, duration_text
from rollplane_printing.pod_status import PodSummary, pod_summary
from rollplane_printing.table import (
    AGE,
    NAME,
    NONE,
    Cell,
    Cells,
    Column,
    Layout,
    joined,
    labels_text,
    number,
    or_none,
    text,
    wide,
)

_CONTAINERS = wide("Containers", "Images")
_SELECTED = (*_CONTAINERS, *wide("Selector"))
_COUNTED = (NAME, number("Desired"), number("Current"), number("Ready"), AGE, *_SELECTED)


def _pod(pod: core.Pod, now: float) -> list[Cell]:
    summary = pod_summary(pod)
    restarts = str(summary.restarts)
    if summary.last_restart:
        restarts += f" ({duration_text(now - summary.last_restart)} ago)"
    return _pod_cells(pod, summary, restarts, now)


def _pod_with_plain_restarts(pod: core.Pod, now: float) -> list[Cell]:
    summary = pod_summary(pod)
    return _pod_cells(pod, summary, summary.restarts, now)


def _pod_cells(pod: core.Pod, summary: PodSummary, restarts: Cell, now: float) -> list[Cell]:
    status = pod.status
    return [
        pod.metadata.name,
        f"{summary.ready}/{summary.total}",
        summary.status,
        restarts,
        age(pod.metadata.creation_timestamp, now),
        or_none(status.pod_ip or (status.pod_ips[0].ip if status.pod_ips else "")),
        or_none(pod.spec.node_name),
        or_none(status.nominated_node_name),
        _readiness_gates(pod),
    ]


def _readiness_gates(pod: core.Pod) -> str:
    """``1/2``: how many of the gates are open."""
    gates = pod.spec.readiness_gates
    if not gates:
        return NONE
    true = {condition.type for condition in pod.status.conditions if condition.status == "True"}
    return f"{sum(gate.condition_type in true for gate in gates)}/{len(gates)}"


def _deployment(deployment: apps.Deployment, now: float) -> list[Cell]:
    status = deployment.status
    return [
        deployment.metadata.name,
        f"{status.ready_replicas}/{deployment.spec.replicas}",
        status.updated_replicas,
        status.available_replicas,
        age(deployment.metadata.creation_timestamp, now),
        *_containers(deployment.spec.template),
        _selector(deployment.spec.selector),
    ]


def _replica_set(replica_set: apps.ReplicaSet, now: float) -> list[Cell]:
    status = replica_set.status
    return [
        replica_set.metadata.name,
        replica_set.spec.replicas,
        status.replicas,
        status.ready_replicas,
        age(replica_set.metadata.creation_timestamp, now),
        *_containers(replica_set.spec.template),
        _selector(replica_set.spec.selector),
    ]


def _replication_controller(controller: core.ReplicationController, now: float) -> list[Cell]:
    status = controller.status
    return [
        controller.metadata.name,
        controller.spec.replicas,
        status.replicas,
        status.ready_replicas,
        age(controller.metadata.creation_timestamp, now),
        *_containers(controller.spec.template),
        _selector(LabelSelector(match_labels=controller.spec.selector)),
    ]


def _stateful_set(stateful_set: apps.StatefulSet, now: float) -> list[Cell]:
    return [
        stateful_set.metadata.name,
        f"{stateful_set.status.ready_replicas}/{stateful_set.spec.replicas}",
        age(stateful_set.metadata.creation_timestamp, now),
        *_containers(stateful_set.spec.template),
    ]


def _daemon_set(daemon_set: apps.DaemonSet, now: float) -> list[Cell]:
    status = daemon_set.status
    return [
        daemon_set.metadata.name,
        status.desired_number_scheduled,
        status.current_number_scheduled,
        status.number_ready,
        status.updated_number_scheduled,
        status.number_available,
        labels_text(daemon_set.spec.template.spec.node_selector),
        age(daemon_set.metadata.creation_timestamp, now),
        *_containers(daemon_set.spec.template),
        _selector(daemon_set.spec.selector),
    ]


def _selector(selector: LabelSelector) -> str:
    """Loaded here: pods, which are shown most, have none."""
    from rollplane_machinery.selectors import label_selector_of

    return or_none(str(label_selector_of(selector)))


def _controller_revision(revision: apps.ControllerRevision, now: float) -> list[Cell]:
    return [
        revision.metadata.name,
        or_none(_controller(revision)),
        revision.revision,
        age(revision.metadata.creation_timestamp, now),
    ]


def _controller(revision: apps.ControllerRevision) -> str:
    """``statefulset.apps/db``: the object that owns it."""
    for owner in revision.metadata.owner_references:
        if owner.controller:
            group = owner.api_version.rpartition("/")[0]
            return f"{owner.kind.lower()}{'.' if group else ''}{group}/{owner.name}"
    return ""


def _containers(template: core.PodTemplateSpec) -> list[Cell]:
    containers = template.spec.containers
    return [joined([each.name for each in containers]), joined([each.image for each in containers])]


def _pod_layout(restarts: Callable[[str, str], Column], cells: Cells) -> Layout:
    columns = (
        NAME,
        text("Ready", "Ready containers, of all."),
        text("Status", "The phase, or what stands in its way."),
        restarts("Restarts", "How often containers were restarted."),
        AGE,
        *wide("IP", "Node", "Nominated Node", "Readiness Gates"),
    )
    return Layout(columns, cells)


POD_WITH_PLAIN_RESTARTS = _pod_layout(number, _pod_with_plain_restarts)
"""How pods were shown before it was told when they last restarted."""

WORKLOADS: Mapping[Kind, Layout] = MappingProxyType(
    {
        kinds.POD: _pod_layout(text, _pod),
        kinds.DEPLOYMENT: Layout(
            (
                NAME,
                text("Ready", "Ready pods, of those wanted."),
                text("Up-to-date", "Pods of the present template."),
                text("Available", "Pods that have been ready for long enough."),
                AGE,
                *_SELECTED,
            ),
            _deployment,
        ),
        kinds.REPLICA_SET: Layout(_COUNTED, _replica_set),
        kinds.REPLICATION_CONTROLLER: Layout(_COUNTED, _replication_controller),
        kinds.STATEFUL_SET: Layout((NAME, text("Ready"), AGE, *_CONTAINERS), _stateful_set),
        kinds.DAEMON_SET: Layout(
            (
                NAME,
                *(number(each) for each in ("Desired", "Current", "Ready", "Up-to-date", "Available")),
                text("Node Selector"),
                AGE,
                *_SELECTED,
            ),
            _daemon_set,
        ),
        kinds.CONTROLLER_REVISION: Layout((NAME, text("Controller"), text("Revision"), AGE), _controller_revision),
    }
)
"""How pods and workloads are shown."""
