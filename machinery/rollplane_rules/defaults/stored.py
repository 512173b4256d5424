"""Kinds that are kept as JSON."""

from __future__ import annotations

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import LIMIT_RANGE
from rollplane_rules.admission.limit_range import default_limit_range


def default_stored(stored: StoredObject) -> None:
    """Fill in what rules read of a kind; the others are stored as they come."""
    if (stored.api_version, stored.kind) == (LIMIT_RANGE.api_version, LIMIT_RANGE.name):
        default_limit_range(stored)
