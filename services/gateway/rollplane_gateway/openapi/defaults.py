"""Defaults that are always the same, found by asking the rules: what do they fill into an object that says nothing?

One object of each kind has every part there can be, and no value in any; another has values that some defaults depend
on. What both are given is constant, in whatever kind the part stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane_gateway.openapi.names import descriptor_of
from rollplane_gateway.openapi.scalars import SPECIAL
from rollplane_machinery import int_or_string
from rollplane_machinery.codec.fields import map_value
from rollplane_machinery.kinds import TYPED_KINDS, Kind
from rollplane_rules.defaults import apply_defaults


@cache
def constant_defaults() -> Mapping[str, Any]:
    """Return the JSON value of each default by the full name of its field: ``….DeploymentSpec.replicas``."""
    found: dict[str, Any] = {}
    for kind in TYPED_KINDS:
        for telling in (False, True):
            for name, value in _defaults(kind, telling=telling):
                if found.setdefault(name, value) != value:
                    found[name] = None
    return {name: value for name, value in found.items() if value is not None}


def _defaults(kind: Kind, *, telling: bool) -> Iterator[tuple[str, Any]]:
    """Yield every scalar of ``kind`` and its default, None where it has none."""
    obj = kind.new()
    _fill(obj, telling=telling)
    apply_defaults(obj)
    yield from _scalars(obj)


def _fill(message: Message, *, telling: bool) -> None:
    """Put in every part, and one item into every list of parts."""
    for field in descriptor_of(type(message)).fields:
        if field.message_type is None or map_value(field) is not None or field.message_type.full_name in SPECIAL:
            continue
        value = getattr(message, field.name)
        if field.is_repeated:
            value = value.add()
        else:
            value.SetInParent()
        _fill(value, telling=telling)
    if telling:
        _tell(message)


def _tell(message: Message) -> None:
    match message:
        case core.Container() | core.EphemeralContainerCommon():
            message.image = "nginx"  # which is its newest, and always pulled
        case core.ContainerPort():
            message.container_port = 80
        case core.ServicePort():
            message.port = 80
        case core.PodSpec():
            message.host_network = True


def _scalars(message: Message) -> Iterator[tuple[str, Any]]:
    for field in descriptor_of(type(message)).fields:
        if map_value(field) is not None:
            continue
        if field.message_type is None or field.message_type.full_name == meta.IntOrString.DESCRIPTOR.full_name:
            yield field.full_name, _value(message, field)
            continue
        value = getattr(message, field.name)
        for part in value if field.is_repeated else (value,):
            yield from _scalars(part)


def _value(message: Message, field: FieldDescriptor) -> Any:
    if field.is_repeated or not message.HasField(field.name):
        return None
    value = getattr(message, field.name)
    return value if field.message_type is None else int_or_string.to_plain(value)
