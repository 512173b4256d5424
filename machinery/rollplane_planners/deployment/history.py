"""Which old ReplicaSets are no longer worth keeping (docs/semantics/deployment.md section 10)."""

from __future__ import annotations

from rollplane.apps.v1 import ReplicaSet
from rollplane_machinery.deployments import REVISION
from rollplane_machinery.kinds import REPLICA_SET
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import Release
from rollplane_planners.deployment.annotations import integer
from rollplane_planners.deployment.drafts import ReplicaSets
from rollplane_planners.limits import NO_LIMIT
from rollplane_planners.model import DeleteObject


def surplus_history(sets: ReplicaSets, release: Release) -> list[DeleteObject]:
    """Return deletions of the sets beyond the history limit: those of the lowest revisions, up to 1.20 the oldest.

    A set that ran again has a high revision, however old it is. Only the first ``excess`` candidates are looked at: one
    that still has pods is skipped and nobody takes its place.
    """
    spec = sets.deployment.spec
    if not spec.HasField("revision_history_limit") or spec.revision_history_limit == NO_LIMIT:
        return []
    candidates = [
        draft.stored for draft in sets.old if draft.stored is not None and not is_being_deleted(draft.stored.metadata)
    ]
    if release.history_by_revision:
        candidates.sort(key=_revision)  # stable: among equals the oldest goes first
    excess = max(0, len(candidates) - spec.revision_history_limit)
    return [_deletion(stored) for stored in candidates[:excess] if _is_idle(stored)]


def _revision(stored: ReplicaSet) -> int:
    return integer(stored.metadata.annotations.get(REVISION)) or 0


def _is_idle(stored: ReplicaSet) -> bool:
    observed = stored.status.observed_generation >= stored.metadata.generation
    return stored.spec.replicas == 0 and stored.status.replicas == 0 and observed


def _deletion(stored: ReplicaSet) -> DeleteObject:
    metadata = stored.metadata
    return DeleteObject(REPLICA_SET, metadata.namespace, metadata.name, metadata.uid)
