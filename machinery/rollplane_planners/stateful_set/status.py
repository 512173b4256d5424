"""A StatefulSet's status: what its pods will be once this round's creations and deletions are through (section 7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from rollplane.apps.v1 import StatefulSet, StatefulSetStatus
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.stateful_set.revisions import Versions
from rollplane_planners.stateful_set.slots import ROLLING_UPDATE, Slot


@dataclass(slots=True)
class Acts:
    """What a round does to slots. ``replaced`` are deletions by the update, which leave ``currentReplicas`` at once."""

    created: set[Slot] = field(default_factory=set)
    removed: set[Slot] = field(default_factory=set)
    replaced: set[Slot] = field(default_factory=set)


def status_of(
    stateful_set: StatefulSet,
    slots: Collection[Slot],
    versions: Versions,
    acts: Acts,
    now: float,
    release: Release = LATEST,
) -> StatefulSetStatus:
    """Return the status to store; the update revision becomes the current one when every pod is updated and ready."""
    status = StatefulSetStatus()
    status.CopyFrom(stateful_set.status)
    for name, value in _counts(stateful_set, slots, versions, acts, now).items():
        told = release.stateful_set_min_ready or name != "available_replicas"
        if told and getattr(status, name) != value:
            setattr(status, name, value)
    status.collision_count = versions.collision_count
    status.current_revision, status.update_revision = versions.current.name, versions.update.name
    _complete(stateful_set, status, release)
    return status


def _counts(
    stateful_set: StatefulSet, slots: Collection[Slot], versions: Versions, acts: Acts, now: float
) -> dict[str, int]:
    min_ready = stateful_set.spec.min_ready_seconds
    present = [slot for slot in slots if slot.created or slot in acts.created]
    staying = [slot for slot in present if not slot.terminating and slot not in acts.removed]
    # The update takes one off the current pods for each pod it deletes, whatever revision that one carried.
    current = sum(slot.revision == versions.current.name for slot in staying) - len(acts.replaced)
    updated = [slot for slot in staying if slot not in acts.replaced and slot.revision == versions.update.name]
    return {
        "replicas": len(present),
        "ready_replicas": sum(slot.running_ready for slot in present),
        "available_replicas": sum(slot.available(min_ready, now) for slot in present),
        "current_replicas": max(0, current),
        "updated_replicas": len(updated),
        "observed_generation": stateful_set.metadata.generation,
    }


def _complete(stateful_set: StatefulSet, status: StatefulSetStatus, release: Release) -> None:
    wanted = stateful_set.spec.replicas
    everywhere = status.updated_replicas == status.ready_replicas == status.replicas == wanted
    completes = stateful_set.spec.update_strategy.type == ROLLING_UPDATE or release.on_delete_completes
    if completes and everywhere:
        status.current_revision = status.update_revision
        status.current_replicas = status.updated_replicas
