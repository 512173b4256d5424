"""The spec of a pod, in Pod objects and templates alike.

Source of the rules and paths: kubernetes/kubernetes pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import partial

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_machinery.pod_specs import Role
from rollplane_rules.validation.causes import (
    MAX_INT32,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    one_of,
    problems,
    required,
    too_long,
    too_many,
    under,
)
from rollplane_rules.validation.containers import (
    Surroundings,
    check_app_container,
    check_container,
    check_init_container,
)
from rollplane_rules.validation.labels import check_labels
from rollplane_rules.validation.parts import check_parts, checks_of, of_each
from rollplane_rules.validation.resources import check_amounts
from rollplane_rules.validation.scheduling import check_affinity, check_spread, check_toleration
from rollplane_rules.validation.security import check_pod_security_context
from rollplane_rules.validation.volumes import check_volumes

_RESTART_POLICIES = frozenset({"Always", "OnFailure", "Never"})
_DNS_POLICIES = frozenset({"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"})
_PREEMPTION_POLICIES = frozenset({"PreemptLowerPriority", "Never"})
_SYSTEMS = frozenset({"linux", "windows"})
_MAX_NAMESERVERS, _MAX_SEARCHES, _MAX_SEARCH_LENGTH = 3, 32, 2048


def check_pod_spec(spec: core.PodSpec, role: Role) -> list[Cause]:
    """Return what is wrong with a defaulted spec in its ``role``, paths relative to the spec."""
    known, found = check_volumes(spec.volumes)
    pod = Surroundings(
        volumes=None if role is Role.CLAIMED_TEMPLATE else known,
        is_object=role is Role.POD or role is Role.NEW_POD,
        host_network=spec.host_network,
    )
    found += _check_containers(spec, pod)
    found += _check_policies(spec)
    found += check_parts(spec, _PARTS)
    if spec.share_process_namespace and spec.host_pid:
        found.append(invalid("shareProcessNamespace", None, "drop it, or drop hostPID"))
    return found + _check_new(spec) if role is Role.NEW_POD else found


def _check_new(spec: core.PodSpec) -> list[Cause]:
    found: list[Cause] = []
    if spec.ephemeral_containers:
        found.append(forbidden("ephemeralContainers", "they are added to running pods only: drop them"))
    if spec.node_name and spec.scheduling_gates:
        found.append(forbidden("nodeName", "a pod with schedulingGates is not bound yet: drop it"))
    return found


def _check_containers(spec: core.PodSpec, pod: Surroundings) -> list[Cause]:
    found: list[Cause] = []
    taken: set[str] = set()
    for index, container in enumerate(spec.containers):
        if causes := check_app_container(container, pod) + _check_unique(container.name, taken):
            found += under(f"containers[{index}]", causes)
    if not taken and not spec.containers:
        found.append(required("containers", "give at least one container"))
    pod.host_ports.clear()  # init containers are done before the others start, and may use the same
    for index, container in enumerate(spec.init_containers):
        if causes := check_init_container(container, pod) + _check_unique(container.name, taken):
            found += under(f"initContainers[{index}]", causes)
    for index, ephemeral in enumerate(spec.ephemeral_containers):
        common = ephemeral.ephemeral_container_common
        if causes := check_container(common, pod) + _check_unique(common.name, taken):
            found += under(f"ephemeralContainers[{index}]", causes)
    return found


def _check_unique(name: str, taken: set[str]) -> list[Cause]:
    """Return a cause when another container of the pod has this name, whichever list it is in."""
    if name and name in taken:
        return [duplicate("name", name)]
    taken.add(name)
    return []


def _check_policies(spec: core.PodSpec) -> list[Cause]:
    """Return what is wrong with the policies that every spec has."""
    found: list[Cause] = []
    if spec.restart_policy not in _RESTART_POLICIES:
        found += one_of("restartPolicy", spec.restart_policy, _RESTART_POLICIES)
    policy = spec.dns_policy
    if policy not in _DNS_POLICIES:
        found += one_of("dnsPolicy", policy, _DNS_POLICIES)
    elif policy == "None" and not spec.dns_config.nameservers:
        field = "dnsConfig.nameservers" if spec.HasField("dns_config") else "dnsConfig"
        found.append(required(field, "give a name server, or choose another dnsPolicy than None"))
    return found


def _check_deadline(seconds: int) -> list[Cause]:
    return [] if 1 <= seconds <= MAX_INT32 else [invalid("", seconds, f"choose from 1 to {MAX_INT32} seconds")]


def _check_preemption(policy: str) -> list[Cause]:
    return [] if policy in _PREEMPTION_POLICIES else [not_supported("", policy, _PREEMPTION_POLICIES)]


def _check_label(value: str) -> list[Cause]:
    return problems("", value, names.check_dns1123_label(value)) if value else []


def _check_subdomain(value: str) -> list[Cause]:
    return problems("", value, names.check_dns1123_subdomain(value)) if value else []


def check_ip(field: str, address: str) -> list[Cause]:
    """Return what is wrong with an IP address."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return [invalid(field, address, "give an IP address, as in 10.9.8.7 or 2001:db8::1")]
    return []


def _check_host_alias(alias: core.HostAlias) -> list[Cause]:
    found = check_ip("ip", alias.ip)
    for index, host in enumerate(alias.hostnames):
        found += problems(f"hostnames[{index}]", host, names.check_dns1123_subdomain(host))
    return found


def _check_dns_config(config: core.PodDNSConfig) -> list[Cause]:
    found: list[Cause] = []
    if len(config.nameservers) > _MAX_NAMESERVERS:
        found.append(invalid("nameservers", len(config.nameservers), f"keep {_MAX_NAMESERVERS} at most"))
    for index, server in enumerate(config.nameservers):
        found += check_ip(f"nameservers[{index}]", server)
    if len(config.searches) > _MAX_SEARCHES:
        found.append(too_many("searches", len(config.searches), _MAX_SEARCHES))
    if len(" ".join(config.searches)) > _MAX_SEARCH_LENGTH:
        found.append(too_long("searches", _MAX_SEARCH_LENGTH, "characters in all"))
    for index, search in enumerate(config.searches):
        stem = search.removesuffix(".").replace("_", "-")
        found += problems(f"searches[{index}]", search, names.check_dns1123_subdomain(stem) if stem else [])
    for index, option in enumerate(config.options):
        if not option.name:
            found.append(required(f"options[{index}]", "name the option"))
    return found


def _check_readiness_gate(gate: core.PodReadinessGate) -> list[Cause]:
    return problems("conditionType", gate.condition_type, names.check_qualified_name(gate.condition_type))


def _check_os(system: core.PodOS) -> list[Cause]:
    return one_of("name", system.name, _SYSTEMS)


def _check_scheduling_gates(gates: Iterable[core.PodSchedulingGate]) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        found += problems(f"[{index}]", gate.name, names.check_qualified_name(gate.name))
        if gate.name in seen:
            found.append(duplicate(f"[{index}]", gate.name))
        seen.add(gate.name)
    return found


_PARTS = checks_of(
    core.PodSpec,
    active_deadline_seconds=_check_deadline,
    affinity=check_affinity,
    dns_config=_check_dns_config,
    host_aliases=of_each(_check_host_alias),
    hostname=_check_label,
    node_name=_check_subdomain,
    node_selector=partial(check_labels, ""),
    os=_check_os,
    overhead=partial(check_amounts, ""),
    preemption_policy=_check_preemption,
    priority_class_name=_check_subdomain,
    readiness_gates=of_each(_check_readiness_gate),
    runtime_class_name=_check_subdomain,
    scheduling_gates=_check_scheduling_gates,
    security_context=check_pod_security_context,
    service_account_name=_check_subdomain,
    subdomain=_check_label,
    tolerations=of_each(check_toleration),
    topology_spread_constraints=check_spread,
)
