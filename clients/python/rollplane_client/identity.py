"""Which object a write is about, read without parsing more than the metadata."""

from __future__ import annotations

from rollplane_machinery.api import Key, Write
from rollplane_machinery.kinds import metadata_of as metadata_of


def written_key(write: Write) -> Key:
    """Return the key of the object that ``write`` changes; a create with generate_name has an empty name."""
    return write.key
