"""Which fields differ between two documents: what a writer changed.

Source: structured-merge-diff typed/compare.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_machinery.fields.elements import Element, Path, field_element
from rollplane_machinery.fields.schema import Leaf, ListOf, MapOf, Node, SetOf, Struct, resolved
from rollplane_machinery.fields.sets import FieldSet, SetBuilder
from rollplane_machinery.fields.values import ABSENT, Value, as_items, as_members, is_empty
from rollplane_machinery.patch.json_value import Json, JsonObject, equal


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of fields; each is in one set at most."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    @property
    def written(self) -> FieldSet:
        """What is there now and was not, or not so, before."""
        return self.added | self.modified

    def without(self, fields: FieldSet) -> Comparison:
        """Return the comparison without ``fields`` and all that is inside them."""
        return Comparison(self.added.without(fields), self.modified.without(fields), self.removed.without(fields))


def compare(before: JsonObject, after: JsonObject, node: Node) -> Comparison:
    """Return what differs between two documents of the shape ``node``; members that it does not know are left out."""
    walk = _Walk()
    walk.compare(before, after, node, ())
    return Comparison(walk.added.build(), walk.modified.build(), walk.removed.build())


class _Walk:
    def __init__(self) -> None:
        self.added, self.modified, self.removed = SetBuilder(), SetBuilder(), SetBuilder()

    def compare(self, before: Value, after: Value, node: Node, path: Path) -> None:
        node = resolved(node, before, after)
        if isinstance(node, Leaf) or (is_empty(before) and is_empty(after)):
            self._compare_leaf(before, after, path)
            return
        if isinstance(node, Struct | MapOf):
            self._compare_members(as_members(before), as_members(after), node, path)
        else:
            self._compare_items(as_items(before), as_items(after), node, path)
        if before is ABSENT:
            self.added.add(path)
        elif after is ABSENT:
            self.removed.add(path)

    def _compare_leaf(self, before: Value, after: Value, path: Path) -> None:
        if before is ABSENT:
            self.added.add(path)
        elif after is ABSENT:
            self.removed.add(path)
        elif not equal(before, after):
            self.modified.add(path)

    def _compare_members(self, before: JsonObject, after: JsonObject, node: Struct | MapOf, path: Path) -> None:
        for name in before | after:
            inside = node.member(name)
            if inside is not None:
                here = (*path, field_element(name))
                self.compare(before.get(name, ABSENT), after.get(name, ABSENT), inside, here)

    def _compare_items(self, before: Sequence[Json], after: Sequence[Json], node: ListOf | SetOf, path: Path) -> None:
        old, new = _by_step(before, node), _by_step(after, node)
        for step in old | new:
            self._compare_same(old.get(step, []), new.get(step, []), node, (*path, step))

    def _compare_same(self, before: Sequence[Json], after: Sequence[Json], node: ListOf | SetOf, path: Path) -> None:
        """Compare the items of one step. Of several, which only stored lists have, nobody owns a part."""
        if len(before) > 1 and len(after) > 1:
            self._compare_leaf(list(before), list(after), path)
            return
        if len(before) == 1 or len(after) == 1:
            self.compare(_single(before), _single(after), node.element, path)
        if len(before) > 1:
            self.removed.add(path)
        if len(after) > 1:
            self.added.add(path)


def _single(items: Sequence[Json]) -> Value:
    return items[0] if len(items) == 1 else ABSENT


def _by_step(items: Sequence[Json], node: ListOf | SetOf) -> dict[Element, list[Json]]:
    found: dict[Element, list[Json]] = {}
    for item in items:
        found.setdefault(node.step(item), []).append(item)
    return found
