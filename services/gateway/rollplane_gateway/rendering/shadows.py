"""Shadows of message types: protobuf reads the same bytes, but leaves parts of them unparsed.

A shadow has the fields of its message under the same names and numbers. A field that is cut holds a shadow in turn; any
other message, string or map entry is left as bytes, which on the wire look the same. A message that is not repeated may
still come in several parts, so its field is repeated here.
"""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

Cut = Callable[[FieldDescriptor], bool]
"""Whether the messages in a field become shadows too."""

_NUMBERS = (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64)


def shadow_of(descriptor: Descriptor, cut: Cut) -> type[Message]:
    """Return the shadow of the messages of ``descriptor``."""
    file = FileDescriptorProto(name=f"shadows/{descriptor.full_name}.proto", package="shadows", syntax="proto2")
    _describe(descriptor, descriptor.name, file, cut)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"shadows.{descriptor.name}"))


def _describe(descriptor: Descriptor, name: str, file: FileDescriptorProto, cut: Cut) -> None:
    shadow = DescriptorProto(name=name)
    for field in descriptor.fields:
        inner = f"{name}_{field.name}"
        if field.message_type is not None and cut(field):
            _describe(field.message_type, inner, file, cut)
            shadow.field.append(_field(field, FieldDescriptorProto.TYPE_MESSAGE, f".shadows.{inner}"))
        elif field.type in _NUMBERS:
            shadow.field.append(_field(field, FieldDescriptorProto.Type.ValueType(field.type)))
        else:
            shadow.field.append(_field(field, FieldDescriptorProto.TYPE_BYTES))
    file.message_type.append(shadow)


def _field(
    field: FieldDescriptor, type_: FieldDescriptorProto.Type.ValueType, type_name: str = ""
) -> FieldDescriptorProto:
    in_parts = field.message_type is not None and not type_name
    is_list = field.is_repeated or in_parts
    shown = FieldDescriptorProto(name=field.name, number=field.number, type=type_)
    shown.label = FieldDescriptorProto.LABEL_REPEATED if is_list else FieldDescriptorProto.LABEL_OPTIONAL
    if type_name:
        shown.type_name = type_name
    return shown
