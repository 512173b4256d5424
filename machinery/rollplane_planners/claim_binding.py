"""Claims are bound at once: no storage is simulated, and what waits for a bound claim must not wait for ever."""

from __future__ import annotations

from rollplane.core.v1 import PersistentVolumeClaim
from rollplane_machinery.metadata import is_being_deleted
from rollplane_planners.model import NOTHING, Plan, UpdateObjectStatus

BOUND, PENDING = "Bound", "Pending"


def plan_claim(claim: PersistentVolumeClaim) -> Plan:
    """Return the status that makes a new claim bound, with what it asks for and no more."""
    if claim.status.phase != PENDING or is_being_deleted(claim.metadata):
        return NOTHING
    bound = PersistentVolumeClaim()
    bound.CopyFrom(claim)
    bound.status.phase = BOUND
    bound.status.access_modes[:] = claim.spec.access_modes
    for resource, amount in claim.spec.resources.requests.items():
        bound.status.capacity[resource].CopyFrom(amount)
    return Plan(writes=(UpdateObjectStatus(bound),))
