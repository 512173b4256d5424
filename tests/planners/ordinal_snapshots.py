"""Snapshots of StatefulSets and DaemonSets in the form of the recorded traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rollplane.apps.v1 import ControllerRevision, DaemonSet, StatefulSet
from rollplane.core.v1 import Pod
from rollplane_machinery.kinds import STATEFUL_SET, Kind
from rollplane_machinery.metadata import is_being_deleted
from tests.planners.traces import Json


def recorded_snapshot(recorded: Json, kind: Kind) -> Json:
    """Return a recorded snapshot as the functions below make it; a DaemonSet's pods are compared as counts."""
    pods = [tuple(pod) for pod in recorded["pods"]]
    status = {name: value for name, value in recorded["status"].items() if value}
    shown: Any = sorted(pods) if kind is STATEFUL_SET else Counter((pod[1], pod[2], pod[3]) for pod in pods)
    return {
        "generation": recorded["generation"],
        "status": status,
        "revisions": sorted(recorded["revisions"]),
        "pods": shown,
    }


def stateful_set_snapshot(
    stateful_set: StatefulSet, pods: Iterable[Pod], revisions: Iterable[ControllerRevision]
) -> Json:
    """Return the set as recorded: revisions by their numbers, pods by their names."""
    numbers = {one.metadata.name: one.revision for one in revisions}
    status = stateful_set.status
    counts = {
        "observedGeneration": status.observed_generation,
        "replicas": status.replicas,
        "readyReplicas": status.ready_replicas,
        "currentReplicas": status.current_replicas,
        "updatedReplicas": status.updated_replicas,
        "currentRevision": numbers.get(status.current_revision, 0),
        "updateRevision": numbers.get(status.update_revision, 0),
        "collisionCount": status.collision_count,
    }
    return {
        "generation": stateful_set.metadata.generation,
        "status": {name: value for name, value in counts.items() if value},
        "revisions": sorted(numbers.values()),
        "pods": sorted((pod.metadata.name, *_facts(pod)) for pod in pods),
    }


def daemon_set_snapshot(daemon_set: DaemonSet, pods: Iterable[Pod], revisions: Iterable[ControllerRevision]) -> Json:
    """Return the set as recorded, pods as counts of (image, ready, terminating)."""
    status = daemon_set.status
    counts = {
        "currentNumberScheduled": status.current_number_scheduled,
        "numberMisscheduled": status.number_misscheduled,
        "desiredNumberScheduled": status.desired_number_scheduled,
        "numberReady": status.number_ready,
        "observedGeneration": status.observed_generation,
        "updatedNumberScheduled": status.updated_number_scheduled,
        "numberAvailable": status.number_available,
        "numberUnavailable": status.number_unavailable,
        "collisionCount": status.collision_count,
    }
    return {
        "generation": daemon_set.metadata.generation,
        "status": {name: value for name, value in counts.items() if value},
        "revisions": sorted(one.revision for one in revisions),
        "pods": Counter(_facts(pod) for pod in pods),
    }


def _facts(pod: Pod) -> tuple[str, bool, bool]:
    ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)
    return pod.spec.containers[0].image, ready, is_being_deleted(pod.metadata)
