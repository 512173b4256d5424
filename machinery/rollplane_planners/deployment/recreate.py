"""Recreate: the old version goes entirely before the new one comes (docs/semantics/deployment.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane_planners.deployment.drafts import ReplicaSets, active
from rollplane_planners.limits import Limits


def scale_down_old(sets: ReplicaSets, limits: Limits) -> bool:
    """Plan every old set down to zero; tells whether any was not."""
    running = active(sets.old)
    for draft in running:
        draft.resize(0, limits)
    return bool(running)


def old_pods_running(sets: ReplicaSets, running_pods: Mapping[str, int]) -> int:
    """Return how many pods of old sets still live, or may: terminating ones included.

    A set that has not noticed yet that it is to be empty may still be making a pod, so it counts for one.
    ``running_pods`` counts, by the owning set's uid, pods that are neither Succeeded nor Failed.
    """
    reported = sum(draft.wanted.status.replicas for draft in sets.old)
    seen = sum(running_pods.get(draft.uid, 0) for draft in sets.old)
    unaware = sum(not draft.is_observed for draft in sets.old)
    return max(reported, seen, unaware)
