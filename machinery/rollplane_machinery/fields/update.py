"""What a write that is no apply does to ownership: its manager owns what it changed, and nobody else does any more.

Source: structured-merge-diff merge/update.go (Update), kubernetes/apimachinery pkg/util/managedfields/internal
(managedfieldsupdater.go, stripmeta.go).
"""

from __future__ import annotations

from rollplane_machinery.fields.comparison import Comparison, compare
from rollplane_machinery.fields.elements import field_element
from rollplane_machinery.fields.managers import Manager, Managers, Owned, capped
from rollplane_machinery.fields.schema import Node
from rollplane_machinery.fields.sets import EMPTY, FieldSet
from rollplane_machinery.patch.json_value import JsonObject

_METADATA = field_element("metadata")
NEVER_OWNED = FieldSet.of(
    [
        (_METADATA,),
        *(
            (_METADATA, field_element(name))
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    ]
)
"""What identifies an object, and what only the server sets."""


def updated(
    managers: Managers,
    manager: Manager,
    api_version: str,
    before: JsonObject,
    after: JsonObject,
    node: Node,
    ignored: FieldSet,
    now: float,
) -> Managers:
    """Return who owns what after ``manager`` has changed ``before`` into ``after``, at ``now`` in seconds.

    Whatever is in ``ignored`` this write could not change. There are at most MAX_UPDATERS updaters in the end.
    """
    changes = compare(before, after, node).without(ignored)
    left = dict(disowned(managers, changes))
    taken = changes.written - NEVER_OWNED
    if taken:
        own = left.get(manager, Owned(EMPTY, api_version)).fields
        left[manager] = Owned(own | taken, api_version, now)
    return capped(left)


def disowned(managers: Managers, changes: Comparison) -> Managers:
    """Return ``managers`` without what has changed; who is left with nothing is left out."""
    gone = changes.written | changes.removed
    left = {manager: owned.with_fields(owned.fields - gone) for manager, owned in managers.items()}
    return {manager: owned for manager, owned in left.items() if owned.fields}
