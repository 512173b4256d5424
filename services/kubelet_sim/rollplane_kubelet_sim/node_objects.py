"""What a simulated node tells of itself: its Node object and its Lease (docs/semantics/pod-lifecycle.md section 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Node, NodeAddress
from rollplane.meta.v1 import Quantity
from rollplane_machinery.times import micro_time_of, time_of

LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
HOSTNAME_LABEL = "kubernetes.io/hostname"

_HEALTHY: Mapping[str, tuple[str, str, str]] = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
_NOT_READY = ("False", "KubeletNotReady", "the simulation says so")


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
    set_conditions(node, now, ready=True)
    return node


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
    """What is kept of a node between two looks: its conditions, and when the oldest of them was last reported."""

    conditions: Mapping[str, str]
    heartbeat: float

    def shows(self, *, ready: bool) -> bool:
        """Tell whether the node is shown as its kubelet reports it."""
        return all(self.conditions.get(type_) == want[0] for type_, want in _wanted(ready=ready).items())


def node_view(node: Node) -> NodeView:
    """Return the view of a node."""
    conditions = node.status.conditions
    heartbeat = min((float(one.last_heartbeat_time.seconds) for one in conditions), default=0.0)
    return NodeView({one.type: one.status for one in conditions}, heartbeat)


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
