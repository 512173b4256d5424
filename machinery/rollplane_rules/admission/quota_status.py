"""What the status of a ResourceQuota tells."""

from __future__ import annotations

from collections.abc import Iterable

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import Kind
from rollplane_rules.admission.reading import json_text
from rollplane_rules.admission.tally import Tally


def told_by(stored: StoredObject, tally: Tally, unseen: Iterable[Kind]) -> StoredObject:
    """Return ``stored`` with the status that ``tally`` makes; of what ``unseen`` kinds take no usage is told."""
    unknown = frozenset[str]().union(*map(tally.counts, unseen))
    used = {name: amount for name, amount in tally.used().items() if name not in unknown}
    told = StoredObject()
    told.CopyFrom(stored)
    told.status.json = json_text({"hard": dict(tally.quota.hard), "used": used})
    return told
