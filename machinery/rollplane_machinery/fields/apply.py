"""A configuration applied: merged into the live document, with what the applier gave up taken out of it.

Source: structured-merge-diff merge/update.go (Apply).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from rollplane_machinery.errors import Cause, CauseReason, ConflictError
from rollplane_machinery.fields.comparison import Comparison, compare
from rollplane_machinery.fields.elements import Path, printed
from rollplane_machinery.fields.extraction import field_set
from rollplane_machinery.fields.managers import Manager, Managers, Owned
from rollplane_machinery.fields.merging import merge
from rollplane_machinery.fields.removal import pruned
from rollplane_machinery.fields.schema import Node
from rollplane_machinery.fields.sets import FieldSet
from rollplane_machinery.fields.update import NEVER_OWNED, disowned
from rollplane_machinery.patch.json_value import JsonObject


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that ``manager`` owns and the configuration says otherwise."""

    manager: Manager
    path: Path


@dataclass(frozen=True, slots=True)
class Apply:
    """An apply under way: ``named`` is what the configuration says, ``merged`` what comes of it, not defaulted yet."""

    live: JsonObject
    node: Node
    manager: Manager
    named: FieldSet
    others: Managers
    merged: JsonObject

    def changes(self, normal: JsonObject, ignored: FieldSet) -> Comparison:
        """Return what differs from the live document; ``normal`` is the merged one as it is stored and printed.

        A zero, an empty object or another spelling of a quantity is no change where the stored one says the same.
        """
        said = compare(self.live, self.merged, self.node).without(ignored)
        done = compare(self.live, normal, self.node).without(ignored)
        real = done.written | done.removed
        return Comparison(said.added & real, said.modified & real, said.removed)

    def conflicts(self, changes: Comparison) -> list[Conflict]:
        """Return which fields others own that ``changes`` writes."""
        owned = ((each, (found.fields & changes.written).paths()) for each, found in self.others.items())
        return [Conflict(each, path) for each, paths in owned for path in paths]

    def managers(self, changes: Comparison, api_version: str, now: float) -> Managers:
        """Return who owns what when the apply wins all its conflicts, at ``now`` in seconds."""
        return {**disowned(self.others, changes), self.manager: Owned(self.named - NEVER_OWNED, api_version, now)}


def begin(
    live: JsonObject, config: JsonObject, node: Node, managers: Managers, manager: Manager, ignored: FieldSet
) -> Apply:
    """Merge ``config`` into ``live`` in the name of ``manager``, and take out what it named before and no longer does.

    Whatever is in ``ignored`` cannot be applied here, and is nobody's.
    """
    named = field_set(config, node).without(ignored)
    others = {each: owned for each, owned in managers.items() if each != manager}
    merged = merge(live, config, node)
    if manager in managers:
        owned = reduce(or_, (owned.fields for owned in others.values()), named)
        merged = pruned(merged, managers[manager].fields, owned, node)
    return Apply(live, node, manager, named, others, merged)


def conflict_error(conflicts: Sequence[Conflict]) -> ConflictError:
    """Return the error that tells of ``conflicts``, of which there is at least one, with a cause for each."""
    ordered = sorted(conflicts, key=lambda conflict: conflict.manager)
    causes = [
        Cause(CauseReason.FIELD_MANAGER_CONFLICT, printed(conflict.path), f"conflict with {conflict.manager}")
        for conflict in ordered
    ]
    if len(ordered) == 1:
        return ConflictError(f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}", causes=causes)
    lines = []
    for conflict in ordered:
        if (heading := f"conflicts with {conflict.manager}:") not in lines:
            lines.append(heading)
        lines.append(f"- {printed(conflict.path)}")
    text = "\n".join(lines)
    return ConflictError(f"Apply failed with {len(ordered)} conflicts: {text}", causes=causes)
