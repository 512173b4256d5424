"""Objects kept as JSON, as far as rules read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rollplane.stored.v1 import StoredObject

Object = Mapping[str, Any]
_EMPTY: Object = MappingProxyType({})


def spec_of(stored: StoredObject) -> Object:
    """Return the spec, empty where there is none or it is no JSON object, which validation refuses."""
    try:
        return object_in(json.loads(stored.spec.json or b"null"))
    except (ValueError, RecursionError):
        return _EMPTY


def object_in(value: Any) -> Object:
    """Return ``value`` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else _EMPTY


def list_in(value: Any) -> list[Any]:
    """Return ``value`` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def json_text(value: Any) -> bytes:
    """Return ``value`` as stored objects hold it: without spaces, names sorted."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
