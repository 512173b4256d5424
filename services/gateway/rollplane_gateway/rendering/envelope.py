"""Kubernetes' protobuf around messages that are not parsed: envelopes, lists, the frames of a watch.

Source of the formats: kubernetes/apimachinery pkg/runtime/generated.proto and serializer/protobuf.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from google.protobuf.message import DecodeError

from rollplane.meta.v1 import ListMeta, RawExtension, TypeMeta, Unknown, WatchEvent
from rollplane_machinery.errors import BadRequestError

MAGIC = b"k8s\0"
_METADATA, _ITEMS, _RAW = 1, 2, 2
_TURNED_ROUND = ("meta.k8s.io/v1beta1", "PartialObjectMetadataList")
"""The one list whose fields stand the other way round."""
_NO_ENCODING = Unknown(content_encoding="", content_type="").SerializeToString()


def wrapped(api_version: str, kind: str, raw: bytes) -> bytes:
    """Return the envelope of the message ``raw``, with the empty strings that Go writes too."""
    type_meta = _type_meta(api_version, kind)
    return MAGIC + Unknown(type_meta=type_meta, raw=raw, content_encoding="", content_type="").SerializeToString()


@lru_cache(maxsize=1024)
def _type_meta(api_version: str, kind: str) -> TypeMeta:
    return TypeMeta(api_version=api_version, kind=kind)


def unwrapped(body: bytes) -> tuple[str, str, bytes]:
    """Return apiVersion, kind and message of an envelope; raises BadRequestError when it is none."""
    if not body.startswith(MAGIC):
        raise BadRequestError("the body does not begin as Kubernetes' protobuf does")
    try:
        unknown = Unknown.FromString(body[len(MAGIC) :])
    except DecodeError as exc:
        raise BadRequestError("the body's protobuf envelope is malformed") from exc
    return unknown.type_meta.api_version, unknown.type_meta.kind, unknown.raw


def wrapped_list(api_version: str, kind: str, meta: ListMeta, items: Sequence[bytes]) -> bytes:
    """Return the envelope of a list of the messages ``items``, which are copied once and no more.

    A list has its metadata in field 1 and its items in field 2.
    """
    of_meta, of_items = (_ITEMS, _METADATA) if (api_version, kind) == _TURNED_ROUND else (_METADATA, _ITEMS)
    parts = [_record_head(of_meta, meta.ByteSize()), meta.SerializeToString()]
    for item in items:
        parts += (_record_head(of_items, len(item)), item)
    type_meta = Unknown(type_meta=_type_meta(api_version, kind)).SerializeToString()
    return b"".join((MAGIC, type_meta, _record_head(_RAW, sum(map(len, parts))), *parts, _NO_ENCODING))


@lru_cache(maxsize=8192)
def _record_head(number: int, size: int) -> bytes:
    """Return what stands before ``size`` bytes of field ``number``, which is less than 16."""
    head = bytearray((number << 3 | 2,))
    while size >= 0x80:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head)


def watch_frame(event_type: str, envelope: bytes) -> bytes:
    """Return one frame of a protobuf watch: its length in four bytes, then a bare WatchEvent around the envelope."""
    event = WatchEvent(type=event_type, object=RawExtension(raw=envelope)).SerializeToString()
    return len(event).to_bytes(4, "big") + event
