"""Filling in what is missing, and what becomes of null where null is no value.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/defaulting/algorithm.go and prunenulls.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_machinery.fields.values import ABSENT, Value
from rollplane_machinery.patch.json_value import Json, JsonObject, copied
from rollplane_machinery.structural.schema import Structural


def defaulted(value: Json, node: Structural | None) -> Json:
    """Return ``value`` with the defaults of ``node``.

    A null that is not allowed is replaced by the default; without one a member goes, and an item stays. What is kept as
    it was is shared with ``value``.
    """
    if node is None:
        return value
    if isinstance(value, dict):
        return _object(value, node)
    return _list(value, node.items) if isinstance(value, list) else value


def _object(value: JsonObject, node: Structural) -> JsonObject:
    members = dict(_members(value, node))
    members |= {name: _filled(each) for name, each in _missing(members, node)}
    is_same = len(members) == len(value) and all(value.get(name, ABSENT) is each for name, each in members.items())
    return value if is_same else members


def _members(value: JsonObject, node: Structural) -> Iterator[tuple[str, Json]]:
    for name, member in value.items():
        known = node.member(name)
        if not _is_wrong_null(member, known):
            yield name, defaulted(member, known)
        elif known is not None and known.default is not ABSENT:
            yield name, _filled(known)


def _missing(members: JsonObject, node: Structural) -> Iterator[tuple[str, Structural]]:
    for name, known in node.properties.items():
        if known.default is not ABSENT and name not in members:
            yield name, known


def _list(value: list[Json], items: Structural | None) -> list[Json]:
    found = [_item(item, items) for item in value]
    return value if all(new is old for new, old in zip(found, value, strict=True)) else found


def _item(item: Json, items: Structural | None) -> Json:
    if items is not None and items.default is not ABSENT and _is_wrong_null(item, items):
        return _filled(items)
    return defaulted(item, items)


def _is_wrong_null(value: Json, node: Structural | None) -> bool:
    return value is None and node is not None and not node.nullable


def _filled(node: Structural) -> Json:
    """The default of ``node``, itself with the defaults of what it leaves out."""
    return defaulted(copied(_present(node.default)), node)


def _present(value: Value) -> Json:
    return None if value is ABSENT else value
