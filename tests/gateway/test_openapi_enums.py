"""The words that API documents name are those that the rules let through."""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rollplane_gateway.openapi.enums import ENUMS
from rollplane_gateway.openapi.names import descriptor_of
from rollplane_gateway.openapi.scalars import SPECIAL
from rollplane_machinery.codec.fields import is_inline, map_value, message_of
from rollplane_machinery.errors import Cause, CauseReason
from rollplane_machinery.kinds import TYPED_KINDS
from rollplane_rules.validation import validate_create

NO_WORD = "zzz"
NOT_CLOSED = {
    "rollplane.core.v1.Container.restart_policy": "other words go with rules that this one has not",
    "rollplane.core.v1.ContainerResizePolicy.resource_name": "Kubernetes does not name them",
    "rollplane.core.v1.ContainerResizePolicy.restart_policy": "Kubernetes does not name them",
    "rollplane.core.v1.PersistentVolumeClaimSpec.access_modes": "a list",
    "rollplane.core.v1.ResourceFieldSelector.resource": "any huge page may be named, too",
}
"""Refused here, and yet no row."""


def fill(message: Message) -> None:
    """Put in every part, and a word that is none into every text."""
    for field in descriptor_of(type(message)).fields:
        value = getattr(message, field.name)
        if map_value(field) is not None:
            continue
        if field.message_type is None:
            if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
                setattr(message, field.name, NO_WORD)
        elif field.message_type.full_name not in SPECIAL:
            part = value.add() if field.is_repeated else value
            part.SetInParent()
            fill(part)


def fields(descriptor: Descriptor) -> Iterator[tuple[str, FieldDescriptor]]:
    for field in descriptor.fields:
        yield from fields(message_of(field)) if is_inline(field) else ((field.json_name, field),)


def named(descriptor: Descriptor, path: str) -> str:
    """The full name of the field at ``path``; of a strategy, whose cause names the object, its type's."""
    name, _, rest = re.sub(r"\[.*?\]", "", path).partition(".")
    field = dict(fields(descriptor))[name]
    if field.message_type is None:
        return field.full_name
    return named(field.message_type, rest or "type")


def words(cause: Cause) -> tuple[str, ...]:
    return tuple(cause.message.partition("choose one of ")[2].split(", "))


def test_every_word_and_no_other() -> None:
    found: dict[str, tuple[str, ...]] = {}
    for kind in TYPED_KINDS:
        obj = kind.new()
        fill(obj)
        refused = [cause for cause in validate_create(obj) if cause.reason is CauseReason.NOT_SUPPORTED]
        found |= {named(descriptor_of(kind.message), cause.field): words(cause) for cause in refused}
    told = {name: tuple(word for word in each if word) for name, each in ENUMS.items() if name in found}
    assert told == {name: each for name, each in found.items() if name not in NOT_CLOSED}
    assert ENUMS.keys() - found.keys() == {
        "rollplane.apps.v1.StatefulSetSpec.pod_management_policy",  # refused as invalid, with a sentence
        "rollplane.core.v1.HTTPGetAction.scheme",  # a probe with every action is refused before
    }
