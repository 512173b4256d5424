"""Types of values that Kubernetes' functions make: messages with one text, which CEL passes around whole."""

from __future__ import annotations

from collections.abc import Callable

from cel_expr_python.cel import Type
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_JSON_TYPES = (struct_pb2, timestamp_pb2, duration_pb2)
_TYPES = {
    "kubernetes": ("FormatErrors", "MaybeFormat", "NamedFormat", "Quantity", "Semver", "URL"),
    "net": ("CIDR", "IP"),
}
_TEXT = "text"


def new_pool() -> DescriptorPool:
    """Return a pool that knows these types, and those of JSON, times and durations."""
    pool = DescriptorPool()
    for module in _JSON_TYPES:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for package, names in _TYPES.items():
        pool.AddSerializedFile(_file(package, names).SerializeToString())
    return pool


def _file(package: str, names: tuple[str, ...]) -> FileDescriptorProto:
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    kind, label = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.LABEL_OPTIONAL
    for name in names:
        file.message_type.add(name=name).field.add(name=_TEXT, number=1, type=kind, label=label)
    return file


POOL = new_pool()
QUANTITY, SEMVER, URL = Type("kubernetes.Quantity"), Type("kubernetes.Semver"), Type("kubernetes.URL")
FORMAT, MAYBE_FORMAT = Type("kubernetes.NamedFormat"), Type("kubernetes.MaybeFormat")
ERRORS = Type("kubernetes.FormatErrors")
CIDR, IP = Type("net.CIDR"), Type("net.IP")


def maker(name: str) -> Callable[[str], Message]:
    """Return what makes a value of the type ``name`` from its text; equal values have equal texts."""
    message = GetMessageClass(POOL.FindMessageTypeByName(name))
    return lambda text: message(**{_TEXT: text})


def text_of(value: Message) -> str:
    """Return the text of a value of one of these types."""
    text: str = getattr(value, _TEXT)
    return text


def type_of(value: Message) -> str:
    """Return which of these types ``value`` has."""
    return value.DESCRIPTOR.full_name
