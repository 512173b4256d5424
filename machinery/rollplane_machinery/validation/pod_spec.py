"""The spec of a pod, in Pod objects and templates alike.

Source of the rules and paths: kubernetes/kubernetes pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import ipaddress

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_machinery.pod_specs import Role
from rollplane_machinery.validation.causes import (
    MAX_INT32,
    duplicate,
    each,
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
from rollplane_machinery.validation.containers import (
    check_app_container,
    check_container,
    check_host_ports,
    check_init_container,
)
from rollplane_machinery.validation.labels import check_labels
from rollplane_machinery.validation.resources import check_amounts
from rollplane_machinery.validation.scheduling import check_affinity, check_spread, check_toleration
from rollplane_machinery.validation.security import check_pod_security_context
from rollplane_machinery.validation.volumes import Volumes, check_volumes

_RESTART_POLICIES = frozenset({"Always", "OnFailure", "Never"})
_DNS_POLICIES = frozenset({"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"})
_PREEMPTION_POLICIES = frozenset({"PreemptLowerPriority", "Never"})
_SYSTEMS = frozenset({"linux", "windows"})
_MAX_NAMESERVERS, _MAX_SEARCHES, _MAX_SEARCH_LENGTH = 3, 32, 2048


def check_pod_spec(spec: core.PodSpec, *, foreign_volumes: bool = False) -> list[Cause]:
    """Return what is wrong with a defaulted spec, paths relative to it.

    With ``foreign_volumes`` containers may mount volumes the spec does not have (a StatefulSet's come from its claims).
    """
    known, found = check_volumes(spec.volumes)
    found += _check_containers(spec, None if foreign_volumes else known)
    found += _check_scalars(spec)
    found += _check_placement(spec)
    if spec.HasField("security_context") and (causes := check_pod_security_context(spec.security_context)):
        found += under("securityContext", causes)
    if spec.share_process_namespace and spec.host_pid:
        found.append(invalid("shareProcessNamespace", None, "drop it, or drop hostPID"))
    return found + _check_network(spec) + _check_rare(spec)


def _check_containers(spec: core.PodSpec, volumes: Volumes | None) -> list[Cause]:
    found: list[Cause] = []
    taken: set[str] = set()
    has_ports = False
    for index, container in enumerate(spec.containers):
        causes = check_app_container(container, volumes)
        has_ports = has_ports or bool(container.ports)
        if causes := causes + _check_unique(container.name, taken):
            found += under(f"containers[{index}]", causes)
    if not spec.containers:
        found.append(required("containers", "give at least one container"))
    if has_ports:
        found += check_host_ports(spec.containers, host_network=spec.host_network)
    for index, container in enumerate(spec.init_containers):
        if causes := check_init_container(container, volumes) + _check_unique(container.name, taken):
            found += under(f"initContainers[{index}]", causes)
    for index, ephemeral in enumerate(spec.ephemeral_containers):
        common = ephemeral.ephemeral_container_common
        if causes := check_container(common, volumes) + _check_unique(common.name, taken):
            found += under(f"ephemeralContainers[{index}]", causes)
    return found


def _check_unique(name: str, taken: set[str]) -> list[Cause]:
    """Return a cause when another container of the pod has this name, whichever list it is in."""
    if name and name in taken:
        return [duplicate("name", name)]
    taken.add(name)
    return []


def _check_scalars(spec: core.PodSpec) -> list[Cause]:
    found: list[Cause] = []
    if spec.restart_policy not in _RESTART_POLICIES:
        found += one_of("restartPolicy", spec.restart_policy, _RESTART_POLICIES)
    if spec.dns_policy not in _DNS_POLICIES:
        found += one_of("dnsPolicy", spec.dns_policy, _DNS_POLICIES)
    if spec.HasField("active_deadline_seconds") and not 1 <= spec.active_deadline_seconds <= MAX_INT32:
        fix = f"choose from 1 to {MAX_INT32} seconds"
        found.append(invalid("activeDeadlineSeconds", spec.active_deadline_seconds, fix))
    if spec.HasField("preemption_policy") and spec.preemption_policy not in _PREEMPTION_POLICIES:
        found.append(not_supported("preemptionPolicy", spec.preemption_policy, _PREEMPTION_POLICIES))
    for field, value, check in (
        ("serviceAccountName", spec.service_account_name, names.check_dns1123_subdomain),
        ("nodeName", spec.node_name, names.check_dns1123_subdomain),
        ("priorityClassName", spec.priority_class_name, names.check_dns1123_subdomain),
        ("runtimeClassName", spec.runtime_class_name, names.check_dns1123_subdomain),
        ("hostname", spec.hostname, names.check_dns1123_label),
        ("subdomain", spec.subdomain, names.check_dns1123_label),
    ):
        if value:
            found += problems(field, value, check(value))
    return found


def _check_placement(spec: core.PodSpec) -> list[Cause]:
    found = check_labels("nodeSelector", spec.node_selector)
    if spec.HasField("affinity") and (causes := check_affinity(spec.affinity)):
        found += under("affinity", causes)
    found += each("tolerations", spec.tolerations, check_toleration)
    if spec.topology_spread_constraints:
        found += under("topologySpreadConstraints", check_spread(list(spec.topology_spread_constraints)))
    return found


def _check_network(spec: core.PodSpec) -> list[Cause]:
    found = each("hostAliases", spec.host_aliases, _check_host_alias)
    if spec.HasField("dns_config"):
        found += under("dnsConfig", _check_dns_config(spec.dns_config))
    if spec.dns_policy == "None":
        if not spec.HasField("dns_config"):
            found.append(required("dnsConfig", "give it, or choose another dnsPolicy than None"))
        elif not spec.dns_config.nameservers:
            found.append(required("dnsConfig.nameservers", "give one, or choose another dnsPolicy than None"))
    return found


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


def _check_rare(spec: core.PodSpec) -> list[Cause]:
    found: list[Cause] = []
    if spec.overhead:
        found += check_amounts("overhead", spec.overhead)
    for index, gate in enumerate(spec.readiness_gates):
        field = f"readinessGates[{index}].conditionType"
        found += problems(field, gate.condition_type, names.check_qualified_name(gate.condition_type))
    if spec.scheduling_gates:
        found += _check_scheduling_gates(spec)
    if spec.HasField("os"):
        found += under("os", one_of("name", spec.os.name, _SYSTEMS))
    return found


def _check_scheduling_gates(spec: core.PodSpec) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, gate in enumerate(spec.scheduling_gates):
        field = f"schedulingGates[{index}]"
        found += problems(field, gate.name, names.check_qualified_name(gate.name))
        if gate.name in seen:
            found.append(duplicate(field, gate.name))
        seen.add(gate.name)
    return found


def check_located_spec(spec: core.PodSpec, role: Role) -> list[Cause]:
    """Return what is wrong with a defaulted spec in its ``role``, paths relative to the spec."""
    found = check_pod_spec(spec, foreign_volumes=role is Role.CLAIMED_TEMPLATE)
    if role is Role.NEW_POD:
        if spec.ephemeral_containers:
            found.append(forbidden("ephemeralContainers", "they are added to running pods only: drop them"))
        if spec.scheduling_gates and spec.node_name:
            found.append(forbidden("nodeName", "a pod with schedulingGates is not bound yet: drop it"))
    return found + _check_images(spec) if role in (Role.POD, Role.NEW_POD) else found


def _check_images(spec: core.PodSpec) -> list[Cause]:
    """Return what is wrong with image names that are there but cannot be pulled."""
    return [
        invalid(f"{field}[{index}].image", container.image, "drop the white space around it")
        for field, containers in (("containers", spec.containers), ("initContainers", spec.init_containers))
        for index, container in enumerate(containers)
        if container.image != container.image.strip()
    ]
