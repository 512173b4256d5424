"""The records of a message's fields, cut from its bytes."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import FieldDescriptor

from rollplane_gateway.rendering.varints import (
    LENGTH_DELIMITED,
    VARINT,
    OddWireError,
    encode_varint,
    read_varint,
    record_end,
)

_NUMBERS = (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64)


def tag_of(field: FieldDescriptor) -> int:
    """Return the tag under which the records of ``field`` stand; packed ones stand under another."""
    return field.number << 3 | (VARINT if field.type in _NUMBERS else LENGTH_DELIMITED)


def cut_records(data: bytes, tags: Mapping[int, int]) -> dict[int, bytes]:
    """Return the records of each field of ``data``, joined in their order, by what ``tags`` says of the tag.

    Fields whose tag is not in ``tags`` are left out. Raises OddWireError or IndexError for bytes that are no message,
    or one in which a known field has another wire type. Written out at length, since everything is rendered by it.
    """
    records: dict[int, bytes] = {}
    run, begun, index = -1, 0, None
    at, end = 0, len(data)
    while at < end:
        start = at
        tag = data[at]
        at += 1
        if tag >= 0x80:
            tag, at = read_varint(data, start)
        if tag != run:
            if index is not None:
                records[index] = records[index] + data[begun:start] if index in records else data[begun:start]
            run, begun, index = tag, start, tags.get(tag)
            if index is None:
                _check_unknown(tag, tags)
        if tag & 7 == LENGTH_DELIMITED:
            size = data[at]
            at += 1
            if size >= 0x80:
                size, at = read_varint(data, at - 1)
            at += size
        else:
            at = record_end(data, tag, at)
    if at != end:
        raise OddWireError("cut short")
    if index is not None:
        records[index] = records[index] + data[begun:] if index in records else data[begun:]
    return records


def _check_unknown(tag: int, tags: Mapping[int, int]) -> None:
    number = tag >> 3
    if number == 0 or any(known >> 3 == number for known in tags):
        raise OddWireError("a field of another wire type")


def contents(records: bytes) -> list[bytes]:
    """Return the contents of the length-delimited ``records`` of one field."""
    found: list[bytes] = []
    at, end = 0, len(records)
    while at < end:
        _, at = read_varint(records, at)
        size, at = read_varint(records, at)
        found.append(records[at : at + size])
        at += size
    return found


def field_record(number: int, content: bytes) -> bytes:
    """Return the length-delimited record of field ``number``."""
    return b"".join((encode_varint(number << 3 | LENGTH_DELIMITED), encode_varint(len(content)), content))
