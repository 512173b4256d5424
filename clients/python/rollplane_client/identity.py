"""Which object bytes or a write are about, read without parsing more than the metadata."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from rollplane.meta.v1 import ObjectMeta, PartialObjectMetadata
from rollplane_machinery.api import Create, Key, Update, UpdateStatus, Write
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Encoded


def metadata_of(value: bytes) -> ObjectMeta:
    """Return the metadata in the bytes of an object of any kind; raises BadRequestError when they are not one.

    Every kind keeps its metadata in field 1, so a message that knows only that field reads it from all of them, in
    about a tenth of the time that parsing a pod takes.
    """
    partial = PartialObjectMetadata()
    try:
        partial.MergeFromString(value)
    except DecodeError as exc:
        raise BadRequestError(f"not an object: {exc}") from exc
    return partial.metadata


def key_of(encoded: Encoded) -> Key:
    """Return the object's key; its name is empty when the server is to generate one."""
    metadata = metadata_of(encoded.value)
    return Key(encoded.kind, metadata.namespace, metadata.name)


def written_key(write: Write) -> Key:
    """Return the key of the object that ``write`` changes; a create with generate_name has an empty name."""
    if isinstance(write, Create | Update | UpdateStatus):
        return key_of(write.object)
    return write.key
