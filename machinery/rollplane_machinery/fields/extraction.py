"""Which fields a document names: what an applier owns by saying it.

Source: structured-merge-diff typed/tofieldset.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from rollplane_machinery.fields.elements import Path, field_element
from rollplane_machinery.fields.schema import Leaf, ListOf, MapOf, Node, SetOf, Struct, resolved
from rollplane_machinery.fields.sets import FieldSet, SetBuilder
from rollplane_machinery.patch.json_value import Json


def field_set(document: Json, node: Node) -> FieldSet:
    """Return the fields that ``document``, of the shape ``node``, has: its leaves, and every item and map entry.

    Members that ``node`` does not know are left out.
    """
    builder = SetBuilder()
    _add(document, node, (), builder.add)
    return builder.build()


def _add(value: Json, node: Node, path: Path, add: Callable[[Path], None]) -> None:
    match resolved(node, value):
        case Leaf():
            add(path)
        case Struct() | MapOf() as known:
            _add_members(value, known, path, add)
        case ListOf() | SetOf() as known:
            _add_items(value, known, path, add)


def _add_members(value: Json, node: Struct | MapOf, path: Path, add: Callable[[Path], None]) -> None:
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        inside = node.member(name)
        if inside is None:
            continue
        here = (*path, field_element(name))
        _add(member, inside, here, add)
        # A null or an empty object says something that nothing inside it can say.
        if member is None or member == {} or isinstance(node, MapOf):
            add(here)


def _add_items(value: Json, node: ListOf | SetOf, path: Path, add: Callable[[Path], None]) -> None:
    """Items that cannot be told apart, which only stored lists have, are owned together."""
    items = value if isinstance(value, list) else []
    steps = [node.step(item) for item in items]
    counts = Counter(steps)
    for step, item in zip(steps, items, strict=True):
        add((*path, step))
        if counts[step] == 1:
            _add(item, node.element, (*path, step), add)
