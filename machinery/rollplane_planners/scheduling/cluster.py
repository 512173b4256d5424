"""The nodes as the scheduler reckons with them, and the choice of one for each pod.

For each demand the nodes that may take it are kept in a heap, the emptiest first, so a choice costs the logarithm of
the fleet and pods of one template spread by themselves. An entry that has gone stale is noticed when it surfaces.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rollplane.core.v1 import Node, Taint
from rollplane_machinery import quantity
from rollplane_machinery.releases import LATEST, TaintSentence
from rollplane_planners.scheduling.demand import NOTHING, Demand, Resources, resources_of
from rollplane_planners.scheduling.node_affinity import (
    NO_EXECUTE,
    NO_SCHEDULE,
    matches_selector,
    named_nodes,
    required_terms,
    untolerated,
)

UNSCHEDULABLE_TAINT = Taint(key="node.kubernetes.io/unschedulable", effect=NO_SCHEDULE)
NO_NODES = "no nodes available to schedule pods"
REMEMBERED_DEMANDS = 256
"""Demands whose heaps are kept; the oldest is dropped beyond that and made anew when it is asked for."""


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
    pods = allocatable["pods"].string if "pods" in allocatable else "0"
    return NodeView(
        node.metadata.name,
        dict(node.metadata.labels),
        tuple(taints),
        resources_of(allocatable),
        int(quantity.parse(pods)),
    )


@dataclass(slots=True)
class _Room:
    """What is taken on a node."""

    used: Resources = NOTHING
    pods: int = 0
    ports: Counter[tuple[str, int]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Choice:
    """A node for the pod, or, when ``node`` is empty, why there is none."""

    node: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Heap:
    """The ``nodes`` that may take pods of one demand, and an entry for each, with how many pods it had then."""

    nodes: frozenset[str]
    entries: list[tuple[int, str]]


class Cluster:
    """All nodes and what runs on them. Deterministic: equal nodes are taken in the order of their names.

    ``sentence`` is how a taint that is not tolerated is told.
    """

    def __init__(self, sentence: TaintSentence = LATEST.taint_sentence) -> None:
        self._sentence = sentence
        self._nodes: dict[str, NodeView] = {}
        self._rooms: dict[str, _Room] = {}
        self._heaps: dict[bytes, _Heap] = {}

    def put_node(self, node: NodeView) -> bool:
        """Add or replace a node; tells whether that may let a pod fit that did not before."""
        if self._nodes.get(node.name) == node:
            return False
        self._nodes[node.name] = node
        self._heaps.clear()
        return True

    def remove_node(self, name: str) -> None:
        """Forget a node; what runs on it still counts until its pods are gone."""
        if self._nodes.pop(name, None) is not None:
            self._heaps.clear()

    def add(self, node: str, demand: Resources, ports: Iterable[tuple[str, int]] = ()) -> None:
        """Count a pod that runs, or will run, on ``node``."""
        room = self._rooms.setdefault(node, _Room())
        room.used += demand
        room.pods += 1
        room.ports.update(ports)

    def remove(self, node: str, demand: Resources, ports: Iterable[tuple[str, int]] = ()) -> None:
        """Count a pod no more, and offer the room it leaves."""
        room = self._rooms.setdefault(node, _Room())
        room.used -= demand
        room.pods -= 1
        room.ports.subtract(ports)
        for heap in self._heaps.values():
            if node in heap.nodes:
                heapq.heappush(heap.entries, (room.pods, node))

    def choose(self, demand: Demand) -> Choice:
        """Return the emptiest node that may take the pod and has room; it is not counted there yet."""
        heap = self._heap(demand)
        full: list[tuple[int, str]] = []
        chosen = ""
        while heap and not chosen:
            pods, name = heapq.heappop(heap)
            room, node = self._rooms.get(name, _Room()), self._nodes.get(name)
            if node is None:
                continue
            if room.pods > pods:
                heapq.heappush(heap, (room.pods, name))
            elif _lacks(node, room, demand):
                full.append((room.pods, name))
            else:
                chosen = name
                heapq.heappush(heap, (room.pods + 1, name))
        for entry in full:
            heapq.heappush(heap, entry)
        return Choice(chosen) if chosen else Choice("", self._explain(demand))

    def without_claim(self, name: str) -> Choice:
        """Return that no node takes a pod whose claim is not there, in the scheduler's words."""
        if not self._nodes:
            return Choice("", NO_NODES)
        return Choice("", f'0/{len(self._nodes)} nodes are available: persistentvolumeclaim "{name}" not found.')

    def _heap(self, demand: Demand) -> list[tuple[int, str]]:
        heap = self._heaps.get(demand.key)
        if heap is None or len(heap.entries) > 4 * len(self._nodes) + 64:
            names = [node.name for node in self._candidates(demand) if self._refusal(node, demand) is None]
            entries = [(self._rooms.get(name, _Room()).pods, name) for name in names]
            heapq.heapify(entries)
            if len(self._heaps) >= REMEMBERED_DEMANDS:
                del self._heaps[next(iter(self._heaps))]
            heap = self._heaps[demand.key] = _Heap(frozenset(names), entries)
        return heap.entries

    def _candidates(self, demand: Demand) -> Iterable[NodeView]:
        names = named_nodes(demand.spec.affinity)
        if names is None:
            return self._nodes.values()
        return [self._nodes[name] for name in names if name in self._nodes]

    def _explain(self, demand: Demand) -> str:
        """Return kube-scheduler's sentence: how many nodes each obstacle rules out."""
        if not self._nodes:
            return NO_NODES
        obstacles: Counter[str] = Counter()
        for name, node in self._nodes.items():
            refusal = self._refusal(node, demand)
            obstacles.update([refusal] if refusal else _lacks(node, self._rooms.get(name, _Room()), demand))
        listed = ", ".join(sorted(f"{count} {obstacle}" for obstacle, count in obstacles.items()))
        return f"0/{len(self._nodes)} nodes are available: {listed}."

    def _refusal(self, node: NodeView, demand: Demand) -> str | None:
        """Return why the node may never take such pods, None when it may; in the order of kube-scheduler's plugins."""
        labels, spec = node.labels, demand.spec
        taint = untolerated(node.taints, spec.tolerations, (NO_SCHEDULE, NO_EXECUTE))
        if taint is not None and taint.key == UNSCHEDULABLE_TAINT.key:
            return "node(s) were unschedulable"
        if taint is not None:
            return self._sentence.value.format(key=taint.key, value=taint.value)
        terms = required_terms(spec.affinity)
        if not spec.node_selector.items() <= labels.items() or (
            terms is not None and not matches_selector(terms, node.name, labels)
        ):
            return "node(s) didn't match Pod's node affinity/selector"
        return None


def _lacks(node: NodeView, room: _Room, demand: Demand) -> list[str]:
    """Return what the node is too full of for the pod: taken ports alone, else everything; nothing when it fits."""
    if any(room.ports[port] > 0 for port in demand.host_ports):
        return ["node(s) didn't have free ports for the requested pod ports"]
    free = node.capacity - room.used
    # A pod that asks for none of a resource fits wherever there is too little of it.
    lacking = {
        "Too many pods": room.pods >= node.pods,
        "Insufficient cpu": demand.resources.cpu > max(0, free.cpu),
        "Insufficient memory": demand.resources.memory > max(0, free.memory),
    }
    return [name for name, is_lacking in lacking.items() if is_lacking]
