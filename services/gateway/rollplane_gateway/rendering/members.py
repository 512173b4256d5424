"""Messages from the wire to the members of their JSON object, without parsing what was seen before.

Pods of one template differ in a few fields. So an object is cut into the records of its fields, and the text of each
record is kept by its bytes. Records of different fields do not depend on each other: a message that holds only one
field's records has in it exactly what the whole message has there. That is how a record that is new gets its text, by
the codec itself, and why the result is the codec's. What this reader does not expect is left to protobuf's parser.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rollplane_gateway.rendering.byte_cache import Budget
from rollplane_gateway.rendering.json_text import json_bytes
from rollplane_gateway.rendering.records import contents, cut_records, tag_of
from rollplane_gateway.rendering.varints import encode_varint
from rollplane_machinery.codec.fields import is_inline, message_of
from rollplane_machinery.codec.printing import printer_of
from rollplane_machinery.codec.type_meta import type_meta

_CUT = frozenset({"metadata", "spec", "status", "container_statuses"})
"""Fields whose messages differ from object to object in a few of their own fields; the others are kept whole."""

_Show = Callable[[bytes], bytes]
"""Text of one field's records: its name and its value, or nothing where the codec prints nothing."""


class Members:
    """The text of the messages of one type.

    ``text`` raises OddWireError, IndexError, UnicodeDecodeError or protobuf's DecodeError for bytes that it cannot
    read, although protobuf may; InternalError as the codec does.
    """

    def __init__(self, descriptor: Descriptor, budget: Budget) -> None:
        self._class: type[Message] = GetMessageClass(descriptor)
        self._printer = printer_of(descriptor)
        self._cache = budget.cache()
        self._kept = self._cache.young.get
        self._tags = {tag_of(field): index for index, field in enumerate(descriptor.fields)}
        self._shows = [self._show(field, index, budget) for index, field in enumerate(descriptor.fields)]
        self._absent = [self._made(b"", index) for index in range(len(descriptor.fields))]

    def text(self, data: bytes) -> bytes:
        """Return the members of the message ``data``, without braces."""
        parts = self._absent.copy()
        shows, kept = self._shows, self._kept
        for index, records in cut_records(data, self._tags).items():
            show = shows[index]
            # The field's number is in its records, so one cache does for all fields.
            text = kept(records) if show is None else show(records)
            parts[index] = self._remembered(records, index) if text is None else text
        return b",".join(filter(None, parts))

    def _show(self, field: FieldDescriptor, index: int, budget: Budget) -> _Show | None:
        """Return how the field's records are written; None for a field whose text is kept."""
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
            return self._string(field, index)
        if field.name in _CUT and field.message_type is not None and not is_inline(field):
            inner = message_of(field)
            if type_meta(inner) is None:
                return _cut(field, Members(inner, budget))
        return None

    def _remembered(self, records: bytes, index: int) -> bytes:
        text = self._cache.get(records)
        return self._cache.put(records, self._made(records, index)) if text is None else text

    def _string(self, field: FieldDescriptor, index: int) -> _Show:
        """Names and addresses are seen once: cheaper written than kept."""
        prefix, size_at = _prefix(field), len(encode_varint(tag_of(field)))

        def show(records: bytes) -> bytes:
            size = records[size_at]
            if not size or size_at + 1 + size != len(records):
                return self._made(records, index)  # empty, long, or there twice
            return prefix + orjson.dumps(records[size_at + 1 :].decode())

        return show

    def _made(self, records: bytes, index: int) -> bytes:
        """Text of a field by the codec."""
        return json_bytes(self._printer.print_field(self._class.FromString(records), index))[1:-1]


def _cut(field: FieldDescriptor, members: Members) -> _Show:
    prefix = _prefix(field)
    if field.is_repeated:
        return lambda records: b"%b[{%b}]" % (prefix, b"},{".join(map(members.text, contents(records))))
    # The records of a message that is not repeated are parts of one message.
    return lambda records: b"%b{%b}" % (prefix, members.text(b"".join(contents(records))))


def _prefix(field: FieldDescriptor) -> bytes:
    return orjson.dumps(field.json_name) + b":"
