"""Kubernetes' protobuf envelope: four bytes, then ``runtime.Unknown``, in which the message lies unparsed.

Source of the format: kubernetes/apimachinery pkg/runtime/generated.proto and serializer/protobuf.
"""

from __future__ import annotations

from functools import lru_cache

from rollplane.meta.v1 import WatchEvent
from rollplane_gateway.rendering.records import contents, cut_records, field_record
from rollplane_gateway.rendering.varints import OddWireError, encode_varint
from rollplane_machinery.errors import BadRequestError

MAGIC = b"k8s\0"
_TYPE_META, _RAW = 1, 2
_API_VERSION, _KIND = 1, 2
_NO_ENCODING = b"\x1a\x00\x22\x00"  # contentEncoding and contentType, which Go writes though they are empty


def wrapped(api_version: str, kind: str, raw: bytes) -> bytes:
    """Return the envelope of the message ``raw``."""
    return b"".join((_head(api_version, kind), encode_varint(len(raw)), raw, _NO_ENCODING))


@lru_cache(maxsize=1024)
def _head(api_version: str, kind: str) -> bytes:
    type_meta = field_record(_API_VERSION, api_version.encode()) + field_record(_KIND, kind.encode())
    return b"".join((MAGIC, field_record(_TYPE_META, type_meta), encode_varint(_RAW << 3 | 2)))


def unwrapped(body: bytes) -> tuple[str, str, bytes]:
    """Return apiVersion, kind and message of an envelope; raises BadRequestError when it is none."""
    if not body.startswith(MAGIC):
        raise BadRequestError("the body does not begin as Kubernetes' protobuf does")
    try:
        parts = _strings(body[len(MAGIC) :])
        type_meta = _strings(parts[_TYPE_META])
        return type_meta[_API_VERSION].decode(), type_meta[_KIND].decode(), parts[_RAW]
    except (OddWireError, IndexError, UnicodeDecodeError) as exc:
        raise BadRequestError("the body's protobuf envelope is malformed") from exc


def _strings(data: bytes) -> dict[int, bytes]:
    """Return the contents of the fields 1 and 2; the last record of each counts."""
    records = cut_records(data, {1 << 3 | 2: 1, 2 << 3 | 2: 2})
    return {number: contents(records[number])[-1] if number in records else b"" for number in (1, 2)}


def watch_frame(event_type: str, envelope: bytes) -> bytes:
    """Return one frame of a protobuf watch: its length in four bytes, then a bare WatchEvent around the envelope."""
    event = _event_type(event_type) + field_record(2, field_record(1, envelope))
    return len(event).to_bytes(4, "big") + event


@lru_cache(maxsize=16)
def _event_type(event_type: str) -> bytes:
    return WatchEvent(type=event_type).SerializeToString()
