"""What rules may ask of a value, as CEL's checker knows it: every object of a schema becomes a message type.

Members without a type, and those that only keep what nobody knows, are not there for rules. In lists of lists, and in
maps of lists or of maps, no more is known than that.

Source: kubernetes/apiserver pkg/cel/common/schemas.go.
"""

from __future__ import annotations

from cel_expr_python.cel import Type
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from rollplane_machinery.structural.cel.escaping import escaped
from rollplane_machinery.structural.cel.messages import new_pool
from rollplane_machinery.structural.schema import Structural, read

_PACKAGE = "schema"
_FILE = f"{_PACKAGE}.proto"
_IMPORTS = ("struct", "timestamp", "duration")
_RESERVED = range(19000, 20000)
_F = FieldDescriptorProto

_SCALARS = {"integer": Type.INT, "number": Type.DOUBLE, "boolean": Type.BOOL, "string": Type.STRING}
_FORMATS = {
    "byte": Type.BYTES,
    "duration": Type.DURATION,
    "date": Type.TIMESTAMP,
    "date-time": Type.TIMESTAMP,
}
_FIELDS = {
    Type.INT.name(): (_F.TYPE_INT64, ""),
    Type.DOUBLE.name(): (_F.TYPE_DOUBLE, ""),
    Type.BOOL.name(): (_F.TYPE_BOOL, ""),
    Type.STRING.name(): (_F.TYPE_STRING, ""),
    Type.BYTES.name(): (_F.TYPE_BYTES, ""),
    Type.DURATION.name(): (_F.TYPE_MESSAGE, ".google.protobuf.Duration"),
    Type.TIMESTAMP.name(): (_F.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
    Type.DYN.name(): (_F.TYPE_MESSAGE, ".google.protobuf.Value"),
}
_TEXT = read({"type": "string"})
_OF_RESOURCES = {
    "apiVersion": _TEXT,
    "kind": _TEXT,
    "metadata": read(
        {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}}
    ),
}


class Declarations:
    """The types of all values of a schema; ``pool`` holds the messages among them once all are declared."""

    def __init__(self) -> None:
        self._file = FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto3")
        self._file.dependency.extend(f"google/protobuf/{name}.proto" for name in _IMPORTS)
        self._names: dict[tuple[Structural, bool], str] = {}

    def pool(self) -> DescriptorPool:
        """Return a pool with the messages that were declared so far."""
        pool = new_pool()
        pool.AddSerializedFile(self._file.SerializeToString())
        return pool

    def type_of(self, node: Structural, *, is_root: bool = False) -> Type | None:
        """Return what values of ``node`` are to rules, None where they are nothing to them."""
        if node.is_int_or_string:
            return Type.DYN
        is_resource = is_root or node.is_embedded
        match node.type:
            case "array":
                item = None if node.items is None else self.type_of(node.items)
                return None if item is None else Type.List(item)
            case "object" if node.element is not None:
                value = self.type_of(node.element)
                return None if value is None else Type.Map(Type.STRING, value)
            case "object":
                return Type(f"{_PACKAGE}.{self._message(node, is_resource)}")
        scalar = _SCALARS.get(node.type)
        return _FORMATS.get(node.format, scalar) if node.type == "string" else scalar

    def _message(self, node: Structural, is_resource: bool) -> str:
        key = (node, is_resource)
        if key not in self._names:
            self._names[key] = name = f"Object{len(self._names)}"
            message = self._file.message_type.add(name=name)
            message.options.deprecated_legacy_json_field_conflicts = True  # members may be ``aB`` and ``a_b``
            members = {**node.properties, **_OF_RESOURCES} if is_resource else node.properties
            for number, (member, each) in enumerate(members.items(), 1):
                self._member(message, member, each, number if number < _RESERVED.start else number + len(_RESERVED))
        return self._names[key]

    def _member(self, message: DescriptorProto, name: str, node: Structural, number: int) -> None:
        identifier, kind = escaped(name), self.type_of(node)
        if identifier is not None and kind is not None:
            field = message.field.add(name=identifier, json_name=identifier, number=number, label=_F.LABEL_OPTIONAL)
            self._shape(message, field, node, kind)

    def _shape(self, message: DescriptorProto, field: FieldDescriptorProto, node: Structural, kind: Type) -> None:
        """Give ``field`` the type of what a member holds: values of ``node``, lists and maps among them."""
        if node.type == "array" and node.items is not None:
            field.label = _F.LABEL_REPEATED
            self._put(field, node.items)
        elif (entry := self._new_entry(message, field.name, node)) is not None:
            field.label, field.type = _F.LABEL_REPEATED, _F.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{message.name}.{entry}"
        else:
            self._put(field, node)

    def _new_entry(self, message: DescriptorProto, field: str, node: Structural) -> str | None:
        """Declare the entries of a map, unless their name, which follows from the field's, is another field's too."""
        if node.type != "object" or node.element is None:
            return None
        name = "".join(part[:1].upper() + part[1:] for part in field.split("_")) + "Entry"
        if any(entry.name == name for entry in message.nested_type):
            return None
        return self._entry(message, name, node.element)

    def _entry(self, message: DescriptorProto, name: str, values: Structural) -> str:
        """Declare the entries of the map ``name`` of ``values``, and return what they are called."""
        entry = message.nested_type.add(name=name)
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_F.TYPE_STRING, label=_F.LABEL_OPTIONAL)
        self._put(entry.field.add(name="value", number=2, label=_F.LABEL_OPTIONAL), values)
        return name

    def _put(self, field: FieldDescriptorProto, node: Structural) -> None:
        """Give ``field`` the type of one value of ``node``."""
        field.type, name = self._single(node)
        if name:
            field.type_name = name

    def _single(self, node: Structural) -> tuple[_F.Type.ValueType, str]:
        """The type of a field that holds one value of ``node``, and the name of that type."""
        if node.type == "array":
            return _F.TYPE_MESSAGE, ".google.protobuf.ListValue"
        if node.type == "object" and node.element is not None:
            return _F.TYPE_MESSAGE, ".google.protobuf.Struct"
        kind = self.type_of(node)
        name = Type.DYN.name() if kind is None else kind.name()
        return _FIELDS.get(name, (_F.TYPE_MESSAGE, f".{name}"))
