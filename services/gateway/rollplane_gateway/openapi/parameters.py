"""Parameters of operations: the fields of Kubernetes' option messages, and the names in a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from google.protobuf.message import Message

from rollplane.meta import v1 as meta
from rollplane_gateway.openapi.comments import comments
from rollplane_gateway.openapi.names import Json, descriptor_of
from rollplane_gateway.openapi.scalars import SCALARS

_NOT_OFFERED = frozenset(
    {"shard_selector", "orphan_dependents", "ignore_store_read_error_with_cluster_breaking_potential"}
)
_SELECTION = ("label_selector", "field_selector")


def _query(options: type[Message], only: Sequence[str] = ()) -> list[Json]:
    """Return the fields of ``options`` that a query may name; of a list (``dryRun``) each value is a parameter."""
    fields = (each for each in descriptor_of(options).fields if each.message_type is None)
    return [
        {
            "name": each.json_name,
            "in": "query",
            "description": comments()[each.full_name],
            "schema": SCALARS[each.type],
        }
        for each in fields
        if (each.name in only if only else each.name not in _NOT_OFFERED)
    ]


_GET: list[Json] = []
_LIST = _query(meta.ListOptions)
_DELETE = _query(meta.DeleteOptions)

QUERIES: Mapping[str, list[Json]] = MappingProxyType(
    {
        "get": _GET,
        "list": _LIST,
        "create": _query(meta.CreateOptions),
        "update": _query(meta.UpdateOptions),
        "patch": _query(meta.PatchOptions),
        "delete": _DELETE,
        "deletecollection": [*_DELETE, *_query(meta.ListOptions, only=_SELECTION)],
    }
)
"""The parameters of each verb."""


def in_path(name: str, description: str) -> Json:
    """Return the parameter that stands in a path as ``{name}``."""
    return {"name": name, "in": "path", "description": description, "required": True, "schema": {"type": "string"}}
