"""The verbs of stored objects and of their subresources, by method."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rollplane_gateway.calls import Handler
from rollplane_gateway.verbs.binding import bind, evict
from rollplane_gateway.verbs.create import create
from rollplane_gateway.verbs.delete import delete, delete_collection
from rollplane_gateway.verbs.finalize import finalize
from rollplane_gateway.verbs.patch import patch
from rollplane_gateway.verbs.read import get, read_collection
from rollplane_gateway.verbs.scale import get_scale, patch_scale, replace_scale
from rollplane_gateway.verbs.update import update, update_status

Verbs = Mapping[str, Handler]
"""Handlers by method."""

COLLECTION: Verbs = MappingProxyType({"GET": read_collection, "POST": create, "DELETE": delete_collection})
OBJECT: Verbs = MappingProxyType({"GET": get, "PUT": update, "PATCH": patch, "DELETE": delete})
SUBRESOURCES: Mapping[str, Verbs] = MappingProxyType(
    {
        "status": {"GET": get, "PUT": update_status, "PATCH": patch},
        "scale": {"GET": get_scale, "PUT": replace_scale, "PATCH": patch_scale},
        "eviction": {"POST": evict},
        "binding": {"POST": bind},
        "finalize": {"PUT": finalize},
    }
)
