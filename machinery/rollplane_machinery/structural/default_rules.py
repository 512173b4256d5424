"""Defaults must be what they would be let in as: without unknown members, and valid.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_machinery.errors import Cause
from rollplane_machinery.fields.values import ABSENT
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.causes import invalid
from rollplane_machinery.structural.custom import Schema
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.pruning import pruned
from rollplane_machinery.structural.schema import META_FIELDS, Structural


def check_defaults(root: Structural, path: str) -> list[Cause]:
    """Return what is wrong with the defaults in the schema at ``path``."""
    return list(_below(root, path, inside_meta=False))


def _below(node: Structural, path: str, *, inside_meta: bool) -> Iterator[Cause]:
    if node.default is not ABSENT:
        yield from _default(node, node.default, join(path, "default"), inside_meta)
    if node.items is not None:
        yield from _below(node.items, join(path, "items"), inside_meta=inside_meta and not node.is_embedded)
    for name, each in node.properties.items():
        is_meta = node.is_embedded and name in META_FIELDS
        inside = is_meta or (inside_meta and not node.is_embedded)
        yield from _below(each, join(path, f"properties[{name}]"), inside_meta=inside)


def _default(node: Structural, value: Json, field: str, inside_meta: bool) -> Iterator[Cause]:
    if not inside_meta and pruned(value, node)[1]:
        yield invalid(field, value, "must not have unknown fields")
    yield from Schema(node, is_resource=node.is_embedded).validate(value, path=field)
