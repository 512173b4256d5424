"""The scale path: a changed size, or any change while paused, is shared out without rolling on.

Source: docs/semantics/deployment.md section 7.
"""

from __future__ import annotations

from rollplane.apps.v1 import Deployment
from rollplane_machinery.deployments import DESIRED_REPLICAS, MAX_REPLICAS
from rollplane_planners.deployment.annotations import integer
from rollplane_planners.deployment.drafts import Draft, ReplicaSets, active, total_size
from rollplane_planners.limits import ROLLING_UPDATE, Limits


def is_scaling_event(sets: ReplicaSets) -> bool:
    """Tell whether an active set was last written for another declared size.

    Several sets under Recreate, which a change of strategy in mid-rollout leaves, share nothing out: Kubernetes then
    stays in the scale path for ever. Here Recreate takes over, which gives the new set all.
    """
    running = active(sets.all)
    if len(running) > 1 and sets.deployment.spec.strategy.type != ROLLING_UPDATE:
        return False
    wanted = sets.deployment.spec.replicas
    recorded = (integer(draft.wanted.metadata.annotations.get(DESIRED_REPLICAS)) for draft in running)
    return any(replicas is not None and replicas != wanted for replicas in recorded)


def scale(sets: ReplicaSets, limits: Limits) -> None:
    """Share the declared size out over the sets that have pods; never creates a set."""
    if target := _single_target(sets):
        target.resize(limits.replicas, limits)
        if target.size > 0:
            # Kubernetes leaves them when the size is right already; a stale one would block rollouts for ever.
            _refresh_annotations(target, limits)
    elif sets.new and _is_saturated(sets.new, limits):
        for draft in active(sets.old):
            draft.resize(0, limits)
    elif sets.deployment.spec.strategy.type == ROLLING_UPDATE:
        _scale_proportionally(sets, limits)


def _single_target(sets: ReplicaSets) -> Draft | None:
    """Return the one set that takes the whole size: the only active one, or without one the new, else the newest."""
    running = active(sets.all)
    if len(running) == 1:
        return running[0]
    if running:
        return None
    return sets.new or (sets.old[-1] if sets.old else None)


def _refresh_annotations(draft: Draft, limits: Limits) -> None:
    if DESIRED_REPLICAS in draft.wanted.metadata.annotations:
        draft.annotate_size(limits)


def _is_saturated(new: Draft, limits: Limits) -> bool:
    recorded = integer(new.wanted.metadata.annotations.get(DESIRED_REPLICAS))
    return new.size == limits.replicas == recorded == new.available


def _scale_proportionally(sets: ReplicaSets, limits: Limits) -> None:
    """Give each active set its share of the change; what rounding leaves over goes to the first.

    Two sets of 5 (limit 10) whose limit becomes 13 get +2 (the newer) and +1: 7 and 6.
    """
    running = active(sets.all)
    allowed = limits.max_total if limits.replicas > 0 else 0
    to_add = allowed - total_size(running)
    ordered = _in_scaling_order(running, growing=to_add > 0)
    sizes = {draft.name: draft.size for draft in ordered}
    added = 0
    for draft in ordered:
        if to_add == 0:
            break
        share = _share(draft, sets.deployment, limits, to_add, added)
        sizes[draft.name] += share
        added += share
    for position, draft in enumerate(ordered):
        leftover = to_add - added if position == 0 else 0
        draft.resize(max(0, sizes[draft.name] + leftover), limits)
        draft.annotate_size(limits)


def _in_scaling_order(drafts: list[Draft], *, growing: bool) -> list[Draft]:
    """Return the largest set first; among equals the newest when growing, the oldest when shrinking."""
    by_age = sorted(drafts, key=lambda draft: draft.age, reverse=growing)
    return sorted(by_age, key=lambda draft: -draft.size)


def _share(draft: Draft, deployment: Deployment, limits: Limits, to_add: int, added: int) -> int:
    """Return the pods this set gains (or, negative, loses), within what is left to share."""
    fraction = _fraction(draft, deployment, limits)
    rest = to_add - added
    return min(fraction, rest) if to_add > 0 else max(fraction, rest)


def _fraction(draft: Draft, deployment: Deployment, limits: Limits) -> int:
    """Return the change that keeps this set's part of the whole: size * new limit / former limit - size."""
    if limits.replicas == 0:
        return -draft.size
    former = integer(draft.wanted.metadata.annotations.get(MAX_REPLICAS)) or deployment.status.replicas
    if not former:
        return 0
    # Whole numbers: floor((2ab + c) / 2c) is ab/c rounded half up, and sizes are never negative.
    return (2 * draft.size * limits.max_total + former) // (2 * former) - draft.size
