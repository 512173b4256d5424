"""What server-side apply knows of a kind's fields: objects, maps and lists that are merged, and leaves that are not.

Worked out once for a message type, from its descriptor and the table in ``patch.topology``. Whatever is atomic is a
leaf here, since nobody owns a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rollplane.stored.v1 import AnyValue
from rollplane_machinery.codec.fields import is_inline, is_type_meta, json_fields, map_value, message_of
from rollplane_machinery.codec.values import SPECIAL_TYPES
from rollplane_machinery.fields.elements import Element, field_name, key_element, value_element
from rollplane_machinery.fields.values import ABSENT, Value, as_members
from rollplane_machinery.patch.json_value import Json, JsonObject
from rollplane_machinery.patch.topology import (
    ListType,
    is_atomic_map,
    is_atomic_object,
    key_default,
    list_topology,
)

_ANY = AnyValue.DESCRIPTOR


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, or something atomic: owned whole or not at all."""


@dataclass(frozen=True, slots=True)
class Struct:
    """An object with members of its own; what is not named is ``other``, None where it is not known."""

    members: Mapping[str, Node | None]
    other: Node | None = None

    def member(self, name: str) -> Node | None:
        """Return what the member ``name`` is, None when it is not known."""
        return self.members.get(name, self.other)


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with any members, all alike."""

    element: Node

    def member(self, _name: str) -> Node | None:
        """Return what every member is."""
        return self.element


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of objects told apart by ``keys``: JSON names, each with what it is where an item leaves it out."""

    element: Node
    keys: Mapping[str, Json]

    def step(self, item: Json) -> Element:
        """Return the step to ``item``."""
        return key_element({name: value for name, value in self._named(as_members(item)) if value is not None})

    def _named(self, item: JsonObject) -> Iterator[tuple[str, Json]]:
        for name, default in self.keys.items():
            value = item.get(name)
            yield name, default if value is None else value


@dataclass(frozen=True, slots=True)
class SetOf:
    """A list of scalars told apart by their values."""

    element: Node

    def step(self, item: Json) -> Element:
        """Return the step to ``item``."""
        return value_element(item)


@dataclass(frozen=True, slots=True)
class Deduced:
    """Raw JSON, of which nothing is known beforehand: its objects are maps of such values, all else is atomic."""


Node: TypeAlias = Leaf | Struct | MapOf | ListOf | SetOf | Deduced
Resolved: TypeAlias = Leaf | Struct | MapOf | ListOf | SetOf
LEAF = Leaf()
DEDUCED = Deduced()
_RAW_OBJECT = MapOf(DEDUCED)


def resolved(node: Node, *values: Value) -> Resolved:
    """Return what ``node`` is where it has these ``values``: raw JSON is what it looks like."""
    if not isinstance(node, Deduced):
        return node
    present = [value for value in values if value is not ABSENT and value is not None]
    return _RAW_OBJECT if present and all(isinstance(value, dict) for value in present) else LEAF


def inside(node: Node, step: Element) -> Node:
    """Return what ``step`` leads to from ``node``; a leaf for what is not known."""
    match node:
        case Struct():
            return node.member(field_name(step) or "") or LEAF
        case Deduced():
            return DEDUCED
        case MapOf(element) | ListOf(element) | SetOf(element):
            return element
    return LEAF


@cache
def node_of(descriptor: Descriptor) -> Node:
    """Return what objects of the message type ``descriptor`` are."""
    if descriptor is _ANY:
        return DEDUCED
    if descriptor.full_name in SPECIAL_TYPES or is_atomic_object(descriptor):
        return LEAF
    members = {field.json_name: None if is_type_meta(field) else _member(field) for field in _fields(descriptor)}
    return Struct(MappingProxyType(members), _other(descriptor))


def _other(descriptor: Descriptor) -> Node | None:
    """What members are that no field bears."""
    values = (map_value(field) for field in descriptor.fields if is_inline(field))
    return next((_element(value) for value in values if value is not None), None)


def _fields(descriptor: Descriptor) -> Iterator[FieldDescriptor]:
    """The fields whose values stand in the JSON object, those of inline messages among them."""
    for field in json_fields(descriptor):
        if is_inline(field) and map_value(field) is not None:
            continue
        if is_inline(field):
            yield from _fields(message_of(field))
        else:
            yield field


def _member(field: FieldDescriptor) -> Node:
    if (values := map_value(field)) is not None:
        return LEAF if is_atomic_map(field) else MapOf(_element(values))
    if not field.is_repeated:
        return _element(field)
    topology = list_topology(field)
    if topology.type is ListType.MAP:
        fields = {each.json_name: each for each in _fields(message_of(field))}
        return ListOf(_element(field), {name: key_default(fields[name]) for name in sorted(topology.keys)})
    return SetOf(LEAF) if topology.type is ListType.SET else LEAF


def _element(field: FieldDescriptor) -> Node:
    return LEAF if field.message_type is None else node_of(field.message_type)
