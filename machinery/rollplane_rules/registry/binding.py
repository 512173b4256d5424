"""Assigning a pod to a node, once and for all."""

from __future__ import annotations

from rollplane.core.v1 import Pod, PodCondition
from rollplane_machinery.conditions import TRUE, set_condition
from rollplane_machinery.errors import Cause, CauseReason, ConflictError, InvalidError
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import POD_SCHEDULED
from rollplane_machinery.times import time_of


def apply_binding(pod: Pod, node_name: str, now: float) -> None:
    """Write the node into ``pod`` and say that it is scheduled.

    Raises InvalidError without a node, ConflictError when the pod is bound already or is being deleted.
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
    pod.spec.node_name = node_name
    scheduled = PodCondition(type=POD_SCHEDULED, status=TRUE, last_transition_time=time_of(now))
    set_condition(pod.status.conditions, scheduled)
