"""A pool of nodes that are alike, and one node of it. Labels are those of kubelets and cloud providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rollplane_machinery.quantity import canonical

OS, ARCHITECTURE = "linux", "amd64"

OS_LABEL, ARCHITECTURE_LABEL = "kubernetes.io/os", "kubernetes.io/arch"
HOSTNAME_LABEL = "kubernetes.io/hostname"
ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
TYPE_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
ROLE_PREFIX = "node-role.kubernetes.io/"
OLDER_LABELS: Mapping[str, str] = MappingProxyType(
    {OS_LABEL: "beta.kubernetes.io/os", ARCHITECTURE_LABEL: "beta.kubernetes.io/arch"}
)
FLEET_ANNOTATION = "sim.rollplane.dev/fleet"
"""On a node: the prefix of the fleet that speaks for it."""
KUBELET_LABELS = frozenset(
    {*OLDER_LABELS, *OLDER_LABELS.values(), HOSTNAME_LABEL, *ZONE_LABELS, *REGION_LABELS, *TYPE_LABELS}
)
"""What a kubelet puts right when it starts; other labels it gives its node only once."""


@dataclass(frozen=True, slots=True)
class NodeShape:
    """What a node offers when its pool does not say; ``pods`` is a number, the others are quantities."""

    cpu: str = "32"
    memory: str = "128Gi"
    pods: int = 250
    storage: str = "100Gi"

    @property
    def resources(self) -> Mapping[str, str]:
        """The resource list of a node's status; raises BadRequestError for what is no quantity."""
        amounts = {"cpu": self.cpu, "ephemeral-storage": self.storage, "memory": self.memory, "pods": f"{self.pods}"}
        return {resource: canonical(amount) for resource, amount in amounts.items()}


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class NodePool:
    """Nodes named ``<name>-<number>``, that are alike but for their zones, which they take in turn.

    Without a ``name`` they bear the fleet's prefix; ``count`` None shares what the pools with a count leave.
    ``capacity`` goes on top of the fleet's NodeShape, ``allocatable`` on top of the capacity. ``exact`` is the name of
    the only node.
    """

    name: str = ""
    count: int | None = None
    zones: tuple[str, ...] = ()
    region: str = ""
    instance_type: str = ""
    roles: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    capacity: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, str] = field(default_factory=dict)
    unschedulable: bool = False
    exact: str = ""

    def node(self, name: str, number: int, index: int, shape: NodeShape, fleet: str) -> PlannedNode:
        """Return the node that is number ``index`` of the pool and number ``number`` of the plane of ``fleet``."""
        capacity = {**shape.resources, **self.capacity}
        return PlannedNode(
            name,
            number,
            self._labels(name, index),
            self.taints,
            capacity,
            {**capacity, **self.allocatable},
            self.unschedulable,
            fleet,
        )

    def _labels(self, name: str, index: int) -> Mapping[str, str]:
        zone = self.zones[index % len(self.zones)] if self.zones else ""
        told = ((ZONE_LABELS, zone), (REGION_LABELS, self.region), (TYPE_LABELS, self.instance_type))
        labels = {label: value for names, value in told if value for label in names}
        labels |= {OS_LABEL: OS, ARCHITECTURE_LABEL: ARCHITECTURE, HOSTNAME_LABEL: name}
        labels |= {f"{ROLE_PREFIX}{role}": "" for role in self.roles}
        labels |= self.labels
        return {older: labels[label] for label, older in OLDER_LABELS.items()} | labels


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node as its kubelet registers it.

    Addresses follow from ``number``, which no other node of its plane has; ``fleet`` is the prefix of its fleet.
    """

    name: str
    number: int
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    unschedulable: bool = False
    fleet: str = "node"

    @property
    def os(self) -> str:
        """Its operating system, as its labels have it."""
        return self.labels[OS_LABEL]

    @property
    def architecture(self) -> str:
        """Its architecture, as its labels have it."""
        return self.labels[ARCHITECTURE_LABEL]

    def missing(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return what a kubelet that starts changes in the labels its node has: what others set otherwise stays."""
        return {
            name: value
            for name, value in self.labels.items()
            if name not in labels or (name in KUBELET_LABELS and labels[name] != value)
        }


def of_count(pool: NodePool, count: int) -> NodePool:
    """Return ``pool`` with that many nodes."""
    return replace(pool, count=count)
