"""How an Event names the object it is about."""

from __future__ import annotations

from rollplane.core.v1 import ObjectReference
from rollplane_machinery.api import Key


def reference_to(key: Key, uid: str) -> ObjectReference:
    """Return the reference to the object of ``key`` with that uid."""
    return ObjectReference(
        kind=key.kind.name, api_version=key.kind.api_version, namespace=key.namespace, name=key.name, uid=uid
    )
