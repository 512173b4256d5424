"""Messages from the wire to the members of their JSON object, without parsing what was seen before.

Pods of one template differ in a few fields. So an object is read as its shadow, out of which the fields that are an
object's own are taken; what is left many share, and its text is kept by its bytes, with gaps for those taken out. Text
that is not kept is made of parts, which are kept in turn. Fields do not depend on each other: a message that holds only
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
from rollplane_machinery.codec.fields import is_inline, is_type_meta, message_of
from rollplane_machinery.codec.printing import printer_of
from rollplane_machinery.codec.type_meta import type_meta
from rollplane_machinery.codec.values import SPECIAL_TYPES

_CUT = frozenset({"metadata", "spec", "status", "container_statuses", "pod_ips"})
"""Fields whose messages differ from object to object in a few of their own fields; the others are kept whole."""
_OWN = frozenset(
    {
        "ObjectMeta.name",
        "ObjectMeta.uid",
        "ObjectMeta.resource_version",
        "PodSpec.node_name",
        "PodStatus.pod_ip",
        "PodIP.ip",
        "ContainerStatus.container_id",
    }
)
"""Texts that hardly two objects share."""
_INTEGERS = (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64)

_Take = Callable[[Any], bytes | None]
"""Text of one field's value in the shadow it is given, None where it is not there."""
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
        self._shows: dict[FieldDescriptor, tuple[int, _Show]] = {}
        self._own: list[tuple[str, int, _Take]] = []
        self._gaps: dict[int, tuple[int, bytes]] = {}
        self._patterns = budget.cache()
        self._young = self._patterns.young.get
        for index, field in enumerate(descriptor.fields):
            if _is_cut(field):
                self._add_own(field, index, self._cut(field, shadow, budget))
                continue
            if f"{descriptor.name}.{field.name}" in _OWN:
                self._add_own(field, index, _text_of(field))
            self._shows[shadow.fields_by_name[field.name]] = index, self._show(field, index, budget)

    def _add_own(self, field: FieldDescriptor, index: int, take: _Take) -> None:
        bit = 1 << len(self._own)
        self._own.append((field.name, bit, take))
        self._gaps[bit] = index, _prefix(field) + b"%b"

    def text(self, message: Message) -> bytes:
        """Return the members of what ``message`` is the shadow of; nothing is left of it."""
        own, taken = [], 0
        for name, bit, take in self._own:
            text = take(message)
            if text is not None:
                own.append(text)
                taken |= bit
                message.ClearField(name)
        key = (taken, message.SerializeToString())
        pattern = self._young(key)
        if pattern is None and (pattern := self._patterns.get(key)) is None:
            pattern = self._patterns.put(key, self._pattern(message, taken))
        return pattern % tuple(own)

    def _pattern(self, message: Message, taken: int) -> bytes:
        """Return the text of ``message`` with a gap for each field that was ``taken`` out."""
        parts, shows = self._absent.copy(), self._shows
        for field, value in message.ListFields():
            index, show = shows[field]
            parts[index] = show(value)
        parts = [part.replace(b"%", b"%%") for part in parts]
        for bit, (index, gap) in self._gaps.items():
            if bit & taken:
                parts[index] = gap
        return b",".join(filter(None, parts))

    def _show(self, field: FieldDescriptor, index: int, budget: Budget) -> _Show:
        if is_type_meta(field):
            return _show_nothing
        if field.is_repeated or field.message_type is not None:
            return self._whole(field, index, budget)
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._string(field, index)
        if field.type == FieldDescriptor.TYPE_BOOL:
            return self._truth(field, index)
        return self._integer(field, index) if field.type in _INTEGERS else self._single(field, index)

    def _cut(self, field: FieldDescriptor, shadow: Descriptor, budget: Budget) -> _Take:
        inner = message_of(shadow.fields_by_name[field.name])
        rows = _Rows(message_of(field), inner, budget)
        return _texts_of(field, rows.text) if field.is_repeated else _message_of(field, rows.text)

    def _whole(self, field: FieldDescriptor, index: int, budget: Budget) -> _Show:
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


def _text_of(field: FieldDescriptor) -> _Take:
    name = field.name

    def take(message: Any) -> bytes | None:
        value = getattr(message, name)
        return orjson.dumps(value.decode()) if value else None

    return take


def _message_of(field: FieldDescriptor, text: Callable[[Any], bytes]) -> _Take:
    name = field.name
    return lambda message: b"{%b}" % text(getattr(message, name)) if message.HasField(name) else None


def _texts_of(field: FieldDescriptor, text: Callable[[Any], bytes]) -> _Take:
    name = field.name

    def take(message: Any) -> bytes | None:
        values = getattr(message, name)
        return b"[{%b}]" % b"},{".join(map(text, values)) if values else None

    return take


def _is_cut(field: FieldDescriptor) -> bool:
    message = field.message_type
    if message is None or field.name not in _CUT or is_inline(field):
        return False
    return message.full_name not in SPECIAL_TYPES and type_meta(message) is None


def _show_nothing(_value: bytes) -> bytes:
    """What an object is stands before its members."""
    return b""


def _prefix(field: FieldDescriptor) -> bytes:
    return orjson.dumps(field.json_name) + b":"
