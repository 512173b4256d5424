"""How far a rollout is, judged from one look at the object, in the words of ``kubectl rollout status``.

Source of the rules: docs/semantics/deployment.md section 10, statefulset.md section 7, daemonset.md section 8.
"""

from __future__ import annotations

from dataclasses import replace

from rollplane.apps import v1 as apps
from rollplane_apiserver.rollout.workloads import RolledOut
from rollplane_machinery.api import RolloutState, RolloutStatus
from rollplane_machinery.conditions import FALSE, TRUE, get_condition
from rollplane_machinery.errors import InvalidError
from rollplane_planners.rolled_back import REASON, rolled_back

ROLLING_UPDATE = "RollingUpdate"
DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
_CALLED = {apps.Deployment: "deployment", apps.StatefulSet: "statefulset", apps.DaemonSet: "daemon set"}


def look_at(workload: RolledOut, revision: int = 0) -> RolloutStatus:
    """Return where the rollout that was asked for last stands, or that of the Deployment's ``revision``.

    The one that was asked for has FAILED when it was rolled back automatically, also once the former template is back
    everywhere. Raises InvalidError for a StatefulSet or DaemonSet that replaces its pods only when they are deleted.
    """
    look = _look(workload)
    story = rolled_back(workload)
    if story is None or revision not in (0, story.number):
        return look
    message = f'{_CALLED[type(workload)]} "{workload.metadata.name}" {story}'
    return replace(look, state=RolloutState.FAILED, message=message, reason=REASON)


def _look(workload: RolledOut) -> RolloutStatus:
    if isinstance(workload, apps.Deployment):
        return _of_deployment(workload)
    if workload.spec.update_strategy.type != ROLLING_UPDATE:
        raise InvalidError(
            f"rollout status is only available for {ROLLING_UPDATE} strategy type", name=workload.metadata.name
        )
    if isinstance(workload, apps.StatefulSet):
        return _of_stateful_set(workload)
    return _of_daemon_set(workload)


def _of_deployment(deployment: apps.Deployment) -> RolloutStatus:
    status, wanted = deployment.status, deployment.spec.replicas
    state, message = _deployment_sentence(deployment)
    return RolloutStatus(
        state,
        message,
        _trouble(deployment) if state is not RolloutState.DONE else "",
        desired=wanted,
        updated=status.updated_replicas,
        ready=status.ready_replicas,
        available=status.available_replicas,
        total=status.replicas,
        revision=int(deployment.metadata.resource_version or 0),
    )


def _deployment_sentence(deployment: apps.Deployment) -> tuple[RolloutState, str]:
    name, status, wanted = deployment.metadata.name, deployment.status, deployment.spec.replicas
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if deployment.metadata.generation > status.observed_generation:
        return RolloutState.PROGRESSING, "Waiting for deployment spec update to be observed..."
    progressing = get_condition(status.conditions, "Progressing")
    if progressing is not None and progressing.reason == DEADLINE_EXCEEDED:
        return RolloutState.FAILED, f'deployment "{name}" exceeded its progress deadline'
    if status.updated_replicas < wanted:
        counts = f"{status.updated_replicas} out of {wanted}"
        return RolloutState.PROGRESSING, f"{waiting}{counts} new replicas have been updated..."
    if status.replicas > status.updated_replicas:
        old = status.replicas - status.updated_replicas
        return RolloutState.PROGRESSING, f"{waiting}{old} old replicas are pending termination..."
    if status.available_replicas < status.updated_replicas:
        counts = f"{status.available_replicas} of {status.updated_replicas}"
        return RolloutState.PROGRESSING, f"{waiting}{counts} updated replicas are available..."
    return RolloutState.DONE, f'deployment "{name}" successfully rolled out'


def _trouble(deployment: apps.Deployment) -> str:
    """One word for what stands in the way; empty while all is well."""
    progressing = get_condition(deployment.status.conditions, "Progressing")
    failure = get_condition(deployment.status.conditions, "ReplicaFailure")
    if progressing is not None and progressing.status == FALSE:
        return progressing.reason
    if failure is not None and failure.status == TRUE:
        return failure.reason
    return "DeploymentPaused" if deployment.spec.paused else ""


def _of_stateful_set(stateful_set: apps.StatefulSet) -> RolloutStatus:
    status = stateful_set.status
    state, message = _stateful_set_sentence(stateful_set)
    return RolloutStatus(
        state,
        message,
        desired=stateful_set.spec.replicas,
        updated=status.updated_replicas,
        ready=status.ready_replicas,
        available=status.available_replicas,
        total=status.replicas,
        revision=int(stateful_set.metadata.resource_version or 0),
    )


def _stateful_set_sentence(stateful_set: apps.StatefulSet) -> tuple[RolloutState, str]:
    spec, status = stateful_set.spec, stateful_set.status
    if status.observed_generation == 0 or stateful_set.metadata.generation > status.observed_generation:
        return RolloutState.PROGRESSING, "Waiting for statefulset spec update to be observed..."
    if status.ready_replicas < spec.replicas:
        return RolloutState.PROGRESSING, f"Waiting for {spec.replicas - status.ready_replicas} pods to be ready..."
    if spec.update_strategy.HasField("rolling_update"):
        return _partitioned(status.updated_replicas, spec.replicas - spec.update_strategy.rolling_update.partition)
    if status.update_revision != status.current_revision:
        counts = f"{status.updated_replicas} pods at revision {status.update_revision}"
        return RolloutState.PROGRESSING, f"waiting for statefulset rolling update to complete {counts}..."
    counts = f"{status.current_replicas} pods at revision {status.current_revision}"
    return RolloutState.DONE, f"statefulset rolling update complete {counts}..."


def _partitioned(updated: int, wanted: int) -> tuple[RolloutState, str]:
    if updated < wanted:
        counts = f"{updated} out of {wanted}"
        return (
            RolloutState.PROGRESSING,
            f"Waiting for partitioned roll out to finish: {counts} new pods have been updated...",
        )
    return RolloutState.DONE, f"partitioned roll out complete: {updated} new pods have been updated..."


def _of_daemon_set(daemon_set: apps.DaemonSet) -> RolloutStatus:
    status = daemon_set.status
    state, message = _daemon_set_sentence(daemon_set)
    return RolloutStatus(
        state,
        message,
        desired=status.desired_number_scheduled,
        updated=status.updated_number_scheduled,
        ready=status.number_ready,
        available=status.number_available,
        total=status.current_number_scheduled,
        revision=int(daemon_set.metadata.resource_version or 0),
    )


def _daemon_set_sentence(daemon_set: apps.DaemonSet) -> tuple[RolloutState, str]:
    name, status, wanted = daemon_set.metadata.name, daemon_set.status, daemon_set.status.desired_number_scheduled
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if daemon_set.metadata.generation > status.observed_generation:
        return RolloutState.PROGRESSING, "Waiting for daemon set spec update to be observed..."
    if status.updated_number_scheduled < wanted:
        counts = f"{status.updated_number_scheduled} out of {wanted}"
        return RolloutState.PROGRESSING, f"{waiting}{counts} new pods have been updated..."
    if status.number_available < wanted:
        counts = f"{status.number_available} of {wanted}"
        return RolloutState.PROGRESSING, f"{waiting}{counts} updated pods are available..."
    nowhere = "" if wanted else ": no node is to run it"
    return RolloutState.DONE, f'daemon set "{name}" successfully rolled out{nowhere}'
