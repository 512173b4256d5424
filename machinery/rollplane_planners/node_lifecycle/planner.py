"""What is written for one node: conditions first, then, once everybody can see them, taints and the pods' readiness."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.core.v1 import Node
from rollplane_machinery.conditions import UNKNOWN
from rollplane_planners.node_lifecycle.conditions import silenced
from rollplane_planners.node_lifecycle.health import NodeHealth, is_silent
from rollplane_planners.node_lifecycle.taints import plan_taints
from rollplane_planners.node_lifecycle.times import NodeTimes


@dataclass(frozen=True, slots=True)
class NodePlan:
    """``status`` and ``spec`` are copies of the node to be written, None for nothing to change.

    ``waits`` for its NoExecute taint to be granted. ``lost_pods``: its pods are to be shown as not ready.
    """

    status: Node | None = None
    spec: Node | None = None
    waits: bool = False
    lost_pods: bool = False


def plan_node(
    node: Node, health: NodeHealth, times: NodeTimes, *, granted: bool, lifted: bool, now: float, monotonic: float
) -> NodePlan:
    """Return what is to be done about ``node``; ``granted`` and ``lifted`` say what its NoExecute taint may do."""
    if is_silent(health, times, monotonic):
        status = silenced(node, now)
        if status is not None:
            return NodePlan(status=status)
    tainting = plan_taints(node, granted=granted, lifted=lifted, now=now)
    return NodePlan(spec=tainting.node, waits=tainting.waits, lost_pods=health.ready == UNKNOWN)
