"""What else a schema tells of a field: how patches and apply treat it, and whether it must be there."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane_gateway.openapi.defaults import constant_defaults
from rollplane_gateway.openapi.enums import ENUMS
from rollplane_gateway.openapi.names import Json
from rollplane_machinery.codec.fields import is_always_printed, is_null_when_absent, map_value
from rollplane_machinery.patch.schema import Rule, schema_of
from rollplane_machinery.patch.topology import ListType, is_atomic_map, list_topology

_REQUIRED_OBJECTS = frozenset(
    message.DESCRIPTOR.fields_by_name[name].full_name
    for message, name in (
        (apps.DeploymentSpec, "template"),
        (apps.DaemonSetSpec, "template"),
        (apps.StatefulSetSpec, "template"),
        (core.HTTPGetAction, "port"),
        (core.TCPSocketAction, "port"),
        (core.Binding, "target"),
        (core.Event, "metadata"),
        (core.Event, "involved_object"),
    )
)
"""Objects that must be there. Others that are printed always may be left out, since their zero says the same."""


def is_required(field: FieldDescriptor) -> bool:
    """Whether nothing does without ``field``: it is always printed, and is no object that may be empty."""
    if field.message_type is None or field.is_repeated:
        return is_always_printed(field) or is_null_when_absent(field)
    return is_null_when_absent(field) or field.full_name in _REQUIRED_OBJECTS


def facts(field: FieldDescriptor) -> Json:
    """Return the members that stand beside the type of ``field``."""
    told = _patch_facts(schema_of(field.containing_type).members[field.json_name].rule)
    if map_value(field) is not None:
        told |= {"x-kubernetes-map-type": "atomic"} if is_atomic_map(field) else {}
    elif field.is_repeated:
        told |= _list_facts(field)
    if (words := ENUMS.get(field.full_name)) is not None:
        told["enum"] = words
    if (default := constant_defaults().get(field.full_name)) is not None:
        told["default"] = default
    return told


def _patch_facts(rule: Rule) -> Json:
    strategies = [
        name
        for name, is_meant in (
            ("merge", bool(rule.merge_key) or rule.is_set),
            ("retainKeys", rule.retains_keys),
            ("replace", rule.is_replaced),
        )
        if is_meant
    ]
    told: Json = {"x-kubernetes-patch-merge-key": rule.merge_key} if rule.merge_key else {}
    return {**told, "x-kubernetes-patch-strategy": ",".join(strategies)} if strategies else told


def _list_facts(field: FieldDescriptor) -> Json:
    topology = list_topology(field)
    told: Json = {"x-kubernetes-list-type": topology.type.value}
    return {**told, "x-kubernetes-list-map-keys": topology.keys} if topology.type is ListType.MAP else told
