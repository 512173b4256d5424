"""Kinds that are kept as JSON."""

from __future__ import annotations

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import LIMIT_RANGE, PRIORITY_CLASS, kind_of
from rollplane_rules.admission.limit_range import default_limit_range
from rollplane_rules.admission.priority import default_priority_class


def default_stored(stored: StoredObject) -> None:
    """Fill in what rules read of a kind; the others are stored as they come."""
    kind = kind_of(stored)
    if kind is LIMIT_RANGE:
        default_limit_range(stored)
    elif kind is PRIORITY_CLASS:
        default_priority_class(stored)
