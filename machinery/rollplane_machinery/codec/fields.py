"""What the codec asks of a field's descriptor, and the field options of ``rollplane/json/v1/options.proto`` with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rollplane.json.v1 import options_pb2 as options


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar type: the Python class of its JSON, what that is called in an error, and its zero."""

    json_class: type
    name: str
    zero: Any


_SCALARS: Mapping[int, Scalar] = MappingProxyType(
    {
        FieldDescriptor.TYPE_STRING: Scalar(str, "string", ""),
        FieldDescriptor.TYPE_BOOL: Scalar(bool, "boolean", False),
        FieldDescriptor.TYPE_INT32: Scalar(int, "32-bit integer", 0),
        FieldDescriptor.TYPE_INT64: Scalar(int, "64-bit integer", 0),
        FieldDescriptor.TYPE_BYTES: Scalar(str, "base64", b""),
    }
)


def scalar_of(field: FieldDescriptor) -> Scalar:
    """Return the scalar type of ``field``; KeyError means a type that Kubernetes' messages do not use."""
    return _SCALARS[field.type]


def is_bytes(field: FieldDescriptor) -> bool:
    """Whether ``field`` holds bytes, which are base64 in JSON."""
    return field.type == FieldDescriptor.TYPE_BYTES


def is_inline(field: FieldDescriptor) -> bool:
    """Whether the members of the message in ``field`` stand in the surrounding JSON object."""
    return field.GetOptions().Extensions[options.inline]


def is_type_meta(field: FieldDescriptor) -> bool:
    """Whether ``field`` is the object's own apiVersion or kind, or says more of its type."""
    return field.GetOptions().Extensions[options.type_meta]


def has_no_json(field: FieldDescriptor) -> bool:
    """Whether JSON does not show ``field``: what says more of an object's type than apiVersion and kind do."""
    return is_type_meta(field) and field.message_type is not None


def json_fields(descriptor: Descriptor) -> list[FieldDescriptor]:
    """Return the fields that JSON shows."""
    return [field for field in descriptor.fields if not has_no_json(field)]


def map_value(field: FieldDescriptor) -> FieldDescriptor | None:
    """Return the field of the values when ``field`` is a map."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and entry.GetOptions().map_entry else None


def message_of(field: FieldDescriptor) -> Descriptor:
    """Return the type of the messages in ``field``, which must hold messages."""
    if field.message_type is None:
        raise TypeError(f"{field.full_name} holds no messages")
    return field.message_type


def is_always_printed(field: FieldDescriptor) -> bool:
    """Whether JSON shows ``field`` when it is not set, as its zero."""
    return _emit(field) == options.EMIT_ALWAYS


def is_null_when_absent(field: FieldDescriptor) -> bool:
    """Whether JSON shows ``field`` as null when it is not set: a pointer that is not omitted, or no list or map."""
    is_collection = field.is_repeated and _emit(field) == options.EMIT_ALWAYS
    return is_collection or _emit(field) == options.EMIT_OR_NULL


def is_pointer(field: FieldDescriptor) -> bool:
    """Whether Go tells a zero that is set from an absent value: all messages but those that are always printed."""
    if field.message_type is not None:
        return not is_always_printed(field)
    return _emit(field) in (options.EMIT_IF_SET, options.EMIT_OR_NULL)


def _emit(field: FieldDescriptor) -> int:
    return field.GetOptions().Extensions[options.emit]
