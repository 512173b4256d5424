"""What objects of a kind are to server-side apply: told by their message, and of custom ones by their schema."""

from __future__ import annotations

from rollplane_machinery.fields.schema import Node, node_of
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, CustomKind, Kind
from rollplane_machinery.patch.json_value import JsonObject


def node_of_kind(kind: Kind) -> Node:
    """Return what objects of ``kind`` are; raises NotFoundError for a custom kind that no server has told of."""
    return kind.described.schema.fields if isinstance(kind, CustomKind) else node_of(kind.shape)


def undeclared_in(document: JsonObject, kind: Kind) -> list[str]:
    """Return a sentence for each member of a custom object, or of a definition, that its schema does not declare.

    What is unknown in objects of other kinds is found as they are read.
    """
    if isinstance(kind, CustomKind):
        return kind.described.schema.undeclared(document)
    if kind is not CUSTOM_RESOURCE_DEFINITION:
        return []
    from rollplane_machinery.structural.shape import DEFINITION  # loaded late: few planes have any

    return DEFINITION.undeclared(document)
