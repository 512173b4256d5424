"""Schemas as OpenAPI documents show them: with what every resource has, and without what version 2 cannot say.

Source: kubernetes/apiextensions-apiserver pkg/controller/openapi/builder/builder.go and v2/conversion.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollplane_machinery.structural.schema import Document, Structural

_JUNCTORS = ("allOf", "anyOf", "oneOf", "not")
_INT_OR_STRING = ({"type": "integer"}, {"type": "string"})
_STRUCTURE = ("properties", "items", "additionalProperties")


def published(root: Structural, resource: Mapping[str, Document], *, v2: bool = False) -> dict[str, Any]:
    """Return the schema of whole objects for a document of OpenAPI version 3, or 2 if ``v2``.

    ``resource`` holds what ``apiVersion``, ``kind`` and ``metadata`` are in that document.
    """
    if v2 and root.preserves_unknown:
        return {"type": "object"}
    shown = _shown(root, resource, v2=v2)
    return {**shown, "properties": {**shown.get("properties", {}), **resource}}


def _shown(node: Structural, resource: Mapping[str, Document], *, v2: bool) -> dict[str, Any]:
    members = {name: value for name, value in node.document.items() if name not in _STRUCTURE}
    members |= dict(_structure(node, resource, v2=v2))
    if not v2:
        return _embedded(node, _unfolded(node, members), resource)
    members = _for_v2(node, members)
    return members if node.preserves_unknown else _embedded(node, members, resource)


def _structure(node: Structural, resource: Mapping[str, Document], *, v2: bool) -> Iterator[tuple[str, Any]]:
    if node.properties:
        yield "properties", {name: _shown(each, resource, v2=v2) for name, each in node.properties.items()}
    if node.items is not None:
        yield "items", _shown(node.items, resource, v2=v2)
    if node.additional is not None:
        yield "additionalProperties", _shown(node.element, resource, v2=v2) if node.element else node.additional


def _unfolded(node: Structural, members: dict[str, Any]) -> dict[str, Any]:
    """An int-or-string is one of the two types, which is said unless it was."""
    if not node.is_int_or_string or _says_both(node.document) or any(map(_says_both, members.get("allOf") or ())):
        return members
    both = [dict(each) for each in _INT_OR_STRING]
    if "anyOf" not in members:
        return {**members, "anyOf": both}
    return {**members, "allOf": [{"anyOf": both}, *(members.get("allOf") or ())]}


def _says_both(document: Document) -> bool:
    return tuple(document.get("anyOf") or ()) == _INT_OR_STRING


def _embedded(node: Structural, members: dict[str, Any], resource: Mapping[str, Document]) -> dict[str, Any]:
    if not node.is_embedded:
        return members
    wanted = list(members.get("required") or ())
    wanted += [name for name in ("kind", "apiVersion") if name not in wanted]
    return {**members, "properties": {**members.get("properties", {}), **resource}, "required": wanted}


def _for_v2(node: Structural, members: dict[str, Any]) -> dict[str, Any]:
    """What kubectl can read: no junctors, and no type where null, or anything, may stand."""
    without = {*_JUNCTORS, "nullable"}
    if node.nullable or node.preserves_unknown:
        without |= {"properties", "items"}
    if node.nullable or (node.preserves_unknown and node.type in ("object", "array")):
        without.add("type")
    kept = {name: value for name, value in members.items() if name not in without}
    wanted = [name for name in kept.pop("required", None) or () if not _may_be_null(node, name)]
    return {**kept, "required": wanted} if wanted else kept


def _may_be_null(node: Structural, name: str) -> bool:
    known = node.properties.get(name)
    return (known is not None and known.nullable) or (node.element is not None and node.element.nullable)
