"""What a schema inside of a definition may say, apart from its being structural.

Source: kubernetes/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollplane_machinery.errors import Cause
from rollplane_machinery.structural.causes import forbidden, invalid, not_supported, required
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.rule_documents import check_rules
from rollplane_machinery.structural.schema import META_FIELDS, Document

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_KEEPS = "x-kubernetes-preserve-unknown-fields"
_LIST_TYPE, _LIST_KEYS, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
_MAP_ONLY = "must be map if x-kubernetes-list-map-keys is non-empty"
_MUST_BE_ATOMIC = "must be atomic as item of a list with x-kubernetes-list-type=set"


@dataclass(frozen=True, slots=True)
class _Place:
    """What holds where a schema stands: whether metadata is told of, and why there may be no defaults."""

    is_root: bool = True
    inside_meta: bool = False
    no_defaults: str = ""


def check_openapi(document: Document, path: str) -> list[Cause]:
    """Return what is wrong with the schema at ``path``, each where it stands."""
    return list(_check(document, path, _Place()))


def is_supported(document: Document) -> bool:
    """Whether a tree has a place for everything in the schema."""
    if any(document.get(name) for name in _UNSUPPORTED) or isinstance(document.get("items"), list):
        return False
    return all(is_supported(each) for _, each, _ in _children(document, _Place()))


def _check(document: Document, path: str, place: _Place) -> Iterator[Cause]:
    yield from _plain(document, path, place)
    yield from _extensions(document, path)
    for name, each, where in _children(document, place):
        yield from _check(each, join(path, name), where)


def _children(document: Document, place: _Place) -> Iterator[tuple[str, Document, _Place]]:
    inner = replace(place, is_root=False)
    if isinstance(additional := document.get("additionalProperties"), dict):
        reason = "inside additionalProperties applying to object metadata"
        yield "additionalProperties", additional, replace(inner, no_defaults=reason) if place.inside_meta else inner
    is_resource = place.is_root or document.get("x-kubernetes-embedded-resource") is True
    for name, each in (document.get("properties") or {}).items():
        is_meta = is_resource and name in META_FIELDS
        yield f"properties[{name}]", each, _in_meta(inner, name, place.is_root) if is_meta else inner
    for name in ("allOf", "oneOf", "anyOf"):
        for index, each in enumerate(document.get(name) or ()):
            yield f"{name}[{index}]", each, inner
    for name in ("not", "items"):
        if isinstance(each := document.get(name), dict):
            yield name, each, inner


def _in_meta(place: _Place, name: str, is_root: bool) -> _Place:
    reason = f"in top-level {name}" if is_root else place.no_defaults
    return replace(place, inside_meta=True, no_defaults=reason)


def _plain(document: Document, path: str, place: _Place) -> Iterator[Cause]:
    kind = document.get("type") or ""
    if kind and kind not in _TYPES:
        yield not_supported(join(path, "type"), kind, _TYPES)
    if kind == "null":
        yield forbidden(join(path, "type"), "type cannot be set to null, use nullable as an alternative")
    if document.get("default") is not None and place.no_defaults:
        yield forbidden(join(path, "default"), f"must not be set {place.no_defaults}")
    for name in _UNSUPPORTED:
        if document.get(name):
            yield forbidden(join(path, name), f"{name} is not supported")
    if isinstance(document.get("items"), list):
        yield forbidden(join(path, "items"), "items must be a schema object and not an array")
    if place.inside_meta and document.get("x-kubernetes-embedded-resource") is True:
        yield forbidden(join(path, "x-kubernetes-embedded-resource"), "must not be used inside of resource meta")
    if document.get("uniqueItems") is True:
        sentence = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(join(path, "uniqueItems"), sentence)
    if document.get("properties") and document.get("additionalProperties") not in (None, True):
        sentence = "additionalProperties and properties are mutual exclusive"
        yield forbidden(join(path, "additionalProperties"), sentence)


def _extensions(document: Document, path: str) -> Iterator[Cause]:
    if document.get(_KEEPS) is False:
        yield invalid(join(path, _KEEPS), False, "must be true or undefined")
    yield from _extension_type(document, path, _MAP_TYPE, "object", ("atomic", "granular"))
    yield from _extension_type(document, path, _LIST_TYPE, "array", ("atomic", "set", "map"))
    yield from _sets(document, path)
    yield from _maps(document, path)
    yield from _items_of_maps_and_sets(document, path)
    yield from check_rules(document, path)


def _extension_type(document: Document, path: str, name: str, kind: str, words: Sequence[str]) -> Iterator[Cause]:
    said, found = document.get(name), document.get("type") or ""
    if said is None:
        return
    if found != kind:
        sentence = f"must be {kind} if {name} is specified"
        yield invalid(join(path, "type"), found, sentence) if found else required(join(path, "type"), sentence)
    if said not in words:
        yield not_supported(join(path, name), said, words)


def _items(document: Document) -> Document | None:
    items: Any = document.get("items")
    return items if isinstance(items, dict) else None


def _sets(document: Document, path: str) -> Iterator[Cause]:
    items = _items(document)
    if document.get(_LIST_TYPE) != "set" or document.get("type") != "array" or items is None:
        return
    kind = items.get("type")
    if kind == "array" and items.get(_LIST_TYPE) not in (None, "atomic"):
        yield invalid(join(path, f"items.{_LIST_TYPE}"), items.get(_LIST_TYPE), _MUST_BE_ATOMIC)
    if kind == "object" and items.get(_MAP_TYPE) != "atomic":
        yield invalid(join(path, f"items.{_MAP_TYPE}"), items.get(_MAP_TYPE), _MUST_BE_ATOMIC)


def _maps(document: Document, path: str) -> Iterator[Cause]:
    keys, said = document.get(_LIST_KEYS) or [], document.get(_LIST_TYPE)
    if keys and said != "map":
        field = join(path, _LIST_TYPE)
        yield required(field, _MAP_ONLY) if said is None else invalid(field, said, _MAP_ONLY)
    if said != "map":
        return
    if not keys:
        yield required(join(path, _LIST_KEYS), "must not be empty if x-kubernetes-list-type is map")
    items = _items(document)
    if document.get("items") is None:
        yield required(join(path, "items"), "must have a schema if x-kubernetes-list-type is map")
    elif items is None:
        sentence = "must only have a single schema if x-kubernetes-list-type is map"
        yield invalid(join(path, "items"), document["items"], sentence)
    elif items.get("type") != "object":
        sentence = "must be object if parent array's x-kubernetes-list-type is map"
        yield invalid(join(path, "items.type"), items.get("type") or "", sentence)
    else:
        yield from _keys(items, keys, path)


def _keys(items: Document, keys: Sequence[str], path: str) -> Iterator[Cause]:
    for index, key in enumerate(keys):
        known = (items.get("properties") or {}).get(key)
        if known is None:
            yield invalid(join(path, _LIST_KEYS), keys, "entries must all be names of item properties")
        elif known.get("type") in ("array", "object"):
            sentence = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield invalid(join(path, f"items.properties[{key}].type"), items.get("type"), sentence)
        if key in keys[:index]:
            yield invalid(join(path, _LIST_KEYS), keys, "must not contain duplicate entries")


def _items_of_maps_and_sets(document: Document, path: str) -> Iterator[Cause]:
    items, said = _items(document), document.get(_LIST_TYPE)
    if items is None or said not in ("set", "map"):
        return
    if items.get("nullable") is True:
        sentence = f"cannot be nullable when x-kubernetes-list-type is {said}"
        yield forbidden(join(path, "items.nullable"), sentence)
    for key in (document.get(_LIST_KEYS) or ()) if said == "map" else ():
        known = (items.get("properties") or {}).get(key)
        if known is not None:
            yield from _key(known, key, items.get("required") or (), join(path, f"items.properties[{key}]"))


def _key(known: Document, key: str, wanted: Sequence[str], path: str) -> Iterator[Cause]:
    because = "this property is in x-kubernetes-list-map-keys, so it"
    if key not in wanted and known.get("default") is None:
        yield required(join(path, "default"), f"{because} must have a default or be a required property")
    if known.get("nullable") is True:
        yield forbidden(join(path, "nullable"), f"{because} cannot be nullable")
