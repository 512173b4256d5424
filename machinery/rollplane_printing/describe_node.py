"""What ``describe`` tells of a node: how it is, what it has, and what runs on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from rollplane.coordination.v1 import Lease
from rollplane.core import v1 as core
from rollplane.meta.v1 import Quantity
from rollplane_machinery import quantity
from rollplane_machinery.pod_totals import pod_total
from rollplane_printing.describe_parts import date_text, grid, head
from rollplane_printing.durations import age
from rollplane_printing.others import roles_of
from rollplane_printing.table import joined
from rollplane_printing.template_text import listed

_RESOURCES = ("cpu", "memory")


def node_lines(node: core.Node, lease: Lease | None, pods: Sequence[core.Pod], now: float) -> list[str]:
    """Return the description of ``node``; ``pods`` are those bound to it that have not ended."""
    return [
        *head(node.metadata, "Name"),
        f"Roles:\t{joined(roles_of(node))}",
        *head(node.metadata, "Labels", "Annotations", "CreationTimestamp"),
        *listed("Taints", [_taint(each) for each in node.spec.taints]),
        f"Unschedulable:\t{str(node.spec.unschedulable).lower()}",
        *_lease(lease),
        *_conditions(node),
        *_section("Addresses", {each.type: each.address for each in node.status.addresses}),
        *_section("Capacity", _amounts(node.status.capacity)),
        *_section("Allocatable", _amounts(node.status.allocatable)),
        *_system(node.status.node_info),
        *([f"PodCIDR:\t{node.spec.pod_cidr}"] if node.spec.pod_cidr else []),
        *_pods(node, pods, now),
        *_allocated(node, pods),
    ]


def _taint(taint: core.Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key}{value}:{taint.effect}"


def _lease(lease: Lease | None) -> list[str]:
    if lease is None:
        return ["Lease:\tFailed to get lease: there is none"]
    spec = lease.spec
    return [
        "Lease:",
        f"  HolderIdentity:\t{spec.holder_identity or '<unset>'}",
        f"  AcquireTime:\t{date_text(spec.acquire_time)}",
        f"  RenewTime:\t{date_text(spec.renew_time)}",
    ]


def _conditions(node: core.Node) -> list[str]:
    titles = ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
    rows = [
        (
            each.type,
            each.status,
            date_text(each.last_heartbeat_time),
            date_text(each.last_transition_time),
            each.reason,
            each.message,
        )
        for each in node.status.conditions
    ]
    return ["Conditions:", *grid(titles, rows)] if rows else []


def _section(title: str, values: Mapping[str, str]) -> list[str]:
    return [f"{title}:", *(f"  {name}:\t{values[name]}" for name in values)]


def _amounts(amounts: Mapping[str, Quantity]) -> dict[str, str]:
    return {name: amounts[name].string for name in sorted(amounts)}


def _system(info: core.NodeSystemInfo) -> list[str]:
    values = {
        "Machine ID": info.machine_id,
        "System UUID": info.system_uuid,
        "Boot ID": info.boot_id,
        "Kernel Version": info.kernel_version,
        "OS Image": info.os_image,
        "Operating System": info.operating_system,
        "Architecture": info.architecture,
        "Container Runtime Version": info.container_runtime_version,
        "Kubelet Version": info.kubelet_version,
    }
    if info.kube_proxy_version:
        values["Kube-Proxy Version"] = info.kube_proxy_version
    return _section("System Info", values)


def _pods(node: core.Node, pods: Sequence[core.Pod], now: float) -> list[str]:
    titles = ("Namespace", "Name", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    rows = [
        (
            pod.metadata.namespace,
            pod.metadata.name,
            *(_share(node, name, _sum([pod], name, of)) for name in _RESOURCES for of in (_requests, _limits)),
            age(pod.metadata.creation_timestamp, now),
        )
        for pod in sorted(pods, key=lambda pod: (str(pod.metadata.namespace), str(pod.metadata.name)))
    ]
    return [f"Non-terminated Pods:\t({len(pods)} in total)", *grid(titles, rows)]


def _allocated(node: core.Node, pods: Sequence[core.Pod]) -> list[str]:
    rows = [(name, *(_share(node, name, _sum(pods, name, of)) for of in (_requests, _limits))) for name in _RESOURCES]
    return ["Allocated resources:", *grid(("Resource", "Requests", "Limits"), rows)]


Amounts = Callable[[core.ResourceRequirements], Mapping[str, Quantity]]
"""Returns one side of what a container asks for."""


def _requests(resources: core.ResourceRequirements) -> Mapping[str, Quantity]:
    return resources.requests


def _limits(resources: core.ResourceRequirements) -> Mapping[str, Quantity]:
    return resources.limits


def _sum(pods: Sequence[core.Pod], name: str, of: Amounts) -> str:
    """What ``pods`` ask for together."""

    def asked(container: core.Container) -> str:
        amounts = of(container.resources)
        return amounts[name].string if name in amounts else "0"

    totals = (pod_total(pod.spec, asked, "0", quantity.add, quantity.larger) for pod in pods)
    return reduce(quantity.add, totals, "0")


def _share(node: core.Node, name: str, amount: str) -> str:
    """``500m (12%)`` of what the node can give."""
    whole = quantity.nanos(node.status.allocatable[name].string) if name in node.status.allocatable else 0
    return f"{amount} ({quantity.nanos(amount) * 100 // whole if whole else 0}%)"
