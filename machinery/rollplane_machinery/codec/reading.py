"""Kubernetes JSON to messages: how each message type is read, worked out once from its descriptor.

Reading yields a normal form: what Go cannot tell from absent is left unset (a zero in a field that is no pointer, an
empty struct, list or map), so that JSON of the same meaning gives equal messages. null means absent; as an element of a
list or map it is the zero element.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rollplane.meta.v1 import ManagedFieldsEntry
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec.fields import (
    is_bytes,
    is_inline,
    is_pointer,
    json_fields,
    map_value,
    message_of,
    scalar_of,
)
from rollplane_machinery.codec.printing import printer_of
from rollplane_machinery.codec.problems import Json, Path, Report
from rollplane_machinery.codec.type_meta import type_meta
from rollplane_machinery.codec.values import SPECIAL_TYPES, decode_base64
from rollplane_machinery.shapes.shapes import shape_of

_MANAGED_FIELDS = ManagedFieldsEntry.DESCRIPTOR
_TYPE = ("apiVersion", "kind")

_ReadField = Callable[[Any, Json, Path | None, Report], None]
"""Sets a field of the message from JSON that is not null; the path is that of the message."""

_ReadPart = Callable[[Any, Json, Path, Report], None]
"""Fills the message from JSON that is not null; the path is that of the message."""

_ReadEntry = Callable[[Any, str, Json, Path, Report], None]
"""Sets one entry of a map; raises ValueError for text that is not Unicode."""


class Reader:
    """Reads messages of one type. Kubernetes' types do not contain themselves, so neither do readers."""

    def __init__(self, descriptor: Descriptor) -> None:
        self.fields: dict[str, _ReadField] = {}
        if type_meta(descriptor) is not None:
            self.fields |= {name: _type_meta_reader(name) for name in ("kind", "apiVersion")}
        self._read_other: _ReadEntry | None = None
        for field in json_fields(descriptor):
            if is_inline(field) and map_value(field) is not None:
                self._read_other = _other_reader(field)
            else:
                self.fields |= _inline_readers(field) if is_inline(field) else {field.json_name: _reader(field)}

    def read(self, message: Message, data: Json, path: Path | None, report: Report) -> None:
        """Set the fields of ``message`` that ``data`` names, and report everything that cannot be."""
        if data.__class__ is not dict:
            report.mismatch(path, "object", data)
            return
        fields = self.fields
        for name, value in data.items():
            read = fields.get(name)
            if read is None:
                self._other(message, name, value, path, report)
            elif value is not None:
                read(message, value, path, report)

    def _other(self, message: Message, name: str, value: Json, path: Path | None, report: Report) -> None:
        if self._read_other is None:
            report.unknown(path, name)
            return
        try:
            self._read_other(message, name, value, (path, name), report)
        except ValueError:
            report.invalid((path, name), "is not valid Unicode")


class ShapedReader(Reader):
    """Reads objects that are kept as JSON, where it is known what Kubernetes' message of their kind looks like.

    What is kept is what a server would show: without what the message does not know, amounts in their canonical form.
    """

    def read(self, message: Message, data: Json, path: Path | None, report: Report) -> None:
        """Fill ``message`` from ``data``."""
        shape = _shape(data)
        if shape is not None:
            known = len(report.errors)
            data = {**_typed(data), **_shown(shape, data, path, report)}
            if len(report.errors) > known:
                return
        super().read(message, data, path, report)


def _shape(data: Json) -> Descriptor | None:
    if not isinstance(data, dict):
        return None
    api_version, kind = data.get("apiVersion"), data.get("kind")
    return shape_of(api_version, kind) if isinstance(api_version, str) and isinstance(kind, str) else None


def _typed(data: dict[str, Json]) -> dict[str, Json]:
    return {name: data[name] for name in _TYPE}


def _shown(shape: Descriptor, data: dict[str, Json], path: Path | None, report: Report) -> Json:
    """Return ``data`` as the JSON of the message ``shape``."""
    typed = GetMessageClass(shape)()
    reader_of(shape).read(typed, {name: value for name, value in data.items() if name not in _TYPE}, path, report)
    return printer_of(shape).print(typed)


@cache
def reader_of(descriptor: Descriptor) -> Reader:
    """Return the reader of messages of ``descriptor``."""
    return ShapedReader(descriptor) if descriptor is StoredObject.DESCRIPTOR else Reader(descriptor)


def _reader(field: FieldDescriptor) -> _ReadField:
    values = map_value(field)
    if values is not None:
        return _map_reader(field, _entry_reader(values))
    if field.message_type is not None:
        read_part = _part_reader(field.message_type)
        return _messages_reader(field, read_part) if field.is_repeated else _message_reader(field, read_part)
    return _scalars_reader(field) if field.is_repeated else _scalar_reader(field)


def _type_meta_reader(name: str) -> _ReadField:
    """The caller has chosen the message by them; here they need only be well-formed."""

    def read(_message: Message, value: Json, path: Path | None, report: Report) -> None:
        if value.__class__ is not str:
            report.mismatch((path, name), "string", value)

    return read


def _inline_readers(field: FieldDescriptor) -> dict[str, _ReadField]:
    """Return the readers of the members of an inline message, which stand in the surrounding object."""

    def within(read_member: _ReadField) -> _ReadField:
        def read(message: Message, value: Json, path: Path | None, report: Report) -> None:
            read_member(getattr(message, field.name), value, path, report)

        return read

    return {name: within(read) for name, read in reader_of(message_of(field)).fields.items()}


def _other_reader(field: FieldDescriptor) -> _ReadEntry:
    """Return the reader of members that no other field bears."""
    values = map_value(field)
    if values is None:
        raise TypeError(f"{field.full_name} is no map")
    read_entry, attribute = _entry_reader(values), field.name

    def read(message: Any, name: str, value: Json, path: Path, report: Report) -> None:
        if value is not None:
            read_entry(getattr(message, attribute), name, value, path, report)

    return read


def _scalar_reader(field: FieldDescriptor) -> _ReadField:
    attribute, name, keep_zero, scalar = field.name, field.json_name, is_pointer(field), scalar_of(field)
    wanted, convert = scalar.json_class, _conversion(field)

    def read(message: Message, value: Json, path: Path | None, report: Report) -> None:
        if value.__class__ is not wanted:
            report.mismatch((path, name), scalar.name, value)
        elif value or keep_zero:
            try:
                setattr(message, attribute, convert(value) if convert else value)
            except ValueError:  # out of range, not base64, or not Unicode
                report.mismatch((path, name), scalar.name, value)

    return read


def _conversion(field: FieldDescriptor) -> Callable[[Any], bytes] | None:
    return decode_base64 if is_bytes(field) else None


def _scalars_reader(field: FieldDescriptor) -> _ReadField:
    attribute, name, scalar, convert = field.name, field.json_name, scalar_of(field), _conversion(field)

    def read(message: Message, value: Json, path: Path | None, report: Report) -> None:
        if value.__class__ is not list:
            report.mismatch((path, name), "array", value)
            return
        append = getattr(message, attribute).append
        for index, item in enumerate(value):
            try:
                if item is None:
                    append(scalar.zero)
                elif item.__class__ is scalar.json_class:
                    append(convert(item) if convert else item)
                else:
                    report.mismatch(((path, name), index), scalar.name, item)
            except ValueError:
                report.mismatch(((path, name), index), scalar.name, item)

    return read


def _part_reader(descriptor: Descriptor) -> _ReadPart:
    special = SPECIAL_TYPES.get(descriptor.full_name)
    return special.read if special is not None else reader_of(descriptor).read


def _message_reader(field: FieldDescriptor, read_part: _ReadPart) -> _ReadField:
    attribute, name, keep_empty = field.name, field.json_name, is_pointer(field)
    # A quantity of 0 held by value is one more thing that looks the same when absent.

    special = SPECIAL_TYPES.get(message_of(field).full_name)
    empty = None if keep_empty or special is None else special.empty

    def read(message: Message, value: Json, path: Path | None, report: Report) -> None:
        part = getattr(message, attribute)
        if keep_empty:
            part.SetInParent()
        read_part(part, value, (path, name), report)
        if empty is not None and special is not None and special.print(part) == empty:
            message.ClearField(attribute)

    return read


def _messages_reader(field: FieldDescriptor, read_part: _ReadPart) -> _ReadField:
    attribute, name = field.name, field.json_name
    # An empty list of these asks that nobody be remembered, as one empty entry does; an absent one leaves all as it is.
    when_empty: list[Json] = [{}] if field.message_type is _MANAGED_FIELDS else []

    def read(message: Message, value: Json, path: Path | None, report: Report) -> None:
        if value.__class__ is not list:
            report.mismatch((path, name), "array", value)
            return
        here, add = (path, name), getattr(message, attribute).add
        for index, item in enumerate(value or when_empty):
            part = add()
            if item is not None:
                read_part(part, item, (here, index), report)

    return read


def _map_reader(field: FieldDescriptor, read_entry: _ReadEntry) -> _ReadField:
    attribute, name = field.name, field.json_name

    def read(message: Message, value: Json, path: Path | None, report: Report) -> None:
        if value.__class__ is not dict:
            report.mismatch((path, name), "object", value)
            return
        here, entries = (path, name), getattr(message, attribute)
        for key, item in value.items():
            try:
                read_entry(entries, key, item, (here, key), report)
            except ValueError:
                report.invalid((here, key), "is not valid Unicode")

    return read


def _entry_reader(field: FieldDescriptor) -> _ReadEntry:
    if field.message_type is not None:
        return _message_entry_reader(_part_reader(field.message_type))
    return _bytes_entry_reader if is_bytes(field) else _scalar_entry_reader(field)


def _message_entry_reader(read_part: _ReadPart) -> _ReadEntry:
    def read(entries: Any, key: str, item: Json, path: Path, report: Report) -> None:
        part = entries[key]
        if item is not None:
            read_part(part, item, path, report)

    return read


def _scalar_entry_reader(field: FieldDescriptor) -> _ReadEntry:
    scalar = scalar_of(field)

    def read(entries: Any, key: str, item: Json, path: Path, report: Report) -> None:
        if item.__class__ is scalar.json_class:
            entries[key] = item
        elif item is None:
            entries[key] = scalar.zero
        else:
            report.mismatch(path, scalar.name, item)

    return read


def _bytes_entry_reader(entries: Any, key: str, item: Json, path: Path, report: Report) -> None:
    if item is not None and item.__class__ is not str:
        report.mismatch(path, "base64", item)
        return
    try:
        value = decode_base64(item or "")
    except ValueError:
        report.mismatch(path, "base64", item)
    else:
        entries[key] = value
