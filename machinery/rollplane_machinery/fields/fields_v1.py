"""Field sets as FieldsV1, the JSON in ``metadata.managedFields``, and back.

A set is an object with a member for each step; ``.`` says of an object that is not empty that it is itself in the set.

Source: structured-merge-diff fieldpath/serialize.go.
"""

from __future__ import annotations

import json

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.fields.elements import Element, canonical
from rollplane_machinery.fields.sets import FieldSet
from rollplane_machinery.patch.json_value import Json, JsonObject, check_depth

_SELF = "."


def dump_fields(fields: FieldSet) -> bytes:
    """Return ``fields`` as the JSON text that a real server stores, in its order."""
    return json.dumps(_object(fields), ensure_ascii=False, separators=(",", ":")).encode()


def load_fields(raw: bytes) -> FieldSet:
    """Return the set that FieldsV1 text holds; steps of an unknown type are left out.

    Raises BadRequestError for what is no such text.
    """
    try:
        value: Json = json.loads(raw)
        check_depth(value)
        return _set(value)
    except (ValueError, RecursionError) as exc:
        raise BadRequestError(f"fieldsV1 cannot be read: {exc}") from exc


def _object(fields: FieldSet) -> JsonObject:
    shown: JsonObject = {}
    for step in fields.steps():
        inside = _object(fields.within(step))
        shown[step] = {_SELF: {}, **inside} if inside and step in fields.members else inside
    return shown


def _set(value: Json) -> FieldSet:
    if not isinstance(value, dict):
        raise BadRequestError("fieldsV1 must hold JSON objects only")
    members: set[Element] = set()
    children: dict[Element, FieldSet] = {}
    for text, inside in value.items():
        step = None if text == _SELF else canonical(text)
        if step is None:
            continue
        child = _set(inside)
        if child:
            children[step] = child
        if not child or (isinstance(inside, dict) and _SELF in inside):
            members.add(step)
    return FieldSet(frozenset(members), children)
