"""Fields taken out of a document.

Source: structured-merge-diff typed/remove.go and merge/update.go (prune).
"""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_machinery.fields.elements import field_element, field_name
from rollplane_machinery.fields.extraction import field_set
from rollplane_machinery.fields.schema import ListOf, MapOf, Node, SetOf, Struct, inside, resolved
from rollplane_machinery.fields.sets import FieldSet
from rollplane_machinery.patch.json_value import Json, JsonObject


def removed(document: JsonObject, fields: FieldSet, node: Node) -> JsonObject:
    """Return ``document`` without the members of ``fields``; what is emptied by that becomes null."""
    left = _without(document, fields, node)
    return left if isinstance(left, dict) else {}


def pruned(merged: JsonObject, last: FieldSet, owned: FieldSet, node: Node) -> JsonObject:
    """Return ``merged`` without what an applier gave up: it was in its ``last`` set and nobody has it in ``owned``.

    ``owned`` is what all managers own now, the applier's new set among them.
    """
    everything = with_objects(field_set(merged, node), node)
    last, owned = with_objects(last, node), with_objects(owned, node)
    # An object goes as a whole when it was the applier's; what others own in it is put back, with all that leads there.
    untouched = with_objects(field_set(removed(merged, last, node), node), node)
    kept = with_objects(field_set(removed(merged, everything - (untouched | owned), node), node), node)
    # An item that somebody owns can bring back what is inside it; only what the applier had may go.
    return removed(merged, (everything - kept) & last, node)


def with_objects(fields: FieldSet, node: Node) -> FieldSet:
    """Return ``fields`` and, as members too, the objects that hold any of them by a name that ``node`` knows.

    No document says that it owns ``spec``, but it does as long as it owns something inside.
    """
    named = [step for step in fields.children if isinstance(node, Struct) and node.member(field_name(step) or "")]
    children = {step: with_objects(child, inside(node, step)) for step, child in fields.children.items()}
    return FieldSet(fields.members.union(named), children)


def _without(value: Json, fields: FieldSet, node: Node) -> Json:
    node = resolved(node, value)
    if isinstance(node, Struct | MapOf) and isinstance(value, dict):
        return _members_without(value, fields, node) or None
    if isinstance(node, ListOf | SetOf) and isinstance(value, list):
        return _items_without(value, fields, node) or None
    return value


def _members_without(members: JsonObject, fields: FieldSet, node: Struct | MapOf) -> JsonObject:
    left: JsonObject = {}
    for name, value in members.items():
        step = field_element(name)
        if step not in fields.members:
            within = fields.within(step)
            left[name] = _without(value, within, inside(node, step)) if within else value
    return left


def _items_without(items: Sequence[Json], fields: FieldSet, node: ListOf | SetOf) -> list[Json]:
    steps = [(node.step(item), item) for item in items]
    return [
        _without(item, fields.within(step), node.element) if fields.within(step) else item
        for step, item in steps
        if step not in fields.members
    ]
