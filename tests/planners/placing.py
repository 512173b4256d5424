"""Specs, nodes and a cluster to place pods in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rollplane.core.v1 import Node, Pod, PodSpec
from rollplane_machinery.codec import from_json
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.scheduling.cluster import Choice, Cluster
from rollplane_planners.scheduling.constraints import Term
from rollplane_planners.scheduling.demand import Demand, HostPort, demand_of
from rollplane_planners.scheduling.nodes import node_view
from rollplane_planners.scheduling.resources import Resources


def a_spec(**fields: Any) -> PodSpec:
    requests = fields.pop("requests", None)
    container = {"name": "c", "image": "i", "resources": {"requests": requests or {}}, "ports": fields.pop("ports", [])}
    pod = from_json({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container], **fields}})
    assert isinstance(pod, Pod)
    return pod.spec


_NUMBERS = itertools.count()


@dataclass(eq=False)
class APod:
    """A pod that has been placed, as a cluster counts it."""

    demand: Demand
    terminating: bool = False
    priority: int = 0
    started: float | None = None
    preempted: bool = False
    uid: str = field(default_factory=lambda: f"uid-{next(_NUMBERS)}")

    @property
    def name(self) -> str:
        return self.uid

    @property
    def namespace(self) -> str:
        return self.demand.namespace

    @property
    def labels(self) -> Mapping[str, str]:
        return self.demand.labels

    @property
    def requests(self) -> Resources:
        return self.demand.resources

    @property
    def host_ports(self) -> frozenset[HostPort]:
        return self.demand.host_ports

    @property
    def anti_affinity(self) -> tuple[Term, ...]:
        return self.demand.constraints.anti_affinity


@dataclass
class World:
    """A cluster, and the pods that it was told of by the node they are on."""

    release: Release = LATEST
    placed: dict[APod, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cluster = Cluster(self._pods, self.release)
        self.nodes: dict[str, Node] = {}

    def _pods(self, namespaces: Iterable[str] | None) -> Iterator[tuple[str, APod]]:
        for pod, node in self.placed.items():
            if namespaces is None or pod.namespace in namespaces:
                yield node, pod

    def put(self, *nodes: Node) -> World:
        for node in nodes:
            self.nodes[node.metadata.name] = node
            self.cluster.put_node(node_view(node))
        return self

    def namespace(self, name: str, **labels: str) -> World:
        self.cluster.put_namespace(name, labels)
        return self

    def demand(self, spec: PodSpec, namespace: str = "shop", labels: Mapping[str, str] | None = None) -> Demand:
        return demand_of(spec, namespace, labels or {}, self.cluster.namespaces)

    def choose(self, spec: PodSpec, namespace: str = "shop", labels: Mapping[str, str] | None = None) -> Choice:
        return self.cluster.choose(self.demand(spec, namespace, labels))

    def run(self, node: str, demand: Demand, **fields: Any) -> APod:
        """Count such a pod on ``node``, wherever it would fit."""
        pod = APod(demand, **fields)
        self.cluster.add(node, pod)
        self.placed[pod] = node
        return pod

    def end(self, pod: APod) -> None:
        self.cluster.remove(self.placed.pop(pod), pod)

    def mark(self, pod: APod) -> None:
        """Let the pod be going."""
        self.cluster.change(self.placed[pod], pod, going := replace(pod, terminating=True))
        self.placed[going] = self.placed.pop(pod)

    def place(self, spec: PodSpec, count: int, namespace: str = "shop", **labels: str) -> list[str]:
        """Choose nodes for ``count`` such pods, each counted where it goes; where there is none: why."""
        demand, chosen = self.demand(spec, namespace, labels), []
        for _ in range(count):
            choice = self.cluster.choose(demand)
            chosen.append(choice.node or choice.why)
            if choice.node:
                self.run(choice.node, demand)
        return chosen


def available(nodes: int, said: str, *, lasting: int = 0) -> str:
    """Return the sentence of FailedScheduling in the newest release; ``lasting`` nodes cannot be made free."""
    parts = [f"{nodes - lasting} No preemption victims found for incoming pod"] * (nodes > lasting)
    parts += [f"{lasting} Preemption is not helpful for scheduling"] * (lasting > 0)
    start = f"0/{nodes} nodes are available: "
    return f"{start}{said}. preemption: {start}{', '.join(sorted(parts))}."
