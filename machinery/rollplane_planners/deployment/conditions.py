"""A Deployment's conditions: their types, and the reasons they give (docs/semantics/deployment.md section 10)."""

from __future__ import annotations

from rollplane.apps.v1 import DeploymentCondition, DeploymentStatus
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.times import time_of

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


def progressing_reason(status: DeploymentStatus) -> str:
    """Return the Progressing condition's reason, "" without one."""
    condition = get_condition(status.conditions, PROGRESSING)
    return condition.reason if condition else ""


def new_condition(type_: str, status: str, reason: str, message: str, now: float) -> DeploymentCondition:
    """Return a condition whose times are ``now``, in whole seconds."""
    time = time_of(now)
    return DeploymentCondition(
        type=type_, status=status, reason=reason, message=message, last_update_time=time, last_transition_time=time
    )
