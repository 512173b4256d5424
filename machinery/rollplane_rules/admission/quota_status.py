"""What the status of a ResourceQuota tells."""

from __future__ import annotations

from collections.abc import Iterable

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import Kind
from rollplane_rules.admission.reading import json_text
from rollplane_rules.admission.tally import Tally


def told_by(stored: StoredObject, tally: Tally, kinds: Iterable[Kind]) -> StoredObject:
    """Return ``stored`` with the status that ``tally`` makes; usage is told of what any of ``kinds`` takes."""
    counted = frozenset[str]().union(*map(tally.counts, kinds))
    used = {name: amount for name, amount in tally.used().items() if name in counted}
    told = StoredObject()
    told.CopyFrom(stored)
    told.status.json = json_text({"hard": dict(tally.quota.hard), "used": used})
    return told
