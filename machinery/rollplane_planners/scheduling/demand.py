"""What a pod asks of a node, boiled down to what pods of one template share."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from types import MappingProxyType

from rollplane.core.v1 import Container, PodSpec
from rollplane_machinery.frozen import frozen
from rollplane_machinery.pod_totals import is_sidecar, pod_total
from rollplane_machinery.selectors.requirement import Labels
from rollplane_planners.scheduling.constraints import FREE, Constraints, constraints_of
from rollplane_planners.scheduling.resources import CPU, MEMORY, NOTHING, Resources, resources_of, same_resources

HostPort = tuple[str, int, str]
"""Protocol, number and address; the address is "" for all of the node's."""
NO_PORTS: frozenset[HostPort] = frozenset()
NO_LABELS: Labels = MappingProxyType({})
_ALL_ADDRESSES = frozenset({"", str(IPv4Address(0))})


@frozen
class Demand:
    """All that decides where a pod fits; ``key`` is equal for pods that fit alike.

    That leaves out who keeps it away of the pods that run: these go by its ``namespace`` and ``labels``.
    """

    key: bytes
    resources: Resources
    host_ports: frozenset[HostPort]
    spec: PodSpec
    constraints: Constraints
    namespace: str
    labels: Labels


def requests_of(spec: PodSpec) -> Resources:
    """Return what is reckoned with: what the pod asks for as a whole, else the most that its containers ask for at any
    time; and its overhead.
    """
    total = pod_total(spec, _requests, NOTHING, Resources.__add__, Resources.at_least)
    if spec.HasField("resources"):
        total = _as_a_whole(spec, total)
    total = total + resources_of(spec.overhead) if spec.overhead else total
    return NOTHING if total is NOTHING else same_resources(total.cpu, total.memory, total.others)


def _requests(container: Container) -> Resources:
    requests = container.resources.requests
    return resources_of(requests) if requests else NOTHING


def _as_a_whole(spec: PodSpec, total: Resources) -> Resources:
    """Return ``total`` with what the pod itself asks for; a limit counts as a request where no container has one."""
    limits, requests = resources_of(spec.resources.limits), resources_of(spec.resources.requests)
    asked = spec.resources.requests
    return Resources(
        requests.cpu if CPU in asked else total.cpu or limits.cpu,
        requests.memory if MEMORY in asked else total.memory or limits.memory,
        tuple(sorted({**dict(limits.others), **dict(total.others), **dict(requests.others)}.items())),
    )


def demand_of(
    spec: PodSpec,
    namespace: str = "",
    labels: Labels = NO_LABELS,
    namespaces: Mapping[str, Labels] = MappingProxyType({}),
) -> Demand:
    """Return the demand of a pod of that namespace with those labels; pods of one template have equal keys.

    ``namespaces`` are the labels of all namespaces.
    """
    narrowed = PodSpec(node_selector=spec.node_selector, tolerations=spec.tolerations, affinity=spec.affinity)
    constraints = constraints_of(spec, namespace, labels, namespaces)
    resources = requests_of(spec)
    ports = host_ports_of(spec)
    key = b"%s|%d|%d|%s" % (
        narrowed.SerializeToString(deterministic=True),
        resources.cpu,
        resources.memory,
        repr((resources.others, sorted(ports), "" if constraints is FREE else constraints)).encode(),
    )
    return Demand(key, resources, ports, narrowed, constraints, namespace, labels)


def host_ports_of(spec: PodSpec) -> frozenset[HostPort]:
    """Return the ports of the node that the pod takes for itself while it runs."""
    running = [*spec.containers, *filter(is_sidecar, spec.init_containers)]
    ports = [port for container in running for port in container.ports if port.host_port]
    if not ports:
        return NO_PORTS
    return frozenset(
        [
            (port.protocol or "TCP", port.host_port, "" if port.host_ip in _ALL_ADDRESSES else port.host_ip)
            for port in ports
        ]
    )


def collide(one: HostPort, other: HostPort) -> bool:
    """Tell whether no two pods of a node may have these ports: all addresses include each."""
    return one[:2] == other[:2] and (not one[2] or not other[2] or one[2] == other[2])
