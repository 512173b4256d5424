"""What else a schema tells of a field: how patches and apply treat it, its default, its words."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor

from rollplane_gateway.openapi.defaults import constant_defaults
from rollplane_gateway.openapi.enums import ENUMS
from rollplane_gateway.openapi.names import Json
from rollplane_machinery.codec.fields import map_value
from rollplane_machinery.patch.schema import Rule, schema_of
from rollplane_machinery.patch.topology import ListType, is_atomic_map, list_topology


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
