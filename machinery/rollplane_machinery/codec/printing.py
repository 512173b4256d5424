"""Messages to Kubernetes JSON: what is printed of each message type, worked out once from its descriptor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rollplane_machinery.codec.fields import (
    is_always_printed,
    is_bytes,
    is_inline,
    is_null_when_absent,
    is_pointer,
    is_type_meta,
    json_fields,
    map_value,
    message_of,
    scalar_of,
)
from rollplane_machinery.codec.problems import Json
from rollplane_machinery.codec.type_meta import type_meta
from rollplane_machinery.codec.values import SPECIAL_TYPES, encode_base64

_Show = Callable[[Any], Json]
_Absent = Callable[[], Json]


class _Row(NamedTuple):
    """How one field is printed.

    ``name`` is "" for a field whose members go into the surrounding object. ``show`` None prints the value as it is;
    what it shows as None is left out. ``absent`` gives what is printed when the field is not set, None for nothing.
    """

    field: FieldDescriptor
    name: str
    show: _Show | None
    keep_zero: bool
    absent: _Absent | None


class Printer:
    """Prints messages of one type. Kubernetes' types do not contain themselves, so neither do printers."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._types = tuple((field.json_name, field.name) for field in json_fields(descriptor) if is_type_meta(field))
        # Kubernetes' order is that of the Go struct, in which the .proto files declare the fields.
        self._rows = tuple(_row(field) for field in descriptor.fields)
        meta = type_meta(descriptor)
        self._type_meta = {} if meta is None else {"kind": meta.kind, "apiVersion": meta.api_version}

    def print(self, message: Message) -> dict[str, Json]:
        """Return the JSON object of ``message``, without apiVersion and kind."""
        return self._print(message, {})

    def print_typed(self, message: Message) -> dict[str, Json]:
        """Return the JSON object of ``message``, beginning with apiVersion and kind if it bears them."""
        if self._types:  # the message itself says what it is
            return self._print(message, {name: getattr(message, attribute) for name, attribute in self._types})
        return self._print(message, self._type_meta.copy())

    def print_field(self, message: Message, index: int) -> dict[str, Json]:
        """Return the members that the field at ``index`` of the descriptor's fields gives: often one, maybe none."""
        return self._print(message, {}, self._rows[index : index + 1])

    def _print(self, message: Message, printed: dict[str, Json], rows: Sequence[_Row] | None = None) -> dict[str, Json]:
        present = dict(message.ListFields())
        for field, name, show, keep_zero, absent in rows or self._rows:
            if field in present:
                value = present[field]
                if show is not None:
                    value = show(value)
                    if value is None and absent is None:
                        continue
                elif not (value or keep_zero):
                    continue
            elif absent is not None:
                value = absent()
            else:
                continue
            if name:
                printed[name] = value
            else:
                printed.update(value)
        return printed


@cache
def printer_of(descriptor: Descriptor) -> Printer:
    """Return the printer of messages of ``descriptor``."""
    return Printer(descriptor)


def _row(field: FieldDescriptor) -> _Row:
    name = "" if is_inline(field) else field.json_name
    return _Row(field, name, _show(field), _keeps_zero(field), _absent(field))


def _keeps_zero(field: FieldDescriptor) -> bool:
    return is_pointer(field) or is_always_printed(field)


def _show(field: FieldDescriptor) -> _Show | None:
    if is_type_meta(field):
        return _show_nothing
    values = map_value(field)
    if values is not None:
        return _show_map(_show_element(values))
    show = _show_element(field)
    if field.is_repeated:
        return list if show is None else lambda elements: [show(element) for element in elements]
    if is_bytes(field) and not _keeps_zero(field):
        return lambda value: encode_base64(value) or None
    return show


def _show_element(field: FieldDescriptor) -> _Show | None:
    if is_bytes(field):
        return encode_base64
    if field.message_type is None:
        return None
    special = SPECIAL_TYPES.get(field.message_type.full_name)
    if special is not None:
        return special.print
    printer = printer_of(field.message_type)
    # The items of a typed list share the list's type; an object elsewhere (a volume claim template) names its own.
    return printer.print if field.name == "items" else printer.print_typed


def _show_nothing(_value: Any) -> Json:
    """What an object is stands before its members, where it is told at all."""
    return None


def _show_map(show: _Show | None) -> _Show:
    """Keys are sorted, as Go sorts them."""
    if show is None:
        return lambda entries: dict(sorted(entries.items()))
    return lambda entries: {key: show(entries[key]) for key in sorted(entries)}


def _absent(field: FieldDescriptor) -> _Absent | None:
    if is_inline(field):
        return None if map_value(field) is not None else _show_empty(message_of(field))
    if is_null_when_absent(field):
        return lambda: None
    if not is_always_printed(field):
        return None
    if field.message_type is None:
        zero = scalar_of(field).zero
        return lambda: zero
    special = SPECIAL_TYPES.get(field.message_type.full_name)
    return _show_empty(field.message_type) if special is None else lambda: special.empty


def _show_empty(descriptor: Descriptor) -> _Absent:
    """Absent structs are not bare ``{}``: their own fields that are always printed are inside."""
    printer, empty = printer_of(descriptor), GetMessageClass(descriptor)()
    return lambda: printer.print(empty)
