"""What a simulated node tells of itself: its Node object and its Lease (semantics/pod-lifecycle.md section 9)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Node, NodeAddress, NodeCondition
from rollplane.meta.v1 import MicroTime, Quantity, Time

LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
HOSTNAME_LABEL = "kubernetes.io/hostname"

_HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


@dataclass(frozen=True, slots=True)
class NodeShape:
    """What every node of a fleet offers."""

    cpu: str = "32"
    memory: str = "128Gi"
    pods: int = 250


def node_object(name: str, address: str, shape: NodeShape, now: float) -> Node:
    """Return the node as it registers itself, ready."""
    node = Node()
    node.metadata.name = name
    node.metadata.labels[HOSTNAME_LABEL] = name
    for resource, amount in (("cpu", shape.cpu), ("memory", shape.memory), ("pods", str(shape.pods))):
        node.status.capacity[resource].CopyFrom(Quantity(string=amount))
        node.status.allocatable[resource].CopyFrom(Quantity(string=amount))
    node.status.addresses.append(NodeAddress(type="InternalIP", address=address))
    node.status.addresses.append(NodeAddress(type="Hostname", address=name))
    node.status.node_info.kubelet_version = "v1.33.0-rollplane"
    set_healthy(node, now)
    return node


def set_healthy(node: Node, now: float) -> bool:
    """Report all conditions healthy, in place; tells whether any was not. Heartbeat times are those of ``now``."""
    time = Time(seconds=math.floor(now))
    changed = False
    for type_, (status, reason, message) in _HEALTHY.items():
        condition = next((one for one in node.status.conditions if one.type == type_), None)
        if condition is None:
            condition = node.status.conditions.add(type=type_)
        if condition.status != status:
            changed = True
            condition.last_transition_time.CopyFrom(time)
        condition.status, condition.reason, condition.message = status, reason, message
        condition.last_heartbeat_time.CopyFrom(time)
    return changed


def is_healthy(conditions: list[NodeCondition]) -> bool:
    """Tell whether the node is shown as a living kubelet shows it."""
    shown = {condition.type: condition.status for condition in conditions}
    return all(shown.get(type_) == status for type_, (status, _, _) in _HEALTHY.items())


def lease_object(name: str, now: float) -> Lease:
    """Return the node's lease, renewed."""
    lease = Lease()
    lease.metadata.name, lease.metadata.namespace = name, LEASE_NAMESPACE
    lease.spec.holder_identity = name
    lease.spec.lease_duration_seconds = LEASE_SECONDS
    whole = math.floor(now)
    lease.spec.renew_time.CopyFrom(MicroTime(seconds=whole, nanos=int((now - whole) * 1e6) * 1000))
    return lease
