"""A node as the scheduler reckons with it: what it offers, what is taken, and what a pod finds in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rollplane.core.v1 import Node, Taint
from rollplane_machinery import quantity
from rollplane_machinery.releases import TaintSentence
from rollplane_planners.scheduling.demand import Demand, HostPort, collide
from rollplane_planners.scheduling.node_affinity import (
    NO_EXECUTE,
    NO_SCHEDULE,
    matches_affinity,
    untolerated,
)
from rollplane_planners.scheduling.resources import NOTHING, PODS, Resources, resources_of
from rollplane_planners.scheduling.rules import Obstacle
from rollplane_planners.scheduling.tallies import Placed

UNSCHEDULABLE_TAINT = Taint(key="node.kubernetes.io/unschedulable", effect=NO_SCHEDULE)
CORDONED = Obstacle(("node(s) were unschedulable",), lasting=True)
ELSEWHERE = Obstacle(("node(s) didn't match Pod's node affinity/selector",), lasting=True)
PORTS_TAKEN = Obstacle(("node(s) didn't have free ports for the requested pod ports",))


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node, as far as scheduling asks; ``pods`` is how many it takes."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    capacity: Resources
    pods: int


def node_view(node: Node) -> NodeView:
    """Return the view of ``node``; a cordoned one counts as tainted."""
    taints = list(node.spec.taints)
    if node.spec.unschedulable:
        taints.append(UNSCHEDULABLE_TAINT)
    allocatable = node.status.allocatable or node.status.capacity
    pods = allocatable[PODS].string if PODS in allocatable else "0"
    return NodeView(
        node.metadata.name,
        dict(node.metadata.labels),
        tuple(taints),
        resources_of(allocatable),
        int(quantity.parse(pods)),
    )


@dataclass(slots=True)
class Room:
    """What is taken on a node; ``tenants`` are the pods that run there, by uid. A place may be kept for others."""

    used: Resources = NOTHING
    pods: int = 0
    ports: Counter[HostPort] = field(default_factory=Counter)
    tenants: dict[str, Placed] = field(default_factory=dict)

    def take(self, requests: Resources, ports: frozenset[HostPort]) -> None:
        """Count one pod more."""
        self.used += requests
        self.pods += 1
        if ports:
            self.ports.update(ports)

    def free(self, requests: Resources, ports: frozenset[HostPort]) -> None:
        """Count one pod less."""
        self.used -= requests
        self.pods -= 1
        if ports:
            self.ports.subtract(ports)


def unsuited(node: NodeView, demand: Demand, sentence: TaintSentence) -> Obstacle | None:
    """Return why the node may never take such pods, None when it may; in the order of kube-scheduler's plugins."""
    taint = untolerated(node.taints, demand.spec.tolerations, (NO_SCHEDULE, NO_EXECUTE))
    if taint is not None and taint.key == UNSCHEDULABLE_TAINT.key:
        return CORDONED
    if taint is not None:
        return Obstacle((sentence.value.format(key=taint.key, value=taint.value),), lasting=True)
    return None if matches_affinity(demand.spec, node.name, node.labels) else ELSEWHERE


def fits(node: NodeView, room: Room, demand: Demand) -> bool:
    """Tell whether the node has room for the pod."""
    asked, used, capacity = demand.resources, room.used, node.capacity
    # A pod that asks for none of a resource fits wherever there is too little of it.
    return (
        room.pods < node.pods
        and (not asked.cpu or asked.cpu <= capacity.cpu - used.cpu)
        and (not asked.memory or asked.memory <= capacity.memory - used.memory)
        and not (asked.others and _lacking_others(node, room, demand))
        and not (demand.host_ports and collides(room, demand.host_ports))
    )


def full(node: NodeView, room: Room, demand: Demand, *, capacity_is_final: bool) -> Obstacle | None:
    """Return what the node is too full of for the pod: taken ports alone, else everything; None when it fits.

    ``capacity_is_final`` tells whether a node that is too small even when it is empty is told apart.
    """
    if fits(node, room, demand):
        return None
    if collides(room, demand.host_ports):
        return PORTS_TAKEN
    asked, free = demand.resources, node.capacity - room.used
    names = ["cpu"] * (asked.cpu > max(0, free.cpu)) + ["memory"] * (asked.memory > max(0, free.memory))
    names += _lacking_others(node, room, demand)
    sentences = ["Too many pods"] * (room.pods >= node.pods) + [f"Insufficient {name}" for name in names]
    return Obstacle(tuple(sentences), capacity_is_final and _is_too_small(node, asked))


def _lacking_others(node: NodeView, room: Room, demand: Demand) -> list[str]:
    offered, used = dict(node.capacity.others), dict(room.used.others)
    return [
        name for name, amount in demand.resources.others if amount > max(0, offered.get(name, 0) - used.get(name, 0))
    ]


def _is_too_small(node: NodeView, asked: Resources) -> bool:
    offered = dict(node.capacity.others)
    others = any(amount > offered.get(name, 0) for name, amount in asked.others)
    return others or asked.cpu > node.capacity.cpu or asked.memory > node.capacity.memory


def collides(room: Room, ports: Iterable[HostPort]) -> bool:
    """Tell whether any of ``ports`` is taken."""
    return any(count > 0 and collide(taken, wanted) for wanted in ports for taken, count in room.ports.items())
