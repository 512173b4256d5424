"""The part of an object's bytes that is its metadata."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from rollplane.meta.v1 import PartialObjectMetadata
from rollplane_gateway.rendering.shadows import shadow_of
from rollplane_machinery.errors import BadRequestError

_Bare: Any = shadow_of(PartialObjectMetadata.DESCRIPTOR, lambda _: False)


def bare_message(value: bytes) -> bytes:
    """Return the PartialObjectMetadata of an object, unparsed; raises BadRequestError when the bytes are no object."""
    try:
        parts = _Bare.FromString(value).metadata
    except DecodeError as exc:
        raise BadRequestError("not an object: its bytes are no message") from exc
    bare: bytes = _Bare(metadata=parts).SerializeToString()
    return bare
