"""Who is silent, by the observer's own clock.

Two signals keep a node alive: its lease is renewed, or its Ready condition gets a new heartbeat. Only that they change
counts, and when that was noticed here: the times that kubelets write are never compared with ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollplane.core.v1 import Node
from rollplane_machinery.conditions import TRUE, UNKNOWN, get_condition
from rollplane_machinery.nodes import NODE_READY
from rollplane_machinery.times import to_seconds
from rollplane_planners.node_lifecycle.times import NodeTimes

REGION_LABEL, ZONE_LABEL = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
EXCLUDED_LABEL = "node.kubernetes.io/exclude-disruption"


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """A node as last observed.

    ``heard`` is when, by our monotonic clock, the last signal was noticed; ``heartbeat`` and ``renewed`` are the
    signals themselves. ``ready`` is the Ready condition's status, "" while it has none. An ``excluded`` node does not
    count towards the state of its ``zone``.
    """

    heard: float
    heartbeat: float
    renewed: float
    ready: str
    zone: str
    excluded: bool

    @property
    def is_ready(self) -> bool:
        return self.ready == TRUE


def observe_node(before: NodeHealth | None, node: Node, now: float, monotonic: float) -> NodeHealth:
    """Return the health of ``node`` as seen at ``now``; a node that never reported counts from its creation."""
    condition = get_condition(node.status.conditions, NODE_READY)
    if condition is None:
        age = max(0.0, now - to_seconds(node.metadata.creation_timestamp))
        heard, heartbeat, status = (before.heard if before else monotonic - age), 0.0, ""
    else:
        heartbeat, status = to_seconds(condition.last_heartbeat_time), condition.status
        known = before is not None and before.ready != "" and before.heartbeat == heartbeat
        heard = before.heard if before is not None and known else monotonic
    return NodeHealth(
        heard=heard,
        heartbeat=heartbeat,
        renewed=before.renewed if before else 0.0,
        ready=status,
        zone=zone_of(node),
        excluded=EXCLUDED_LABEL in node.metadata.labels,
    )


def observe_lease(before: NodeHealth, renewed: float, monotonic: float) -> NodeHealth:
    """Return the health after a look at the node's lease, which was last renewed at ``renewed`` by the node's clock."""
    if renewed <= before.renewed:
        return before
    return replace(before, renewed=renewed, heard=monotonic)


def restarted(health: NodeHealth, monotonic: float) -> NodeHealth:
    """Return the health as if the node had just been heard; one that never was still counts from its creation."""
    return replace(health, heard=monotonic) if health.ready else health


def is_silent(health: NodeHealth, times: NodeTimes, monotonic: float) -> bool:
    """Tell whether the node has been silent for longer than it may be."""
    grace = times.grace_seconds if health.ready else times.startup_grace_seconds
    return monotonic > health.heard + grace


def is_newly_silent(health: NodeHealth, times: NodeTimes, monotonic: float) -> bool:
    """Tell whether the node is silent and does not say so yet."""
    return health.ready != UNKNOWN and is_silent(health, times, monotonic)


def zone_of(node: Node) -> str:
    """Return the failure zone of ``node``, region and zone in one; "" when it names neither."""
    region, zone = node.metadata.labels.get(REGION_LABEL, ""), node.metadata.labels.get(ZONE_LABEL, "")
    return f"{region}/{zone}" if region or zone else ""
