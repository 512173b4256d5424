"""What objects of a kind are to server-side apply: told by their message, and of custom ones by their schema."""

from __future__ import annotations

from rollplane_machinery.fields.schema import Node, node_of
from rollplane_machinery.kinds import CustomKind, Kind


def node_of_kind(kind: Kind) -> Node:
    """Return what objects of ``kind`` are; raises NotFoundError for a custom kind that no server has told of."""
    return kind.described.schema.fields if isinstance(kind, CustomKind) else node_of(kind.shape)
