"""Field sets that were made when a kind's schema was another one.

Source: structured-merge-diff typed/reconcile_schema.go.
"""

from __future__ import annotations

from rollplane_machinery.fields.schema import Leaf, Node, inside
from rollplane_machinery.fields.sets import FieldSet


def reconciled(fields: FieldSet, node: Node) -> FieldSet:
    """Return ``fields`` with what is inside a leaf, atomic by now, replaced by the leaf itself."""
    promoted = {step for step in fields.children if isinstance(inside(node, step), Leaf)}
    children = {
        step: reconciled(child, inside(node, step)) for step, child in fields.children.items() if step not in promoted
    }
    return FieldSet(fields.members | promoted, children)
