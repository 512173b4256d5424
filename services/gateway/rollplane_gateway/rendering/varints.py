"""Protobuf's numbers on the wire, and the three ways in which a field's record goes on behind its tag."""

from __future__ import annotations

LENGTH_DELIMITED = 2
VARINT = 0
_FIXED64, _FIXED32 = 1, 5
_MAX_SHIFT = 63


class OddWireError(Exception):
    """The bytes are not what this reader expects; protobuf's own parser knows what to say of them."""


def encode_varint(number: int) -> bytes:
    """Return a number of at least 0."""
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at ``at`` and where it ends; raises IndexError or OddWireError."""
    number, shift = 0, 0
    while (byte := data[at]) >= 0x80:
        number |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if shift > _MAX_SHIFT:
            raise OddWireError("a number of more than 64 bits")
    return number | byte << shift, at + 1


def record_end(data: bytes, tag: int, at: int) -> int:
    """Return where the record of ``tag``, whose content begins at ``at``, ends; raises IndexError or OddWireError."""
    wire = tag & 7
    if wire == LENGTH_DELIMITED:
        size, at = read_varint(data, at)
        return at + size
    if wire == VARINT:
        return read_varint(data, at)[1]
    if wire in (_FIXED64, _FIXED32):
        return at + (8 if wire == _FIXED64 else 4)
    raise OddWireError("a group")
