"""Services, which are stored for manifests' sake; the rules are those that a rollout's manifests meet."""

from __future__ import annotations

from rollplane.core import v1 as core
from rollplane_machinery import int_or_string, names
from rollplane_machinery.errors import Cause
from rollplane_machinery.well_known import HEADLESS
from rollplane_rules.validation.causes import (
    duplicate,
    forbidden,
    invalid,
    not_supported,
    one_of,
    problems,
    required,
    under,
)
from rollplane_rules.validation.labels import check_labels
from rollplane_rules.validation.pod_spec import check_ip
from rollplane_rules.validation.probes import check_port

_TYPES = frozenset({"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"})
_AFFINITIES = frozenset({"ClientIP", "None"})
_PROTOCOLS = frozenset({"SCTP", "TCP", "UDP"})
_TRAFFIC = frozenset({"Cluster", "Local"})
_MAX_AFFINITY_SECONDS = 86400


def check_service(service: core.Service) -> list[Cause]:
    """Return what is wrong with a defaulted Service, metadata aside."""
    spec = service.spec
    found = one_of("type", spec.type, _TYPES)
    if not spec.ports and spec.type != "ExternalName" and spec.cluster_ip != HEADLESS:
        found.append(required("ports", "give at least one port, or clusterIP None"))
    found += _check_ports(spec)
    found += check_labels("selector", spec.selector)
    found += one_of("sessionAffinity", spec.session_affinity, _AFFINITIES)
    found += _check_affinity_time(spec)
    found += _check_external_name(spec)
    found += _check_addresses(spec)
    return under("spec", found + _check_traffic(spec))


def _check_ports(spec: core.ServiceSpec) -> list[Cause]:
    found: list[Cause] = []
    names_taken: set[str] = set()
    numbers_taken: set[tuple[int, str]] = set()
    node_ports_taken: set[tuple[int, str]] = set()
    for index, port in enumerate(spec.ports):
        causes = _check_port_name(port.name, names_taken, needed=len(spec.ports) > 1) + _check_port(port, spec.type)
        key = (port.port, port.protocol)
        if key in numbers_taken:
            causes.append(duplicate("", "/".join(map(str, key))))
        node_port = (port.node_port, port.protocol)
        if port.node_port and node_port in node_ports_taken:
            causes.append(duplicate("nodePort", port.node_port))
        node_ports_taken.add(node_port)
        names_taken.add(port.name)
        numbers_taken.add(key)
        found += under(f"ports[{index}]", causes)
    return found


def _check_port_name(name: str, taken: set[str], *, needed: bool) -> list[Cause]:
    if not name:
        return [required("name", "name each port when there are several")] if needed else []
    if sentences := names.check_dns1123_label(name):
        return problems("name", name, sentences)
    return [duplicate("name", name)] if name in taken else []


def _check_port(port: core.ServicePort, service_type: str) -> list[Cause]:
    found = problems("port", port.port, names.check_port_number(port.port))
    found += one_of("protocol", port.protocol, _PROTOCOLS)
    if int_or_string.to_plain(port.target_port) != port.port:
        found += check_port("targetPort", port.target_port)
    if port.node_port and service_type == "ClusterIP":
        found.append(forbidden("nodePort", "drop it, or choose type NodePort or LoadBalancer"))
    return found


def _check_affinity_time(spec: core.ServiceSpec) -> list[Cause]:
    seconds = spec.session_affinity_config.client_ip.timeout_seconds
    if spec.session_affinity != "ClientIP" or 1 <= seconds <= _MAX_AFFINITY_SECONDS:
        return []
    fix = f"choose from 1 to {_MAX_AFFINITY_SECONDS} seconds"
    return [invalid("sessionAffinityConfig.clientIP.timeoutSeconds", seconds, fix)]


def _check_external_name(spec: core.ServiceSpec) -> list[Cause]:
    if spec.type != "ExternalName":
        return []
    found: list[Cause] = []
    if spec.cluster_ip and spec.cluster_ip != HEADLESS:
        found.append(forbidden("clusterIPs", "an ExternalName has no address: drop it"))
    if not spec.external_name:
        return [*found, required("externalName", "give the name to refer to")]
    stem = spec.external_name.removesuffix(".")
    return found + problems("externalName", spec.external_name, names.check_dns1123_subdomain(stem))


def _check_addresses(spec: core.ServiceSpec) -> list[Cause]:
    found: list[Cause] = []
    for index, address in enumerate(spec.cluster_ips):
        if address != HEADLESS:
            found += check_ip(f"clusterIPs[{index}]", address)
    for index, address in enumerate(spec.external_ips):
        found += check_ip(f"externalIPs[{index}]", address)
    return found


def _check_traffic(spec: core.ServiceSpec) -> list[Cause]:
    found: list[Cause] = []
    if spec.external_traffic_policy and spec.external_traffic_policy not in _TRAFFIC:
        found.append(not_supported("externalTrafficPolicy", spec.external_traffic_policy, _TRAFFIC))
    if spec.HasField("internal_traffic_policy") and spec.internal_traffic_policy not in _TRAFFIC:
        found.append(not_supported("internalTrafficPolicy", spec.internal_traffic_policy, _TRAFFIC))
    return found


def check_service_update(new: core.Service, old: core.Service) -> list[Cause]:
    """Return what an update may not change: an address once it is set, unless the Service gives up having one."""
    was, now = old.spec, new.spec
    if was.type == "ExternalName" or now.type == "ExternalName" or not was.cluster_ip:
        return []
    return (
        [] if now.cluster_ip == was.cluster_ip else [invalid("spec.clusterIPs[0]", now.cluster_ip, "keep the address")]
    )
