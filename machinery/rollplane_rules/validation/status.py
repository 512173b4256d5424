"""Counters in the status of workloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import invalid, not_negative

_Counted = apps.DeploymentStatus | apps.ReplicaSetStatus | apps.StatefulSetStatus | core.ReplicationControllerStatus
_Colliding = apps.DeploymentStatus | apps.StatefulSetStatus | apps.DaemonSetStatus


def check_counters(counters: Mapping[str, int]) -> list[Cause]:
    """Return what is wrong with counters by field: they are never negative."""
    return [cause for field, value in counters.items() if value < 0 for cause in not_negative(field, value)]


def check_replica_counters(status: _Counted, among: Mapping[str, int]) -> list[Cause]:
    """Return what is wrong with counters of pods ``among`` all replicas; what is available is ready, too."""
    found = check_counters({"replicas": status.replicas, "observedGeneration": status.observed_generation, **among})
    found += _check_at_most(among.items(), status.replicas)
    if status.available_replicas > status.ready_replicas:
        fix = f"no more than readyReplicas, {status.ready_replicas}, can be available"
        found.append(invalid("availableReplicas", status.available_replicas, fix))
    return found


def _check_at_most(counters: Iterable[tuple[str, int]], replicas: int) -> list[Cause]:
    return [
        invalid(field, value, f"count no more than status.replicas, {replicas}")
        for field, value in counters
        if value > replicas
    ]


def check_collisions(new: _Colliding, old: _Colliding) -> list[Cause]:
    """Return what is wrong with a collision count, which names depend on and which never goes back."""
    if old.HasField("collision_count") and new.collision_count < old.collision_count:
        return [invalid("collisionCount", new.collision_count, f"it never decreases, and was {old.collision_count}")]
    return []
