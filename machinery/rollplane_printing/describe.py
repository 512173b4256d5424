"""``describe``: an object in words, with what belongs to it and its events.

Lines come with tabs between their cells; ``tab_text`` aligns them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from rollplane.apps import v1 as apps
from rollplane.coordination.v1 import Lease
from rollplane.core import v1 as core
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery import int_or_string, kinds
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_machinery.metadata import controller_uid
from rollplane_machinery.pods import FAILED, PENDING, RUNNING, SUCCEEDED
from rollplane_machinery.selectors import label_selector_of, selector_of_map
from rollplane_planners.deployment.revisions import sort_out
from rollplane_printing.describe_node import node_lines
from rollplane_printing.describe_others import OTHERS, anything, claim_lines, claim_template_lines
from rollplane_printing.describe_parts import grid, head
from rollplane_printing.describe_pod import pod_end_lines, pod_lines
from rollplane_printing.event_text import event_age, in_order, message_line
from rollplane_printing.tab_text import tabbed
from rollplane_printing.table import NONE, labels_text, or_none
from rollplane_printing.template_text import template_lines

_PHASES = (RUNNING, PENDING, SUCCEEDED, FAILED)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a description needs besides the object: what it may control, run or be used by, and its events.

    ``pods`` are those it may control; of a node those that run there, of a claim those of its namespace. ``lease`` is a
    node's.
    """

    replica_sets: Sequence[apps.ReplicaSet] = ()
    pods: Sequence[core.Pod] = ()
    events: Sequence[core.Event] = ()
    lease: Lease | None = None
    now: float = 0.0


def describe(kind: Kind, message: ApiObject, around: Surroundings, now: float) -> list[str]:
    """Return the description of ``message`` as of ``now`` (seconds since the epoch), line by line."""
    lines = _DESCRIBERS.get(kind, _other)(message, replace(around, now=now))
    return tabbed([*lines, *([] if kind in _WITHOUT_EVENTS else _events(around.events, now))])


def _deployment(deployment: apps.Deployment, around: Surroundings) -> list[str]:
    spec, status = deployment.spec, deployment.status
    counts = {
        "desired": spec.replicas,
        "updated": status.updated_replicas,
        "total": status.replicas,
        "available": status.available_replicas,
        "unavailable": status.unavailable_replicas,
    }
    lines = [
        *head(deployment.metadata, "Name", "Namespace", "CreationTimestamp", "Labels", "Annotations"),
        f"Selector:\t{or_none(str(label_selector_of(spec.selector)))}",
        f"Replicas:\t{' | '.join(f'{count} {word}' for word, count in counts.items())}",
        f"StrategyType:\t{spec.strategy.type}",
        f"MinReadySeconds:\t{spec.min_ready_seconds}",
    ]
    if spec.strategy.HasField("rolling_update"):
        rolling = spec.strategy.rolling_update
        unavailable, surge = map(int_or_string.to_plain, (rolling.max_unavailable, rolling.max_surge))
        lines.append(f"RollingUpdateStrategy:\t{unavailable} max unavailable, {surge} max surge")
    return [*lines, *template_lines(spec.template), *_conditions(status.conditions), *_sets(deployment, around)]


def _sets(deployment: apps.Deployment, around: Surroundings) -> list[str]:
    owned = (one for one in around.replica_sets if controller_uid(one.metadata) == deployment.metadata.uid)
    sets = sort_out(deployment, owned)
    old, new = ", ".join(_set(one.wanted) for one in sets.old), _set(sets.new.wanted) if sets.new else ""
    return [f"OldReplicaSets:\t{or_none(old)}", f"NewReplicaSet:\t{or_none(new)}"]


def _set(replica_set: apps.ReplicaSet) -> str:
    created = f"{replica_set.status.replicas}/{replica_set.spec.replicas} replicas created"
    return f"{replica_set.metadata.name} ({created})"


def _replica_set(replica_set: apps.ReplicaSet, around: Surroundings) -> list[str]:
    return [
        *head(replica_set.metadata, "Name", "Namespace"),
        f"Selector:\t{or_none(str(label_selector_of(replica_set.spec.selector)))}",
        *head(replica_set.metadata, "Labels", "Annotations", "Controlled By"),
        f"Replicas:\t{replica_set.status.replicas} current / {replica_set.spec.replicas} desired",
        _pods_status(replica_set.metadata, around),
        *template_lines(replica_set.spec.template),
        *_conditions(replica_set.status.conditions),
    ]


def _replication_controller(controller: core.ReplicationController, around: Surroundings) -> list[str]:
    return [
        *head(controller.metadata, "Name", "Namespace"),
        f"Selector:\t{or_none(str(selector_of_map(controller.spec.selector)))}",
        *head(controller.metadata, "Labels", "Annotations"),
        f"Replicas:\t{controller.status.replicas} current / {controller.spec.replicas} desired",
        _pods_status(controller.metadata, around),
        *template_lines(controller.spec.template),
        *_conditions(controller.status.conditions),
    ]


def _stateful_set(stateful_set: apps.StatefulSet, around: Surroundings) -> list[str]:
    spec, update = stateful_set.spec, stateful_set.spec.update_strategy
    lines = [
        *head(stateful_set.metadata, "Name", "Namespace", "CreationTimestamp"),
        f"Selector:\t{or_none(str(label_selector_of(spec.selector)))}",
        *head(stateful_set.metadata, "Labels", "Annotations"),
        f"Replicas:\t{spec.replicas} desired | {stateful_set.status.replicas} total",
        f"Update Strategy:\t{update.type}",
    ]
    if update.HasField("rolling_update"):
        lines.append(f"  Partition:\t{update.rolling_update.partition}")
    lines += [_pods_status(stateful_set.metadata, around), *template_lines(spec.template)]
    return [*lines, *claim_template_lines(spec.volume_claim_templates)]


def _daemon_set(daemon_set: apps.DaemonSet, around: Surroundings) -> list[str]:
    status, template = daemon_set.status, daemon_set.spec.template
    return [
        *head(daemon_set.metadata, "Name"),
        f"Selector:\t{or_none(str(label_selector_of(daemon_set.spec.selector)))}",
        f"Node-Selector:\t{labels_text(template.spec.node_selector)}",
        *head(daemon_set.metadata, "Labels", "Annotations"),
        f"Desired Number of Nodes Scheduled: {status.desired_number_scheduled}",
        f"Current Number of Nodes Scheduled: {status.current_number_scheduled}",
        f"Number of Nodes Scheduled with Up-to-date Pods: {status.updated_number_scheduled}",
        f"Number of Nodes Scheduled with Available Pods: {status.number_available}",
        f"Number of Nodes Misscheduled: {status.number_misscheduled}",
        _pods_status(daemon_set.metadata, around),
        *template_lines(template),
    ]


def _pod(pod: core.Pod, _around: Surroundings) -> list[str]:
    return [*pod_lines(pod), *_conditions(pod.status.conditions, with_reason=False), *pod_end_lines(pod)]


def _node(node: core.Node, around: Surroundings) -> list[str]:
    return node_lines(node, around.lease, around.pods, around.now)


def _claim(claim: core.PersistentVolumeClaim, around: Surroundings) -> list[str]:
    return claim_lines(claim, around.pods)


def _other(message: ApiObject, _around: Surroundings) -> list[str]:
    return OTHERS.get(type(message), anything)(message)


def _pods_status(metadata: ObjectMeta, around: Surroundings) -> str:
    """How many pods of the object are in each phase."""
    phases = [pod.status.phase for pod in around.pods if controller_uid(pod.metadata) == metadata.uid]
    running, waiting, succeeded, failed = (phases.count(phase) for phase in _PHASES)
    return f"Pods Status:\t{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed"


def _conditions(conditions: Iterable[Any], *, with_reason: bool = True) -> list[str]:
    titles = ("Type", "Status", "Reason") if with_reason else ("Type", "Status")
    rows = [(each.type, each.status, each.reason)[: len(titles)] for each in conditions]
    return ["Conditions:", *grid(titles, rows)] if rows else []


def _events(events: Sequence[core.Event], now: float) -> list[str]:
    """The events by the time they last happened."""
    if not events:
        return [f"Events:\t{NONE}"]
    rows = [
        (each.type, each.reason, event_age(each, now), each.source.component or each.reporting_component, line)
        for each in in_order(events)
        for line in [message_line(each)]
    ]
    return ["Events:", *grid(("Type", "Reason", "Age", "From", "Message"), rows)]


Describer = Callable[[Any, Surroundings], list[str]]

_DESCRIBERS: Mapping[Kind, Describer] = MappingProxyType(
    {
        kinds.DEPLOYMENT: _deployment,
        kinds.REPLICA_SET: _replica_set,
        kinds.REPLICATION_CONTROLLER: _replication_controller,
        kinds.STATEFUL_SET: _stateful_set,
        kinds.DAEMON_SET: _daemon_set,
        kinds.POD: _pod,
        kinds.NODE: _node,
        kinds.PERSISTENT_VOLUME_CLAIM: _claim,
    }
)

_WITHOUT_EVENTS = frozenset({kinds.NAMESPACE, kinds.SECRET})
"""Kinds of which kubectl shows none."""
