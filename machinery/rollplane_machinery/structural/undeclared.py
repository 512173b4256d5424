"""Members of an applied configuration that no schema declares, which keep it from being merged.

An object of whose members nothing is said is open: what it holds is dropped later, as pruning has it.

Source: structured-merge-diff typed/validate.go; kubernetes/kube-openapi pkg/schemaconv/openapi.go (parseObject).
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_machinery.fields.elements import Element, Path, field_element, index_element, key_element
from rollplane_machinery.fields.values import as_members
from rollplane_machinery.patch.json_value import Json, JsonObject
from rollplane_machinery.structural.schema import META_FIELDS, Structural
from rollplane_machinery.structural.topology import key_default


def undeclared(value: Json, node: Structural, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of the members of ``value``, which is at ``path``, that ``node`` does not declare."""
    if isinstance(value, dict):
        yield from _members(value, node, path)
    elif isinstance(value, list) and node.items is not None:
        for index, item in enumerate(value):
            yield from undeclared(item, node.items, (*path, _step(node, node.items, index, item)))


def _members(value: JsonObject, node: Structural, path: Path) -> Iterator[Path]:
    for name, member in value.items():
        inside = (*path, field_element(name))
        if node.is_embedded and name in META_FIELDS:
            continue
        if (known := node.member(name)) is not None:
            yield from undeclared(member, known, inside)
        elif not _is_open(node):
            yield inside


def _is_open(node: Structural) -> bool:
    if node.preserves_unknown or node.additional is True:
        return True
    return node.additional is None and not node.properties and not node.is_embedded


def _step(node: Structural, items: Structural, index: int, item: Json) -> Element:
    """The step to ``item``: by its keys in a list that is a map, else by its index."""
    if node.list_type != "map":
        return index_element(index)
    members = as_members(item)
    return key_element({name: members.get(name, key_default(items, name)) for name in node.map_keys})
