"""Small ways to write schemas."""

from __future__ import annotations

from typing import Any

from rollplane_machinery.structural.custom import Schema
from rollplane_machinery.structural.parsing import parse_schema

Json = Any


def obj(properties: Json = None, **more: Json) -> dict[str, Json]:
    return {"type": "object", "properties": properties or {}, **more}


def root(spec: dict[str, Json], **more: Json) -> Schema:
    """Return the schema of objects whose spec is ``spec``."""
    return parse_schema(obj({"spec": spec, **more}))


def array(items: dict[str, Json], **more: Json) -> dict[str, Json]:
    return {"type": "array", "items": items, **more}
