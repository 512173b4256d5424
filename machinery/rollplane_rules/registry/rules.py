"""What sets one kind apart from the others when it is written; everything else is the same for all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollplane_machinery import kinds
from rollplane_machinery.api import Propagation
from rollplane_machinery.kinds import Kind


@dataclass(frozen=True, slots=True)
class Rules:
    """One kind's peculiarities.

    ``creates_on_update``: an update of an absent object creates it. ``needs_resource_version``: an update must say
    which version it replaces. ``defaults_status``: a status has defaults too. ``propagation`` is what a deletion does
    to dependents when nobody says.
    """

    creates_on_update: bool = False
    needs_resource_version: bool = False
    defaults_status: bool = False
    propagation: Propagation = Propagation.BACKGROUND


_COMMON = Rules()
_RULES: Mapping[Kind, Rules] = MappingProxyType(
    {
        kinds.EVENT: Rules(creates_on_update=True),
        kinds.SERVICE: Rules(creates_on_update=True),
        kinds.LEASE: Rules(creates_on_update=True, needs_resource_version=True),
        kinds.SERVICE_ACCOUNT: Rules(needs_resource_version=True),
        kinds.POD_DISRUPTION_BUDGET: Rules(needs_resource_version=True),
        kinds.NAMESPACE: Rules(defaults_status=True),
        kinds.NODE: Rules(defaults_status=True),
        kinds.REPLICATION_CONTROLLER: Rules(propagation=Propagation.ORPHAN),
    }
)


def rules_of(kind: Kind) -> Rules:
    """Return the rules of ``kind``."""
    return _RULES.get(kind, _COMMON)
