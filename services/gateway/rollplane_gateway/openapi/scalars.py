"""Schemas of what is no JSON object: scalars, and messages that have a JSON form of their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rollplane.authentication.v1 import ExtraValue
from rollplane.meta import v1 as meta
from rollplane.stored.v1 import AnyValue
from rollplane_gateway.openapi.names import Json

SCALARS: Mapping[int, Json] = MappingProxyType(
    {
        FieldDescriptor.TYPE_STRING: {"type": "string"},
        FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
        FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
        FieldDescriptor.TYPE_INT64: {"type": "integer", "format": "int64"},
        FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    }
)
"""By type of field."""

_SPECIAL: Mapping[type[Message], Json] = {
    meta.Time: {"type": "string", "format": "date-time"},
    meta.MicroTime: {"type": "string", "format": "date-time"},
    meta.Duration: {"type": "string"},
    meta.Quantity: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    meta.IntOrString: {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    meta.RawExtension: {"type": "object"},
    meta.FieldsV1: {"type": "object"},
    AnyValue: {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    ExtraValue: {"type": "array", "items": {"type": "string"}},
}
SPECIAL: Mapping[str, Json] = MappingProxyType({each.DESCRIPTOR.full_name: schema for each, schema in _SPECIAL.items()})
"""By full name of message: the same messages as ``codec.values.SPECIAL_TYPES``."""
