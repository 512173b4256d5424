"""What a simulated node tells of itself: its Node object and its Lease (docs/semantics/pod-lifecycle.md section 9)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Node, NodeAddress, NodeSystemInfo
from rollplane.meta.v1 import Quantity
from rollplane_kubelet_sim.addresses import node_address
from rollplane_kubelet_sim.node_pools.pools import FLEET_ANNOTATION, PlannedNode
from rollplane_machinery.times import micro_time_of, time_of

LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
_IDENTITIES = uuid.UUID("5ee1c9b7-6a0e-4a53-8d2d-0c1c5b1b9f5e")
"""The namespace in which nodes' names become the ids of their machines."""

_HEALTHY: Mapping[str, tuple[str, str, str]] = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
_NOT_READY = ("False", "KubeletNotReady", "the simulation says so")


def node_info(plan: PlannedNode, version: str) -> NodeSystemInfo:
    """Return what a node says of its machine; ids follow from its name, as if it had never been set up anew."""
    return NodeSystemInfo(
        machine_id=uuid.uuid5(_IDENTITIES, f"machine/{plan.name}").hex,
        system_uuid=str(uuid.uuid5(_IDENTITIES, f"system/{plan.name}")),
        boot_id=str(uuid.uuid5(_IDENTITIES, f"boot/{plan.name}")),
        kernel_version="6.1.0-simulated",
        os_image="Rollplane simulated node",
        container_runtime_version="sim://1.0.0",
        kubelet_version=version,
        operating_system=plan.os,
        architecture=plan.architecture,
    )


def node_object(plan: PlannedNode, version: str, now: float) -> Node:
    """Return the node as it registers itself, ready; ``version`` is its kubelet's."""
    node = Node()
    node.metadata.name = plan.name
    node.metadata.labels.update(plan.labels)
    node.metadata.annotations[FLEET_ANNOTATION] = plan.fleet
    for taint in plan.taints:
        node.spec.taints.add(key=taint.key, value=taint.value or None, effect=taint.effect)
    if plan.unschedulable:
        node.spec.unschedulable = True
    set_resources(node, plan)
    node.status.addresses.append(NodeAddress(type="InternalIP", address=node_address(plan.number)))
    node.status.addresses.append(NodeAddress(type="Hostname", address=plan.name))
    node.status.node_info.CopyFrom(node_info(plan, version))
    set_conditions(node, now, ready=True)
    return node


def set_resources(node: Node, plan: PlannedNode) -> None:
    """Report what the node offers, in place; resources that others report of it stay."""
    for told, wanted in ((node.status.capacity, plan.capacity), (node.status.allocatable, plan.allocatable)):
        for resource, amount in wanted.items():
            told[resource].CopyFrom(Quantity(string=amount))


def _offers(node: Node, plan: PlannedNode) -> bool:
    """Tell whether the node shows what it offers."""
    pairs = ((node.status.capacity, plan.capacity), (node.status.allocatable, plan.allocatable))
    return all(
        resource in told and told[resource].string == amount
        for told, wanted in pairs
        for resource, amount in wanted.items()
    )


def set_conditions(node: Node, now: float, *, ready: bool) -> None:
    """Report the conditions as of ``now``, in place; a transition time moves only when its status does."""
    time = time_of(now)
    for type_, (status, reason, message) in _wanted(ready=ready).items():
        condition = next((one for one in node.status.conditions if one.type == type_), None)
        if condition is None:
            condition = node.status.conditions.add(type=type_)
        if condition.status != status:
            condition.last_transition_time.CopyFrom(time)
        condition.status, condition.reason, condition.message = status, reason, message
        condition.last_heartbeat_time.CopyFrom(time)


@dataclass(frozen=True, slots=True)
class NodeView:
    """What is kept of a node between two looks.

    Its conditions, when the oldest of them was last reported, its kubelet's version, the labels and annotations that
    its kubelet would add, whether it shows what it offers, and whether it is cordoned.
    """

    conditions: Mapping[str, str]
    heartbeat: float
    version: str
    lacking: Mapping[str, Mapping[str, str]]
    offers: bool
    unschedulable: bool

    def shows(self, version: str, *, ready: bool) -> bool:
        """Tell whether the node is shown as its kubelet reports it."""
        return self.version == version and self.conditions == condition_statuses(ready=ready)


def node_view(node: Node, plan: PlannedNode) -> NodeView:
    """Return the view of a node."""
    conditions = [one for one in node.status.conditions if one.type in _HEALTHY]
    return NodeView(
        {one.type: one.status for one in conditions},
        min((float(one.last_heartbeat_time.seconds) for one in conditions), default=0.0),
        node.status.node_info.kubelet_version,
        _lacking(node, plan),
        _offers(node, plan),
        node.spec.unschedulable,
    )


def _lacking(node: Node, plan: PlannedNode) -> Mapping[str, Mapping[str, str]]:
    """Return what a kubelet adds to its node's metadata when it starts, as a merge patch of it; mostly nothing."""
    metadata = node.metadata
    is_ours = metadata.annotations.get(FLEET_ANNOTATION) == plan.fleet
    labels, annotations = plan.missing(metadata.labels), {} if is_ours else {FLEET_ANNOTATION: plan.fleet}
    return {name: part for name, part in (("labels", labels), ("annotations", annotations)) if part}


def condition_statuses(*, ready: bool) -> dict[str, str]:
    """Return the conditions that a kubelet reports, their statuses by type."""
    return {type_: want[0] for type_, want in _wanted(ready=ready).items()}


def _wanted(*, ready: bool) -> Mapping[str, tuple[str, str, str]]:
    return _HEALTHY if ready else {**_HEALTHY, "Ready": _NOT_READY}


def lease_object(name: str, now: float) -> Lease:
    """Return the node's lease, renewed."""
    lease = Lease()
    lease.metadata.name, lease.metadata.namespace = name, LEASE_NAMESPACE
    lease.spec.holder_identity = name
    lease.spec.lease_duration_seconds = LEASE_SECONDS
    lease.spec.renew_time.CopyFrom(micro_time_of(now))
    return lease
