"""How strategic merge treats each field: which lists are merged and by what key, which objects keep only named members.

The shape comes from the message descriptors; what descriptors do not tell is the table below. A list that is not in it
is atomic: a patch replaces it whole.

Source: the patchStrategy and patchMergeKey tags of k8s.io/api and k8s.io/apimachinery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane.policy import v1 as policy
from rollplane.stored.v1 import AnyValue
from rollplane_machinery.codec.fields import is_inline, json_fields, map_value, message_of
from rollplane_machinery.shapes.building import is_shape, told_of


@dataclass(frozen=True, slots=True)
class Rule:
    """``merge_key`` identifies the items of a merged list of objects; ``is_set`` marks a merged list of scalars.

    ``retains_keys``: a patch from ``three_way_merge`` names the members that stay (unions, in which a member left over
    from another choice would be invalid). ``is_replaced``: an object that a patch replaces whole.
    """

    merge_key: str = ""
    is_set: bool = False
    retains_keys: bool = False
    is_replaced: bool = False


ATOMIC = Rule()
_SET = Rule(is_set=True)
_RETAIN = Rule(retains_keys=True)
_REPLACE = Rule(is_replaced=True)
_TYPE = Rule(merge_key="type")
_NAME = Rule(merge_key="name")
_IP = Rule(merge_key="ip")

_CONTAINER: Mapping[str, Rule] = {
    "ports": Rule(merge_key="containerPort"),
    "env": _NAME,
    "volume_mounts": Rule(merge_key="mountPath"),
    "volume_devices": Rule(merge_key="devicePath"),
}
_CONDITIONS: Mapping[str, Rule] = {"conditions": _TYPE}

_TABLE: Mapping[type[Message], Mapping[str, Rule]] = {
    meta.ObjectMeta: {"owner_references": Rule(merge_key="uid"), "finalizers": _SET},
    core.PodSpec: {
        "volumes": Rule(merge_key="name", retains_keys=True),
        "init_containers": _NAME,
        "containers": _NAME,
        "ephemeral_containers": _NAME,
        "image_pull_secrets": _NAME,
        "host_aliases": _IP,
        "topology_spread_constraints": Rule(merge_key="topologyKey"),
        "scheduling_gates": _NAME,
        "resource_claims": Rule(merge_key="name", retains_keys=True),
    },
    core.Container: _CONTAINER,
    core.EphemeralContainerCommon: _CONTAINER,
    core.PodStatus: {
        "conditions": _TYPE,
        "host_ips": _IP,
        "pod_ips": _IP,
        "resource_claim_statuses": Rule(merge_key="name", retains_keys=True),
    },
    core.ContainerStatus: {"volume_mounts": Rule(merge_key="mountPath"), "allocated_resources_status": _NAME},
    core.NodeSpec: {"pod_cidrs": _SET},
    core.NodeStatus: {"conditions": _TYPE, "addresses": _TYPE},
    core.NamespaceStatus: _CONDITIONS,
    core.ReplicationControllerStatus: _CONDITIONS,
    core.PersistentVolumeClaimStatus: _CONDITIONS,
    core.ServiceSpec: {"ports": Rule(merge_key="port")},
    core.ServiceStatus: _CONDITIONS,
    core.ServiceAccount: {"secrets": _NAME},
    apps.DeploymentSpec: {"strategy": _RETAIN},
    apps.DeploymentStatus: _CONDITIONS,
    apps.ReplicaSetStatus: _CONDITIONS,
    apps.StatefulSetStatus: _CONDITIONS,
    apps.DaemonSetStatus: _CONDITIONS,
    policy.PodDisruptionBudgetSpec: {"selector": _REPLACE},
    policy.PodDisruptionBudgetStatus: _CONDITIONS,
}
_RULES: Mapping[tuple[str, str], Rule] = MappingProxyType(
    {(message.DESCRIPTOR.full_name, field): rule for message, rules in _TABLE.items() for field, rule in rules.items()}
)


_ANY = AnyValue.DESCRIPTOR


@dataclass(frozen=True, slots=True)
class Field:
    """The rule for one member, and the message type of its value, of its items or of its map's values.

    ``is_known`` is False for a member of raw JSON, of which no rule is known.
    """

    rule: Rule = ATOMIC
    descriptor: Descriptor | None = None
    is_map: bool = False
    is_known: bool = True

    @property
    def schema(self) -> Schema:
        """The members of the value or item; none is known inside a scalar or raw JSON."""
        if self.is_map:
            return Schema({}, Field(descriptor=self.descriptor))
        return OPEN if self.descriptor is None else schema_of(self.descriptor)


@dataclass(frozen=True, slots=True)
class Schema:
    """The members of a JSON object by name; ``other`` is for any other name."""

    members: Mapping[str, Field]
    other: Field = Field(is_known=False)

    def field(self, name: str) -> Field:
        """Return what is known of the member ``name``."""
        return self.members.get(name, self.other)


OPEN = Schema({})
"""Nothing is known: objects merge, lists are atomic."""


@cache
def schema_of(descriptor: Descriptor) -> Schema:
    """Return the schema of messages of ``descriptor``."""
    if descriptor is _ANY:
        return OPEN
    members: dict[str, Field] = {}
    for field in json_fields(descriptor):
        if is_inline(field) and map_value(field) is not None:
            continue  # nothing is known of members by any other name
        if is_inline(field):
            members |= schema_of(message_of(field)).members
        else:
            members[field.json_name] = _field(field, _rule(descriptor, field))
    return Schema(MappingProxyType(members))


def _rule(descriptor: Descriptor, field: FieldDescriptor) -> Rule:
    if not is_shape(descriptor):
        return _RULES.get((descriptor.full_name, field.name), ATOMIC)
    key = told_of(field).get("merge")
    return ATOMIC if key is None else Rule(merge_key=key, is_set=not key)


def _field(field: FieldDescriptor, rule: Rule) -> Field:
    if (value_field := map_value(field)) is not None:
        return Field(rule, value_field.message_type, is_map=True)
    return Field(rule, field.message_type)
