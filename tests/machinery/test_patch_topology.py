"""The table of list types against the descriptors: a rule for a field that is not there would be silently dead."""

from __future__ import annotations

from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane_machinery.codec.fields import is_inline, map_value, message_of
from rollplane_machinery.patch import topology
from rollplane_machinery.patch.topology import ListTopology, ListType, is_atomic_map, is_atomic_object, list_topology


def test_every_rule_is_for_a_field_of_its_kind() -> None:
    for message, rules in topology.LISTS.items():
        for name, rule in rules.items():
            field = _field(message, name)
            assert field.is_repeated
            assert map_value(field) is None
            assert list_topology(field) == rule
            if rule.type is ListType.MAP:
                assert rule.keys
                assert set(rule.keys) <= _json_names(message_of(field)), field.full_name
            else:
                assert field.message_type is None, field.full_name
    for message, names in topology.ATOMIC_MAPS.items():
        for name in names:
            assert map_value(_field(message, name)) is not None


def test_what_is_not_in_the_table() -> None:
    assert list_topology(_field(core.Container, "args")) == ListTopology(ListType.ATOMIC)
    assert not is_atomic_map(_field(meta.ObjectMeta, "labels"))
    assert not is_atomic_object(core.PodSpec.DESCRIPTOR)
    assert is_atomic_object(meta.LabelSelector.DESCRIPTOR)


def test_ports_have_a_default_protocol() -> None:
    assert topology.key_default(_field(core.ContainerPort, "protocol")) == "TCP"
    assert topology.key_default(_field(core.ContainerPort, "container_port")) is None


def _field(message: type[Message], name: str) -> FieldDescriptor:
    return cast("FieldDescriptor", message.DESCRIPTOR.fields_by_name[name])


def _json_names(descriptor: Descriptor) -> set[str]:
    names: set[str] = set()
    for field in descriptor.fields:
        names |= _json_names(message_of(field)) if is_inline(field) else {field.json_name}
    return names
