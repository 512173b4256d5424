"""A Deployment's status: counts, availability, progress and its deadline (docs/semantics/deployment.md section 10)."""

from __future__ import annotations

from rollplane.apps.v1 import Deployment, DeploymentStatus
from rollplane_machinery.conditions import FALSE, TRUE, get_condition, remove_condition, replace_condition
from rollplane_planners.deployment import conditions as c
from rollplane_planners.deployment.drafts import ReplicaSets
from rollplane_planners.limits import NO_LIMIT, Limits


def has_deadline(deployment: Deployment) -> bool:
    """Tell whether progress is watched at all."""
    spec = deployment.spec
    return spec.HasField("progress_deadline_seconds") and spec.progress_deadline_seconds != NO_LIMIT


def is_complete(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Tell whether every pod is of the new version and available."""
    replicas = deployment.spec.replicas
    return (
        status.updated_replicas == replicas
        and status.replicas == replicas
        and status.available_replicas == replicas
        and status.observed_generation >= deployment.metadata.generation
    )


def count(sets: ReplicaSets, limits: Limits, now: float) -> DeploymentStatus:
    """Return the stored status with fresh counts and Available condition; progress is not judged.

    Counts come from the sets' stored status. Unavailable pods are counted against planned sizes.
    """
    stored = [draft.wanted.status for draft in sets.all]
    available = sum(status.available_replicas for status in stored)
    status = DeploymentStatus()
    status.CopyFrom(sets.deployment.status)
    status.observed_generation = sets.deployment.metadata.generation
    _set_count(status, "replicas", sum(one.replicas for one in stored))
    _set_count(status, "updated_replicas", sets.new.wanted.status.replicas if sets.new else 0)
    _set_count(status, "ready_replicas", sum(one.ready_replicas for one in stored))
    _set_count(status, "available_replicas", available)
    _set_count(status, "unavailable_replicas", max(0, sum(draft.size for draft in sets.all) - available))
    _count_terminating(status, sets)
    enough = available >= limits.min_available
    replace_condition(
        status.conditions,
        c.new_condition(
            c.AVAILABLE,
            TRUE if enough else FALSE,
            c.MINIMUM_REPLICAS_AVAILABLE if enough else c.MINIMUM_REPLICAS_UNAVAILABLE,
            "Deployment has minimum availability." if enough else "Deployment does not have minimum availability.",
            now,
        ),
    )
    return status


def _set_count(status: DeploymentStatus, field: str, value: int) -> None:
    """Set a counter; a zero that was never stored stays unset: unchanged must mean equal."""
    if getattr(status, field) != value:
        setattr(status, field, value)


def _count_terminating(status: DeploymentStatus, sets: ReplicaSets) -> None:
    """Sum the terminating pods; unknown as soon as one set has not reported any."""
    stored = [draft.wanted.status for draft in sets.all if draft.stored]
    if stored and all(one.HasField("terminating_replicas") for one in stored):
        status.terminating_replicas = sum(one.terminating_replicas for one in stored)
    else:
        status.ClearField("terminating_replicas")


def progressed(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Tell whether ``status`` is ahead of the stored one."""
    old = deployment.status
    return (
        status.updated_replicas > old.updated_replicas
        or status.replicas - status.updated_replicas < old.replicas - old.updated_replicas
        or status.ready_replicas > old.ready_replicas
        or status.available_replicas > old.available_replicas
    )


def is_timed_out(deployment: Deployment, now: float) -> bool:
    """Tell whether the stored Progressing condition is older than the deadline allows."""
    condition = get_condition(deployment.status.conditions, c.PROGRESSING)
    if condition is None or condition.reason == c.NEW_REPLICA_SET_AVAILABLE:
        return False
    if condition.reason == c.PROGRESS_DEADLINE_EXCEEDED:
        return True
    return condition.last_update_time.seconds + deployment.spec.progress_deadline_seconds < now


def judge_progress(sets: ReplicaSets, status: DeploymentStatus, now: float) -> None:
    """Set the Progressing and ReplicaFailure conditions of ``status`` in place."""
    deployment = sets.deployment
    if not has_deadline(deployment):
        remove_condition(status.conditions, c.PROGRESSING)
    elif not _was_complete(deployment, status):
        _estimate(sets, status, now)
    _copy_replica_failure(sets, status)


def _was_complete(deployment: Deployment, status: DeploymentStatus) -> bool:
    """A finished rollout stays finished while only new pods exist; a crash later is not a failed rollout."""
    reason = c.progressing_reason(deployment.status)
    return reason == c.NEW_REPLICA_SET_AVAILABLE and status.replicas == status.updated_replicas


def _estimate(sets: ReplicaSets, status: DeploymentStatus, now: float) -> None:
    subject = f'ReplicaSet "{sets.new.name}"' if sets.new else f'Deployment "{sets.deployment.metadata.name}"'
    if is_complete(sets.deployment, status):
        reason, message = c.NEW_REPLICA_SET_AVAILABLE, f"{subject} has successfully progressed."
        replace_condition(status.conditions, c.new_condition(c.PROGRESSING, TRUE, reason, message, now))
    elif progressed(sets.deployment, status):
        reason, message = c.REPLICA_SET_UPDATED, f"{subject} is progressing."
        replace_condition(status.conditions, c.new_condition(c.PROGRESSING, TRUE, reason, message, now), refresh=True)
    elif is_timed_out(sets.deployment, now):
        reason, message = c.PROGRESS_DEADLINE_EXCEEDED, f"{subject} has timed out progressing."
        replace_condition(status.conditions, c.new_condition(c.PROGRESSING, FALSE, reason, message, now))


def _copy_replica_failure(sets: ReplicaSets, status: DeploymentStatus) -> None:
    """Show why pods cannot be made: the new set's failure first, else that of any other."""
    newest_first = [sets.new, *sets.old] if sets.new else sets.old
    for draft in newest_first:
        for condition in draft.wanted.status.conditions:
            if condition.type == c.REPLICA_FAILURE:
                copied = c.new_condition(c.REPLICA_FAILURE, condition.status, condition.reason, condition.message, 0)
                copied.last_update_time.CopyFrom(condition.last_transition_time)
                copied.last_transition_time.CopyFrom(condition.last_transition_time)
                replace_condition(status.conditions, copied)
                return
    remove_condition(status.conditions, c.REPLICA_FAILURE)


def recheck_after(deployment: Deployment, status: DeploymentStatus, now: float) -> float | None:
    """Return the seconds until the deadline is to be looked at again, None when nothing is being waited for."""
    condition = get_condition(status.conditions, c.PROGRESSING)
    if condition is None or not has_deadline(deployment) or is_complete(deployment, status):
        return None
    if condition.reason in (c.NEW_REPLICA_SET_AVAILABLE, c.PROGRESS_DEADLINE_EXCEEDED):
        return None
    due = condition.last_update_time.seconds + deployment.spec.progress_deadline_seconds + 1
    return max(0.0, due - now)
