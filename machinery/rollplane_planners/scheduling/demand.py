"""What a pod asks of a node, boiled down to what pods of one template share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollplane.core.v1 import Container, PodSpec
from rollplane_machinery import quantity
from rollplane_machinery.pod_totals import is_sidecar, pod_total

CPU, MEMORY = "cpu", "memory"


@dataclass(frozen=True, slots=True)
class Resources:
    """CPU in thousandths of a core, memory in bytes."""

    cpu: int = 0
    memory: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.cpu + other.cpu, self.memory + other.memory)

    def __sub__(self, other: Resources) -> Resources:
        return Resources(self.cpu - other.cpu, self.memory - other.memory)

    def at_least(self, other: Resources) -> Resources:
        """Return the larger of each resource."""
        return Resources(max(self.cpu, other.cpu), max(self.memory, other.memory))


NOTHING = Resources()


@dataclass(frozen=True, slots=True)
class Demand:
    """All that decides where a pod fits; ``key`` is equal for pods that fit alike."""

    key: bytes
    resources: Resources
    host_ports: frozenset[tuple[str, int]]
    spec: PodSpec


def resources_of(quantities: Mapping[str, object]) -> Resources:
    """Return the CPU and memory in a resource list, CPU rounded up to a thousandth."""
    cpu, memory = quantities.get(CPU), quantities.get(MEMORY)
    return Resources(_scaled(cpu, 1000), _scaled(memory, 1))


def _scaled(value: object, scale: int) -> int:
    text = getattr(value, "string", "")
    return -int(-quantity.parse(text) * scale // 1) if text else 0


def requests_of(spec: PodSpec) -> Resources:
    """Return what is reckoned with: the most that its containers ask for at any time, and its overhead."""
    total = pod_total(spec, _requests, NOTHING, Resources.__add__, Resources.at_least)
    return total + resources_of(spec.overhead) if spec.overhead else total


def _requests(container: Container) -> Resources:
    requests = container.resources.requests
    return resources_of(requests) if requests else NOTHING


def demand_of(spec: PodSpec) -> Demand:
    """Return the demand of a pod; pods of one template have equal keys."""
    narrowed = PodSpec(node_selector=spec.node_selector, tolerations=spec.tolerations, affinity=spec.affinity)
    resources = requests_of(spec)
    ports = host_ports_of(spec)
    key = b"%s|%d|%d|%s" % (
        narrowed.SerializeToString(deterministic=True),
        resources.cpu,
        resources.memory,
        repr(sorted(ports)).encode(),
    )
    return Demand(key, resources, ports, narrowed)


def host_ports_of(spec: PodSpec) -> frozenset[tuple[str, int]]:
    """Return the ports of the node that the pod takes for itself while it runs."""
    running = (*spec.containers, *filter(is_sidecar, spec.init_containers))
    return frozenset(
        (port.protocol or "TCP", port.host_port) for container in running for port in container.ports if port.host_port
    )
