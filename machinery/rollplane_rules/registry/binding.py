"""Assigning a pod to a node, once and for all."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core.v1 import Pod, PodCondition
from rollplane_machinery.conditions import TRUE, set_condition
from rollplane_machinery.errors import Cause, CauseReason, ConflictError, InvalidError
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import POD_SCHEDULED, observe_generation
from rollplane_machinery.times import time_of

TOPOLOGY_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def apply_binding(pod: Pod, node_name: str, now: float) -> None:
    """Write the node into ``pod`` and say that it is scheduled.

    Raises InvalidError without a node, ConflictError when the pod is bound already, is gated or is being deleted.
    """
    name = pod.metadata.name
    if not node_name:
        cause = Cause(CauseReason.REQUIRED, "target.name", "a node name is required")
        raise InvalidError(f'Binding "{name}" is invalid: {cause}', resource="pods", name=name, causes=[cause])
    if is_being_deleted(pod.metadata):
        raise ConflictError(f"pod {name} is being deleted, cannot be assigned to a node", resource="pods", name=name)
    if pod.spec.node_name:
        bound = f'pod {name} is already assigned to node "{pod.spec.node_name}"'
        raise ConflictError(bound, resource="pods", name=name)
    if pod.spec.scheduling_gates:
        gates = ", ".join(gate.name for gate in pod.spec.scheduling_gates)
        raise ConflictError(f"pod {name} has schedulingGates: remove {gates} first", resource="pods", name=name)
    pod.spec.node_name = node_name
    scheduled = PodCondition(type=POD_SCHEDULED, status=TRUE, last_transition_time=time_of(now))
    observe_generation(scheduled, pod)
    set_condition(pod.status.conditions, scheduled)


def copy_topology(pod: Pod, node_labels: Mapping[str, str]) -> None:
    """Give ``pod`` the zone and region of the node it goes to, over what it says itself, as admission does."""
    pod.metadata.labels.update({name: node_labels[name] for name in TOPOLOGY_LABELS if name in node_labels})
