"""One step of a rolling update (docs/semantics/deployment.md section 6).

Totals are counted by the sets' planned sizes, availability by their stored status: a status that lags behind growth
only makes the step smaller.
"""

from __future__ import annotations

from rollplane_planners.deployment.drafts import Draft, ReplicaSets, active, total_size
from rollplane_planners.limits import Limits


def new_size(sets: ReplicaSets, limits: Limits) -> int:
    """Return the size the new set may have now: what surge leaves room for, never more than declared."""
    size = sets.new.size if sets.new else 0
    if size >= limits.replicas:
        return limits.replicas
    room = limits.max_total - total_size(sets.all)
    return size + max(0, min(room, limits.replicas - size))


def scale_up(sets: ReplicaSets, new: Draft, limits: Limits) -> bool:
    """Grow (or correct) the new set; tells whether its size changes."""
    return new.resize(new_size(sets, limits), limits)


def scale_down(sets: ReplicaSets, new: Draft, limits: Limits) -> bool:
    """Shrink old sets, unhealthy pods first; tells whether that moved anything.

    Because the new set's missing pods are subtracted, crashing new pods never cost further good old ones.

    Nothing moves while a set's status was made for another size. One that was shrunk from 9 to 6 and grown to 9 again,
    as by an undo, may still count the 9 pods it had, of which 3 are gone.
    """
    olds = active(sets.old)
    if not all(draft.is_observed for draft in (*olds, new)):
        return False
    new_missing = new.size - _available_of_new(new)
    removable = total_size(sets.all) - limits.min_available - new_missing
    if not olds or removable <= 0:
        return False
    unhealthy = _scale_down_unhealthy(olds, removable, limits)
    if unhealthy is None:
        return False
    return _scale_down_healthy(olds, new, limits) + unhealthy > 0


def _scale_down_unhealthy(olds: list[Draft], budget: int, limits: Limits) -> int | None:
    """Take up to ``budget`` unavailable pods from the oldest sets first; return how many.

    None: a set's status still counts pods it no longer wants. Going on would give the same pods away twice, also when
    the set comes late in line: its pods count towards what is available.
    """
    if any(draft.size < draft.available for draft in olds):
        return None
    removed = 0
    for draft in olds:
        if removed >= budget:
            break
        count = min(draft.size - draft.available, budget - removed)
        draft.resize(draft.size - count, limits)
        removed += count
    return removed


def _scale_down_healthy(olds: list[Draft], new: Draft, limits: Limits) -> int:
    """Take as many pods as availability allows from the oldest sets first; return how many."""
    available = sum(draft.available for draft in olds) + _available_of_new(new)
    budget = available - limits.min_available
    removed = 0
    for draft in olds:
        if removed >= budget:
            break
        count = min(draft.size, budget - removed)
        draft.resize(draft.size - count, limits)
        removed += count
    return removed


def _available_of_new(new: Draft) -> int:
    """Return the new set's available pods, at most its size: it may just have been shrunk itself."""
    return min(new.available, new.size)
