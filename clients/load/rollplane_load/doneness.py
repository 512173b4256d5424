"""When a rollout is done, the same for every cluster: judged by the workload's own spec and status.

Source: docs/semantics/deployment.md section 10, statefulset.md section 7, daemonset.md section 8, and for a
ReplicationController its counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import ReplicationController

Watched = Deployment | StatefulSet | DaemonSet | ReplicationController


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a workload: its pods as its status counts them, and whether its rollout is done.

    ``updated`` ones are of the template that is wanted now.
    """

    desired: int
    available: int
    updated: int
    done: bool


def look_at(workload: Watched) -> Look:
    """Return where the rollout that was asked for last stands."""
    match workload:
        case Deployment():
            return _of_deployment(workload)
        case StatefulSet():
            return _of_stateful_set(workload)
        case DaemonSet():
            return _of_daemon_set(workload)
    return _of_controller(workload)


def _observed(workload: Watched) -> bool:
    return workload.status.observed_generation >= workload.metadata.generation


def _of_deployment(one: Deployment) -> Look:
    wanted, status = one.spec.replicas, one.status
    counts = (status.updated_replicas, status.replicas, status.available_replicas)
    done = _observed(one) and counts == (wanted, wanted, wanted) and not one.spec.paused
    return Look(wanted, status.available_replicas, status.updated_replicas, done)


def _of_stateful_set(one: StatefulSet) -> Look:
    wanted, status = one.spec.replicas, one.status
    # Ready is available, since loads give no minReadySeconds; older releases tell nothing but the former.
    available = status.ready_replicas
    # Of one revision only, updatedReplicas is what it counted when the rollout ended.
    current = status.update_revision == status.current_revision
    updated = status.replicas if current else status.updated_replicas
    counts = (updated, status.replicas, available)
    observed = _observed(one)
    done = observed and current and counts == (wanted, wanted, wanted)
    return Look(wanted, available, updated if observed else 0, done)


def _of_daemon_set(one: DaemonSet) -> Look:
    status = one.status
    wanted = status.desired_number_scheduled
    updated = status.updated_number_scheduled if _observed(one) else 0
    done = wanted > 0 and (updated, status.number_available) == (wanted, wanted)
    return Look(wanted, status.number_available, updated, done)


def _of_controller(one: ReplicationController) -> Look:
    wanted, status = one.spec.replicas, one.status
    counts = (status.replicas, status.available_replicas)
    return Look(wanted, status.available_replicas, status.replicas, _observed(one) and counts == (wanted, wanted))
