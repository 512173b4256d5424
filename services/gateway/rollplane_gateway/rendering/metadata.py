"""The part of an object's bytes that is its metadata."""

from __future__ import annotations

from rollplane_gateway.rendering.records import cut_records
from rollplane_gateway.rendering.varints import OddWireError
from rollplane_machinery.errors import BadRequestError

_METADATA = 1
_TAGS = {_METADATA << 3 | 2: _METADATA}


def metadata_records(value: bytes) -> bytes:
    """Return the records of an object's metadata: a PartialObjectMetadata, unparsed.

    Raises BadRequestError when the bytes are no object.
    """
    try:
        return cut_records(value, _TAGS).get(_METADATA, b"")
    except (OddWireError, IndexError) as exc:
        raise BadRequestError("not an object: its bytes are no message") from exc
