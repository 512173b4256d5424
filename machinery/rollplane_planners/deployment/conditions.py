"""A Deployment's conditions, set without touching what has not changed (docs/semantics/deployment.md section 10)."""

from __future__ import annotations

import math

from rollplane.apps.v1 import DeploymentCondition, DeploymentStatus
from rollplane.meta.v1 import Time

AVAILABLE = "Available"
PROGRESSING = "Progressing"
REPLICA_FAILURE = "ReplicaFailure"

MINIMUM_REPLICAS_AVAILABLE = "MinimumReplicasAvailable"
MINIMUM_REPLICAS_UNAVAILABLE = "MinimumReplicasUnavailable"
NEW_REPLICA_SET_CREATED = "NewReplicaSetCreated"
FOUND_NEW_REPLICA_SET = "FoundNewReplicaSet"
REPLICA_SET_UPDATED = "ReplicaSetUpdated"
NEW_REPLICA_SET_AVAILABLE = "NewReplicaSetAvailable"
REPLICA_SET_CREATE_ERROR = "ReplicaSetCreateError"
PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
DEPLOYMENT_PAUSED = "DeploymentPaused"
DEPLOYMENT_RESUMED = "DeploymentResumed"


def get_condition(status: DeploymentStatus, type_: str) -> DeploymentCondition | None:
    """Return the condition of that type, if any."""
    return next((condition for condition in status.conditions if condition.type == type_), None)


def progressing_reason(status: DeploymentStatus) -> str:
    """Return the Progressing condition's reason, "" without one."""
    condition = get_condition(status, PROGRESSING)
    return condition.reason if condition else ""


def new_condition(type_: str, status: str, reason: str, message: str, now: float) -> DeploymentCondition:
    """Return a condition whose times are ``now``, in whole seconds."""
    time = Time(seconds=math.floor(now))
    return DeploymentCondition(
        type=type_, status=status, reason=reason, message=message, last_update_time=time, last_transition_time=time
    )


def remove_condition(status: DeploymentStatus, type_: str) -> None:
    """Drop the condition of that type in place."""
    kept = [condition for condition in status.conditions if condition.type != type_]
    if len(kept) != len(status.conditions):
        del status.conditions[:]
        status.conditions.extend(kept)


def set_condition(status: DeploymentStatus, condition: DeploymentCondition, *, refresh: bool = False) -> None:
    """Set a condition in place; same status and reason changes nothing, unless ``refresh`` asks for a new update time.

    The time of the last transition moves only when the status does.
    """
    current = get_condition(status, condition.type)
    if current and not refresh and (current.status, current.reason) == (condition.status, condition.reason):
        return
    if current and current.status == condition.status:
        condition.last_transition_time.CopyFrom(current.last_transition_time)
    remove_condition(status, condition.type)
    status.conditions.append(condition)
