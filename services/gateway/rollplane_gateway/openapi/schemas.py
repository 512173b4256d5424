"""Schemas of messages, each made once, with all that they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rollplane.authentication.v1 import ExtraValue
from rollplane.meta import v1 as meta
from rollplane.stored.v1 import AnyValue, StoredObject
from rollplane_gateway.openapi.comments import comments
from rollplane_gateway.openapi.facts import facts
from rollplane_gateway.openapi.names import (
    PATCH,
    Json,
    descriptor_of,
    kind_of,
    reference,
    schema_name,
    shape_of_type,
    type_name,
)
from rollplane_gateway.openapi.required import is_required
from rollplane_gateway.openapi.scalars import SCALARS, SPECIAL
from rollplane_machinery.codec.fields import is_inline, is_type_meta, map_value, message_of
from rollplane_machinery.codec.type_meta import type_meta
from rollplane_machinery.patch.topology import is_atomic_object
from rollplane_machinery.served import GroupVersion, ServedType
from rollplane_machinery.shapes.building import is_shape

_TYPE_META: Json = {
    "apiVersion": {"type": "string", "description": "Group and version that the object is written in: v1, apps/v1."},
    "kind": {"type": "string", "description": "What the object is, in CamelCase: Deployment."},
}
_UNNAMED = frozenset({ExtraValue.DESCRIPTOR.full_name, AnyValue.DESCRIPTOR.full_name})
"""Upstream has no names for them."""
_ANY_KIND = StoredObject.DESCRIPTOR.full_name
_OF_EVERY_KIND = ("metadata", "spec", "status")
_METADATA = descriptor_of(meta.ObjectMeta)
_OF_EVERY_VERSION = meta.DeleteOptions.DESCRIPTOR.full_name


class Schemas:
    """A growing set of schemas by name; what is asked for is in it afterwards, and all that it refers to."""

    def __init__(self, versions: tuple[GroupVersion, ...]) -> None:
        """``versions`` are all that are served: DeleteOptions belong to each of them."""
        self.by_name: dict[str, Json] = {}
        self._versions = versions

    def of_type(self, type_: ServedType) -> Json:
        """Return the reference to an object's schema in its own version."""
        if type_.schema is not None:
            return self._of_custom(type_, type_.schema)
        return self._reference(type_name(type_), shape_of_type(type_), [kind_of(type_.group_version, type_.name)])

    def _of_custom(self, type_: ServedType, schema: Mapping[str, Any]) -> Json:
        """The code that reads schemas is loaded here: few planes have any."""
        from rollplane_machinery.structural.publishing import published
        from rollplane_machinery.structural.schema import read

        name = type_name(type_)
        if name not in self.by_name:
            metadata = {"metadata": {"allOf": [self.of_message(_METADATA)], "description": "Standard metadata."}}
            shown = published(read(schema), {**_TYPE_META, **metadata})
            self.by_name[name] = {
                **shown,
                "type": "object",
                "properties": dict(sorted(shown["properties"].items())),
                "x-kubernetes-group-version-kind": [kind_of(type_.group_version, type_.name)],
            }
        return reference(name)

    def of_list(self, type_: ServedType) -> Json:
        """Return the reference to the schema of a list of such objects."""
        name = f"{type_name(type_)}List"
        if name not in self.by_name:
            item = descriptor_of(type_.message)
            descriptor = item.file.message_types_by_name[f"{item.name}List"]
            self._define(name, descriptor, [kind_of(type_.group_version, f"{type_.name}List")])
            if item.full_name == _ANY_KIND:
                del self.by_name[schema_name(item)]  # a schema of no kind, which nothing else refers to
            self.by_name[name]["properties"]["items"] = {"type": "array", "items": self.of_type(type_)}
        return reference(name)

    def of_message(self, descriptor: Descriptor) -> Json:
        """Return the reference to the schema of a part of objects, or of a body."""
        return self._reference(schema_name(descriptor), descriptor, self._kinds(descriptor))

    def of_patch(self) -> Json:
        """Return the reference to the schema of a patch, whatever its format."""
        self.by_name[PATCH] = {"type": "object", "description": "A change in one of the patch formats."}
        return reference(PATCH)

    def _kinds(self, descriptor: Descriptor) -> list[Json]:
        if descriptor.full_name == _OF_EVERY_VERSION:
            return [kind_of(each, descriptor.name) for each in self._versions]
        named = type_meta(descriptor)
        if named is None:
            return []
        group, _, version = named.api_version.rpartition("/")
        return [kind_of(GroupVersion(group, version), named.kind)]

    def _reference(self, name: str, descriptor: Descriptor, kinds: list[Json]) -> Json:
        if name not in self.by_name:
            self._define(name, descriptor, kinds)
        return reference(name)

    def _define(self, name: str, descriptor: Descriptor, kinds: list[Json]) -> None:
        schema: Json = _described({}, descriptor.full_name)
        if kinds and is_shape(descriptor):
            schema["description"] = f"A {descriptor.name} as Kubernetes has it, which is kept here."
        self.by_name[name] = schema
        if descriptor.full_name in SPECIAL:
            schema |= SPECIAL[descriptor.full_name]
            return
        schema |= {"type": "object", "properties": self._properties(descriptor, bears_type=bool(kinds))}
        if required := [field.json_name for field in _fields(descriptor) if is_required(field)]:
            schema["required"] = required
        if is_atomic_object(descriptor):
            schema["x-kubernetes-map-type"] = "atomic"
        if descriptor.full_name == _ANY_KIND:
            schema["x-kubernetes-preserve-unknown-fields"] = True
        if kinds:
            schema["x-kubernetes-group-version-kind"] = kinds

    def _properties(self, descriptor: Descriptor, *, bears_type: bool) -> Json:
        own = {field.json_name: self._property(field) for field in _fields(descriptor)}
        if bears_type and is_shape(descriptor):
            own |= {name: _described(own[name], f"{_ANY_KIND}.{name}") for name in own if name in _OF_EVERY_KIND}
        return dict(sorted({**_TYPE_META, **own}.items() if bears_type else own.items()))

    def _property(self, field: FieldDescriptor) -> Json:
        told = _described(facts(field), field.full_name)
        values = map_value(field)
        if values is not None:
            return {"type": "object", "additionalProperties": self._value(values), **told}
        if field.is_repeated:
            return {"type": "array", "items": self._value(field), **told}
        value = self._value(field)
        return {"allOf": [value], **told} if told and "$ref" in value else {**value, **told}

    def _value(self, field: FieldDescriptor) -> Json:
        if field.message_type is None:
            return SCALARS[field.type]
        if field.message_type.full_name in _UNNAMED:
            return SPECIAL[field.message_type.full_name]
        return self.of_message(field.message_type)


def _fields(descriptor: Descriptor) -> Iterator[FieldDescriptor]:
    """The fields with a name of their own in the JSON object, those of inline messages among them."""
    for field in descriptor.fields:
        if is_type_meta(field) or (is_inline(field) and map_value(field) is not None):
            continue
        if is_inline(field):
            yield from _fields(message_of(field))
        else:
            yield field


def _described(schema: Json, full_name: str) -> Json:
    text = comments().get(full_name)
    return schema if text is None else {"description": text, **schema}
