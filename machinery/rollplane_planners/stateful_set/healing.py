"""The stuck rollout of an ordered set, and its cure for those who ask for it (section 9).

An ordered set waits for its lowest unhealthy pod before it does anything else. When that pod runs a template that has
been corrected meanwhile, it never gets healthy, and nothing replaces it: on Kubernetes somebody must delete it by
hand. The annotation lets the controller do that. It is off unless asked for, because it is no longer what Kubernetes
does. Automatic rollback (rollplane_planners/auto_rollback.py) implies it: going back would otherwise end in the same
trap.
"""

from __future__ import annotations

from rollplane.apps.v1 import StatefulSet
from rollplane_machinery.extensions import AUTO_ROLLBACK, HEAL_STUCK_ROLLOUT
from rollplane_planners.stateful_set.revisions import Versions
from rollplane_planners.stateful_set.slots import Slot


def is_wanted(stateful_set: StatefulSet) -> bool:
    """Tell whether the user has opted in."""
    annotations = stateful_set.metadata.annotations
    return any(annotations.get(name) == "true" for name in (HEAL_STUCK_ROLLOUT, AUTO_ROLLBACK))


def is_left_over(slot: Slot, versions: Versions, first_updated: int) -> bool:
    """Tell whether the pod that blocks the set runs a template that is no longer wanted where it is.

    A pod of neither the current nor the update revision is wanted by nobody, one of the current revision not at an
    ordinal that the update may reach, from ``first_updated`` on.
    """
    if slot.pod is None or slot.terminating or slot.running_ready or slot.revision == versions.update.name:
        return False
    return slot.revision != versions.current.name or slot.ordinal >= first_updated


def may_be_replaced(slot: Slot, versions: Versions, now: float) -> bool:
    """Tell whether nothing is lost with a pod that is left over.

    One of the current revision is still the set's own, and merely being not ready is no reason to delete it out of
    order: it must fail lastingly.
    """
    if slot.pod is None or slot.revision != versions.current.name:
        return slot.pod is not None
    return slot.pod.trouble is not None and slot.pod.trouble.is_lasting(now)
