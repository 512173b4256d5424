"""Nodes for planners' tests."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core.v1 import Node, NodeCondition, Taint
from rollplane.meta.v1 import Time
from rollplane_planners.node_lifecycle.health import NodeHealth

NOW = 1_700_000_000.0


def node(
    name: str = "n",
    *,
    conditions: Mapping[str, str] | None = None,
    heartbeat: float = NOW,
    created: float = NOW,
    taints: tuple[tuple[str, str], ...] = (),
    labels: Mapping[str, str] | None = None,
    unschedulable: bool = False,
) -> Node:
    """Return a node with conditions (status by type) and taints (key and effect)."""
    message = Node()
    message.metadata.name = name
    message.metadata.creation_timestamp.CopyFrom(Time(seconds=int(created)))
    message.metadata.labels.update(labels or {})
    if unschedulable:
        message.spec.unschedulable = True
    for key, effect in taints:
        message.spec.taints.append(Taint(key=key, effect=effect))
    for type_, status in (conditions or {}).items():
        condition = NodeCondition(type=type_, status=status, last_heartbeat_time=Time(seconds=int(heartbeat)))
        condition.last_transition_time.CopyFrom(Time(seconds=int(created)))
        message.status.conditions.append(condition)
    return message


def health(ready: str = "True", *, zone: str = "", heard: float = 0.0, excluded: bool = False) -> NodeHealth:
    """Return a node's health."""
    return NodeHealth(heard=heard, heartbeat=NOW, renewed=0.0, ready=ready, zone=zone, excluded=excluded)


def taint_pairs(message: Node | None) -> list[tuple[str, str]]:
    """Return key and effect of each taint, in order."""
    return [(taint.key, taint.effect) for taint in message.spec.taints] if message else []
