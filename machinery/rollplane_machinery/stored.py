"""The JSON inside of stored objects: taken out as values, and put back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rollplane.stored.v1 import AnyValue, StoredObject
from rollplane_machinery.kinds import ApiObject

if TYPE_CHECKING:
    from rollplane_machinery.structural.custom import Schema

Json = Any

_TYPE = ("apiVersion", "kind", "metadata")


def document_of(obj: StoredObject) -> dict[str, Json]:
    """Return ``obj`` as JSON, apiVersion, kind and metadata included; raises InternalError when it holds none."""
    from rollplane_machinery.codec import to_json  # who only chooses objects does without it

    return to_json(obj)


def put_document(obj: StoredObject, document: Mapping[str, Json]) -> None:
    """Make spec, status and all other members of ``obj`` those of ``document``; the metadata stays."""
    obj.ClearField("spec")
    obj.ClearField("status")
    obj.ClearField("members")
    for name, value in document.items():
        if value is None or name in _TYPE:
            continue
        holder = obj.spec if name == "spec" else obj.status if name == "status" else obj.members[name]
        holder.CopyFrom(any_value(value))


def put_status(obj: StoredObject, status: Json) -> None:
    """Make the status of ``obj`` that value."""
    obj.status.CopyFrom(any_value(status))


def any_value(value: Json) -> AnyValue:
    """Return ``value`` as it is kept: names sorted, so that equal JSON is equal bytes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return AnyValue(json=text.encode())


def as_known(obj: ApiObject, schema: Schema) -> ApiObject:
    """Return ``obj``, changed in place, without what ``schema`` does not know, and with its defaults."""
    if not isinstance(obj, StoredObject):
        raise TypeError(f"a {type(obj).__name__} is no custom object")
    document = document_of(obj)
    known = schema.default(schema.prune(document)[0])
    if known is not document and isinstance(known, dict):
        put_document(obj, known)
    return obj


def at(document: Json, steps: tuple[str, ...]) -> Json:
    """Return what stands at ``steps`` below ``document``, None when nothing does."""
    for step in steps:
        if not isinstance(document, dict):
            return None
        document = document.get(step)
    return document


def with_value_at(document: Mapping[str, Json], steps: tuple[str, ...], value: Json) -> dict[str, Json]:
    """Return ``document`` with ``value`` at ``steps``; objects on the way there come to be."""
    first, *rest = steps
    if not rest:
        return {**document, first: value}
    below = document.get(first)
    return {**document, first: with_value_at(below if isinstance(below, dict) else {}, tuple(rest), value)}
