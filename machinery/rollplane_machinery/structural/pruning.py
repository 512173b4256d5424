"""Dropping members that no schema knows.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/pruning/algorithm.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_machinery.patch.json_value import Json, JsonObject
from rollplane_machinery.structural.schema import META_FIELDS, Structural

Dropped = list[str]
"""Paths of what was dropped, as unknown fields are told: ``spec.ports[0].x``."""


def pruned(value: Json, node: Structural) -> tuple[Json, Dropped]:
    """Return ``value`` without the members that ``node`` does not know, and their paths, by name.

    What is kept as it was is shared with ``value``.
    """
    dropped: Dropped = []
    kept = _pruned(value, node, "", dropped, node.preserves_unknown)
    return kept, sorted(dropped)


def _pruned(value: Json, node: Structural | None, path: str, dropped: Dropped, keeps: bool) -> Json:
    if isinstance(value, dict):
        return _object(value, node, path, dropped, keeps)
    return _list(value, node, path, dropped, keeps) if isinstance(value, list) else value


def _object(value: JsonObject, node: Structural | None, path: str, dropped: Dropped, keeps: bool) -> Json:
    members = dict(_members(value, node, path, dropped, keeps))
    is_same = len(members) == len(value) and all(value[name] is member for name, member in members.items())
    return value if is_same else members


def _members(
    value: JsonObject, node: Structural | None, path: str, dropped: Dropped, keeps: bool
) -> Iterator[tuple[str, Json]]:
    for name, member in value.items():
        if node is not None and (known := node.member(name)) is not None and not _is_meta(node, name):
            yield name, _pruned(member, known, _inside(path, name), dropped, known.preserves_unknown)
        elif node is not None and _is_meta(node, name):
            yield name, member
        elif node is not None and node.additional is not None:
            yield name, _pruned(member, None, _inside(path, name), dropped, keeps=False)
        elif keeps:
            yield name, member
        else:
            dropped.append(_inside(path, name))


def _is_meta(node: Structural, name: str) -> bool:
    return node.is_embedded and name in META_FIELDS


def _list(value: list[Json], node: Structural | None, path: str, dropped: Dropped, keeps: bool) -> Json:
    items = None if node is None else node.items
    keeps = keeps or (items is not None and items.preserves_unknown)
    found = [_pruned(item, items, f"{path}[{index}]", dropped, keeps) for index, item in enumerate(value)]
    return value if all(new is old for new, old in zip(found, value, strict=True)) else found


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
