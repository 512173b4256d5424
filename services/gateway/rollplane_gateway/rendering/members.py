"""Messages from the wire to the members of their JSON object, without parsing what was seen before.

Pods of one template differ in a few fields. So an object is read as its shadow, in which the parts that many share are
still bytes, and the text of a part is kept by its bytes. Fields do not depend on each other: a message that holds only
one field has in it exactly what the whole message has there. That is how a part that is new gets its text, by the codec
itself, and why the result is the codec's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rollplane_gateway.rendering.byte_cache import Budget
from rollplane_gateway.rendering.json_text import json_bytes
from rollplane_gateway.rendering.shadows import shadow_of
from rollplane_machinery.codec.fields import is_inline, message_of
from rollplane_machinery.codec.printing import printer_of
from rollplane_machinery.codec.type_meta import type_meta

_CUT = frozenset({"metadata", "spec", "status", "container_statuses"})
"""Fields whose messages differ from object to object in a few of their own fields; the others are kept whole."""
_INTEGERS = (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64)

_Show = Callable[[Any], bytes]
"""Text of one field's value in a shadow: its name and its value, or nothing where the codec prints nothing."""


class Members:
    """The text of the messages of one type.

    ``text`` raises UnicodeDecodeError or protobuf's DecodeError for bytes that are no message; InternalError as the
    codec does.
    """

    def __init__(self, descriptor: Descriptor, budget: Budget) -> None:
        self._shadow = shadow_of(descriptor, _is_cut)
        shadow: Any = self._shadow.DESCRIPTOR
        self._rows = _Rows(descriptor, shadow, budget)

    def text(self, data: bytes) -> bytes:
        """Return the members of the message ``data``, without braces."""
        return self._rows.text(self._shadow.FromString(data))


class _Rows:
    """How the fields of one type are written; ``shadow`` is the type's shadow."""

    def __init__(self, descriptor: Descriptor, shadow: Descriptor, budget: Budget) -> None:
        self._class: type[Message] = GetMessageClass(descriptor)
        self._shadow_class: type[Message] = GetMessageClass(shadow)
        self._printer = printer_of(descriptor)
        self._absent = [self._made(b"", index) for index in range(len(descriptor.fields))]
        self._shows = {
            shadow.fields_by_name[field.name]: (index, self._show(field, index, shadow, budget))
            for index, field in enumerate(descriptor.fields)
        }

    def text(self, message: Message) -> bytes:
        """Return the members of what ``message`` is the shadow of."""
        parts, shows = self._absent.copy(), self._shows
        for field, value in message.ListFields():
            index, show = shows[field]
            parts[index] = show(value)
        return b",".join(filter(None, parts))

    def _show(self, field: FieldDescriptor, index: int, shadow: Descriptor, budget: Budget) -> _Show:
        if _is_cut(field):
            return self._cut(field, shadow, budget)
        if field.is_repeated or field.message_type is not None:
            return self._kept(field, index, budget)
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._string(field, index)
        if field.type == FieldDescriptor.TYPE_BOOL:
            return self._truth(field, index)
        return self._integer(field, index) if field.type in _INTEGERS else self._single(field, index)

    def _cut(self, field: FieldDescriptor, shadow: Descriptor, budget: Budget) -> _Show:
        inner = message_of(shadow.fields_by_name[field.name])
        prefix, rows = _prefix(field), _Rows(message_of(field), inner, budget)
        if field.is_repeated:
            return lambda messages: b"%b[{%b}]" % (prefix, b"},{".join(map(rows.text, messages)))
        return lambda message: b"%b{%b}" % (prefix, rows.text(message))

    def _kept(self, field: FieldDescriptor, index: int, budget: Budget) -> _Show:
        cache = budget.cache()
        young = cache.young.get

        def show(values: Sequence[Any]) -> bytes:
            key = tuple(values)
            text = young(key)
            if text is None and (text := cache.get(key)) is None:
                text = cache.put(key, self._made(self._record(field, values), index))
            return text

        return show

    def _string(self, field: FieldDescriptor, index: int) -> _Show:
        """Names and addresses are seen once: cheaper written than kept."""
        prefix, empty = _prefix(field), self._made(self._record(field, b""), index)
        return lambda value: prefix + orjson.dumps(value.decode()) if value else empty

    def _integer(self, field: FieldDescriptor, index: int) -> _Show:
        prefix, zero = _prefix(field), self._made(self._record(field, 0), index)
        return lambda value: b"%b%d" % (prefix, value) if value else zero

    def _truth(self, field: FieldDescriptor, index: int) -> _Show:
        texts = [self._made(self._record(field, value), index) for value in (False, True)]
        return lambda value: texts[value]

    def _single(self, field: FieldDescriptor, index: int) -> _Show:
        return lambda value: self._made(self._record(field, value), index)

    def _record(self, field: FieldDescriptor, value: Any) -> bytes:
        """Return the bytes of a message that has nothing but ``field``."""
        shadow = self._shadow_class(**{field.name: value})
        return shadow.SerializeToString()

    def _made(self, record: bytes, index: int) -> bytes:
        """Text of a field by the codec."""
        return json_bytes(self._printer.print_field(self._class.FromString(record), index))[1:-1]


def _is_cut(field: FieldDescriptor) -> bool:
    message = field.message_type
    return message is not None and field.name in _CUT and not is_inline(field) and type_meta(message) is None


def _prefix(field: FieldDescriptor) -> bytes:
    return orjson.dumps(field.json_name) + b":"
