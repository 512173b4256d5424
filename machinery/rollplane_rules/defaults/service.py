"""Defaults of Services. Addresses and node ports are given out behind them (``registry.addresses``)."""

from __future__ import annotations

from rollplane.core import v1 as core
from rollplane_machinery import int_or_string

_AFFINITY_SECONDS = 10800
_REACHED_FROM_OUTSIDE = ("NodePort", "LoadBalancer")


def default_service(service: core.Service) -> None:
    """Fill in ``service`` in place."""
    spec = service.spec
    if not spec.type:
        spec.type = "ClusterIP"
    for port in spec.ports:
        _default_port(port)
    _default_affinity(spec)
    _default_traffic(spec)
    if spec.cluster_ip and not spec.cluster_ips:
        spec.cluster_ips.append(spec.cluster_ip)


def _default_port(port: core.ServicePort) -> None:
    if not port.protocol:
        port.protocol = "TCP"
    if not int_or_string.to_plain(port.target_port):
        port.target_port.CopyFrom(int_or_string.of(port.port))


def _default_affinity(spec: core.ServiceSpec) -> None:
    if not spec.session_affinity:
        spec.session_affinity = "None"
    if spec.session_affinity == "None":
        spec.ClearField("session_affinity_config")
    elif spec.session_affinity == "ClientIP":
        client = spec.session_affinity_config.client_ip
        if not client.HasField("timeout_seconds"):
            client.timeout_seconds = _AFFINITY_SECONDS


def _default_traffic(spec: core.ServiceSpec) -> None:
    outside = spec.type in _REACHED_FROM_OUTSIDE
    if outside and not spec.external_traffic_policy:
        spec.external_traffic_policy = "Cluster"
    if (outside or spec.type == "ClusterIP") and not spec.HasField("internal_traffic_policy"):
        spec.internal_traffic_policy = "Cluster"
    if spec.type == "LoadBalancer" and not spec.HasField("allocate_load_balancer_node_ports"):
        spec.allocate_load_balancer_node_ports = True
