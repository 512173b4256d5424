"""Schemas as OpenAPI documents show them: with what every resource has, and an int-or-string as one of two types.

Source: kubernetes/apiextensions-apiserver pkg/controller/openapi/builder/builder.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollplane_machinery.structural.schema import Document, Structural

_INT_OR_STRING = ({"type": "integer"}, {"type": "string"})
_STRUCTURE = ("properties", "items", "additionalProperties")


def published(root: Structural, resource: Mapping[str, Document]) -> dict[str, Any]:
    """Return the schema of whole objects for a document of OpenAPI version 3.

    ``resource`` holds what ``apiVersion``, ``kind`` and ``metadata`` are in that document.
    """
    shown = _shown(root, resource)
    return {**shown, "properties": {**shown.get("properties", {}), **resource}}


def _shown(node: Structural, resource: Mapping[str, Document]) -> dict[str, Any]:
    members = {name: value for name, value in node.document.items() if name not in _STRUCTURE}
    members |= dict(_structure(node, resource))
    return _embedded(node, _unfolded(node, members), resource)


def _structure(node: Structural, resource: Mapping[str, Document]) -> Iterator[tuple[str, Any]]:
    if node.properties:
        yield "properties", {name: _shown(each, resource) for name, each in node.properties.items()}
    if node.items is not None:
        yield "items", _shown(node.items, resource)
    if node.additional is not None:
        yield "additionalProperties", _shown(node.element, resource) if node.element else node.additional


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
