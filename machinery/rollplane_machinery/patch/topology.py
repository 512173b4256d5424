"""What counts as one value when fields have owners: the list types, map keys and atomic objects of server-side apply.

These are the facts that OpenAPI documents tell as ``x-kubernetes-list-type``, ``x-kubernetes-list-map-keys`` and
``x-kubernetes-map-type``. They are not those of strategic merge in ``patch.schema``: a container's ports have two keys
here and one there, and a label selector is one value here. A list that is not in the table is atomic; an object or map
that is not is granular.

Source: the +listType, +listMapKey, +mapType, +structType and +default markers of k8s.io/api and k8s.io/apimachinery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane.policy import v1 as policy
from rollplane_machinery.shapes.building import atomic_structs, is_shape, told_of


class ListType(StrEnum):
    """How the items of a list are told apart: not at all, by their value, or by their keys."""

    ATOMIC = "atomic"
    SET = "set"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class ListTopology:
    """A list's type; ``keys`` are the JSON names that tell the items of a MAP apart, in the order of the documents."""

    type: ListType = ListType.ATOMIC
    keys: tuple[str, ...] = ()


def _by(*keys: str) -> ListTopology:
    return ListTopology(ListType.MAP, keys)


_ATOMIC = ListTopology()
_SET = ListTopology(ListType.SET)
_NAME = _by("name")
_CONDITIONS: Mapping[str, ListTopology] = {"conditions": _by("type")}
_CONTAINER: Mapping[str, ListTopology] = {
    "ports": _by("containerPort", "protocol"),
    "env": _NAME,
    "volume_mounts": _by("mountPath"),
    "volume_devices": _by("devicePath"),
}
_HEALTH: Mapping[str, ListTopology] = {"health_conditions": _by("status", "reason")}

LISTS: Mapping[type[Message], Mapping[str, ListTopology]] = {
    meta.ObjectMeta: {"owner_references": _by("uid"), "finalizers": _SET},
    core.PodSpec: {
        "volumes": _NAME,
        "init_containers": _NAME,
        "containers": _NAME,
        "ephemeral_containers": _NAME,
        "image_pull_secrets": _NAME,
        "host_aliases": _by("ip"),
        "topology_spread_constraints": _by("topologyKey", "whenUnsatisfiable"),
        "scheduling_gates": _NAME,
        "resource_claims": _NAME,
        "eviction_responders": _NAME,
    },
    core.Container: _CONTAINER,
    core.EphemeralContainerCommon: _CONTAINER,
    core.ContainerRestartRuleOnExitCodes: {"values": _SET},
    core.ResourceRequirements: {"claims": _NAME},
    core.VolumeMount: {"bind_mount_options": _SET},
    core.PodStatus: {
        "conditions": _by("type"),
        "pod_ips": _by("ip"),
        "resource_claim_statuses": _NAME,
        "node_allocatable_resource_claim_statuses": _by("resourceClaimName"),
        "volume_health": _NAME,
    },
    core.ContainerStatus: {"volume_mounts": _by("mountPath"), "allocated_resources_status": _NAME},
    core.ResourceStatus: {"resources": _by("resourceID")},
    core.NodeAllocatableResourceClaimStatus: {"containers": _SET, "mapping": _NAME, "overhead": _NAME},
    core.PodVolumeHealth: _HEALTH,
    core.VolumeHealthStatus: _HEALTH,
    core.NodeSpec: {"pod_cidrs": _SET},
    core.NodePodPreemptionPolicy: {"disable_resize_preemption": _SET},
    core.NodeStatus: {"conditions": _by("type"), "addresses": _by("type")},
    core.NamespaceStatus: _CONDITIONS,
    core.ReplicationControllerStatus: _CONDITIONS,
    core.PersistentVolumeClaimStatus: _CONDITIONS,
    core.ServiceSpec: {"ports": _by("port", "protocol")},
    core.ServiceStatus: _CONDITIONS,
    core.ServiceAccount: {"secrets": _NAME},
    apps.DeploymentStatus: _CONDITIONS,
    apps.ReplicaSetStatus: _CONDITIONS,
    apps.StatefulSetStatus: _CONDITIONS,
    apps.DaemonSetStatus: _CONDITIONS,
    policy.PodDisruptionBudgetStatus: _CONDITIONS,
}
"""Every list that is not atomic, by its message and field."""

ATOMIC_MAPS: Mapping[type[Message], tuple[str, ...]] = {
    core.PodSpec: ("node_selector",),
    core.ReplicationControllerSpec: ("selector",),
    core.ServiceSpec: ("selector",),
}
"""Every map that is one value."""

_ATOMIC_OBJECTS = frozenset(
    message.DESCRIPTOR.full_name
    for message in (
        meta.LabelSelector,
        meta.OwnerReference,
        core.ConfigMapKeySelector,
        core.SecretKeySelector,
        core.FileKeySelector,
        core.ObjectFieldSelector,
        core.ResourceFieldSelector,
        core.LocalObjectReference,
        core.ObjectReference,
        core.TypedLocalObjectReference,
        core.NodeSelector,
        core.NodeSelectorTerm,
        core.EvictionResponder,
    )
)
_KEY_DEFAULTS: Mapping[str, str] = MappingProxyType(
    {f"{message.DESCRIPTOR.full_name}.protocol": "TCP" for message in (core.ContainerPort, core.ServicePort)}
)
_LIST_OF: Mapping[str, ListTopology] = MappingProxyType(
    {f"{message.DESCRIPTOR.full_name}.{name}": rule for message, rules in LISTS.items() for name, rule in rules.items()}
)
_MAPS = frozenset(f"{message.DESCRIPTOR.full_name}.{name}" for message, names in ATOMIC_MAPS.items() for name in names)


def list_topology(field: FieldDescriptor) -> ListTopology:
    """Return how the items of the list ``field`` are told apart."""
    if not is_shape(field):
        return _LIST_OF.get(field.full_name, _ATOMIC)
    keys = told_of(field).get("list")
    return _ATOMIC if keys is None else _by(*keys) if keys else _SET


def is_atomic_map(field: FieldDescriptor) -> bool:
    """Whether the map ``field`` is one value, of which nobody owns a part."""
    return bool(told_of(field).get("atomic")) if is_shape(field) else field.full_name in _MAPS


def is_atomic_object(descriptor: Descriptor) -> bool:
    """Whether an object of this message type is one value, wherever it stands."""
    return descriptor.full_name in (atomic_structs() if is_shape(descriptor) else _ATOMIC_OBJECTS)


def key_default(field: FieldDescriptor) -> str | None:
    """Return what ``field``, a key of list items, is where an item leaves it out; None for a key without a default."""
    return _KEY_DEFAULTS.get(field.full_name)
