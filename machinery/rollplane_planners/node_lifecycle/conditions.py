"""What a silent node's conditions say: nobody knows."""

from __future__ import annotations

from rollplane.core.v1 import Node, NodeCondition
from rollplane_machinery.conditions import UNKNOWN, get_condition, set_condition
from rollplane_machinery.nodes import NODE_READY
from rollplane_machinery.times import time_of

REPORTED_TYPES = (NODE_READY, "MemoryPressure", "DiskPressure", "PIDPressure")
"""The conditions that a kubelet keeps up to date."""

NEVER_UPDATED = ("NodeStatusNeverUpdated", "Kubelet never posted node status.")
STOPPED = ("NodeStatusUnknown", "Kubelet stopped posting node status.")


def silenced(node: Node, now: float) -> Node | None:
    """Return a copy of ``node`` whose conditions are Unknown; None when they are already."""
    wanted = Node()
    wanted.CopyFrom(node)
    for type_ in REPORTED_TYPES:
        present = get_condition(node.status.conditions, type_)
        if present is None or present.status != UNKNOWN:
            set_condition(wanted.status.conditions, _unknown(node, type_, present, now))
    return None if wanted.status == node.status else wanted


def _unknown(node: Node, type_: str, present: NodeCondition | None, now: float) -> NodeCondition:
    reason, message = NEVER_UPDATED if present is None else STOPPED
    heartbeat = node.metadata.creation_timestamp if present is None else present.last_heartbeat_time
    return NodeCondition(
        type=type_,
        status=UNKNOWN,
        reason=reason,
        message=message,
        last_heartbeat_time=heartbeat,
        last_transition_time=time_of(now),
    )
