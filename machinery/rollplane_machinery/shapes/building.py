"""Descriptors made of facts, with the field options by which the codec reads and prints generated messages, too.

``facts.json`` has structs by package (``batch/v1``) and name, each a list of fields ``[name, number, type, emit,
{…}]``. ``[]`` and ``{}`` before a type are lists and maps; a type with dots is a message, of the facts or of ours.
``emit`` says when JSON shows the field: ``set``, ``always``, ``null`` as ``rollplane.json.v1.Emit`` has them, or when
it is not empty. Of the rest, ``merge`` is the merge key of strategic patches, ``list`` are the keys of a list whose
items have owners, none for a set. A struct that has owners as a whole is ``{"atomic": true, "fields": […]}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default

from rollplane.json.v1 import options_pb2 as options

Facts = Mapping[str, Mapping[str, Any]]

FILES = "rollplane/shapes/"
"""What the names of the files begin with that these descriptors are in."""
_ROOT = "rollplane."
_POOL = Default()
_SCALARS: Mapping[str, FieldDescriptorProto.Type.ValueType] = MappingProxyType(
    {
        "string": FieldDescriptorProto.TYPE_STRING,
        "bool": FieldDescriptorProto.TYPE_BOOL,
        "int32": FieldDescriptorProto.TYPE_INT32,
        "int64": FieldDescriptorProto.TYPE_INT64,
        "bytes": FieldDescriptorProto.TYPE_BYTES,
    }
)
_EMIT = MappingProxyType(
    {
        "": options.EMIT_UNSPECIFIED,
        "set": options.EMIT_IF_SET,
        "always": options.EMIT_ALWAYS,
        "null": options.EMIT_OR_NULL,
    }
)


@cache
def facts() -> Facts:
    """Return what is known of structs, by package and name."""
    read: Facts = json.loads(resources.files("rollplane_machinery.shapes").joinpath("facts.json").read_bytes())
    return read


@cache
def descriptor_of(package: str, name: str) -> Descriptor | None:
    """Return the descriptor of a struct of the facts, None where they have none of that name.

    What the facts refer to besides are our own messages of ``core`` and ``meta``, which must have been imported.
    """
    if name not in facts().get(package, {}):
        return None
    _Files().file_of(package)
    return _POOL.FindMessageTypeByName(f"{_ROOT}{package.replace('/', '.')}.{name}")


def is_shape(descriptor: Descriptor | FieldDescriptor) -> bool:
    """Whether ``descriptor``, or that of a field, was made of facts."""
    holder = descriptor.containing_type if isinstance(descriptor, FieldDescriptor) else descriptor
    return holder is not None and holder.file.name.startswith(FILES)


def told_of(field: FieldDescriptor) -> Mapping[str, Any]:
    """Return what else the facts say of ``field``."""
    return extras().get(field.full_name, {})


@cache
def extras() -> Mapping[str, Mapping[str, Any]]:
    """Return what else is known of fields, by their full names."""
    return MappingProxyType(
        {
            f"{_ROOT}{package.replace('/', '.')}.{name}.{snake_case(field[0])}": field[4]
            for package, structs in facts().items()
            for name, struct in structs.items()
            for field in fields_of(struct)
            if len(field) > 4
        }
    )


@cache
def atomic_structs() -> frozenset[str]:
    """Return the full names of the structs that are one value."""
    return frozenset(
        f"{_ROOT}{package.replace('/', '.')}.{name}"
        for package, structs in facts().items()
        for name, struct in structs.items()
        if isinstance(struct, dict)
    )


def fields_of(struct: Any) -> list[Any]:
    """Return the fields of a struct of the facts."""
    fields: list[Any] = struct["fields"] if isinstance(struct, dict) else struct
    return fields


def snake_case(name: str) -> str:
    """``nonResourceURLs`` is ``non_resource_urls``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class _Files:
    """Adds files to protobuf's pool, those first that others refer to."""

    def file_of(self, package: str) -> str:
        """Return the file of ``package``, and have it added."""
        name = f"{FILES}{package}.proto"
        try:
            _POOL.FindFileByName(name)
        except KeyError:
            _POOL.AddSerializedFile(self._file(package, name).SerializeToString())
        return name

    def _file(self, package: str, name: str) -> FileDescriptorProto:
        # proto2: fields have presence, and lists of numbers are not packed.
        file = FileDescriptorProto(name=name, package=f"{_ROOT}{package.replace('/', '.')}", syntax="proto2")
        needed = {options.DESCRIPTOR.name}
        for struct, told in facts()[package].items():
            message = file.message_type.add(name=struct)
            for field in fields_of(told):
                needed |= set(self._add(message, field, package))
        file.dependency.extend(sorted(needed))
        return file

    def _add(self, message: DescriptorProto, told: list[Any], package: str) -> Iterator[str]:
        """Add a field to ``message``; yield the file that it refers to."""
        name, number, type_, emit, *more = told
        field = message.field.add(name=snake_case(name), json_name=name, number=number)
        field.label = FieldDescriptorProto.LABEL_REPEATED if type_[:1] in "[{" else FieldDescriptorProto.LABEL_OPTIONAL
        field.options.Extensions[options.emit] = _EMIT[emit]
        if more and more[0].get("inline"):
            field.options.Extensions[options.inline] = True
        if type_.startswith("{}"):
            entry = message.nested_type.add(name=f"{name[:1].upper()}{name[1:]}Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, type=_SCALARS["string"], label=FieldDescriptorProto.LABEL_OPTIONAL)
            value = entry.field.add(name="value", number=2, label=FieldDescriptorProto.LABEL_OPTIONAL)
            yield from self._type(value, type_[2:], package)
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".{_ROOT}{package.replace('/', '.')}.{message.name}.{entry.name}"
        else:
            yield from self._type(field, type_.removeprefix("[]"), package)

    def _type(self, field: FieldDescriptorProto, type_: str, package: str) -> Iterator[str]:
        if type_ in _SCALARS:
            field.type = _SCALARS[type_]
            return
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_ROOT}{type_}"
        group, version, name = type_.split(".")
        if name not in facts().get(f"{group}/{version}", {}):
            yield _POOL.FindMessageTypeByName(f"{_ROOT}{type_}").file.name
        elif f"{group}/{version}" != package:
            yield self.file_of(f"{group}/{version}")
